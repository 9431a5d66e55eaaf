//! The connected devices, by person.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use metrics::Counter;
use parley_domain::{SessionId, UserId};
use serde::Serialize;
use socketioxide::{
    SendError, SocketError,
    adapter::LocalAdapter,
    socket::{Sid, Socket},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::worker::Incoming;
use crate::connection::{Cuts, Line};

/// How many devices one person may have connected at once.
pub(crate) const MAX_DEVICES: u32 = 20;

/// One connected socket of one person.
pub(crate) struct Device {
    pub(crate) id: Sid,
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    pub(crate) is_agora_ready: bool,
    /// The namespace owns the socket, the socket owns its handlers, and they own this: a strong one would be a circle.
    pub(crate) socket: Weak<Socket<LocalAdapter>>,
    pub(crate) line: Line,
    pub(crate) cuts: Weak<Cuts>,
    /// Counts what is put into queues, its own and the others'.
    pub(crate) events: Counter,
    /// Counts the sockets that were made to reconnect.
    pub(crate) severed: Counter,
    /// Until it goes.
    pub(crate) seat: Mutex<Option<Seat>>,
    /// The socket's events in the order of their arrival, until its worker takes them over.
    pub(crate) inbox: Mutex<Option<mpsc::Receiver<Incoming>>>,
    /// Ends the worker.
    pub(crate) gone: CancellationToken,
    /// Set once a packet for it was lost: from then on it gets nothing more, so that it never sees a gap.
    pub(crate) is_lossy: AtomicBool,
}

impl Device {
    /// Whether it announced, or did not deny, that it has Agora's library.
    pub(crate) fn carries_agora(&self) -> bool {
        self.is_agora_ready
    }

    /// Sends an event. A socket whose queue is full has lost it, so it is made to reconnect and heal by `/sync`.
    pub(crate) fn emit<T: Serialize + ?Sized>(&self, event: &str, payload: &T) {
        if self.is_lossy.load(Ordering::Acquire) {
            return;
        }
        let Some(socket) = self.socket.upgrade() else { return };
        match socket.emit(event, payload) {
            Ok(()) => self.events.increment(1),
            Err(SendError::Socket(SocketError::Closed)) => {}
            Err(SendError::Socket(SocketError::InternalChannelFull)) => self.sever("its queue is full"),
            Err(SendError::Serialize(error)) => tracing::error!(%error, event, "an event can't be serialized"),
        }
    }

    /// Cuts the transport, so that the client comes back by itself.
    pub(crate) fn sever(&self, why: &'static str) {
        if self.is_lossy.swap(true, Ordering::AcqRel) {
            return;
        }
        self.severed.increment(1);
        tracing::warn!(socket = %self.id, user = %self.user, why, "a socket is made to reconnect");
        self.cut();
    }

    /// Cuts the transport, if it is still there.
    pub(crate) fn cut(&self) {
        if let Some(cuts) = self.cuts.upgrade() {
            cuts.cut(&self.line);
        }
    }

    /// Ends the connection for good: the client has to sign in anew before it comes back.
    pub(crate) fn dismiss(&self) {
        let Some(socket) = self.socket.upgrade() else { return };
        if let Err(SocketError::InternalChannelFull) = socket.disconnect() {
            self.sever("it can't be told to go");
        }
    }
}

/// How many devices each person has, those included that are only coming.
type Seats = Arc<Mutex<HashMap<UserId, u32>>>;

/// One device's place among those of its person.
pub(crate) struct Seat {
    user: UserId,
    seats: Seats,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut seats = self.seats.lock().expect("no thread panics while it holds the seats");
        if let Some(taken) = seats.get_mut(&self.user) {
            *taken -= 1;
            if *taken == 0 {
                seats.remove(&self.user);
            }
        }
    }
}

/// Every connected device.
#[derive(Default)]
pub(crate) struct Devices {
    by_user: Mutex<HashMap<UserId, Vec<Arc<Device>>>>,
    seats: Seats,
}

/// What the coming or going of a device means for its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// The first device came, or the last one went.
    Changed,
    /// Others are connected.
    Same,
}

impl Devices {
    /// A place for one more device of that person; `None` if it has `most` of them. Of many that come at once no more
    /// get in.
    pub(crate) fn seat(&self, user: UserId, most: u32) -> Option<Seat> {
        let mut seats = self.seats.lock().expect("no thread panics while it holds the seats");
        let taken = seats.entry(user).or_default();
        if *taken >= most {
            return None;
        }
        *taken += 1;
        Some(Seat { user, seats: Arc::clone(&self.seats) })
    }

    pub(crate) fn add(&self, device: Arc<Device>) -> Presence {
        let mut by_user = self.lock();
        let devices = by_user.entry(device.user).or_default();
        devices.push(device);
        if devices.len() == 1 { Presence::Changed } else { Presence::Same }
    }

    pub(crate) fn remove(&self, device: &Device) -> Presence {
        drop(device.seat.lock().expect("no thread panics while it holds a seat").take());
        let mut by_user = self.lock();
        let Some(devices) = by_user.get_mut(&device.user) else { return Presence::Same };
        let before = devices.len();
        devices.retain(|other| other.id != device.id);
        if devices.len() == before || !devices.is_empty() {
            return Presence::Same;
        }
        by_user.remove(&device.user);
        Presence::Changed
    }

    /// That person's devices.
    pub(crate) fn of(&self, user: UserId) -> Vec<Arc<Device>> {
        self.lock().get(&user).cloned().unwrap_or_default()
    }

    pub(crate) fn is_online(&self, user: UserId) -> bool {
        self.lock().contains_key(&user)
    }

    /// How many devices there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().values().map(Vec::len).sum()
    }

    /// Every device.
    pub(crate) fn all(&self) -> Vec<Arc<Device>> {
        self.lock().values().flatten().cloned().collect()
    }

    /// Sends an event to every device of those people, to each once.
    pub(crate) fn emit<T: Serialize + ?Sized>(&self, to: &[UserId], event: &str, payload: &T) {
        for (index, user) in to.iter().enumerate() {
            if to[..index].contains(user) {
                continue;
            }
            for device in self.of(*user) {
                device.emit(event, payload);
            }
        }
    }

    /// Makes everybody reconnect.
    pub(crate) fn sever_all(&self, why: &'static str) {
        for device in self.all() {
            device.sever(why);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Vec<Arc<Device>>>> {
        self.by_user.lock().expect("no thread panics while it holds the devices")
    }
}

//! Which listener an event belongs to. The library calls a plain function without a word of ours, so there is a fixed
//! set of functions, each of which knows its number, and each number belongs to one listener at a time.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use agora_sys::iris::{iris_event_handler, iris_param};

use super::incoming::Incoming;
use crate::guard;

/// Handlers that can live at once.
const SLOTS: usize = 16;

/// A callback only copies, so one that is still inside after this hangs in foreign code.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hears events, on the library's threads and several at once. It copies what it needs and leaves: no waiting, no calls
/// of the library.
pub trait Listener: Send + Sync {
    /// An event. What it borrows is gone afterwards.
    fn on_event(&self, event: &Incoming<'_>);
}

type Trampoline = unsafe extern "C" fn(*mut iris_param);

/// One function a slot, in the structure that the library is given. It may keep the pointer instead of what it points to,
/// and read it once more when a callback of it is late: these stay for good.
static TABLES: [iris_event_handler; SLOTS] = [
    table(on_event::<0>),
    table(on_event::<1>),
    table(on_event::<2>),
    table(on_event::<3>),
    table(on_event::<4>),
    table(on_event::<5>),
    table(on_event::<6>),
    table(on_event::<7>),
    table(on_event::<8>),
    table(on_event::<9>),
    table(on_event::<10>),
    table(on_event::<11>),
    table(on_event::<12>),
    table(on_event::<13>),
    table(on_event::<14>),
    table(on_event::<15>),
];

const fn table(on_event: Trampoline) -> iris_event_handler {
    iris_event_handler { on_event: Some(on_event) }
}

static SEATS: [Seat; SLOTS] = [const { Seat::new() }; SLOTS];

/// Where the search for a free seat begins: behind the last one, so that an event that comes much too late finds an
/// empty seat rather than somebody else in it.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// What is called from C.
///
/// # Safety
/// As an event handler of Iris: see [`Incoming::read`].
unsafe extern "C" fn on_event<const SLOT: usize>(param: *mut iris_param) {
    let seat = &SEATS[SLOT];
    let has_panicked = guard::has_panicked(|| {
        let Some(visit) = seat.enter() else { return };
        // SAFETY: what this callback was given, dropped before it returns.
        if let Some(event) = unsafe { Incoming::read(param) } {
            visit.hear(&event);
        }
    });
    if has_panicked {
        seat.panics.fetch_add(1, Ordering::Relaxed);
    }
}

/// What one trampoline leads to.
struct Seat {
    state: Mutex<State>,
    left: Condvar,
    panics: AtomicU64,
    late: AtomicU64,
}

struct State {
    taken: bool,
    closing: bool,
    listener: Option<Arc<dyn Listener>>,
    inside: usize,
}

impl Seat {
    const fn new() -> Self {
        Self {
            state: Mutex::new(State { taken: false, closing: false, listener: None, inside: 0 }),
            left: Condvar::new(),
            panics: AtomicU64::new(0),
            late: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, listener: &Arc<dyn Listener>) -> bool {
        let mut state = self.lock();
        if state.taken {
            return false;
        }
        *state = State { taken: true, closing: false, listener: Some(Arc::clone(listener)), inside: 0 };
        self.panics.store(0, Ordering::Relaxed);
        self.late.store(0, Ordering::Relaxed);
        true
    }

    fn enter(&'static self) -> Option<Visit> {
        let mut state = self.lock();
        let listener = state.listener.clone().filter(|_| !state.closing);
        let Some(listener) = listener else {
            self.late.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        state.inside += 1;
        Some(Visit { seat: self, listener: Some(listener) })
    }
}

/// A callback that is inside.
struct Visit {
    seat: &'static Seat,
    /// Until it leaves.
    listener: Option<Arc<dyn Listener>>,
}

impl Visit {
    fn hear(&self, event: &Incoming<'_>) {
        if let Some(listener) = &self.listener {
            listener.on_event(event);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // Before it counts as gone: who empties the seat may be sure that nobody has the listener any more.
        self.listener = None;
        self.seat.lock().inside -= 1;
        self.seat.left.notify_all();
    }
}

/// A listener's seat.
pub(super) struct Slot(usize);

impl Slot {
    /// Takes a free seat for `listener`; `None` if there is none.
    pub(super) fn take(listener: &Arc<dyn Listener>) -> Option<Self> {
        let start = NEXT.load(Ordering::Relaxed);
        let found = (0..SLOTS).map(|step| (start + step) % SLOTS).find(|&at| SEATS[at].take(listener))?;
        NEXT.store(found + 1, Ordering::Relaxed);
        Some(Self(found))
    }

    /// What the library has to call.
    pub(super) fn table(&self) -> &'static iris_event_handler {
        &TABLES[self.0]
    }

    /// From now on nobody enters.
    pub(super) fn close(&self) {
        SEATS[self.0].lock().closing = true;
    }

    /// Takes the listener out and waits for those that are inside. `false`: one of them hangs.
    pub(super) fn empty(&self) -> bool {
        let seat = &SEATS[self.0];
        let mut state = seat.lock();
        state.closing = true;
        let listener = state.listener.take();
        let deadline = Instant::now() + PATIENCE;
        while state.inside > 0 {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
            state = seat.left.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        // Outside of the lock: it is not ours.
        drop(listener);
        true
    }

    /// Lets somebody else have the seat. After [`Slot::empty`], once the library has forgotten the trampoline.
    pub(super) fn free(&self) {
        SEATS[self.0].lock().taken = false;
    }

    /// Callbacks that panicked.
    pub(super) fn panics(&self) -> u64 {
        SEATS[self.0].panics.load(Ordering::Relaxed)
    }

    /// Callbacks that came when nobody was to hear them any more.
    pub(super) fn late(&self) -> u64 {
        SEATS[self.0].late.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    struct Ears {
        entered: Mutex<mpsc::Sender<String>>,
        /// Held by the test while a callback is to stay inside.
        gate: Mutex<()>,
    }

    impl Ears {
        fn new() -> (Arc<dyn Listener>, Arc<Self>, mpsc::Receiver<String>) {
            let (entered, heard) = mpsc::channel();
            let ears = Arc::new(Self { entered: Mutex::new(entered), gate: Mutex::new(()) });
            (Arc::clone(&ears) as Arc<dyn Listener>, ears, heard)
        }
    }

    impl Listener for Ears {
        fn on_event(&self, event: &Incoming<'_>) {
            let told = self.entered.lock().expect("nobody panics with it").send(event.callback.to_owned());
            assert!(told.is_ok());
            drop(self.gate.lock());
            assert_ne!(event.callback, "onPanic");
        }
    }

    fn call(slot: &Slot, id: &std::ffi::CStr) {
        let mut param = iris_param { event: id.as_ptr(), ..iris_param::default() };
        // SAFETY: strings that end with a zero, nulls elsewhere.
        unsafe { slot.table().on_event.expect("a function")(&mut param) };
    }

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn each_listener_hears_its_own_events() {
        let ((one, _, one_hears), (two, _, two_hears)) = (Ears::new(), Ears::new());
        let slots = [Slot::take(&one).expect("a seat"), Slot::take(&two).expect("a seat")];
        call(&slots[0], c"Class_onFirst_1234567");
        call(&slots[1], c"Class_onSecond");
        assert_eq!(one_hears.recv_timeout(LIMIT).as_deref(), Ok("onFirst"));
        assert_eq!(two_hears.recv_timeout(LIMIT).as_deref(), Ok("onSecond"));
        for slot in slots {
            assert!(slot.empty());
            slot.free();
        }
        assert!(one_hears.try_recv().is_err() && two_hears.try_recv().is_err());
    }

    #[test]
    fn a_panic_stays_in_the_callback_and_is_counted() {
        let (listener, _, heard) = Ears::new();
        let slot = Slot::take(&listener).expect("a seat");
        call(&slot, c"Class_onPanic");
        call(&slot, c"Class_onCalm");
        assert_eq!([heard.recv_timeout(LIMIT), heard.recv_timeout(LIMIT)].map(Result::unwrap), ["onPanic", "onCalm"]);
        assert_eq!(slot.panics(), 1);
        assert!(slot.empty(), "the one that panicked is no longer inside");
        slot.free();
    }

    #[test]
    fn emptying_waits_for_those_inside_and_lets_nobody_in() {
        let (listener, ears, heard) = Ears::new();
        let slot = Slot::take(&listener).expect("a seat");
        let gate = ears.gate.lock().expect("not poisoned");
        std::thread::scope(|scope| {
            scope.spawn(|| call(&slot, c"Class_onSlow"));
            assert_eq!(heard.recv_timeout(LIMIT).as_deref(), Ok("onSlow"));
            slot.close();
            call(&slot, c"Class_onLate");
            assert_eq!(slot.late(), 1);
            let emptying = scope.spawn(|| slot.empty());
            drop(gate);
            assert!(emptying.join().expect("no panic"));
        });
        call(&slot, c"Class_onLater");
        assert_eq!(slot.late(), 2);
        assert!(heard.try_recv().is_err());
        slot.free();
    }

    #[test]
    fn a_free_seat_is_not_taken_again_at_once() {
        let (listener, ..) = Ears::new();
        let slot = Slot::take(&listener).expect("a seat");
        slot.empty();
        slot.free();
        let again = Slot::take(&listener).expect("a seat");
        assert_ne!(again.0, slot.0);
        again.empty();
        again.free();
    }
}

//! Our UDP sockets, one on each address that the other side might reach.

use std::{
    collections::BTreeSet,
    io,
    net::{IpAddr, SocketAddr},
    task::Poll,
    time::Instant,
};

use tokio::net::UdpSocket;

use crate::emulator::{Datagram, Emulator, NetworkEmulation};

/// More addresses cost time in finding a path and gain nothing.
const MAX_ADDRESSES: usize = 12;
/// Larger than any datagram of WebRTC.
pub(crate) const MAX_DATAGRAM: usize = 2_000;

/// Which of our addresses the other side is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BindAddresses {
    /// Those of all interfaces, loopback included (two windows on one machine).
    #[default]
    All,
    /// Only these.
    Only(Vec<IpAddr>),
}

struct Bound {
    address: SocketAddr,
    /// For receiving.
    socket: UdpSocket,
    /// The same socket for sending: without the runtime, which would refuse what is sent before its first look at it.
    sender: std::net::UdpSocket,
}

/// The sockets of one path, and the bad network before them if one is wanted.
pub(crate) struct Sockets {
    bound: Vec<Bound>,
    emulator: Option<Emulator>,
    /// Which socket is asked first, so that a busy one can't starve the others.
    turn: usize,
}

impl Sockets {
    /// Binds a free port on each address. An address that can't be bound is left out.
    pub(crate) fn bind(addresses: &BindAddresses, emulation: Option<NetworkEmulation>) -> io::Result<Self> {
        let mut bound = Vec::new();
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in resolve(addresses).into_iter().take(MAX_ADDRESSES) {
            match open(address) {
                Ok(socket) => bound.push(socket),
                Err(error) => {
                    tracing::debug!(%error, "an address can't be bound");
                    failure = error;
                }
            }
        }
        if bound.is_empty() {
            return Err(failure);
        }
        Ok(Self { bound, emulator: emulation.map(Emulator::new), turn: 0 })
    }

    /// Our addresses.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.bound.iter().map(|bound| bound.address)
    }

    /// Sends, or gives to the emulator. What can't be sent is lost, as on any network.
    pub(crate) fn send(&mut self, source: SocketAddr, destination: SocketAddr, bytes: Vec<u8>, now: Instant) {
        let datagram = Datagram { source, destination, bytes };
        match &mut self.emulator {
            Some(emulator) => emulator.send(datagram, now),
            None => self.put(&datagram),
        }
    }

    /// Sends what the emulator has kept back long enough.
    pub(crate) fn flush(&mut self, now: Instant) {
        while let Some(datagram) = self.emulator.as_mut().and_then(|emulator| emulator.due(now)) {
            self.put(&datagram);
        }
    }

    /// When [`Self::flush`] will have something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.emulator.as_ref().and_then(Emulator::next_deadline)
    }

    /// Waits until one of them may have something to receive.
    pub(crate) async fn readable(&self) {
        std::future::poll_fn(|context| {
            let ready = self.bound.iter().any(|bound| bound.socket.poll_recv_ready(context).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// The next datagram that has come: how long it is, from whom, and to which of our addresses.
    pub(crate) fn try_receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr, SocketAddr)> {
        for _ in 0..self.bound.len() {
            self.turn = (self.turn + 1) % self.bound.len();
            let Bound { address, socket, .. } = &self.bound[self.turn];
            // An error is the echo of something sent to a closed port; the next datagram follows it.
            for _ in 0..8 {
                match socket.try_recv_from(buffer) {
                    Ok((length, from)) => return Some((length, from, *address)),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(_) => {}
                }
            }
        }
        None
    }

    fn put(&self, datagram: &Datagram) {
        let Some(bound) = self.bound.iter().find(|bound| bound.address == datagram.source) else { return };
        if let Err(error) = bound.sender.send_to(&datagram.bytes, datagram.destination) {
            tracing::trace!(%error, "a datagram was not sent");
        }
    }
}

fn open(address: IpAddr) -> io::Result<Bound> {
    let sender = std::net::UdpSocket::bind((address, 0))?;
    sender.set_nonblocking(true)?;
    let socket = UdpSocket::from_std(sender.try_clone()?)?;
    Ok(Bound { address: sender.local_addr()?, socket, sender })
}

/// IPv4 before IPv6, loopback last; link-local IPv6 is left out, it can't be named without its interface.
fn resolve(addresses: &BindAddresses) -> Vec<IpAddr> {
    let found = match addresses {
        BindAddresses::Only(addresses) => return addresses.clone(),
        BindAddresses::All => if_addrs::get_if_addrs().unwrap_or_else(|error| {
            tracing::warn!(%error, "the interfaces can't be listed");
            Vec::new()
        }),
    };
    let usable = |address: &IpAddr| match address {
        IpAddr::V4(address) => !address.is_unspecified(),
        IpAddr::V6(address) => !address.is_unspecified() && !address.is_unicast_link_local(),
    };
    let distinct: BTreeSet<IpAddr> = found.iter().map(if_addrs::Interface::ip).filter(usable).collect();
    let mut addresses: Vec<IpAddr> = distinct.into_iter().collect();
    addresses.sort_by_key(|address| (address.is_loopback(), address.is_ipv6()));
    if addresses.is_empty() {
        addresses.push(IpAddr::from([127, 0, 0, 1]));
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_always_among_the_addresses_and_comes_last() {
        let addresses = resolve(&BindAddresses::All);
        let first_loopback = addresses.iter().position(IpAddr::is_loopback).expect("there is a loopback address");
        assert!(addresses[first_loopback..].iter().all(IpAddr::is_loopback), "{addresses:?}");
    }

    #[tokio::test]
    async fn an_address_that_is_not_ours_is_an_error() {
        let foreign = BindAddresses::Only(vec![IpAddr::from([203, 0, 113, 1])]);
        assert!(Sockets::bind(&foreign, None).is_err());
        assert!(Sockets::bind(&BindAddresses::Only(Vec::new()), None).is_err());
    }

    #[tokio::test]
    async fn what_is_sent_is_received() {
        let loopback = BindAddresses::Only(vec![IpAddr::from([127, 0, 0, 1])]);
        let (mut one, mut two) = (Sockets::bind(&loopback, None).unwrap(), Sockets::bind(&loopback, None).unwrap());
        let (from, to) = (one.addresses().next().unwrap(), two.addresses().next().unwrap());
        one.send(from, to, vec![7; 3], Instant::now());
        tokio::time::timeout(std::time::Duration::from_secs(5), two.readable()).await.expect("it comes");
        let mut buffer = [0; MAX_DATAGRAM];
        assert_eq!(two.try_receive(&mut buffer), Some((3, from, to)));
        assert_eq!((buffer[2], two.try_receive(&mut buffer)), (7, None));
    }
}

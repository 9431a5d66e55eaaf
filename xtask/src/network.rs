//! Ports and health on this machine.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use anyhow::{Context, Result};

/// The server's usual port; the same one every time keeps an app's stored sign-in usable.
const USUAL_PORT: u16 = 8750;
const TRIED_PORTS: u16 = 100;

/// The usual port or the next that is free.
pub(crate) fn free_port() -> Result<u16> {
    (USUAL_PORT..USUAL_PORT + TRIED_PORTS)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .with_context(|| format!("no free port between {USUAL_PORT} and {}", USUAL_PORT + TRIED_PORTS))
}

/// Whether the server says that it is ready to serve.
pub(crate) fn is_ready(port: u16) -> bool {
    ask(port).unwrap_or(false)
}

fn ask(port: u16) -> std::io::Result<bool> {
    let limit = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), limit)?;
    stream.set_read_timeout(Some(limit))?;
    write!(stream, "GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    Ok(&status == b"HTTP/1.1 200")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_avoided() {
        let first = free_port().unwrap();
        let _taken = TcpListener::bind((Ipv4Addr::LOCALHOST, first));
        assert_ne!(free_port().unwrap(), first);
    }

    #[test]
    fn nobody_there_is_not_ready() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        assert!(!is_ready(port));
    }
}

//! A Socket.IO client over WebSocket that hears messages and does nothing else. Engine.IO 4, Socket.IO 5, RFC 6455.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const BUFFER_BYTES: usize = 16 * 1024;
const TEXT: u8 = 0x1;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const MESSAGE_NEW: &[u8] = b"42[\"message:new\",";

pub(crate) struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What was read and not yet used lies between these.
    start: usize,
    end: usize,
}

struct Frame {
    opcode: u8,
    /// Where its payload lies in the buffer.
    from: usize,
    to: usize,
}

impl Socket {
    /// Connects and is let in.
    pub(crate) async fn connect(address: SocketAddr, token: &str) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let hello = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: bench\r\nupgrade: websocket\r\n\
                     connection: Upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: cGFybGV5LWxvYWQtMDAwMQ==\r\n\r\n";
        stream.write_all(hello.as_bytes()).await?;
        let mut socket = Self { stream, buffer: vec![0; BUFFER_BYTES], start: 0, end: 0 };
        socket.read_upgrade().await?;
        ensure!(socket.next_text().await?.starts_with(b"0{"), "Engine.IO did not open");
        let connect = format!("40{}", json!({ "token": token }));
        socket.send(TEXT, connect.as_bytes()).await?;
        loop {
            // Whoever is let in may hear of others first.
            let packet = socket.next_text().await?;
            if packet.starts_with(b"40") {
                return Ok(socket);
            }
            ensure!(!packet.starts_with(b"44"), "a socket was refused: {}", String::from_utf8_lossy(packet));
        }
    }

    /// Waits for the next `message:new`; other events pass by unseen. The payload is one JSON object and `]`.
    pub(crate) async fn next_message(&mut self) -> Result<&[u8]> {
        let (from, to) = loop {
            let (from, to) = self.next_packet().await?;
            if self.buffer[from..to].starts_with(MESSAGE_NEW) {
                break (from + MESSAGE_NEW.len(), to);
            }
        };
        Ok(&self.buffer[from..to])
    }

    async fn next_text(&mut self) -> Result<&[u8]> {
        let (from, to) = self.next_packet().await?;
        Ok(&self.buffer[from..to])
    }

    /// The next Engine.IO packet; pings are answered on the way.
    async fn next_packet(&mut self) -> Result<(usize, usize)> {
        loop {
            let frame = self.next_frame().await?;
            match frame.opcode {
                TEXT if self.buffer[frame.from..frame.to] == *b"2" => self.send(TEXT, b"3").await?,
                TEXT => return Ok((frame.from, frame.to)),
                PING => {
                    let payload = self.buffer[frame.from..frame.to].to_vec();
                    self.send(PONG, &payload).await?;
                }
                PONG => {}
                CLOSE => bail!("the server closed a socket"),
                opcode => bail!("a frame of kind {opcode} or a fragment, which no server of ours sends"),
            }
        }
    }

    async fn next_frame(&mut self) -> Result<Frame> {
        loop {
            let waiting = &self.buffer[self.start..self.end];
            let Some((header, length)) = frame_size(waiting)? else {
                self.read_more(BUFFER_BYTES).await?;
                continue;
            };
            if waiting.len() < header + length {
                self.read_more(header + length).await?;
                continue;
            }
            let opcode = waiting[0] & 0x0F;
            let from = self.start + header;
            self.start = from + length;
            return Ok(Frame { opcode, from, to: from + length });
        }
    }

    async fn read_more(&mut self, room: usize) -> Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        match self.stream.read(&mut self.buffer[self.end..]).await? {
            0 => bail!("the server hung up on a socket"),
            count => self.end += count,
        }
        Ok(())
    }

    async fn read_upgrade(&mut self) -> Result<()> {
        loop {
            let read = &self.buffer[..self.end];
            if let Some(at) = read.windows(4).position(|window| window == b"\r\n\r\n") {
                ensure!(read.starts_with(b"HTTP/1.1 101"), "no upgrade: {}", String::from_utf8_lossy(read));
                self.start = at + 4;
                return Ok(());
            }
            self.read_more(BUFFER_BYTES).await?;
        }
    }

    /// A client must mask; a mask of zeros is one too and costs nothing.
    async fn send(&mut self, opcode: u8, payload: &[u8]) -> Result<()> {
        let mut frame = vec![0x80 | opcode];
        match u16::try_from(payload.len()).context("nothing that long is sent")? {
            short @ 0..=125 => frame.push(0x80 | short.to_le_bytes()[0]),
            long => {
                frame.push(0x80 | 126);
                frame.extend_from_slice(&long.to_be_bytes());
            }
        }
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame).await?;
        Ok(())
    }
}

/// Bytes of the header and of the payload of the frame at the front; `None` while the header is not whole.
fn frame_size(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    ensure!(first & 0xF0 == 0x80, "a fragment or an extension");
    ensure!(second & 0x80 == 0, "a server must not mask");
    Ok(match (second, rest) {
        (126, [high, low, ..]) => Some((4, usize::from(u16::from_be_bytes([*high, *low])))),
        (127, length) => match length.first_chunk::<8>() {
            Some(length) => Some((10, usize::try_from(u64::from_be_bytes(*length))?)),
            None => None,
        },
        (126, _) => None,
        (short, _) => Some((2, usize::from(*short))),
    })
}

/// The number of a message, out of its JSON: both servers write the members of a message in the contract's order, so
/// the first `"seq":` is the message's own. The checks would fail loudly if it were not.
pub(crate) fn seq_of(message: &[u8]) -> Result<u64> {
    let name = b"\"seq\":";
    let at = message.windows(name.len()).position(|window| window == name).context("a message without seq")?;
    let digits = message[at + name.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    Ok(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_are_measured() {
        assert_eq!(frame_size(&[0x81]).unwrap(), None);
        assert_eq!(frame_size(&[0x81, 5]).unwrap(), Some((2, 5)));
        assert_eq!(frame_size(&[0x81, 126, 1]).unwrap(), None);
        assert_eq!(frame_size(&[0x81, 126, 1, 2]).unwrap(), Some((4, 258)));
        assert_eq!(frame_size(&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]).unwrap(), Some((10, 65_536)));
        assert!(frame_size(&[0x01, 5]).is_err());
        assert!(frame_size(&[0x81, 0x85]).is_err());
    }

    #[test]
    fn the_number_of_a_message_is_found() {
        assert_eq!(seq_of(br#"{"id":"x","seq":4711,"content":"\"seq\":1"}"#).unwrap(), 4_711);
        assert!(seq_of(b"{}").is_err());
    }
}

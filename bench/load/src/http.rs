//! A keep-alive HTTP/1.1 connection that reads just enough of an answer.

use std::{net::SocketAddr, ops::Range};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Room for a page of history; grows for more.
const BUFFER_BYTES: usize = 64 * 1024;

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    request: Vec<u8>,
}

/// An answer; its body stays valid until the next call.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The body, if the status is the wanted one.
    pub(crate) fn expect(self, status: u16) -> Result<&'a [u8]> {
        if self.status == status {
            return Ok(self.body);
        }
        bail!("{} instead of {status}: {}", self.status, String::from_utf8_lossy(self.body))
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("{address} can't be reached"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; BUFFER_BYTES], filled: 0, request: Vec::new() })
    }

    pub(crate) async fn get(&mut self, path: &str, token: &str) -> Result<Answer<'_>> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n");
        self.call(head.as_bytes(), &[]).await
    }

    pub(crate) async fn post(&mut self, path: &str, token: Option<&str>, body: &[u8]) -> Result<Answer<'_>> {
        let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: bench\r\n{authorization}content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.call(head.as_bytes(), body).await
    }

    /// Head and body go out in one write.
    async fn call(&mut self, head: &[u8], body: &[u8]) -> Result<Answer<'_>> {
        self.request.clear();
        self.request.extend_from_slice(head);
        self.request.extend_from_slice(body);
        self.stream.write_all(&self.request).await?;
        self.filled = 0;
        let (status, body) = loop {
            if let Some(head) = read_head(&self.buffer[..self.filled])? {
                let end = head.length + head.body_length;
                while self.filled < end {
                    self.read_more(end).await?;
                }
                break (head.status, Range { start: head.length, end });
            }
            self.read_more(self.filled + 1).await?;
        };
        if self.filled != body.end {
            bail!("the server answered more than it was asked");
        }
        Ok(Answer { status, body: &self.buffer[body] })
    }

    async fn read_more(&mut self, wanted: usize) -> Result<()> {
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted.next_power_of_two(), 0);
        }
        match self.stream.read(&mut self.buffer[self.filled..]).await? {
            0 => bail!("the server hung up"),
            count => self.filled += count,
        }
        Ok(())
    }
}

#[derive(Debug, PartialEq)]
struct Head {
    status: u16,
    /// Its bytes, the empty line included.
    length: usize,
    body_length: usize,
}

/// `None` while the head is not complete.
fn read_head(bytes: &[u8]) -> Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&bytes[..end]).context("a head that is no text")?;
    let status = text.split(' ').nth(1).and_then(|word| word.parse().ok()).context("a head without a status")?;
    let named = text.lines().filter_map(|line| line.split_once(':'));
    let length = named.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.context("an answer without content-length")?.1.trim();
    Ok(Some(Head { status, length: end + 4, body_length: length.parse().context("no length")? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let whole = b"HTTP/1.1 201 Created\r\nContent-Length: 12\r\nx: y\r\n\r\n{";
        assert_eq!(read_head(whole).unwrap(), Some(Head { status: 201, length: whole.len() - 1, body_length: 12 }));
        assert_eq!(read_head(&whole[..40]).unwrap(), None);
        assert!(read_head(b"HTTP/1.1 204 No Content\r\n\r\n").is_err());
    }
}

//! A zlib stream (RFC 1950) of stored blocks (RFC 1951 §3.2.4).
//!
//! Compressing cost ten times as much as all the rest of a token, to save 35 of 227 characters: half of what is packed
//! is a signature and random names. Agora's own builders differ in how they compress, so every reader takes any stream.

/// Deflate with a window of 32 KiB; the check bits make the two a multiple of 31.
const HEADER: [u8; 2] = [0x78, 0x01];
/// A stored block's length has 16 bits.
const BLOCK_BYTES: usize = u16::MAX as usize;
/// The largest prime below 2¹⁶.
const ADLER_MODULUS: u32 = 65_521;
/// So many bytes can be summed before the sums have to be reduced: more could pass 32 bits (as in zlib, `NMAX`).
const ADLER_RUN: usize = 5_552;

pub(crate) fn store(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 16);
    out.extend_from_slice(&HEADER);
    let mut rest = content;
    loop {
        let (block, after) = rest.split_at(rest.len().min(BLOCK_BYTES));
        let length = u16::try_from(block.len()).expect("a block is at most that long");
        out.push(u8::from(after.is_empty()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    out.extend_from_slice(&adler32(content).to_be_bytes());
    out
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (1_u32, 0_u32);
    for run in bytes.chunks(ADLER_RUN) {
        for byte in run {
            low += u32::from(*byte);
            high += low;
        }
        low %= ADLER_MODULUS;
        high %= ADLER_MODULUS;
    }
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;

    fn inflated(packed: &[u8]) -> Vec<u8> {
        let mut content = Vec::new();
        ZlibDecoder::new(packed).read_to_end(&mut content).unwrap();
        content
    }

    #[test]
    fn an_ordinary_inflater_gets_everything_back() {
        for length in [0, 1, 156, ADLER_RUN + 1, BLOCK_BYTES, BLOCK_BYTES + 1, 3 * BLOCK_BYTES] {
            let content: Vec<u8> = (0..length).map(|at| 255 - u8::try_from(at % 251).unwrap()).collect();
            assert_eq!(inflated(&store(&content)), content, "{length} bytes");
        }
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(adler32(b"Wikipedia"), 0x11E6_0398);
        assert_eq!(adler32(b""), 1);
    }
}

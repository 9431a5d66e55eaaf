//! Multipart bodies of uploads, taken in by the server's own code. An independent look at the same bytes says what has
//! to come of them.
//!
//! An input is: the largest file (two bytes, little-endian), where the body is cut off (two bytes; 0 for nowhere), how
//! the line ends and whether the length was told (one byte), the length of the pieces in which it arrives (one byte; 0
//! for all at once), how much each byte 0xff grows (one byte); then a line with the media type, and the body.
#![no_main]

use std::{cell::RefCell, fs, io, path::PathBuf, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
};
use futures_util::{Stream, StreamExt, stream};
use libfuzzer_sys::{Corpus, fuzz_target};
use parley_domain::{AttachmentId, MAX_FILE_NAME_BYTES, UserId, clean_file_name};
use parley_protocol::Code;
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

#[path = "../../server/src/attachments"]
#[allow(dead_code, unreachable_pub)]
mod attachments {
    mod body;
    mod files;
    mod media_type;
    mod reception;

    pub(crate) use files::Files;

    use super::{AttachmentId, Code, Request, UserId, Uuid};

    /// What was taken in.
    pub(crate) struct Taken {
        pub(crate) name: String,
        pub(crate) size: u64,
        pub(crate) sha256: [u8; 32],
        pub(crate) media_type: &'static str,
    }

    /// As the service does it, without accounts and quotas.
    pub(crate) async fn take_in(files: &Files, request: Request, max: u64) -> Result<Taken, Code> {
        let slot = async { files.begin(AttachmentId(Uuid::from_u128(1)), UserId(Uuid::nil())) };
        let taken = reception::take_in(files, slot, request, max).await;
        let (_, received) = taken.map_err(|refusal| refusal.code())?;
        let reception::Received { name, size, sha256, media_type } = received;
        Ok(Taken { name, size, sha256, media_type })
    }
}

#[path = "../../server/src/problem.rs"]
#[allow(dead_code)]
mod problem;

/// The server's makes the folder private besides.
mod secrets {
    pub(crate) fn create_private_dir(folder: &std::path::Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)
    }
}

/// More in one body says nothing new.
const MAX_BODY: usize = 400_000;
/// Whatever stands around a file and is shorter is none of the reasons to refuse it.
const LITTLE: usize = 60_000;

struct Input<'a> {
    max: u64,
    ending: u8,
    tells_length: bool,
    piece: usize,
    media_type: &'a [u8],
    body: Vec<u8>,
    is_cut: bool,
}

impl<'a> Input<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&[low, high, cut_low, cut_high, ending, piece, growth], rest) = bytes.split_first_chunk::<7>()?;
        let line = rest.iter().position(|byte| *byte == b'\n')?;
        let mut body = Vec::new();
        for byte in &rest[line + 1..] {
            let times = if *byte == 0xff { 1 + usize::from(growth) * 100 } else { 1 };
            body.resize((body.len() + times).min(MAX_BODY), *byte);
        }
        let cut = usize::from(u16::from_le_bytes([cut_low, cut_high]));
        if cut > 0 {
            body.truncate(cut % (body.len() + 1));
        }
        let max = u16::from_le_bytes([low, high]).into();
        let (ending, tells_length) = (ending % 4, ending & 0x80 != 0);
        Some(Self { max, ending, tells_length, piece: piece.into(), media_type: &rest[..line], body, is_cut: cut > 0 })
    }

    /// The body as it comes in, piece by piece.
    fn arriving(&self) -> impl Stream<Item = io::Result<Bytes>> + use<> {
        let length = if self.piece == 0 { MAX_BODY } else { self.piece.max(self.body.len() / 500) };
        let pieces: Vec<_> = self.body.chunks(length).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let last = match self.ending {
            1 => stream::iter([Err(io::ErrorKind::ConnectionReset.into())]).boxed(),
            2 => stream::pending().boxed(),
            _ => stream::empty().boxed(),
        };
        stream::iter(pieces).chain(last)
    }

    /// The contents and names of the fields `file`, if nothing about this body is a matter of opinion.
    fn files(&self) -> Option<Vec<(&[u8], &str)>> {
        if self.is_cut || matches!(self.ending, 1 | 2) {
            return None;
        }
        let delimiter = [b"\r\n--", self.boundary()?.as_bytes()].concat();
        let mut rest = self.body.strip_prefix(&delimiter[2..])?;
        let mut files = Vec::new();
        while rest != b"--" && rest != b"--\r\n" {
            let head = find(rest.strip_prefix(b"\r\n")?, b"\r\n\r\n")?;
            let (lines, after) = rest[2..].split_at(head);
            // From the empty line on: whether its end may belong to a boundary is such a matter.
            let content = after.get(4..find(after.get(2..)?, &delimiter)? + 2)?;
            let (field, name) = disposition(std::str::from_utf8(lines).ok()?)?;
            if field == "file" {
                files.push((content, name));
            }
            rest = &after[4 + content.len() + delimiter.len()..];
        }
        Some(files)
    }

    fn boundary(&self) -> Option<&str> {
        let said = std::str::from_utf8(self.media_type).ok()?.strip_prefix("multipart/form-data; boundary=")?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let quoted = said.strip_prefix('"').and_then(|said| said.strip_suffix('"'));
        let is_fine = match quoted {
            Some(said) => said.chars().all(|c| is_plain(c) || c == ' ') && !said.ends_with(' '),
            None => said.chars().all(is_plain),
        };
        let boundary = quoted.unwrap_or(said);
        (is_fine && (1..=70).contains(&boundary.len())).then_some(boundary)
    }
}

/// The field and the file name of a part whose headers are as browsers write them.
fn disposition(lines: &str) -> Option<(&str, &str)> {
    let (first, more) = lines.split_once("\r\n").unwrap_or((lines, "Content-Type: a/b"));
    let kind = more.strip_prefix("Content-Type: ")?;
    let (family, member) = kind.split_once('/')?;
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
    let rest = first.strip_prefix("Content-Disposition: form-data; name=\"")?;
    let (field, rest) = rest.split_once('"')?;
    let name = if rest.is_empty() { "" } else { rest.strip_prefix("; filename=\"")?.strip_suffix('"')? };
    let is_plain = |text: &str| !text.chars().any(|c| c.is_control() || matches!(c, '"' | '\\' | '%'));
    (is_word(family) && is_word(member) && is_plain(field) && is_plain(name)).then_some((field, name))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

struct Bench {
    runtime: Runtime,
    folder: PathBuf,
    files: attachments::Files,
}

impl Bench {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("parley-fuzz-uploads-{}", std::process::id()));
        let files = attachments::Files::open(folder.clone()).expect("a folder for uploads");
        // Whoever waits for a silent line waits no time.
        let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime");
        Self { runtime, folder, files }
    }

    fn kept(&self) -> Vec<PathBuf> {
        fs::read_dir(&self.folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect()
    }

    /// What is dropped unfinished goes on another thread, right after.
    fn empties(&self) -> bool {
        (0..2_000).any(|_| {
            let is_empty = self.kept().is_empty();
            if !is_empty {
                std::thread::sleep(Duration::from_millis(1));
            }
            is_empty
        })
    }

    fn try_out(&self, input: &Input<'_>) {
        let mut request =
            Request::builder().method("POST").uri("/attachments").header("content-type", input.media_type);
        if input.tells_length {
            request = request.header("content-length", input.body.len());
        }
        let Ok(request) = request.body(Body::from_stream(input.arriving())) else { return };
        let taken = self.runtime.block_on(attachments::take_in(&self.files, request, input.max));
        match &taken {
            Ok(taken) => self.check_taken(taken, input),
            Err(code) => {
                let theirs = [Code::Malformed, Code::Invalid, Code::PayloadTooLarge, Code::UnsupportedMediaType];
                assert!(theirs.contains(code), "a body can't be the server's fault: {code:?}");
                assert!(self.empties(), "something is left after {code:?}: {:?}", self.kept());
            }
        }
        if let Some(files) = input.files() {
            check_expected(taken, &files, input);
        }
    }

    /// Whatever was sent: what is kept lies in it between headers and a boundary, and is not more than may be.
    fn check_taken(&self, taken: &attachments::Taken, input: &Input<'_>) {
        let kept = self.kept();
        let [path] = kept.as_slice() else { panic!("one file is kept: {kept:?}") };
        let bytes = fs::read(path).expect("what was kept can be read");
        fs::remove_file(path).expect("what was kept can be removed");
        assert!((1..=input.max).contains(&taken.size), "{} of {} bytes", taken.size, input.max);
        assert_eq!(bytes.len() as u64, taken.size);
        assert_eq!(taken.sha256, <[u8; 32]>::from(Sha256::digest(&bytes)));
        let around = [b"\r\n\r\n", bytes.as_slice(), b"\r\n--"].concat();
        assert!(find(&input.body, &around).is_some(), "what is kept was not sent so");
        assert!(!taken.name.is_empty() && taken.name.len() <= MAX_FILE_NAME_BYTES);
        assert!(!taken.name.contains(|c: char| c.is_control() || matches!(c, '/' | '\\')), "{:?}", taken.name);
        assert!(!["text/html", "image/svg+xml", "text/xml"].contains(&taken.media_type), "{}", taken.media_type);
    }
}

fn check_expected(taken: Result<attachments::Taken, Code>, files: &[(&[u8], &str)], input: &Input<'_>) {
    match (files, taken) {
        ([(content, name)], Ok(taken)) => {
            assert_eq!(taken.sha256, <[u8; 32]>::from(Sha256::digest(content)), "byte for byte");
            assert_eq!(taken.name, clean_file_name(name));
        }
        ([(content, _)], Err(code)) => {
            let is_crowded = input.body.len() - content.len() > LITTLE;
            // It may have too many pixels.
            let is_image = infer::get(content).is_some_and(|kind| kind.mime_type().starts_with("image/"));
            let is_right = match content.len() as u64 {
                0 => code == Code::Invalid,
                size if size > input.max => code == Code::PayloadTooLarge,
                _ => is_image && code == Code::Invalid,
            };
            assert!(is_right || is_crowded && code == Code::PayloadTooLarge, "a good upload was refused: {code:?}");
        }
        (_, Ok(_)) => panic!("none or several files were taken for one"),
        (_, Err(code)) => assert!([Code::Invalid, Code::PayloadTooLarge].contains(&code), "{code:?}"),
    }
}

thread_local!(static BENCH: RefCell<Option<Bench>> = const { RefCell::new(None) });

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(input) = Input::read(bytes) else { return Corpus::Reject };
    BENCH.with_borrow_mut(|bench| bench.get_or_insert_with(Bench::new).try_out(&input));
    Corpus::Keep
});

//! What our layer costs for a 720p picture, beside a plain copy of its bytes: `frame_cost FOLDER` prints one JSON line
//! a way. Everything of ours runs as in a call; the library is one of empty functions, made in `FOLDER`, so that what
//! it would do itself is not measured. `cargo xtask bench frames` builds and runs this.

use std::{
    fmt::Write,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use agora_sys::gateway::{LIBRARY, agora_video_frame, needed};
use anyhow::{Context, Result, ensure};
use clap::Parser;
use parley_agora::gateway::{
    Connection, Encoding, Library, PictureSink, Prefer, Receiving, Service, VideoSender, panics,
};
use parley_agora_standin::Product;
use parley_call::{FramePool, I420Frame, LatestSlot, MediaTime};
use serde_json::{Value, json};

const WIDTH: u32 = 1280;
const HEIGHT: u32 = 720;
/// Bytes behind every row of a plane: libraries align rows, and hand out parts of larger pictures.
const PADDING: usize = 64;
/// Different pictures in turn, as in a call: more than a processor's inner caches hold.
const PICTURES: usize = 8;

/// The library's part, in C: functions that make something answer a new handle, all others 0. Only pictures have a way
/// in, from `bring` to the function of ours that was registered.
const EMPTY: &str = r#"
#define EXPORT __attribute__((visibility("default")))
#define MAKES(name) EXPORT void *name(void) { static char things[64]; static unsigned next; return &things[next++ % 64]; }
#define DOES(name) EXPORT long name(void) { return 0; }

struct table { void (*on_frame)(void *observer, const char *channel, const char *user, const void *picture); };
static const struct table *observer;
static char its_handle;
EXPORT void *agora_video_frame_observer2_create(const struct table *table) { observer = table; return &its_handle; }
EXPORT void bring(const void *picture) { observer->on_frame(&its_handle, "channel", "7", picture); }
"#;
const PEER: u32 = 7;

#[derive(Parser)]
struct Arguments {
    /// Where the library of empty functions is made.
    folder: PathBuf,
    /// How often each way and the plain copy take their turns.
    #[arg(long, default_value_t = 15)]
    rounds: u32,
    /// How many pictures a turn has.
    #[arg(long, default_value_t = 300)]
    pictures: u32,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let file = build(&arguments.folder)?;
    let library = Library::load(&file)?;
    let bring = Bring::of(&file)?;
    let service = Service::acquire(&library, "frame cost")?;
    let arrived = Arc::new(LatestSlot::new());
    let pictures = vec![Arc::new(PictureSink::new(PEER, Arc::clone(&arrived)))];
    let mut connection = Connection::open(&service, Receiving { pictures, ..Receiving::default() })?;
    let encoding = Encoding { width: WIDTH, height: HEIGHT, fps: 30, bitrate: 1_500_000, prefer: Prefer::Smoothness };
    let sender = connection.publish_video(&encoding)?;

    let ours: Vec<I420Frame> = (0..PICTURES).map(picture).collect();
    let tight: Vec<Lent> = ours.iter().map(|picture| Lent::new(picture, 0)).collect();
    let padded: Vec<Lent> = ours.iter().map(|picture| Lent::new(picture, PADDING)).collect();
    let turn = Turn { arguments: &arguments, arrived: &arrived, bring: &bring };
    let mut copies = Vec::new();
    let mut ways = [
        Way::new("app to native call"),
        Way::new("native callback to slot, rows without padding"),
        Way::new("native callback to slot, rows with padding"),
    ];
    for _ in 0..arguments.rounds {
        copies.push(turn.copy(&ours));
        ways[0].took.push(turn.send(&ours, &sender)?);
        ways[1].took.push(turn.receive(&tight)?);
        ways[2].took.push(turn.receive(&padded)?);
    }
    ensure!(panics() == 0, "a callback panicked");
    for way in &ways {
        println!("{}", way.line(&copies));
    }
    Ok(())
}

/// One way, with its microseconds a picture in each round.
struct Way {
    name: &'static str,
    took: Vec<f64>,
}

impl Way {
    fn new(name: &'static str) -> Self {
        Self { name, took: Vec::new() }
    }

    fn line(&self, copies: &[f64]) -> Value {
        let ratios: Vec<f64> = self.took.iter().zip(copies).map(|(way, copy)| way / copy).collect();
        json!({
            "metric": format!("{}, {WIDTH}x{HEIGHT} I420", self.name),
            "bytes": I420Frame::byte_len(WIDTH, HEIGHT),
            "copies": spread(&ratios),
            "microseconds": spread(&self.took),
            "copyMicroseconds": spread(copies),
        })
    }
}

fn spread(values: &[f64]) -> Value {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).map(|value| (value * 1e3).round() / 1e3);
    json!({ "median": at(sorted.len() / 2), "min": at(0), "max": at(sorted.len().saturating_sub(1)) })
}

struct Turn<'a> {
    arguments: &'a Arguments,
    arrived: &'a LatestSlot<I420Frame>,
    bring: &'a Bring,
}

impl Turn<'_> {
    /// Microseconds of one piece of work, done for one of the pictures after the other.
    fn each(&self, mut work: impl FnMut(usize) -> Result<()>) -> Result<f64> {
        let begun = Instant::now();
        for number in 0..self.arguments.pictures as usize {
            work(number % PICTURES)?;
        }
        Ok(begun.elapsed().as_secs_f64() * 1e6 / f64::from(self.arguments.pictures))
    }

    /// The measuring stick.
    fn copy(&self, pictures: &[I420Frame]) -> f64 {
        let mut to = vec![0; I420Frame::byte_len(WIDTH, HEIGHT)];
        let took = self.each(|number| {
            to.copy_from_slice(black_box(pictures[number].bytes()));
            black_box(&to);
            Ok(())
        });
        took.unwrap_or(f64::NAN)
    }

    /// From a source's slot, as the engine takes it out, to the library's function.
    fn send(&self, pictures: &[I420Frame], sender: &VideoSender) -> Result<f64> {
        let slot = LatestSlot::new();
        let (before, count) = (sender.sent_count(), u64::from(self.arguments.pictures));
        let took = self.each(|number| {
            slot.put(pictures[number].clone());
            let picture = slot.try_take().context("a picture was put in")?;
            Ok(sender.send(&picture)?)
        })?;
        ensure!(sender.sent_count() - before == count, "a picture was not sent");
        Ok(took)
    }

    /// From the library's call to the slot that the app reads.
    fn receive(&self, pictures: &[Lent]) -> Result<f64> {
        self.each(|number| {
            self.bring.one(&pictures[number]);
            let arrived = self.arrived.try_take().context("the picture did not arrive")?;
            ensure!((arrived.width(), arrived.height()) == (WIDTH, HEIGHT), "another picture arrived");
            black_box(arrived.bytes());
            Ok(())
        })
    }
}

fn picture(number: usize) -> I420Frame {
    FramePool::new().frame(WIDTH, HEIGHT, MediaTime::now(), |y, u, v| {
        for plane in [y, u, v] {
            plane.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 31 + number * 7) as u8);
        }
    })
}

/// A picture as the library lends it.
struct Lent {
    raw: agora_video_frame,
    _planes: [Vec<u8>; 3],
}

impl Lent {
    fn new(picture: &I420Frame, padding: usize) -> Self {
        let (width, chroma_width) = (WIDTH as usize, WIDTH as usize / 2);
        let plane = |bytes: &[u8], width: usize| -> Vec<u8> {
            bytes.chunks(width).flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(0, padding))).collect()
        };
        let planes = [plane(picture.y(), width), plane(picture.u(), chroma_width), plane(picture.v(), chroma_width)];
        // Only read: the type is the header's.
        let at = |plane: &Vec<u8>| plane.as_ptr().cast_mut();
        let raw = agora_video_frame {
            type_: 1,
            width: WIDTH as i32,
            height: HEIGHT as i32,
            y_stride: (width + padding) as i32,
            u_stride: (chroma_width + padding) as i32,
            v_stride: (chroma_width + padding) as i32,
            y_buffer: at(&planes[0]),
            u_buffer: at(&planes[1]),
            v_buffer: at(&planes[2]),
            ..agora_video_frame::default()
        };
        Self { raw, _planes: planes }
    }
}

/// The library's function that calls ours.
struct Bring {
    function: libloading::Symbol<'static, unsafe extern "C" fn(*const agora_video_frame)>,
}

impl Bring {
    fn of(file: &Path) -> Result<Self> {
        // SAFETY: the library of empty functions made below; it is open already.
        let library = unsafe { libloading::Library::new(file) }?;
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        // SAFETY: it takes one pointer, as it is written below.
        let function = unsafe { library.get(b"bring") }?;
        Ok(Self { function })
    }

    fn one(&self, lent: &Lent) {
        // SAFETY: an observer is registered, and the picture's planes live as long as it does.
        unsafe { (self.function)(&raw const lent.raw) };
    }
}

/// Makes the library: what has to be there is there, and does nothing.
fn build(folder: &Path) -> Result<PathBuf> {
    let mut text = EMPTY.to_owned();
    for name in needed().filter(|name| !EMPTY.contains(name)) {
        let makes = name.contains("_create") || name.contains("_get_");
        writeln!(text, "{}({name})", if makes { "MAKES" } else { "DOES" })?;
    }
    fs::create_dir_all(folder)?;
    let source = folder.join("empty.c");
    fs::write(&source, text)?;
    parley_agora_standin::build(&Product::library(LIBRARY, vec![source]), folder)
}

//! Writes every picture of a video file as grey bytes of a given size, one after the other, to standard output:
//! `clip-frames FILE COLUMNS ROWS`; standard error tells the true size. The test of the built app compares them with what the display shows.

use std::{
    env,
    error::Error,
    io::{BufWriter, Write, stdout},
    path::Path,
};

use parley_call::I420Frame;
use parley_media::clip::Clip;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, columns, rows] = arguments.as_slice() else {
        return Err("usage: clip-frames FILE COLUMNS ROWS".into());
    };
    let (columns, rows): (usize, usize) = (columns.parse()?, rows.parse()?);
    let mut clip = Clip::open(Path::new(file))?;
    let (width, height) = clip.size();
    eprintln!("{width}x{height}");
    let mut out = BufWriter::new(stdout().lock());
    for _ in 0..clip.len() {
        out.write_all(&shrunk(&clip.next_picture()?, columns, rows))?;
    }
    Ok(out.flush()?)
}

/// The mean brightness of each cell.
fn shrunk(frame: &I420Frame, columns: usize, rows: usize) -> Vec<u8> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let cell = |index: usize, count: usize, size: usize| {
        let first = (index * size / count).min(size - 1);
        first..((index + 1) * size / count).max(first + 1)
    };
    let mut small = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for column in 0..columns {
            let (mut sum, mut count) = (0_usize, 0_usize);
            for y in cell(row, rows, height) {
                for x in cell(column, columns, width) {
                    sum += usize::from(frame.y()[y * width + x]);
                    count += 1;
                }
            }
            small.push(u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX));
        }
    }
    small
}

//! Reading a library file without running any of it: for which machine it was made, what it exports, what it needs.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use object::{
    Architecture, BinaryFormat, FileKind, Object, ObjectKind, ObjectSegment, ReadCache, ReadRef,
    read::{
        NameOrOrdinal,
        macho::{FatArch, MachOFatFile32, MachOFatFile64},
    },
};

use super::{Cpu, Machine, Refusal, System};

/// No library of Agora's comes near; whatever is larger is something else under its name.
const LARGEST: u64 = 1 << 30;
/// So much of a file's beginning is looked at to say what it is when it is no library.
const BEGINNING: usize = 512;

/// What a library file says of itself.
#[derive(Debug)]
pub(super) struct Binary {
    /// The functions and variables that it exports, as C names.
    pub(super) exports: HashSet<String>,
    /// The libraries that it asks the system for, in its own order.
    pub(super) needs: Vec<String>,
}

/// Reads `file`, which has to be a library for `wanted`. In a file for several machines the part for `wanted` is read.
pub(super) fn read(file: &Path, wanted: Machine) -> Result<Binary, Refusal> {
    let (cache, length, kind) = open(file)?;
    let damaged = |error: object::Error| Refusal::Damaged { file: file.to_owned(), what: error.to_string() };
    let wrong = |found| Refusal::WrongArchitecture { file: file.to_owned(), found, needed: wanted };
    let part = match kind {
        FileKind::MachOFat32 => {
            part_of(MachOFatFile32::parse(&cache).map_err(damaged)?.arches(), wanted).map_err(wrong)?
        }
        FileKind::MachOFat64 => {
            part_of(MachOFatFile64::parse(&cache).map_err(damaged)?.arches(), wanted).map_err(wrong)?
        }
        _ => (0, length),
    };
    digest(cache.range(part.0, part.1), part.1, wanted).map_err(|problem| match problem {
        Problem::Broken(what) => Refusal::Damaged { file: file.to_owned(), what },
        Problem::Foreign(found) => wrong(found),
        Problem::Other(found) => Refusal::NotALibrary { file: file.to_owned(), found },
    })
}

fn open(file: &Path) -> Result<(ReadCache<File>, u64, FileKind), Refusal> {
    let unreadable = |error: std::io::Error| Refusal::Unreadable { file: file.to_owned(), reason: error.to_string() };
    let other = |found: &str| Refusal::NotALibrary { file: file.to_owned(), found: found.to_owned() };
    let metadata = fs::metadata(file).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(other("a folder"));
    }
    // Opening a pipe would wait for its other end.
    if !metadata.is_file() {
        return Err(other("a device or a pipe"));
    }
    let length = metadata.len();
    if length > LARGEST {
        return Err(other(&format!("{} MiB large", length >> 20)));
    }
    let mut opened = File::open(file).map_err(unreadable)?;
    let mut beginning = Vec::with_capacity(BEGINNING);
    opened.by_ref().take(BEGINNING as u64).read_to_end(&mut beginning).map_err(unreadable)?;
    opened.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    let kind = match FileKind::parse(beginning.as_slice()) {
        Ok(
            kind @ (FileKind::Elf32
            | FileKind::Elf64
            | FileKind::MachO32
            | FileKind::MachO64
            | FileKind::MachOFat32
            | FileKind::MachOFat64
            | FileKind::Pe32
            | FileKind::Pe64),
        ) => kind,
        // A Windows library whose header lies further back than what was read of it.
        Err(_) if beginning.starts_with(b"MZ") => FileKind::Pe64,
        _ => return Err(other(spoken(&beginning))),
    };
    Ok((ReadCache::new(opened), length, kind))
}

/// What a file is that is no library, by how it begins.
fn spoken(beginning: &[u8]) -> &'static str {
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e);
    match beginning {
        [] => "empty",
        [b'P', b'K', 3 | 5, 4 | 6, ..] => "a zip archive",
        _ if beginning.starts_with(b"!<arch>\n") => "an archive for a linker",
        _ if beginning.iter().all(is_text) => "text",
        _ if beginning.iter().all(|byte| *byte == 0) => "filled with zeros",
        _ => "a file of another kind",
    }
}

/// Where the part for `wanted` lies in a file for several machines; else what the first part is for.
fn part_of(parts: &[impl FatArch], wanted: Machine) -> Result<(u64, u64), Machine> {
    let machine = |part: &_| Machine { system: System::MacOs, cpu: cpu(FatArch::architecture(part)) };
    match parts.iter().find(|part| machine(*part) == wanted) {
        Some(part) => Ok(part.file_range()),
        None => Err(parts.first().map_or(Machine { system: System::MacOs, cpu: Cpu::Other }, machine)),
    }
}

enum Problem {
    Broken(String),
    Foreign(Machine),
    Other(String),
}

impl From<object::Error> for Problem {
    fn from(error: object::Error) -> Self {
        Self::Broken(error.to_string())
    }
}

fn digest<'data, R: ReadRef<'data>>(data: R, length: u64, wanted: Machine) -> Result<Binary, Problem> {
    let parsed = object::File::parse(data)?;
    let system = match parsed.format() {
        BinaryFormat::Elf => System::Linux,
        BinaryFormat::MachO => System::MacOs,
        BinaryFormat::Pe => System::Windows,
        _ => return Err(Problem::Other("a file of another kind".to_owned())),
    };
    let machine = Machine { system, cpu: cpu(parsed.architecture()) };
    if machine != wanted {
        return Err(Problem::Foreign(machine));
    }
    match parsed.kind() {
        ObjectKind::Dynamic => {}
        ObjectKind::Executable => return Err(Problem::Other("a program".to_owned())),
        _ => return Err(Problem::Other("a part for a linker".to_owned())),
    }
    for segment in parsed.segments() {
        let (offset, size) = segment.file_range();
        if offset.checked_add(size).is_none_or(|end| end > length) {
            return Err(Problem::Broken(format!("it ends after {length} bytes, within a part of it")));
        }
    }
    let mut exports = HashSet::new();
    for export in parsed.exports()? {
        if let NameOrOrdinal::Name(name) = export?.name()
            && let Ok(name) = str::from_utf8(name)
        {
            // C names begin with an underscore in Mach-O.
            let name = if system == System::MacOs { name.strip_prefix('_').unwrap_or(name) } else { name };
            exports.insert(name.to_owned());
        }
    }
    let mut needs = Vec::new();
    for library in parsed.import_libraries()? {
        needs.push(String::from_utf8_lossy(library?.name()).into_owned());
    }
    Ok(Binary { exports, needs })
}

fn cpu(architecture: Architecture) -> Cpu {
    match architecture {
        Architecture::X86_64 => Cpu::X86_64,
        Architecture::Aarch64 => Cpu::Aarch64,
        Architecture::I386 => Cpu::X86,
        Architecture::Arm => Cpu::Arm,
        _ => Cpu::Other,
    }
}

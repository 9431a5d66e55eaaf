//! Whether what lies in a folder would work here, told without running it.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use super::{Interface, Machine, OLDEST_GATEWAY, Refusal, System, binary, find};

/// Without this it is no such library at all.
const FIRST_OF_GATEWAY: &str = "agora_service_create";
const FIRST_OF_IRIS: &str = "CreateIrisApiEngine";

/// More libraries than any download has; a chain of needs that is longer leads in circles.
const MOST_SIBLINGS: usize = 200;

/// A library that would work on this machine, as far as can be said without running it. Its version is told by itself
/// when it is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    /// What it speaks.
    pub interface: Interface,
    /// The file to load.
    pub library: PathBuf,
    /// What it was made for: always what we run on.
    pub machine: Machine,
    /// How many functions and variables it exports.
    pub symbols: usize,
    /// The libraries beside it that it needs, and that these need, in an order in which they can be loaded.
    pub siblings: Vec<PathBuf>,
}

impl Fit {
    /// The siblings for `agora_sys::open`: whole paths, since those of a macOS framework lie beside the framework and not
    /// beside the library in it. A path that is no text is left to the system's own search.
    pub(crate) fn to_open_before(&self) -> Vec<String> {
        let whole = |file: &PathBuf| std::path::absolute(file).ok()?.into_os_string().into_string().ok();
        self.siblings.iter().filter_map(whole).collect()
    }
}

/// Looks for Agora's library in a folder (or takes the library itself) and says whether it would work here. Reads the
/// files' own tables only: nothing of them is run. Takes tens of milliseconds.
///
/// # Errors
/// Why not. Of several libraries the first that fits counts; if none does, the refusal is of the likeliest one.
pub fn inspect(dir: &Path) -> Result<Fit, Refusal> {
    let mut refusals = Vec::new();
    for (library, interface) in find::candidates(dir)? {
        match inspect_library(&library, interface) {
            Ok(fit) => return Ok(fit),
            Err(refusal) => refusals.push(refusal),
        }
    }
    // A download for several machines is not wrong because of the other machines' files.
    let likeliest = refusals.iter().position(|refusal| !matches!(refusal, Refusal::WrongArchitecture { .. }));
    Err(refusals.swap_remove(likeliest.unwrap_or(0)))
}

fn inspect_library(library: &Path, interface: Interface) -> Result<Fit, Refusal> {
    let machine = Machine::ours();
    let binary = binary::read(library, machine)?;
    check_exports(library, interface, &binary.exports)?;
    let siblings = siblings(library, &binary.needs, machine)?;
    Ok(Fit { interface, library: library.to_owned(), machine, symbols: binary.exports.len(), siblings })
}

fn check_exports(library: &Path, interface: Interface, exports: &HashSet<String>) -> Result<(), Refusal> {
    use agora_sys::{gateway, iris};
    let (first, functions, optional, probes) = match interface {
        Interface::Gateway => (FIRST_OF_GATEWAY, gateway::FUNCTIONS, gateway::OPTIONAL, gateway::PROBES),
        Interface::Iris => (FIRST_OF_IRIS, iris::FUNCTIONS, iris::OPTIONAL, [].as_slice()),
    };
    let file = || library.to_owned();
    if !exports.contains(first) {
        return Err(Refusal::NotAgora { file: file(), interface, lacks: first });
    }
    if let Some(lacking) = probes.iter().find(|probe| !exports.contains(**probe)) {
        let found = format!("it has no function {lacking}");
        return Err(Refusal::TooOld { file: file(), interface, found, needed: OLDEST_GATEWAY });
    }
    let needed = functions.iter().filter(|symbol| !optional.contains(symbol));
    let missing: Vec<String> =
        needed.filter(|symbol| !exports.contains(**symbol)).map(|symbol| (*symbol).to_owned()).collect();
    if missing.is_empty() { Ok(()) } else { Err(Refusal::MissingSymbol { file: file(), interface, symbols: missing }) }
}

/// The libraries beside `library` that it needs, directly or through others, each after those that it needs itself.
fn siblings(library: &Path, needs: &[String], machine: Machine) -> Result<Vec<PathBuf>, Refusal> {
    let linker_cache = if machine.system == System::Linux { fs::read("/etc/ld.so.cache").ok() } else { None };
    let mut search = Search {
        folder: library_folder(library),
        machine,
        linker_cache,
        entered: vec![library.to_owned()],
        found: Vec::new(),
    };
    search.follow(library, needs)?;
    Ok(search.found)
}

struct Search {
    folder: PathBuf,
    machine: Machine,
    linker_cache: Option<Vec<u8>>,
    /// Those that were met, so that libraries that need each other come to an end.
    entered: Vec<PathBuf>,
    found: Vec<PathBuf>,
}

impl Search {
    fn follow(&mut self, file: &Path, needs: &[String]) -> Result<(), Refusal> {
        for need in needs {
            let Some(beside) = beside(&self.folder, need, self.machine.system) else {
                if is_of_the_system(need, self.machine.system, self.linker_cache.as_deref()) {
                    continue;
                }
                return Err(Refusal::MissingSibling { file: file.to_owned(), sibling: need.clone() });
            };
            if self.entered.contains(&beside) {
                continue;
            }
            if self.entered.len() > MOST_SIBLINGS {
                let what = format!("it needs more than {MOST_SIBLINGS} others");
                return Err(Refusal::Damaged { file: file.to_owned(), what });
            }
            self.entered.push(beside.clone());
            let more = binary::read(&beside, self.machine)?.needs;
            self.follow(&beside, &more)?;
            self.found.push(beside);
        }
        Ok(())
    }
}

/// Where a library's siblings lie: in its folder, and for one in a macOS framework in the framework's.
fn library_folder(library: &Path) -> PathBuf {
    let is_framework = |path: &&Path| path.extension().is_some_and(|extension| extension == "framework");
    library.ancestors().find(is_framework).unwrap_or(library).parent().map_or_else(PathBuf::new, Path::to_owned)
}

fn beside(folder: &Path, need: &str, system: System) -> Option<PathBuf> {
    // On macOS a need is a path: `@rpath/X.framework/Versions/A/X`, `@rpath/libX.dylib`, `/usr/lib/libX.dylib`.
    let within = match need.split_once('/') {
        Some((start, rest)) if start.starts_with('@') => rest,
        Some(_) => return None,
        None => need,
    };
    let direct = folder.join(within);
    if direct.is_file() {
        return Some(direct);
    }
    if system != System::Windows {
        return None;
    }
    // Names of Windows libraries don't distinguish capitals, whatever disk they lie on.
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().find(|entry| entry.file_name().eq_ignore_ascii_case(within)).map(|entry| entry.path())
}

/// Whether a library that does not lie beside is the system's business. What is Agora's own never is.
fn is_of_the_system(need: &str, system: System, linker_cache: Option<&[u8]>) -> bool {
    let lower = need.to_ascii_lowercase();
    if ["agora", "aosl"].iter().any(|own| lower.contains(own)) {
        return false;
    }
    match system {
        // The rest of a Windows library's needs are the system's; it is asked when the library is loaded.
        System::Windows => true,
        System::MacOs => !need.starts_with('@'),
        System::Linux => {
            let toolchain =
                ["libc.so", "libm.so", "libpthread.so", "libdl.so", "librt.so", "libgcc_s.so", "libstdc++.so"];
            toolchain.iter().any(|known| need.starts_with(known))
                || need.starts_with("ld-linux")
                || is_listed(linker_cache.unwrap_or_default(), need)
                || ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"]
                    .iter()
                    .any(|folder| Path::new(folder).join(need).exists())
        }
    }
}

/// Whether the dynamic linker's cache has that name. It stands in it alone, or only at the end of its path: newer
/// systems store what one text and the end of another have in common once.
fn is_listed(linker_cache: &[u8], name: &str) -> bool {
    let mut entries = linker_cache.split(|byte| *byte == 0).filter_map(|entry| entry.strip_suffix(name.as_bytes()));
    entries.any(|folder| folder.is_empty() || folder.ends_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_both_forms_of_the_linkers_cache() {
        let apart = b"glibc-ld.so.cache1.1\0\x03\0\0libz.so.1\0/lib/libz.so.1\0";
        let shared = b"glibc-ld.so.cache1.1\0\x03\0\0/lib/x86_64-linux-gnu/libz.so.1\0/lib/libother.so\0";
        for cache in [apart.as_slice(), shared.as_slice()] {
            assert!(is_listed(cache, "libz.so.1"));
            assert!(!is_listed(cache, "libz.so.2"));
            assert!(!is_listed(cache, "z.so.1"), "the end of a name is not the name");
        }
        assert!(!is_listed(b"", "libz.so.1"));
    }
}

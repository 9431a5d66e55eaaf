//! Calling the C compiler, and not calling it again for the same sources.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use anyhow::{Context, Result, bail, ensure};

/// Held while the compiler runs.
static TURN: Mutex<()> = Mutex::new(());

/// A library or program to be compiled.
#[derive(Debug, Clone, Hash)]
pub struct Product {
    /// The file's name.
    pub name: String,
    /// C files.
    pub sources: Vec<PathBuf>,
    /// Further words for the compiler.
    pub flags: Vec<String>,
    /// Libraries of the system, without `lib`.
    pub libraries: Vec<String>,
    /// Libraries beside it without which the loader refuses it.
    pub needs: Vec<PathBuf>,
}

impl Product {
    /// A shared library.
    #[must_use]
    pub fn library(name: &str, sources: Vec<PathBuf>) -> Self {
        let flags = ["-shared", "-fPIC", "-fvisibility=hidden", "-Wl,-Bsymbolic"].map(str::to_owned).to_vec();
        Self { name: name.to_owned(), sources, flags, libraries: Vec::new(), needs: Vec::new() }
    }

    /// A program.
    #[must_use]
    pub fn program(name: &str, sources: Vec<PathBuf>) -> Self {
        Self { name: name.to_owned(), sources, flags: Vec::new(), libraries: Vec::new(), needs: Vec::new() }
    }
}

/// The C files of a folder, in order.
pub(crate) fn c_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("the C sources in {}", dir.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Compiles `product` into `dir` and answers the file's path. The compiler runs once for the same sources and words in
/// one build folder; a file in `dir` that is the same already is not touched, as a process may have it open.
///
/// # Errors
/// When the system is not Linux, the compiler is missing or complains, or a folder can't be written.
pub fn build(product: &Product, dir: &Path) -> Result<PathBuf> {
    ensure!(cfg!(target_os = "linux"), "the stand-in libraries are made for Linux");
    fs::create_dir_all(dir).with_context(|| format!("the folder {}", dir.display()))?;
    let kept = kept_folder().unwrap_or_else(|| dir.join("kept")).join(key(product)?);
    let made = kept.join(&product.name);
    // Who comes second finds what the first one made, instead of making it again at the same time.
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if !made.is_file() {
        fs::create_dir_all(&kept).with_context(|| format!("the folder {}", kept.display()))?;
        let fresh = beside(&made);
        compile(product, &fresh, &kept)?;
        fs::rename(&fresh, &made)?;
    }
    drop(turn);
    let wanted = dir.join(&product.name);
    let content = fs::read(&made)?;
    if fs::read(&wanted).is_ok_and(|present| present == content) {
        return Ok(wanted);
    }
    let fresh = beside(&wanted);
    fs::copy(&made, &fresh).with_context(|| format!("copying to {}", fresh.display()))?;
    fs::rename(&fresh, &wanted)?;
    Ok(wanted)
}

/// Cargo's build folder, found from the program that runs: it carries a mark.
fn kept_folder() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file())?;
    Some(folder.join("standin"))
}

/// What the result depends on: all sources and headers, and the words for the compiler.
fn key(product: &Product) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    product.name.hash(&mut hasher);
    product.flags.hash(&mut hasher);
    product.libraries.hash(&mut hasher);
    let mut folders = vec![crate::sources(), headers()];
    folders.extend(product.sources.iter().filter_map(|source| source.parent()).map(Path::to_owned));
    let mut files = product.sources.clone();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("the sources in {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "h") {
                files.push(path);
            }
        }
    }
    files.sort();
    files.dedup();
    for file in files {
        file.file_name().hash(&mut hasher);
        fs::read(&file).with_context(|| format!("reading {}", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Our own headers of Agora's interfaces.
fn headers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../agora-sys/include")
}

/// A name that nobody else writes to, neither another process nor another thread.
fn beside(file: &Path) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let turn = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!(".{name}.{}.{turn}", std::process::id()))
}

fn compile(product: &Product, into: &Path, scratch: &Path) -> Result<()> {
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let compiler = cc::Build::new()
        .target(&target)
        .host(&target)
        .opt_level(2)
        .out_dir(scratch)
        .cargo_metadata(false)
        .pic(true)
        .std("c11")
        .flag("-g1")
        .warnings(true)
        .extra_warnings(true)
        .warnings_into_errors(true)
        .include(headers())
        .try_get_compiler()
        .context("finding the C compiler")?;
    let mut command = compiler.to_command();
    command.args(&product.flags).arg("-pthread").args(&product.sources).arg("-o").arg(into);
    if !product.needs.is_empty() {
        command.arg("-Wl,--no-as-needed").args(&product.needs).arg("-Wl,--as-needed");
    }
    command.args(product.libraries.iter().map(|library| format!("-l{library}")));
    let output = command.output().with_context(|| format!("running the C compiler {}", compiler.path().display()))?;
    if !output.status.success() {
        std::io::stderr().write_all(&output.stderr)?;
        bail!("compiling {} with {} failed", product.name, compiler.path().display());
    }
    Ok(())
}

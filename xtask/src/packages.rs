//! System packages: what a Debian machine still lacks is installed, elsewhere one sentence says what is needed.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::{
    shell::{find_program, run_quietly},
    workspace::Workspace,
};

/// What compiling the server, the clients and the media parts needs: C compilers, cmake for Opus, nasm for H.264
/// (three times slower without it, so the build insists), clang for the camera's bindings, ALSA for sound, zlib for the tokens of Agora's
/// stand-in.
const BUILD: &[&str] = &[
    "build-essential",
    "pkg-config",
    "cmake",
    "nasm",
    "clang",
    "libclang-dev",
    "libasound2-dev",
    "linux-libc-dev",
    "zlib1g-dev",
];
/// What the windows need besides.
const WINDOWS: &[&str] = &[
    "libwebkit2gtk-4.1-dev",
    "libayatana-appindicator3-dev",
    "librsvg2-dev",
    "libxdo-dev",
    "libdbus-1-dev",
    "dbus-daemon",
];
/// What tests need besides. For the built app: a display, a driver for its web views, a keyboard, a camera on the screen.
/// For the server: Python for its tools (made into an environment by `python.rs`), SQLite's own program to look at the
/// database from outside, openssl for certificates, util-linux for small disks in a namespace of their own, strace to
/// count what reaches the disk, libfaketime to set the server's clock.
const TESTS: &[&str] = &[
    "xvfb",
    "webkit2gtk-driver",
    "dbus-daemon",
    "xdotool",
    "imagemagick",
    "fonts-dejavu-core",
    "python3",
    "python3-venv",
    "sqlite3",
    "openssl",
    "util-linux",
    "strace",
    "libfaketime",
];
/// What the benchmark needs besides: node-gyp compiles with Python's help, strace counts fsyncs.
const BENCH: &[&str] = &["python3", "strace"];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    Bench,
    Headless,
    Windows,
    Tests,
}

impl Need {
    fn packages(self) -> Vec<&'static str> {
        let mut packages = BUILD.to_vec();
        if self == Self::Bench {
            packages.extend(BENCH);
        }
        if self >= Self::Windows {
            packages.extend(WINDOWS);
        }
        if self >= Self::Tests {
            packages.extend(TESTS);
        }
        packages
    }
}

/// Installs what is missing. Takes a fraction of a second when nothing is.
pub(crate) fn install(workspace: &Workspace, need: Need, is_terminal: bool) -> Result<()> {
    if !cfg!(target_os = "linux") {
        if find_program("nasm").is_none() {
            bail!("nasm is missing; install it (and a C compiler and cmake) with your system's package manager");
        }
        return Ok(());
    }
    if find_program("dpkg-query").is_none() || find_program("apt-get").is_none() {
        eprintln!(
            "      not a Debian system: these packages, or yours of the same content, must be there: {}",
            need.packages().join(" ")
        );
        return Ok(());
    }
    let missing = missing(&need.packages())?;
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("      installing {}", missing.join(" "));
    let Some(privilege) = privilege() else {
        bail!(
            "system packages are missing and you are neither root nor allowed to use sudo; run this line, then start again:\n\n    apt-get install -y --no-install-recommends {}\n",
            missing.join(" ")
        );
    };
    let log = workspace.out("logs/apt.log");
    if run_quietly(&mut apt(privilege, &["install", "-y", "--no-install-recommends"], &missing), &log, is_terminal)
        .is_ok()
    {
        return Ok(());
    }
    // A fresh machine has no lists, an old one has stale ones: both are told by the first try failing.
    eprintln!("      fetching the package lists and trying again");
    run_quietly(&mut apt(privilege, &["update"], &[]), &log, is_terminal)?;
    run_quietly(&mut apt(privilege, &["install", "-y", "--no-install-recommends"], &missing), &log, is_terminal)
}

fn missing(wanted: &[&'static str]) -> Result<Vec<&'static str>> {
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat=${Package} ${db:Status-Status}\n"])
        .args(wanted)
        .stderr(Stdio::null())
        .output()?;
    Ok(not_installed(wanted, &String::from_utf8_lossy(&output.stdout)))
}

fn not_installed(wanted: &[&'static str], listing: &str) -> Vec<&'static str> {
    let is_installed = |package: &&&str| listing.lines().any(|line| line == format!("{package} installed"));
    let mut missing: Vec<_> = wanted.iter().filter(|package| !is_installed(package)).copied().collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

/// What goes before `apt-get`: nothing for root, `sudo` for those whom it asks nothing.
fn privilege() -> Option<&'static [&'static str]> {
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        return Some(&[]);
    }
    let quiet = Command::new("sudo").args(["-n", "true"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if quiet.is_ok_and(|status| status.success()) { Some(&["sudo", "-n"]) } else { None }
}

fn apt(privilege: &[&str], verb: &[&str], packages: &[&str]) -> Command {
    let mut words = privilege.iter().chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]).chain(verb);
    let mut command = Command::new(words.next().copied().unwrap_or("apt-get"));
    command.args(words).args(packages);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_installed_and_unknown_packages_are_missing() {
        let listing = "nasm installed\nclang config-files\n";
        assert_eq!(not_installed(&["nasm", "clang", "xvfb", "xvfb"], listing), ["clang", "xvfb"]);
    }

    #[test]
    fn root_calls_apt_directly() {
        let command = apt(&[], &["install", "-y"], &["nasm"]);
        assert_eq!(crate::shell::spoken(&command), "env DEBIAN_FRONTEND=noninteractive apt-get -q install -y nasm");
    }
}

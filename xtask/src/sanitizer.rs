//! The native tests under the address sanitizer: what the layer over Agora's library reads and frees wrongly ends the
//! test there.

use anyhow::Result;

use crate::{build::cargo_in, fuzz::host, shell, workspace::Workspace};

/// The tests of the crates that may hold `unsafe` code.
pub(crate) fn check(workspace: &Workspace, is_terminal: bool) -> Result<()> {
    let mut tests = cargo_in(workspace, "test");
    tests.args(["--package", "parley-agora", "--lib", "--tests", "--no-fail-fast", "--target", &host()?]);
    // The sanitizer is not stable yet; this lets the stable compiler have it. A folder of its own: everything that is
    // linked has to be compiled for it.
    tests
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .env("CARGO_TARGET_DIR", workspace.target.join("sanitizer"))
        // Leaks are told at the end of each test program.
        .env("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=1")
        // Pictures take some times as long; what is measured over a length of time is measured without.
        .env("PARLEY_SOAK_SECONDS", "5")
        .env("PARLEY_SOAK_CYCLES", "20");
    shell::run_cargo(&mut tests, is_terminal)
}

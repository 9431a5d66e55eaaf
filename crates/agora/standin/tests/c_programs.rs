//! The stand-ins' own parts, tried by programs in C under the address sanitizer.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use parley_agora_standin::{Product, build, sources};

fn c_files(dir: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(dir).expect("the folder of the C sources");
    files
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "c") && !path.ends_with("sibling.c"))
        .collect()
}

const SANITIZERS: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn out() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// All of the sources under the sanitizers, for the programs to use any part of: compiled once, not once a program.
fn sanitized(name: &str, folders: &[&str], flags: &[&str]) -> PathBuf {
    let mut product = Product::program(name, c_files(&sources()));
    product.sources.extend(folders.iter().flat_map(|folder| c_files(&sources().join(folder))));
    product.flags = ["-shared"].iter().chain(&SANITIZERS).chain(flags).map(ToString::to_string).collect();
    product.libraries = ["z", "m"].map(str::to_owned).to_vec();
    build(&product, &out()).expect("the sources compile")
}

fn gateway() -> PathBuf {
    sanitized("libsanitized-gateway.so", &["gateway"], &[])
}

fn iris() -> PathBuf {
    sanitized("libsanitized-iris.so", &["gateway", "iris"], &["-DINSIDE_WRAPPER"])
}

/// Compiles `tests/c/NAME.c`, runs it in an own room, and wants it to succeed.
fn run(name: &str, library: PathBuf, arguments: &[&Path]) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/c").join(format!("{name}.c"));
    let mut product = Product::program(name, vec![source]);
    product.flags = SANITIZERS.map(str::to_owned).to_vec();
    product.needs = vec![library];
    let program = build(&product, &out()).expect("the program compiles");
    let room = tempfile::tempdir().expect("a folder");
    let output = Command::new(program).arg(room.path()).args(arguments).output().expect("the program runs");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn tokens_are_judged_as_agora_would() {
    run("token_test", gateway(), &[]);
}

#[test]
fn two_gateway_connections_hold_a_call() {
    run("gateway_call", gateway(), &[]);
}

#[test]
fn two_processes_hold_a_call_by_iris() {
    run("iris_call", iris(), &[]);
}

#[test]
fn killed_and_babbling_peers_are_survived() {
    run("room_faults", gateway(), &[]);
}

#[test]
fn every_wrong_call_of_the_gateway_is_complained_of() {
    run("gateway_misuse", gateway(), &[]);
}

#[test]
fn the_gateway_misbehaves_as_it_is_told() {
    run("gateway_knobs", gateway(), &[]);
}

#[test]
fn every_wrong_call_of_iris_is_complained_of() {
    run("iris_misuse", iris(), &[]);
}

#[test]
fn two_copies_of_the_wrapper_are_two_engines() {
    let dir = tempfile::tempdir().expect("a folder");
    let copies = ["one", "two"].map(|name| parley_agora_standin::iris(&dir.path().join(name)).expect("a library"));
    run("two_copies", gateway(), &[&copies[0], &copies[1]]);
}

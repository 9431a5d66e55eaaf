//! Makes the bindings out of our headers. Used by the example that writes them and the test that compares them.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use bindgen::{Builder, EnumVariation, Formatter, RustEdition, RustTarget};

/// A header, the Rust struct that holds its functions, and where its bindings lie.
pub(crate) struct Interface {
    pub(crate) header: &'static str,
    pub(crate) library: &'static str,
    pub(crate) bindings: &'static str,
}

pub(crate) const INTERFACES: [Interface; 2] = [
    Interface { header: "include/gateway.h", library: "Gateway", bindings: "src/gateway/bindings.rs" },
    Interface { header: "include/iris.h", library: "Iris", bindings: "src/iris/bindings.rs" },
];

/// The bindings as they should be.
pub(crate) fn generate(root: &Path, interface: &Interface) -> String {
    let header = root.join(interface.header);
    let bindings = Builder::default()
        .header(header.display().to_string())
        // The layouts hold for every 64-bit system; one target makes the result the same on all of them.
        .clang_args(["-std=c11", "--target=x86_64-unknown-linux-gnu"])
        .allowlist_file(format!(".*{}", interface.header))
        .dynamic_library_name(interface.library)
        .dynamic_link_require_all(false)
        .default_enum_style(EnumVariation::Consts)
        .generate_comments(false)
        .layout_tests(true)
        .derive_default(true)
        .size_t_is_usize(true)
        .use_core()
        .wrap_unsafe_ops(true)
        .rust_edition(RustEdition::Edition2024)
        .rust_target(RustTarget::stable(85, 0).expect("a release that bindgen knows"))
        .formatter(Formatter::None)
        .disable_header_comment()
        .generate()
        .expect("our own header is correct C");
    let mut text =
        format!("// Made from {} by `cargo xtask bindings`; not edited by hand.\n\n{bindings}", interface.header);
    let mut functions = "pub const FUNCTIONS: &[&str] = &[".to_owned();
    for name in function_names(&text) {
        let _ = write!(functions, "\"{name}\",");
    }
    text.push_str(&functions);
    text.push_str("];\n");
    formatted(root, &text)
}

/// As `cargo fmt` leaves it.
fn formatted(root: &Path, text: &str) -> String {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("../rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt is part of the toolchain");
    let mut input = rustfmt.stdin.take().expect("it is piped");
    input.write_all(text.as_bytes()).expect("rustfmt reads");
    drop(input);
    let done = rustfmt.wait_with_output().expect("rustfmt ends");
    assert!(done.status.success(), "rustfmt takes what bindgen made");
    String::from_utf8(done.stdout).expect("Rust is UTF-8")
}

/// The names that the generated loader looks up, in the header's order.
fn function_names(text: &str) -> Vec<&str> {
    let lookups = text.match_indices("(b\"").map(|(at, found)| &text[at + found.len()..]);
    lookups.filter_map(|rest| rest.split_once("\\0").map(|(name, _)| name)).collect()
}

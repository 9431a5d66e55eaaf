//! The committed bindings are those that bindgen makes of the committed headers.

#[path = "common/generate.rs"]
mod generate;

use std::{fs, path::Path};

#[test]
fn making_the_bindings_again_changes_no_byte() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for interface in &generate::INTERFACES {
        let committed = fs::read_to_string(root.join(interface.bindings)).expect("the bindings are committed");
        let made = generate::generate(root, interface);
        assert!(made == committed, "{} is old; `cargo xtask bindings` writes it anew", interface.bindings);
    }
}

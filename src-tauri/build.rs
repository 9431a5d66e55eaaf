//! Declares the shell's one command, so that each window needs a permission for it.

fn main() {
    let commands = tauri_build::AppManifest::new().commands(&["execute"]);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(commands)) {
        panic!("{error:#}");
    }
}

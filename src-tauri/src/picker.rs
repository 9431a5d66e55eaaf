//! The system's own dialog in which a person chooses downloads. Windows never name a file themselves.

use std::path::PathBuf;

use parley_app::Picker;
use parley_protocol::app::DownloadKind;
use tauri::AppHandle;
use tauri_plugin_dialog::{DialogExt, FilePath};
use tokio::sync::oneshot;

pub(crate) fn picker(app: AppHandle) -> Picker {
    Picker::new(move |kind| {
        let (chosen, answer) = oneshot::channel();
        // The dialog may be dropped without an answer when the app ends: that is nothing chosen, too.
        let choose = move |files: Option<Vec<FilePath>>| drop(chosen.send(files.unwrap_or_default()));
        let dialog = app.dialog().file();
        match kind {
            DownloadKind::Zip => {
                dialog.set_title("Downloads from Agora").add_filter("Zip files", &["zip"]).pick_files(choose)
            }
            DownloadKind::Folder => dialog.set_title("Unpacked download from Agora").pick_folders(choose),
        }
        Box::pin(async move {
            let files: Vec<FilePath> = answer.await.unwrap_or_default();
            files.into_iter().filter_map(|file| file.into_path().ok()).collect::<Vec<PathBuf>>()
        })
    })
}

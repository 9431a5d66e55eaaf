//! Page and sync cursors that come back from clients. The store itself would bring SQLite along; the file that reads
//! cursors stands alone.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../crates/store/src/cursor.rs"]
#[allow(dead_code, unreachable_pub)]
mod cursor;

use cursor::{Cursor, SyncCursor};

fuzz_target!(|text: &str| {
    if let Ok(page) = text.parse::<Cursor>() {
        assert_eq!(page.to_string().parse(), Ok(page), "a page's cursor reads as it was written");
    }
    if let Ok(sync) = text.parse::<SyncCursor>() {
        assert_eq!(sync.to_string().parse(), Ok(sync), "a sync cursor reads as it was written");
    }
});

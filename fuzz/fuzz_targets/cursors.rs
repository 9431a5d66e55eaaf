//! Page and sync cursors that come back from clients.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parley_store::{Cursor, SyncCursor};

fuzz_target!(|text: &str| {
    if let Ok(page) = text.parse::<Cursor>() {
        assert_eq!(page.to_string().parse(), Ok(page), "a page's cursor reads as it was written");
    }
    if let Ok(sync) = text.parse::<SyncCursor>() {
        assert_eq!(sync.to_string().parse(), Ok(sync), "a sync cursor reads as it was written");
    }
});

//! The border that no panic crosses: one that left an `extern "C"` function would end the program.

use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// What a panic carries hardly ever panics when it is dropped; what goes on doing so is kept for good.
const MOST_IN_A_ROW: u32 = 4;

/// Does `work` for a thread of the library's. Answers whether it panicked.
///
/// What `work` reaches must be fit for use after a panic: queues, slots and counters are.
pub(crate) fn has_panicked(work: impl FnOnce()) -> bool {
    let Err(mut payload) = catch_unwind(AssertUnwindSafe(work)) else { return false };
    // Dropping what the panic carries may panic, too, and so on.
    for _ in 0..MOST_IN_A_ROW {
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return true,
            Err(another) => payload = another,
        }
    }
    mem::forget(payload);
    true
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct PanicsWhenDropped;

    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("while being dropped");
        }
    }

    #[test]
    fn no_panic_gets_out_not_even_the_one_of_what_it_carried() {
        assert!(!has_panicked(|| ()));
        assert!(has_panicked(|| panic!("a plain one")));
        assert!(has_panicked(|| panic_any(PanicsWhenDropped)));
    }

    /// `panic = "abort"` in a profile would make every guard useless.
    #[test]
    fn panics_unwind_in_this_profile() {
        const { assert!(cfg!(panic = "unwind")) };
    }
}

//! What a message may say (`CONTRACT.md` §4).

use std::time::Duration;

use crate::MessageType;

/// The longest message, in Unicode scalar values.
pub const MAX_CONTENT_CHARS: usize = 8_000;

/// How long its author may edit or delete a message: long enough for a slip, too short to rewrite what was agreed.
pub const EDIT_WINDOW: Duration = Duration::from_secs(15 * 60);
/// So many files in one message.
pub const MAX_ATTACHMENTS: usize = 10;

/// Why a content is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentProblem {
    /// Nothing is in it, or nothing but white space in a text.
    #[error("a message needs something in it")]
    Empty,
    /// Over [`MAX_CONTENT_CHARS`].
    #[error("a message has at most {MAX_CONTENT_CHARS} characters")]
    TooLong,
    /// A control character (category Cc) other than line feed and tab; a lone carriage return too.
    #[error("the character U+{:04X} is not allowed", *.0 as u32)]
    ControlCharacter(char),
}

/// Brings a content into the form in which it is stored: CR LF becomes LF, everything else stays verbatim.
///
/// # Errors
/// What [`ContentProblem`] says, about the normalised form.
pub fn normalize_content(raw: &str, kind: MessageType) -> Result<String, ContentProblem> {
    let content = raw.replace("\r\n", "\n");
    if content.is_empty() || (kind == MessageType::Text && content.chars().all(char::is_whitespace)) {
        return Err(ContentProblem::Empty);
    }
    if content.chars().count() > MAX_CONTENT_CHARS {
        return Err(ContentProblem::TooLong);
    }
    match content.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
        Some(c) => Err(ContentProblem::ControlCharacter(c)),
        None => Ok(content),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(raw: &str) -> Result<String, ContentProblem> {
        normalize_content(raw, MessageType::Text)
    }

    #[test]
    fn what_says_nothing_is_refused() {
        for raw in ["", " ", "\n\t ", "\r\n", "\u{a0}\u{2003}\u{3000}\u{2028}", "\u{85}"] {
            assert_eq!(text(raw), Err(ContentProblem::Empty), "{raw:?}");
        }
    }

    #[test]
    fn a_zero_width_space_is_not_white_space() {
        assert_eq!(text("\u{200b}").as_deref(), Ok("\u{200b}"));
    }

    #[test]
    fn control_characters_are_refused_and_named() {
        for c in ['\0', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{9f}'] {
            assert_eq!(text(&format!("a{c}b")), Err(ContentProblem::ControlCharacter(c)));
        }
        assert_eq!(text("a\r\r\nb"), Err(ContentProblem::ControlCharacter('\r')));
        assert_eq!(ContentProblem::ControlCharacter('\u{1b}').to_string(), "the character U+001B is not allowed");
    }

    #[test]
    fn length_counts_scalar_values_after_line_ends_were_joined() {
        assert!(text(&"😀".repeat(MAX_CONTENT_CHARS)).is_ok());
        assert_eq!(text(&"a".repeat(MAX_CONTENT_CHARS + 1)), Err(ContentProblem::TooLong));
        assert!(text(&format!("{}\r\n", "a".repeat(MAX_CONTENT_CHARS - 1))).is_ok());
    }

    #[test]
    fn direction_marks_and_markup_stay_verbatim() {
        for raw in ["\u{200f}שלום\u{202e}", "<b>&amp;</b>", " spaced\t\n", "e\u{301}"] {
            assert_eq!(text(raw).as_deref(), Ok(raw));
        }
    }

    #[test]
    fn a_file_may_be_blank_but_not_empty() {
        assert!(normalize_content(" ", MessageType::File).is_ok());
        assert_eq!(normalize_content("", MessageType::File), Err(ContentProblem::Empty));
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(raw in "(?s).{0,40}") {
            if let Ok(once) = text(&raw) {
                prop_assert!(!once.contains('\r'));
                prop_assert_eq!(text(&once), Ok(once.clone()));
            }
        }
    }
}

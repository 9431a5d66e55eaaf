//! Names of uploaded files: for people to read, never a path.

/// The longest name, in bytes: what file systems take.
pub const MAX_FILE_NAME_BYTES: usize = 255;
/// An ending that is longer is part of the name.
const MAX_EXTENSION_BYTES: usize = 16;
/// For a file that came without a name worth keeping.
const NAMELESS: &str = "file";

/// Makes a name out of whatever a sender said: the last part of a path, without control characters and without marks
/// that turn the direction of writing (they make `exe.txt` out of `txt.exe`), at most [`MAX_FILE_NAME_BYTES`] long with
/// its ending kept, never empty and never only dots.
pub fn clean_file_name(raw: &str) -> String {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last.chars().filter(|c| !c.is_control() && !turns_direction(*c)).collect();
    // Leading dots hide a file, trailing dots and spaces vanish on Windows.
    let name = visible
        .trim_start_matches(|c: char| c == '.' || c.is_whitespace())
        .trim_end_matches(|c: char| c == '.' || c.is_whitespace());
    if name.is_empty() {
        return NAMELESS.to_owned();
    }
    if name.len() <= MAX_FILE_NAME_BYTES {
        return name.to_owned();
    }
    let extension = match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= MAX_EXTENSION_BYTES => &name[dot..],
        _ => "",
    };
    let stem = &name[..name.floor_char_boundary(MAX_FILE_NAME_BYTES - extension.len())];
    format!("{}{extension}", stem.trim_end_matches(|c: char| c == '.' || c.is_whitespace()))
}

fn turns_direction(c: char) -> bool {
    matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_no_path_and_hides_nothing() {
        for (raw, name) in [
            ("plan.pdf", "plan.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\me\\Übersicht 2.docx", "Übersicht 2.docx"),
            ("会議の資料.pdf", "会議の資料.pdf"),
            ("a\r\nb\0\u{7f}.txt", "ab.txt"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            (".bashrc", "bashrc"),
            ("name. .", "name"),
            ("..", "file"),
            ("", "file"),
            ("dir/", "file"),
        ] {
            assert_eq!(clean_file_name(raw), name, "{raw:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_ending() {
        let name = clean_file_name(&format!("{}.tar", "ä".repeat(200)));
        assert_eq!(name, format!("{}.tar", "ä".repeat(125)));
        assert_eq!(clean_file_name(&"x".repeat(300)).len(), MAX_FILE_NAME_BYTES);
    }

    proptest! {
        #[test]
        fn cleaning_twice_is_cleaning_once(raw in "(?s).{0,400}") {
            let once = clean_file_name(&raw);
            prop_assert!(!once.is_empty() && once.len() <= MAX_FILE_NAME_BYTES);
            prop_assert!(!once.contains(['/', '\\', '\n']));
            prop_assert_eq!(clean_file_name(&once), once);
        }
    }
}

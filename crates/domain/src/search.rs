//! Finding messages by any part of their words, in any script.
//!
//! A query is words between white space; a message matches when it holds each of them somewhere, in whatever order.
//! Nothing in a query is syntax. Letters are compared without case; full-width Latin letters and digits are as good as
//! the usual ones. Accents count.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The longest query, in Unicode scalar values: longer than anything that somebody remembers of a message.
pub const MAX_QUERY_CHARS: usize = 200;
/// How many pieces of a query are asked of an index: enough to leave few candidates, which are then looked at.
const MAX_PIECES: usize = 24;
/// How much of a message a snippet shows before its first match, and in all; Unicode scalar values.
const SNIPPET_BEFORE: usize = 40;
const SNIPPET_CHARS: usize = 160;

/// Why a query is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryProblem {
    /// No word is in it.
    #[error("is empty")]
    Empty,
    /// Over [`MAX_QUERY_CHARS`].
    #[error("has at most {MAX_QUERY_CHARS} characters")]
    TooLong,
    /// No message holds such a character (category Cc).
    #[error("contains a control character")]
    ControlCharacter,
}

/// What somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    /// Folded, none of them empty, none twice.
    words: Vec<Vec<char>>,
}

/// A part of a message around what was found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// Plain text, on one line: line ends and tabs are spaces here. `…` stands where something was left out.
    pub text: String,
    /// What was found, in order, without overlaps.
    pub matches: Vec<TextRange>,
}

/// A part of a text, counted in UTF-16 code units, as JavaScript's `slice` counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TextRange {
    /// The first unit.
    pub start: u32,
    /// The unit after the last one.
    pub end: u32,
}

impl SearchQuery {
    /// Reads what somebody typed.
    ///
    /// # Errors
    /// What [`QueryProblem`] says.
    pub fn new(text: &str) -> Result<Self, QueryProblem> {
        if text.chars().count() > MAX_QUERY_CHARS {
            return Err(QueryProblem::TooLong);
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(QueryProblem::ControlCharacter);
        }
        let mut words: Vec<Vec<char>> = Vec::new();
        for word in text.split_whitespace() {
            let word = word.chars().map(fold).collect();
            if !words.contains(&word) {
                words.push(word);
            }
        }
        if words.is_empty() { Err(QueryProblem::Empty) } else { Ok(Self { words }) }
    }

    /// Pieces as [`pieces`] makes them that every matching message has; not every message that has them matches.
    pub fn pieces(&self) -> Vec<[char; 3]> {
        let mut found = Vec::new();
        for word in &self.words {
            let length = word.len().min(3);
            for run in word.windows(length) {
                let piece = piece(run);
                if found.len() < MAX_PIECES && !found.contains(&piece) {
                    found.push(piece);
                }
            }
        }
        found
    }

    /// The place where a message matches; `None` if it doesn't.
    pub fn find(&self, content: &str) -> Option<Snippet> {
        if !self.is_in(content) {
            return None;
        }
        let folded: Vec<char> = content.chars().map(fold).collect();
        let chars: Vec<char> = content.chars().collect();
        let ranges = merged(self.words.iter().flat_map(|word| every(&folded, word)).collect());
        let first = ranges.first().map_or(0, |range| range.0);
        // A message that fits is shown whole.
        let from = if chars.len() <= SNIPPET_CHARS { 0 } else { first.saturating_sub(SNIPPET_BEFORE) };
        let to = (from + SNIPPET_CHARS).min(chars.len());
        Some(cut_out(&chars, from..to, &ranges))
    }

    /// Whether every word is in there. An index may give thousands of messages that don't match, most of them all ASCII:
    /// for those nothing is copied.
    fn is_in(&self, content: &str) -> bool {
        if content.is_ascii() {
            return self.words.iter().all(|word| is_in_ascii(content.as_bytes(), word));
        }
        let folded: Vec<char> = content.chars().map(fold).collect();
        self.words.iter().all(|word| first_at(&folded, word).is_some())
    }
}

/// Folding is lower case and nothing else here.
fn is_in_ascii(content: &[u8], word: &[char]) -> bool {
    let is_same = |(byte, c): (&u8, &char)| char::from(byte.to_ascii_lowercase()) == *c;
    let (Some(first), Some(last)) = (word.first(), content.len().checked_sub(word.len())) else { return false };
    (0..=last).any(|start| is_same((&content[start], first)) && content[start..].iter().zip(word).all(is_same))
}

/// The pieces of a message: each run of one, two and three characters inside its words, folded, each once. Shorter
/// runs are filled up with NUL, which no message holds.
pub fn pieces(content: &str) -> HashSet<[char; 3]> {
    let folded: Vec<char> = content.chars().map(fold).collect();
    let mut pieces = HashSet::new();
    for word in folded.split(|c| c.is_whitespace()) {
        for start in 0..word.len() {
            for length in 1..=3 {
                if let Some(run) = word.get(start..start + length) {
                    pieces.insert(piece(run));
                }
            }
        }
    }
    pieces
}

fn piece(run: &[char]) -> [char; 3] {
    let at = |place: usize| run.get(place).copied().unwrap_or('\0');
    [at(0), at(1), at(2)]
}

/// One form for what people take for the same letter; always one character for one, so that places stay.
fn fold(c: char) -> char {
    let c = match c {
        // Full-width forms of ASCII, as Japanese and Chinese keyboards give them.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        // The sigma at the end of a word, and the one capital whose small form would be two characters.
        'ς' => 'σ',
        'İ' => 'i',
        c => c,
    };
    c.to_lowercase().next().unwrap_or(c)
}

fn first_at(text: &[char], word: &[char]) -> Option<usize> {
    let first = word.first()?;
    (0..=text.len().checked_sub(word.len())?).find(|start| text[*start] == *first && text[*start..].starts_with(word))
}

fn every(text: &[char], word: &[char]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| first_at(rest, word)) {
        found.push((from + start, from + start + word.len()));
        from += start + word.len();
    }
    found
}

/// In order, those that touch or overlap made one.
fn merged(mut ranges: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    ranges.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (start, end) in ranges {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

fn cut_out(chars: &[char], part: std::ops::Range<usize>, ranges: &[(usize, usize)]) -> Snippet {
    let mut text = String::new();
    if part.start > 0 {
        text.push('…');
    }
    let mut units = utf16(&text);
    let mut matches = Vec::new();
    // Where each shown character begins, in units.
    let mut begins = Vec::with_capacity(part.len() + 1);
    for c in &chars[part.clone()] {
        begins.push(units);
        let shown = if matches!(c, '\n' | '\t') { ' ' } else { *c };
        text.push(shown);
        units += shown.len_utf16() as u32;
    }
    begins.push(units);
    for (start, end) in ranges {
        let (start, end) = ((*start).max(part.start), (*end).min(part.end));
        if start < end {
            matches.push(TextRange { start: begins[start - part.start], end: begins[end - part.start] });
        }
    }
    if part.end < chars.len() {
        text.push('…');
    }
    Snippet { text, matches }
}

fn utf16(text: &str) -> u32 {
    text.chars().map(|c| c.len_utf16() as u32).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The snippet with what was found in brackets.
    fn marked(query: &str, content: &str) -> Option<String> {
        let snippet = SearchQuery::new(query).unwrap().find(content)?;
        let units: Vec<u16> = snippet.text.encode_utf16().collect();
        let (mut text, mut from) = (String::new(), 0);
        for range in snippet.matches {
            let (start, end) = (range.start as usize, range.end as usize);
            text += &String::from_utf16(&units[from..start]).unwrap();
            text += &format!("[{}]", String::from_utf16(&units[start..end]).unwrap());
            from = end;
        }
        Some(text + &String::from_utf16(&units[from..]).unwrap())
    }

    #[test]
    fn any_part_of_a_word_is_found_in_any_script() {
        for (query, content, expected) in [
            ("voic", "The INVOICE is paid", "The IN[VOIC]E is paid"),
            ("会議", "明日の会議は九時からです", "明日の[会議]は九時からです"),
            ("会", "明日の会議は九時からです", "明日の[会]議は九時からです"),
            ("合同", "请查看附件中的合同草案", "请查看附件中的[合同]草案"),
            ("ประชุม", "พรุ่งนี้มีการประชุมตอนเก้าโมง", "พรุ่งนี้มีการ[ประชุม]ตอนเก้าโมง"),
            ("abc", "ＡＢＣ社", "[ＡＢＣ]社"),
            ("ΟΔΟΣ", "η οδος", "η [οδος]"),
            ("straße", "STRASSE Straße", "STRASSE [Straße]"),
            ("party", "😀😀 party 🎉", "😀😀 [party] 🎉"),
            ("🎉", "😀😀 party 🎉", "😀😀 party [🎉]"),
            ("blue red", "red and\nblue", "[red] and [blue]"),
            ("aa", "aaa aa", "[aa]a [aa]"),
            ("istanbul", "İSTANBUL", "[İSTANBUL]"),
        ] {
            assert_eq!(marked(query, content).unwrap_or_default(), expected, "{query} in {content}");
        }
    }

    #[test]
    fn quotes_and_operators_are_what_they_are() {
        for query in ["\"", "*", "a\"b", "NEAR(a,b)", "-x", "content:y", "';--", "(", "^", "AND", "%", "_"] {
            assert_eq!(marked(query, "nothing of this kind"), None, "{query}");
            let content = format!("there: {query}.");
            assert_eq!(marked(query, &content), Some(format!("there: [{query}].")), "{query}");
        }
        assert_eq!(marked("a OR b", "a b"), None, "OR is a word");
    }

    #[test]
    fn queries_without_a_word_or_of_unreasonable_length_are_refused() {
        assert_eq!(SearchQuery::new(" \u{3000}\n"), Err(QueryProblem::Empty));
        assert_eq!(SearchQuery::new(&"x".repeat(201)), Err(QueryProblem::TooLong));
        assert_eq!(SearchQuery::new("a\0"), Err(QueryProblem::ControlCharacter));
        assert!(SearchQuery::new(&"語".repeat(200)).is_ok());
    }

    #[test]
    fn a_long_message_is_cut_around_its_first_match() {
        let content = format!("{}needle{}", "x".repeat(500), "y".repeat(500));
        let snippet = SearchQuery::new("NEEDLE").unwrap().find(&content).unwrap();
        assert_eq!(snippet.text, format!("…{}needle{}…", "x".repeat(40), "y".repeat(114)));
        assert_eq!(snippet.matches, [TextRange { start: 41, end: 47 }]);
        let far = SearchQuery::new("aa zz").unwrap().find(&format!("aa{}zz", "·".repeat(400))).unwrap();
        assert_eq!(far.matches, [TextRange { start: 0, end: 2 }], "what lies outside of the snippet is not marked");
    }

    proptest! {
        #[test]
        fn what_an_index_is_asked_for_is_in_every_match(before in "\\PC{0,6}", word in "\\PC{1,6}", after in "\\PC{0,6}") {
            let content = format!("{before}{word}{after}");
            if let Ok(query) = SearchQuery::new(&word) {
                prop_assert!(query.find(&content).is_some());
                let indexed = pieces(&content);
                prop_assert!(query.pieces().iter().all(|piece| indexed.contains(piece)));
            }
        }

        #[test]
        fn messages_in_ascii_are_searched_like_all_others(content in "[ -~\n]{0,40}", word in "[a-cA-C ]{1,3}") {
            if let Ok(query) = SearchQuery::new(&word) {
                let other = format!("{content} é");
                prop_assert_eq!(query.find(&content).is_some(), query.find(&other).is_some());
            }
        }

        #[test]
        fn every_mark_lies_in_its_snippet(content in "(?s).{0,300}", word in "\\PC{1,2}") {
            if let Ok(query) = SearchQuery::new(&word)
                && let Some(snippet) = query.find(&content)
            {
                let units = snippet.text.encode_utf16().count() as u32;
                prop_assert!(!snippet.matches.is_empty());
                let mut from = 0;
                for range in snippet.matches {
                    prop_assert!(from <= range.start && range.start < range.end && range.end <= units);
                    from = range.end;
                }
            }
        }
    }
}

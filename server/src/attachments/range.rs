//! Which part of a file is wanted (RFC 9110 §14): one range of bytes. Several ranges at once get the whole file, as
//! the RFC allows.

use axum::http::{HeaderMap, header};

/// What to answer with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything: 200.
    Whole,
    /// From the first up to, without, the second: 206.
    Part(std::ops::Range<u64>),
    /// Nothing of that is in the file: 416.
    Outside,
}

/// Reads `Range` and `If-Range`. A file has at least one byte and never changes, so its tag is all that can match.
pub(super) fn wanted(headers: &HeaderMap, size: u64, tag: &str) -> Wanted {
    let mut given = headers.get_all(header::RANGE).iter();
    let (Some(range), None) = (given.next(), given.next()) else { return Wanted::Whole };
    if headers.get(header::IF_RANGE).is_some_and(|expected| expected.as_bytes() != tag.as_bytes()) {
        return Wanted::Whole;
    }
    range.to_str().ok().and_then(|range| part(range, size)).unwrap_or(Wanted::Whole)
}

/// `None` for what is no single range of bytes: it is to be ignored.
fn part(range: &str, size: u64) -> Option<Wanted> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let part = match (first, last) {
        ("", suffix) => size.saturating_sub(number(suffix)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..last.saturating_add(1).min(size)
        }
    };
    Some(if part.start < part.end { Wanted::Part(part) } else { Wanted::Outside })
}

/// Digits only; what is larger than any file is just that.
fn number(digits: &str) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: &str, if_range: Option<&str>) -> Wanted {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().unwrap());
        if let Some(tag) = if_range {
            headers.insert(header::IF_RANGE, tag.parse().unwrap());
        }
        wanted(&headers, 10, "\"tag\"")
    }

    #[test]
    fn one_range_is_served() {
        for (range, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=2-5", 2..6),
            ("bytes=2-", 2..10),
            ("bytes=-3", 7..10),
            ("bytes=-99", 0..10),
            ("bytes=9-99999999999999999999999", 9..10),
            ("Bytes=0-9", 0..10),
        ] {
            assert_eq!(of(range, None), Wanted::Part(part), "{range}");
        }
        assert_eq!(of("bytes=0-0", Some("\"tag\"")), Wanted::Part(0..1));
    }

    #[test]
    fn what_lies_behind_the_end_can_not_be_served() {
        for range in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(of(range, None), Wanted::Outside, "{range}");
        }
    }

    #[test]
    fn what_is_no_range_or_of_another_file_gets_the_whole() {
        for range in
            ["bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=+1-2", "bytes=0-1,3-4", "lines=1-2"]
        {
            assert_eq!(of(range, None), Wanted::Whole, "{range}");
        }
        assert_eq!(of("bytes=0-0", Some("\"other\"")), Wanted::Whole);
        assert_eq!(of("bytes=0-0", Some("Wed, 21 Oct 2015 07:28:00 GMT")), Wanted::Whole);
        assert_eq!(wanted(&HeaderMap::new(), 10, "\"tag\""), Wanted::Whole);
    }
}

//! Until when a certificate is valid: the one field of X.509 that an operator asks for (RFC 5280 §4.1).

use parley_domain::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The end of a certificate's validity; `None` if it can't be read.
pub(crate) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = expect(certificate, SEQUENCE)?;
    let (mut fields, _) = expect(certificate, SEQUENCE)?;
    if let Some((_, rest)) = expect(fields, VERSION) {
        fields = rest;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (validity, _) = expect(fields, SEQUENCE)?;
    let (_, _, after) = element(validity)?;
    let (tag, text, _) = element(after)?;
    let text = std::str::from_utf8(text).ok()?;
    match tag {
        UTC_TIME => {
            let year: u32 = text.get(..2)?.parse().ok()?;
            instant(if year < 50 { "20" } else { "19" }, text)
        }
        GENERALIZED_TIME => instant("", text),
        _ => None,
    }
}

/// `YYYYMMDDHHMMSSZ`, the century apart.
fn instant(century: &str, text: &str) -> Option<Timestamp> {
    let whole = format!("{century}{text}");
    if whole.len() != 15 || !whole.is_ascii() {
        return None;
    }
    let part = |from: usize, to: usize| &whole[from..to];
    let rfc3339 = format!(
        "{}-{}-{}T{}:{}:{}{}",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14),
        part(14, 15)
    );
    rfc3339.parse().ok()
}

/// The content of an element of that tag, and what follows it.
fn expect(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    element(bytes).filter(|found| found.0 == tag).map(|(_, content, rest)| (content, rest))
}

/// One element of DER: its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let length = if first < 0x80 {
        usize::from(first)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (digits, after) = rest.split_at_checked(count)?;
        rest = after;
        digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let mut bytes = vec![tag];
        if length < 0x80 {
            bytes.push(u8::try_from(length).unwrap());
        } else {
            bytes.extend([0x82, u8::try_from(length >> 8).unwrap(), u8::try_from(length & 0xff).unwrap()]);
        }
        bytes.extend(content);
        bytes
    }

    fn certificate(with_version: bool, end: &[u8]) -> Vec<u8> {
        let mut fields = if with_version { der(VERSION, &der(2, &[2])) } else { Vec::new() };
        fields.extend(der(2, &[1; 16]));
        fields.extend(der(SEQUENCE, &[]));
        fields.extend(der(SEQUENCE, &[7; 300]));
        fields.extend(der(SEQUENCE, &[der(UTC_TIME, b"250101000000Z"), end.to_vec()].concat()));
        der(SEQUENCE, &der(SEQUENCE, &fields))
    }

    #[test]
    fn both_forms_of_time_are_read_with_and_without_a_version() {
        let table = [
            (der(UTC_TIME, b"261231235959Z"), "2026-12-31T23:59:59.000Z"),
            (der(UTC_TIME, b"991231235959Z"), "1999-12-31T23:59:59.000Z"),
            (der(GENERALIZED_TIME, b"20551231235959Z"), "2055-12-31T23:59:59.000Z"),
        ];
        for (end, expected) in table {
            for with_version in [true, false] {
                assert_eq!(not_after(&certificate(with_version, &end)).unwrap().to_string(), expected);
            }
        }
    }

    #[test]
    fn every_cut_of_a_certificate_is_refused_without_a_panic() {
        let whole = certificate(true, &der(UTC_TIME, b"261231235959Z"));
        for length in 0..whole.len() {
            assert_eq!(not_after(&whole[..length]), None);
        }
        assert_eq!(not_after(&certificate(true, &der(UTC_TIME, b"2612312359590"))), None);
        assert_eq!(not_after(&certificate(true, &der(UTC_TIME, "26123123595é".as_bytes()))), None);
        assert_eq!(not_after(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}

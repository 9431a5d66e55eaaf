//! Whatever text comes in, reading it ends in an answer; and a token opens only what it was made for.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};
use parley_agora_token::{
    AppCertificate, AppId, ChannelName, JoinRefused, LegacyToken, Privileges, RtcToken, Service, TokenError, parse,
};
use proptest::prelude::*;

const ISSUED: u32 = 1_700_000_000;

fn app() -> (AppId, AppCertificate) {
    (AppId::new("0123456789abcdef0123456789abcdef").unwrap(), AppCertificate::new("f".repeat(32)).unwrap())
}

fn token(uid: u32, life: u32, privileges: Privileges) -> String {
    let (app_id, certificate) = app();
    let channel = ChannelName::new("room").unwrap();
    RtcToken { app_id, channel, uid, issued_at: ISSUED, expires_in: life, salt: 7, privileges }.build(&certificate)
}

fn pack(content: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    format!("007{}", STANDARD.encode(encoder.finish().unwrap()))
}

fn unpack(token: &str) -> Vec<u8> {
    use std::io::Read;
    let packed = STANDARD.decode(&token[3..]).unwrap();
    let mut content = Vec::new();
    flate2::read::ZlibDecoder::new(&packed[..]).read_to_end(&mut content).unwrap();
    content
}

#[test]
fn text_of_another_kind_is_refused() {
    for (text, error) in [
        ("", TokenError::UnknownVersion),
        ("006", TokenError::UnknownVersion),
        ("hello", TokenError::UnknownVersion),
        ("007", TokenError::Malformed("zlib")),
        ("007!!", TokenError::Malformed("base64")),
        ("007AAAA", TokenError::Malformed("zlib")),
    ] {
        assert_eq!(parse(text), Err(error), "{text}");
    }
    assert_eq!(parse(&"0".repeat(20_000)), Err(TokenError::TooLong));
    assert_eq!(LegacyToken::parse("006ü").err(), Some(TokenError::Malformed("app id")));
}

#[test]
fn a_small_text_that_swells_is_refused_early() {
    let bomb = pack(&vec![0; 8 * 1024 * 1024]);
    assert!(bomb.len() < 16 * 1024, "the bomb must pass the first bound to test the second: {}", bomb.len());
    assert_eq!(parse(&bomb), Err(TokenError::TooLong));
}

#[test]
fn an_unknown_service_ends_the_reading_but_not_the_token() {
    let mut content = unpack(&token(5, 600, Privileges::publisher(600)));
    // The count stands after signature (34), app id (34), issue, life and salt (12).
    content[80] = 2;
    content.extend_from_slice(&[99, 0, 1, 2, 3]);
    let parsed = parse(&pack(&content)).unwrap();
    assert_eq!(parsed.services.len(), 2);
    assert_eq!(parsed.services[1], Service::Other { kind: 99 });
    assert!(parsed.rtc().unwrap().admits_uid(5));
    assert!(!parsed.verify(&app().1), "the signature covers what was added");
}

#[test]
fn a_token_opens_only_its_channel_for_its_uid_in_its_time() {
    let (app_id, certificate) = app();
    let app = (&app_id, &certificate);
    let now = u64::from(ISSUED) + 10;
    let parsed = parse(&token(5, 600, Privileges::publisher(600))).unwrap();
    assert_eq!(parsed.check_rtc_join(app, "room", 5, now), Ok(()));
    assert_eq!(parsed.check_rtc_join(app, "room", 5, now + 589), Ok(()));
    assert_eq!(parsed.check_rtc_join(app, "room", 5, now + 590), Err(JoinRefused::Expired));
    assert_eq!(parsed.check_rtc_join(app, "other", 5, now), Err(JoinRefused::Channel));
    assert_eq!(parsed.check_rtc_join(app, "room", 6, now), Err(JoinRefused::Uid));
    let foreign = AppCertificate::new("e".repeat(32)).unwrap();
    assert_eq!(parsed.check_rtc_join((&app_id, &foreign), "room", 5, now), Err(JoinRefused::Signature));
    let foreign = AppId::new("1".repeat(32)).unwrap();
    assert_eq!(parsed.check_rtc_join((&foreign, &certificate), "room", 5, now), Err(JoinRefused::Signature));

    let mute = parse(&token(5, 600, Privileges::none())).unwrap();
    assert_eq!(mute.check_rtc_join(app, "room", 5, now), Err(JoinRefused::Privilege));
    let anyone = parse(&token(0, 600, Privileges::subscriber(0))).unwrap();
    assert_eq!(anyone.check_rtc_join(app, "room", 77, now), Ok(()), "life 0 means as long as the token");
    let short = parse(&token(5, 600, Privileges::publisher(5))).unwrap();
    assert_eq!(short.check_rtc_join(app, "room", 5, now), Err(JoinRefused::Expired));
    let long = parse(&token(5, 60, Privileges::publisher(9_999))).unwrap();
    assert_eq!(long.privilege_expires_at(9_999), long.expires_at(), "no right outlives its token");
}

#[test]
fn printing_a_token_does_not_give_it_away() {
    let parsed = parse(&token(5, 600, Privileges::publisher(600))).unwrap();
    let printed = format!("{parsed:?}");
    assert!(!printed.contains("signature") && !printed.contains("signed"), "{printed}");
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "\\PC{0,300}") {
        let _ = parse(&text);
        let _ = LegacyToken::parse(&text);
        let _ = LegacyToken::parse(&format!("0060123456789abcdef0123456789abcdef{text}"));
    }

    #[test]
    fn any_content_is_survived(content in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&pack(&content));
        let _ = LegacyToken::parse(&format!("0060123456789abcdef0123456789abcdef{}", STANDARD.encode(&content)));
    }

    #[test]
    fn cutting_or_flipping_never_verifies(position in 0usize..120, bit in 0u8..8) {
        let whole = unpack(&token(5, 600, Privileges::publisher(600)));
        let position = position % whole.len();
        prop_assert!(parse(&pack(&whole[..position])).is_err());
        let mut flipped = whole;
        flipped[position] ^= 1 << bit;
        if let Ok(parsed) = parse(&pack(&flipped)) {
            prop_assert!(!parsed.verify(&app().1));
        }
    }

    #[test]
    fn what_is_built_is_read_back(uid in any::<u32>(), issued in any::<u32>(), life in any::<u32>(), salt in any::<u32>(),
                                  name in "[a-zA-Z0-9 !#$%&()+:;<=.>?@^_{}|~,-]{1,63}") {
        let (app_id, certificate) = app();
        let channel = ChannelName::new(name.clone()).unwrap();
        let privileges = Privileges::publisher(life);
        let built = RtcToken { app_id, channel, uid, issued_at: issued, expires_in: life, salt, privileges: privileges.clone() };
        let parsed = parse(&built.build(&certificate)).unwrap();
        prop_assert!(parsed.verify(&certificate));
        let rtc = parsed.rtc().unwrap();
        prop_assert_eq!(&rtc.channel, &name);
        prop_assert!(rtc.admits_uid(uid));
        prop_assert_eq!(&rtc.privileges, &privileges);
        prop_assert_eq!((parsed.issued_at, parsed.expires_in, parsed.salt), (issued, life, salt));
    }
}

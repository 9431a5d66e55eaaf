//! What we build equals, byte for byte before packing, what Agora's own published builders make.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

use std::io::Read;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::ZlibDecoder;
use parley_agora_token::{
    AccessToken, Account, AppCertificate, AppId, ChannelName, LegacyToken, Privileges, RtcPrivilege, RtcToken, parse,
};

const CHANNEL: &str = "7d72365eb983485397e3e3f9d460bdda";
const UID: u32 = 2_882_341_273;
const ISSUED: u32 = 1_111_111;
const LIFE: u32 = 600;

fn app_id() -> AppId {
    AppId::new("970CA35de60c44645bbae8a215061b33").unwrap()
}

fn certificate() -> AppCertificate {
    AppCertificate::new("5CFd2fd1755d40ecb72977518be15d3b").unwrap()
}

fn channel() -> ChannelName {
    ChannelName::new(CHANNEL).unwrap()
}

fn rtc(uid: u32, privileges: Privileges) -> String {
    let token = RtcToken {
        app_id: app_id(),
        channel: channel(),
        uid,
        issued_at: ISSUED,
        expires_in: LIFE,
        salt: 1,
        privileges,
    };
    token.build(&certificate())
}

fn empty() -> AccessToken {
    AccessToken::new(app_id(), ISSUED, LIFE, 1)
}

fn content_hex(token: &str) -> String {
    let packed = STANDARD.decode(token.strip_prefix("007").unwrap()).unwrap();
    let mut content = Vec::new();
    ZlibDecoder::new(&packed[..]).read_to_end(&mut content).unwrap();
    hex::encode(content)
}

/// The signature is the first counted string: two bytes of length, then 32.
fn signature_hex(token: &str) -> String {
    content_hex(token)[4..68].to_owned()
}

#[test]
fn join_only_equals_the_published_bytes() {
    let token = rtc(UID, Privileges::subscriber(LIFE));
    assert_eq!(
        content_hex(&token),
        "200016a0b84c5a5e82cbf74fb813d09f59c54bdac9c06120580539ac97578e958b1a\
         20003937304341333564653630633434363435626261653861323135303631623333\
         47f410005802000001000000010001000100010058020000\
         200037643732333635656239383334383533393765336533663964343630626464610a0032383832333431323733"
    );
}

#[test]
fn publisher_and_account_tokens_carry_the_published_signatures() {
    let test_user = Account::new("test_user").unwrap();
    let with_account = empty().with_rtc(&channel(), &test_user, Privileges::publisher(LIFE));
    let rtm = empty().with_rtm(&test_user, Privileges::rtm_login(LIFE));
    // Added in the wrong order on purpose: services are sorted when the token is built.
    let both = empty().with_rtm(&test_user, Privileges::rtm_login(LIFE)).with_rtc(
        &channel(),
        &test_user,
        Privileges::publisher(LIFE),
    );
    let published = [
        (rtc(UID, Privileges::publisher(LIFE)), "c731521be14613488eac3ef393d403a87ea96102529dc5d633e12faabcce540f"),
        (rtc(0, Privileges::publisher(LIFE)), "deb34d527cdd67b12ab17d8393493b571ef91fd9a24fc312f1b044c07a4efff9"),
        (with_account.build(&certificate()), "e466f0d2711c3929f6458d1a7257a42e3962f1f661699fd68adb72be2fcc6424"),
        (rtm.build(&certificate()), "0d9a1df8a4e60649a82d4a68fb1f49581fb4d227b8f0b65773b79f1c89e7eb7c"),
        (both.build(&certificate()), "c577068d638365ab20b57e194c8d48dcdf68068618d064b61d0fd40dcf2675b6"),
    ];
    for (token, signature) in published {
        assert_eq!(signature_hex(&token), signature);
        assert!(parse(&token).unwrap().verify(&certificate()));
    }
}

#[test]
fn the_older_vector_is_read_and_confirmed() {
    let text = "006970CA35de60c44645bbae8a215061b33IACV0fZUBw+72cVoL9eyGGh3Q6Poi8bgjwVLnyKSJyOXR7dIfRBXoFHlEAABAAAAR/QQAAEAAQCvKDdW";
    let token = LegacyToken::parse(text).unwrap();
    assert_eq!(token.app_id, app_id());
    assert_eq!((token.salt, token.expires_at), (1, ISSUED));
    assert_eq!(token.privileges.seconds(RtcPrivilege::JoinChannel), Some(1_446_455_471));
    assert!(token.verify(&certificate(), CHANNEL, UID));
    assert!(!token.verify(&certificate(), CHANNEL, UID + 1));
    assert!(!token.verify(&certificate(), "another", UID));
    assert!(!token.verify(&AppCertificate::new("0".repeat(32)).unwrap(), CHANNEL, UID));
}

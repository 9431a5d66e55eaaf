//! Call tokens that clients show: AccessToken2 (007) and its predecessor (006), as text and, behind their wrapping of
//! base64 and zlib that chance hardly gets through, as content.
#![no_main]

use std::io::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::ZlibEncoder};
use libfuzzer_sys::fuzz_target;
use parley_agora_token::{AppCertificate, LegacyToken, parse};

const CERTIFICATE: &str = "fedcba9876543210fedcba9876543210";
const APP_ID: &str = "0123456789abcdef0123456789abcdef";

fn read(token: &str) {
    let certificate = AppCertificate::new(CERTIFICATE).expect("32 hexadecimal characters");
    if let Ok(parsed) = parse(token) {
        assert!(!parsed.verify(&certificate), "nobody signed this: {parsed:?}");
        for seconds in [0, 1, u32::MAX] {
            assert!(parsed.privilege_expires_at(seconds) <= parsed.expires_at(), "a privilege outlives its token");
        }
        assert!(parsed.is_expired_at(parsed.expires_at()));
        let channel = parsed.rtc().map(|rtc| rtc.channel.clone()).unwrap_or_default();
        assert!(parsed.check_rtc_join((&parsed.app_id, &certificate), &channel, 1, 0).is_err());
    }
    if let Ok(parsed) = LegacyToken::parse(token) {
        assert!(!parsed.verify(&certificate, "channel", 1), "nobody signed this: {parsed:?}");
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((how, content)) = bytes.split_first() else { return };
    match how % 3 {
        0 => read(&String::from_utf8_lossy(content)),
        1 => {
            let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
            zlib.write_all(content).expect("memory takes every write");
            read(&format!("007{}", STANDARD.encode(zlib.finish().expect("memory takes every write"))));
        }
        _ => read(&format!("006{APP_ID}{}", STANDARD.encode(content))),
    }
});

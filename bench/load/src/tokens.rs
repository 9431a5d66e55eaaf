//! Our own token builder, on one thread or on many.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use parley_agora_token::{AppCertificate, AppId, ChannelName, Privileges, RtcToken, parse};
use serde_json::{Value, json};

const APP_ID: &str = "970CA35de60c44645bbae8a215061b33";
const CERTIFICATE: &str = "5CFd2fd1755d40ecb72977518be15d3b";
const CHANNEL: &str = "7d72365eb983485397e3e3f9d460bdda";
const LIFETIME_SECONDS: u32 = 3_600;
const BATCH: u32 = 1_000;

pub(crate) fn run(seconds: f64, threads: usize) -> Result<Value> {
    let wanted = Duration::from_secs_f64(seconds);
    let running: Vec<_> = (0..threads).map(|_| thread::spawn(move || mint_for(wanted))).collect();
    let mut rate = 0.0;
    for thread in running {
        rate += thread.join().ok().context("a thread panicked")??;
    }
    Ok(json!({ "tokensPerSecond": rate, "threads": threads }))
}

fn mint_for(wanted: Duration) -> Result<f64> {
    let id = AppId::new(APP_ID)?;
    let certificate = AppCertificate::new(CERTIFICATE)?;
    mint(&id, &certificate, 20)?;
    let begun = Instant::now();
    let mut minted = 0_u64;
    let mut issued_at = 1_700_000_000;
    while begun.elapsed() < wanted {
        // A new second now and then, as on a real clock.
        issued_at += 1;
        minted += u64::from(mint(&id, &certificate, issued_at)?);
    }
    Ok(minted as f64 / begun.elapsed().as_secs_f64())
}

/// As the server mints: the channel comes out of a row and is checked, every person has a number and every token a salt.
fn mint(id: &AppId, certificate: &AppCertificate, issued_at: u32) -> Result<u32> {
    let mut last = String::new();
    for number in 1..=BATCH {
        let token = RtcToken {
            app_id: id.clone(),
            channel: ChannelName::new(CHANNEL)?,
            uid: number,
            issued_at,
            expires_in: LIFETIME_SECONDS,
            salt: number.wrapping_mul(2_654_435_761) % 99_999_999 + 1,
            privileges: Privileges::publisher(LIFETIME_SECONDS),
        };
        last = token.build(certificate);
    }
    ensure!(parse(&last)?.verify(certificate), "the last token of a batch is no token");
    Ok(BATCH)
}

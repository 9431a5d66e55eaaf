//! The second process of `parley-headless`: it answers every line, and is gone when nobody can ask any more.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

fn provider(server: &str) -> Child {
    let folder = tempfile::tempdir().expect("a folder");
    Command::new(env!("CARGO_BIN_EXE_parley-headless"))
        .args(["--as-provider", "--server", server, "--data-dir"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

#[test]
fn what_it_cannot_do_is_answered_and_the_next_line_is_read() {
    let mut provider = provider("http://127.0.0.1:9");
    let (mut asks, answers) = (provider.stdin.take().unwrap(), provider.stdout.take().unwrap());
    let mut answers = BufReader::new(answers).lines();
    let foreign = ["", "no JSON", "{}", "{\"ask\":\"dance\"}", "{\"ask\":\"ringing\"}", "{\"ask\":\"heard\"}"];
    for line in foreign.into_iter().chain(["{\"ask\":\"hear_message\",\"text\":\"x\"}"]) {
        writeln!(asks, "{line}").unwrap();
        let answer: Value = serde_json::from_str(&answers.next().expect("an answer").unwrap()).unwrap();
        assert!(answer["failed"].is_string(), "{line}: {answer}");
    }
    drop(asks);
    assert!(provider.wait().unwrap().success());
    assert!(answers.next().is_none());
}

#[test]
fn it_ends_in_the_middle_of_an_answer_when_nobody_waits_for_it() {
    // A server that takes the connection and never answers.
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut provider = provider(&format!("http://{}", deaf.local_addr().unwrap()));
    let mut asks = provider.stdin.take().unwrap();
    writeln!(asks, "{}", json!({ "ask": "sign_in", "clock": 0 })).unwrap();
    let connection = deaf.accept().expect("it signs in");
    drop(asks);
    assert!(provider.wait().unwrap().success());
    drop(connection);
}

//! Prints every name and number of Agora's that this crate uses, as JSON, for a comparison with Agora's own sources.

use std::collections::BTreeMap;

use parley_agora::{codes, iris};
use serde::Serialize;

#[derive(Serialize)]
struct Names {
    /// Methods with the keys that go and come.
    requests: Vec<iris::requests::Described>,
    /// Structures within those.
    structures: Vec<iris::DescribedStructure>,
    /// Events with the keys that are read.
    events: Vec<iris::DescribedEvent>,
    /// Lists of numbers: name and number.
    codes: BTreeMap<&'static str, &'static [(&'static str, i32)]>,
    /// Single numbers that are sent: the list at Agora, our word, number.
    numbers: &'static [(&'static str, &'static str, i64)],
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let names = Names {
        requests: iris::requests::described(),
        structures: iris::described_structures(),
        events: iris::described_events(),
        codes: codes::known().into_iter().collect(),
        numbers: iris::NUMBERS,
    };
    println!("{}", serde_json::to_string_pretty(&names)?);
    Ok(())
}

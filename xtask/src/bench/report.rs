//! From samples to a line: medians with their spread, the ratio, and whether the target was met.

use serde_json::{Map, Value, json};

use super::contender::Kind;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    Higher,
    Lower,
}

#[derive(Clone, Copy)]
pub(super) enum Target {
    /// Parley's median stays below it.
    Below(f64),
    /// Parley's median is at least so many times Node's.
    AtLeastTimesNode(f64),
}

/// One figure of a metric, a sample for each round.
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) better: Better,
    pub(super) target: Option<Target>,
    pub(super) parley: Vec<f64>,
    pub(super) node: Vec<f64>,
}

impl Figure {
    /// How many times better Parley is than Node; below 1 it is worse.
    fn ratio(&self) -> Option<f64> {
        let (parley, node) = (some_median(&self.parley)?, some_median(&self.node)?);
        let ratio = match self.better {
            Better::Higher => parley / node,
            Better::Lower => node / parley,
        };
        ratio.is_finite().then_some(ratio)
    }

    fn is_met(&self) -> Option<bool> {
        match self.target? {
            Target::Below(limit) => some_median(&self.parley).map(|median| median < limit),
            Target::AtLeastTimesNode(times) => self.ratio().map(|ratio| ratio >= times),
        }
    }

    fn value(&self) -> Value {
        let mut value = json!({
            "parley": spread(&self.parley),
            "node": spread(&self.node),
            "ratio": self.ratio().map(round),
        });
        if let Some(target) = self.target {
            value["target"] = match target {
                Target::Below(limit) => json!(format!("< {limit}")),
                Target::AtLeastTimesNode(times) => json!(format!(">= {times} x node")),
            };
            value["met"] = json!(self.is_met());
        }
        value
    }
}

/// `cores` holds what the load generator said of processor time, for each server.
pub(super) fn line(metric: &str, unit: &str, figures: &[Figure], cores: &[(Kind, Vec<Value>)]) -> Value {
    let mut line = Map::new();
    line.insert("metric".to_owned(), json!(metric));
    line.insert("unit".to_owned(), json!(unit));
    for figure in figures {
        line.insert(figure.name.to_owned(), figure.value());
    }
    for (kind, samples) in cores.iter().filter(|(_, samples)| !samples.is_empty()) {
        let of = |who: &str| {
            let used: Vec<f64> = samples.iter().filter_map(|sample| sample[who].as_f64()).collect();
            some_median(&used).map(round)
        };
        let used = json!({ "server": of("serverCores"), "generator": of("generatorCores") });
        line.insert(format!("coresAt{}", if *kind == Kind::Parley { "Parley" } else { "Node" }), used);
    }
    Value::Object(line)
}

fn spread(samples: &[f64]) -> Value {
    let least = samples.iter().copied().min_by(f64::total_cmp);
    let most = samples.iter().copied().max_by(f64::total_cmp);
    json!({
        "median": some_median(samples).map(round),
        "min": least.map(round),
        "max": most.map(round),
        "rounds": samples.len(),
    })
}

fn some_median(samples: &[f64]) -> Option<f64> {
    if samples.is_empty() { None } else { Some(median(samples)) }
}

/// The middle one, or the mean of the two in the middle.
pub(super) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// Three digits behind the point, none for large numbers.
fn round(value: f64) -> f64 {
    if value.abs() >= 1000.0 { value.round() } else { (value * 1e3).round() / 1e3 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(better: Better, target: Target, parley: &[f64], node: &[f64]) -> Figure {
        Figure { name: "rate", better, target: Some(target), parley: parley.to_vec(), node: node.to_vec() }
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(&[4.0, 1.0, 3.0]), 3.0);
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn a_ratio_says_how_many_times_better_we_are() {
        let rate = figure(Better::Higher, Target::AtLeastTimesNode(8.0), &[900.0], &[100.0]);
        assert_eq!(rate.value()["ratio"], 9.0);
        assert_eq!(rate.value()["met"], true);
        let time = figure(Better::Lower, Target::Below(1.0), &[1.0, 2.0, 1.5], &[3.0]);
        assert_eq!(time.value()["ratio"], 2.0);
        assert_eq!(time.value()["met"], false);
    }

    #[test]
    fn what_was_not_measured_meets_nothing() {
        let none = figure(Better::Higher, Target::AtLeastTimesNode(8.0), &[], &[100.0]);
        assert_eq!(none.value()["met"], Value::Null);
        assert_eq!(none.value()["ratio"], Value::Null);
    }
}

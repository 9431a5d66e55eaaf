//! One JSON line a step, with its milliseconds.

use std::{
    fmt::Display,
    future::Future,
    io::Write,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

/// A step failed; its line is written.
#[derive(Debug)]
pub(crate) struct Failed;

/// What a step has found out, beside its time.
pub(crate) type Findings = Map<String, Value>;

/// Writes the lines.
pub(crate) struct Report<W> {
    out: W,
}

impl<W: Write> Report<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out }
    }

    /// Runs a step, but not longer than `limit`, and writes its line.
    pub(crate) async fn step<T>(
        &mut self,
        name: &'static str,
        limit: Duration,
        work: impl Future<Output = anyhow::Result<(T, Findings)>>,
    ) -> Result<T, Failed> {
        let begun = Instant::now();
        match tokio::time::timeout(limit, work).await {
            Ok(Ok((value, findings))) => self.write(name, true, begun, findings).map(|()| value),
            // The chain of causes, in one line.
            Ok(Err(error)) => self.fail(name, begun, format!("{error:#}")),
            Err(_) => self.fail(name, begun, format!("not done within {} s", limit.as_secs())),
        }
    }

    fn fail<T>(&mut self, name: &str, begun: Instant, error: impl Display) -> Result<T, Failed> {
        self.write(name, false, begun, findings(json!({ "error": error.to_string() })))?;
        Err(Failed)
    }

    /// `step`, `ok` and `ms` come first. A reader that is gone makes the run fail.
    fn write(&mut self, name: &str, is_ok: bool, begun: Instant, findings: Findings) -> Result<(), Failed> {
        let (name, ms) = (Value::from(name), milliseconds(begun.elapsed()));
        let rest = Value::Object(findings).to_string();
        let rest = match rest.trim_start_matches('{') {
            "}" => "}".to_owned(),
            members => format!(",{members}"),
        };
        let line = writeln!(self.out, "{{\"step\":{name},\"ok\":{is_ok},\"ms\":{ms}{rest}");
        line.and_then(|()| self.out.flush()).map_err(|_| Failed)
    }
}

/// No findings but those of `value`, which is a JSON object.
pub(crate) fn findings(value: Value) -> Findings {
    match value {
        Value::Object(findings) => findings,
        _ => Map::new(),
    }
}

/// With one decimal.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1_000.0)
}

/// With one decimal.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, bail};

    use super::*;

    fn lines(report: Report<Vec<u8>>) -> Vec<Value> {
        let text = String::from_utf8(report.out).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_and_a_hanging_step_are_one_line_each() {
        let mut report = Report::new(Vec::new());
        let failing = async { Err::<((), Findings), _>(anyhow::anyhow!("no route")).context("the server is away") };
        assert!(report.step("one", Duration::from_secs(1), failing).await.is_err());
        let hanging = std::future::pending::<anyhow::Result<((), Findings)>>();
        assert!(report.step("two", Duration::from_secs(3), hanging).await.is_err());
        let lines = lines(report);
        assert_eq!((&lines[0]["step"], &lines[0]["ok"]), (&json!("one"), &json!(false)));
        assert_eq!(lines[0]["error"], "the server is away: no route");
        assert_eq!(lines[1]["error"], "not done within 3 s");
    }

    #[tokio::test]
    async fn a_step_that_went_well_carries_its_time_and_what_it_found() {
        let mut report = Report::new(Vec::new());
        let work = async { Ok((7, findings(json!({ "frames": 300 })))) };
        assert_eq!(report.step("call.video", Duration::from_secs(1), work).await.unwrap(), 7);
        let refusing = async {
            if true {
                bail!("second");
            }
            Ok(((), Findings::new()))
        };
        assert!(report.step("done", Duration::from_secs(1), refusing).await.is_err());
        let lines = lines(report);
        assert_eq!((&lines[0]["ok"], &lines[0]["frames"]), (&json!(true), &json!(300)));
        assert!(lines[0]["ms"].as_f64().is_some_and(|ms| ms >= 0.0));
    }
}

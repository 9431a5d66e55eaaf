//! Progress that a person can follow: which step of how many, how long each took, and a table at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

enum Outcome {
    Passed,
    Failed,
    Skipped(String),
}

struct Row {
    name: String,
    took: Duration,
    outcome: Outcome,
}

pub(crate) struct Steps {
    total: usize,
    begun: Instant,
    rows: Vec<Row>,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self { total, begun: Instant::now(), rows: Vec::new() }
    }

    fn position(&self) -> String {
        let number = self.rows.len() + 1;
        format!("[{number}/{}]", self.total.max(number))
    }

    /// A step without which the rest is pointless: its error ends the task.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let position = self.position();
        eprintln!("{position} {name}");
        let begun = Instant::now();
        let result = work();
        let took = begun.elapsed();
        let outcome = if result.is_ok() { Outcome::Passed } else { Outcome::Failed };
        if took > Duration::from_secs(2) || result.is_err() {
            let word = if result.is_ok() { "done" } else { "FAILED" };
            eprintln!("{position} {name}: {word} after {}", seconds(took));
        }
        self.rows.push(Row { name: name.to_owned(), took, outcome });
        result
    }

    /// A step whose failure is remembered while the others still run.
    pub(crate) fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        if let Err(error) = self.step(name, work) {
            eprintln!("error: {error:#}");
        }
    }

    pub(crate) fn skip(&mut self, name: &str, why: &str) {
        eprintln!("{} {name}: skipped, {why}", self.position());
        self.rows.push(Row { name: name.to_owned(), took: Duration::ZERO, outcome: Outcome::Skipped(why.to_owned()) });
    }

    /// Prints the table; an error if any check failed.
    pub(crate) fn finish(self) -> Result<()> {
        let width = self.rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        println!();
        for row in &self.rows {
            let word = match &row.outcome {
                Outcome::Passed => {
                    passed += 1;
                    "ok".to_owned()
                }
                Outcome::Failed => {
                    failed += 1;
                    "FAILED".to_owned()
                }
                Outcome::Skipped(why) => {
                    skipped += 1;
                    format!("skipped: {why}")
                }
            };
            println!("{:width$}  {:>9}  {word}", row.name, seconds(row.took));
        }
        println!("{:width$}  {:>9}", "altogether", seconds(self.begun.elapsed()));
        println!("steps: {passed} passed, {failed} failed, {skipped} skipped");
        if failed > 0 { bail!("{failed} of {} steps failed", self.rows.len()) } else { Ok(()) }
    }
}

/// A length of time for people.
pub(crate) fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_fails_the_whole_but_not_the_next() {
        let mut steps = Steps::new(3);
        steps.check("first", || bail!("no"));
        let mut reached = false;
        steps.check("second", || {
            reached = true;
            Ok(())
        });
        steps.skip("third", "not here");
        assert!(reached);
        assert_eq!(steps.finish().unwrap_err().to_string(), "1 of 3 steps failed");
    }

    #[test]
    fn lengths_read_well() {
        assert_eq!(seconds(Duration::from_millis(1_250)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(61)), "1 min 01 s");
    }
}

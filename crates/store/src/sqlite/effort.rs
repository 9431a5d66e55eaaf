//! What calls cost, counted rather than timed: a statement for each row of a page, or a table that is read through,
//! shows on the fastest machine too.

use std::{
    cell::Cell,
    ops::AddAssign,
    sync::atomic::{AtomicU64, Ordering},
};

use rusqlite::{Statement, StatementStatus};

/// What one call has cost, or many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effort {
    /// Statements run, but those that begin and end transactions.
    pub(super) statements: u64,
    /// Steps that SQLite's machine took for them: about ten for a row that is found, a few for one that is passed by.
    pub(super) steps: u64,
}

impl AddAssign for Effort {
    fn add_assign(&mut self, other: Self) {
        self.statements += other.statements;
        self.steps += other.steps;
    }
}

/// Counts the statements of one call, which is on one thread.
#[derive(Default)]
pub(super) struct Meter(Cell<Effort>);

impl Meter {
    /// A statement was run to its end, or to where it was broken off.
    pub(super) fn count(&self, statement: &Statement<'_>) {
        let steps = statement.reset_status(StatementStatus::VmStep);
        let mut effort = self.0.get();
        effort += Effort { statements: 1, steps: u64::try_from(steps).unwrap_or(0) };
        self.0.set(effort);
    }

    pub(super) fn read(&self) -> Effort {
        self.0.get()
    }
}

/// The effort of all calls, of whatever threads.
#[derive(Default)]
pub(super) struct Total {
    statements: AtomicU64,
    steps: AtomicU64,
}

impl Total {
    pub(super) fn add(&self, effort: Effort) {
        self.statements.fetch_add(effort.statements, Ordering::Relaxed);
        self.steps.fetch_add(effort.steps, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> Effort {
        Effort { statements: self.statements.load(Ordering::Relaxed), steps: self.steps.load(Ordering::Relaxed) }
    }
}

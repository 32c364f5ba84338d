//! The rows of a table: each is one request, made again and again.

use std::time::{Duration, Instant};

/// Each measure lasts about so long, unless it is counted.
const SPAN: Duration = Duration::from_secs(2);

/// Which rows are made, and how often.
pub(crate) struct Rows {
    /// Only that of this name.
    only: Option<String>,
    /// So often, whatever time it takes: for a program that counts instructions.
    times: Option<u32>,
}

impl Rows {
    /// From the arguments `[ROW [TIMES]]`.
    pub(crate) fn of(mut arguments: impl Iterator<Item = String>) -> Self {
        let only = arguments.next();
        Self { only, times: arguments.next().and_then(|times| times.parse().ok()) }
    }

    /// Whether the row is to be made.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }

    pub(crate) fn row(&self, store: &str, name: &str, mut once: impl FnMut()) {
        self.row_while(store, name, || {
            once();
            true
        });
    }

    /// A row whose requests can come to an end.
    pub(crate) fn row_while(&self, store: &str, name: &str, mut once: impl FnMut() -> bool) {
        if !self.has(name) {
            return;
        }
        let (begin, mut count) = (Instant::now(), 0_u32);
        let is_due = |count| match self.times {
            Some(times) => count < times,
            None => begin.elapsed() < SPAN,
        };
        while is_due(count) && once() {
            count += 1;
        }
        let each = begin.elapsed().as_secs_f64() / f64::from(count.max(1));
        println!("{store:<8} {name:<42} {:>12.0} {:>12.1} {count:>9}", 1.0 / each, each * 1e6);
    }
}

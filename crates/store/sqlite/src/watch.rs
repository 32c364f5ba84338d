//! Who hears how long the store's work takes.

use std::time::{Duration, Instant};

/// Hears how long each piece of work took. It is called on the threads that do the work and must not block;
/// nothing depends on it.
pub trait Watch: Send + Sync + 'static {
    /// This piece of work is done, or has failed.
    fn done(&self, work: Work, took: Duration);
}

/// A piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Work {
    /// A step that writes, from its call to its answer: it waits for others, and for the disk.
    Step,
    /// A transaction with all steps that waited for it.
    Commit,
    /// A look-up by a key.
    LookUp,
    /// A list, or anything else that may take longer.
    Read,
}

/// Nobody hears it.
pub(crate) struct Unwatched;

impl Watch for Unwatched {
    fn done(&self, _: Work, _: Duration) {}
}

/// When a piece of work begins.
#[expect(
    clippy::disallowed_methods,
    reason = "how long work takes decides how others wait, and is told to a `Watch`; it is no time of day"
)]
pub(crate) fn begin() -> Instant {
    Instant::now()
}

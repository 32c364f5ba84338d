//! Moves the write-ahead log into the file, in a thread of its own, so that no step waits for it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use chancery_store::BackendError;

use crate::database::{Database, DatabaseFile};

const PERIOD: Duration = Duration::from_millis(250);

/// Above this many pages of 4 KiB (16 MiB) the log begins anew at its first page, for which the writer waits
/// a moment. A log that is written over costs the file system less than one that grows and is cut.
const LAP: i64 = 16 * 1024 / 4;

/// Above this many (64 MiB) the log is cut: readers kept it from beginning anew.
const LONGEST: i64 = 4 * LAP;

pub(crate) struct Checkpoints {
    /// `None` only while it is dropped: the thread ends with it.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    pub(crate) fn start(file: &DatabaseFile) -> Result<Self, BackendError> {
        let database = Database::writing(file)?;
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("store-checkpoints".into());
        let thread = thread.spawn(move || run(&database, &stopped)).map_err(BackendError::new)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn run(database: &Database, stopped: &Receiver<()>) {
    let mut done_at = None;
    while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
        // A failure does no harm: the log stays longer, and the next round tries again.
        let version =
            database.connection.query_row("pragma data_version", [], |row| row.get::<_, i64>(0)).ok();
        if version.is_some() && version == done_at {
            continue;
        }
        let Ok(log) = checkpoint(database, "pragma wal_checkpoint(passive)") else { continue };
        let log = log.still_needs().map_or(Ok(log), |more| checkpoint(database, more));
        done_at = version.filter(|_| log.is_ok_and(|log| log.is_moved()));
    }
}

/// What SQLite says about its log after a checkpoint.
#[derive(Clone, Copy)]
pub(crate) struct Log {
    pages: i64,
    moved: i64,
}

impl Log {
    pub(crate) fn is_moved(&self) -> bool {
        self.moved >= self.pages
    }

    /// What keeps a long log from growing on, for which the writer waits.
    fn still_needs(self) -> Option<&'static str> {
        if self.pages > LONGEST {
            Some("pragma wal_checkpoint(truncate)")
        } else if self.pages > LAP && !self.is_moved() {
            Some("pragma wal_checkpoint(restart)")
        } else {
            None
        }
    }
}

pub(crate) fn checkpoint(database: &Database, text: &str) -> rusqlite::Result<Log> {
    database.connection.query_row(text, [], |row| Ok(Log { pages: row.get(1)?, moved: row.get(2)? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_begins_anew_and_the_longest_is_cut() {
        let (restart, truncate) =
            (Some("pragma wal_checkpoint(restart)"), Some("pragma wal_checkpoint(truncate)"));
        for (pages, moved, needed) in [
            (0, 0, None),
            (LAP, 0, None),
            (LAP + 1, 0, restart),
            (LAP + 1, LAP, restart),
            // SQLite writes over it by itself.
            (LAP + 1, LAP + 1, None),
            (LONGEST, 0, restart),
            (LONGEST, LONGEST, None),
            (LONGEST + 1, 0, truncate),
            (LONGEST + 1, LONGEST + 1, truncate),
        ] {
            assert_eq!(Log { pages, moved }.still_needs(), needed, "{moved} of {pages} pages");
        }
    }
}

//! One line of JSON for each event, on the standard output. Whoever has something to tell hands it over and goes on;
//! a thread of the log's own makes lines of what has come together and writes them at once.

mod line;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chancery_core::event::{Event, RequestId};
use chancery_core::ports::{Clock as _, EventSink, SystemClock};
use chancery_types::Timestamp;

pub(crate) use self::line::rfc3339;

/// Lines that may wait; what comes beyond is counted and dropped, because a slow disk must not stop logins.
const QUEUE: usize = 4096;

/// How long the first of several lines waits for the others: waking a thread costs more than writing a line, and a
/// process that is killed loses what was said within this time.
const GATHERING: Duration = Duration::from_millis(10);

/// How long the end waits for the last lines to be taken: who reads them may have stopped to read.
const ENDING: Duration = Duration::from_secs(2);

/// So much text is written at once.
const CHUNK: usize = 64 * 1024;

/// From which weight on lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Info,
    Warn,
    Error,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// What becomes a line.
struct Entry {
    at: Timestamp,
    level: Level,
    /// How many found no room between this one and the one before it.
    dropped_before: u64,
    what: What,
}

enum What {
    /// Something that happened to the process.
    Said { event: &'static str, message: String },
    /// Something that happened to a request.
    Happened { request: RequestId, event: Event },
}

/// Where lines go. The lines that wait are written before it is gone, unless nobody takes them.
pub(crate) struct Log {
    from: Level,
    queue: Arc<Queue>,
}

impl Log {
    /// Starts to write to the standard output.
    pub(crate) fn start(from: Level) -> std::io::Result<Self> {
        // Not through the standard library's lock: whoever else prints must not wait for a reader of the log.
        Self::start_to(from, File::from(std::io::stdout().as_fd().try_clone_to_owned()?))
    }

    fn start_to(from: Level, out: impl Write + Send + 'static) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let of_thread = Arc::clone(&queue);
        std::thread::Builder::new().name("log".into()).spawn(move || of_thread.write_to(out))?;
        Ok(Self { from, queue })
    }

    /// Something that happens to the process rather than to a request.
    pub(crate) fn say(&self, level: Level, event: &'static str, message: &str) {
        if level >= self.from {
            let what = What::Said { event, message: message.to_owned() };
            self.queue.put(Entry { at: SystemClock.now(), level, dropped_before: 0, what });
        }
    }
}

impl EventSink for Log {
    fn record(&self, at: Timestamp, request: &RequestId, event: &Event) {
        let level = line::level(event);
        if level >= self.from {
            let what = What::Happened { request: request.clone(), event: event.clone() };
            self.queue.put(Entry { at, level, dropped_before: 0, what });
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.end(ENDING);
    }
}

/// Between those who tell and the thread that writes.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    moved: Condvar,
}

#[derive(Default)]
struct Waiting {
    entries: Vec<Entry>,
    dropped: u64,
    /// Nothing comes any more.
    is_ending: bool,
    /// Everything is written.
    has_ended: bool,
}

impl Queue {
    /// Never waits for the disk: the lock is held for a few instructions by everybody.
    fn put(&self, mut entry: Entry) {
        let mut waiting = self.lock();
        if waiting.entries.len() >= QUEUE {
            waiting.dropped += 1;
            return;
        }
        entry.dropped_before = std::mem::take(&mut waiting.dropped);
        waiting.entries.push(entry);
        let is_awaited = matches!(waiting.entries.len(), 1 | HALF);
        drop(waiting);
        if is_awaited {
            self.moved.notify_all();
        }
    }

    /// The thread's work. Lines that came together are written together.
    fn write_to(&self, mut out: impl Write) {
        let (mut entries, mut text) = (Vec::new(), String::new());
        while self.gather(&mut entries) {
            for entry in entries.drain(..) {
                line::append(&mut text, &entry);
                if text.len() >= CHUNK {
                    write(&mut out, &mut text);
                }
            }
            write(&mut out, &mut text);
        }
        self.lock().has_ended = true;
        self.moved.notify_all();
    }

    /// Waits for the first entry and then a little for others. Without any when nothing comes any more.
    fn gather(&self, entries: &mut Vec<Entry>) -> bool {
        let nothing = |waiting: &mut Waiting| waiting.entries.is_empty() && !waiting.is_ending;
        let waiting = self.moved.wait_while(self.lock(), nothing).unwrap_or_else(PoisonError::into_inner);
        let little = |waiting: &mut Waiting| waiting.entries.len() < HALF && !waiting.is_ending;
        let gathered = self.moved.wait_timeout_while(waiting, GATHERING, little);
        let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(entries, &mut waiting.entries);
        !entries.is_empty()
    }

    /// Lets the thread write what waits. Says whether it has.
    fn end(&self, within: Duration) -> bool {
        let mut waiting = self.lock();
        waiting.is_ending = true;
        self.moved.notify_all();
        let ended = self.moved.wait_timeout_while(waiting, within, |waiting| !waiting.has_ended);
        ended.unwrap_or_else(PoisonError::into_inner).0.has_ended
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many do not wait for others.
const HALF: usize = QUEUE / 2;

/// A closed pipe is no reason to stop serving.
fn write(out: &mut impl Write, text: &mut String) {
    let _closed = out.write_all(text.as_bytes());
    text.clear();
}

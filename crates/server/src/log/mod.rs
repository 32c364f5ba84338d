//! The log: one line per event, on the standard output. Entries are queued without waiting, and a
//! thread formats and writes all queued entries together.

mod fields;
mod line;
#[cfg(test)]
mod members;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd as _;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use chancery_core::event::{Event, Occasion, RequestId};
use chancery_core::ports::{Clock as _, EventSink, SystemClock};
use chancery_types::{Network, Timestamp};
use serde::Deserialize;

use crate::trace::Trace;

pub(crate) use self::fields::push_inert;

/// How many entries may wait. Further ones are dropped and counted, because a slow disk must not stop logins.
const QUEUE: usize = 4096;

/// How long the thread waits for more entries after the first, because waking it costs more than writing a
/// line. A process that is killed loses the entries of this time.
const GATHERING: Duration = Duration::from_millis(10);

/// How long the shutdown waits until the last lines are written, because their reader may have stopped.
const ENDING: Duration = Duration::from_secs(2);

/// How many bytes are written at once.
const CHUNK: usize = 64 * 1024;

/// What is logged, and in which form.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Logging {
    /// The lowest level that is logged.
    pub(crate) level: Level,
    pub(crate) format: Format,
}

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    /// For programs.
    #[default]
    Json,
    /// For people.
    Text,
}

/// The level of an entry, or the lowest level that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    #[default]
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

/// What a line is made from.
struct Entry {
    at: Timestamp,
    level: Level,
    /// How many entries were dropped between the last one and this one.
    dropped_before: u64,
    content: Content,
}

enum Content {
    /// An event of the process, perhaps about something that has a member of its own.
    Process { event: &'static str, about: Option<(&'static str, String)>, message: String },
    /// An event of a request.
    Request { request: RequestId, network: Option<Network>, trace: Option<Trace>, event: Event },
}

/// The log. Dropping it waits until the queued lines are written, unless their reader has stopped.
pub(crate) struct Log {
    logging: Arc<ArcSwap<Logging>>,
    queue: Arc<Queue>,
}

impl Log {
    /// Starts a log on the standard output.
    pub(crate) fn start(logging: Logging) -> std::io::Result<Self> {
        // It does not use the standard library's lock, so that other output never waits for a reader of the
        // log.
        Self::start_to(logging, File::from(std::io::stdout().as_fd().try_clone_to_owned()?))
    }

    fn start_to(logging: Logging, out: impl Write + Send + 'static) -> std::io::Result<Self> {
        let (logging, queue) = (Arc::new(ArcSwap::from_pointee(logging)), Arc::new(Queue::default()));
        let (forms, of_thread) = (Arc::clone(&logging), Arc::clone(&queue));
        std::thread::Builder::new().name("log".into()).spawn(move || of_thread.write_to(out, &forms))?;
        Ok(Self { logging, queue })
    }

    /// From now on, this is logged. Lines that wait to be written have the new form, too.
    pub(crate) fn change(&self, logging: Logging) {
        self.logging.store(Arc::new(logging));
    }

    fn has(&self, level: Level) -> bool {
        level >= self.logging.load().level
    }

    /// How many lines were dropped since the start, because nobody took them in time.
    pub(crate) fn lines_dropped(&self) -> u64 {
        self.queue.lock().dropped_in_all
    }

    /// Logs an event of the process.
    pub(crate) fn say(&self, level: Level, event: &'static str, message: &str) {
        if self.has(level) {
            self.answer(level, event, message);
        }
    }

    /// Logs what has become of a signal, at whichever level is logged.
    pub(crate) fn answer(&self, level: Level, event: &'static str, message: &str) {
        self.put(level, Content::Process { event, about: None, message: message.to_owned() });
    }

    /// Logs an event of the process that is about this member.
    pub(crate) fn say_of(
        &self,
        level: Level,
        event: &'static str,
        (name, value): (&'static str, &str),
        message: &str,
    ) {
        if self.has(level) {
            let about = Some((name, value.to_owned()));
            self.put(level, Content::Process { event, about, message: message.to_owned() });
        }
    }

    fn put(&self, level: Level, content: Content) {
        self.queue.put(Entry { at: SystemClock.now(), level, dropped_before: 0, content });
    }
}

impl EventSink for Log {
    fn record(&self, occasion: &Occasion<'_>, event: &Event) {
        let level = line::level(event);
        if self.has(level) {
            let (request, network) = (occasion.request_id.clone(), occasion.network);
            let content =
                Content::Request { request, network, trace: Trace::current(), event: event.clone() };
            self.queue.put(Entry { at: occasion.at, level, dropped_before: 0, content });
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.end(ENDING);
    }
}

/// The queue between the callers and the thread that writes.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    moved: Condvar,
}

#[derive(Default)]
struct Waiting {
    entries: Vec<Entry>,
    /// Since the last entry.
    dropped: u64,
    /// Since the start.
    dropped_in_all: u64,
    /// No more entries will come.
    is_ending: bool,
    /// Everything is written.
    has_ended: bool,
}

impl Queue {
    /// Queues an entry. It never waits for the disk, because the lock is only held for a few instructions.
    fn put(&self, mut entry: Entry) {
        let mut waiting = self.lock();
        if waiting.entries.len() >= QUEUE {
            waiting.dropped += 1;
            waiting.dropped_in_all += 1;
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

    /// The thread's loop, which writes queued lines together.
    fn write_to(&self, mut out: impl Write, logging: &ArcSwap<Logging>) {
        let (mut entries, mut text) = (Vec::new(), String::new());
        while self.gather(&mut entries) {
            let format = logging.load().format;
            for entry in entries.drain(..) {
                line::append(&mut text, format, &entry);
                if text.len() >= CHUNK {
                    write(&mut out, &mut text);
                }
            }
            write(&mut out, &mut text);
        }
        self.lock().has_ended = true;
        self.moved.notify_all();
    }

    /// Waits for the first entry, and then a little for more. It returns false when no more will come.
    fn gather(&self, entries: &mut Vec<Entry>) -> bool {
        let nothing = |waiting: &mut Waiting| waiting.entries.is_empty() && !waiting.is_ending;
        let waiting = self.moved.wait_while(self.lock(), nothing).unwrap_or_else(PoisonError::into_inner);
        let little = |waiting: &mut Waiting| waiting.entries.len() < HALF && !waiting.is_ending;
        let gathered = self.moved.wait_timeout_while(waiting, GATHERING, little);
        let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(entries, &mut waiting.entries);
        !entries.is_empty()
    }

    /// Lets the thread write the queued entries, and returns whether it has in time.
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

/// When so many entries are queued, the thread does not wait for more.
const HALF: usize = QUEUE / 2;

/// Ignores errors, because the server goes on even if nobody can read the log.
fn write(out: &mut impl Write, text: &mut String) {
    let _closed = out.write_all(text.as_bytes());
    text.clear();
}

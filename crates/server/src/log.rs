//! One line of JSON for each event, on the standard output; written by a thread of its own, so that nothing waits for it.

use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use chancery_core::context::RequestId;
use chancery_core::error::FaultKind;
use chancery_core::event::{Event, GrantEnd};
use chancery_core::ports::{Clock as _, EventSink};
use chancery_types::Timestamp;
use serde_json::{Map, Value, json};

use chancery_core::ports::SystemClock;

/// Lines that may wait; what comes beyond is counted and dropped, because a slow disk must not stop logins.
const QUEUE: usize = 4096;

/// From which weight on lines are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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

/// Where lines go. The lines that wait are written before it is gone.
pub(crate) struct Log {
    from: Level,
    dropped: AtomicU64,
    /// `None` only while it is dropped: the thread ends with the queue.
    queue: Option<SyncSender<String>>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Starts to write.
    pub(crate) fn start(from: Level) -> std::io::Result<Self> {
        let (queue, lines) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("log".into()).spawn(move || write(&lines))?;
        Ok(Self { from, dropped: AtomicU64::new(0), queue: Some(queue), thread: Some(thread) })
    }

    /// Something that happens to the process rather than to a request.
    pub(crate) fn say(&self, level: Level, event: &str, message: &str) {
        self.line(level, SystemClock.now(), event, None, json!({ "message": message }));
    }

    fn line(&self, level: Level, at: Timestamp, event: &str, request: Option<&RequestId>, fields: Value) {
        if level < self.from {
            return;
        }
        let mut line = Map::new();
        line.insert("time".into(), rfc3339(at).into());
        line.insert("level".into(), level.as_str().into());
        line.insert("event".into(), event.into());
        if let Some(RequestId(request)) = request {
            line.insert("request_id".into(), json!(request));
        }
        if let Value::Object(fields) = fields {
            line.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
        }
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            line.insert("dropped_before".into(), dropped.into());
        }
        let is_queued =
            self.queue.as_ref().is_some_and(|queue| queue.try_send(Value::Object(line).to_string()).is_ok());
        if !is_queued {
            self.dropped.fetch_add(dropped + 1, Ordering::Relaxed);
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// Lines that are there together are written together.
fn write(lines: &Receiver<String>) {
    while let Ok(first) = lines.recv() {
        let mut out = std::io::stdout().lock();
        for line in std::iter::once(first).chain(lines.try_iter()) {
            // A closed pipe is no reason to stop serving.
            let _closed = writeln!(out, "{line}");
        }
        let _closed = out.flush();
    }
}

impl EventSink for Log {
    fn record(&self, at: Timestamp, request: &RequestId, event: &Event) {
        let (level, fields) = told(event);
        self.line(level, at, event.name(), Some(request), fields);
    }
}

/// What a line says about an event. Nothing in it is a secret: events carry none.
fn told(event: &Event) -> (Level, Value) {
    match event {
        Event::AuthorizationGranted { client, account } | Event::ConsentGiven { client, account } => {
            (Level::Info, json!({ "client_id": client, "account": account }))
        }
        Event::Declined { client } | Event::TokenRevoked { client } | Event::UserInfoServed { client } => {
            (Level::Info, json!({ "client_id": client }))
        }
        Event::Faulted { endpoint, fault } => {
            let kind = match fault.kind() {
                FaultKind::Unavailable => "unavailable",
                FaultKind::Internal => "internal",
            };
            (Level::Error, json!({ "endpoint": endpoint.as_str(), "fault": kind, "message": fault.message() }))
        }
        Event::GrantEnded { client, why } => (Level::Info, json!({ "client_id": client, "why": grant_end(*why) })),
        Event::Introspected { client, active } => (Level::Info, json!({ "client_id": client, "active": active })),
        Event::LoginFailed | Event::LoginThrottled => (Level::Warn, json!({})),
        Event::LoginSucceeded { account } | Event::SessionEnded { account } => {
            (Level::Info, json!({ "account": account }))
        }
        Event::PeerUnknown { advice } => (Level::Warn, json!({ "message": advice })),
        Event::PromptShown { client, prompt } => (Level::Info, json!({ "client_id": client, "prompt": prompt })),
        Event::Refused { endpoint, reason, client } => {
            let fields = json!({
                "endpoint": endpoint.as_str(),
                "reason": reason.name,
                "section": reason.section,
                "client_id": client,
            });
            (Level::Warn, fields)
        }
        Event::TokensIssued { client, grant_type, account } => {
            (Level::Info, json!({ "client_id": client, "grant_type": grant_type.as_str(), "account": account }))
        }
        // The list of events grows with the engine; a new one is told by its name until it has a line here.
        _ => (Level::Info, json!({})),
    }
}

const fn grant_end(why: GrantEnd) -> &'static str {
    match why {
        GrantEnd::CodeReplayed => "code_replayed",
        GrantEnd::RefreshTokenReplayed => "refresh_token_replayed",
        GrantEnd::RevokedByClient => "revoked_by_client",
        GrantEnd::ConsentWithdrawn => "consent_withdrawn",
    }
}

/// `2026-11-24T08:00:00.000Z` (RFC 3339). The calendar of 400 years has 146,097 days; it is counted from 1 March, so
/// that the leap day is a year's last.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    let (days, in_day) = (at.millis().div_euclid(86_400_000), at.millis().rem_euclid(86_400_000));
    let from_march_0000 = days + 719_468;
    let (era, day_of_era) = (from_march_0000.div_euclid(146_097), from_march_0000.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (second, millis) = (in_day / 1_000 % 60, in_day % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar() {
        let at = |secs| rfc3339(Timestamp::from_secs(secs));
        assert_eq!(at(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(at(951_827_696), "2000-02-29T12:34:56.000Z");
        assert_eq!(at(1_709_164_800), "2024-02-29T00:00:00.000Z");
        assert_eq!(at(1_798_761_599), "2026-12-31T23:59:59.000Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00.000Z");
        assert_eq!(rfc3339(Timestamp::from_millis(-1)), "1969-12-31T23:59:59.999Z");
    }
}

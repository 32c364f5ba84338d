use std::sync::mpsc::{Receiver, Sender, channel};

use chancery_core::error::Reason;
use chancery_core::event::{Endpoint, LoginAttempt, RefusedClient};
use chancery_types::ClientId;
use chancery_types::iana::ErrorCode;
use serde_json::Value;

use super::*;

/// An output that is read as slowly as a test likes: each write waits for permission.
struct Pipe {
    written: Sender<String>,
    may_write: Receiver<()>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _nobody_waits = self.may_write.recv();
        let _nobody_reads = self.written.send(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Reader {
    written: Receiver<String>,
    /// When this is dropped, every write may go on.
    may_write: Option<Sender<()>>,
}

fn log(level: Level) -> (Log, Reader) {
    let ((written, read), (may, may_write)) = (channel(), channel());
    let log = Log::start_to(Logging { level, format: Format::Json }, Pipe { written, may_write }).unwrap();
    (log, Reader { written: read, may_write: Some(may) })
}

impl Reader {
    /// All lines that were written until the log ended.
    fn lines(self) -> Vec<Value> {
        let text: String = self.written.iter().collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn occasion<'a>(request: &'a RequestId, peer: Option<&str>) -> Occasion<'a> {
    let mut occasion = Occasion::new(Timestamp::from_millis(0), request);
    occasion.network = peer.map(|peer| Network::of(peer.parse().unwrap()));
    occasion
}

fn said(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["message"].as_str().unwrap()).collect()
}

#[test]
fn what_waits_at_the_end_is_written_in_order() {
    let (log, mut reader) = log(Level::Info);
    for text in ["a", "b\n\"", "c"] {
        log.say(Level::Info, "test", text);
    }
    reader.may_write = None;
    drop(log);
    let lines = reader.lines();
    assert_eq!(said(&lines), ["a", "b\n\"", "c"]);
}

#[test]
fn lines_below_the_level_are_not_written() {
    let (log, mut reader) = log(Level::Warn);
    reader.may_write = None;
    log.say(Level::Info, "test", "info");
    let attempt =
        LoginAttempt { account: None, name_digest: "d1".into(), client: ClientId::parse("web").unwrap() };
    let failed = Event::LoginFailed { attempt, reason: "unknown_name" };
    log.record(&occasion(&RequestId("r".into()), Some("192.0.2.1")), &failed);
    log.say(Level::Error, "test", "error");
    drop(log);
    let lines = reader.lines();
    assert_eq!(lines.iter().map(|line| &line["level"]).collect::<Vec<_>>(), ["warn", "error"]);
    assert_eq!(lines[0]["event"], "login_failed");
    for (field, value) in
        [("name_digest", "d1"), ("client_id", "web"), ("network", "192.0.2.1"), ("reason", "unknown_name")]
    {
        assert_eq!(lines[0][field], value, "FR-13: {field}");
    }
    assert_eq!(
        (&lines[0]["request_id"], &lines[0]["time"]),
        (&"r".into(), &"1970-01-01T00:00:00.000Z".into())
    );
}

/// FR-13: a refusal names the client and whether it was authenticated, in one line, whatever characters the
/// id has.
#[test]
fn a_refusal_is_one_line_with_client_and_network() {
    const REASON: Reason = Reason {
        name: "of_a_test",
        code: ErrorCode::InvalidClient,
        description: "",
        section: "RFC 6749 section 5.2",
    };
    let hostile = format!("{}{}", r#"","event":"x"}\\n\u000a{"<>&'"#, "~".repeat(220));
    let id = ClientId::parse(&hostile).unwrap();
    let (log, mut reader) = log(Level::Info);
    reader.may_write = None;
    let clients = [Some(RefusedClient::Authenticated(id.clone())), Some(RefusedClient::Claimed(id)), None];
    for client in clients {
        let peer = client.is_some().then_some("2001:db8:1:2:3::4");
        let refused = Event::Refused {
            endpoint: Endpoint::Token,
            reason: &REASON,
            client,
            redirect_uri: None,
            origins: None,
            methods: None,
        };
        log.record(&occasion(&RequestId("r".into()), peer), &refused);
    }
    drop(log);
    let lines = reader.lines();
    let named = |line: &Value| {
        [line["client_id"].clone(), line["client_authenticated"].clone(), line["network"].clone()]
    };
    let (network, absent) = (Value::from("2001:db8:1:2::/64"), Value::Null);
    assert_eq!(
        lines.iter().map(named).collect::<Vec<_>>(),
        [
            [hostile.as_str().into(), true.into(), network.clone()],
            [hostile.as_str().into(), false.into(), network],
            [absent.clone(), absent.clone(), absent],
        ]
    );
    assert!(lines.iter().all(|line| line["event"] == "refused" && line["reason"] == "of_a_test"));
}

/// If the disk is too slow, callers go on, and the next line that is written counts the dropped ones.
#[test]
fn dropped_entries_are_counted() {
    let (log, mut reader) = log(Level::Info);
    // While the first one is being written, the queue fills.
    log.say(Level::Info, "test", "0");
    while log.queue.lock().entries.len() == 1 {
        std::thread::yield_now();
    }
    for n in 1..=QUEUE + 3 {
        log.say(Level::Info, "test", &n.to_string());
    }
    reader.may_write.as_ref().unwrap().send(()).unwrap();
    while log.queue.lock().entries.len() == QUEUE {
        std::thread::yield_now();
    }
    log.say(Level::Info, "test", "late");
    reader.may_write = None;
    assert_eq!(log.lines_dropped(), 3);
    drop(log);
    let lines = reader.lines();
    let last = lines.last().unwrap();
    assert_eq!((lines.len(), said(&lines)[QUEUE], said(&lines)[QUEUE + 1]), (QUEUE + 2, "4096", "late"));
    assert_eq!(last["dropped_before"], 3);
    assert!(lines.iter().rev().skip(1).all(|line| line.get("dropped_before").is_none()));
}

/// FR-17: the shutdown does not wait for a reader that has stopped.
#[test]
fn a_reader_that_has_stopped_does_not_delay_the_shutdown() {
    let (log, reader) = log(Level::Info);
    log.say(Level::Info, "test", "never read");
    assert!(!log.queue.end(Duration::from_millis(50)));
    drop(reader);
    assert!(log.queue.end(Duration::from_secs(60)), "it ends when the reader is gone");
}

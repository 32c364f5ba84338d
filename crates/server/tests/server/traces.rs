//! Spans on their way to a collector: here a socket of the test, which reads the messages of OTLP by hand.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use crate::sessions::sign_in_with;
use crate::support::{Server, done, initialised, post, refused};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const SECRET: &str = "a secret of at least thirty-two characters";

fn client() -> String {
    format!(
        r#"{{"client_id":"app","client_secret":"{SECRET}","redirect_uris":["https://app.example/cb"],
            "token_endpoint_auth_method":"client_secret_post",
            "chancery":{{"consent":"implied","pkce_optional":true}}}}"#
    )
}

/// The head of a request to the collector, and its body.
type Export = (String, Vec<u8>);

/// What has arrived: the heads and the bodies of requests.
#[derive(Clone, Default)]
struct Arrived(Arc<Mutex<Vec<Export>>>);

/// Takes everything that is posted, as a collector does.
fn collector() -> (SocketAddr, Arrived) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, arrived) = (listener.local_addr().unwrap(), Arrived::default());
    let taken = arrived.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
            }
            let lower = head.to_lowercase();
            let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let mut body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            taken.0.lock().unwrap().push((head, body));
            let answer =
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
            reader.into_inner().write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, arrived)
}

/// A field of a message (Protocol Buffers, "Encoding").
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for place in 0.. {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Value<'_>)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let fixed = |length: usize, bytes: &mut &[u8]| {
            let (number, rest) = bytes.split_at(length);
            *bytes = rest;
            Value::Number(number.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
        };
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut bytes)),
            1 => fixed(8, &mut bytes),
            5 => fixed(4, &mut bytes),
            _ => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                let (value, rest) = bytes.split_at(length);
                bytes = rest;
                Value::Bytes(value)
            }
        };
        fields.push((tag >> 3, value));
    }
    fields
}

/// The messages below this field.
fn below(bytes: &[u8], field: u64) -> Vec<&[u8]> {
    let found = fields(bytes).into_iter().filter_map(|(number, value)| match value {
        Value::Bytes(bytes) if number == field => Some(bytes),
        _ => None,
    });
    found.collect()
}

fn number(bytes: &[u8], field: u64) -> u64 {
    let found = fields(bytes).into_iter().find_map(|(number, value)| match value {
        Value::Number(value) if number == field => Some(value),
        _ => None,
    });
    found.unwrap_or_default()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// `trace/v1/trace.proto`, `message Span`.
#[derive(Debug)]
struct Span {
    trace: String,
    id: String,
    parent: String,
    name: String,
    kind: u64,
    attributes: BTreeMap<String, String>,
    events: Vec<String>,
    is_error: bool,
}

impl Span {
    fn read(span: &[u8]) -> Self {
        let hex =
            |field| below(span, field).concat().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let attribute = |pair: &[u8]| {
            let value = below(pair, 2).concat();
            let shown = below(&value, 1).first().map(|shown| text(shown));
            (text(&below(pair, 1).concat()), shown.unwrap_or_else(|| number(&value, 3).to_string()))
        };
        Self {
            trace: hex(1),
            id: hex(2),
            parent: hex(4),
            name: text(&below(span, 5).concat()),
            kind: number(span, 6),
            events: below(span, 11).into_iter().map(|event| text(&below(event, 2).concat())).collect(),
            attributes: below(span, 9).into_iter().map(attribute).collect(),
            is_error: below(span, 15).first().is_some_and(|status| number(status, 3) == 2),
        }
    }

    fn has(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

impl Arrived {
    /// The spans that have arrived, with the heads of the requests that brought them.
    fn spans(&self) -> (String, Vec<Span>) {
        let (mut heads, mut spans) = (String::new(), Vec::new());
        for (head, body) in self.0.lock().unwrap().iter() {
            heads.push_str(head);
            for scopes in below(body, 1).into_iter().flat_map(|resource| below(resource, 2)) {
                spans.extend(below(scopes, 2).into_iter().map(Span::read));
            }
        }
        (heads, spans)
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().iter().flat_map(|(_, body)| body.clone()).collect()
    }
}

/// A login and its tokens are seen by a collector: requests below the caller's span, the steps of the store below
/// their requests, and nothing that is secret or about a person.
#[test]
fn a_login_is_seen_by_a_collector() {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], &client());
    let (address, arrived) = collector();
    let mut command = crate::support::chancery(&folder);
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "x-collector-key=of-the-collector");
    let endpoint = format!("traces.endpoint=http://{address}/v1/traces");
    command.args(["serve", "--set", "http.listen=127.0.0.1:0", "--set", "management.listen=127.0.0.1:0"]);
    command.args(["--set", &endpoint, "--set", "traces.service_name=login"]);
    let mut server = Server::spawn(command);
    let http = server.address("http");
    let traced = format!("traceparent: 00-{TRACE}-{CALLER}-01\r\n");
    let code = sign_in_with(http, "app", "alice", &traced);
    let form = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&client_id=app&\
         client_secret=a+secret+of+at+least+thirty-two+characters"
    );
    let (status, tokens) = post(http, "/token", &form);
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(post(http, "/token", &form).0, 400, "a code counts once");
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));

    let (heads, spans) = arrived.spans();
    assert!(
        heads.contains("POST /v1/traces HTTP/1.1") && heads.contains("x-collector-key: of-the-collector"),
        "{heads}"
    );
    let requests: Vec<&Span> = spans.iter().filter(|span| span.kind == 2).collect();
    let names: Vec<&str> = requests.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["GET authorization", "POST interaction", "POST token", "POST token"], "{spans:#?}");
    for (span, (status, outcome, events)) in requests.iter().zip([
        ("200", "answered", ["peer_unknown", "prompt_shown"].as_slice()),
        ("303", "answered", ["login_succeeded", "authorization_granted"].as_slice()),
        ("200", "answered", ["tokens_issued"].as_slice()),
        ("400", "code_used", ["grant_ended", "refused"].as_slice()),
    ]) {
        let is_of_caller = span.name != "POST token";
        assert_eq!(span.trace == TRACE && span.parent == CALLER, is_of_caller, "{span:?}");
        assert!(is_of_caller || (span.parent.is_empty() && span.trace.len() == 32), "{span:?}");
        assert_eq!(span.has("http.response.status_code"), status, "{span:?}");
        assert_eq!(
            (span.has("chancery.outcome"), span.has("chancery.client_id")),
            (outcome, "app"),
            "{span:?}"
        );
        assert_eq!(span.events, events, "{span:?}");
        assert!(!span.is_error, "{span:?}");
    }
    let steps: Vec<&Span> = spans.iter().filter(|span| span.kind != 2).collect();
    for step in &steps {
        let request = requests.iter().find(|request| request.id == step.parent);
        assert!(request.is_some_and(|request| request.trace == step.trace), "{step:?}");
    }
    let of = |request: &Span| {
        let steps = steps.iter().filter(|step| step.parent == request.id);
        let told = steps.map(|step| {
            let [operation, kind, outcome] =
                ["operation", "kind", "outcome"].map(|name| step.has(&format!("chancery.store.{name}")));
            format!("{operation} {kind} {outcome}")
        });
        told.collect::<Vec<String>>()
    };
    assert_eq!(of(requests[2]), ["get authorization_code found", "redeem authorization_code first"]);
    assert!(of(requests[1]).iter().any(|step| step.starts_with("insert ")), "{:?}", of(requests[1]));

    let bytes = arrived.bytes();
    let sent = String::from_utf8_lossy(&bytes);
    let tokens: serde_json::Value = serde_json::from_str(&tokens).unwrap();
    let [access, id_token] = ["access_token", "id_token"].map(|name| tokens[name].as_str().unwrap());
    for secret in
        [SECRET, "secret", "alice", "correct horse", &code, access, id_token, "of-the-collector", "127.0.0.1"]
    {
        assert!(!sent.contains(secret), "{secret}");
    }
    assert!(sent.contains("login"), "the name of the service");
    let lines = server.printed().iter().filter(|line| line.contains("authorization_granted"));
    assert!(
        lines.clone().count() == 1 && lines.clone().all(|line| line.contains(TRACE)),
        "the log names the trace"
    );
}

/// Whoever calls decides whether a request is recorded; for all others a number does.
#[test]
fn not_every_request_is_recorded() {
    let folder = initialised();
    let (address, arrived) = collector();
    let endpoint = format!("traces.endpoint=http://{address}/v1/traces");
    let mut server = Server::start(&folder, &[&endpoint, "traces.one_in=4294967295"]);
    let http = server.address("http");
    let ask = |header: &str| {
        let head = format!("GET /jwks HTTP/1.1\r\nHost: id.example.org\r\nConnection: close\r\n{header}\r\n");
        assert_eq!(crate::support::http(http, &head).0, 200);
    };
    for _ in 0..20 {
        ask("");
    }
    ask(&format!("traceparent: 00-{TRACE}-{CALLER}-00\r\n"));
    ask(&format!("traceparent: 00-{TRACE}-{CALLER}-01\r\n"));
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let (_, spans) = arrived.spans();
    let seen: Vec<(&str, &str)> =
        spans.iter().map(|span| (span.name.as_str(), span.trace.as_str())).collect();
    assert_eq!(seen, [("GET jwks", TRACE)], "{spans:#?}");
}

/// A collector that is away delays nobody, and the log says it once.
#[test]
fn a_collector_that_is_away_is_told_once() {
    let folder = initialised();
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("traces.endpoint=http://{away}/v1/traces");
    let mut server = Server::start(&folder, &[&endpoint]);
    let http = server.address("http");
    for _ in 0..3 {
        assert_eq!(crate::support::get(http, "/jwks").0, 200);
    }
    server.wait_for("traces_lost");
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let told = server.printed().iter().filter(|line| line.contains("traces_lost")).count();
    assert_eq!(told, 1);
}

#[test]
fn an_address_that_is_none_is_refused() {
    let folder = initialised();
    let why = refused(&folder, &["check", "--set", "traces.endpoint=collector:4317"], "");
    assert!(why.contains("traces.endpoint") && why.contains("http://127.0.0.1:4318/v1/traces"), "{why}");
}

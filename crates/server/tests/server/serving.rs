//! The server as a process: it answers, sees changes, is patient within bounds, and ends without losing
//! anything.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{self, PATIENCE, Server, ask, done, get, get_as, initialised, post, refused};

const CLIENT: &str = r#"{"client_id":"api","client_secret":"a secret of at least thirty-two characters","grant_types":["client_credentials"],"response_types":[],"redirect_uris":[],"token_endpoint_auth_method":"client_secret_post"}"#;
const GRANT: &str =
    "grant_type=client_credentials&client_id=api&client_secret=a+secret+of+at+least+thirty-two+characters";

#[test]
fn it_answers_and_says_how_it_is() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    let (http, management) = (server.address("http"), server.address("management"));
    let (status, body) = get(http, "/.well-known/openid-configuration");
    assert_eq!(status, 200);
    assert!(body.contains("\"issuer\":\"https://id.example.org\""), "{body}");
    assert_eq!(get(http, "/jwks").0, 200);
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(ask(management, path).0, 200, "{path}");
        for host in ["localhost", "[::1]:9090"] {
            assert_eq!(get_as(management, host, path).0, 200, "{host}{path}");
        }
        // DNS rebinding: a page of a stranger, whose name leads here.
        for host in ["id.example.org", "evil.example:9090", "localhost.evil.example"] {
            let (status, text) = get_as(management, host, path);
            assert!(
                status == 421 && text.contains("127.0.0.1 or localhost"),
                "{host}{path}: {status} {text}"
            );
        }
        for host in ["a b", "evil@127.0.0.1"] {
            assert_eq!(get_as(management, host, path).0, 400, "{host}{path}");
        }
    }
    assert_eq!(get(http, "/livez").0, 404, "health is not for everybody");
    assert_eq!(ask(management, "/jwks").0, 404);
}

/// PROXY-01: a proxy that nobody named is said once.
#[test]
fn a_forwarded_address_that_is_not_believed_is_told_once() {
    let folder = initialised();
    let mut server = Server::start(&folder, &["http.trusted_proxies=10.0.0.0/8"]);
    let http = server.address("http");
    for _ in 0..3 {
        let head = "GET /jwks HTTP/1.1\r\nHost: id.example.org\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";
        assert_eq!(crate::support::http(http, head).0, 200);
    }
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let warnings = server.printed().iter().filter(|line| line.contains("forwarded_for_ignored")).count();
    assert_eq!(warnings, 1);
}

/// A proxy that asks by a name of its own is said once for the name, with what to do.
#[test]
fn a_host_that_is_not_handed_on_is_told_once() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    for host in ["id.example.org", "chancery", "chancery", "id.example.org:443"] {
        assert!(get_as(http, host, "/account").0 < 400, "{host}");
    }
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let said: Vec<_> = server.printed().iter().filter(|line| line.contains("host_not_handed_on")).collect();
    assert!(
        matches!(&*said, [line] if line.contains("the proxy 127.0.0.1 asks for chancery where browsers ask for id.example.org")),
        "{said:?}"
    );
}

/// A22: a command's change is seen within 1 s.
#[test]
fn a_command_s_change_is_seen_within_a_second() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let within_a_second = |expected: u16| {
        let begun = Instant::now();
        loop {
            // What was asked more than a second after the change has seen it, however long the answer takes
            // on a busy machine.
            let asked_after = begun.elapsed();
            if post(http, "/token", GRANT).0 == expected {
                break;
            }
            assert!(asked_after < Duration::from_millis(1_100), "not {expected} after {asked_after:?}");
        }
    };
    assert_eq!(post(http, "/token", GRANT).0, 401);
    done(&folder, &["client", "add", "--file", "-"], CLIENT);
    within_a_second(200);
    done(&folder, &["client", "remove", "api"], "");
    within_a_second(401);
}

/// A22: nothing in flight is lost. Each client of this load opens connections and uses them until they are
/// closed.
#[test]
fn sigterm_under_load_loses_nothing() {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], CLIENT);
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let (answered, is_over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (answered, is_over) = (answered.clone(), is_over.clone());
            std::thread::spawn(move || keep_asking(http, &answered, &is_over))
        })
        .collect();
    while answered.load(Ordering::Relaxed) < 200 {
        std::thread::yield_now();
    }
    is_over.store(true, Ordering::Relaxed);
    server.signal("TERM");
    let lost: Vec<String> = clients.into_iter().filter_map(|client| client.join().unwrap().err()).collect();
    assert_eq!(lost, [""; 0]);
    assert_eq!(server.end(), Some(0));
    let printed = server.printed();
    assert!(printed.iter().any(|line| line.contains("\"ended\"")), "{printed:#?}");
}

/// Asks, each time on the same connection while the server keeps it, until the server ends one after its end
/// was asked for. A request that was sent and not answered is lost.
fn keep_asking(address: SocketAddr, answered: &AtomicUsize, is_over: &AtomicBool) -> Result<(), String> {
    loop {
        let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        loop {
            let head = "POST /token HTTP/1.1\r\nHost: id.example.org\r\nContent-Type: application/x-www-form-urlencoded";
            let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{GRANT}", GRANT.len());
            stream.write_all(request.as_bytes()).map_err(|error| format!("send: {error}"))?;
            let answer = answer(&mut stream)?;
            if !answer.starts_with("HTTP/1.1 200") {
                return Err(answer);
            }
            answered.fetch_add(1, Ordering::Relaxed);
            if answer.to_lowercase().contains("connection: close") {
                if is_over.load(Ordering::Relaxed) {
                    return Ok(());
                }
                break;
            }
        }
    }
}

/// Reads one answer with a `Content-Length`.
fn answer(stream: &mut TcpStream) -> Result<String, String> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count =
            stream.read(&mut buffer).map_err(|error| format!("after {} bytes: {error}", text.len()))?;
        if count == 0 {
            return Err(format!("closed after {} bytes", text.len()));
        }
        text.extend(buffer.iter().take(count));
        let so_far = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = so_far.split_once("\r\n\r\n") {
            let length = head
                .to_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if length == Some(body.len()) {
                return Ok(so_far);
            }
        }
    }
}

#[test]
fn sigterm_makes_it_unready_first_and_waits_for_a_request_in_flight() {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], CLIENT);
    let mut server = Server::start(&folder, &[]);
    let (http, management) = (server.address("http"), server.address("management"));
    let mut stream = TcpStream::connect(http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head =
        "POST /token HTTP/1.1\r\nHost: id.example.org\r\nContent-Type: application/x-www-form-urlencoded";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n", GRANT.len()).unwrap();
    server.signal("TERM");
    server.wait_for("\"event\":\"ending\"");
    assert_eq!(ask(management, "/readyz").0, 503);
    assert_eq!(ask(management, "/livez").0, 200);
    stream.write_all(GRANT.as_bytes()).unwrap();
    let answer = answer(&mut stream).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.end(), Some(0));
}

/// FR-17: nobody reads the log any more, and its pipe is full; the end does not wait for a reader.
#[test]
fn the_end_waits_for_no_reader_of_the_log() {
    let folder = initialised();
    let mut command = crate::support::chancery(&folder);
    command.args(["serve", "--set", "http.listen=127.0.0.1:0", "--set", "management.listen="]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut unread = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("\"http on ") {
        line.clear();
        assert!(unread.read_line(&mut line).unwrap() > 0);
    }
    let address = line.split(" on ").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    for _ in 0..1000 {
        assert_eq!(post(address, "/token", "client_id=nobody&grant_type=client_credentials").0, 401);
    }
    assert!(Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap().success());
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begun.elapsed() > PATIENCE => {
                let _ended = child.kill();
                panic!("it does not end");
            }
            None => std::thread::yield_now(),
        }
    };
    assert!(status.success(), "{status}");
    drop(unread);
}

/// FR-18: RFC 9112 section 3.2.
#[test]
fn http_1_1_without_a_host_is_refused() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    for address in [server.address("http"), server.address("management")] {
        for (hosts, version, is_refused) in [
            ("", "1.1", true),
            ("Host: a\r\nHost: b\r\n", "1.1", true),
            ("Host: a b\r\n", "1.1", true),
            ("Host: a\r\n", "1.1", false),
            ("", "1.0", false),
        ] {
            let request = format!("GET /livez HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n");
            assert_eq!(crate::support::http(address, &request).0 == 400, is_refused, "{request:?}");
        }
    }
}

/// A22: a slow header and a slow body are cut; the bounds are shorter here than 10 s and 30 s.
#[test]
fn a_slow_header_and_a_slow_body_are_cut() {
    let folder = initialised();
    let mut server = Server::start(&folder, &["http.header_timeout=300ms", "http.body_timeout=400ms"]);
    let http = server.address("http");
    let head = "POST /token HTTP/1.1\r\nHost: id.example.org\r\nContent-Length: 100\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n";
    for (sent, at_least) in [(head, 300), (&format!("{head}\r\ngrant_type="), 400)] {
        let begun = Instant::now();
        let mut stream = TcpStream::connect(http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        let mut rest = Vec::new();
        // Closed or reset, with or without an answer before.
        let _reset = stream.read_to_end(&mut rest);
        let took = begun.elapsed();
        assert!(
            took >= Duration::from_millis(at_least) && took < Duration::from_secs(5),
            "{took:?} for {sent:?}"
        );
        assert!(!String::from_utf8_lossy(&rest).contains(" 200 "), "{rest:?}");
    }
}

/// RFC 9110 section 10.1.1: nobody is asked for a body that would not be read.
#[test]
fn a_body_is_asked_for_only_when_it_will_be_read() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let head = "Host: id.example.org\r\nConnection: close\r\nExpect: 100-continue";
    let form = "Content-Type: application/x-www-form-urlencoded";
    for (path, header, length, first) in [
        ("/token", form, 65_536, "HTTP/1.1 100 Continue"),
        ("/token", form, 65_537, "HTTP/1.1 413 "),
        ("/authorize", form, 1_000_000_000, "HTTP/1.1 413 "),
        ("/token", "Content-Type: application/json", 10, "HTTP/1.1 400 "),
        ("/jwks", form, 10, "HTTP/1.1 405 "),
        ("/nowhere", form, 10, "HTTP/1.1 404 "),
    ] {
        let mut stream = TcpStream::connect(http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "POST {path} HTTP/1.1\r\n{head}\r\n{header}\r\nContent-Length: {length}\r\n\r\n")
            .unwrap();
        let mut begin = vec![0; first.len()];
        stream.read_exact(&mut begin).unwrap();
        assert_eq!(String::from_utf8_lossy(&begin), first, "{path} {header} {length}");
    }
}

/// What is loosened is logged at each start and reload, one line for each setting, with the section that it
/// leaves.
#[test]
fn the_log_says_what_is_loosened() {
    let folder = initialised();
    let set = ["compatibility.implicit=true", "compatibility.wildcard_redirect_uris=true"];
    let mut server = Server::start(&folder, &set);
    for text in [
        "compatibility.implicit leaves RFC 9700 section 2.1.2",
        "compatibility.wildcard_redirect_uris leaves RFC 9700 section 2.1",
    ] {
        let line = server.wait_for(text);
        assert!(line.contains("\"loosened\"") && line.contains("\"warn\""), "{line}");
    }
    let path = folder.join("chancery.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    let now = before.replace("[compatibility]\n", "[compatibility]\nempty_scope_members = true\n");
    assert_ne!(before, now);
    std::fs::write(&path, now).unwrap();
    server.signal("HUP");
    server.wait_for("configuration_reloaded");
    server.wait_for("compatibility.empty_scope_members leaves RFC 6749 section 3.3");
}

#[test]
fn sighup_takes_a_good_configuration_and_keeps_the_old_one_instead_of_a_bad_one() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let path = folder.join("chancery.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    let now = before.replace("# token = \"/token\"", "token = \"/oauth/token\"");
    assert_ne!(before, now);
    std::fs::write(&path, now).unwrap();
    server.signal("HUP");
    server.wait_for("configuration_reloaded");
    assert_eq!(get(http, "/oauth/token").0, 405);
    assert_eq!(get(http, "/token").0, 404);
    std::fs::write(&path, "issuer = 1\nrealm = 2\n").unwrap();
    server.signal("HUP");
    let line = server.wait_for("configuration_kept");
    assert!(line.contains("issuer: ") && line.contains("; realm: ") && !line.contains("u000a"), "{line}");
    assert_eq!(get(http, "/oauth/token").0, 405);
}

/// What does not count before a restart is named at each reload, as long as it differs from what the server was started
/// with; how the log is written counts at once.
#[test]
fn sighup_names_what_waits_for_a_restart() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    let path = folder.join("chancery.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    let now = before
        .replace("# threads = 2", "threads = 3")
        .replace("# connections = 4096", "connections = 4000")
        .replace("# queue = 32", "queue = 32")
        .replace("# format = \"json\"", "format = \"text\"");
    assert_ne!(before, now);
    std::fs::write(&path, now).unwrap();
    server.signal("HUP");
    let line = server.wait_for("configuration_waits");
    let values = "http.connections from 4096 to 4000, passwords.threads from 2 to 3: changed, and the values of the start go on";
    assert!(line.contains(values), "{line}");
    assert!(line.contains(" WARN  configuration_waits: "), "the new form counts: {line}");
    let line = server.wait_for("configuration_reloaded");
    assert!(line.contains("new requests use what has changed: log.format"), "{line}");
    std::fs::write(&path, before).unwrap();
    server.signal("HUP");
    let line = server.wait_for("as at the start again");
    let told = "\"new requests use what has changed: log.format; as at the start again, and waiting for no restart: \
                http.connections, passwords.threads\"";
    assert!(line.contains("\"event\":\"configuration_reloaded\"") && line.contains(told), "{line}");
    server.signal("HUP");
    server.wait_for("no setting has changed");
}

/// Nothing of a file is taken that would make another server of this one, and the log says what to do. Whoever has sent a signal
/// gets an answer, also where the log has faults alone.
#[test]
fn sighup_says_what_it_has_not_taken_at_every_level() {
    let folder = initialised();
    let mut server = Server::start(&folder, &["management.listen=127.0.0.1:0"]);
    let path = folder.join("chancery.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    let quiet = before.replace("# level = \"info\"", "level = \"warn\"");
    assert_ne!(before, quiet);
    std::fs::write(&path, &quiet).unwrap();
    server.signal("HUP");
    server.wait_for("new requests use what has changed: log.level");
    let section = "\n[[resource_server]]\nuri = \"https://api.example\"\n";
    std::fs::write(&path, quiet.clone() + section).unwrap();
    server.signal("HUP");
    server.wait_for("new requests use what has changed: resource_server");
    for (from, to, said) in [
        (
            "issuer = \"https://id.example.org\"",
            "issuer = \"https://new.example.org\"",
            "issuer: changed from https://id.example.org to https://new.example.org, to which the store does not belong: nothing of \
             the file was taken",
        ),
        ("# realm = \"main\"", "realm = \"other\"", "realm: changed from main to other"),
    ] {
        let now = quiet.replace(from, to);
        assert_ne!(now, quiet, "{from}");
        std::fs::write(&path, now).unwrap();
        server.signal("HUP");
        let line = server.wait_for(said);
        assert!(line.contains("configuration_kept") && line.contains("Move to another machine"), "{line}");
    }
    std::fs::remove_file(&path).unwrap();
    server.signal("HUP");
    let line =
        server.wait_for("chancery.toml does not exist: put it back; the configuration of before goes on");
    assert!(line.contains("configuration_kept") && !line.contains("chancery init"), "{line}");
    server.signal("TERM");
    server.wait_for("\"ended\"");
}

/// A store that was filled for one issuer is not served for another by mistake.
#[test]
fn a_store_belongs_to_its_issuer_until_somebody_moves_it() {
    let folder = initialised();
    let moved = ["--set", "issuer=https://id.example.org/auth"];
    for command in ["check", "serve"] {
        let said = refused(&folder, &[&[command][..], &moved].concat(), "");
        for part in [
            "issuer: https://id.example.org/auth is not the issuer of this store, which is https://id.example.org:",
            "Set issuer to https://id.example.org,",
            "`chancery accept-issuer`",
        ] {
            assert!(said.contains(part), "{command}: {said}");
        }
    }
    let said = done(&folder, &[&["accept-issuer"][..], &moved].concat(), "");
    let (belongs, next) = said.split_once("\nended: every session and token of before\nnext:  ").unwrap();
    let new = "the store belongs to https://id.example.org/auth from now on, and no longer to https://id.example.org";
    assert!(belongs == new && next.contains("up for https://id.example.org/auth,"), "{said}");
    let again = done(&folder, &[&["accept-issuer"][..], &moved].concat(), "");
    assert_eq!(again, "the store belongs to https://id.example.org/auth already; nothing was changed\n");
    assert!(done(&folder, &[&["check"][..], &moved].concat(), "").contains("the configuration is good"));
    let said = refused(&folder, &["check"], "");
    assert!(said.contains("https://id.example.org is not the issuer of this store"), "{said}");
}

/// A18: one line of JSON for each event, with a request id and without what was sent.
#[test]
fn the_log_has_a_line_for_each_event_and_no_secret() {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], CLIENT);
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let (_, body) = post(http, "/token", GRANT);
    let token = body.split('"').find(|part| part.starts_with("at_")).unwrap().to_owned();
    let issued = server.wait_for("tokens_issued");
    assert!(issued.contains("\"client_id\":\"api\"") && issued.contains("\"request_id\":\""), "{issued}");
    // As the proxy that `init` expects before an https issuer tells it.
    let through_the_proxy = |form: &str| {
        let head = "Host: id.example.org\r\nConnection: close\r\nX-Forwarded-For: 198.51.100.7\r\n\
            Content-Type: application/x-www-form-urlencoded";
        let request =
            format!("POST /token HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len());
        support::http(http, &request).0
    };
    let guess = "grant_type=client_credentials&client_id=api&client_secret=hunter2";
    assert_eq!(through_the_proxy(guess), 401);
    let refused = server.wait_for("\"refused\"");
    let refused: serde_json::Value = serde_json::from_str(&refused).unwrap();
    assert_eq!(
        (&refused["reason"], &refused["client_id"]),
        (&"client_secret_wrong".into(), &"api".into()),
        "{refused}"
    );
    assert_eq!(refused["client_authenticated"], false, "FR-13: {refused}");
    assert_eq!(refused["network"], "198.51.100.7", "FR-13: {refused}");
    // A hostile id adds no line and is not told.
    let hostile = format!(
        "client_id=%0D%0A%7B%22event%22%3A%22x%22%7D%0A%1B%5B2K%E2%80%AE{}&client_secret=hunter2",
        "x".repeat(200)
    );
    assert_eq!(through_the_proxy(&format!("grant_type=client_credentials&{hostile}")), 401);
    let unknown = server.wait_for("client_unknown");
    assert!(unknown.contains("198.51.100.7") && !unknown.contains("client_id"), "{unknown}");
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    for line in server.printed() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object()), "{line}");
        assert!(
            !line.contains(&token) && !line.contains("thirty-two") && !line.contains("hunter2"),
            "{line}"
        );
    }
}

#[test]
fn a_mistake_is_said_before_anything_is_served() {
    let folder = initialised();
    let said = crate::support::refused(&folder, &["serve", "--set", "http.listn=127.0.0.1:0"], "");
    assert!(said.contains("did you mean http.listen?"), "{said}");
}

/// What others send stays one value of one line, in either form.
#[test]
fn the_log_can_be_text() {
    let folder = initialised();
    let mut server = Server::start(&folder, &["log.format=text"]);
    let (status, _) =
        get(server.text_address("http"), "/authorize?client_id=x%20level%3DERROR%0A1970-01-01T00:00:00Z");
    assert_eq!(status, 400);
    let line = server.wait_for("refused");
    assert!(
        line.contains(" WARN  refused endpoint=authorization reason=authorization_client_unknown"),
        "{line}"
    );
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let is_event = |line: &&String| line.starts_with("20") && line.split(' ').count() > 2;
    let printed = server.printed();
    assert_eq!(printed.iter().filter(is_event).count(), printed.len(), "{printed:#?}");

    let said = support::refused(&folder, &["check", "--set", "log.format=xml"], "");
    assert!(said.contains("log.format") && said.contains("\"json\", \"text\""), "{said}");
}

/// W3C Trace Context: what a caller's trace is called stands in every line about its request, and nothing else does
/// that a caller sends in its place.
#[test]
fn a_trace_of_the_caller_is_in_the_log() {
    let folder = initialised();
    let mut server = Server::start(&folder, &[]);
    let address = server.address("http");
    let ask = |client: &str, headers: &str| {
        let request = format!("GET /authorize?client_id={client} HTTP/1.1\r\nHost: id.example.org\r\n");
        assert_eq!(support::http(address, &format!("{request}Connection: close\r\n{headers}\r\n")).0, 400);
    };
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    ask("one", &format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n"));
    let line = server.wait_for("authorization_client_unknown");
    assert!(line.contains(&format!("\"trace_id\":\"{TRACE}\"")), "{line}");
    let twice = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n").repeat(2);
    for wrong in ["traceparent: 00-x\r\n", &twice, "traceparent: 00-\",\"a\":\"b-1-2\r\n", ""] {
        ask("other", wrong);
    }
    server.signal("TERM");
    assert_eq!(server.end(), Some(0));
    let about = server.printed().iter().filter(|line| line.contains("authorization_client_unknown"));
    assert_eq!(about.clone().count(), 5);
    assert_eq!(about.filter(|line| line.contains("trace_id")).count(), 1);
}

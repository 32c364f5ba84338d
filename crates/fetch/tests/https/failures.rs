//! Whatever goes wrong looks the same to the caller, ends in time, and is not tried again at once.

use std::time::Duration;

use chancery_core::fetch::FetchRequest;
use chancery_fetch::{Limits, NotFetched};
use tokio::time::advance;

use crate::internet::{Came, Does, Internet, JSON, cause, fetch, json, ok};

const URL: &str = "https://client.example/jwks";
const LIMIT: Duration = Duration::from_secs(5);

/// FETCH-02: a request has five seconds, whatever it waits for.
#[tokio::test(start_paused = true)]
async fn a_request_ends_after_five_seconds() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    type Serve = fn(&Internet);
    let slow: [(&str, Serve); 8] = [
        ("look-up", |internet| internet.name("slow-dns.example", &[])),
        ("connection", |internet| internet.name("client.example", &[&["1.1.1.1"]])),
        ("TLS", |internet| {
            internet.name("client.example", &[&["8.8.8.8"]]);
            internet.mute_server("8.8.8.8:443");
        }),
        ("response", |internet| internet.host("client.example", "8.8.8.8", Does::Stalls(Vec::new()))),
        ("header", |internet| {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
            internet.host("client.example", "8.8.8.8", Does::Drips(head.into()));
        }),
        ("interim responses", |internet| {
            let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(50);
            internet.host("client.example", "8.8.8.8", Does::Stalls(interim.into()));
        }),
        ("body", |internet| {
            let sent = [ok(JSON, "").strip_suffix(b"0\r\n\r\n").unwrap(), b"9\r\n\r\n{"].concat();
            internet.host("client.example", "8.8.8.8", Does::Stalls(sent));
        }),
        ("end", |internet| {
            let sent = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}";
            internet.host("client.example", "8.8.8.8", Does::Stalls(sent.into()));
        }),
    ];
    for (waits_for, serve) in slow {
        let internet = Internet::new();
        serve(&internet);
        let url = if waits_for == "look-up" { "https://slow-dns.example/" } else { URL };
        let came = fetch(&internet.client(), &json(url)).await;
        let why = cause(&came.to);
        let is_slow = matches!(why, NotFetched::TooSlow)
            || matches!(why, NotFetched::Unreachable(error) if error.kind() == std::io::ErrorKind::TimedOut);
        assert!(is_slow, "{waits_for}: {:?}", came.to);
        assert_eq!(came.after, LIMIT, "{waits_for}");
    }
    // A byte a second is no progress, however long it could go on. The header is in time.
    let sent = [head.as_bytes(), &[b' '; 1000]].concat();
    let internet = Internet::with(Does::Drips(sent));
    let limits = Limits { time: Duration::from_secs(200), ..Limits::default() };
    let came = fetch(&internet.client_with(limits, &[]), &json(URL)).await;
    assert!(matches!(cause(&came.to), NotFetched::TooSlow));
    assert_eq!(came.after, Duration::from_secs(200));
}

#[tokio::test(start_paused = true)]
async fn what_is_no_whole_response_is_none() {
    let fields = "x: y\r\n".repeat(200);
    let long = "y".repeat(20 * 1024);
    let json_of = |rest: &str| format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{rest}");
    for sent in [
        String::new(),
        "\r\n\r\n".to_owned(),
        "220 mail.example ESMTP\r\n".to_owned(),
        "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
        "HTTP/0.9 200 OK\r\n\r\n".to_owned(),
        "HTTP/2 200 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 20 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 1000 OK\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Type application/json\r\n\r\n{}".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json".to_owned(),
        json_of("Content-Length: 3\r\n\r\n{}"),
        json_of("Content-Length: -1\r\n\r\n{}"),
        json_of("Content-Length: x\r\n\r\n{}"),
        json_of("Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        json_of("Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        json_of("Transfer-Encoding: chunked\r\n\r\nx\r\n{}\r\n0\r\n\r\n"),
        json_of("Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        json_of(&format!("{fields}\r\n{{}}")),
        json_of(&format!("x: {long}\r\n\r\n{{}}")),
    ] {
        let internet = Internet::with(Does::Sends(sent.clone().into()));
        let came = fetch(&internet.client(), &json(URL)).await;
        let sent: String = sent.chars().take(80).collect();
        assert!(matches!(cause(&came.to), NotFetched::Broken(_)), "{sent:?}: {:?}", came.to);
        assert_eq!(came.after, Duration::ZERO, "{sent:?}");
    }
}

/// Only our own log learns what was wrong: the failure has one text, and its cause comes behind it.
#[tokio::test(start_paused = true)]
async fn every_failure_is_the_same_to_the_caller() {
    let internet = Internet::new();
    internet.host("html.example", "8.8.8.8", Does::Sends(ok("text/html", "<p>")));
    internet.host("long.example", "8.8.8.9", Does::Sends(ok(JSON, "1234567890")));
    internet.host("broken.example", "8.8.8.10", Does::Sends(Vec::new()));
    internet.name("internal.example", &[&["10.0.0.1"]]);
    internet.name("dead.example", &[&["8.8.8.11"]]);
    internet.name("empty.example", &[&[]]);
    internet.name("other.example", &[&["8.8.8.8"]]);
    let client = internet.client();
    for (host, cause_in_the_log) in [
        ("html.example", "the document's media type \"text/html\" was not asked for"),
        ("long.example", "the document is longer than 9 bytes"),
        ("broken.example", "no valid response: "),
        ("internal.example", "10.0.0.1 is not a public address; see fetch.allow_hosts"),
        ("dead.example", "no connection: connection refused"),
        ("empty.example", "the host has no address"),
        ("unknown.example", "the host was not found: "),
        ("other.example", "no TLS: "),
    ] {
        let url = format!("https://{host}/jwks?secret");
        let came = fetch(&client, &FetchRequest::get(&url, JSON, 9)).await;
        let text = came.to.as_ref().unwrap_err().to_string();
        cause(&came.to);
        let begin = format!("https://{host}/jwks was not fetched: {cause_in_the_log}");
        assert!(text.starts_with(&begin), "{text}");
    }
    let came = fetch(&client, &json("http://user:password@client.example/")).await;
    assert_eq!(came.to.unwrap_err().to_string(), "a URL was not fetched: the URL is not https");
}

#[tokio::test(start_paused = true)]
async fn what_has_failed_is_not_asked_again_for_ten_seconds() {
    for does in [
        Does::Sends(ok("text/html", "")),
        Does::Sends(Vec::new()),
        Does::Stalls(Vec::new()),
        Does::Sends("HTTP/1.1 404 Not Found\r\n\r\n".into()),
        Does::Sends("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n".into()),
    ] {
        let internet = Internet::with(does);
        let client = internet.client();
        let first = fetch(&client, &json(URL)).await;
        internet.dialled();
        internet.host("client.example", "8.8.8.8", Does::Sends(ok(JSON, "{}")));
        advance(Duration::from_millis(9_999)).await;
        let again = fetch(&client, &json(URL)).await;
        assert_eq!(again.to, first.to);
        assert!(internet.dialled().is_empty());
        // It is the document that has failed, not its host.
        assert!(fetch(&client, &json("https://client.example/other")).await.to.is_ok());
        advance(Duration::from_millis(1)).await;
        assert!(fetch(&client, &json(URL)).await.to.is_ok());
        assert_eq!(internet.dialled().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn only_failures_are_remembered_and_notices_never() {
    let internet = Internet::with(Does::Sends(ok(JSON, "{}")));
    let client = internet.client();
    for _ in 0..2 {
        assert!(fetch(&client, &json(URL)).await.to.is_ok());
    }
    assert_eq!(internet.dialled().len(), 2);
    internet.host("client.example", "8.8.8.8", Does::Sends(Vec::new()));
    for _ in 0..2 {
        assert!(fetch(&client, &FetchRequest::post(URL, "a=b")).await.to.is_err());
    }
    assert_eq!(internet.dialled().len(), 2);
    assert!(fetch(&client, &json(URL)).await.to.is_err());
    internet.host("client.example", "8.8.8.8", Does::Sends(ok(JSON, "{}")));
    assert!(fetch(&client, &FetchRequest::post(URL, "a=b")).await.to.is_ok());
}

#[tokio::test(start_paused = true)]
async fn few_failures_are_remembered() {
    let internet = Internet::with(Does::Sends(Vec::new()));
    let client = internet.client_with(Limits { failures_kept: 3, ..Limits::default() }, &[]);
    let ask = async |number: u32| -> Came { fetch(&client, &json(&format!("{URL}/{number}"))).await };
    for number in 0..4 {
        ask(number).await;
        advance(Duration::from_secs(1)).await;
    }
    internet.dialled();
    for number in 1..4 {
        ask(number).await;
    }
    assert!(internet.dialled().is_empty());
    ask(0).await;
    assert_eq!(internet.dialled().len(), 1, "the oldest made room");
    ask(1).await;
    assert_eq!(internet.dialled().len(), 1, "and so did the next");
}

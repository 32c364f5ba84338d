//! What is sent, and which responses are taken.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chancery_core::fetch::FetchRequest;
use chancery_fetch::NotFetched;

use crate::internet::{Does, Internet, JSON, cause, fetch, json, ok};

/// FETCH-01: a document is asked for by GET, a notice is sent by POST. FETCH-02: what is sent says nothing about
/// us but our name.
#[tokio::test(start_paused = true)]
async fn a_request_says_what_it_must_and_no_more() {
    let internet = Internet::with(Does::Sends(ok(JSON, "{}")));
    internet.name("internal.example", &[&["10.1.2.3"]]);
    internet.server("10.1.2.3:8443", &["internal.example"], Does::Sends(ok(JSON, "{}")));
    let client = internet.client_with(Default::default(), &["internal.example:8443"]);
    let get =
        FetchRequest::get("HTTPS://Client.Example:443/a%20b?x=1", "application/jwt, application/json", 9);
    let other = FetchRequest::get("https://internal.example:8443?x", JSON, 9);
    let post = FetchRequest::post("https://client.example/logout", "logout_token=a.b.c");
    for request in [&get, &other, &post] {
        assert_eq!(fetch(&client, request).await.to.unwrap().status(), 200);
    }
    let head = "user-agent: Chancery\r\naccept: ";
    let tail = "accept-encoding: identity\r\nconnection: close\r\n";
    assert_eq!(
        internet.requests(),
        [
            format!(
                "GET /a%20b?x=1 HTTP/1.1\r\nhost: client.example\r\n{head}application/jwt, application/json\r\n{tail}\r\n"
            ),
            format!(
                "GET /?x HTTP/1.1\r\nhost: internal.example:8443\r\n{head}application/json\r\n{tail}\r\n"
            ),
            format!(
                "POST /logout HTTP/1.1\r\nhost: client.example\r\n{head}*/*\r\n{tail}\
                 content-type: application/x-www-form-urlencoded\r\ncontent-length: 18\r\n\r\nlogout_token=a.b.c"
            ),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_document_comes_with_its_type_and_the_time_for_which_it_may_be_kept() {
    let sent = "HTTP/1.1 200 OK\r\nContent-Type: application/jwk-set+json; charset=utf-8\r\n\
                Cache-Control: max-age=600\r\nAge: 100\r\nTransfer-Encoding: chunked\r\n\r\n\
                5\r\n{\"key\r\n7\r\ns\":[]}\n\r\n0\r\n\r\n";
    let internet = Internet::with(Does::Sends(sent.into()));
    let request =
        FetchRequest::get("https://client.example/jwks", "application/json, application/jwk-set+json", 12);
    let document = fetch(&internet.client(), &request).await.to.unwrap();
    assert_eq!(&**document.body(), b"{\"keys\":[]}\n");
    assert_eq!(document.content_type(), Some("application/jwk-set+json; charset=utf-8"));
    assert_eq!(document.fresh_for(), Some(Duration::from_secs(500)));
}

/// FETCH-02: a redirect is an answer. Neither it nor any other status but 200 brings a document, and a notice
/// never does.
#[tokio::test(start_paused = true)]
async fn redirects_are_returned_and_not_followed() {
    for status in [201, 204, 300, 301, 302, 303, 307, 308, 400, 404, 429, 500, 503] {
        let sent = format!(
            "HTTP/1.1 {status} x\r\nLocation: https://other.example/\r\nRefresh: 0; url=https://other.example/\r\n\
             Cache-Control: max-age=600\r\nContent-Type: text/html\r\n\r\n{{}}"
        );
        let internet = Internet::with(Does::Sends(sent.into()));
        internet.host("other.example", "9.9.9.9", Does::Sends(ok(JSON, "{}")));
        for request in [json("https://client.example/"), FetchRequest::post("https://client.example/", "a=b")]
        {
            let answer = fetch(&internet.client(), &request).await.to.unwrap();
            assert_eq!((answer.status(), answer.body().len()), (status, 0));
            assert_eq!((answer.content_type(), answer.fresh_for()), (None, None));
            assert_eq!(internet.dialled(), ["8.8.8.8:443"], "{status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_cookie_is_kept() {
    let sent =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}";
    let internet = Internet::with(Does::Sends(sent.into()));
    let client = internet.client();
    for _ in 0..2 {
        assert!(fetch(&client, &json("https://client.example/")).await.to.is_ok());
    }
    let requests = internet.requests();
    assert!(requests.len() == 2 && requests[0] == requests[1], "{requests:?}");
}

/// CONF-10, FETCH-04: a document is as long as was asked for at most, and never longer than the client bears.
#[tokio::test(start_paused = true)]
async fn a_document_that_is_too_long_is_not_read_to_its_end() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let announced = format!("{head}Content-Length: 10000000\r\n\r\n");
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n989680\r\n");
    for (sent, asked, limit, most) in [
        (announced.as_str(), 1 << 30, 256 * 1024, 0),
        (announced.as_str(), 1000, 1000, 0),
        (chunked.as_str(), 1 << 30, 256 * 1024, 256 * 1024),
        (chunked.as_str(), 1000, 1000, 1000),
        (head, 1 << 30, 256 * 1024, 256 * 1024),
        (head, 1000, 1000, 1000),
    ] {
        let sent = if sent == head { format!("{head}\r\n") } else { sent.to_owned() };
        let internet = Internet::with(Does::Floods(sent.into()));
        let request = FetchRequest::get("https://client.example/", JSON, asked);
        let came = fetch(&internet.client(), &request).await;
        assert!(matches!(cause(&came.to), NotFetched::TooLong(found) if *found == limit), "{:?}", came.to);
        // What the connection's buffers hold was sent, but is not kept.
        let taken = internet.taken.load(Ordering::SeqCst);
        assert!(taken <= most + 64 * 1024, "{taken} bytes were taken for a limit of {limit}");
    }
    for (length, asked, is_taken) in [
        (1000, 1000, true),
        (1001, 1000, false),
        (256 * 1024, 1 << 30, true),
        (256 * 1024 + 1, 1 << 30, false),
        (1, 0, false),
        (0, 0, true),
    ] {
        let body = " ".repeat(length);
        for sent in [ok(JSON, &body), format!("{head}\r\n{body}").into()] {
            let internet = Internet::with(Does::Sends(sent));
            let request = FetchRequest::get("https://client.example/", JSON, asked);
            let came = fetch(&internet.client(), &request).await;
            assert_eq!(came.to.is_ok(), is_taken, "{length} bytes for {asked}: {:?}", came.to);
        }
    }
}

/// W3C Trace Context section 3.2: of which trace it is a part, if it is part of one.
#[tokio::test(start_paused = true)]
async fn a_trace_is_handed_on() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let internet = Internet::with(Does::Sends(ok(JSON, "{}")));
    let client = internet.client();
    let get = FetchRequest::get("https://client.example/jwks", JSON, 9);
    let post = FetchRequest::post("https://client.example/logout", "logout_token=a.b.c");
    for (request, count) in
        [(&get, 0), (&post, 0), (&get.clone().traced(TRACE), 1), (&post.clone().traced(TRACE), 1)]
    {
        assert_eq!(fetch(&client, request).await.to.unwrap().status(), 200);
        let sent = internet.requests().pop().unwrap();
        assert_eq!(sent.matches(&format!("\r\ntraceparent: {TRACE}\r\n")).count(), count, "{sent}");
        assert_eq!(sent.matches("traceparent").count(), count, "{sent}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_media_types_that_were_asked_for_are_taken() {
    for (fields, is_taken) in [
        ("Content-Type: application/json", true),
        ("Content-Type: application/json; charset=UTF-8", true),
        ("Content-Type: application/json\r\nContent-Encoding: identity", true),
        ("", false),
        ("Content-Type:", false),
        ("Content-Type: text/html", false),
        ("Content-Type: text/html\r\nContent-Type: application/json", false),
        ("Content-Type: application/json\r\nContent-Type: text/html", false),
        ("Content-Type: application/json, text/html", false),
        ("Content-Type: application/json; charset=iso-8859-1", false),
        ("Content-Type: application/jwk-set+json", false),
        ("Content-Type: application/jwt", false),
    ] {
        let sent = format!("HTTP/1.1 200 OK\r\n{fields}\r\nContent-Length: 2\r\n\r\n{{}}")
            .replace("\r\n\r\nContent-L", "\r\nContent-L");
        let internet = Internet::with(Does::Sends(sent.into()));
        let came = fetch(&internet.client(), &json("https://client.example/")).await;
        assert_eq!(came.to.is_ok(), is_taken, "{fields}");
        if !is_taken {
            assert!(matches!(cause(&came.to), NotFetched::MediaType(_)), "{fields}: {:?}", came.to);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_decompressed() {
    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip", ""] {
        let fields = format!("Content-Type: application/json\r\nContent-Encoding: {encoding}");
        let sent = format!("HTTP/1.1 200 OK\r\n{fields}\r\nContent-Length: 2\r\n\r\n{{}}");
        let internet = Internet::with(Does::Sends(sent.into()));
        let came = fetch(&internet.client(), &json("https://client.example/")).await;
        assert!(matches!(cause(&came.to), NotFetched::Encoded), "{encoding}: {:?}", came.to);
    }
}

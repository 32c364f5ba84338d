//! The accept loop on a real socket, with short timeouts.

use std::io::ErrorKind;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// The preface of an HTTP/2 connection (RFC 9113 section 3.4) with empty settings.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// HEADERS that end a first stream: GET / over http, all from HPACK's static table.
const REQUEST: &[u8] = b"\0\0\x03\x01\x05\0\0\0\x01\x82\x84\x86";

/// How long a test waits for anything.
const SOON: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct Yes;

impl Handler for Yes {
    fn is_counted(&self, _: IpAddr) -> bool {
        true
    }

    async fn answer(
        &self,
        _: SocketAddr,
        _: Option<Arc<ClientCertificate>>,
        _: Request<TimedBody>,
    ) -> Response<Full<Bytes>> {
        Response::new(Full::from("yes"))
    }
}

const BRIEF: Timeouts = Timeouts {
    header: Duration::from_millis(200),
    body: Duration::from_millis(200),
    idle: Duration::from_millis(400),
    stall: Duration::from_millis(200),
    life: Duration::from_secs(60),
};

async fn listening(connections: Connections, timeouts: Timeouts) -> (SocketAddr, Arc<Connections>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(connections);
    let config =
        ListenerConfig { certificate: None, connections: connections.clone(), timeouts, handler: Yes };
    tokio::spawn(accept(listener, config));
    (address, connections)
}

/// Sends this, and reads until the server ends the connection.
async fn until_its_end(address: SocketAddr, say: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(say).await.unwrap();
    let mut received = Vec::new();
    let _reset = timeout(SOON, stream.read_to_end(&mut received)).await.expect("it is never ended");
    received
}

/// H3: a connection that never has a request loses its permit, whichever version of HTTP it begins to speak.
#[tokio::test]
async fn a_connection_without_a_request_ends() {
    let (address, connections) = listening(Connections::new(16, 16), BRIEF).await;
    for say in [&b""[..], b"PRI * HT", PREFACE, b"GET / HTTP/1.1\r\n"] {
        until_its_end(address, say).await;
    }
    assert!(connections.end().await, "all permits are given back");
}

/// H3: hyper's own limit, which it keeps without being told.
#[tokio::test]
async fn a_request_has_at_most_a_hundred_headers() {
    let (address, _) = listening(Connections::new(16, 16), BRIEF).await;
    for (headers, status) in [(100, "200 OK"), (101, "431 Request Header Fields Too Large")] {
        let rest = "X-Name: x\r\n".repeat(headers - 1);
        let answer =
            until_its_end(address, format!("GET / HTTP/1.1\r\nHost: x\r\n{rest}\r\n").as_bytes()).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{headers}: {answer}");
    }
}

/// The first frame announces the limits of a connection (RFC 9113 section 6.5.2).
#[tokio::test]
async fn an_http_2_connection_is_told_its_limits() {
    let (address, _) = listening(Connections::new(16, 16), BRIEF).await;
    let received = until_its_end(address, PREFACE).await;
    // The first frame is SETTINGS: a header of nine bytes, then six for each setting.
    let length = received.get(..3).map_or(0, |length| usize::from(length[1]) << 8 | usize::from(length[2]));
    assert_eq!(received.get(3), Some(&4));
    let settings = received.get(9..9 + length).unwrap_or_default().chunks_exact(6);
    let settings: Vec<(u8, u32)> =
        settings.map(|s| (s[1], u32::from_be_bytes([s[2], s[3], s[4], s[5]]))).collect();
    let (streams, window, header) = (3, 4, 6);
    assert!(settings.contains(&(streams, 32)), "{settings:?}");
    assert!(settings.contains(&(window, 64 * 1024)), "{settings:?}");
    assert!(settings.contains(&(header, 16 * 1024)), "{settings:?}");
}

/// H3
#[tokio::test]
async fn a_connection_that_asked_ends_when_it_asks_no_more() {
    // `header` is also how soon hyper gives up a peer of HTTP/2 that answers no ping, as this one.
    let timeouts = Timeouts { header: SOON * 10, ..BRIEF };
    let (address, _) = listening(Connections::new(16, 16), timeouts).await;
    for asked in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], &[PREFACE, REQUEST].concat()] {
        let answer = until_its_end(address, asked).await;
        assert!(answer.windows(3).any(|part| part == b"yes"), "{}", String::from_utf8_lossy(&answer));
    }
}

/// FR-20: an idle connection may wait for longer than a header may take, but a header that has begun may not.
#[tokio::test]
async fn an_idle_connection_outlives_the_time_of_a_slow_header() {
    let timeouts = Timeouts { idle: SOON * 10, ..BRIEF };
    let (address, _) = listening(Connections::new(16, 16), timeouts).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..3 {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut answer = [0; 4096];
        assert!(stream.read(&mut answer).await.unwrap() > 0, "the server has hung up");
        sleep(timeouts.header * 2).await;
    }
    // The next header begins and arrives byte by byte.
    let dripping = async {
        for byte in b"GET / HTTP/1.1\r\nX-Drip: ".iter().chain(std::iter::repeat(&b'x')) {
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(timeouts.header / 10).await;
        }
    };
    timeout(SOON, dripping).await.expect("a slow header is never cut off");
}

/// H3
#[tokio::test]
async fn an_old_connection_ends_although_it_is_used() {
    let timeouts = Timeouts { life: Duration::from_millis(500), header: SOON, ..BRIEF };
    let (address, _) = listening(Connections::new(16, 16), timeouts).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asking = async {
        let mut answer = [0; 4096];
        loop {
            let sent = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
            if sent.is_err() || stream.read(&mut answer).await.unwrap_or(0) == 0 {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, asking).await.expect("it is never ended");
}

/// H3: no connection waits for a permit that may never come.
#[tokio::test]
async fn a_connection_without_a_permit_is_closed_at_once() {
    let (address, connections) =
        listening(Connections::new(16, 1), Timeouts { header: SOON * 10, ..BRIEF }).await;
    let mut first = TcpStream::connect(address).await.unwrap();
    first.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(first.read(&mut [0; 64]).await.unwrap() > 0);
    assert_eq!(until_its_end(address, b"").await, b"");
    assert_eq!(connections.rejected(), 1);
}

/// A client that connects after the shutdown began is refused by the operating system, not accepted and then
/// reset.
#[tokio::test]
async fn after_the_shutdown_nobody_is_listening() {
    let (address, connections) = listening(Connections::new(16, 16), Timeouts::default()).await;
    assert!(connections.end().await);
    let refused = timeout(SOON, async {
        loop {
            match TcpStream::connect(address).await {
                Err(error) => return error.kind(),
                Ok(_) => tokio::task::yield_now().await,
            }
        }
    });
    assert_eq!(refused.await.unwrap(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_panic_is_a_500_that_says_nothing() {
    let answer = catch_panic(async { panic!("on purpose") }).await;
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let body = format!("{:?}", answer.body());
    assert!(body.contains("server_error") && !body.contains("purpose"), "{body}");
    let answer = catch_panic(async { Response::new(Full::default()) }).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

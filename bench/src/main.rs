//! How long the hot paths take on this machine, one request after the other on one thread, through the
//! Service and without sockets. Run by hand:
//! `cargo run --release -p chancery-bench [memory|sqlite|signature|verification|dpop|layer|request-object|bad-request-object]`;
//! after `memory` or `sqlite` the name of one row, and how often it is to be made for a program that counts instructions.
//!
//! The figures include the test kit's counting of trips and recording of events, which a server does not
//! have, and leave out sockets, HTTP parsing and TLS, which it has.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a program that measures and prints"
)]

mod bad_request_objects;
mod beside;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chancery::Config;
use chancery_store::StateStore;
use chancery_store_memory::MemoryStore;
use chancery_store_sqlite::SqliteStore;
use chancery_testkit::{SECRET, TestProvider, UserAgent};
use http::Request;
use serde_json::json;

use crate::rows::Rows;

const NOTHING_DECIDED: &str = "token: device code, nothing decided";
const DECIDED: &str = "token: device code, with ID token (ES256)";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next();
    match wanted.as_deref() {
        Some("signature") => return beside::signature(&provider(Arc::new(MemoryStore::new())), "rs256"),
        Some("verification") => return beside::verification(&provider(Arc::new(MemoryStore::new()))),
        Some("dpop") => return beside::dpop(),
        Some("layer") => return beside::layer(&provider(Arc::new(MemoryStore::new()))),
        Some("request-object") => return beside::request_object(&provider(Arc::new(MemoryStore::new()))),
        Some("bad-request-object") => return bad_request_objects::print(),
        _ => {}
    }
    let directory = std::env::temp_dir().join(format!("chancery-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let rows = Rows::of(arguments);
    println!(
        "{:<8} {:<42} {:>12} {:>12} {:>9}",
        "store", "request", "per second", "microseconds", "requests"
    );
    if wanted.as_deref() != Some("sqlite") {
        table(&rows, "memory", Arc::new(MemoryStore::new()));
    }
    if wanted.as_deref() != Some("memory") {
        table(&rows, "sqlite", Arc::new(SqliteStore::open(&directory.join("bench.sqlite")).unwrap()));
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

/// A provider that knows a client with ID tokens by RS256, too.
fn provider(backend: Arc<dyn StateStore>) -> TestProvider {
    let rs256 = r#"{"client_id":"rs256","client_secret":"0123456789abcdef0123456789abcdef","redirect_uris":[
        "https://rs256.example/cb"],"grant_types":["authorization_code","refresh_token"],"scope":"openid"}"#;
    let offered = |config: &mut Config| {
        config.device_authorization.offered = true;
        config.device_authorization.open_limit = 100_000;
        config.pushed_requests.offered = true;
    };
    TestProvider::builder().store(backend).client(rs256).configure(offered).build()
}

fn table(rows: &Rows, store: &str, backend: Arc<dyn StateStore>) {
    let kit = provider(backend);

    let discovery = || Request::get("/.well-known/openid-configuration").body(Bytes::new()).unwrap();
    rows.row(store, "discovery", || expect(&kit, discovery(), 200));

    let machine = kit.client_credentials_request("machine").to_http();
    rows.row(store, "token: client_credentials, opaque", || expect(&kit, machine.clone(), 200));
    let jwt = kit.client_credentials_request("jwt").to_http();
    rows.row(store, "token: client_credentials, JWT (ES256)", || expect(&kit, jwt.clone(), 200));

    for (client, name) in
        [("rs256", "token: code, with ID token (RS256)"), ("web", "token: code, with ID token (ES256)")]
    {
        if !rows.has(name) {
            continue;
        }
        let codes: Vec<_> = (0..2_000).map(|_| kit.code("alice", client, "openid")).collect();
        let exchanges: Vec<_> = codes.iter().map(|code| kit.code_request(code).to_http()).collect();
        let mut left = exchanges.into_iter();
        rows.row_while(store, name, || match left.next() {
            Some(request) => {
                expect(&kit, request, 200);
                true
            }
            None => false,
        });
    }

    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let mut refresh_token = tokens.member("refresh_token").to_owned();
    rows.row(store, "token: refresh, with ID token (ES256)", || {
        refresh_token = kit.refresh("web", &refresh_token).member("refresh_token").to_owned();
    });

    let access_token = tokens.member("access_token");
    let introspection = kit.introspection_request("web", access_token).to_http();
    rows.row(store, "introspection: opaque, active", || expect(&kit, introspection.clone(), 200));
    let userinfo = Request::get("/userinfo").header("authorization", format!("Bearer {access_token}"));
    let userinfo = userinfo.body(Bytes::new()).unwrap();
    rows.row(store, "userinfo", || expect(&kit, userinfo.clone(), 200));

    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_visited("web");
    ua.has_consented("alice", "web", "openid");
    let request = kit.authorization_request("web").scope("openid");
    rows.row(store, "authorization: session and consent", || {
        let _ = request.open(&ua).expect_code();
    });
    let stranger = kit.user_agent();
    rows.row(store, "authorization: login page for a stranger", || {
        let _ = request.open(&stranger).expect_page("login");
    });
    pushed(rows, store, &kit, &ua);
    devices(rows, store, &kit);
}

/// Pushed requests (RFC 9126): the push, and the authorization of one by a browser with a session and a standing consent.
fn pushed(rows: &Rows, store: &str, kit: &TestProvider, ua: &UserAgent<'_>) {
    let request = kit.authorization_request("web").scope("openid");
    let pushes = kit.push_request(&request).to_http();
    // A client may have a thousand open ones.
    let mut count = 0;
    rows.row(store, "pushed request", || {
        count += 1;
        if count % 900 == 0 {
            kit.clock.advance(Duration::from_secs(61));
        }
        expect(kit, pushes.clone(), 201);
    });
    let name = "authorization: pushed, session and consent";
    if rows.has(name) {
        kit.clock.advance(Duration::from_secs(61));
        let mut left = (0..900).map(|_| kit.push(&request)).collect::<Vec<_>>().into_iter();
        rows.row_while(store, name, || match left.next() {
            Some(request) => {
                let _ = request.open(ua).expect_code();
                true
            }
            None => false,
        });
    }
}

/// Polls of devices (RFC 8628): of many in turn, each at its interval, and of those whose persons have just decided.
fn devices(rows: &Rows, store: &str, kit: &TestProvider) {
    kit.put_device_client("box", json!({"client_secret": SECRET}));
    if rows.has(NOTHING_DECIDED) {
        undecided(rows, store, kit);
    }
    if rows.has(DECIDED) {
        decided(rows, store, kit);
    }
}

fn undecided(rows: &Rows, store: &str, kit: &TestProvider) {
    let waiting: Vec<_> = (0..2_000).map(|_| kit.device("box", "openid").poll_request().to_http()).collect();
    let mut polls = 0;
    rows.row_while(store, NOTHING_DECIDED, || {
        if polls == waiting.len() * 100 {
            return false;
        }
        if polls % waiting.len() == 0 {
            kit.clock.advance(Duration::from_secs(5));
        }
        expect(kit, waiting[polls % waiting.len()].clone(), 400);
        polls += 1;
        true
    });
}

fn decided(rows: &Rows, store: &str, kit: &TestProvider) {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "box", "openid");
    let decided = (0..1_000).map(|_| {
        let device = kit.device("box", "openid");
        let _ = ua.enter_user_code(device.user_code()).confirm_device().expect_page("device-done");
        device.poll_request().to_http()
    });
    let mut decided = decided.collect::<Vec<_>>().into_iter();
    rows.row_while(store, DECIDED, || match decided.next() {
        Some(poll) => {
            expect(kit, poll, 200);
            true
        }
        None => false,
    });
}

fn expect(kit: &TestProvider, request: Request<Bytes>, status: u16) {
    let _ = kit.send(request).expect_status(status);
}

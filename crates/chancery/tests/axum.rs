//! A provider in an axum application: its addresses, what its host tells it, and the token of a request.

#![cfg(all(feature = "axum", feature = "development"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::future::{Future as _, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use ::axum::Router;
use ::axum::body::Body;
use ::axum::extract::{ConnectInfo, Request};
use ::axum::routing::get;
use chancery::axum::{Token, metadata, mount, work};
use chancery::resource::ProtectedResource;
use chancery::{
    Account, AccountId, Accounts, Builder, Clock, Config, Event, EventSink, Fault, Issuer, MemoryKeys,
    MemoryRegistry, MemoryStore, Occasion, Parts, Peer, RealmId, ResourceServer, ResourceUri, Scopes,
    SigningAlgorithm, SystemClock, Timestamp,
};
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use tower_service::Service as _;

const ROOT: &str = "http://localhost:3000";

async fn send(app: &Router, path: &str, authorization: Option<&str>) -> Response<Body> {
    let request = Request::get(path).header("host", "localhost:3000");
    let request =
        authorization.iter().fold(request, |request, value| request.header("authorization", *value));
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 7], 4711))));
    app.clone().call(request).await.unwrap()
}

async fn text(app: &Router, path: &str) -> (StatusCode, String) {
    let (head, body) = send(app, path, None).await.into_parts();
    (head.status, String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

async fn peer(request: Request) -> String {
    request.extensions().get::<Peer>().map_or("nobody".to_owned(), |peer| peer.0.to_string())
}

/// RFC 8414 section 3.1, OIDC Discovery section 4: the metadata is where clients look, whatever the issuer's path; the
/// application's own routes stay its own, and every request has its peer.
#[tokio::test]
async fn the_provider_is_where_its_issuer_says() {
    for (issuer, found) in [
        (
            ROOT,
            &["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks"][..],
        ),
        (
            "http://localhost:3000/oidc",
            &[
                "/oidc/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/oidc",
                "/.well-known/openid-configuration/oidc",
                "/oidc/jwks",
            ],
        ),
        ("http://localhost:3000/a/b", &["/a/b/jwks", "/.well-known/oauth-authorization-server/a/b"]),
    ] {
        let demo = chancery::development(issuer).await.unwrap();
        let app = mount(Router::new().route("/own", get(peer)), &demo);
        assert_eq!(text(&app, "/own").await, (StatusCode::OK, "127.0.0.7".to_owned()), "{issuer}");
        for path in found {
            let (status, body) = text(&app, path).await;
            assert_eq!(status, StatusCode::OK, "{issuer}: {path}");
            assert!(
                path.ends_with("jwks") || body.contains(&format!("\"issuer\":\"{issuer}\"")),
                "{path}: {body}"
            );
        }
        assert_eq!(text(&app, "/nothing").await.0, StatusCode::NOT_FOUND, "{issuer}");
    }
}

/// Where the issuer has a path, whatever is outside of it is the application's.
#[tokio::test]
async fn outside_of_its_path_the_application_answers() {
    let demo = chancery::development("http://localhost:3000/oidc").await.unwrap();
    let service = chancery::service(demo.provider().clone());
    let app = mount(Router::new().fallback(async || "the application"), service);
    for path in ["/", "/jwks", "/token", "/oidcx", "/.well-known/openid-configuration"] {
        assert_eq!(text(&app, path).await, (StatusCode::OK, "the application".to_owned()), "{path}");
    }
}

/// What axum says of two routes with the same path names neither the provider nor what to do.
#[tokio::test]
async fn a_path_that_is_taken_is_named() {
    let demo = chancery::development("http://localhost:3000/oidc").await.unwrap();
    let said = |app: fn() -> Router, demo: &chancery::Development| {
        let mounted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| mount(app(), demo)));
        *mounted.unwrap_err().downcast::<String>().unwrap()
    };
    let expected = "the application already has routes below the issuer's path /oidc: mount the provider once, and give routes \
                    of its own other paths";
    assert_eq!(said(|| Router::new().route("/oidc/{*rest}", get(peer)), &demo), expected);
    let twice =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| mount(mount(Router::new(), &demo), &demo)));
    let twice = *twice.unwrap_err().downcast::<String>().unwrap();
    assert!(twice.contains("/oidc/authorize") && twice.contains("mount the provider once"), "{twice}");
    // What has the path of an endpoint would take its place, and the framework would say nothing.
    let root = chancery::development(ROOT).await.unwrap();
    let tokens: fn() -> Router = || Router::new().route("/token", ::axum::routing::post(peer));
    let sessions: fn() -> Router = || Router::new().route("/account/{what}", get(peer));
    let nested: fn() -> Router =
        || Router::new().nest("/oidc", Router::new().route("/logout", get(async || "signed out")));
    for (app, demo, path, endpoint) in [
        (tokens, &root, "/token", "token"),
        (sessions, &root, "/account/{below}", "account"),
        (nested, &demo, "/oidc/logout", "end_session"),
    ] {
        let said = said(app, demo);
        let begun = format!(
            "the application already has a route for {path}, where the provider has its endpoint {endpoint}: "
        );
        assert!(said.starts_with(&begun) && said.contains("`config.routes`"), "{said}");
    }
}

/// What an application may have beside the endpoints: its own first page and icon, and a route for all that is left.
#[tokio::test]
async fn an_application_may_answer_what_is_left() {
    let demo = chancery::development(ROOT).await.unwrap();
    let app = Router::new().route("/favicon.ico", get(async || "its own"));
    let app = app.route("/{*path}", get(async || "the application"));
    let app = mount(app, &demo);
    for (path, expected) in
        [("/favicon.ico", "its own"), ("/notes/1", "the application"), ("/accounts", "the application")]
    {
        assert_eq!(text(&app, path).await, (StatusCode::OK, expected.to_owned()), "{path}");
    }
    for path in ["/jwks", "/.well-known/openid-configuration", "/"] {
        let (status, body) = text(&app, path).await;
        assert!(status == StatusCode::OK && body != "the application", "{path}: {body}");
    }
    assert_ne!(text(&app, "/interaction/in_x").await.1, "the application", "an endpoint answers");
}

/// An issuer without a path answers whatever the application does not route: there is one such place.
#[tokio::test]
async fn a_fallback_that_is_taken_is_named() {
    let demo = chancery::development(ROOT).await.unwrap();
    for (taken, expected) in [
        (Router::new().fallback(async || "the application's own"), "already has a fallback"),
        (mount(Router::new(), &demo), "mount the provider once"),
    ] {
        let mounted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| mount(taken, &demo)));
        let said = *mounted.unwrap_err().downcast::<String>().unwrap();
        assert!(said.contains(expected), "{said}");
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl EventSink for Heard {
    fn record(&self, _: &Occasion<'_>, event: &Event) {
        match event {
            Event::MountedElsewhere { advice } => self.0.lock().unwrap().push(advice.clone()),
            Event::TaskFaulted { fault, .. } => self.0.lock().unwrap().push(fault.to_string()),
            _ => {}
        }
    }
}

fn parts(issuer: &str) -> Parts {
    Parts {
        realm: RealmId::parse("main").unwrap(),
        issuer: Issuer::parse(issuer).unwrap(),
        store: Arc::new(MemoryStore::new()),
        registry: Arc::new(MemoryRegistry::new()),
        accounts: Arc::new(Nobody),
        keys: Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Rs256]).unwrap()),
    }
}

async fn heard(issuer: &str) -> (Arc<Heard>, chancery::Service) {
    let heard = Arc::new(Heard::default());
    let builder = Builder::new(parts(issuer), Config::default()).with_events(heard.clone());
    (heard, chancery::service(builder.build().await.unwrap()))
}

struct Nobody;

impl Accounts for Nobody {
    async fn find(&self, _: &RealmId, _: &AccountId) -> Result<Option<Account>, Fault> {
        Ok(None)
    }
}

/// A router strips the path that it nests the service at, so that every endpoint would seem to be in its place, while all
/// addresses that the provider gives out lead elsewhere.
#[tokio::test]
async fn a_service_at_a_wrong_path_says_so() {
    for (issuer, at, advice) in [
        (
            ROOT,
            "/auth",
            "requests come below /auth, but the issuer http://localhost:3000 has no path: mount the service at the root",
        ),
        (
            "http://localhost:3000/oidc",
            "/auth",
            "requests come below /auth, but the issuer http://localhost:3000/oidc has the path /oidc: mount the service there",
        ),
        ("http://localhost:3000/oidc", "/a/oidc", "requests come below /a/oidc, but"),
    ] {
        let (heard, service) = heard(issuer).await;
        let app = Router::new().nest_service(at, service);
        for path in ["/jwks", "/.well-known/openid-configuration", "/", "/interaction/x"] {
            let (status, body) = text(&app, &format!("{at}{path}")).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{issuer} {at}{path}");
            assert!(body.contains(advice), "{body}");
        }
        let said = heard.0.lock().unwrap().clone();
        assert!(matches!(&*said, [once] if once.starts_with(advice)), "{said:?}");
    }
}

/// What `mount` answers has the issuer's path already; a program that nests it there once more is told so.
#[tokio::test]
async fn a_mounted_router_that_is_nested_says_so() {
    let (heard, service) = heard("http://localhost:3000/auth").await;
    let app = Router::new().nest("/auth", chancery::axum::mount(Router::new(), service));
    let (status, body) = text(&app, "/auth/auth/jwks").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let advice = "requests come below /auth twice, once from the issuer http://localhost:3000/auth and once from the program";
    assert!(body.contains(advice), "{body}");
    let said = heard.0.lock().unwrap().clone();
    assert!(matches!(&*said, [once] if once.starts_with(advice)), "{said:?}");
}

/// Nested at the issuer's path, by one router or by two, with the path stripped or not, or behind a proxy that changes it.
#[tokio::test]
async fn a_service_at_its_path_has_nothing_to_say() {
    let oidc = "http://localhost:3000/oidc";
    let (told, service) = heard(oidc).await;
    let (deep_told, deep) = heard("http://localhost:3000/a/b").await;
    let nested = |at, service| Router::new().nest_service(at, service);
    for (app, paths) in [
        (nested("/oidc", service.clone()), &["/oidc/jwks", "/oidc/", "/oidc", "/oidc/nothing"][..]),
        (Router::new().fallback_service(service.clone()), &["/oidc/jwks", "/jwks", "/nothing"]),
        (nested("/behind", service.mounted_at("/behind")), &["/behind/jwks"]),
        (Router::new().nest("/a", nested("/b", deep.clone())), &["/a/b/jwks"]),
        (Router::new().nest("/a", Router::new().fallback_service(deep)), &["/a/b/jwks"]),
    ] {
        for path in paths {
            let expected = if path.ends_with("nothing") { StatusCode::NOT_FOUND } else { StatusCode::OK };
            assert_eq!(text(&app, path).await.0, expected, "{path}");
        }
    }
    let said = [told.0.lock().unwrap().clone(), deep_told.0.lock().unwrap().clone()].concat();
    assert!(said.is_empty(), "{said:?}");
}

/// A clock that panics once it is told to.
#[derive(Default)]
struct Stopping(AtomicBool);

impl Clock for Stopping {
    fn now(&self) -> Timestamp {
        assert!(!self.0.swap(false, Ordering::SeqCst), "no time");
        SystemClock.now()
    }
}

/// A panic of the application's code in the periodic work is a fault, and the work goes on.
#[tokio::test]
async fn a_panic_does_not_end_the_periodic_work() {
    let (heard, clock) = (Arc::new(Heard::default()), Arc::new(Stopping::default()));
    let builder = Builder::new(parts(ROOT), Config::default()).with_events(heard.clone());
    let provider = builder.with_clock(clock.clone()).build().await.unwrap();
    clock.0.store(true, Ordering::SeqCst);
    let mut working = pin!(work(provider));
    // Once until the timer has been looked at, and once for the work itself.
    let mut left = 2;
    poll_fn(|context| {
        left -= 1;
        assert!(working.as_mut().poll(context).is_pending(), "it goes on");
        if left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    assert_eq!(*heard.0.lock().unwrap(), ["panicked: no time"]);
}

/// What answers the form of an own page is below the issuer's path, where the browser sends the provider's cookies.
#[tokio::test]
async fn a_route_below_its_path_may_stand_beside_the_provider() {
    let demo = chancery::development("http://localhost:3000/oidc").await.unwrap();
    let app = mount(Router::new().route("/oidc/terms", get(async || "the terms")), &demo);
    assert_eq!(text(&app, "/oidc/terms").await, (StatusCode::OK, "the terms".to_owned()));
    assert_eq!(text(&app, "/oidc/jwks").await.0, StatusCode::OK);
}

async fn greet(token: Option<Token>) -> String {
    token.map_or("a stranger".to_owned(), |Token(token)| token.subject.to_string())
}

/// RFC 6750 section 3, RFC 9728 section 5.1: no handler without a good token; the challenge leads to the metadata.
#[tokio::test]
async fn what_must_not_be_accepted() {
    let server =
        ResourceServer::new(ResourceUri::parse("http://localhost:3000/api").unwrap(), Scopes::default());
    let demo = chancery::development::with_apis(ROOT, vec![server]).await.unwrap();
    let api =
        ProtectedResource::of_provider(demo.provider().clone()).at("http://localhost:3000/api").unwrap();
    let app = Router::new()
        .route("/api/notes", get(async |Token(token): Token| token.subject.to_string()))
        .route("/api/greeting", get(greet))
        .merge(metadata(&api))
        .with_state(api);
    let app = mount(app, chancery::service(demo.provider().clone()));
    for (sent, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some("Bearer nonsense"), StatusCode::UNAUTHORIZED),
        (Some("DPoP nonsense"), StatusCode::UNAUTHORIZED), // which this provider does not offer
        (Some("Basic ZGVtbzpkZW1v"), StatusCode::UNAUTHORIZED),
    ] {
        let refusal = send(&app, "/api/notes", sent).await;
        assert_eq!(refusal.status(), status, "{sent:?}");
        let challenge = refusal.headers()["www-authenticate"].to_str().unwrap().to_owned();
        let url = "http://localhost:3000/.well-known/oauth-protected-resource/api";
        assert!(challenge.contains(&format!("resource_metadata=\"{url}\"")), "{challenge}");
        // Whoever may come without a token may not come with a bad one.
        let greeted = send(&app, "/api/greeting", sent).await.status();
        assert_eq!(greeted, if sent.is_some() { status } else { StatusCode::OK }, "{sent:?}");
    }
    let (status, body) = text(&app, "/.well-known/oauth-protected-resource/api").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("\"authorization_servers\":[\"http://localhost:3000\"]"), "{body}");
    assert_eq!(text(&app, "/.well-known/oauth-protected-resource").await.0, StatusCode::NOT_FOUND);
}

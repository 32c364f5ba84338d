//! What the documents show of Rust is Rust: each block stands here, where it is compiled, with what surrounds it in a program.

#![cfg(all(feature = "axum", feature = "development", feature = "fetch"))]
#![expect(dead_code, reason = "what the documents show is compiled, and called by nobody")]

use chancery_tidy::Repository;

/// The documents with blocks of Rust.
const DOCUMENTS: [&str; 5] =
    ["README.md", "docs/clients.md", "docs/host.md", "docs/own-pages.md", "docs/protect-an-api.md"];

/// README.md
mod readme {
    #[tokio::main]
    async fn main() -> Result<(), Box<dyn std::error::Error>> {
        let demo = chancery::development("http://localhost:3000").await?;
        println!("{demo}"); // addresses, clients, account, password, what to try
        let app = axum::Router::new(); // the application's own routes
        let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
        Ok(chancery::axum::serve(listener, app, &demo).await?)
    }
}

/// docs/host.md
mod host {
    use std::error::Error;
    use std::future::Future;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use axum::Router;
    use chancery::{Provider, Service};

    async fn axum(app: Router, service: Service) -> Result<(), Box<dyn Error>> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
        chancery::axum::serve(listener, app, service).await?;
        Ok(())
    }

    fn proxies(provider: Arc<Provider>) -> Result<Service, Box<dyn Error>> {
        let proxies = chancery::TrustedProxies::parse(["10.0.0.0/8"])?;
        let service = chancery::service(provider).with_trusted_proxies(proxies);
        Ok(service)
    }

    async fn work(provider: Arc<Provider>) {
        let mut ticks = tokio::time::interval(Duration::from_secs(5));
        loop {
            ticks.tick().await;
            if let Err(fault) = provider.run_once(provider.now()).await {
                eprintln!("{fault}");
            }
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a host starts tasks")]
    async fn stop_in_good_order(
        app: Router,
        provider: Arc<Provider>,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Box<dyn Error>> {
        let work = tokio::spawn(chancery::axum::work(provider.clone()));
        let app = chancery::axum::mount(app, chancery::service(provider))
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
        axum::serve(listener, app).with_graceful_shutdown(stop).await?;
        work.abort();
        Ok(())
    }
}

/// docs/host.md, "Test your application with it": it is run.
mod host_in_a_test {
    use std::error::Error;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use bytes::Bytes;
    use chancery::resource::ProtectedResource;
    use chancery::{
        Account, AccountId, Accounts, Builder, Client, Clock, Config, Fault, Issuer, MemoryKeys,
        MemoryRegistry, MemoryStore, Parts, Peer, RealmId, ResourceServer, ResourceUri, Scopes,
        SigningAlgorithm, Timestamp,
    };
    use http::{Request, StatusCode};
    use http_body_util::BodyExt as _;
    use serde_json::Value;
    use tower::ServiceExt as _;

    const SECRET: &str = "a-secret-of-the-tests-and-of-nobody-else";

    struct People;

    impl Accounts for People {
        async fn find(&self, _: &RealmId, _: &AccountId) -> Result<Option<Account>, Fault> {
            Ok(None)
        }
    }

    async fn notes() -> &'static str {
        "the notes"
    }

    /// The time, in seconds.
    struct TestClock(AtomicI64);

    impl Clock for TestClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_secs(self.0.load(Ordering::Relaxed))
        }
    }

    async fn application(clock: Arc<TestClock>) -> Result<Router, Box<dyn Error>> {
        let name = "https://api.example.org";
        let api = ResourceServer::new(ResourceUri::parse(name)?, Scopes::parse("notes:read")?);
        let registry = MemoryRegistry::new()
            .with_resource_server(api)
            .with_client(&Client::machine("test").secret(SECRET).api(name))?;
        let parts = Parts {
            realm: RealmId::parse("test")?,
            issuer: Issuer::parse("https://id.example.org")?,
            store: Arc::new(MemoryStore::new()),
            registry: Arc::new(registry),
            accounts: Arc::new(People),
            keys: Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Rs256])?),
        };
        let provider = Builder::new(parts, Config::default()).with_clock(clock).build().await?;
        let api = ProtectedResource::of_provider(provider.clone()).at(name)?; // it has the clock of the provider
        let app = Router::new().route("/notes", get(notes).layer(api.requires("notes:read")?));
        Ok(chancery::axum::mount(app, chancery::service(provider)))
    }

    async fn ask(app: &Router, mut request: Request<Body>) -> Result<(StatusCode, Bytes), axum::Error> {
        request.extensions_mut().insert(Peer([192, 0, 2, 1].into()));
        let Ok(answer) = app.clone().oneshot(request).await; // `tower::ServiceExt`
        let (head, body) = answer.into_parts();
        Ok((head.status, body.collect().await?.to_bytes()))
    }

    #[tokio::test]
    async fn notes_are_read_with_a_token_that_lives() -> Result<(), Box<dyn Error>> {
        let clock = Arc::new(TestClock(AtomicI64::new(1_800_000_000)));
        let app = application(clock.clone()).await?;

        let request = Request::post("/token")
            .header("authorization", format!("Basic {}", BASE64_STANDARD.encode(format!("test:{SECRET}"))))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from("grant_type=client_credentials&scope=notes:read"))?;
        let (_, answer) = ask(&app, request).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap_or_default());

        let request = || Request::get("/notes").header("authorization", &bearer).body(Body::empty());
        assert_eq!(ask(&app, request()?).await?.0, StatusCode::OK);
        clock.0.fetch_add(24 * 3600, Ordering::Relaxed);
        assert_eq!(ask(&app, request()?).await?.0, StatusCode::UNAUTHORIZED);
        Ok(())
    }
}

/// docs/protect-an-api.md
mod protect_an_api {
    use std::error::Error;
    use std::sync::Arc;
    use std::time::Duration;

    use axum::body::Body;
    use axum::routing::{get, post};
    use axum::{Extension, Router};
    use bytes::Bytes;
    use chancery::resource::{AccessToken, Introspection};
    use chancery::{
        DynFetch, MemoryKeys, MemoryRegistry, Provider, ResourceServer, ResourceUri, Scopes,
        SigningAlgorithm, TokenFormat,
    };
    use http::{Request, Response};
    use http_body_util::Full;

    fn of_its_own() -> Result<Router, Box<dyn Error>> {
        use chancery::fetch::{HttpsFetch, Options};
        use chancery::resource::ProtectedResource;

        let network = Arc::new(HttpsFetch::new(Options::default())?);
        let api =
            ProtectedResource::trusting("https://id.example.org", network).at("https://api.example.org")?;
        let app = Router::new().route("/notes", get(notes)).layer(api.layer());
        Ok(app)
    }

    fn with_jwts() -> Result<(MemoryRegistry, MemoryKeys), Box<dyn Error>> {
        let name = ResourceUri::parse("https://api.example.org")?;
        let api = ResourceServer::new(name, Scopes::parse("notes:read notes:write")?);
        let registry =
            MemoryRegistry::new().with_resource_server(ResourceServer { format: TokenFormat::Jwt, ..api });
        let keys = MemoryKeys::generate(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256])?;
        Ok((registry, keys))
    }

    async fn notes(Extension(token): Extension<AccessToken>) -> String {
        format!("the notes of {}", token.subject)
    }

    use chancery::resource::ProtectedResource;

    fn of_a_provider(provider: Arc<Provider>) -> Result<ProtectedResource, Box<dyn Error>> {
        let api = ProtectedResource::of_provider(provider).at("https://api.example.org")?;
        Ok(api)
    }

    async fn by_itself(api: ProtectedResource, request: Request<Body>) -> Response<Full<Bytes>> {
        let token = match api.access_token(&request).await {
            Ok(token) => token,
            Err(refusal) => return refusal,
        };
        Response::new(Full::from(token.subject.to_string()))
    }

    async fn transfer() {}

    fn more(api: &ProtectedResource) -> Result<Router, Box<dyn Error>> {
        let app = Router::new()
            .route("/notes", get(notes).layer(api.requires("notes:read")?))
            .route(
                "/transfers",
                post(transfer).layer(
                    api.requires("transfers")?
                        .acr_values(["urn:example:two-factors"])
                        .max_age(Duration::from_secs(300)),
                ),
            )
            .layer(api.layer());
        Ok(app)
    }

    fn opaque(network: Arc<dyn DynFetch>) -> Result<ProtectedResource, Box<dyn Error>> {
        let secret = "read from where secrets are kept".to_owned();
        let api = ProtectedResource::trusting("https://id.example.org", network)
            .introspecting(Introspection::by("notes-api", &secret))
            .at("https://api.example.org")?;
        Ok(api)
    }

    #[expect(clippy::let_and_return, reason = "the document has it so")]
    fn with_a_log(app: Router, api: &ProtectedResource) -> Router {
        use axum::response::Response;
        use chancery::resource::Refused;

        async fn logged(response: Response) -> Response {
            if let Some(Refused(why)) = response.extensions().get::<Refused>() {
                eprintln!("the API has refused a request: {why}");
            }
            response
        }
        let app = app.layer(api.layer()).layer(axum::middleware::map_response(logged));
        app
    }
}

/// docs/own-pages.md; its login page is that of an example.
mod own_pages {
    use std::sync::Arc;

    use chancery::pages::Templates;
    use chancery::{Provider, Service};

    #[expect(clippy::let_and_return, reason = "the document has it so")]
    fn words(provider: Arc<Provider>) -> Service {
        let (names, descriptions) =
            ([("notes:read", "Read your notes")], [("notes:read", "All of them, also the old ones")]);
        let pages = Templates::built_in().with_scopes(names.into_iter(), descriptions.into_iter());
        let service = chancery::service_with_pages(provider, Arc::new(pages));
        service
    }
}

/// docs/clients.md
mod clients {
    use std::error::Error;

    use chancery::{Client, MemoryRegistry};

    fn in_rust() -> Result<MemoryRegistry, Box<dyn Error>> {
        let photos = Client::web("photos")
            .name("Photos")
            .redirect("https://photos.example/cb")
            .redirect_after_logout("https://photos.example/")
            .without_consent() // it is our own: nobody is asked whether it may
            .set("tos_uri", "https://photos.example/tos");
        let app = Client::spa("app").redirect("http://localhost:5173/").on_loopback(); // while it is developed
        let registry = MemoryRegistry::new()
            .with_client(&app)?
            .with_client(&Client::native("cli").redirect("http://127.0.0.1/callback"))?;
        let secret = registry.put(&photos)?; // the one that was made
        assert!(secret.is_some());
        Ok(registry)
    }

    #[test]
    fn the_clients_are_good() {
        in_rust().unwrap();
    }
}

/// A text as it is compared: the formatter may break lines elsewhere.
fn bare(text: &str) -> String {
    text.split_whitespace().collect::<String>().replace(",)", ")")
}

#[test]
fn each_block_is_compiled() {
    let repository = Repository::open();
    // Whole programs and pages are those of an example.
    let compiled = ["crates/chancery/tests/documents.rs", "examples/protected_api.rs"]
        .map(|file| bare(&repository.read(file)))
        .concat();
    let mut blocks = 0;
    for document in DOCUMENTS {
        for block in repository.read(document).split("```rust\n").skip(1) {
            let block = block.split("```").next().unwrap();
            assert!(compiled.contains(&bare(block)), "{document} has what is not compiled here:\n{block}");
            blocks += 1;
        }
    }
    assert_eq!(blocks, 18);
}

/// No other document has a block that nobody compiles.
#[test]
fn no_document_is_forgotten() {
    let repository = Repository::open();
    let forgotten: Vec<_> = repository
        .files()
        .into_iter()
        .filter(|file| file.ends_with(".md") && !file.starts_with("crates/") && !DOCUMENTS.contains(&&**file))
        .filter(|file| repository.read(file).contains("```rust"))
        .collect();
    assert!(forgotten.is_empty(), "{forgotten:?}");
}

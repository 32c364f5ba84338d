//! For programs with axum: a provider in an application, with everything that its host has to do, and the access token of a
//! request as an argument of a handler.
//!
//! ```no_run
//! use axum::Router;
//! use axum::routing::get;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let demo = chancery::development("http://localhost:3000").await?;
//! let app = Router::new().route("/", get(async || "The application's own page."));
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//! chancery::axum::serve(listener, app, &demo).await?;
//! # Ok(()) }
//! ```

use std::future::{Future as _, IntoFuture as _, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ::axum::Router;
use ::axum::extract::{ConnectInfo, FromRef, FromRequestParts, OriginalUri, Request};
use ::axum::middleware::map_request;
use ::axum::routing::any;
use bytes::Bytes;
use chancery_core::context::{Call, RequestId};
use chancery_core::event::Event;
use chancery_core::offered::Endpoint;
use chancery_core::provider::Provider;
use chancery_http::{Peer, Service, caught};
use chancery_resource::{AccessToken, ProtectedResource};
use http::request::Parts;
use http::{Extensions, Method, Response, Uri};
use http_body_util::Full;
use tokio::net::TcpListener;

/// How often the periodic work is done.
const PERIOD: Duration = Duration::from_secs(5);

/// What can be mounted: a provider with the designed pages, its [`Service`], or a
/// [`Development`](crate::development::Development) provider.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be mounted",
    note = "what can be mounted is a `chancery::Service`, such as `chancery::service(provider)` makes (cloning it is cheap), an \
            `Arc<Provider>`, which gets the designed pages, and a `&Development`"
)]
pub trait Mount {
    /// The provider.
    fn provider(&self) -> Arc<Provider>;

    /// The application with the provider in it.
    fn within(self, app: Router) -> Router;
}

impl Mount for Service {
    fn provider(&self) -> Arc<Provider> {
        Arc::clone(Service::provider(self))
    }

    fn within(self, app: Router) -> Router {
        let path = Service::provider(&self).issuer().path().to_owned();
        within(app, &path, self)
    }
}

#[cfg(feature = "pages")]
impl Mount for Arc<Provider> {
    fn provider(&self) -> Self {
        Self::clone(self)
    }

    fn within(self, app: Router) -> Router {
        crate::service(self).within(app)
    }
}

#[cfg(feature = "development")]
impl Mount for &crate::development::Development {
    fn provider(&self) -> Arc<Provider> {
        Arc::clone(crate::development::Development::provider(self))
    }

    fn within(self, app: Router) -> Router {
        let path = crate::development::Development::provider(self).issuer().path().to_owned();
        within(app, &path, self.service())
    }
}

/// An issuer without a path gets whatever the application does not route itself; one with a path, such as
/// `https://example.org/oidc`, gets everything below that, and its metadata outside of it (RFC 8414 section 3.1).
fn within<S>(app: Router, path: &str, service: S) -> Router
where
    S: tower_service::Service<Request, Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
    S::Response: ::axum::response::IntoResponse,
    S::Future: Send + 'static,
{
    if path.is_empty() {
        // A second fallback would silently take the place of the first one, which axum refuses in a merge alone.
        let mounted = catch_unwind(AssertUnwindSafe(|| app.merge(Router::new().fallback_service(service))));
        return mounted.unwrap_or_else(|_| {
            occupied(
                "the application already has a fallback, and an issuer without a path needs it for itself: mount the provider \
                 once, and give the application's own answer as a route, or give the issuer a path",
            )
        });
    }
    // axum refuses a second route for a path by a panic that names neither of the two.
    let mounted = catch_unwind(AssertUnwindSafe(|| {
        app.nest_service(path, service.clone())
            .route_service(&format!("/.well-known/oauth-authorization-server{path}"), service.clone())
            .route_service(&format!("/.well-known/openid-configuration{path}"), service)
    }));
    mounted.unwrap_or_else(|_| {
        occupied(&format!(
            "the application already has routes below the issuer's path {path}: mount the provider once, and give routes of its \
             own other paths"
        ))
    })
}

#[expect(
    clippy::panic,
    reason = "so does axum where two routes have the same path, before anything is served"
)]
fn occupied(why: &str) -> Router {
    panic!("{why}")
}

/// The application with the provider in it, for programs that accept connections by themselves. They have to serve it with
/// [`Router::into_make_service_with_connect_info`] for [`SocketAddr`], from which each request gets its [`Peer`], and do the
/// [`work`].
///
/// A route of the application goes before an endpoint of the same path: where the issuer has no path, a `/token`, `/logout` or
/// `/account` of the application's own takes the place of the provider's, and nothing says so.
///
/// # Panics
/// If the application already has routes below the path of the issuer, as axum does for two routes with the same path; or,
/// where the issuer has no path, a fallback.
pub fn mount(app: Router, provider: impl Mount) -> Router {
    provider.within(app).layer(map_request(with_peer))
}

/// Serves the application with the provider in it, and does the provider's periodic work, until accepting connections
/// fails. It starts no task of its own.
///
/// Of an `Arc<Provider>` the pages are the designed ones: to serve pages of your own, give it the [`Service`] that has them.
/// Behind a proxy, mount a [`Service`] that [trusts it](Service::with_trusted_proxies).
///
/// # Panics
/// As [`mount`].
///
/// # Errors
/// Those of axum's own `serve`.
pub async fn serve(listener: TcpListener, app: Router, provider: impl Mount) -> io::Result<()> {
    let worked = provider.provider();
    let app = mount(app, provider).into_make_service_with_connect_info::<SocketAddr>();
    let mut served = pin!(::axum::serve(listener, app).into_future());
    let mut work = pin!(work(worked));
    poll_fn(|context| match served.as_mut().poll(context) {
        Poll::Pending => work.as_mut().poll(context).map(|()| Ok(())),
        ready => ready,
    })
    .await
}

/// The periodic work of a provider, for ever: removes what has expired, and sends what is due to clients. What fails or
/// panics is an [`Event::Faulted`], and is tried again.
pub async fn work(provider: Arc<Provider>) {
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        ticks.tick().await;
        // A panic of the application's code, be it its store or its clock, does not end the program either.
        let done = caught(pin!(async { provider.run_once(provider.now()).await })).await;
        if let Err(fault) = done.and_then(|done| done) {
            let now = provider.now();
            let event = Event::Faulted { endpoint: Endpoint::Metadata, fault, client: None };
            provider.env().record(&Call::new(now, RequestId("work".into())), &event);
        }
    }
}

/// With which URI a request came, before nested routers have stripped some of it.
pub(crate) fn original_uri(extensions: &Extensions) -> Option<&Uri> {
    extensions.get::<OriginalUri>().map(|original| &original.0)
}

/// Tells the provider the address of the connection, because it limits guesses at passwords by network.
async fn with_peer(mut request: Request) -> Request {
    if let Some(ConnectInfo(address)) = request.extensions().get::<ConnectInfo<SocketAddr>>().copied() {
        request.extensions_mut().insert(Peer(address.ip()));
    }
    request
}

/// The route of a resource's metadata (RFC 9728 section 3.1), by which clients find its provider. It belongs at the root of
/// the application, whatever the resource is nested in.
pub fn metadata<S: Clone + Send + Sync + 'static>(api: &ProtectedResource) -> Router<S> {
    let answering = api.clone();
    let answer = any(async move |method: Method| answering.metadata(&method));
    Router::new().route(api.metadata_path(), answer)
}

/// The access token of a request, as an argument of a handler. The state of the router is the [`ProtectedResource`], or has
/// one ([`FromRef`]). A request without a good token is answered with 401 or what else RFC 6750 section 3.1 says, and the
/// handler is not called.
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use chancery::axum::Token;
/// use chancery::resource::ProtectedResource;
///
/// fn notes(api: ProtectedResource) -> Router {
///     Router::new().route("/notes", get(read)).merge(chancery::axum::metadata(&api)).with_state(api)
/// }
///
/// async fn read(Token(token): Token) -> String {
///     format!("the notes of {}", token.subject)
/// }
/// ```
///
/// A route that demands a scope has a layer besides:
/// `get(read).layer(api.requires("notes:read")?)`. Then the token is judged there, and once.
///
/// Where the compiler expects a `Router` and finds a `Router<ProtectedResource>`, `with_state(api)` is missing.
#[derive(Clone, Debug)]
pub struct Token(pub AccessToken);

impl<S: Send + Sync> FromRequestParts<S> for Token
where
    ProtectedResource: FromRef<S>,
{
    type Rejection = Response<Full<Bytes>>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        ProtectedResource::from_ref(state).layer().access_token_of(parts).await.map(Self)
    }
}

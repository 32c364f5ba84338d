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
use ::axum::extract::{
    ConnectInfo, FromRef, FromRequestParts, OptionalFromRequestParts, OriginalUri, Request,
};
use ::axum::middleware::map_request;
use ::axum::routing::any;
use bytes::Bytes;
use chancery_core::context::{Call, RequestId};
use chancery_core::error::Failure;
use chancery_core::event::{BackgroundTask, Event};
use chancery_core::offered::Endpoint;
use chancery_core::provider::Provider;
use chancery_core::rule::bearer::TOKEN_MISSING;
use chancery_http::{Peer, Service, caught};
use chancery_resource::{AccessToken, ProtectedResource, Refused};
use http::request::Parts;
use http::{Extensions, Method, Response, Uri};
use http_body_util::Full;
use tokio::net::TcpListener;

/// How often the periodic work is done.
const PERIOD: Duration = Duration::from_secs(5);

/// What can be mounted: the [`Service`] of a provider, or a [`Development`](crate::development::Development) provider.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be mounted",
    note = "what can be mounted is a `chancery::Service`, which `chancery::service(provider)` makes of an `Arc<Provider>`, with the \
            designed pages, and a `&Development`; cloning either is cheap"
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
        let (path, paths) = (Service::provider(&self).issuer().path().to_owned(), self.paths());
        within(app, &path, paths, self)
    }
}

#[cfg(feature = "development")]
impl Mount for &crate::development::Development {
    fn provider(&self) -> Arc<Provider> {
        Arc::clone(crate::development::Development::provider(self))
    }

    fn within(self, app: Router) -> Router {
        let path = crate::development::Development::provider(self).issuer().path().to_owned();
        let service = self.service();
        within(app, &path, service.service().paths(), service)
    }
}

/// The provider's own addresses are routes, so that none of the application's takes their place unseen, be it for the same path
/// or for all that are left. Besides, an issuer without a path gets whatever the application does not route itself; one with a
/// path, such as `https://example.org/oidc`, gets everything below that.
fn within<S>(app: Router, path: &str, own: Vec<(String, Endpoint)>, service: S) -> Router
where
    S: tower_service::Service<Request, Error = std::convert::Infallible> + Clone + Send + Sync + 'static,
    S::Response: ::axum::response::IntoResponse,
    S::Future: Send + 'static,
{
    let app = own.into_iter().fold(app, |app, (path, endpoint)| {
        or_occupied(|| app.route_service(&path, service.clone()), || {
            format!(
                "the application already has a route for {path}, where the provider has its endpoint {endpoint}: mount the \
                 provider once, and give one of the two another path (that of the endpoint is in `config.routes`), or the issuer \
                 a path of its own"
            )
        })
    });
    if path.is_empty() {
        // A second fallback would silently take the place of the first one, which axum refuses in a merge alone.
        return or_occupied(
            || app.merge(Router::new().fallback_service(service)),
            || {
                "the application already has a fallback, and an issuer without a path needs it for itself: give the application's own \
             answer as a route, such as `/{*path}`, or give the issuer a path"
                .to_owned()
            },
        );
    }
    or_occupied(
        || app.nest_service(path, service),
        || {
            format!(
                "the application already has routes below the issuer's path {path}: mount the provider once, and give routes of its \
             own other paths"
            )
        },
    )
}

/// axum refuses a second route for a path, and a second fallback, by a panic that does not say what to do.
fn or_occupied(mount: impl FnOnce() -> Router, why: impl FnOnce() -> String) -> Router {
    catch_unwind(AssertUnwindSafe(mount)).unwrap_or_else(|_| occupied(&why()))
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
/// The router is served as it is and not nested: the provider stands below the path of its issuer already.
///
/// Where the issuer has no path, the application may have its own page at `/`, its own icon, and a route for whatever is left,
/// such as `/{*path}`. The paths of the endpoints are the provider's ([`Service::paths`]).
///
/// # Panics
/// If the application already has a route for one of these paths, or, where the issuer has no path, a fallback; or, where it has
/// one, routes for all that is below it. The first lines of what is printed then are axum's own, and the last ones say what to do.
pub fn mount(app: Router, provider: impl Mount) -> Router {
    provider.within(app).layer(map_request(with_peer))
}

/// Serves the application with the provider in it, and does the provider's periodic work, until accepting connections
/// fails. It starts no task of its own.
///
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
/// panics is an [`Event::TaskFaulted`], and is tried again.
pub async fn work(provider: Arc<Provider>) {
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        ticks.tick().await;
        // A panic of the application's code, be it its store or its clock, does not end the program either.
        let done = caught(pin!(async { provider.run_once(provider.now()).await })).await;
        if let Err(fault) = done.and_then(|done| done) {
            let now = provider.now();
            let event = Event::TaskFaulted { task: BackgroundTask::Work, fault };
            provider.env().record(&Call::new(now, RequestId(BackgroundTask::Work.as_str().into())), &event);
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
/// The argument is `Token(token): Token`: the [`AccessToken`] within it is no extractor, and of one the compiler says only that the
/// trait `Handler` is not implemented. A route that also answers strangers takes an `Option<Token>`, which is `None` for a request
/// without a token; a bad one is refused all the same. One that answers refusals itself takes a `Result<Token, Response<Full<Bytes>>>`.
///
/// A route that demands a scope has a layer besides:
/// `get(read).layer(api.requires("notes:read")?)`. Then the token is judged there, and once.
///
/// Where the compiler expects a `Router` or `MethodRouter<()>` and finds one of a `ProtectedResource`, `with_state(api)` is missing.
#[derive(Clone, Debug)]
pub struct Token(pub AccessToken);

impl<S: Send + Sync> OptionalFromRequestParts<S> for Token
where
    ProtectedResource: FromRef<S>,
{
    type Rejection = Response<Full<Bytes>>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        let refused = match ProtectedResource::from_ref(state).layer().access_token_of(parts).await {
            Ok(token) => return Ok(Some(Self(token))),
            Err(refused) => refused,
        };
        let is_missing = refused.extensions().get::<Refused>().is_some_and(
            |Refused(failure)| matches!(failure, Failure::Refused(why) if why.reason == &TOKEN_MISSING),
        );
        if is_missing { Ok(None) } else { Err(refused) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Token
where
    ProtectedResource: FromRef<S>,
{
    type Rejection = Response<Full<Bytes>>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        ProtectedResource::from_ref(state).layer().access_token_of(parts).await.map(Self)
    }
}

//! The Service, which answers requests.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chancery_core::context::{Call, RequestId};
use chancery_core::error::{Failure, Fault, Reason};
use chancery_core::event::Event;
use chancery_core::offered::{Caller, Endpoint};
use chancery_core::provider::Provider;
use chancery_x509::ClientCertificate;
use http::header::{ACCEPT, ALLOW, CONTENT_LENGTH};
use http::request::Parts;
use http::{Extensions, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body;
use http_body_util::Full;

use crate::bodies::{BodyBudget, BodyError, LONGEST, Received};
use crate::client_certificate::{ForwardedCertificate, PeerCertificate};
use crate::cookies::Cookies;
use crate::encode::{self, Form, HttpResponse};
use crate::locale::Locale;
use crate::mounting::{Elsewhere, Mounting};
use crate::own_form::OwnForm;
use crate::pages::{Content, Html, Overridden, Page, Pages, Retry, TrialClients};
use crate::plain::PlainPages;
use crate::proxies::{Peer, TrustedProxies};
use crate::route::{Route, RouteTable};
use crate::site::Site;
use crate::unknown_peer::UnknownPeers;
use crate::{
    check_session, cors, form, front_end, front_page, interaction_id, machine, metadata, page_file, panicked,
    person, registrant,
};

/// By which a request is found in the log.
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The Service of a provider, at its issuer's path, with [`PlainPages`] and no trusted proxies.
#[must_use]
pub fn service(provider: Arc<Provider>) -> Service {
    let cookies = Cookies::new(provider.issuer(), provider.realm(), provider.session_lifetime());
    Service {
        routes: Arc::new(RouteTable::new(provider.issuer(), "", provider.routes(), &provider.endpoints())),
        site: Site { provider, pages: Arc::new(PlainPages), cookies: Arc::new(cookies), trial: None },
        proxies: Arc::default(),
        forwarded: None,
        unknown_peers: Arc::default(),
        mounting: Arc::default(),
        bodies: Arc::default(),
    }
}

/// A [`tower_service::Service`] over any body, or [`Service::handle`] for frameworks that hand over a
/// complete one.
///
/// It never fails: every error is an answer. The program that accepts the connection has to insert the peer's
/// address into the request's extensions as [`Peer`]. Without it, guesses are only counted by user name, and
/// [`Event::PeerUnknown`] reports this once, and so it does every other cause for which nobody knows the peer.
#[derive(Clone)]
pub struct Service {
    site: Site,
    routes: Arc<RouteTable>,
    proxies: Arc<TrustedProxies>,
    /// In which header fields certificates are handed on, and from where.
    forwarded: Option<Arc<(ForwardedCertificate, TrustedProxies)>>,
    unknown_peers: Arc<UnknownPeers>,
    mounting: Arc<Mounting>,
    bodies: Arc<BodyBudget>,
}

impl Service {
    /// Its provider.
    #[must_use]
    pub fn provider(&self) -> &Arc<Provider> {
        &self.site.provider
    }

    /// Uses these pages.
    #[must_use]
    pub fn with_pages(mut self, pages: Arc<dyn Pages>) -> Self {
        self.site.pages = pages;
        self
    }

    /// Overrides some of the pages that it has: where `own` says `None`, the page stays as it is.
    ///
    /// It is an ordinary closure, not an `async` one (of which the compiler says that it needs type annotations): a page shows what
    /// it is given, and waits for nothing. What it shows of a person comes from the application's accounts, and what of a question
    /// of the application's own from its [`AuthorizationPolicy`](chancery_core::policy::AuthorizationPolicy).
    ///
    /// ```
    /// # mod chancery { pub use chancery_http::{Content, FormMarkup, Html, Service}; }
    /// use chancery::{Content, FormMarkup, Html, Service};
    ///
    /// fn with_own_login_page(service: Service) -> Service {
    ///     service.with_own_pages(|page, _| match page.content {
    ///         Content::Login(view, form) => Some(login(&view.client.name, form)),
    ///         _ => None,
    ///     })
    /// }
    ///
    /// fn login(client: &str, form: &FormMarkup) -> Html {
    ///     Html::new(format!(
    ///         r#"<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in to {}</h1>
    ///         <form method="post" action="{}">{}
    ///         <input name="username"><input name="password" type="password">
    ///         <button name="action" value="login">Sign in</button></form></html>"#,
    ///         Html::escape(client),
    ///         Html::escape(&form.action),
    ///         form.hidden_inputs()
    ///     ))
    /// }
    /// ```
    #[must_use]
    pub fn with_own_pages<F>(mut self, own: F) -> Self
    where
        F: Fn(Page<'_>, &Locale) -> Option<Html> + Send + Sync + 'static,
    {
        self.site.pages = Arc::new(Overridden { own, others: self.site.pages });
        self
    }

    /// Tells everybody who opens the issuer's own address about clients for an application of their own. This is only
    /// for a provider that nobody but its developers can reach: the page shows the secret.
    #[must_use]
    pub fn with_trial_clients(mut self, clients: TrialClients) -> Self {
        self.site.trial = Some(Arc::new(clients));
        self
    }

    /// Answers below this path, too. This is only needed if it is not the issuer's path and the framework
    /// does not strip it.
    ///
    /// A provider whose issuer has a path, such as `https://example.org/oidc`, has one address outside of it:
    /// its metadata at `/.well-known/oauth-authorization-server/oidc` (RFC 8414 section 3.1). Route that path
    /// to this service, too. URLs and cookie paths come from the issuer, never from the mount path.
    #[must_use]
    pub fn mounted_at(mut self, path: &str) -> Self {
        let provider = &self.site.provider;
        self.routes =
            Arc::new(RouteTable::new(provider.issuer(), path, provider.routes(), &provider.endpoints()));
        self
    }

    /// Reads from the extensions of a request with which URI it has come, for a framework that strips some of the path and
    /// keeps the whole there. Then a request below another path than the issuer's is answered with 404 and says so, instead of
    /// going to an endpoint whose addresses would all be wrong, and [`Event::MountedElsewhere`] reports it once.
    ///
    /// With the feature `axum`, the services of the crate `chancery` do this for axum.
    #[must_use]
    pub fn with_original_uri(mut self, original: fn(&Extensions) -> Option<&Uri>) -> Self {
        self.mounting = Arc::new(Mounting::told_by(original));
        self
    }

    /// The paths at which nothing else can answer where this service is mounted, each with its endpoint, as routers write them:
    /// `{below}` stands for one segment. The issuer's own address and `favicon.ico` are not among them: an application may have
    /// its own.
    #[must_use]
    pub fn paths(&self) -> Vec<(String, Endpoint)> {
        self.routes.claimed(self.provider().issuer())
    }

    /// The endpoint that answers at this path, for metrics.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> Option<Endpoint> {
        self.routes.find(path).map(|route| route.endpoint)
    }

    /// Reads the client's address from `X-Forwarded-For` when the connection comes from one of these
    /// networks.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = Arc::new(proxies);
        self
    }

    /// Reads the certificates of clients from these header fields when the connection comes from one of these networks.
    /// From anybody else such a request is refused, also from a proxy that is trusted for addresses alone.
    #[must_use]
    pub fn with_forwarded_certificates(
        mut self,
        forwarded: ForwardedCertificate,
        proxies: TrustedProxies,
    ) -> Self {
        self.forwarded = Some(Arc::new((forwarded, proxies)));
        self
    }

    /// Reads a form that one of the application's own pages has posted to an address of the application; or JSON,
    /// if the pages are on another origin (`interaction.location`). Then the response is JSON, too, and the preflight
    /// of that address comes here as well.
    ///
    /// ```
    /// # mod chancery { pub use chancery_http::Service; pub mod interaction { pub use chancery_core::interaction::Step; } }
    /// use std::ops::ControlFlow;
    /// use chancery::Service;
    /// use chancery::interaction::Step;
    /// # use chancery_core::{interaction::{LoginStep, Next}, request::PageError};
    /// # async fn sign_in(step: LoginStep<'_>, key: Option<&str>) -> Result<Next, PageError> { Ok(step.abort().await?) }
    ///
    /// async fn posted(
    ///     service: &Service,
    ///     request: http::Request<http_body_util::Full<bytes::Bytes>>,
    /// ) -> http::Response<http_body_util::Full<bytes::Bytes>> {
    ///     let form = match service.own_form(request).await {
    ///         Ok(form) => form,
    ///         Err(page) => return page,
    ///     };
    ///     let answer = async {
    ///         match form.step().await? {
    ///             ControlFlow::Continue(Step::Login(step)) => sign_in(step, form.field("key")).await,
    ///             ControlFlow::Continue(other) => form.press(other).await,
    ///             ControlFlow::Break(next) => Ok(next),
    ///         }
    ///     };
    ///     form.respond(answer).await
    /// }
    /// ```
    ///
    /// # Errors
    /// The page that says why it cannot be read.
    pub async fn own_form<B>(&self, request: Request<B>) -> Result<OwnForm, Response<Full<Bytes>>>
    where
        B: Body,
    {
        let (parts, body) = request.into_parts();
        let route = Route::at(Endpoint::Interaction);
        let call = self.call(Some(route), &parts);
        let (now, request_id, id) = (call.now, call.request_id.clone(), id_header(&call));
        match panicked::caught(pin!(self.read_own_form(call, route, &parts, body))).await {
            Ok(read) => read,
            Err(fault) => {
                let answer = self.panicked(&Call::new(now, request_id), route, &parts, fault);
                Err(self.protected(id, answer))
            }
        }
    }

    /// Answers a request whose body may still be arriving, for a program that keeps the service while it waits: what
    /// [`tower_service::Service::call`] does, without a copy of the service in a box of its own.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (parts, body) = request.into_parts();
        let route = self.routes.find(self.mounting.path(&parts));
        let received = match self.reads_body(route, &parts) {
            true => self.bodies.read(body, &parts, self.peer(&parts)).await,
            false => Ok(Received::default()),
        };
        let body = received.as_ref().map(|received| &received.bytes).map_err(|unread| *unread);
        self.answer(route, &parts, body).await
    }

    /// Answers a request whose body is complete. Bodies of more than 64 KiB are refused.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let body = if body.len() > LONGEST { Err(BodyError::TooLong) } else { Ok(&body) };
        self.answer(self.routes.find(self.mounting.path(&parts)), &parts, body).await
    }
}

impl<B> tower_service::Service<Request<B>> for Service
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.respond(request).await) })
    }
}

impl Service {
    async fn read_own_form<B: Body>(
        &self,
        mut call: Call,
        route: Route<'_>,
        parts: &Parts,
        body: B,
    ) -> Result<OwnForm, HttpResponse> {
        match self.certificate(parts) {
            Ok(certificate) => call.certificate = certificate,
            Err(reason) => {
                let refused = self.refused_certificate(&call, route, reason);
                return Err(self.protected(id_header(&call), refused));
            }
        }
        self.site.provider.refresh(call.now).await;
        let is_read = match self.site.provider.pages_location() {
            Some(location) if parts.method == Method::OPTIONS => {
                let answer = front_end::own_preflight(&self.site, parts, location);
                return Err(self.protected(id_header(&call), answer));
            }
            Some(location) => front_end::reads_body(location, parts),
            None => {
                person::check_header(&self.site, route, parts).is_ok()
                    && form::has_form_content_type(&parts.headers).is_ok()
            }
        };
        let received = match is_read {
            true => self.bodies.read(body, parts, call.peer).await,
            false => Ok(Received::default()),
        };
        let body = received.as_ref().map(|received| &received.bytes).map_err(|unread| *unread);
        OwnForm::read(self, call, parts, body).map_err(|page| *page)
    }

    /// Whether the body is read: the header is valid and says that there are parameters.
    fn reads_body(&self, route: Option<Route<'_>>, parts: &Parts) -> bool {
        let has_parameters = matches!(parts.method, Method::POST | Method::PUT);
        if let Some(location) = route.and_then(|route| front_end::of_route(&self.site, route)) {
            return front_end::reads_body(location, parts);
        }
        let route = route.filter(|route| route.allows(&parts.method));
        let Some(route) = route.filter(|_| has_parameters) else { return false };
        if route.caller() == Caller::Registrant {
            return registrant::check_header(&parts.headers).is_ok();
        }
        let is_header_valid = match route.caller() {
            Caller::Browser => person::check_header(&self.site, route, parts).is_ok(),
            _ => form::authorization(&parts.headers).is_ok(),
        };
        is_header_valid && form::has_form_content_type(&parts.headers).unwrap_or(false)
    }

    /// The answer to a request. A body that was not read is empty here.
    async fn answer(
        &self,
        route: Option<Route<'_>>,
        parts: &Parts,
        body: Result<&Bytes, BodyError>,
    ) -> HttpResponse {
        let mut call = self.call(route, parts);
        let (request_id, now) = (id_header(&call), call.now);
        let answer = match (self.certificate(parts), route) {
            (Err(reason), Some(route)) => self.refused_certificate(&call, route, reason),
            (_, None) => self.not_found(call, parts),
            (Ok(certificate), Some(route)) => {
                self.mounting.is_right();
                call.certificate = certificate;
                match panicked::caught(pin!(self.routed(call, route, parts, body))).await {
                    Ok(answer) => answer,
                    Err(fault) => {
                        // The call is gone with what has panicked; the event and the page name the same request.
                        let id = request_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
                        self.panicked(&Call::new(now, RequestId(id.into())), route, parts, fault)
                    }
                }
            }
        };
        let mut answer = self.protected(request_id.clone(), answer);
        if is_resource(route) {
            interaction_id::tell(answer.headers_mut(), request_id, now);
        }
        if parts.method == Method::HEAD {
            // RFC 9110 section 9.3.2: the length that GET would send, and no content.
            let length = answer.body().size_hint().lower();
            answer.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
            *answer.body_mut() = Full::default();
        }
        answer
    }

    /// The answer to a request in which something has panicked.
    pub(crate) fn panicked(
        &self,
        request: &Call,
        route: Route<'_>,
        parts: &Parts,
        fault: Fault,
    ) -> HttpResponse {
        let mut call = Call::new(request.now, request.request_id.clone());
        call.peer = self.peer(parts);
        panicked::answer(&self.site, call, route, parts, fault)
    }

    /// With the headers that every answer has.
    pub(crate) fn protected(
        &self,
        request_id: Option<HeaderValue>,
        mut answer: HttpResponse,
    ) -> HttpResponse {
        encode::protect(&mut answer, self.site.provider.issuer());
        if let Some(request_id) = request_id {
            answer.headers_mut().insert(&REQUEST_ID, request_id);
        }
        answer
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// The client's address, if it is known.
    fn peer(&self, parts: &Parts) -> Option<IpAddr> {
        let client =
            self.proxies.client(parts.extensions.get::<Peer>().map(|peer| peer.0), &parts.headers)?;
        // An untrusted proxy on this machine speaks for everybody. If it counted as one network, one person's
        // guesses would make all others wait.
        let is_proxy = client.is_loopback() && self.site.provider.issuer().is_https();
        (!is_proxy).then_some(client)
    }

    /// The certificate that the client has shown, to a trusted proxy or to us. That of a proxy itself is nobody's.
    fn certificate(&self, parts: &Parts) -> Result<Option<Arc<ClientCertificate>>, &'static Reason> {
        let peer = parts.extensions.get::<Peer>().map(|peer| peer.0.to_canonical());
        let is_of = |proxies: &TrustedProxies| peer.is_some_and(|peer| proxies.contains(peer));
        let mut is_of_proxy = is_of(&self.proxies);
        if let Some((forwarded, proxies)) = self.forwarded.as_deref() {
            let hands_on = is_of(proxies);
            if let Some(certificate) = forwarded.read(&parts.headers, hands_on)? {
                return Ok(Some(certificate));
            }
            is_of_proxy |= hands_on;
        }
        let of_peer = parts.extensions.get::<PeerCertificate>().filter(|_| !is_of_proxy);
        Ok(of_peer.map(|of_peer| Arc::clone(&of_peer.0)))
    }

    /// The answer to a request that finds no endpoint; for somebody who has mounted the service, it may be the first one.
    fn not_found(&self, call: Call, parts: &Parts) -> HttpResponse {
        let (whole, seen) = (self.mounting.path(parts), parts.uri.path());
        let Some(elsewhere) = Elsewhere::of(&self.routes, whole, seen) else {
            return self.no_page(call, parts, encode::text(StatusCode::NOT_FOUND, "Not Found"));
        };
        let provider = &self.site.provider;
        let advice = elsewhere.advice(provider.issuer());
        let certain = elsewhere.is_certain.then(|| format!("Not Found: {advice}"));
        if self.mounting.reports(&elsewhere) {
            provider.env().record(&call, &Event::MountedElsewhere { advice });
        }
        match certain {
            Some(answer) => encode::text(StatusCode::NOT_FOUND, answer),
            // A stranger can have made the path up.
            None => self.no_page(call, parts, encode::text(StatusCode::NOT_FOUND, "Not Found")),
        }
    }

    /// The answer to a request whose header has a certificate that must not be there.
    fn refused_certificate(&self, call: &Call, route: Route<'_>, reason: &'static Reason) -> HttpResponse {
        let failure = Failure::from(reason);
        self.site.refused(call, route.endpoint, &failure);
        match route.caller() {
            Caller::Browser => self.site.error_page(call, &failure.into(), Retry::No),
            _ => encode::error_body(&failure, self.site.provider.issuer()),
        }
    }

    /// What all endpoints need of a request.
    fn call(&self, route: Option<Route<'_>>, parts: &Parts) -> Call {
        let env = self.site.provider.env();
        let random = env.secret::<16>();
        let request_id = match is_resource(route) {
            true => interaction_id::request_id(&parts.headers, *random),
            false => RequestId(URL_SAFE_NO_PAD.encode(*random).into()),
        };
        let mut call = Call::new(self.site.provider.now(), request_id);
        call.peer = self.peer(parts);
        if call.peer.is_none()
            && let Some(advice) = self.unknown_peers.advice(parts, &self.proxies)
        {
            env.record(&call, &Event::PeerUnknown { advice });
        }
        call
    }

    async fn routed(
        &self,
        call: Call,
        route: Route<'_>,
        parts: &Parts,
        body: Result<&Bytes, BodyError>,
    ) -> HttpResponse {
        let site = &self.site;
        if let Some(location) = front_end::of_route(site, route) {
            site.provider.refresh(call.now).await;
            return Box::pin(front_end::answer(site, call, route, parts, body, location)).await;
        }
        if !route.allows(&parts.method) {
            let refused = encode::method_not_allowed(&route.methods());
            return if route.caller() == Caller::Browser {
                self.no_page(call, parts, refused)
            } else {
                refused
            };
        }
        if parts.method == Method::OPTIONS {
            return cors::preflight(route, &parts.headers);
        }
        site.provider.refresh(call.now).await;
        match route.caller() {
            _ if route.endpoint == Endpoint::PageFile => page_file::answer(site, route),
            Caller::Anybody if route.endpoint == Endpoint::Icon => front_page::icon(),
            Caller::Anybody => metadata::answer(site, route, parts),
            _ if route.endpoint == Endpoint::CheckSession => check_session::frame(site),
            // These need much room, which no other request is to carry along.
            Caller::Browser => Box::pin(person::answer(site, call, route, parts, body)).await,
            Caller::Registrant => Box::pin(registrant::answer(site, call, route, parts, body)).await,
            Caller::Client | Caller::Bearer => machine::answer(site, call, route, parts, body).await,
        }
    }
}

impl Service {
    /// The answer where there is nothing to show, as a page with a way on for whoever looks at it in a browser.
    fn no_page(&self, call: Call, parts: &Parts, refused: HttpResponse) -> HttpResponse {
        let mut accepted = parts.headers.get_all(ACCEPT).iter();
        if !accepted.any(|line| line.to_str().is_ok_and(|line| line.contains("text/html"))) {
            return refused;
        }
        let mut call = person::of_browser(&self.site, call, parts);
        let chosen = match parts.method {
            Method::GET | Method::HEAD => {
                // Relative, so that nothing of the request stands in the page.
                call.shown_at = Some("".into());
                let params = form::query(parts.uri.query()).ok();
                params.and_then(|params| person::chosen_language(&self.site, &params))
            }
            _ => None,
        };
        if let Some(locale) = &chosen {
            call.language = Some(locale.as_str().into());
        }
        let mut page = self.site.page(&call, refused.status(), Content::NotFound, Form::None);
        if let Some(locale) = chosen {
            self.site.cookies.set_language(&locale, page.headers_mut());
        }
        if let Some(allow) = refused.headers().get(ALLOW) {
            page.headers_mut().insert(ALLOW, allow.clone());
        }
        page
    }
}

/// Whether the request is for a protected resource (RFC 6749 section 1.1).
fn is_resource(route: Option<Route<'_>>) -> bool {
    route.is_some_and(|route| route.caller() == Caller::Bearer)
}

/// The id of the request as a header. Whatever the id is made of may stand in one.
pub(crate) fn id_header(call: &Call) -> Option<HeaderValue> {
    HeaderValue::from_str(&call.request_id.0).ok()
}

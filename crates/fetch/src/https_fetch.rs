//! The implementation of the port.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chancery_core::error::Fault;
use chancery_core::fetch::{Fetch, FetchRequest, FetchResponse};
use chancery_core::ports::BoxFuture;
use rustls::ClientConfig;
use tokio::time::{Instant, timeout_at};

use crate::exchange::exchange;
use crate::flights::{Flights, Outcome, Wanted};
use crate::lanes::Lanes;
use crate::network::{DynNetwork, SystemNetwork};
use crate::not_fetched::NotFetched;
use crate::roots::{Roots, client_config};
use crate::target::{AllowedHost, Target};

/// How much is asked of other servers, and of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a request may take, from its start to the last byte of the response.
    pub time: Duration,
    /// How long a document may be, in bytes, even if more was asked for.
    pub document: usize,
    /// How many documents are fetched at once. Further requests wait, within their time.
    pub gets: usize,
    /// How many more documents are fetched at once from hosts that took longer than a second the last time.
    pub slow_gets: usize,
    /// How many notices are sent at once. Who sends them has limits of its own, which are lower.
    pub posts: usize,
    /// How many requests for documents one host gets at once, and as many notices.
    pub per_host: usize,
    /// How long a document that could not be fetched is not asked for again.
    pub failures_remembered: Duration,
    /// How many such documents are remembered.
    pub failures_kept: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            document: 256 * 1024,
            gets: 16,
            slow_gets: 4,
            posts: 512,
            per_host: 4,
            failures_remembered: Duration::from_secs(10),
            failures_kept: 1024,
        }
    }
}

/// Where a request goes on that nobody waits for any more: it is called with the rest of each request for a document.
pub type Background = Arc<dyn Fn(BoxFuture<'static, ()>) + Send + Sync>;

/// What a client is made of.
pub struct Options {
    /// Whose certificates are accepted.
    pub roots: Roots,
    /// Hosts that may be in the internal network or on another port than 443.
    pub allowed_hosts: Vec<AllowedHost>,
    /// Whether these hosts are also asked for clients that have registered themselves.
    pub are_allowed_for_strangers: bool,
    /// Whether this machine is asked by `http`, too, on any port: for development. Nobody else is, and not for clients that
    /// have registered themselves.
    pub http_on_this_machine: bool,
    /// How much is asked of other servers.
    pub limits: Limits,
    /// How names are resolved and addresses dialled.
    pub network: Arc<dyn DynNetwork>,
    /// Where requests go on when those who wanted them have given up. Without it they end with the last of them, and
    /// whoever gives up again and again has another server asked each time.
    pub background: Option<Background>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            roots: Roots::default(),
            allowed_hosts: Vec::new(),
            are_allowed_for_strangers: false,
            http_on_this_machine: false,
            limits: Limits::default(),
            network: Arc::new(SystemNetwork),
            background: None,
        }
    }
}

/// Fetches over HTTPS. It needs a tokio runtime with timers, and with I/O if it uses [`SystemNetwork`].
#[derive(Clone)]
pub struct HttpsFetch {
    client: Arc<Client>,
    flights: Arc<Flights>,
}

struct Client {
    tls: Arc<ClientConfig>,
    allowed_hosts: Vec<AllowedHost>,
    are_allowed_for_strangers: bool,
    http_on_this_machine: bool,
    limits: Limits,
    network: Arc<dyn DynNetwork>,
    lanes: Lanes,
}

impl HttpsFetch {
    /// A client with these options.
    ///
    /// # Errors
    /// [`Fault::internal`] if TLS cannot be set up.
    pub fn new(options: Options) -> Result<Self, Fault> {
        let Options { roots, allowed_hosts, are_allowed_for_strangers, http_on_this_machine, .. } = options;
        let Options { limits, network, background, .. } = options;
        let client = Client {
            tls: Arc::new(client_config(roots)?),
            allowed_hosts,
            are_allowed_for_strangers,
            http_on_this_machine,
            limits,
            network,
            lanes: Lanes::new(&limits),
        };
        Ok(Self { client: Arc::new(client), flights: Arc::new(Flights::new(&limits, background)) })
    }
}

impl fmt::Debug for HttpsFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpsFetch")
            .field("allowed_hosts", &self.client.allowed_hosts)
            .field("limits", &self.client.limits)
            .finish_non_exhaustive()
    }
}

impl Fetch for HttpsFetch {
    fn refuses(&self, url: &str) -> Option<Fault> {
        let Client { allowed_hosts, http_on_this_machine, .. } = &*self.client;
        let target = Target::parse(url, allowed_hosts, *http_on_this_machine);
        target.err().map(|why| Fault::unavailable(format!("{url} is not fetched")).because(why))
    }

    async fn fetch(&self, request: &FetchRequest<'_>) -> Result<FetchResponse, Fault> {
        let may_be_plain = self.client.http_on_this_machine && !request.is_of_stranger();
        let target = Target::parse(request.url(), self.client.named_for(request), may_be_plain);
        let target = target.map_err(|why| fault("a URL", why))?;
        if request.body().is_some() {
            return self.client.send(&target, request).await.response;
        }
        let wanted = Wanted {
            url: request.url().into(),
            accept: request.accept(),
            longest: request.longest(),
            is_of_stranger: request.is_of_stranger(),
        };
        let client = self.client.clone();
        let get = {
            // Those who want the same document later are not heard of by the other server.
            let (wanted, traceparent) = (wanted.clone(), request.traceparent().map(str::to_owned));
            async move {
                let request = FetchRequest::get(&wanted.url, wanted.accept, wanted.longest);
                let request = match &traceparent {
                    Some(traceparent) => request.traced(traceparent),
                    None => request,
                };
                client.send(&target, &request).await
            }
        };
        self.flights.join(wanted, get).await
    }
}

impl Client {
    /// The hosts that may be internal for whoever wants this request.
    fn named_for(&self, request: &FetchRequest<'_>) -> &[AllowedHost] {
        if request.is_of_stranger() && !self.are_allowed_for_strangers { &[] } else { &self.allowed_hosts }
    }

    async fn send(&self, target: &Target, request: &FetchRequest<'_>) -> Outcome {
        match self.in_time(target, request).await {
            Ok(response) => {
                let is_failure = response.status() != 200;
                Outcome { response: Ok(response), is_failure }
            }
            Err(why) => Outcome { is_failure: why.is_lasting(), response: Err(fault(target, why)) },
        }
    }

    async fn in_time(
        &self,
        target: &Target,
        request: &FetchRequest<'_>,
    ) -> Result<FetchResponse, NotFetched> {
        let longest = request.longest().min(self.limits.document);
        let begun = now();
        let deadline = begun + self.limits.time;
        let entered = timeout_at(deadline, self.lanes.enter(&target.host, request.body().is_some())).await;
        let Ok(Ok(_permit)) = entered else { return Err(NotFetched::Busy) };
        let entered = now();
        let exchanged = exchange(&*self.network, &self.tls, target, request, longest, deadline);
        let answer = match timeout_at(deadline, exchanged).await {
            Ok(answer) => answer?,
            // It is not the server's fault if it had little of the time.
            Err(_) if entered > begun + self.limits.time / 2 => return Err(NotFetched::Busy),
            Err(_) => return Err(NotFetched::TooSlow),
        };
        let response =
            request.answered(answer.status, answer.body).map_err(|_| NotFetched::TooLong(longest))?;
        let response = match answer.content_type {
            Some(content_type) => response.with_content_type(content_type),
            None => response,
        };
        Ok(match answer.fresh_for {
            Some(fresh_for) => response.with_fresh_for(fresh_for),
            None => response,
        })
    }
}

/// The one failure that callers see, with its cause for our own log.
fn fault(what: impl fmt::Display, why: NotFetched) -> Fault {
    Fault::unavailable(format!("{what} was not fetched")).because(why)
}

/// The time of the runtime, by which deadlines are kept.
#[expect(clippy::disallowed_methods, reason = "what waits for other servers has to know how long")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

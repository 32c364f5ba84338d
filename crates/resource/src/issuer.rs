//! RFC 8414, OAuth 2.0 Authorization Server Metadata: section 3, where the issuer has its keys and introspects tokens;
//! OpenID Connect Discovery 1.0: section 4, the same under another address.
//! Config     none
//! Discovery  none

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chancery_core::error::Fault;
use chancery_core::fetch::{DynFetch, FetchRequest};
use chancery_core::model::client::PublicKeys;
use chancery_core::published_keys::PublishedKeys;
use chancery_jose::json::Object;
use chancery_types::{Issuer, Timestamp};

/// For how long its metadata counts. Endpoints hardly ever move.
const FRESH: Duration = Duration::from_secs(60 * 60);

/// For how long a failure is believed.
const PACE: Duration = Duration::from_secs(10);

/// The longest metadata that is read, in bytes.
const LONGEST: usize = 256 * 1024;

/// The issuer whose tokens are accepted, as far as it is known over the network.
pub(crate) struct TrustedIssuer {
    pub(crate) issuer: Issuer,
    fetch: Arc<dyn DynFetch>,
    keys: PublishedKeys,
    known: Mutex<Known>,
    /// Whoever asks for the metadata holds it; those who know none yet wait for what is learned.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    endpoints: Option<(Arc<Endpoints>, Timestamp)>,
    /// When it last failed, and why.
    failed: Option<(Timestamp, Fault)>,
}

/// What is needed of the metadata.
pub(crate) struct Endpoints {
    pub(crate) jwks_uri: Option<Box<str>>,
    pub(crate) introspection: Option<Box<str>>,
}

impl Known {
    /// What can be said now without asking the issuer; `None` if it has to be asked.
    fn without_asking(&self, now: Timestamp) -> Option<Result<Arc<Endpoints>, Fault>> {
        let believed = self.failed.as_ref().filter(|(at, _)| now.distance(*at) < PACE);
        match (&self.endpoints, believed) {
            (Some((endpoints, at)), believed) if believed.is_some() || now.distance(*at) < FRESH => {
                Some(Ok(Arc::clone(endpoints)))
            }
            (None, Some((_, fault))) => Some(Err(fault.clone())),
            _ => None,
        }
    }
}

impl TrustedIssuer {
    pub(crate) fn new(issuer: Issuer, fetch: Arc<dyn DynFetch>) -> Self {
        Self {
            issuer,
            fetch,
            keys: PublishedKeys::default(),
            known: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        }
    }

    pub(crate) fn fetch(&self) -> &dyn DynFetch {
        &*self.fetch
    }

    /// Its keys; others than `unhelpful`, if there are others. Whoever asks for others has them fetched at most once a
    /// minute.
    pub(crate) async fn keys(
        &self,
        now: Timestamp,
        unhelpful: Option<&Arc<PublicKeys>>,
    ) -> Result<Arc<PublicKeys>, Fault> {
        let endpoints = self.endpoints(now).await?;
        let jwks_uri = endpoints.jwks_uri.as_deref().ok_or_else(|| self.lacks("jwks_uri"))?;
        self.keys.at(now, &*self.fetch, jwks_uri, unhelpful).await
    }

    /// Where it is asked about tokens.
    pub(crate) async fn introspection(&self, now: Timestamp) -> Result<Arc<Endpoints>, Fault> {
        let endpoints = self.endpoints(now).await?;
        if endpoints.introspection.is_some() {
            Ok(endpoints)
        } else {
            Err(self.lacks("introspection_endpoint"))
        }
    }

    /// Its endpoints. While its metadata cannot be fetched again, those that are known count; so they do for all others
    /// while one request fetches it.
    async fn endpoints(&self, now: Timestamp) -> Result<Arc<Endpoints>, Fault> {
        let meanwhile = {
            let known = self.known();
            if let Some(said) = known.without_asking(now) {
                return said;
            }
            known.endpoints.as_ref().map(|(endpoints, _)| Arc::clone(endpoints))
        };
        let _turn = match meanwhile {
            None => self.asking.lock().await,
            Some(endpoints) => match self.asking.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(endpoints),
            },
        };
        if let Some(said) = self.known().without_asking(now) {
            return said;
        }
        let fetched = self.fetched().await;
        let mut known = self.known();
        match fetched {
            Ok(endpoints) => {
                let endpoints = Arc::new(endpoints);
                *known = Known { endpoints: Some((Arc::clone(&endpoints), now)), failed: None };
                Ok(endpoints)
            }
            Err(fault) => {
                known.failed = Some((now, fault.clone()));
                known.endpoints.as_ref().map(|(endpoints, _)| Arc::clone(endpoints)).ok_or(fault)
            }
        }
    }

    async fn fetched(&self) -> Result<Endpoints, Fault> {
        let (origin, path) = (self.issuer.origin(), self.issuer.path());
        match self.read(&format!("{origin}/.well-known/oauth-authorization-server{path}")).await {
            Ok(endpoints) => Ok(endpoints),
            Err(_) => self.read(&format!("{}/.well-known/openid-configuration", self.issuer)).await,
        }
    }

    async fn read(&self, url: &str) -> Result<Endpoints, Fault> {
        let request = FetchRequest::get(url, "application/json", LONGEST);
        let answer = self.fetch.fetch(&request).await?;
        if !request.is_document(answer.status()) {
            return Err(Fault::unavailable(format!("{url} answered {}", answer.status())));
        }
        let unusable = |_| Fault::unavailable(format!("{url} is no metadata"));
        let metadata = Object::parse(answer.body()).map_err(unusable)?;
        // RFC 8414 section 3.3: metadata of another issuer must not be used.
        if metadata.string("issuer").map_err(unusable)?.as_deref() != Some(self.issuer.as_str()) {
            return Err(Fault::unavailable(format!("{url} is the metadata of another issuer")));
        }
        let url = |name| Ok::<_, Fault>(metadata.string(name).map_err(unusable)?.map(String::into_boxed_str));
        Ok(Endpoints { jwks_uri: url("jwks_uri")?, introspection: url("introspection_endpoint")? })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lacks(&self, what: &str) -> Fault {
        Fault::unavailable(format!("{} has no {what}", self.issuer))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;
    use chancery_core::fetch::{Fetch, FetchResponse};
    use chancery_core::ports::BoxFuture;

    use super::*;

    const METADATA: &str = r#"{"issuer":"https://id.example","jwks_uri":"https://id.example/jwks"}"#;

    /// Keeps us waiting, but while it has an answer.
    #[derive(Default)]
    struct Hanging {
        asked: AtomicUsize,
        answer: Mutex<Option<&'static str>>,
    }

    impl Fetch for Hanging {
        async fn fetch(&self, request: &FetchRequest<'_>) -> Result<FetchResponse, Fault> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            std::future::poll_fn(|_| match *self.answer.lock().unwrap() {
                Some(answer) => Poll::Ready(request.answered(200, Bytes::from_static(answer.as_bytes()))),
                None => Poll::Pending,
            })
            .await
        }
    }

    type Asked<'a> = BoxFuture<'a, Result<Arc<Endpoints>, Fault>>;

    /// What one who asks has by now.
    fn by_now(of: &mut Asked<'_>) -> Option<Arc<Endpoints>> {
        match of.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value.ok(),
            Poll::Pending => None,
        }
    }

    /// Whoever comes first asks: those who know nothing wait for the answer, and those who know something go on with that.
    #[test]
    fn one_asks_and_nobody_waits_without_need() {
        let wire = Arc::new(Hanging::default());
        let fetch: Arc<dyn DynFetch> = Arc::clone(&wire) as _;
        let issuer = TrustedIssuer::new(Issuer::parse("https://id.example").unwrap(), fetch);
        let (first, later) = (Timestamp::from_secs(0), Timestamp::from_secs(0) + FRESH);
        let asks = |at| -> Asked<'_> { Box::pin(issuer.endpoints(at)) };
        let mut all: Vec<Asked<'_>> = (0..5).map(|_| asks(first)).collect();
        assert!(all.iter_mut().all(|one| by_now(one).is_none()));
        *wire.answer.lock().unwrap() = Some(METADATA);
        assert!(all.iter_mut().all(|one| by_now(one).is_some()));
        assert_eq!(wire.asked.load(Ordering::Relaxed), 1);
        *wire.answer.lock().unwrap() = None;
        let mut one = asks(later);
        assert!(by_now(&mut one).is_none());
        assert!((0..5).all(|_| by_now(&mut asks(later)).is_some()), "the others go on");
        assert_eq!(wire.asked.load(Ordering::Relaxed), 2);
        drop(one);
        let mut next = asks(later);
        assert!(by_now(&mut next).is_none(), "who has gone away has not asked");
        *wire.answer.lock().unwrap() = Some(METADATA);
        assert!(by_now(&mut next).is_some() && by_now(&mut asks(later)).is_some());
        assert_eq!(wire.asked.load(Ordering::Relaxed), 3);
    }
}

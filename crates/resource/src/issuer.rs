//! RFC 8414, OAuth 2.0 Authorization Server Metadata: section 3, where the issuer has its keys and introspects tokens;
//! OpenID Connect Discovery 1.0: section 4, the same under another address.
//! Config     none
//! Discovery  none

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chancery_core::error::Fault;
use chancery_core::fetch::{Fetch, FetchRequest};
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
    fetch: Arc<dyn Fetch>,
    keys: PublishedKeys,
    known: Mutex<Known>,
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

impl TrustedIssuer {
    pub(crate) fn new(issuer: Issuer, fetch: Arc<dyn Fetch>) -> Self {
        Self { issuer, fetch, keys: PublishedKeys::default(), known: Mutex::default() }
    }

    pub(crate) fn fetch(&self) -> &dyn Fetch {
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

    /// Its endpoints. While its metadata cannot be fetched again, those that are known count.
    async fn endpoints(&self, now: Timestamp) -> Result<Arc<Endpoints>, Fault> {
        {
            let known = self.known();
            let believed = known.failed.as_ref().filter(|(at, _)| now.distance(*at) < PACE);
            match (&known.endpoints, believed) {
                (Some((endpoints, at)), believed) if believed.is_some() || now.distance(*at) < FRESH => {
                    return Ok(Arc::clone(endpoints));
                }
                (None, Some((_, fault))) => return Err(fault.clone()),
                _ => {}
            }
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

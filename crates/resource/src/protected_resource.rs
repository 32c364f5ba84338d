//! A protected resource: whose tokens it takes, and how a request is judged.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chancery_core::context::DpopHeader;
use chancery_core::error::Failure;
use chancery_core::fetch::DynFetch;
use chancery_core::model::{AccessToken, Possession, ResourceServer, Thumbprint};
use chancery_core::ports::{Clock, SystemClock};
use chancery_core::provider::Provider;
use chancery_core::rule::bearer::{MALFORMED_HEADER, SEVERAL_TOKENS, Scheme, TOKEN_IN_QUERY, TOKEN_MISSING};
use chancery_core::rule::dpop::{DpopConfig, Proof, ProvenRequest, REPLAYED};
use chancery_http::PeerCertificate;
use chancery_jose::SigningAlgorithm;
use chancery_types::nearest::did_you_mean;
use chancery_types::{ResourceUri, Scope, Scopes, TargetUri, Timestamp};
use http::header::AUTHORIZATION;
use http::{HeaderName, Method, Response};
use http_body_util::Full;

use crate::NotProtected;
use crate::demands::Demands;
use crate::introspection::Introspection;
use crate::issuer::TrustedIssuer;
use crate::jwt::Expected;
use crate::layer::RequireToken;
use crate::metadata::{Metadata, Told};
use crate::request_head::RequestHead;
use crate::tokens::Tokens;
use crate::used_proofs::{DynUsedProofs, ProofsOfProvider, SeenProofs};

static DPOP: HeaderName = HeaderName::from_static("dpop");

/// An API that takes access tokens. It is cheap to clone.
#[derive(Clone)]
pub struct ProtectedResource {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) expected: Expected,
    tokens: Tokens,
    /// What the provider in the same program knows about the resource, if it can say so without looking it up.
    server: Option<Arc<ResourceServer>>,
    dpop: DpopConfig,
    /// The algorithms of its proofs, as a challenge names them.
    pub(crate) dpop_algorithms: Option<String>,
    used_proofs: Arc<dyn DynUsedProofs>,
    clock: Arc<dyn Clock>,
    /// What a proxy or router has cut off the paths of requests.
    prefix: String,
    pub(crate) metadata: Metadata,
}

impl ProtectedResource {
    /// A resource that takes the tokens of this issuer, which is asked over the network.
    pub fn trusting(issuer: &str, fetch: Arc<dyn DynFetch>) -> Builder {
        Builder::new(Trusted::Issuer(issuer.to_owned(), fetch))
    }

    /// A resource that takes the tokens of this provider, which is in the same program: nothing goes over the network,
    /// and what is revoked ends at once. It has the provider's clock, and judges DPoP proofs as the provider does.
    pub fn of_provider(provider: Arc<Provider>) -> Builder {
        Builder::new(Trusted::Provider(provider))
    }

    /// The layer for the whole API: it answers requests for the metadata of the resource (RFC 9728 section 3), and lets
    /// others through only with a good token.
    #[must_use]
    pub fn layer(&self) -> RequireToken {
        RequireToken::new(self.clone(), Demands::default())
    }

    /// The layer for a route that demands these scopes, with blanks between them. It can stand alone or within
    /// [`ProtectedResource::layer`], and then reads the token only once.
    ///
    /// # Errors
    /// [`NotProtected`] if they are no scopes, or, in the program of the provider, none of this resource server: no token
    /// could have them.
    pub fn requires(&self, scopes: &str) -> Result<RequireToken, NotProtected> {
        let malformed = |_| {
            NotProtected::new(format!("requires({scopes:?}):"), "must be scopes with blanks between them")
        };
        let demands = Demands { scopes: Scopes::parse(scopes).map_err(malformed)?, ..Demands::default() };
        if let Some(server) = &self.inner.server
            && let Some(unknown) = demands.scopes.iter().find(|scope| !server.knows(scope))
        {
            let near = did_you_mean(unknown.as_str(), server.scopes.iter().map(Scope::as_str));
            let has = server.scopes.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ");
            let rule = format!(
                "{unknown} is no scope of the resource server {}, so that no token could have it: add it to its scopes ({has:?}), \
                 or demand another one{near}",
                server.uri.as_str()
            );
            return Err(NotProtected::new(format!("requires({scopes:?}):"), rule));
        }
        Ok(RequireToken::new(self.clone(), demands))
    }

    /// The token of a request, if it is good here; else the answer to send back, with its challenge (RFC 6750 section 3).
    /// For handlers that ask by themselves, without a layer around them.
    ///
    /// ```
    /// # mod chancery { pub mod resource { pub use chancery_resource::ProtectedResource; } }
    /// use bytes::Bytes;
    /// use chancery::resource::ProtectedResource;
    /// use http::{Request, Response};
    /// use http_body_util::Full;
    ///
    /// async fn notes<B>(api: &ProtectedResource, request: &Request<B>) -> Response<Full<Bytes>> {
    ///     match api.access_token(request).await {
    ///         Ok(token) => Response::new(Full::from(format!("the notes of {}", token.subject))),
    ///         Err(refusal) => refusal,
    ///     }
    /// }
    /// ```
    ///
    /// A DPoP proof is good once: so ask once for each request.
    ///
    /// # Errors
    /// 401, 403, or what else RFC 6750 section 3.1 says; 503 if it cannot be known.
    pub async fn access_token<'r>(
        &self,
        request: impl Into<RequestHead<'r>>,
    ) -> Result<AccessToken, Response<Full<Bytes>>> {
        self.layer().access_token(request).await
    }

    /// The path of its metadata on its host (RFC 9728 section 3.1), which has to lead to [`ProtectedResource::layer`].
    #[must_use]
    pub fn metadata_path(&self) -> &str {
        &self.inner.metadata.path
    }

    /// The answer to a request for its metadata, for those who route [`ProtectedResource::metadata_path`] by themselves.
    #[must_use]
    pub fn metadata(&self, method: &Method) -> Response<Full<Bytes>> {
        self.inner.metadata.answer(method)
    }

    /// The address of its metadata (RFC 9728 section 3.1).
    #[must_use]
    pub fn metadata_url(&self) -> &str {
        &self.inner.metadata.url
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The token of a request, if it is good here. In the order of RFC 6750 section 2, RFC 9449 section 7.1, RFC 9068
    /// section 4 and RFC 8705 section 3; a proof is used up last, when everything else is right.
    pub(crate) async fn judge(
        &self,
        head: &RequestHead<'_>,
        demands: &Demands,
        now: Timestamp,
    ) -> Result<AccessToken, Failure> {
        let (scheme, text) = self.presented(head)?;
        let proof = self.proof(head, scheme, text, now)?;
        let certificate = head.extensions.and_then(|extensions| extensions.get::<PeerCertificate>());
        let shown = Possession {
            key: proof.as_ref().map(Proof::key),
            certificate: certificate.map(|of_peer| Thumbprint::new(of_peer.0.thumbprint())),
        };
        let token = self.tokens.find(text, &self.expected, now).await?;
        scheme.admits(token.binding, &shown)?;
        self.demand(&token, demands, now)?;
        if let Some(proof) = proof
            && !self.used_proofs.use_once(now, proof.mark(), proof.remembered_until()).await?
        {
            return REPLAYED.refused();
        }
        Ok(token)
    }

    /// Whether a token that is good here is enough for a route.
    pub(crate) fn demand(
        &self,
        token: &AccessToken,
        demands: &Demands,
        now: Timestamp,
    ) -> Result<(), Failure> {
        Ok(demands.met(token, now, self.expected.clock_tolerance)?)
    }

    /// The token of the one Authorization header, and its scheme. Bodies are not read.
    fn presented<'r>(&self, head: &RequestHead<'r>) -> Result<(Scheme, &'r str), Failure> {
        let query = head.uri.query().unwrap_or_default();
        if query.split('&').any(|pair| pair.split('=').next() == Some("access_token")) {
            return TOKEN_IN_QUERY.refused();
        }
        let mut headers = head.headers.get_all(AUTHORIZATION).iter();
        match (headers.next(), headers.next()) {
            (None, _) => TOKEN_MISSING.refused(),
            (Some(_), Some(_)) => SEVERAL_TOKENS.refused(),
            (Some(header), None) => {
                let header = header.to_str().map_err(|_| &MALFORMED_HEADER)?;
                Ok(Scheme::of(header, self.dpop.offered)?)
            }
        }
    }

    /// The proof that comes with a token of the scheme `DPoP`.
    fn proof(
        &self,
        head: &RequestHead<'_>,
        scheme: Scheme,
        token: &str,
        now: Timestamp,
    ) -> Result<Option<Proof>, Failure> {
        let fields = head.headers.get_all(&DPOP).iter();
        let fields: Vec<Box<str>> =
            fields.map(|field| String::from_utf8_lossy(field.as_bytes()).into()).collect();
        if !scheme.needs_proof(self.dpop.offered && !fields.is_empty())? {
            return Ok(None);
        }
        let header = DpopHeader { fields, method: head.method.as_str().into() };
        // The host of a request is what its sender says, so that the origin is that of the resource.
        let Self { metadata: Metadata { origin, .. }, prefix, .. } = self;
        let target = TargetUri::parse(&format!("{origin}{prefix}{}", head.uri.path())).ok();
        let request = ProvenRequest {
            now,
            access_token: Some(token),
            is_target: &|htu| target.as_ref() == Some(htu),
            nonce_end: &|_| None,
        };
        Ok(Some(Proof::judge(&header, &request, &self.dpop)?))
    }
}

/// Whose tokens are taken.
enum Trusted {
    Issuer(String, Arc<dyn DynFetch>),
    Provider(Arc<Provider>),
}

impl Trusted {
    /// How proofs are judged (RFC 9449): as a provider in the same program does, but that a resource gives no nonces. Whether
    /// an issuer binds tokens to keys is not known.
    fn dpop(&self) -> DpopConfig {
        match self {
            Self::Provider(provider) => DpopConfig { require_nonce: false, ..provider.dpop_config().clone() },
            Self::Issuer(..) => DpopConfig { offered: true, ..DpopConfig::default() },
        }
    }

    /// Whose times are compared with those of tokens and proofs.
    fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Self::Provider(provider) => Arc::clone(provider.clock()),
            Self::Issuer(..) => Arc::new(SystemClock),
        }
    }

    /// What a provider in the same program was given about the resource.
    ///
    /// # Errors
    /// That it has no such resource server.
    fn server(&self, uri: &ResourceUri) -> Result<Option<Arc<ResourceServer>>, NotProtected> {
        let Self::Provider(provider) = self else { return Ok(None) };
        let configured = provider.configured();
        let found = configured.resource_servers.iter().find(|server| server.uri == *uri);
        if found.is_some() || !configured.has_all_resource_servers {
            return Ok(found.cloned());
        }
        let known = configured.resource_servers.iter().map(|server| server.uri.as_str());
        let rule = format!(
            "{} is no resource server of the provider, so that no token could be for it: add it with \
             `MemoryRegistry::with_resource_server`, or name it as it is there{}",
            uri.as_str(),
            did_you_mean(uri.as_str(), known)
        );
        Err(NotProtected::new("the resource", rule))
    }
}

/// How a resource is protected, beside its address.
#[must_use]
pub struct Builder {
    trusted: Trusted,
    introspection: Option<Introspection>,
    scopes: Scopes,
    name: Option<String>,
    algorithms: Vec<SigningAlgorithm>,
    clock_tolerance: Duration,
    dpop: Option<DpopConfig>,
    used_proofs: Option<Arc<dyn DynUsedProofs>>,
    clock: Option<Arc<dyn Clock>>,
    prefix: String,
}

impl Builder {
    fn new(trusted: Trusted) -> Self {
        use SigningAlgorithm::{Ed25519, EdDsa, Es256, Ps256, Rs256};
        Self {
            trusted,
            introspection: None,
            scopes: Scopes::default(),
            name: None,
            algorithms: vec![Es256, Ps256, Rs256, EdDsa, Ed25519],
            clock_tolerance: Duration::from_secs(30),
            dpop: None,
            used_proofs: None,
            clock: None,
            prefix: String::new(),
        }
    }

    /// Asks the issuer about tokens (RFC 7662). Without it only JWTs are taken. A provider in the same program is asked
    /// about all of them anyway.
    pub fn introspecting(mut self, introspection: Introspection) -> Self {
        self.introspection = Some(introspection);
        self
    }

    /// What its metadata says about its scopes.
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = scopes;
        self
    }

    /// What its metadata says that it is called.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// What JWTs may be signed with: ES256, PS256, RS256 and Ed25519 unless this says otherwise.
    pub fn algorithms(mut self, algorithms: &[SigningAlgorithm]) -> Self {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// How far the clock of the issuer may differ from this one: 30 seconds unless this says otherwise, and at most five
    /// minutes.
    pub fn clock_tolerance(mut self, tolerance: Duration) -> Self {
        self.clock_tolerance = tolerance;
        self
    }

    /// How DPoP proofs are judged, and whether they are: unless this says otherwise, as RFC 9449 has it, or as the
    /// [`Config::dpop`](chancery_core::config::Config::dpop) of a provider in the same program. Nonces cannot be demanded here.
    pub fn dpop(mut self, dpop: DpopConfig) -> Self {
        self.dpop = Some(dpop);
        self
    }

    /// Where used proofs are remembered: in memory unless this says otherwise, or in the store of a provider in the same
    /// program.
    pub fn used_proofs(mut self, used_proofs: Arc<dyn DynUsedProofs>) -> Self {
        self.used_proofs = Some(used_proofs);
        self
    }

    /// What says whether tokens and proofs have ended, in place of the clock of this machine. A provider in the same program
    /// brings the clock that it has itself ([`Builder::with_clock`](chancery_core::provider::Builder::with_clock)), so that
    /// only tests of an API that trusts an issuer need this.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// What is missing at the beginning of the paths of requests, because a proxy or a router has cut it off: `/api`. A
    /// DPoP proof has the whole path.
    pub fn behind(mut self, prefix: &str) -> Self {
        self.prefix = prefix.to_owned();
        self
    }

    /// The resource with this identifier, which is the audience of its tokens: an https URL.
    ///
    /// # Errors
    /// [`NotProtected`] names the setting that is wrong.
    pub fn at(self, resource: &str) -> Result<ProtectedResource, NotProtected> {
        const LONGEST_TOLERANCE: Duration = Duration::from_secs(300);
        let audience = ResourceUri::parse(resource)
            .map_err(|_| NotProtected::new("the resource", "must be a URI without a fragment"))?;
        if self.algorithms.is_empty() || self.algorithms.iter().any(|alg| alg.is_symmetric()) {
            return Err(NotProtected::new("algorithms", "must name at least one, and no HMAC"));
        }
        if self.clock_tolerance > LONGEST_TOLERANCE {
            return Err(NotProtected::new("clock_tolerance", "must be at most five minutes"));
        }
        let dpop = self.dpop.unwrap_or_else(|| self.trusted.dpop());
        let clock = self.clock.unwrap_or_else(|| self.trusted.clock());
        if !dpop.complaints().is_empty() || dpop.require_nonce {
            return Err(NotProtected::new("dpop", "must follow RFC 9449 section 11, and demand no nonces"));
        }
        let server = self.trusted.server(&audience)?;
        let (tokens, of_trusted): (_, Arc<dyn DynUsedProofs>) = match self.trusted {
            Trusted::Provider(provider) => {
                (Tokens::OfProvider(Arc::clone(&provider)), Arc::new(ProofsOfProvider(provider)))
            }
            Trusted::Issuer(issuer, fetch) => {
                let issuer = NotProtected::unless_address("the issuer", &issuer)?;
                if let Some(why) = fetch.refuses(issuer.as_str()) {
                    return Err(NotProtected::new(
                        "the issuer",
                        format!("could never be asked for its keys: {why}"),
                    ));
                }
                let issuer = Box::new(TrustedIssuer::new(issuer, fetch));
                let tokens = Tokens::OfIssuer { issuer, introspection: self.introspection };
                (tokens, Arc::new(SeenProofs::default()))
            }
        };
        let told =
            Told { issuer: tokens.issuer(), scopes: &self.scopes, name: self.name.as_deref(), dpop: &dpop };
        let metadata = Metadata::new(&audience, &told)?;
        let names: Vec<&str> = dpop.algorithms.iter().map(|alg| alg.name()).collect();
        let dpop_algorithms = dpop.offered.then(|| names.join(" "));
        let inner = Inner {
            expected: Expected {
                audience,
                algorithms: self.algorithms,
                clock_tolerance: self.clock_tolerance,
            },
            tokens,
            server,
            dpop,
            dpop_algorithms,
            used_proofs: self.used_proofs.unwrap_or(of_trusted),
            clock,
            prefix: self.prefix,
            metadata,
        };
        Ok(ProtectedResource { inner: Arc::new(inner) })
    }
}

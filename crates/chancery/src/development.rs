//! A provider for trying things out: with known clients and one person, and only reachable from this machine.

use std::error::Error;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chancery_accounts::{AccountError, NewPerson, Password, PasswordPool, StoredAccounts, Username};
use chancery_core::config::Config;
use chancery_core::documents::{Documents, MemoryKeys, MemoryRegistry};
use chancery_core::error::{Complaints, Fault};
use chancery_core::model::{Claims, ResourceServer};
use chancery_core::ports::Random;
use chancery_core::provider::{Parts, Provider};
use chancery_http::{Service, TrialClients};
use chancery_jose::{SigningAlgorithm, SystemRandom};
use chancery_store_memory::MemoryStore;
use chancery_types::{Issuer, RealmId};
use http::{HeaderValue, Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::own_host::{OwnHost, is_for, misdirected};

/// A development provider in memory, with new keys, the clients and the person of a [`Demo`], and designed
/// pages.
///
/// # Errors
/// When the issuer is not `http` on `localhost` or a loopback address, so that a development provider is
/// never exposed to a network by mistake.
pub async fn development(issuer: &str) -> Result<Development, DevelopmentError> {
    with_apis(issuer, Vec::new()).await
}

/// The same with APIs: every client may ask the person for access to them, and `demo-api` has access of its own.
///
/// # Errors
/// As [`development`].
pub async fn with_apis(issuer: &str, apis: Vec<ResourceServer>) -> Result<Development, DevelopmentError> {
    let demo = Demo::new(issuer, random_text::<12>(), random_text::<32>())?;
    let realm = RealmId::parse("development").map_err(|error| Fault::internal(error.to_string()))?;
    let (store, random) = (Arc::new(MemoryStore::new()), Arc::new(SystemRandom));
    let accounts = StoredAccounts::new(
        Documents::new(store.clone()),
        PasswordPool::start(NonZeroUsize::MIN, 8)?,
        random,
    );
    let accounts = Arc::new(accounts);
    let mut registry = MemoryRegistry::new().offering(Config::default().offered_at(&demo.issuer));
    for client in demo.clients() {
        registry.put(&with_access(&client, &apis)?)?;
    }
    for server in apis {
        registry = registry.with_resource_server(ResourceServer { any_client: true, ..server });
    }
    let parts = Parts {
        realm: realm.clone(),
        issuer: demo.issuer.clone(),
        store,
        registry: Arc::new(registry),
        accounts: accounts.clone(),
        keys: Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256])?),
    };
    let provider = Provider::new(parts, Config::default()).await?;
    accounts.add(&realm, demo.person()?).await?;
    Ok(Development { demo, provider })
}

/// A development provider. Printing it shows everything that you need to try it.
pub struct Development {
    demo: Demo,
    provider: Arc<Provider>,
}

impl Development {
    /// The service to mount at the root of the issuer. It refuses any other `Host`.
    #[must_use]
    pub fn service(&self) -> OwnHost<Service> {
        let service = crate::service(self.provider.clone()).with_trial_clients(self.demo.trial_clients());
        OwnHost::new(service, self.demo.authority.clone())
    }

    /// The provider itself.
    #[must_use]
    pub fn provider(&self) -> &Arc<Provider> {
        &self.provider
    }

    /// Its clients and its person.
    #[must_use]
    pub fn demo(&self) -> &Demo {
        &self.demo
    }
}

impl fmt::Display for Development {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.demo.fmt(f)
    }
}

/// The clients and the person of a development provider. Printing it shows the password.
pub struct Demo {
    issuer: Issuer,
    authority: HeaderValue,
    password: Zeroizing<String>,
    secret: Zeroizing<String>,
    program: Option<String>,
    has_own_password: bool,
    /// Clients that have got another secret since.
    own_secrets: Vec<String>,
}

/// What stands for a secret that somebody has made since.
const OWN_SECRET: &str = "THE-SECRET-THAT-YOU-HAVE-MADE";

impl Demo {
    /// The clients and the person of this issuer, with these secrets: the person's password, and the secret of the
    /// clients that have one.
    ///
    /// # Errors
    /// [`DevelopmentError::NotLoopback`].
    pub fn new(
        issuer: &str,
        password: Zeroizing<String>,
        secret: Zeroizing<String>,
    ) -> Result<Self, DevelopmentError> {
        let issuer = Issuer::parse(issuer).map_err(|_| DevelopmentError::NotLoopback)?;
        let authority = issuer.origin().strip_prefix("http://").ok_or(DevelopmentError::NotLoopback)?;
        let host = authority
            .rsplit_once(':')
            .map_or(authority, |(host, port)| if port.ends_with(']') { authority } else { host });
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_loopback =
            host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if !is_loopback {
            return Err(DevelopmentError::NotLoopback);
        }
        let authority = HeaderValue::from_str(authority).map_err(|_| DevelopmentError::NotLoopback)?;
        Ok(Self {
            issuer,
            authority,
            password,
            secret,
            program: None,
            has_own_password: false,
            own_secrets: Vec::new(),
        })
    }

    /// Of a provider whose people and clients the commands of `chancery` change. This is what is typed to start it, as a shell
    /// reads it, for what printing it and the page at the issuer's own address say.
    #[must_use]
    pub fn with_program(self, program: String) -> Self {
        Self { program: Some(program), ..self }
    }

    /// Of a person who has been given another password since: printing it does not show that of before.
    #[must_use]
    pub fn with_own_password(self) -> Self {
        Self { has_own_password: true, ..self }
    }

    /// Of a client that has got another secret since, or has none any more: neither printing it nor the page shows that of before.
    #[must_use]
    pub fn with_own_secret(mut self, client: &str) -> Self {
        self.own_secrets.push(client.to_owned());
        self
    }

    /// The clients that have the secret, unless they have got another one since.
    #[must_use]
    pub fn confidential(&self) -> [&'static str; 2] {
        ["demo-web", "demo-api"]
    }

    /// The secret of this client, as far as it is known.
    fn secret_of(&self, client: &str) -> &str {
        if self.own_secrets.iter().any(|own| own == client) { OWN_SECRET } else { &self.secret }
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The metadata (RFC 7591 section 2) of the clients: `demo`, which `chancery try` is; `demo-spa` and `demo-web` for
    /// applications of one's own on this machine, in the browser and on a server; and `demo-api`.
    #[must_use]
    pub fn clients(&self) -> [String; 4] {
        let demo = json!({
            "client_id": "demo",
            "client_name": "Demo",
            "application_type": "native",
            "token_endpoint_auth_method": "none",
            "redirect_uris": ["http://127.0.0.1/callback", "http://[::1]/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        });
        let api = json!({
            "client_id": "demo-api",
            "client_secret": *self.secret,
            "client_name": "Demo API",
            "redirect_uris": [],
            "grant_types": ["client_credentials"],
            "response_types": [],
            "chancery": { "introspects": ["demo", "demo-spa", "demo-web"] },
        });
        // Any page of this machine, because nobody knows yet where one's own application will be.
        let on_this_machine = [
            "http://localhost",
            "http://localhost/*",
            "http://127.0.0.1",
            "http://127.0.0.1/*",
            "http://[::1]",
            "http://[::1]/",
            "http://[::1]/callback",
        ];
        let spa = json!({
            "client_id": "demo-spa",
            "client_name": "My single-page app",
            "token_endpoint_auth_method": "none",
            "redirect_uris": on_this_machine,
            "post_logout_redirect_uris": on_this_machine,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "chancery": { "any_loopback_port": true, "wildcard_redirect_uris": true },
        });
        let web = json!({
            "client_id": "demo-web",
            "client_secret": *self.secret,
            "client_name": "My web app",
            "redirect_uris": on_this_machine,
            "post_logout_redirect_uris": on_this_machine,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "chancery": { "any_loopback_port": true, "wildcard_redirect_uris": true },
        });
        [demo, spa, web, api].map(|client| client.to_string())
    }

    /// What the page at the issuer's own address tells of these clients.
    #[must_use]
    pub fn trial_clients(&self) -> TrialClients {
        TrialClients {
            public: "demo-spa".to_owned(),
            confidential: "demo-web".to_owned(),
            machine: "demo-api".to_owned(),
            secret: self.secret_of("demo-web").to_owned(),
            machine_secret: self.secret_of("demo-api").to_owned(),
            username: "demo".to_owned(),
            has_own_password: self.has_own_password,
            program: self.program.clone(),
        }
    }

    /// The person `demo`.
    ///
    /// # Errors
    /// It never fails, because the name is valid.
    pub fn person(&self) -> Result<NewPerson, DevelopmentError> {
        let mut claims = Claims::default();
        claims
            .set("name", "Demo Person")
            .set("given_name", "Demo")
            .set("family_name", "Person")
            .set("email", "demo@example.com")
            .set("email_verified", &true);
        let username = Username::parse("demo").map_err(|error| Fault::internal(error.to_string()))?;
        Ok(NewPerson { username, password: Password::new(self.password.clone()), claims, id: None })
    }

    /// The answer to a request for another host, 421 (RFC 9110 section 15.5.20); `None` for a request for
    /// this provider.
    #[must_use]
    pub fn refuse<B>(&self, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
        (!is_for(request, &self.authority)).then(|| misdirected(request, &self.authority))
    }
}

impl fmt::Display for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, password, .. } = self;
        let program = self.program.as_deref().unwrap_or("chancery");
        let password = match self.has_own_password {
            true => &format!("the one that you have set (`{program} user passwd demo` sets another)"),
            false => password.as_str(),
        };
        let (own, known): (Vec<&str>, Vec<&str>) =
            self.confidential().into_iter().partition(|client| self.secret_of(client) == OWN_SECRET);
        let (own, known) = (own.join(" and "), known.join(" and "));
        let secret = match (&*own, &*known) {
            (own, "") => {
                format!("those that you have made, of {own} (`{program} client secret rotate` makes others)")
            }
            ("", known) => format!("{}\n               (of {known})", *self.secret),
            (own, known) => {
                format!(
                    "{}\n               (of {known}; that of {own} is the one that you have made)",
                    *self.secret
                )
            }
        };
        write!(
            f,
            "A development provider, for this machine only.

  issuer       {issuer}
  discovery    {issuer}/.well-known/openid-configuration

  sign in as   demo
  password     {password}

  client       demo      public; code with PKCE and refresh; http://127.0.0.1/callback on any port
  client       demo-spa  public, for your app in the browser; http://localhost on any port, any path
  client       demo-web  with the secret, for your app on a server; http://localhost on any port, any path
  client       demo-api  with the secret; client credentials; introspects the tokens of the others

  secret       {secret}

  try it       {program} try --issuer {issuer}
  your own     open {issuer}/ and copy the lines for your library
  refused?     {program} log explain REASON, with the reason of the line, says what to do
"
        )
    }
}

/// Why there is no development provider.
pub enum DevelopmentError {
    /// The issuer is not `http` on `localhost` or a loopback address.
    NotLoopback,
    /// The built-in clients and settings are inconsistent, which is a bug.
    Unfit(Complaints),
    /// The person could not be added.
    Account(AccountError),
    /// The provider failed.
    Broken(Fault),
}

impl fmt::Display for DevelopmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoopback => f.write_str(
                "the issuer of a development provider must be http on localhost or a loopback address",
            ),
            Self::Unfit(complaints) => complaints.fmt(f),
            Self::Account(error) => error.fmt(f),
            Self::Broken(fault) => fault.fmt(f),
        }
    }
}

impl Error for DevelopmentError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NotLoopback => None,
            Self::Unfit(complaints) => complaints.source(),
            Self::Account(error) => error.source(),
            Self::Broken(fault) => fault.source(),
        }
    }
}

chancery_core::error::debug_as_display!(DevelopmentError);

impl From<Complaints> for DevelopmentError {
    fn from(complaints: Complaints) -> Self {
        Self::Unfit(complaints)
    }
}

impl From<AccountError> for DevelopmentError {
    fn from(error: AccountError) -> Self {
        Self::Account(error)
    }
}

impl From<Fault> for DevelopmentError {
    fn from(fault: Fault) -> Self {
        Self::Broken(fault)
    }
}

/// The metadata of a client, with access to these APIs.
fn with_access(metadata: &str, apis: &[ResourceServer]) -> Result<String, Fault> {
    let unreadable = |error: serde_json::Error| Fault::internal(error.to_string());
    let mut metadata: serde_json::Map<String, Value> = serde_json::from_str(metadata).map_err(unreadable)?;
    let named: Vec<&str> = apis.iter().map(|server| server.uri.as_str()).collect();
    if let Some(own) =
        metadata.get_mut("chancery").and_then(Value::as_object_mut).filter(|_| !named.is_empty())
    {
        own.insert("resources".to_owned(), json!(named));
    }
    Ok(Value::Object(metadata).to_string())
}

/// Random text.
fn random_text<const N: usize>() -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; N]);
    Random::fill(&SystemRandom, &mut *bytes);
    Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))
}

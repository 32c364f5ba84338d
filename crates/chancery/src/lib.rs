//! An OAuth 2.0 authorization server and OpenID provider to mount in a Rust application.
//!
//! Your application keeps its people, its pages and its database, or takes those of this crate. What is between them and
//! the client libraries of others, the protocol, is a `tower` service for any framework.
//!
#![cfg_attr(
    all(feature = "axum", feature = "development", feature = "fetch", feature = "store-sqlite"),
    doc = include_str!("overview.md")
)]
#![cfg_attr(
    not(all(feature = "axum", feature = "development", feature = "fetch", feature = "store-sqlite")),
    doc = "With the features `axum`, `development`, `fetch` and `store-sqlite`, this page has an overview and a cookbook."
)]

use std::sync::Arc;

pub use chancery_core::config::Config;
pub use chancery_core::context::{Call, DpopHeader, PostedAgain, RequestId};
pub use chancery_core::documents::{
    Cache, DocumentCache, Documents, MemoryKeys, MemoryRegistry, Openable, Rotated, RotatedEncryption,
    SealedKeys, StoredRegistry,
};
pub use chancery_core::error::{
    Complaint, Complaints, Described, Failure, Fault, FaultKind, Reason, Refusal, Remedy,
};
pub use chancery_core::event::{
    BackgroundTask, ClientMethods, Endpoint, Event, GrantEnd, LoginAttempt, NotificationFailure, Occasion,
    Origins, RefusedClient,
};
pub use chancery_core::fetch::{DynFetch, Fetch, FetchRequest, FetchResponse, NoFetch};
pub use chancery_core::keys::KeySet;
pub use chancery_core::model::{
    Account, AccountRegistration, Authentication, Claims, Client, Epoch, Hint, LoginForm, PasswordChange,
    Posted, ResourceServer, SentCookie, SignUpForm, TokenEncryption, TokenFormat,
};
pub use chancery_core::notifier::{ApprovalRequest, DynNotifier, Notifier};
pub use chancery_core::offered::Routes;
pub use chancery_core::policy::{
    AuthorizationPolicy, ClientPolicy, DetailType, DynAuthorizationPolicy, DynClientPolicy, DynDetailType,
    DynTokenPolicy, TokenPolicy,
};
pub use chancery_core::ports::{
    Accounts, BoxFuture, Browser, ClaimsQuery, Clock, Configured, DynAccounts, DynPrivateKeys, DynRegistry,
    DynWatcher, EncryptionKeyEntry, EventSink, HintedSubject, KeyEntry, LoginHintToken, LoginOutcome,
    LoginRefusal, NoopEventSink, PasswordChangeOutcome, PasswordRefusal, PrivateKeys, Random, Registry, Room,
    RootSecretEntry, SignUpOutcome, SignUpRefusal, SystemClock, UserCodeCheck, UserCodeQuery, Watcher,
};
pub use chancery_core::profile::Profile;
pub use chancery_core::provider::{Builder, Parts, Provider};
pub use chancery_core::request::{Mistake, PageError, UnregisteredUri};
pub use chancery_core::rotation::{KeyEnd, KeyTimes};
pub use chancery_http::{
    Around, Content, FormMarkup, FrontPageView, Html, ImageOrigin, LANGUAGE, LanguageSwitch, Locale,
    MessageMarkup, NotANetwork, OwnForm, Page, PageFile, Pages, Peer, Retry, SEND_MESSAGE, SUBMIT, Service,
    TrialClients, TrustedProxies,
};
pub use chancery_jose::{SigningAlgorithm, SystemRandom};
#[cfg(feature = "store-memory")]
pub use chancery_store_memory::MemoryStore;
#[cfg(feature = "store-sqlite")]
pub use chancery_store_sqlite::{Due, Running, SqliteStore, Watch, Work};
pub use chancery_types::{
    AccountId, ClientId, Issuer, Network, RealmId, ResourceUri, Scope, Scopes, Timestamp,
};
/// A secret that is overwritten when it is dropped.
pub use zeroize::Zeroizing;

/// The sections of a [`Config`], by the names of the configuration file.
pub mod config {
    pub use chancery_core::client::authentication::ClientAuthenticationConfig;
    pub use chancery_core::discovery::DiscoveryConfig;
    pub use chancery_core::endpoint::backchannel_authentication::{CibaConfig, NotifyConfig};
    pub use chancery_core::interaction::throttle::ThrottleConfig;
    pub use chancery_core::interaction::{
        AccountConfig, DeviceAuthorizationConfig, InteractionConfig, SignUpConfig,
    };
    pub use chancery_core::issue::access_token::AccessTokenConfig;
    pub use chancery_core::issue::authorization_code::AuthorizationCodeConfig;
    pub use chancery_core::issue::id_token::IdTokenConfig;
    pub use chancery_core::issue::refresh_token::RefreshTokenConfig;
    pub use chancery_core::offered::{
        CompatibilityConfig, EndpointSet, InteractionsByClient, PkceOptional, RedirectLeniency,
        ResponseModesConfig, SubjectsConfig,
    };
    pub use chancery_core::request::PushedRequestsConfig;
    pub use chancery_core::rule::claims::ClaimsConfig;
    pub use chancery_core::rule::dpop::DpopConfig;
    pub use chancery_core::rule::scope::{ScopesConfig, UnknownScopes};
    pub use chancery_core::rule::step_up::RequiredAuthentication;
    pub use chancery_core::session::SessionConfig;
    pub use chancery_types::iana::BackchannelTokenDeliveryMode;
    pub use chancery_types::{UserCode, UserCodeAlphabet, UserCodeMask};
}

/// Registration of clients by their metadata (RFC 7591 section 2), for a [`StoredRegistry`] or an
/// application's own [`Registry`].
pub mod client {
    pub use chancery_core::client::{
        NotRegistered, Registered, RegistrationRules, change_fetching, register, register_fetching,
        replace_secret, without_sealed_secrets,
    };
    pub use chancery_core::client::{RegistrationPolicy, SoftwareStatement, StatementIssuer, StatementKeys};
    pub use chancery_core::endpoint::registration::{
        NewInitialAccessToken, RegistrationAccess, RegistrationConfig, RegistrationError,
        RegistrationResponse,
    };
    pub use chancery_core::model::client::{
        AuthorizationResponses, Ciba, Description, Encryption, Flow, IntrospectionResponses, Jwks, Localized,
        Logout, NewClient, OpenId, OwnSettings, PublicKeys, RegistrationId, RequestObjectAlgorithm,
        RequestObjects, SenderConstraint,
    };
    pub use chancery_core::model::{
        ApplicationType, ClientMetadata, ConsentMode, IdTokenAlgorithm, RedirectTarget, RedirectUse,
        RefreshTokens, SecretMethod,
    };
    pub use chancery_core::offered::{AssertionAudience, ClientDefaults, Departure, Offered};
    pub use chancery_core::records::{Found, InitialAccessTokenBody};
    pub use chancery_core::request::RequestObjectsConfig;
    pub use chancery_types::iana::{
        ClientAuthenticationMethod, GrantType, ResponseEncoding, ResponseMode, ResponseType, SubjectType,
    };
    pub use chancery_types::{RedirectKind, RedirectUri};
}

/// Certificates of clients (RFC 8705): the authorities that vouch for them, and how a request brings the one of its
/// connection.
///
/// ```
/// use std::net::IpAddr;
/// use std::sync::Arc;
/// use chancery::mutual_tls::{Authorities, ClientCertificate, PeerCertificate};
/// use chancery::{Builder, Config, Parts, Peer, Provider};
///
/// /// A provider whose clients authenticate by certificates for which this authority (PEM) vouches.
/// async fn provider(parts: Parts, authority: &[u8]) -> Result<Arc<Provider>, Box<dyn std::error::Error>> {
///     let mut config = Config::default();
///     config.mtls.tls_client_auth = true;
///     config.mtls.certificate_bound_access_tokens = true;
///     let authorities = Authorities::default().and(authority)?;
///     Ok(Builder::new(parts, config).with_client_authorities(authorities).build().await?)
/// }
///
/// /// What a request brings of its connection. `shown` are the certificates that the client has shown in the
/// /// handshake, as DER, its own first: `peer_certificates()` of rustls.
/// fn of_connection<B>(request: &mut http::Request<B>, peer: IpAddr, shown: Vec<Vec<u8>>) {
///     request.extensions_mut().insert(Peer(peer));
///     if let Ok(certificate) = ClientCertificate::new(shown) {
///         request.extensions_mut().insert(PeerCertificate(Arc::new(certificate)));
///     }
/// }
/// ```
///
/// The handshake has to ask for a certificate, to take any, whoever has signed it, and to go on without one; it has to verify that
/// the client has the key, and nothing else. Everything else is judged at each request.
///
/// Where a proxy ends TLS, [`Service::with_forwarded_certificates`] reads the certificate from the header field that
/// the proxy sets.
pub mod mutual_tls {
    pub use chancery_core::model::client::MutualTls;
    pub use chancery_core::offered::MutualTlsConfig;
    pub use chancery_http::{ForwardedCertificate, PeerCertificate};
    pub use chancery_x509::{
        Authorities, BadAuthorities, CertificateError, CertificateSubject, ClientCertificate,
        DistinguishedName, NameError, ReadCertificate, SubjectError, Untrusted,
    };
}

/// What pages show, for implementations of [`Pages`], and the steps that a person takes, for applications
/// that answer the forms of their own pages ([`Service::own_form`]).
pub mod interaction {
    pub use chancery_core::interaction::view::{
        AccountView, AccountsView, ApplicationView, ApprovalDoneView, ApprovalsView, ApproveView,
        ChangePasswordView, ClientView, ConfirmDeviceView, ConfirmEndView, ConsentView, CustomView,
        DeviceDoneView, Ending, ErrorView, FormAction, FormView, LoginProblem, LoginView, LogoutConfirmView,
        LogoutDoneView, LogoutFramesView, MistakeView, OwnAccountView, OwnSessionView, PasswordProblem,
        PostLogoutTarget, ResourceView, SharedClaim, SignUpProblem, SignUpView, SignedInView,
        UnregisteredView, UserCodeView, View, WaitingView,
    };
    pub use chancery_core::interaction::{
        AccountNews, ApprovalProblem, ApproveStep, ConfirmDeviceStep, ConsentStep, CustomStep, Entrance,
        Location, LoginStep, Next, Outcome, SelectAccountStep, SignUpStep, Step, UserCodeProblem,
    };
}

/// Authentication, consent and grants, for an application's own policies and accounts.
pub mod model {
    pub use chancery_core::model::{
        Access, Acr, Amr, AuthorizationDetail, ClaimAsk, ClaimName, ClaimSource, ClaimType, ClaimsRequest,
        Condition, ConsentAnswer, CustomPromptName, Entitlement, Factor, GrantId, Granted, Holder,
        OwnParameters, Place, PromptName, Refresh, ResourceScopes, Target,
    };
    pub use chancery_core::records::{Participant, SessionBody};
    pub use chancery_types::handle::HandleDigest;
}

/// What stands between a [`Provider`] and the network, for those who write such a layer themselves, as [`Service`] is one.
pub mod layer {
    pub use chancery_core::endpoint::{ClientRequest, ClientResponse};
    pub use chancery_core::offered::Verb;
    pub use chancery_core::request::AuthorizationResponse;
    pub use chancery_core::session::BrowserState;
    pub use chancery_types::Params;
    pub use chancery_types::handle::{
        Handle, HandleKind, Interaction, RefreshToken, RotatingHandle, Session,
    };
}

/// What policies decide about, and the default policies.
pub mod policy {
    pub use chancery_core::model::{Sector, Subject};
    pub use chancery_core::policy::{
        AssertionView, COMMON_ARRAYS, CustomPrompt, DefaultAuthorizationPolicy, DefaultClientPolicy,
        DefaultTokenPolicy, DetailFault, DetailMember, DetailText, DetailValue, DetailView, Doing, Identity,
        JwtDraft, PersonView, Registrant, RequestView, TokenKind, TokenView, Words, at_location, narrowed,
        readable,
    };
}

/// Grant types of an application's own (RFC 6749 section 4.5); [`ExtensionGrant`](grant::ExtensionGrant) has an example.
pub mod grant {
    pub use chancery_core::endpoint::token::extension::{
        DynExtensionGrant, Entitled, ExtensionGrant, ExtensionRequest,
    };
    pub use chancery_types::iana::ExtensionGrantName;
}

/// Keys, signatures and decryption, for implementations of [`PrivateKeys`], and the [`RootSecret`](jose::RootSecret) with
/// which [`SealedKeys`] seals what it stores.
pub mod jose {
    pub use chancery_jose::{
        ClaimsWriter, Compact, CompactJwe, ContentEncryptionAlgorithm, Decrypted, DecryptionKey,
        EncryptedKey, EncryptionKey, EncryptionKeyType, Error, Header, JweHeader, JwkSet, JwtClaims,
        KeyManagementAlgorithm, PrivateKey, PublicJwk, RootSecret, SealingKey, SigningAlgorithm,
        SystemRandom, Verified, Verifier, VerifyingKey,
    };
}

/// The contracts of a store, for those who write one. The feature `kit` of the crate `chancery-store` tests a
/// store against them.
pub mod store {
    pub use chancery_store::{
        BackendError, Change, Changed, Changes, Document, DocumentKind, DocumentStore, Moved, Put, Record,
        Redeemed, Revision, Revoked, StateStore, StoreError, StoreFuture, Stored, Tags, Updated,
        one_partition,
    };
    pub use chancery_types::{Alias, Key, Kind, Partition, Tag};
}
pub use store::{DocumentStore, StateStore};

/// Errors and registered values that other items use.
pub mod types {
    pub use chancery_types::Malformed;
    pub use chancery_types::iana::{ClientAuthenticationMethod, ErrorCode, GrantType};
}

/// People with passwords.
#[cfg(feature = "accounts")]
pub mod accounts {
    pub use chancery_accounts::{
        AccountError, Full, HashingLoad, NewPerson, Password, PasswordPool, PasswordRule, PasswordRules,
        Person, SignedOut, StoredAccounts, Username, check_claims,
    };
}

/// Requests to other servers over HTTPS: the implementation of [`Fetch`] that the server uses.
///
/// ```no_run
/// use std::sync::Arc;
/// use chancery::fetch::{HttpsFetch, Options};
/// use chancery::{Builder, Config, Fault, Parts};
/// # fn example(parts: Parts) -> Result<Builder, Fault> {
/// let fetch = HttpsFetch::new(Options::default())?;
/// let builder = Builder::new(parts, Config::default()).with_fetch(Arc::new(fetch));
/// # Ok(builder) }
/// ```
#[cfg(feature = "fetch")]
pub mod fetch {
    pub use chancery_fetch::{
        AllowedHost, Background, BadRoots, DynNetwork, HttpsFetch, Limits, Network, NotAHost, NotFetched,
        Options, Roots, Stream, SystemNetwork,
    };
}

/// The other side: an API that takes access tokens (RFC 6750, RFC 9068), be they of a provider in the same program or of
/// another one, of whatever make.
///
/// ```
/// use std::sync::Arc;
/// use chancery::Provider;
/// use chancery::resource::{AccessToken, NotProtected, ProtectedResource, RequireToken};
///
/// /// What goes around an API that this provider, in the same program, issues tokens for.
/// fn protected(provider: Arc<Provider>) -> Result<RequireToken, NotProtected> {
///     Ok(ProtectedResource::of_provider(provider).at("https://api.example.org")?.layer())
/// }
///
/// /// A handler behind it.
/// fn notes<B>(request: &http::Request<B>) -> String {
///     match request.extensions().get::<AccessToken>() {
///         Some(token) => format!("the notes of {}", token.subject),
///         None => "the layer is missing".to_owned(),
///     }
/// }
/// ```
#[cfg(feature = "resource")]
pub mod resource {
    pub use chancery_core::model::{Possession, Thumbprint, TokenBinding};
    pub use chancery_core::rule::dpop::DpopConfig;
    pub use chancery_resource::{
        AccessToken, Builder, DynUsedProofs, Introspection, NotProtected, Protected, ProtectedResource,
        Refused, RequestHead, RequireToken, SeenProofs, UsedProofs, reasons,
    };
}

/// The designed pages, in English and German, without JavaScript.
///
/// [`service`] has them. With a folder of templates they are changed file by file:
///
/// ```no_run
/// use std::sync::Arc;
/// use chancery::{Provider, Service};
/// use chancery::pages::Templates;
///
/// fn branded(provider: Arc<Provider>) -> Result<Service, Box<dyn std::error::Error>> {
///     let pages = Templates::from_folder("templates".as_ref())?;
///     Ok(chancery::service_with_pages(provider, Arc::new(pages)))
/// }
/// ```
///
/// And a page of the application's own takes the place of one of them, with the others as they are:
///
/// ```
/// use chancery::{Content, Html, Service};
///
/// fn with_own_login_page(service: Service) -> Service {
///     service.with_own_pages(|page, _| match page.content {
///         Content::Login(view, form) => Some(Html::new(format!(
///             r#"<!doctype html><html lang="en"><title>Sign in</title><h1>Sign in to {}</h1>
///             <form method="post" action="{}">{}
///             <input name="username"><input name="password" type="password">
///             <button name="action" value="login">Sign in</button></form></html>"#,
///             Html::escape(&view.client.name),
///             Html::escape(&form.action),
///             form.hidden_inputs(),
///         ))),
///         _ => None,
///     })
/// }
/// ```
#[cfg(feature = "pages")]
pub mod pages {
    pub use chancery_pages::{Accent, Brand, Logo, NotAColour, Templates};
}

mod said;

/// The `tower` service of a provider, with the designed pages: for any framework, under any path. What it says on standard
/// error: see [`service_with_pages`].
#[cfg(feature = "pages")]
#[must_use]
pub fn service(provider: Arc<Provider>) -> Service {
    service_with_pages(provider, Arc::new(chancery_pages::Templates::built_in()))
}

/// The `tower` service of a provider whose pages are all the application's own.
///
/// A provider without an event sink ([`Builder::with_events`]) says on standard error what somebody has to mend: faults, and
/// mistakes in the mounting and in the application's accounts, at most ten lines a minute. With [`NoopEventSink`] it says nothing.
#[must_use]
pub fn service_with_pages(provider: Arc<Provider>, pages: Arc<dyn Pages>) -> Service {
    provider.hear_if_unheard(Arc::new(said::Said::default()));
    let service = chancery_http::service(provider).with_pages(pages);
    #[cfg(feature = "axum")]
    let service = service.with_original_uri(axum::original_uri);
    service
}

#[cfg(feature = "axum")]
pub mod axum;

#[cfg(feature = "development")]
mod own_host;
#[cfg(feature = "development")]
pub use own_host::OwnHost;

#[cfg(feature = "development")]
pub mod development;
#[cfg(feature = "development")]
pub use development::{Development, development};

//! HTTP around the engine: a [`tower_service::Service`] for any framework, without a socket, a framework or a
//! runtime.
//!
//! The order of the modules is the layering: a module uses only those named before it.

mod locale;
pub use locale::Locale;

mod proxies;
pub use proxies::{NotANetwork, Peer, TrustedProxies};

mod client_certificate;
pub use client_certificate::{ForwardedCertificate, PeerCertificate};

mod bodies;

mod cookies;

mod pages;
pub use pages::{
    Around, CONTINUE, Content, FormMarkup, FrontPageView, Html, ImageOrigin, LANGUAGE, LanguageSwitch,
    MessageMarkup, Page, PageFile, Pages, Retry, SEND_MESSAGE, SUBMIT, TrialClients,
};

mod plain;
pub use plain::PlainPages;

mod form;
mod encode;
pub use encode::{Challenge, token_challenge};

mod route;
mod cors;
mod cross_site;
pub use cross_site::FORM_OF_ANOTHER_ORIGIN;

mod interaction_id;
mod site;
mod check_session;
mod front_page;
mod metadata;
mod page_file;
mod machine;
mod person;
mod registrant;
mod view_json;
mod front_end;
mod panicked;
pub use panicked::caught;

mod unknown_peer;
pub use unknown_peer::PROXY_UNKNOWN;

mod service;
pub use service::{Service, service};

mod mounting;
mod own_form;
pub use own_form::OwnForm;

/// Every reason for which a request is refused, with what it means: those of the engine, then those of HTTP.
pub fn reasons() -> impl Iterator<Item = chancery_core::error::Described> {
    chancery_core::reasons::all().chain(
        [client_certificate::REASONS, cross_site::REASONS, form::REASONS, front_end::REASONS]
            .into_iter()
            .flatten()
            .copied(),
    )
}

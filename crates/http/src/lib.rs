//! HTTP around the engine: a [`tower_service::Service`] for any framework, without a socket, a framework or a runtime.
//!
//! The order of the modules is the layering: a module uses only those named before it.

mod locale;
pub use locale::Locale;

mod proxies;
pub use proxies::{NotANetwork, Peer, TrustedProxies};

mod cookies;

mod pages;
pub use pages::{Content, FormMarkup, Html, Page, Pages, Retry, SUBMIT};

mod plain;
pub use plain::PlainPages;

mod encode;
mod form;
mod route;
mod cors;
mod cross_site;
mod site;
mod metadata;
mod machine;
mod person;

mod service;
pub use service::{Service, service};

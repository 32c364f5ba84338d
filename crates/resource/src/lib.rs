//! The resource server's side of OAuth 2.0: a [`tower_layer::Layer`] that lets a request through to an API only with an
//! access token that is good for it.
//!
//! ```no_run
//! use std::sync::Arc;
//! use chancery_core::fetch::DynFetch;
//! use chancery_resource::{NotProtected, ProtectedResource};
//!
//! fn protected(fetch: Arc<dyn DynFetch>) -> Result<ProtectedResource, NotProtected> {
//!     ProtectedResource::trusting("https://id.example.org", fetch).at("https://api.example.org")
//! }
//! ```
//!
//! `protected.layer()` goes around the whole API and `protected.requires("notes:write")` around single routes of it. A
//! handler finds the [`AccessToken`] in the extensions of its request. Without a layer, [`ProtectedResource::access_token`]
//! answers with the token of a request or with the refusal to send back. Where the provider is in the same program,
//! [`ProtectedResource::of_provider`] asks it directly, and nothing goes over the network.
//!
//! The order of the modules is the layering: a module uses only those named before it.

mod not_protected;
pub use not_protected::NotProtected;

mod used_proofs;
pub use used_proofs::{DynUsedProofs, SeenProofs, UsedProofs};

mod request_head;
pub use request_head::RequestHead;

mod demands;
mod issuer;
mod jwt;
mod introspection;
pub use introspection::Introspection;

mod tokens;
mod metadata;

mod protected_resource;
pub use protected_resource::{Builder, ProtectedResource};

mod layer;
pub use layer::{Protected, Refused, RequireToken};

pub use chancery_core::model::AccessToken;
pub use chancery_http::PeerCertificate;

/// Every reason for which a request is refused, with what it means: those that all protected resources have, then those
/// of this crate.
pub fn reasons() -> impl Iterator<Item = chancery_core::error::Described> {
    chancery_core::reasons::of_tokens().chain(
        [jwt::REASONS, demands::REASONS, introspection::REASONS, tokens::REASONS]
            .into_iter()
            .flatten()
            .copied(),
    )
}

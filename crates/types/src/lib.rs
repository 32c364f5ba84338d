//! The types that every other crate shares: names that were checked once, request parameters, bearer handles,
//! keys of stored records, and time.
//!
//! Nothing here does input or output, asks a clock or draws a random number.

mod sentences;

mod time;
pub use time::Timestamp;

mod key;
pub use key::{Alias, Key, Kind, Partition, Tag};

mod language;
pub use language::is_language_tag;

mod misleading;
pub use misleading::is_misleading;

mod origin;

mod issuer;

mod name;
pub use name::{AccountId, ClientId, Issuer, Malformed, RealmId, ResourceUri, Scope, Scopes};

mod made_id;
pub use made_id::made_id;

pub mod nearest;

mod network;
pub use network::Network;

pub mod iana;

pub mod params;
pub use params::Params;

mod redirect;
mod redirect_pattern;
mod response_type;
pub use redirect::{RedirectKind, RedirectUri};
pub use redirect_pattern::RedirectPattern;

mod grant_type;

mod port;
pub use port::BoxFuture;

mod target_uri;
pub use target_uri::TargetUri;

pub mod handle;

pub mod text;

mod user_code;
pub use user_code::{UserCode, UserCodeAlphabet, UserCodeMask};

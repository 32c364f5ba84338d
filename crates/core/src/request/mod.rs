//! What is asked for: an authorization request from the wire to its last check, one type per stage.
//!
//! `Received` → `Resolved` → `Addressed` → `ValidatedAuthorizationRequest`. Only `Addressed` can refuse
//! towards a client, because only there the redirect URI has been verified.

mod page_error;
pub use page_error::{Mistake, PageError, UnregisteredUri};

mod received;
pub use received::{Received, Recognised, Resolved};

pub(crate) mod object;

pub(crate) mod encrypted;

pub(crate) mod resolver;
pub use resolver::{RequestObjectsConfig, Resolver};

pub(crate) mod pushed;
pub(crate) use pushed::request_uri;
pub use pushed::{Pushed, PushedRequestsConfig, REFERENCE_UNKNOWN};

pub mod response;
pub use response::{AuthorizationResponse, Unsealed};

pub mod addressed;
pub use addressed::{Addressed, Refused};
pub(crate) use addressed::{CLIENT_ID_MISSING, error_code};

pub mod validated;
pub use validated::{Rules, ValidatedAuthorizationRequest};

pub mod unaddressed;

pub mod backchannel;
pub(crate) use backchannel::Backchannel;

mod asked;
pub(crate) use asked::NO_PROMPT;
pub use asked::{Asked, Door, Prompts};

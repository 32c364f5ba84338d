//! Clients: their registration and their authentication.

mod hmac_secret;
pub use hmac_secret::without_sealed_secrets;
pub(crate) use hmac_secret::{
    authenticating_hmac_keys, decrypting_shared_keys, past_hmac_keys, shared_key, signing_hmac_key,
};

pub(crate) mod keys;
pub(crate) use keys::encryption_key;

pub(crate) mod demanded;
pub(crate) use demanded::meets;
pub use demanded::{PROFILE_BROKEN, broken_demands, unknown_resources};

mod registration;
pub use registration::{
    Draft, NotRegistered, Registered, RegistrationRules, register, register_fetching, replace_secret,
};

mod change;
pub use change::change_fetching;

mod dynamic;
pub(crate) use dynamic::is_of_identity;
pub(crate) use dynamic::sent;
pub use dynamic::{Asked, DynamicRules, NewToken, RegistrationPolicy};

pub(crate) mod software_statement;
pub use software_statement::{SoftwareStatement, StatementIssuer, StatementKeys};

mod unused;
pub(crate) use unused::{UnusedClients, mark_used};

pub mod authentication;
pub use authentication::{
    AuthenticatedClient, Authenticator, ClientAuthenticationConfig, ORIGIN_NOT_ALLOWED, Unauthenticated,
};

#[cfg(test)]
mod tests;

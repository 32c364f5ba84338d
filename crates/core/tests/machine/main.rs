//! What clients call by themselves, and the provider as a whole, without HTTP.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod client_authentication;
mod kit;
mod provider;

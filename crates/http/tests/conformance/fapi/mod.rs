//! The modules of the FAPI plans: FAPI 1.0 Advanced, FAPI 2.0 Security Profile and Message Signing, and the
//! drafts of these.
//!
//! A plan runs its modules once for each variant; these tests run those of `suite::VARIANTS`.

mod client_assertion;
mod client_credentials;
mod discovery;
mod dpop;
mod flow;
mod par;
mod request_object;
mod sent;
pub(crate) mod suite;
mod token;

//! The modules of the FAPI-CIBA plan (`fapi-ciba-id1-test-plan`, profile `plain_fapi`).
//!
//! A plan runs its modules once for each variant: how clients authenticate, how they learn of a decision, and
//! who registers them. So do these tests.

mod discovery;
mod flow;
mod hok;
mod ping;
mod request;
mod suite;
mod token;

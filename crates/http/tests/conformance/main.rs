//! The modules of the OpenID conformance suite's plans for OpenID Connect, logout, FAPI and FAPI-CIBA: what each of
//! them looks at, said as a test of our own. The description of each test begins with the names of its modules;
//! `crates/tidy/conformance-modules.txt` lists all, and in which plans they are.
//!
//! A plan runs its modules once for each response type and way back (`suite::in_each_flow`); so do these
//! tests.

#![expect(clippy::indexing_slicing, clippy::expect_used, reason = "tests")]

mod ciba;
mod discovery;
mod fapi;
mod flow;
mod id_token;
mod prompt;
mod redirect_uri;
mod registration;
mod request_object;
mod suite;
mod token;
mod userinfo;

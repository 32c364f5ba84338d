//! Who asks: a client's registration, and how it proves who it is.

mod authentication;
pub use authentication::{ClientAuthentication, METHODS, Presented, Verified};

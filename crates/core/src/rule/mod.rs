//! May it be? One specification, one file.

pub mod claims;
pub mod pkce;
pub mod scope;

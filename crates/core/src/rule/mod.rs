//! The rules that a request has to satisfy, one file per specification.

pub mod claims;
pub mod pairwise;
pub mod pkce;
pub mod scope;

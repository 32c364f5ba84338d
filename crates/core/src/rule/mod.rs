//! The rules that a request has to satisfy, one file per specification.

mod claims_locales;
pub mod authorization_details;
pub mod bearer;
pub mod claims;
pub mod dpop;
pub mod pairwise;
pub mod pkce;
pub mod resource;
pub mod scope;
pub mod step_up;

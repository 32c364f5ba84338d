//! What the Chancery authorization server decides: no HTTP, no runtime, no driver.
//!
//! The order of the modules is the layering: a module uses only those named before it.

pub mod duration;
#[macro_use]
pub mod error;
pub mod profile;
pub mod offered;
pub mod event;
pub mod model;
pub mod rotation;
pub mod ports;
pub mod fetch;
pub mod notifier;
mod asked;
pub mod names;
pub mod limits;
pub mod approved;
pub mod published_keys;
pub mod published_requests;
pub mod context;
pub mod records;
pub mod keys;
pub mod policy;
pub mod rule;
pub mod client;
mod past_login;
pub mod documents;
pub mod request;
pub mod session;
pub mod issue;
pub mod outbox;
pub mod interaction;
pub mod endpoint;
pub mod discovery;
pub mod config;
pub mod report;
pub mod worker;
pub mod provider;
pub mod reasons;

//! Requests to other servers, over HTTPS alone: the port [`Fetch`](chancery_core::fetch::Fetch).
//!
//! Whoever registers a client chooses addresses that we ask. So that nobody can use us to reach what only we
//! can reach, a host is resolved once, all its addresses are judged (`address.rs`), and one of these is dialled;
//! there is no second look-up that could answer differently. Redirects are returned and not followed, and
//! neither cookies nor the proxies of the environment are known here.
//!
//! So that nobody can keep us busy, a request has five seconds for everything, a document has 256 KiB, and the
//! number of requests is limited, together and for each host (`lanes.rs`). Those who ask for the same document
//! at the same time share one request, which goes on without them if they give up, and an address that has just failed is
//! not asked again (`flights.rs`).
//!
//! Whatever goes wrong is one [`Fault`](chancery_core::error::Fault) of one kind. Its cause, a [`NotFetched`],
//! is for our own log: to those who chose the address it would describe our network.

mod address;
mod lanes;
mod flights;
mod freshness;
mod media_type;
mod network;
mod not_fetched;
mod roots;
mod target;
mod exchange;
mod https_fetch;

pub use https_fetch::{Background, HttpsFetch, Limits, Options};
pub use network::{DynNetwork, Network, Stream, SystemNetwork};
pub use not_fetched::NotFetched;
pub use roots::{BadRoots, Roots, client_config};
pub use target::{AllowedHost, NotAHost};

//! What the engine demands of a store: two contracts that deal in bytes and know nothing of the protocol, so
//! that a backend stays small.
//!
//! [`StateStore`] keeps the records that the protocol makes, which live for a short while and change in
//! atomic steps. [`DocumentStore`] keeps the few, long-lived documents that people change: clients, resource
//! servers, accounts and sealed keys. One backend may implement both.
//!
//! Nothing here asks a clock: each method takes the caller's `now`, which is assumed not to run backwards by
//! more than the clocks of two nodes differ.
//!
//! The feature `kit` contains the tests: every promise of the contracts as a named case, for each backend to
//! run.

mod answer;
pub use answer::{BackendError, StoreError, StoreFuture};

mod record;
pub use record::{Change, Record, Revision, Stored, Tags};

mod partition;
pub use partition::one_partition;

mod state;
pub use state::{Redeemed, Revoked, StateStore, Updated};

mod document;
pub use document::{Changed, Changes, Document, DocumentKind, DocumentStore, Moved, Put};

#[cfg(feature = "kit")]
pub mod kit;

//! Clients, resource servers and private keys where people change them: over a
//! [`DocumentStore`](chancery_store::DocumentStore), and in memory for development and tests.

mod watched;
pub use watched::{Documents, Keeper};

mod kept;
pub use kept::Kept;

mod registry;
pub use registry::StoredRegistry;

mod sealed_keys;
pub use sealed_keys::{Rotated, SealedKeys};

mod memory;
pub use memory::{MemoryKeys, MemoryRegistry};

#[cfg(test)]
mod tests;

//! Clients, resource servers and private keys in a [`DocumentStore`](chancery_store::DocumentStore), where
//! people can change them, and in memory for development and tests.

mod watched;
pub use watched::{Cache, Documents};

mod cache;
pub use cache::DocumentCache;

mod given_servers;

mod registry;
pub use registry::StoredRegistry;

mod key_ring;
mod sealed_keys;
pub use sealed_keys::{Openable, Rotated, RotatedEncryption, SealedKeys};

mod memory;
pub use memory::{MemoryKeys, MemoryRegistry};

#[cfg(test)]
mod tests;

//! Tokens from birth to end, over the memory store, without HTTP: who gets them, in how many trips, and what ends them.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod exchange;
mod policy;
mod refresh;
mod uses;
mod world;

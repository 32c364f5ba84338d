//! The client against servers with certificates of a test's own, on connections in memory, so that the clock is
//! in the test's hand.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod addresses;
mod certificates;
mod concurrency;
mod failures;
mod internet;
mod responses;
mod sockets;

//! The layer around an API, over a network that is in the test's hand: one module per specification.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod allocations;
mod api;
mod asked;
mod bearer;
mod dpop;
mod in_process;
mod introspection;
mod jwt;
mod metadata;
mod mutual_tls;
mod step_up;

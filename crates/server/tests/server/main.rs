//! The binary as its users have it: commands, signals, sockets.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod backup;
mod check;
mod clients;
mod commands;
mod development;
mod lost_wrapping_key;
mod metrics;
mod mistyped;
mod mutual_tls;
mod readiness;
mod registration;
mod serving;
mod sessions;
mod shown;
mod standard_input;
mod store_lock;
mod support;
mod tls;
mod tls_versions;
#[cfg(feature = "opentelemetry")]
mod traces;
mod undo;
mod warned;
mod wrong;

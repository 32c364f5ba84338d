//! How many files the process may have open. Each connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that the process needs besides its connections: the store, listeners, and requests to other servers.
const OTHERS: u64 = 64;

/// How many files so many connections need.
pub(crate) fn needed(connections: u32) -> u64 {
    u64::from(connections) + OTHERS
}

/// The most that a server may have open once it has raised its limit; `None` without one.
pub(crate) fn most() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Raises the limit to the most that is permitted. Shells and service managers set it low for the sake of programs
/// that use `select`, which cannot wait for more than 1,024 files; this one does not use it.
pub(crate) fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Without it the server serves fewer connections at a time, as `chancery check` warns.
        let _unchanged = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

//! Requests of which nobody knows the peer: why not, and what is said of that.

use std::sync::atomic::{AtomicU8, Ordering};

use http::request::Parts;

use crate::proxies::{Peer, TrustedProxies};

/// What is said if the peer is this machine. Whoever sees that coming can say it before.
pub const PROXY_UNKNOWN: &str = "a request came from a loopback address, which for an https issuer is a proxy's, so guesses at \
    passwords cannot be counted by network. Name the proxy among the trusted ones, and let it send X-Forwarded-For";

/// Why nobody knows the peer of a request.
#[derive(Clone, Copy)]
enum Cause {
    NotSaid,
    ProxyUnknown,
    ForwardedMissing,
    ForwardedLoopback,
}

impl Cause {
    fn of(parts: &Parts, proxies: &TrustedProxies) -> Self {
        match parts.extensions.get::<Peer>() {
            None => Self::NotSaid,
            Some(peer) if !proxies.contains(peer.0.to_canonical()) => Self::ProxyUnknown,
            Some(_) if parts.headers.contains_key("x-forwarded-for") => Self::ForwardedLoopback,
            Some(_) => Self::ForwardedMissing,
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::NotSaid => {
                "a request came without the address of its peer, so guesses at passwords cannot be counted by network. Insert \
                 `Peer(address)` into the extensions of every request before this service gets it; with axum, \
                 `chancery::axum::serve` does, and `chancery::axum::mount` where the router is served by \
                 `into_make_service_with_connect_info::<SocketAddr>()`"
            }
            Self::ProxyUnknown => PROXY_UNKNOWN,
            Self::ForwardedMissing => {
                "a request came through a trusted proxy on this machine without X-Forwarded-For, so guesses at passwords cannot \
                 be counted by network. Let the proxy set it to its client's address"
            }
            Self::ForwardedLoopback => {
                "a trusted proxy says in X-Forwarded-For that a request came from this machine. That is right for whatever runs \
                 here, such as a test by hand. If other machines send requests, too, and all come as from here, there is \
                 another proxy before this one, whose X-Forwarded-For must be passed on"
            }
        }
    }
}

/// The causes that were reported, a bit for each: one that is harmless does not hide another.
#[derive(Default)]
pub(crate) struct UnknownPeers(AtomicU8);

impl UnknownPeers {
    /// What is to be said of this request, of which nobody knows the peer: once for each cause.
    pub(crate) fn advice(&self, parts: &Parts, proxies: &TrustedProxies) -> Option<&'static str> {
        let cause = Cause::of(parts, proxies);
        let bit = 1 << cause as u8;
        // Read first: a write by each request would take the line of memory from all other cores.
        let is_new = |reported: u8| reported & bit == 0;
        (is_new(self.0.load(Ordering::Relaxed)) && is_new(self.0.fetch_or(bit, Ordering::Relaxed)))
            .then(|| cause.advice())
    }
}

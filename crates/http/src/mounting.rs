//! Where a program has mounted the Service, as far as requests tell, and what is said where that is not the issuer's path.

use std::sync::atomic::{AtomicBool, Ordering};

use chancery_types::Issuer;
use http::request::Parts;
use http::{Extensions, Uri};

use crate::route::RouteTable;

/// How a framework says with which URI a request has come, before it has stripped some of the path.
pub(crate) type OriginalUri = fn(&Extensions) -> Option<&Uri>;

/// What is known of the mounting.
#[derive(Default)]
pub(crate) struct Mounting {
    original: Option<OriginalUri>,
    /// Whether a request has found its endpoint: then requests for other paths are those of strangers.
    is_right: AtomicBool,
    has_reported: AtomicBool,
}

impl Mounting {
    pub(crate) fn told_by(original: OriginalUri) -> Self {
        Self { original: Some(original), ..Self::default() }
    }

    /// The path of a request as its sender has written it, as far as that is known.
    pub(crate) fn path<'p>(&self, parts: &'p Parts) -> &'p str {
        let original = self.original.and_then(|original| original(&parts.extensions));
        original.unwrap_or(&parts.uri).path()
    }

    /// A request has found its endpoint.
    pub(crate) fn is_right(&self) {
        // Read first: a write by each request would take the line of memory from all other cores.
        if !self.is_right.load(Ordering::Relaxed) {
            self.is_right.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the mistake in the mounting that this request shows is to be reported: once.
    pub(crate) fn reports(&self, shown: &Elsewhere<'_>) -> bool {
        let is_credible = shown.is_certain || !self.is_right.load(Ordering::Relaxed);
        is_credible && !self.has_reported.swap(true, Ordering::Relaxed)
    }
}

/// A request for an endpoint below a path that is not the issuer's.
pub(crate) struct Elsewhere<'p> {
    below: &'p str,
    /// Whether the framework has stripped that path. Else the request only ends like one for an endpoint.
    pub(crate) is_certain: bool,
}

/// Longer ones are cut: anybody can send them.
const LONGEST: usize = 100;

impl<'p> Elsewhere<'p> {
    /// What a request shows that has found no endpoint by its path `whole`, of which the framework has left `seen`.
    pub(crate) fn of(routes: &RouteTable, whole: &'p str, seen: &str) -> Option<Self> {
        if whole != seen && routes.find(seen).is_some() {
            // Of the mount path itself a framework leaves a slash.
            let below = whole.strip_suffix(seen).unwrap_or(whole);
            return Some(Self { below, is_certain: true });
        }
        let mut slashes = whole.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
        let at = slashes.find(|at| whole.get(*at..).is_some_and(|rest| routes.is_endpoint(rest)))?;
        Some(Self { below: whole.get(..at)?, is_certain: false })
    }

    /// What is wrong, and what to do.
    pub(crate) fn advice(&self, issuer: &Issuer) -> String {
        let below: String = self.below.chars().take(LONGEST).collect();
        if below == issuer.path() {
            return format!(
                "requests come below {below} twice, once from the issuer {} and once from the program, which has nested the service \
                 or its router: mount it at the root, because all its addresses have the issuer's path already",
                issuer.as_str()
            );
        }
        let place = match issuer.path() {
            "" => "has no path: mount the service at the root".to_owned(),
            path => format!("has the path {path}: mount the service there"),
        };
        format!(
            "requests come below {below}, but the issuer {} {place}, or give the issuer the path {below}. Where a proxy has \
             changed the path, let it hand on the path as it came: in nginx, `proxy_pass` has nothing behind the address, not even \
             a slash. A program of your own may name the change by `Service::mounted_at`",
            issuer.as_str()
        )
    }
}

//! Spans, as OpenTelemetry knows them: one for each request, and below it one for each step of the store and each request to
//! another server, so that an operator sees where the time of a request goes, and whoever calls us sees us in their trace (W3C
//! Trace Context). They go to a collector.
//!
//! Nothing in the engine knows of them: store and `Fetch` are wrapped, and what happened is heard from the events. Without
//! `traces.endpoint` nothing is wrapped. No span has a secret, or anything about a person.

#[cfg(feature = "opentelemetry")]
mod collector;
#[cfg(feature = "opentelemetry")]
mod exported;
#[cfg(feature = "opentelemetry")]
mod fetch;
#[cfg(feature = "opentelemetry")]
mod store;
#[cfg(feature = "opentelemetry")]
pub(crate) use self::exported::Spans;

#[cfg(not(feature = "opentelemetry"))]
mod absent;
#[cfg(not(feature = "opentelemetry"))]
pub(crate) use self::absent::Spans;

/// What to do about settings that want spans where there are none.
pub(crate) const UNBUILT: &str = "needs a binary that was built with `--features opentelemetry`: build it so, or take the setting \
    away";

/// Whether this binary can send spans to a collector.
pub(crate) const ARE_BUILT: bool = cfg!(feature = "opentelemetry");

//! Why something was not fetched, for our own log.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::IpAddr;

/// Why something was not fetched: the cause of the [`Fault`](chancery_core::error::Fault), for our own log only.
#[non_exhaustive]
pub enum NotFetched {
    /// The address is none that is asked.
    Address(&'static str),
    /// The host has an address that is not dialled for it.
    Forbidden(IpAddr),
    /// Too many other requests were in flight until the time was over.
    Busy,
    /// The time was over before the response was complete.
    TooSlow,
    /// The host has no address, or nobody could say which.
    Unresolved(Option<io::Error>),
    /// None of its addresses could be reached.
    Unreachable(io::Error),
    /// The connection is not with whom it should be: TLS failed, or the certificate is invalid.
    Untrusted(io::Error),
    /// The response broke off, or is not HTTP.
    Broken(hyper::Error),
    /// The document is longer than this many bytes.
    TooLong(usize),
    /// The document has another media type or charset than was asked for.
    MediaType(Option<Box<str>>),
    /// The document is compressed or otherwise encoded, which was not asked for.
    Encoded,
}

impl NotFetched {
    /// Whether the same request would fail again, because it is not we who were overloaded.
    pub(crate) fn is_lasting(&self) -> bool {
        !matches!(self, Self::Busy)
    }
}

impl fmt::Display for NotFetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(rule) => f.write_str(rule),
            Self::Forbidden(address) => {
                write!(f, "{address} is not a public address; see fetch.allow_hosts")
            }
            Self::Busy => f.write_str("too many other requests were in flight"),
            Self::TooSlow => f.write_str("the response took too long"),
            Self::Unresolved(None) => f.write_str("the host has no address"),
            Self::Unresolved(Some(error)) => write!(f, "the host was not found: {error}"),
            Self::Unreachable(error) => write!(f, "no connection: {error}"),
            Self::Untrusted(error) => write!(f, "no TLS: {error}"),
            Self::Broken(error) => {
                write!(f, "no valid response: {error}")?;
                error.source().map_or(Ok(()), |source| write!(f, ": {source}"))
            }
            Self::TooLong(limit) => write!(f, "the document is longer than {limit} bytes"),
            Self::MediaType(None) => f.write_str("the document has no media type"),
            Self::MediaType(Some(other)) => {
                write!(f, "the document's media type {other:?} was not asked for")
            }
            Self::Encoded => f.write_str("the document has a content encoding"),
        }
    }
}

impl Error for NotFetched {}

chancery_core::error::debug_as_display!(NotFetched);

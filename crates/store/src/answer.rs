//! The answers and the errors of a store.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// What every method of a store returns: boxed, so that `Arc<dyn StateStore>` works.
///
/// Nothing happens before it is polled. If it is dropped before it is ready, the step is done wholly or not
/// at all.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Why a step was not done. In each case nothing was written and nothing consumed.
#[non_exhaustive]
pub enum StoreError {
    /// The backend could not do it. The caller answers 503.
    Backend(BackendError),
    /// More steps are waiting than the backend takes, or another process holds it for too long. The caller
    /// answers 503.
    Busy,
    /// A key or an alias of the batch belongs to an unexpired record, or two records of the batch share one.
    Occupied,
    /// The caller asked for something that no backend does, such as a step in two partitions. This is a bug
    /// in the caller.
    Misused(&'static str),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Backend(fault) => write!(f, "the store failed: {fault}"),
            Self::Busy => f.write_str("the store is busy"),
            Self::Occupied => f.write_str("a key or an alias is taken"),
            Self::Misused(rule) => write!(f, "the store was misused: {rule}"),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // `Display` has already printed the fault itself.
            Self::Backend(fault) => fault.source(),
            Self::Busy | Self::Occupied | Self::Misused(_) => None,
        }
    }
}

/// What a backend reports of its own failure. It is for the log only, never for a client.
pub struct BackendError(Box<dyn Error + Send + Sync>);

impl BackendError {
    /// Keeps the backend's own error, or a message.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for BackendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

chancery_types::debug_as_display!(StoreError, BackendError);

impl From<BackendError> for StoreError {
    fn from(fault: BackendError) -> Self {
        Self::Backend(fault)
    }
}

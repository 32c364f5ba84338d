//! What has to be said to the person, because no redirect URI has been verified.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use chancery_types::ClientId;

use crate::error::{Failure, debug_as_display};
use crate::model::Client;

/// A failure that is shown to the person on a page and never redirected, because no redirect URI has been
/// verified (RFC 6749 section 4.1.2.1).
#[derive(Clone)]
pub struct PageError {
    /// What went wrong.
    pub failure: Failure,
    /// The client on whose own page the person can continue, if it is known.
    pub way_on: Option<Arc<Client>>,
    /// The client that the request named, for our own log, if it named one.
    pub client: Option<ClientId>,
    /// Which redirect URI the request named, for our own log, if the client has not registered it: scheme, host, port and
    /// path, and no more of it than a line should have.
    pub unregistered: Option<Box<str>>,
}

/// For our own log: the person is told by [`ErrorView`](crate::interaction::view::ErrorView).
impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.failure.fmt(f)
    }
}

impl Error for PageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.failure.source()
    }
}

debug_as_display!(PageError);

impl<E: Into<Failure>> From<E> for PageError {
    fn from(failure: E) -> Self {
        Self { failure: failure.into(), way_on: None, client: None, unregistered: None }
    }
}

//! What has to be said to the person, because no redirect URI has been verified.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use chancery_types::{ClientId, RedirectUri};

use crate::context::{Call, Env};
use crate::error::{Complaint, Failure, debug_as_display};
use crate::event::{Endpoint, Event, Origins, RefusedClient};
use crate::model::{Client, RedirectUse};

/// A failure that is shown to the person on a page and never redirected, because no redirect URI has been
/// verified (RFC 6749 section 4.1.2.1).
#[derive(Clone)]
pub struct PageError {
    /// What went wrong.
    pub failure: Failure,
    /// The client on whose own page the person can continue, if it is known.
    pub way_on: Option<Arc<Client>>,
    /// The client that the request named, for our own log, if there is one.
    pub client: Option<ClientId>,
    /// Which URI the request named to send the browser to, if the client has not registered it.
    pub unregistered: Option<Box<UnregisteredUri>>,
    /// What whoever develops the application can mend, if that is known.
    pub mistake: Option<Mistake>,
}

/// What whoever develops an application can mend. Only pages that nobody else sees say it: some of it was chosen by whoever
/// made the request, and the rest is how a client is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// The form comes from another origin than that of the pages that have it.
    AnotherOrigin(Origins),
    /// The client is disabled.
    ClientDisabled(ClientId),
    /// The request names no client.
    ClientIdMissing,
    /// No client has this `client_id`, which is as it came. It may be a secret in the wrong place, so no log has it.
    ClientUnknown(Box<str>),
    /// This parameter came more than once.
    ParameterRepeated(&'static str),
    /// The pushed request that is meant was answered, has expired, or is another client's.
    PushedRequestGone(ClientId),
    /// The request says nothing of where the answer goes, and this client has not registered one address alone.
    RedirectUriMissing {
        /// The client.
        client: ClientId,
        /// The addresses that it may name.
        registered: Vec<RedirectUri>,
    },
}

impl Mistake {
    /// Its name, as templates have it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::AnotherOrigin(_) => "another_origin",
            Self::ClientDisabled(_) => "client_disabled",
            Self::ClientIdMissing => "client_id_missing",
            Self::ClientUnknown(_) => "client_unknown",
            Self::ParameterRepeated(_) => "parameter_repeated",
            Self::PushedRequestGone(_) => "pushed_request_gone",
            Self::RedirectUriMissing { .. } => "redirect_uri_missing",
        }
    }

    /// The client, if the request says which; of one that nobody knows, as it came.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        match self {
            Self::ClientDisabled(id) | Self::PushedRequestGone(id) => Some(id.as_str()),
            Self::RedirectUriMissing { client, .. } => Some(client.as_str()),
            Self::ClientUnknown(id) => Some(id),
            Self::AnotherOrigin(_) | Self::ClientIdMissing | Self::ParameterRepeated(_) => None,
        }
    }
}

/// A URI to send the browser to that its client has not registered. Whoever made the request has chosen it.
#[derive(Clone)]
pub struct UnregisteredUri {
    /// Whose it would have to be.
    pub client: Arc<Client>,
    /// What it was to be used for.
    pub what_for: RedirectUse,
    /// As it came.
    pub uri: Box<str>,
    /// What keeps the client from registering it.
    pub unregistrable: Option<Complaint>,
}

/// How many characters of a URI that is not registered are told.
const LONGEST_TOLD: usize = 200;

impl UnregisteredUri {
    /// As a log may have it. What a query, a fragment or the part before `@` (RFC 3986 section 3.2.1) holds may be secret, and
    /// a stranger may send as much as a request can carry.
    #[must_use]
    pub fn told(&self) -> Box<str> {
        let bare = self.uri.split(['?', '#']).next().unwrap_or_default();
        let Some((scheme, rest)) = bare.split_once("//") else {
            return bare.chars().take(LONGEST_TOLD).collect();
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        [scheme, "//", host, path].into_iter().flat_map(str::chars).take(LONGEST_TOLD).collect()
    }
}

impl PageError {
    /// Records why the person gets the page.
    pub fn record(&self, call: &Call, env: &Env, endpoint: Endpoint) {
        let client = self.client.clone().map(RefusedClient::Claimed);
        let redirect_uri = self.unregistered.as_ref().map(|uri| uri.told());
        let origins = match &self.mistake {
            Some(Mistake::AnotherOrigin(origins)) => Some(origins.clone()),
            _ => None,
        };
        match &self.failure {
            Failure::Refused(why) if redirect_uri.is_some() || origins.is_some() => {
                env.record(
                    call,
                    &Event::Refused {
                        endpoint,
                        reason: why.reason,
                        client,
                        redirect_uri,
                        origins,
                        methods: None,
                    },
                );
            }
            failure => env.record_failure(call, endpoint, client, failure),
        }
    }
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
        Self { failure: failure.into(), way_on: None, client: None, unregistered: None, mistake: None }
    }
}

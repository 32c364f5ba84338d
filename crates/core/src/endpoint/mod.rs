//! The endpoints, one file each, in the order of their standards. Those that programs call are
//! [`ClientEndpoint`]s and [`BearerEndpoint`]s.

use std::future::Future;

use chancery_types::Params;

use crate::client::AuthenticatedClient;
use crate::context::{Call, Env};
use crate::error::Failure;
use crate::model::Client;
use crate::ports::BoxFuture;

pub mod authorization;

pub mod awaited;

pub mod backchannel_authentication;

pub mod device_authorization;

pub mod end_session;

pub mod introspection;

pub mod pushed_authorization_request;

pub mod registration;

pub mod revocation;

pub mod token;

pub mod userinfo;

/// The parameters of a client's request.
#[derive(Default)]
pub struct ClientRequest<'a> {
    /// The query, read only to refuse what must not be in it (RFC 9700 section 4.3.2).
    pub query: Params<'a>,
    /// The body of a POST; empty otherwise.
    pub form: Params<'a>,
}

/// The response to a client. It has no `Debug`, because it may hold tokens.
pub enum ClientResponse {
    /// A JSON object.
    Json(String),
    /// A JSON object that describes what was created.
    Created(String),
    /// A signed JWT.
    Jwt {
        /// `application/jwt` or a more specific type.
        media_type: &'static str,
        /// The JWT.
        jwt: String,
    },
    /// Success without a body.
    Done,
}

/// The calling client and its realm.
#[derive(Clone, Copy)]
struct Requester<'a> {
    call: &'a Call,
    env: &'a Env,
    client: &'a Client,
}

/// An endpoint that clients call directly. The client has already been authenticated. A refusal or a fault
/// means that no code or token was used up.
pub trait ClientEndpoint: Send + Sync {
    /// What it responds with.
    type Response: Into<ClientResponse>;

    /// Answers a request.
    fn respond(
        &self,
        call: &Call,
        env: &Env,
        client: &AuthenticatedClient,
        form: &Params<'_>,
    ) -> impl Future<Output = Result<Self::Response, Failure>> + Send;
}

/// A [`ClientEndpoint`] whose response type is erased, so that all of them fit into one map.
pub trait AnyClientEndpoint: Send + Sync {
    /// Answers a request.
    fn answer<'a>(
        &'a self,
        call: &'a Call,
        env: &'a Env,
        client: &'a AuthenticatedClient,
        form: &'a Params<'_>,
    ) -> BoxFuture<'a, Result<ClientResponse, Failure>>;
}

impl<E: ClientEndpoint> AnyClientEndpoint for E {
    fn answer<'a>(
        &'a self,
        call: &'a Call,
        env: &'a Env,
        client: &'a AuthenticatedClient,
        form: &'a Params<'_>,
    ) -> BoxFuture<'a, Result<ClientResponse, Failure>> {
        Box::pin(async move { self.respond(call, env, client, form).await.map(Into::into) })
    }
}

/// Success without a body.
impl From<()> for ClientResponse {
    fn from((): ()) -> Self {
        Self::Done
    }
}

/// An endpoint that is called with an access token. A refusal or a fault means that nothing was used up.
pub trait BearerEndpoint: Send + Sync {
    /// Answers a request.
    fn answer<'a>(
        &'a self,
        call: &'a Call,
        env: &'a Env,
        request: &'a ClientRequest<'_>,
    ) -> BoxFuture<'a, Result<ClientResponse, Failure>>;
}

/// An endpoint, by who calls it.
pub enum Served {
    /// A client that authenticates itself.
    ToClient(Box<dyn AnyClientEndpoint>),
    /// A holder of an access token.
    ToBearer(Box<dyn BearerEndpoint>),
}

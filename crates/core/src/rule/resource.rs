//! RFC 8707, Resource Indicators for OAuth 2.0: section 2.
//! Config     `[[resource_server]]` with `any_client`; a client's `default_resource` and `resources`
//! Discovery  none

use std::sync::Arc;

use chancery_types::iana::ErrorCode;
use chancery_types::{Params, ResourceUri, Scopes};

use crate::context::Env;
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::model::{Client, Granted, ResourceServer, Target};
use crate::policy::AUDIENCE_WITHDRAWN;

/// The parameter.
pub(crate) const RESOURCE: &str = "resource";

/// The most resource servers that one request may name: each of them is looked up.
const MOST: usize = 10;

const fn invalid_target(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidTarget, description, section: "RFC 8707 section 2" }
}

reasons! {
    /// `resource` is not an absolute URI, has a fragment, or is longer than 512 bytes.
    pub RESOURCE_MALFORMED =
        invalid_target("resource_malformed", "resource indicator must be an absolute URI without a fragment");
    /// The request names more than ten resource servers.
    pub RESOURCES_TOO_MANY = invalid_target("resources_too_many", "too many resource indicators requested");
    /// `resource` names no resource server that is configured.
    pub RESOURCE_UNKNOWN = invalid_target("resource_unknown", "resource indicator is unknown");
    /// The client may not ask for tokens of the resource server (`resources`), which a peer cannot tell from an
    /// unknown one.
    pub RESOURCE_NOT_ALLOWED = invalid_target("resource_not_allowed", "resource indicator is unknown");
    /// The token request names a resource server to which no access was granted.
    pub RESOURCE_NOT_GRANTED =
        invalid_target("resource_not_granted", "resource indicator was not granted");
    /// The access token would be for several resource servers.
    pub RESOURCE_AMBIGUOUS = invalid_target(
        "resource_ambiguous",
        "only a single resource indicator value must be requested for an access token",
    );
}

/// The resource servers that an authorization request is for.
#[derive(Clone, Debug, Default)]
pub struct Requested {
    /// Which. Without a name it is the client's default one, if that is known.
    pub servers: Vec<Arc<ResourceServer>>,
    /// Whether the request names them.
    pub are_named: bool,
}

impl Requested {
    /// Those that the parameters name, or the client's default one.
    ///
    /// # Errors
    /// A refusal with `invalid_target`, or a fault of the registry.
    pub(crate) async fn read(env: &Env, client: &Client, params: &Params<'_>) -> Result<Self, Failure> {
        let named = all(params)?;
        if named.is_empty() {
            let server = by_default(env, client).await?;
            return Ok(Self { servers: server.into_iter().collect(), are_named: false });
        }
        let mut servers = Vec::with_capacity(named.len());
        for uri in &named {
            servers.push(usable(env, client, uri, true).await?);
        }
        Ok(Self { servers, are_named: true })
    }

    /// Of those that nobody has named only the ones that a scope belongs to (RFC 9068 section 3).
    #[must_use]
    pub(crate) fn meant_by(mut self, scopes: &Scopes) -> Self {
        self.servers.retain(|server| self.are_named || server.knows_any(scopes));
        self
    }

    /// Those of them to which access was granted.
    #[must_use]
    pub(crate) fn granted(&self, granted: &Granted) -> Vec<Arc<ResourceServer>> {
        self.servers.iter().filter(|server| granted.at(&server.uri).is_some()).cloned().collect()
    }
}

/// The values of `resource`, each once.
///
/// # Errors
/// [`RESOURCE_MALFORMED`], [`RESOURCES_TOO_MANY`].
fn all(params: &Params<'_>) -> Result<Vec<ResourceUri>, Refusal> {
    let mut named = Vec::new();
    for text in params.all(RESOURCE) {
        let uri = ResourceUri::parse(text).map_err(|_| &RESOURCE_MALFORMED)?;
        if !named.contains(&uri) {
            named.push(uri);
        }
        if named.len() > MOST {
            return RESOURCES_TOO_MANY.refused();
        }
    }
    Ok(named)
}

/// The resource server that a token request names, if it names one: an access token is for one alone.
///
/// # Errors
/// [`RESOURCE_MALFORMED`], [`RESOURCE_AMBIGUOUS`].
pub(crate) fn one(params: &Params<'_>) -> Result<Option<ResourceUri>, Refusal> {
    let mut named = all(params)?;
    if named.len() > 1 { RESOURCE_AMBIGUOUS.refused() } else { Ok(named.pop()) }
}

/// The resource server, if the client may ask for tokens that it accepts, which are a person's or its own.
///
/// # Errors
/// [`RESOURCE_UNKNOWN`], [`RESOURCE_NOT_ALLOWED`]; a fault of the registry.
pub(crate) async fn usable(
    env: &Env,
    client: &Client,
    uri: &ResourceUri,
    is_of_person: bool,
) -> Result<Arc<ResourceServer>, Failure> {
    let server = env.registry.resource_server(&env.realm, uri).await?.ok_or(&RESOURCE_UNKNOWN)?;
    if server.admits(client, is_of_person) { Ok(server) } else { RESOURCE_NOT_ALLOWED.refused() }
}

/// The client's default resource server, if it is configured.
///
/// # Errors
/// A fault of the registry.
pub(crate) async fn by_default(env: &Env, client: &Client) -> Result<Option<Arc<ResourceServer>>, Fault> {
    match client.default_resource() {
        Some(uri) => env.registry.resource_server(&env.realm, uri).await,
        None => Ok(None),
    }
}

/// Whom a grant's token with these of its scopes is for: the resource server that the request names, or what was decided
/// when the person agreed, as far as the client may still use it.
///
/// # Errors
/// [`RESOURCE_NOT_GRANTED`], [`RESOURCE_AMBIGUOUS`], those of [`usable`], and [`AUDIENCE_WITHDRAWN`]; a fault of the
/// registry.
pub(crate) async fn target(
    (env, client): (&Env, &Client),
    granted: &Granted,
    (named, scopes): (Option<&ResourceUri>, &Scopes),
) -> Result<Target, Failure> {
    if let Some(uri) = named {
        if granted.at(uri).is_none() {
            return RESOURCE_NOT_GRANTED.refused();
        }
        let server = usable(env, client, uri, true).await?;
        return Ok(Target::of_grant(granted, Some(server)).named());
    }
    let mut servers = Vec::new();
    for at in &granted.resources {
        let known = env.registry.resource_server(&env.realm, &at.resource).await?;
        servers.extend(known.filter(|server| server.admits(client, true)));
    }
    if servers.is_empty() && !granted.resources.is_empty() {
        return AUDIENCE_WITHDRAWN.refused();
    }
    if granted.resources.len() > 1 {
        servers.retain(|server| is_meant(granted, server, scopes));
    }
    Ok(Target::unnamed(granted, &servers, (client, scopes)).ok_or(&RESOURCE_AMBIGUOUS)?)
}

/// Whether these scopes of a grant can be meant for the resource server: one of them was granted there, or it was
/// granted without any.
fn is_meant(granted: &Granted, server: &ResourceServer, scopes: &Scopes) -> bool {
    granted
        .at(&server.uri)
        .is_some_and(|at| at.is_empty() || at.iter().any(|scope| scopes.contains(scope.as_str())))
}

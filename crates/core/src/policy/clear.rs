//! The gate: asked once per request, for all grant types and all uses of a token alike.

use chancery_types::iana::ErrorCode;
use chancery_types::{ClientId, ResourceUri, Scopes};

use crate::context::Env;
use crate::error::{Failure, Fault, Reason};
use crate::model::{Client, Entitlement, Holder};

/// An entitlement that passed the gate. Only [`clear`] makes one, and only from one are tokens issued.
///
/// ```
/// # use chancery_core::{context::Env, error::Failure, model::{Client, Entitlement}, policy::{Cleared, clear}};
/// async fn pass(env: &Env, client: &Client, what: Entitlement) -> Result<Cleared, Failure> { clear(env, client, what).await }
/// ```
/// ```compile_fail,E0451
/// # use chancery_core::{model::Entitlement, policy::Cleared};
/// fn skip(what: Entitlement) -> Cleared { Cleared { what } }
/// ```
pub struct Cleared {
    what: Entitlement,
}

impl Cleared {
    /// What may be issued.
    #[must_use]
    pub fn entitlement(&self) -> &Entitlement {
        &self.what
    }

    /// The entitlement, to be used up.
    pub(crate) fn into_entitlement(self) -> Entitlement {
        self.what
    }
}

/// What is exercised when a token is made or shown: the gate looks at nothing else. Session and grant are alive already,
/// or the record would not have been found.
pub(crate) struct Authority<'a> {
    /// Whom the token stands for.
    pub(crate) holder: &'a Holder,
    /// What it may be used for.
    pub(crate) scopes: &'a Scopes,
    /// Whom it is for, if it is for a resource server.
    pub(crate) resource: Option<&'a ResourceUri>,
}

/// What the gate said.
pub(crate) enum Gate {
    /// Go on, with what of the scopes the client is still registered for.
    Open(Scopes),
    /// Not any more.
    Closed(&'static Reason),
}

/// What every reason of the gate says on the wire: the same as an unknown code or refresh token.
const fn closed(name: &'static str) -> Reason {
    Reason {
        name,
        code: ErrorCode::InvalidGrant,
        description: "grant request is invalid",
        section: "RFC 6749 section 5.2",
    }
}

reasons! {
    /// The client was disabled after the grant was made.
    pub CLIENT_DISABLED = closed("gate_client_disabled");
    /// The client was removed after the grant was made, and another one was registered under its id.
    pub CLIENT_REPLACED = closed("gate_client_replaced");
    /// The account was removed after the grant was made.
    pub ACCOUNT_GONE = closed("gate_account_gone");
    /// The account was disabled after the grant was made.
    pub ACCOUNT_DISABLED = closed("gate_account_disabled");
    /// The person changed the password or signed out everywhere after the grant was made.
    pub SIGNED_OUT_EVERYWHERE = closed("gate_signed_out_everywhere");
    /// The client is no longer registered for any of the granted scopes.
    pub SCOPES_WITHDRAWN = closed("gate_scopes_withdrawn");
    /// The resource server is no longer configured, or no longer one of the client's.
    pub AUDIENCE_WITHDRAWN = closed("gate_audience_withdrawn");
    /// The person's id is also the id of a client, so a resource server could not tell them apart (RFC 9068
    /// section 5).
    pub SUBJECT_IS_A_CLIENT = closed("gate_subject_is_a_client");
}

/// Whether this client may still act for this person towards this audience, and in what.
pub(crate) async fn gate(env: &Env, client: &Client, authority: &Authority<'_>) -> Result<Gate, Fault> {
    if !client.is_enabled() {
        return Ok(Gate::Closed(&CLIENT_DISABLED));
    }
    if authority.holder.registration() != client.registration() {
        return Ok(Gate::Closed(&CLIENT_REPLACED));
    }
    if authority.resource.is_some() && authority.resource != client.default_resource() {
        return Ok(Gate::Closed(&AUDIENCE_WITHDRAWN));
    }
    let scopes = registered(client, authority.scopes);
    if scopes.is_empty() && !authority.scopes.is_empty() {
        return Ok(Gate::Closed(&SCOPES_WITHDRAWN));
    }
    let Some(granted) = authority.holder.granted() else { return Ok(Gate::Open(scopes)) };
    let Some(account) = env.accounts.find(&env.realm, granted.account()).await? else {
        return Ok(Gate::Closed(&ACCOUNT_GONE));
    };
    if !account.active {
        return Ok(Gate::Closed(&ACCOUNT_DISABLED));
    }
    if granted.authentication.epoch != account.epoch {
        return Ok(Gate::Closed(&SIGNED_OUT_EVERYWHERE));
    }
    Ok(Gate::Open(scopes))
}

/// Of these scopes, those that the client is registered for now (RFC 7591 section 2).
fn registered(client: &Client, scopes: &Scopes) -> Scopes {
    scopes.clone().filtered(|scope| client.scopes().is_none_or(|list| list.contains(scope.as_str())))
}

/// Lets an entitlement pass, or says why not.
///
/// # Errors
/// A refusal that says the same as an unknown code or refresh token; a fault of `Accounts`.
pub async fn clear(env: &Env, client: &Client, mut what: Entitlement) -> Result<Cleared, Failure> {
    let authority = Authority {
        holder: &what.holder,
        scopes: &what.target.scopes,
        resource: what.target.resource.as_ref().map(|server| &server.uri),
    };
    let scopes = match gate(env, client, &authority).await? {
        Gate::Open(scopes) => scopes,
        Gate::Closed(reason) => return Err(reason.into()),
    };
    if is_of_client(env, &what.holder).await? {
        return SUBJECT_IS_A_CLIENT.refused();
    }
    match &mut what.holder {
        // A client's own token is for its resource server, also without any scope.
        Holder::Client { .. } => what.target.scopes = scopes,
        Holder::Person(granted) => {
            granted.scopes = registered(client, &granted.scopes);
            let had_resource = what.target.resource.is_some();
            what.target = what.target.only(scopes);
            // A person's token that could do nothing at its resource server is not made, unless UserInfo takes it.
            if had_resource && what.target.is_for_nobody() {
                return SCOPES_WITHDRAWN.refused();
            }
        }
    }
    Ok(Cleared { what })
}

/// RFC 9068 section 5: `sub` of a client's own token is its id, and a resource server has nothing else to tell persons and
/// clients apart. A person whom an application let choose such an id gets no token; a client with the id of a person is
/// refused where it is registered.
async fn is_of_client(env: &Env, holder: &Holder) -> Result<bool, Fault> {
    let Some(Ok(id)) = holder.account().map(|account| ClientId::parse(account.as_str())) else { return Ok(false) };
    Ok(env.registry.client(&env.realm, &id).await?.is_some())
}

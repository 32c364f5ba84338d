//! The gate, which every request asks once, for all grant types and all uses of a token alike.

use chancery_types::iana::ErrorCode;
use chancery_types::{ClientId, Scopes};

use crate::context::Env;
use crate::error::{Failure, Fault, Reason};
use crate::model::{Client, Entitlement, Holder, ResourceServer};

/// An entitlement that passed the gate. Only [`clear`] makes one, and tokens can be issued from nothing else.
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

    /// The entitlement itself.
    pub(crate) fn into_entitlement(self) -> Entitlement {
        self.what
    }
}

/// What the gate looks at when a token is issued or presented. Session and grant need no check: if they had
/// ended, the record would not have been found.
pub(crate) struct Authority<'a> {
    /// Whom the token stands for.
    pub(crate) holder: &'a Holder,
    /// What it may be used for.
    pub(crate) scopes: &'a Scopes,
    /// The resource server that it is for, if any.
    pub(crate) resource: Option<&'a ResourceServer>,
}

/// The gate's decision.
pub(crate) enum Gate {
    /// Continue, with those of the scopes that the client is still registered for.
    Open(Scopes),
    /// The authority has ended, for this reason.
    Closed(&'static Reason),
}

/// Every reason of the gate looks to a peer like an unknown code or refresh token.
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
    /// The client was disabled after the grant was made and enabled again, or removed, and another one was registered under
    /// the same id: what it had before has ended for good.
    pub CLIENT_REPLACED = closed("gate_client_replaced");
    /// The account was removed after the grant was made.
    pub ACCOUNT_GONE = closed("gate_account_gone");
    /// The account was disabled after the grant was made.
    pub ACCOUNT_DISABLED = closed("gate_account_disabled");
    /// The person changed the password or signed out everywhere after the grant was made.
    pub SIGNED_OUT_EVERYWHERE = closed("gate_signed_out_everywhere");
    /// The client is no longer registered for any of the granted scopes.
    pub SCOPES_WITHDRAWN = closed("gate_scopes_withdrawn");
    /// The resource server is no longer configured, or is no longer one that the client may use.
    pub AUDIENCE_WITHDRAWN = closed("gate_audience_withdrawn");
    /// The account id is also the id of a client, so a resource server could not tell the two apart (RFC 9068
    /// section 5).
    pub SUBJECT_IS_A_CLIENT = closed("gate_subject_is_a_client");
}

/// Whether this client may still act for this person at this audience, and with which scopes.
pub(crate) async fn gate(env: &Env, client: &Client, authority: &Authority<'_>) -> Result<Gate, Fault> {
    if !client.is_enabled() {
        return Ok(Gate::Closed(&CLIENT_DISABLED));
    }
    if authority.holder.registration() != client.registration() {
        return Ok(Gate::Closed(&CLIENT_REPLACED));
    }
    let is_of_person = authority.holder.granted().is_some();
    if authority.resource.is_some_and(|server| !server.admits(client, is_of_person)) {
        return Ok(Gate::Closed(&AUDIENCE_WITHDRAWN));
    }
    let scopes = registered(client, authority.scopes);
    if scopes.is_empty() && !authority.scopes.is_empty() {
        return Ok(Gate::Closed(&SCOPES_WITHDRAWN));
    }
    let Some(granted) = authority.holder.granted() else { return Ok(Gate::Open(scopes)) };
    let Some(account) = env.account(granted.account()).await? else {
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

/// Lets an entitlement pass or refuses it.
///
/// # Errors
/// A refusal that looks like an unknown code or refresh token; a fault of `Accounts`.
pub async fn clear(env: &Env, client: &Client, mut what: Entitlement) -> Result<Cleared, Failure> {
    let authority = Authority {
        holder: &what.holder,
        scopes: &what.target.scopes,
        resource: what.target.resource.as_deref(),
    };
    let scopes = match gate(env, client, &authority).await? {
        Gate::Open(scopes) => scopes,
        Gate::Closed(reason) => return Err(reason.into()),
    };
    if is_of_client(env, &what.holder).await? {
        return SUBJECT_IS_A_CLIENT.refused();
    }
    match &mut what.holder {
        // A client's own token is for its resource server even without any scope.
        Holder::Client { .. } => what.target.scopes = scopes,
        Holder::Person(granted) => {
            granted.scopes = registered(client, &granted.scopes);
            let had_resource = what.target.resource.is_some();
            what.target = what.target.only(&scopes);
            // A person's token that is of no use at its resource server is not issued, unless UserInfo
            // accepts it.
            if had_resource && what.target.is_for_nobody() {
                return SCOPES_WITHDRAWN.refused();
            }
        }
    }
    Ok(Cleared { what })
}

/// RFC 9068 section 5: the `sub` of a client's own token is the client id, and a resource server can tell
/// persons and clients apart only by `sub`. A person whose application let them choose a client's id gets no
/// token; a client with the id of a person is refused at registration.
async fn is_of_client(env: &Env, holder: &Holder) -> Result<bool, Fault> {
    let Some(Ok(id)) = holder.account().map(|account| ClientId::parse(account.as_str())) else {
        return Ok(false);
    };
    Ok(env.registry.client(&env.realm, &id).await?.is_some())
}

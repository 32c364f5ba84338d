//! The gate: asked once per request, for all grant types and all uses of a token alike.

use std::sync::Arc;

use chancery_types::iana::ErrorCode;
use chancery_types::{AccountId, ResourceUri, Scopes, Timestamp};

use crate::context::Env;
use crate::error::{Failure, Fault, Reason};
use crate::model::{Account, Client, Entitlement, ResourceServer};

/// An entitlement that passed the gate. Only [`clear`] makes one, and only from one are tokens issued.
///
/// ```compile_fail
/// # use chancery_core::{model::Entitlement, policy::Cleared};
/// fn skip(what: Entitlement) -> Cleared { Cleared { what, account: None } }
/// ```
pub struct Cleared {
    what: Entitlement,
    account: Option<Account>,
}

impl Cleared {
    /// What may be issued.
    #[must_use]
    pub fn entitlement(&self) -> &Entitlement {
        &self.what
    }

    /// The person, as the gate saw them; `None` for the client itself.
    #[must_use]
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// The entitlement, to be used up.
    pub(crate) fn into_entitlement(self) -> Entitlement {
        self.what
    }
}

/// What the gate looks at. Session and grant are alive already, or the record would not have been found.
pub(crate) struct Holder<'a> {
    /// The person, or none for the client itself.
    pub(crate) account: Option<&'a AccountId>,
    /// The times that must not lie before the account's `not_before`: birth of the grant, authentication.
    pub(crate) since: [Option<Timestamp>; 2],
    /// When the token's grant was born, or the token itself where there is none.
    pub(crate) born: Timestamp,
    /// What was granted.
    pub(crate) scopes: &'a Scopes,
    /// Whom the token is for, if it is for a resource server.
    pub(crate) resource: Option<&'a ResourceUri>,
}

/// What the gate said.
pub(crate) enum Gate {
    /// Go on; with the person, if there is one, and with what of the scopes the client is still registered for.
    Open(Option<Account>, Scopes),
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

/// The client was disabled.
pub const CLIENT_DISABLED: Reason = closed("gate_client_disabled");
/// The client was removed meanwhile; the one of this id is another one.
pub const CLIENT_REPLACED: Reason = closed("gate_client_replaced");
/// The account does not exist any more.
pub const ACCOUNT_GONE: Reason = closed("gate_account_gone");
/// The account was disabled.
pub const ACCOUNT_DISABLED: Reason = closed("gate_account_disabled");
/// The person has ended everything since.
pub const SIGNED_OUT_EVERYWHERE: Reason = closed("gate_signed_out_everywhere");
/// The client is not registered for any of the scopes any more.
pub const SCOPES_WITHDRAWN: Reason = closed("gate_scopes_withdrawn");
/// The resource server is not the client's any more, or is not configured any more.
pub const AUDIENCE_WITHDRAWN: Reason = closed("gate_audience_withdrawn");

/// Whether this client may still act for this person towards this audience, and in what.
pub(crate) async fn gate(env: &Env, client: &Client, holder: &Holder<'_>) -> Result<Gate, Fault> {
    if !client.is_enabled() {
        return Ok(Gate::Closed(&CLIENT_DISABLED));
    }
    // In whole seconds, because a JWT does not say its time more exactly.
    if holder.born.secs() < client.registered_at.secs() {
        return Ok(Gate::Closed(&CLIENT_REPLACED));
    }
    if holder.resource.is_some() && holder.resource != client.default_resource.as_ref() {
        return Ok(Gate::Closed(&AUDIENCE_WITHDRAWN));
    }
    let scopes = registered(client, holder.scopes);
    if scopes.is_empty() && !holder.scopes.is_empty() {
        return Ok(Gate::Closed(&SCOPES_WITHDRAWN));
    }
    let Some(id) = holder.account else { return Ok(Gate::Open(None, scopes)) };
    let Some(account) = env.accounts.find(&env.realm, id).await? else { return Ok(Gate::Closed(&ACCOUNT_GONE)) };
    if !account.active {
        return Ok(Gate::Closed(&ACCOUNT_DISABLED));
    }
    if holder.since.into_iter().flatten().any(|time| time < account.not_before) {
        return Ok(Gate::Closed(&SIGNED_OUT_EVERYWHERE));
    }
    Ok(Gate::Open(Some(account), scopes))
}

/// Of these scopes, those that the client is registered for now (RFC 7591 section 2).
fn registered(client: &Client, scopes: &Scopes) -> Scopes {
    scopes.clone().filtered(|scope| client.scopes.as_ref().is_none_or(|list| list.contains(scope.as_str())))
}

/// Lets an entitlement pass, or says why not.
///
/// # Errors
/// A refusal that says the same as an unknown code or refresh token; a fault of `Accounts`.
pub async fn clear(env: &Env, client: &Client, mut what: Entitlement) -> Result<Cleared, Failure> {
    let holder = Holder {
        // What a client gets for itself is born now.
        born: what.grant.map_or(Timestamp::MAX, |(_, born)| born),
        account: what.account.as_ref(),
        since: [what.grant.map(|(_, born)| born), what.authentication.as_ref().map(|how| how.time())],
        scopes: what.narrowed.as_ref().unwrap_or(&what.scopes),
        resource: what.resource.as_ref().map(|server| &server.uri),
    };
    match gate(env, client, &holder).await? {
        Gate::Open(account, scopes) => {
            match what.narrowed {
                Some(_) => what.narrowed = Some(scopes),
                None => what.scopes = scopes,
            }
            // A person's token that could do nothing at its resource server is not made.
            let scopes = what.narrowed.as_ref().unwrap_or(&what.scopes);
            let is_useless = |server: &Arc<ResourceServer>| !server.knows_any(scopes);
            if account.is_some() && what.resource.as_ref().is_some_and(is_useless) {
                return Err((&SCOPES_WITHDRAWN).into());
            }
            Ok(Cleared { what, account })
        }
        Gate::Closed(reason) => Err(reason.into()),
    }
}

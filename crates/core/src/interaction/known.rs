//! What pages say of a person: how they are called, and what a client would get to know about them.

use chancery_types::{ClientId, Scopes, is_misleading};
use serde_json::Value;
use serde_json::value::RawValue;

use super::pending::Pending;
use super::prompt::Undecided;
use super::view::{AccountView, SharedClaim, shown};
use crate::context::Env;
use crate::error::Fault;
use crate::model::{Account, ClaimAsk, Claims};
use crate::ports::ClaimsQuery;
use crate::session::{SignedIn, choice};

/// The claims by which people recognise an account of theirs.
const NAMES: [&str; 2] = ["name", "email"];

/// A person as a page of this request shows them. No client sees what is asked for this.
pub(super) async fn account_view(
    pending: &Pending<'_>,
    who: &SignedIn,
    is_expected: bool,
) -> Result<AccountView, Fault> {
    Ok(AccountView { is_expected, ..named(pending.env, who).await? })
}

/// A person as every page shows them, whether or not a client asks.
pub(crate) async fn named(env: &Env, who: &SignedIn) -> Result<AccountView, Fault> {
    Ok(AccountView { choice: choice(&who.found.key), ..known(env, &who.account).await? })
}

/// An account as every page shows it, whether or not somebody uses it.
pub(crate) async fn known(env: &Env, account: &Account) -> Result<AccountView, Fault> {
    let itself =
        ClientId::parse(env.issuer.as_str()).map_err(|_| Fault::internal("the issuer is no client"))?;
    let query = ClaimsQuery { account: &account.id, client: &itself, names: &NAMES, locales: None };
    let claims = env.accounts.claims(&env.realm, query).await?.said(&NAMES);
    let text = |name| {
        let text: Option<String> = claims.get(name).and_then(|json| serde_json::from_str(json.get()).ok());
        text.map(|text| shown(&text)).filter(|text| !text.trim().is_empty())
    };
    Ok(AccountView { name: text("name"), email: text("email"), ..by_label(account) })
}

/// An account of which nothing is known but its label.
pub(crate) fn by_label(account: &Account) -> AccountView {
    let label = shown(&account.label);
    AccountView { choice: String::new(), label, name: None, email: None, is_expected: false }
}

/// What the client gets to know about the person with what is asked for: each claim with its value, once, in the order
/// of the scopes that stand for it. Beside it the scopes and claims of which nothing is known.
pub(super) async fn shared(
    pending: &Pending<'_>,
    who: &SignedIn,
    asked: &Undecided,
) -> Result<(Vec<SharedClaim>, Vec<String>), Fault> {
    let (env, rule, request) = (pending.env, &pending.by.rules.claims, &pending.asked.claims);
    let is_asked =
        |ask: &&ClaimAsk| asked.claims.iter().any(|name| *name == *ask.name || is_of(name, &ask.name));
    let asks: Vec<ClaimAsk> =
        request.userinfo.iter().chain(&request.id_token).filter(is_asked).cloned().collect();
    let account = &who.account.id;
    let which = (asks.as_slice(), request.locales.as_deref());
    let known = rule.about(env, pending.client.id(), account, &asked.access.scopes, which).await?;
    let (mut shared, mut unknown) = (Vec::new(), Vec::new());
    for scope in asked.access.scopes.iter() {
        let names = rule.names(&Scopes::from_iter([scope.clone()]), &[]);
        if !names.is_empty() && !names.iter().any(|name| value(&known, name).is_some()) {
            unknown.push(scope.as_str().to_owned());
        }
        for name in names {
            push(&mut shared, &known, name, Some(scope.as_str()));
        }
    }
    for name in &asked.claims {
        if value(&known, name).is_none() {
            unknown.push(name.clone());
        }
        push(&mut shared, &known, name, None);
    }
    Ok((shared, unknown))
}

/// Whether a name with a language is one of this claim.
fn is_of(claim: &str, name: &str) -> bool {
    name.strip_prefix(claim).is_some_and(|rest| rest.starts_with('#'))
}

/// What is known of this claim, in whatever language.
fn value<'k>(known: &'k Claims, claim: &str) -> Option<&'k RawValue> {
    let of_claim =
        |(name, json): &(&str, &RawValue)| (*name == claim || is_of(claim, name)) && json.get() != "null";
    known.iter().find(of_claim).map(|(_, json)| json)
}

fn push(shared: &mut Vec<SharedClaim>, known: &Claims, claim: &str, scope: Option<&str>) {
    let Some(json) = value(known, claim) else { return };
    if shared.iter().any(|have| have.claim == claim) {
        return;
    }
    let value = match serde_json::from_str(json.get()) {
        Ok(Value::String(text)) => Value::String(text.chars().filter(|c| !is_misleading(*c)).collect()),
        Ok(value) => value,
        Err(_) => return,
    };
    shared.push(SharedClaim { claim: claim.to_owned(), scope: scope.map(str::to_owned), value });
}

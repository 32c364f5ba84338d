//! What has still to be asked of the person: OIDC Core section 3.1.2.3 and 3.1.2.4, as a pure function.

use std::time::Duration;

use chancery_types::iana::{ErrorCode, Prompt, ResponseType};
use chancery_types::{Scope, Scopes, Timestamp};

use crate::error::Reason;
use crate::model::{
    Acr, ApplicationType, Authentication, Client, ConsentAnswer, ConsentMode, Done, PromptName,
};
use crate::request::{Asked, Prompts};
use crate::rule::claims::ClaimsRule;
use crate::rule::pairwise::Subjects;

reasons! {
    /// Nobody is signed in.
    pub NO_SESSION = login("login_no_session", "End-User authentication is required");
    /// The browser's active session has ended, and other accounts are signed in beside it.
    pub SESSION_ENDED = login("select_session_ended", "End-User authentication is required");
    /// The client demands a new login with `prompt=login`.
    pub LOGIN_REQUESTED = login("login_requested", "login prompt was not resolved");
    /// The last login is older than the client's `max_age`.
    pub LOGIN_TOO_OLD = login("login_too_old", "End-User authentication could not be reused");
    /// The person's login does not reach the `acr` that the client demands as essential.
    pub ACR_NOT_MET = login("login_acr_not_met", "none of the requested ACRs could be obtained");
    /// The session counts as many clients as it can hold, so a new one has to begin.
    pub SESSION_FULL = login("login_session_full", "End-User authentication is required");
    /// Somebody else is signed in than the client expects.
    pub OTHER_PERSON = login("select_other_person", "another End-User is signed in than the client expects");
    /// The client demands with `prompt=select_account` that the person chooses an account.
    pub SELECTION_REQUESTED = Reason {
        name: "select_account_requested",
        code: ErrorCode::AccountSelectionRequired,
        description: "select_account prompt was not resolved",
        section: "OIDC Core section 3.1.2.1",
    };
    /// The client demands with `prompt=consent` that the person is asked.
    pub CONSENT_REQUESTED = consent("consent_requested", "consent prompt was not resolved");
    /// The client asks for scopes or claims that the person has not decided on.
    pub CONSENT_MISSING = consent("consent_missing", "requested scopes or claims not granted");
    /// The client is one that anybody on the device could imitate, so the person is always asked (RFC 8252
    /// section 8.6).
    pub CONSENT_NATIVE = consent("consent_native", "native clients require End-User interaction");
    /// No login here reaches the `acr` that the client demands as essential.
    pub ACR_UNREACHABLE = Reason {
        name: "acr_unreachable",
        code: ErrorCode::UnmetAuthenticationRequirements,
        description: "the requested authentication context class cannot be reached",
        section: "OpenID Connect Core Error Code unmet_authentication_requirements section 2",
    };
}

const fn login(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::LoginRequired, description, section: "OIDC Core section 3.1.2.3" }
}

const fn consent(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::ConsentRequired, description, section: "OIDC Core section 3.1.2.4" }
}

/// The page that is needed next, and why. Its `reason` is what a client hears with `prompt=none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// Sign in.
    Login(&'static Reason),
    /// Choose the account.
    SelectAccount(&'static Reason),
    /// Allow it.
    Consent(&'static Reason),
    /// No page helps.
    Impossible(&'static Reason),
}

impl Needed {
    /// Why.
    #[must_use]
    pub fn reason(self) -> &'static Reason {
        match self {
            Self::Login(why) | Self::SelectAccount(why) | Self::Consent(why) | Self::Impossible(why) => why,
        }
    }
}

/// What the decision is made on, beside the request.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// How the person authenticated; `None` when nobody is signed in.
    pub authentication: Option<&'a Authentication>,
    /// Whether somebody is signed in beside the active session, which has ended.
    pub others_are_there: bool,
    /// What the person has agreed to for this client before.
    pub consent: &'a ConsentAnswer,
    /// What the person has done for this request.
    pub done: &'a Done,
    /// The classes that can be reached here.
    pub reachable: &'a [Acr],
    /// Which claims a scope stands for.
    pub claims: &'a ClaimsRule,
    /// By which a client names people.
    pub subjects: &'a Subjects,
    /// Whether any program of the person's device could take the answer.
    pub can_be_intercepted: bool,
}

/// The first page that is needed, in the order login, account, consent; `None` when the request can be
/// answered.
#[must_use]
pub fn needed(asked: &Asked, client: &Client, facts: &Facts<'_>, now: Timestamp) -> Option<Needed> {
    let wishes = |prompt| matches!(&asked.prompts, Prompts::Asked(asked) if asked.contains(&prompt));

    let essential = essential_acr(asked);
    if essential.as_ref().is_some_and(|wanted| !wanted.iter().any(|acr| is_reachable(facts, acr))) {
        return Some(Needed::Impossible(&ACR_UNREACHABLE));
    }
    let Some(authentication) = facts.authentication else {
        let may_choose = facts.others_are_there && !wishes(Prompt::Login);
        return Some(if may_choose {
            Needed::SelectAccount(&SESSION_ENDED)
        } else {
            Needed::Login(&NO_SESSION)
        });
    };
    // A login for this very request satisfies `prompt=login` and every `max_age`. Whether there was one is
    // known without a clock, which may have been set back since.
    let is_fresh = facts.done.has(PromptName::Login);
    if wishes(Prompt::Login) && !is_fresh {
        return Some(Needed::Login(&LOGIN_REQUESTED));
    }
    if asked.max_age.is_some_and(|limit| is_older(authentication, limit, now)) && !is_fresh {
        return Some(Needed::Login(&LOGIN_TOO_OLD));
    }
    let is_met = |wanted: &Vec<String>| {
        authentication.acr.as_ref().is_some_and(|acr| wanted.iter().any(|w| **w == *acr.0))
    };
    if essential.as_ref().is_some_and(|wanted| !is_met(wanted)) {
        // A login that did not help will not help a second time.
        let why = if is_fresh { Needed::Impossible(&ACR_UNREACHABLE) } else { Needed::Login(&ACR_NOT_MET) };
        return Some(why);
    }
    // GAP-01: asked at every step, so that nobody else can take the place of the expected person by signing
    // in.
    let is_expected = || facts.subjects.of(client, &authentication.account).is_one_of(&asked.expected);
    if !asked.expected.is_empty() && !is_expected() {
        return Some(Needed::SelectAccount(&OTHER_PERSON));
    }
    // A login for this request chose the account, too.
    if wishes(Prompt::SelectAccount)
        && !facts.done.has(PromptName::SelectAccount)
        && !facts.done.has(PromptName::Login)
    {
        return Some(Needed::SelectAccount(&SELECTION_REQUESTED));
    }
    if facts.done.has(PromptName::Consent) {
        return None;
    }
    let missing = undecided(asked, client, facts);
    if wishes(Prompt::Consent) {
        return Some(Needed::Consent(&CONSENT_REQUESTED));
    }
    if !missing.scopes.is_empty() || !missing.claims.is_empty() {
        return Some(Needed::Consent(&CONSENT_MISSING));
    }
    needs_consent_each_time(asked, client, facts).then_some(Needed::Consent(&CONSENT_NATIVE))
}

/// Whether a login is older than so many seconds, to the millisecond. `max_age=0` means `prompt=login` (OIDC
/// Core section 3.1.2.1), and the age of a login that lies ahead of the clock is not known.
fn is_older(authentication: &Authentication, limit: u64, now: Timestamp) -> bool {
    let at = authentication.time();
    limit == 0 || at > now || now.since(at) > Duration::from_secs(limit)
}

/// What a consent page has to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undecided {
    /// Scopes.
    pub scopes: Scopes,
    /// Single claims.
    pub claims: Vec<String>,
}

/// What is asked for and was neither allowed nor declined before. For an operator's own application nothing
/// has to be asked, but for access while the person is away by a client that cannot keep a secret.
#[must_use]
pub fn undecided(asked: &Asked, client: &Client, facts: &Facts<'_>) -> Undecided {
    // An OpenID request without `openid` would be another request: it cannot be declined by itself.
    let is_declined = |scope: &str| scope != Scope::OPENID && facts.consent.rejected_scopes.contains(scope);
    let is_decided =
        |scope: &Scope| facts.consent.allows(scope, asked.resource.as_deref()) || is_declined(scope.as_str());
    let missing = asked.scopes.filtered(|scope| !is_decided(scope));
    match client.metadata().own.consent {
        ConsentMode::Ask => Undecided {
            claims: facts.claims.undecided(&asked.claims, &asked.scopes, facts.consent),
            scopes: missing,
        },
        ConsentMode::Implied => Undecided {
            scopes: missing.filtered(|scope| client.is_public() && scope.as_str() == Scope::OFFLINE_ACCESS),
            claims: Vec::new(),
        },
    }
}

/// RFC 8252 section 8.6: a public client that is reached by a loopback port or a private scheme can be
/// imitated by any program of the device, so that no request of it is answered without the person; unless an
/// operator vouches for it, or nothing is given away.
fn needs_consent_each_time(asked: &Asked, client: &Client, facts: &Facts<'_>) -> bool {
    asked.response_type != ResponseType::None
        && client.is_public()
        && client.application_type() == ApplicationType::Native
        && client.metadata().own.consent == ConsentMode::Ask
        && facts.can_be_intercepted
}

/// The classes that the client wants: those of the `claims` parameter, then those of `acr_values`.
pub(super) fn wanted_acr(asked: &Asked) -> Vec<Acr> {
    let claimed = asked.claims.of_id_token("acr").into_iter().flat_map(|ask| ask.strings());
    let mut wanted: Vec<Acr> = claimed.map(|acr| Acr(acr.into())).collect();
    for acr in &asked.acr_values {
        if !wanted.contains(acr) {
            wanted.push(acr.clone());
        }
    }
    wanted
}

/// The classes of which the request cannot do without one (OIDC Core section 5.5.1.1).
fn essential_acr(asked: &Asked) -> Option<Vec<String>> {
    let ask = asked.claims.of_id_token("acr").filter(|ask| ask.essential)?;
    let wanted: Vec<String> = ask.strings().collect();
    (!wanted.is_empty()).then_some(wanted)
}

fn is_reachable(facts: &Facts<'_>, acr: &str) -> bool {
    let is_session =
        facts.authentication.and_then(|auth| auth.acr.as_ref()).is_some_and(|have| *have.0 == *acr);
    is_session || facts.reachable.iter().any(|known| *known.0 == *acr)
}

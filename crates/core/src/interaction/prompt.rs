//! What has still to be asked of the person: OIDC Core section 3.1.2.3 and 3.1.2.4, as a pure function.

use std::time::Duration;

use chancery_types::iana::{ErrorCode, ResponseType};
use chancery_types::{Scope, Timestamp};

use super::approval::{APPROVAL_MISSING, CONFIRMATION_MISSING};
use crate::error::Reason;
use crate::model::{
    Access, Acr, ApplicationType, Authentication, Client, ConsentAnswer, ConsentMode, CustomPromptName, Done,
    PromptName,
};
use crate::policy::{CustomPrompt, PromptOrder};
use crate::request::{Asked, Prompts};
use crate::rule::claims::ClaimsRule;
use crate::rule::pairwise::Subjects;

reasons! {
    /// Nobody is signed in.
    pub NO_SESSION = login_required("login_no_session", "End-User authentication is required");
    /// The browser's active session has ended, and other accounts are signed in beside it.
    pub SESSION_ENDED = login_required("select_session_ended", "End-User authentication is required");
    /// The client demands a new login with `prompt=login`.
    pub LOGIN_REQUESTED = login_required("login_requested", "login prompt was not resolved");
    /// The last login is older than the client's `max_age`.
    pub LOGIN_TOO_OLD = login_required("login_too_old", "End-User authentication could not be reused");
    /// The person's login does not reach the `acr` that the client demands as essential.
    pub ACR_NOT_MET = login_required("login_acr_not_met", "none of the requested ACRs could be obtained");
    /// The session counts as many clients as it can hold, so a new one has to begin.
    pub SESSION_FULL = login_required("login_session_full", "End-User authentication is required");
    /// Somebody else is signed in than the client expects.
    pub OTHER_PERSON = login_required("select_other_person", "another End-User is signed in than the client expects");
    /// The client demands with `prompt=select_account` that the person chooses an account.
    pub SELECTION_REQUESTED = Reason {
        name: "select_account_requested",
        code: ErrorCode::AccountSelectionRequired,
        description: "select_account prompt was not resolved",
        section: "OIDC Core section 3.1.2.1",
    };
    /// The client demands with `prompt=consent` that the person is asked.
    pub CONSENT_REQUESTED = consent_required("consent_requested", "consent prompt was not resolved");
    /// The client asks for scopes or claims that the person has not decided on.
    pub CONSENT_MISSING = consent_required("consent_missing", "requested scopes or claims not granted");
    /// The client is one that anybody on the device could imitate, so the person is always asked (RFC 8252
    /// section 8.6).
    pub CONSENT_NATIVE = consent_required("consent_native", "native clients require End-User interaction");
    /// The client asks for authorization details, which a person allows each time.
    pub CONSENT_DETAILS = Reason {
        section: "RFC 9396 section 3",
        ..consent_required("consent_details", "authorization_details require End-User interaction")
    };
    /// The client demands with `prompt=create` that the person can make an account.
    pub SIGN_UP_REQUESTED = Reason {
        name: "sign_up_requested",
        code: ErrorCode::LoginRequired,
        description: "create prompt was not resolved",
        section: "Initiating User Registration via OpenID Connect section 4.1",
    };
    /// The client demands a prompt of the application's own.
    pub CUSTOM_REQUESTED = Reason {
        name: "custom_requested",
        code: ErrorCode::InteractionRequired,
        description: "requested prompt was not resolved",
        section: "OIDC Core section 3.1.2.1",
    };
    /// No login here reaches the `acr` that the client demands as essential.
    pub ACR_UNREACHABLE = Reason {
        name: "acr_unreachable",
        code: ErrorCode::UnmetAuthenticationRequirements,
        description: "the requested authentication context class cannot be reached",
        section: "OpenID Connect Core Error Code unmet_authentication_requirements section 2",
    };
}

const fn login_required(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::LoginRequired, description, section: "OIDC Core section 3.1.2.3" }
}

const fn consent_required(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::ConsentRequired, description, section: "OIDC Core section 3.1.2.4" }
}

/// The page that is needed next, and why. Its `reason` is what a client hears with `prompt=none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needed {
    /// Say that the device which asks is one's own.
    ConfirmDevice(&'static Reason),
    /// Sign in.
    Login(&'static Reason),
    /// Make an account.
    SignUp(&'static Reason),
    /// Choose the account.
    SelectAccount(&'static Reason),
    /// Allow it.
    Consent(&'static Reason),
    /// Approve what was asked for in the background.
    Approve(&'static Reason),
    /// Answer the application's own question.
    Custom(CustomPromptName, &'static Reason),
    /// No page helps.
    Impossible(&'static Reason),
}

impl Needed {
    /// Why.
    #[must_use]
    pub fn reason(&self) -> &'static Reason {
        match self {
            Self::ConfirmDevice(why)
            | Self::Login(why)
            | Self::SignUp(why)
            | Self::SelectAccount(why)
            | Self::Consent(why)
            | Self::Approve(why)
            | Self::Custom(_, why)
            | Self::Impossible(why) => why,
        }
    }
}

/// A prompt of the application's own that its check has found to be needed.
#[derive(Clone, Debug)]
pub(super) struct Required {
    pub(super) name: CustomPromptName,
    pub(super) prompt: CustomPrompt,
}

/// What the decision is made on, beside the request.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    /// The prompts in order.
    pub(super) prompts: &'a PromptOrder,
    /// Those of the application that its checks have found to be needed.
    pub(super) required: &'a [Required],
    /// How the person authenticated; `None` when nobody is signed in.
    pub(super) authentication: Option<&'a Authentication>,
    /// Whether somebody is signed in beside the active session, which has ended.
    pub(super) others_are_there: bool,
    /// What the person has agreed to for this client before.
    pub(super) consent: &'a ConsentAnswer,
    /// What the person has done for this request.
    pub(super) done: &'a Done,
    /// The classes that can be reached here.
    pub(super) reachable: &'a [Acr],
    /// Whether the request cannot do without one of its `acr_values`.
    pub(super) acr_values_are_essential: bool,
    /// Which claims a scope stands for.
    pub(super) claims: &'a ClaimsRule,
    /// By which a client names people.
    pub(super) subjects: &'a Subjects,
    /// Whether any program of the person's device could take the answer.
    pub(super) can_be_intercepted: bool,
    /// How the request has reached the person.
    pub(super) way: Way,
}

/// How a request has reached the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Their browser has brought it.
    Browser,
    /// They have typed the code of a device, which they have to say is theirs.
    Device,
    /// Its client has named them, and they have to approve it (CIBA Core section 8).
    Backchannel,
    /// There is none: they want to see what waits for them, and sign in for that.
    Visit,
}

/// The first page that is needed; `None` when the request can be answered.
///
/// Nobody can be asked anything before somebody has signed in, but for whether the device is theirs: that
/// comes before the password, which nobody should type for a stranger (RFC 8628 section 5.4). From then on
/// the order is that of the policy.
#[must_use]
pub(super) fn needed(asked: &Asked, client: &Client, facts: &Facts<'_>, now: Timestamp) -> Option<Needed> {
    let essential = essential_acr(asked, facts);
    if essential.as_ref().is_some_and(|wanted| !wanted.iter().any(|acr| is_reachable(facts, acr))) {
        return Some(Needed::Impossible(&ACR_UNREACHABLE));
    }
    if facts.way == Way::Device && !facts.done.has(&PromptName::ConfirmDevice) {
        return Some(Needed::ConfirmDevice(&CONFIRMATION_MISSING));
    }
    // Whoever has signed in for this request has made an account, or has one.
    if wishes(asked, &PromptName::Create) && !facts.done.has(&PromptName::Login) {
        return Some(Needed::SignUp(&SIGN_UP_REQUESTED));
    }
    let Some(authentication) = facts.authentication else {
        let may_choose = facts.others_are_there && !wishes(asked, &PromptName::Login);
        return Some(if may_choose {
            Needed::SelectAccount(&SESSION_ENDED)
        } else {
            Needed::Login(&NO_SESSION)
        });
    };
    facts.prompts.iter().find_map(|prompt| match prompt {
        PromptName::Login => login(asked, client, facts, authentication, now),
        PromptName::SelectAccount => selection(asked, facts),
        PromptName::Consent if facts.way == Way::Backchannel => approved(facts),
        PromptName::Consent => consented(asked, client, facts),
        PromptName::ConfirmDevice | PromptName::Approve | PromptName::Create => None,
        PromptName::Custom(name) => custom(asked, facts, (prompt, name)),
    })
}

fn wishes(asked: &Asked, prompt: &PromptName) -> bool {
    matches!(&asked.prompts, Prompts::Asked(asked) if asked.contains(prompt))
}

/// Whether the person who is signed in has to sign in again, or is not the one whom the client expects.
fn login(
    asked: &Asked,
    client: &Client,
    facts: &Facts<'_>,
    authentication: &Authentication,
    now: Timestamp,
) -> Option<Needed> {
    // A login for this very request satisfies `prompt=login` and every `max_age`. Whether there was one is
    // known without a clock, which may have been set back since.
    let is_fresh = facts.done.has(&PromptName::Login);
    if wishes(asked, &PromptName::Login) && !is_fresh {
        return Some(Needed::Login(&LOGIN_REQUESTED));
    }
    if asked.max_age.is_some_and(|limit| is_older(authentication, limit, now)) && !is_fresh {
        return Some(Needed::Login(&LOGIN_TOO_OLD));
    }
    let is_met = |wanted: Vec<String>| {
        authentication.acr.as_ref().is_some_and(|acr| wanted.iter().any(|w| **w == *acr.0))
    };
    if essential_acr(asked, facts).is_some_and(|wanted| !is_met(wanted)) {
        // A login that did not help will not help a second time.
        let why = if is_fresh { Needed::Impossible(&ACR_UNREACHABLE) } else { Needed::Login(&ACR_NOT_MET) };
        return Some(why);
    }
    // CIBA Core section 7.1: no browser that could be sent to sign in again comes back to this request, so that a
    // class which can be reached is asked for at once. Where it was not reached, the client sees that in `acr`.
    let can_be_met = || asked.acr_values.iter().any(|acr| is_reachable(facts, &acr.0));
    let wanted = || asked.acr_values.iter().map(|acr| acr.0.to_string()).collect();
    if facts.way == Way::Backchannel && !is_fresh && can_be_met() && !is_met(wanted()) {
        return Some(Needed::Login(&ACR_NOT_MET));
    }
    // GAP-01: asked at every step, so that nobody else can take the place of the expected person by signing
    // in.
    let is_expected = || facts.subjects.of(client, &authentication.account).is_one_of(&asked.expected);
    (!asked.expected.is_empty() && !is_expected()).then_some(Needed::SelectAccount(&OTHER_PERSON))
}

/// Whether the person has to choose an account. A login for this request has chosen one, too.
fn selection(asked: &Asked, facts: &Facts<'_>) -> Option<Needed> {
    let is_chosen = facts.done.has(&PromptName::SelectAccount) || facts.done.has(&PromptName::Login);
    (wishes(asked, &PromptName::SelectAccount) && !is_chosen)
        .then_some(Needed::SelectAccount(&SELECTION_REQUESTED))
}

/// Whether the person has to allow the request.
fn consented(asked: &Asked, client: &Client, facts: &Facts<'_>) -> Option<Needed> {
    if facts.done.has(&PromptName::Consent) {
        return None;
    }
    let missing = undecided(asked, client, facts);
    if wishes(asked, &PromptName::Consent) {
        return Some(Needed::Consent(&CONSENT_REQUESTED));
    }
    if !missing.access.is_empty() || !missing.claims.is_empty() {
        return Some(Needed::Consent(&CONSENT_MISSING));
    }
    if !asked.details.is_empty() {
        // A yes to one payment is none to the next one, whosever the client is.
        return Some(Needed::Consent(&CONSENT_DETAILS));
    }
    needs_consent_each_time(asked, client, facts).then_some(Needed::Consent(&CONSENT_NATIVE))
}

/// Whether the person has to approve the request: each one anew, whatever was agreed to before, because anybody
/// who knows the client and the person's name could have caused it (RFC 10027 section 6.1.14).
fn approved(facts: &Facts<'_>) -> Option<Needed> {
    (!facts.done.has(&PromptName::Approve)).then_some(Needed::Approve(&APPROVAL_MISSING))
}

/// Whether the person has to answer the application, which asks once in a request.
fn custom(
    asked: &Asked,
    facts: &Facts<'_>,
    (prompt, name): (&PromptName, &CustomPromptName),
) -> Option<Needed> {
    if facts.done.has(prompt) {
        return None;
    }
    let required = facts.required.iter().find(|required| required.name == *name);
    let why = match required {
        Some(required) => required.prompt.reason,
        None if wishes(asked, prompt) => &CUSTOM_REQUESTED,
        None => return None,
    };
    Some(Needed::Custom(name.clone(), why))
}

/// Whether a login is older than so many seconds, to the millisecond. `max_age=0` means `prompt=login` (OIDC
/// Core section 3.1.2.1), and the age of a login that lies ahead of the clock is not known.
pub(super) fn is_older(authentication: &Authentication, limit: u64, now: Timestamp) -> bool {
    let at = authentication.time();
    limit == 0 || at > now || now.since(at) > Duration::from_secs(limit)
}

/// OIDC Core section 3.1.2.1, `prompt=login` and `max_age`: whether a login that an application has answered with is too old
/// for the request, because it was before the request and the client wants a newer one. One of this very moment never is,
/// whatever a clock that was set back says.
pub(super) fn is_stale(asked: &Asked, who: &Authentication, first_seen: Timestamp, now: Timestamp) -> bool {
    let is_for_this = who.time() >= first_seen || who.time() == now;
    let limit = if wishes(asked, &PromptName::Login) { Some(0) } else { asked.max_age };
    !is_for_this && limit.is_some_and(|limit| is_older(who, limit, now))
}

/// What a consent page has to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undecided {
    /// Scopes, and resource servers.
    pub access: Access,
    /// Single claims.
    pub claims: Vec<String>,
}

/// What is asked for and was neither allowed nor declined before. For an operator's own application nothing
/// has to be asked, but for access while the person is away by a client that cannot keep a secret.
#[must_use]
pub(super) fn undecided(asked: &Asked, client: &Client, facts: &Facts<'_>) -> Undecided {
    // An OpenID request without `openid` would be another request: it cannot be declined by itself.
    let is_declined = |scope: &str| scope != Scope::OPENID && facts.consent.rejected_scopes.contains(scope);
    let missing = asked.access().filtered(|resource, scope| {
        !facts.consent.allows(resource, scope) && !scope.is_some_and(|scope| is_declined(scope.as_str()))
    });
    match client.metadata().own.consent {
        ConsentMode::Ask => Undecided {
            claims: facts.claims.undecided(&asked.claims, &asked.scopes, facts.consent),
            access: missing,
        },
        ConsentMode::Implied => Undecided {
            access: missing.filtered(|_, scope| {
                client.is_public() && scope.is_some_and(|scope| scope.as_str() == Scope::OFFLINE_ACCESS)
            }),
            claims: Vec::new(),
        },
    }
}

/// RFC 8252 section 8.6: a public client that is reached by a loopback port or a private scheme can be
/// imitated by any program of the device, so that no request of it is answered without the person; unless an
/// operator vouches for it, or nothing is given away.
fn needs_consent_each_time(asked: &Asked, client: &Client, facts: &Facts<'_>) -> bool {
    let is_on_device =
        client.application_type() == ApplicationType::Native || client.metadata().own.any_loopback_port;
    asked.response_type != ResponseType::None
        && client.is_public()
        && is_on_device
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

/// The classes of which the request cannot do without one (OIDC Core section 5.5.1.1). None are left if it names
/// nothing but values that no class can have. With the setting, those of `acr_values` are such, too: they are what a
/// resource has demanded (RFC 9470 section 5).
fn essential_acr(asked: &Asked, facts: &Facts<'_>) -> Option<Vec<String>> {
    let ask = asked.claims.of_id_token("acr").filter(|ask| ask.essential && !ask.values.is_empty());
    let of_values = || {
        let are_meant = facts.acr_values_are_essential && !asked.acr_values.is_empty();
        are_meant.then(|| asked.acr_values.iter().map(|acr| acr.0.to_string()).collect())
    };
    ask.map(|ask| ask.strings().collect()).or_else(of_values)
}

fn is_reachable(facts: &Facts<'_>, acr: &str) -> bool {
    let is_session =
        facts.authentication.and_then(|auth| auth.acr.as_ref()).is_some_and(|have| *have.0 == *acr);
    is_session || facts.reachable.iter().any(|known| *known.0 == *acr)
}

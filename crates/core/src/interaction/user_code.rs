//! RFC 8628 sections 3.3 and 5.1: the page on which a person enters the code that a device shows.
//!
//! A form is looked at only if its page was made for this browser, and a code only within the budget for
//! guesses (`user_code_guesses`). A code that a link has brought along is filled in and not looked at: the
//! person presses the button.
//! Config     `[device_authorization]`
//! Discovery  none

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use chancery_jose::{constant_time_eq, sha256};
use chancery_types::iana::ErrorCode;
use chancery_types::{Params, Timestamp, UserCode, UserCodeAlphabet, UserCodeMask};
use serde::{Deserialize, Serialize};

use super::approval::{self, Waiting};
use super::commit::proceed;
use super::form_token::{
    self, FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_TOO_OLD, FORM_WITHOUT_COOKIE, digest,
};
use super::page::browser_of;
use super::user_code_guesses::{Guess, Guesses};
use super::view::{UserCodeView, View};
use super::{Decided, Entrance, Interactions, Outcome};
use crate::context::{Call, Env};
use crate::error::{Complaint, Fault, Reason, SectionCheck};
use crate::event::Endpoint;
use crate::records::{DeviceCodeBody, user_code_alias};
use crate::request::PageError;

/// The reasons about a user code, of which the person sees a sentence on a page.
const fn refused(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidRequest, description, section: "RFC 8628 section 3.3" }
}

reasons! {
    /// What was typed cannot be a user code. It counts as no guess.
    pub USER_CODE_MALFORMED = refused("user_code_malformed", "the user code is malformed");
    /// No device waits with this user code.
    pub USER_CODE_UNKNOWN = refused("user_code_unknown", "the user code is not known");
    /// So many user codes were wrong that no other one is looked at for a while.
    pub USER_CODE_GUESSED = Reason {
        name: "user_code_guessed",
        code: ErrorCode::InvalidRequest,
        description: "too many wrong user codes",
        section: "RFC 8628 section 5.1",
    };
}

/// `[device_authorization]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeviceAuthorizationConfig {
    /// Whether clients can have a person decide at another device.
    pub offered: bool,
    /// How long a device waits for its person.
    #[serde(with = "crate::duration")]
    pub lifetime: Duration,
    /// How long a device waits between two polls.
    #[serde(with = "crate::duration")]
    pub interval: Duration,
    /// How many devices of one client may wait at the same time, in each process.
    pub open_limit: usize,
    /// The characters of user codes.
    pub user_code_alphabet: UserCodeAlphabet,
    /// How user codes are written.
    pub user_code_mask: UserCodeMask,
    /// How many user codes a person who is signed in can get wrong in 15 minutes.
    pub account_guesses: u32,
    /// How many user codes those who are not signed in can get wrong in 15 minutes, from one network.
    pub network_guesses: u32,
}

impl Default for DeviceAuthorizationConfig {
    fn default() -> Self {
        Self {
            offered: false,
            lifetime: Duration::from_secs(600),
            interval: Duration::from_secs(5),
            open_limit: 1000,
            user_code_alphabet: UserCodeAlphabet::default(),
            user_code_mask: UserCodeMask::default(),
            account_guesses: 10,
            network_guesses: 50,
        }
    }
}

/// The longest life of a device code, the longest interval, and the least number of user codes there must be:
/// those of nine digits (RFC 8628 section 6.1).
const LONGEST: Duration = Duration::from_secs(1800);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
const LEAST_CODES: u128 = 1_000_000_000;

impl DeviceAuthorizationConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self, has_pages_elsewhere: bool) -> Vec<Complaint> {
        let characters = u32::try_from(self.user_code_mask.characters()).unwrap_or(u32::MAX);
        let of_alphabet = u128::try_from(self.user_code_alphabet.characters().len()).unwrap_or(1);
        SectionCheck::of("device_authorization")
            .lifetimes(&[("lifetime", self.lifetime), ("interval", self.interval)])
            .demand(self.lifetime <= LONGEST, "lifetime", "must be at most 30m", "RFC 8628 section 5.2")
            .demand(
                self.interval <= LONGEST_INTERVAL,
                "interval",
                "must be at most 1m",
                "RFC 8628 section 3.2",
            )
            .demand(self.open_limit > 0, "open_limit", "must be at least 1", "RFC 8628 section 3.2")
            .demand(
                of_alphabet.saturating_pow(characters) >= LEAST_CODES,
                "user_code_mask",
                "must have at least 7 characters, or 9 digits, so that a code cannot be guessed",
                "RFC 8628 section 5.1",
            )
            .demand(self.account_guesses > 0, "account_guesses", "must be at least 1", "RFC 8628 section 5.1")
            .demand(self.network_guesses > 0, "network_guesses", "must be at least 1", "RFC 8628 section 5.1")
            .demand(
                !(self.offered && has_pages_elsewhere),
                "offered",
                "must be false while interaction.location is set, whose pages do not have those of this flow",
                "RFC 8628 section 3.3",
            )
            .complaints()
    }
}

/// Why the page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserCodeProblem {
    /// What was typed cannot be a code.
    Malformed,
    /// No device waits with this code.
    Unknown,
    /// The code was right, and its time is over or its client is gone.
    Ended,
    /// The code was right, and somebody has decided about it.
    Used,
    /// Too many were wrong; none is looked at before this time has passed.
    Throttled(Duration),
    /// The page was open too long, or was another browser's. Nothing was looked at.
    Stale,
    /// The browser does not send the cookie that the page has set.
    NoCookies,
}

/// The kind of form that the page has.
const FORM: &str = "user code";

/// What binds the form of the page to its browser.
#[derive(Serialize, Deserialize)]
struct UserCodeToken {
    #[serde(with = "digest")]
    browser: [u8; 32],
    issued_at: Timestamp,
}

/// The page for a user code.
///
/// # Errors
/// A fault of the cryptographic library.
pub(crate) fn page(
    by: &Interactions,
    call: &Call,
    env: &Env,
    user_code: Option<String>,
    problem: Option<UserCodeProblem>,
) -> Result<Decided, Fault> {
    let (browser, fresh) = browser_of(call, env);
    let token = UserCodeToken { browser, issued_at: call.now };
    let fields = vec![("token", form_token::seal(env, by.keys(), FORM, &token)?)];
    let is_numeric = by.device_authorization.user_code_alphabet == UserCodeAlphabet::Digits;
    let view = UserCodeView { user_code, problem, is_numeric, fields };
    let page = Outcome::Page(Box::new(View::UserCode(view)));
    Ok(Decided { browser: fresh, entrance: Some(Entrance::UserCode), ..page.into() })
}

/// The page as a link leads to it: `verification_uri`, or `verification_uri_complete` (RFC 8628 section
/// 3.3.1).
///
/// # Errors
/// A page, when something broke.
pub(crate) fn first(
    by: &Interactions,
    call: &Call,
    env: &Env,
    params: &Params<'_>,
) -> Result<Decided, PageError> {
    let code = params.one("user_code")?.and_then(|code| UserCode::read(code).ok());
    let code = code.map(|code| by.device_authorization.user_code_mask.show(&code));
    Ok(page(by, call, env, code, None)?)
}

/// The form of the page: goes on to the page that says which device asks.
///
/// # Errors
/// A page, when something broke.
pub(crate) async fn entered(
    by: &Arc<Interactions>,
    call: &Call,
    env: &Env,
    form: &Params<'_>,
) -> Result<Decided, PageError> {
    let typed: String = form.one("user_code")?.unwrap_or_default().chars().take(64).collect();
    let again = |why: &'static Reason, problem| {
        env.record_failure(call, Endpoint::UserCode, None, &why.into());
        page(by, call, env, Some(typed.clone()), Some(problem))
    };
    if let Err(why) = is_ours(by, call, env, form) {
        let is_without = *why == FORM_WITHOUT_COOKIE;
        let problem = if is_without { UserCodeProblem::NoCookies } else { UserCodeProblem::Stale };
        return Ok(again(why, problem)?);
    }
    let Ok(code) = UserCode::read(&typed) else {
        return Ok(again(&USER_CODE_MALFORMED, UserCodeProblem::Malformed)?);
    };
    let guess = match Guesses::of(by, call, env).await? {
        Guess::Counted(guesses) => guesses,
        Guess::Waits(wait) => return Ok(again(&USER_CODE_GUESSED, UserCodeProblem::Throttled(wait))?),
    };
    let found = env.records().get_by_alias::<DeviceCodeBody>(call.now, user_code_alias(env, &code)).await?;
    let Some(found) = found else {
        guess.failed(call, env).await?;
        return Ok(again(&USER_CODE_UNKNOWN, UserCodeProblem::Unknown)?);
    };
    drop(guess);
    if found.body.awaited.decision.is_some() {
        return Ok(page(by, call, env, None, Some(UserCodeProblem::Used))?);
    }
    match approval::open(by, call, env, Waiting::Device { found, user_code: code }).await? {
        ControlFlow::Continue(pending) => Ok(proceed(&pending.with_person().await?).await?),
        ControlFlow::Break(next) => Ok(next),
    }
}

/// Whether the form is one of ours, and of this browser.
fn is_ours(by: &Interactions, call: &Call, env: &Env, form: &Params<'_>) -> Result<(), &'static Reason> {
    let cookie = call.browser.as_ref().ok_or(&FORM_WITHOUT_COOKIE)?;
    let text = form.one("token").ok().flatten().ok_or(&FORM_FOREIGN)?;
    let token: UserCodeToken = form_token::open(env, by.keys(), FORM, text).ok_or(&FORM_FOREIGN)?;
    if call.now.distance(token.issued_at) > by.config.lifetime.min(form_token::LIFETIME) {
        return Err(&FORM_TOO_OLD);
    }
    if constant_time_eq(&token.browser, &sha256(&**cookie)) { Ok(()) } else { Err(&FORM_OF_ANOTHER_BROWSER) }
}

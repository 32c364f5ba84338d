//! The pages on which a person sees and ends what they have here.

use std::time::Duration;

use chancery_types::Timestamp;

use super::{AccountView, ClientView, DetailView, LoginProblem, ResourceView};
use crate::interaction::account::AccountNews;
use crate::model::Place;
use crate::ports::PasswordRefusal;

/// What a person has here: their sessions, and the applications that they have let in.
pub struct OwnAccountView {
    /// Who is signed in.
    pub account: AccountView,
    /// Their sessions: this one, then the one that was used last.
    pub sessions: Vec<OwnSessionView>,
    /// The address of the page with more sessions, if there are more than are read for one page.
    pub more_sessions: Option<String>,
    /// The applications, the one that was let in last first.
    pub applications: Vec<ApplicationView>,
    /// The address of the page with more applications, if there are more than are read for one page.
    pub more_applications: Option<String>,
    /// Whether it is such a page itself: the first one is at its address.
    pub is_further: bool,
    /// Whether the password can be changed here.
    pub can_change_password: bool,
    /// What the person has just done.
    pub news: Option<AccountNews>,
    /// Why a form was not looked at.
    pub problem: Option<LoginProblem>,
    /// The address of this page. Those below it: `/session?session=` with a choice, `/sessions`,
    /// `/application?client_id=` with an id, `/password`; with `?prompt=login`, it asks who the person is, and with
    /// `?prompt=select_account`, as whom of those who are signed in they go on.
    pub address: String,
    /// Where the person signs out, if there is such a page.
    pub logout: Option<String>,
}

/// A session of a person, in one of their browsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSessionView {
    /// How it is named in an address.
    pub choice: String,
    /// Whether it is the one in which the page is shown.
    pub is_this: bool,
    /// Where it was used last. Nobody has checked what the browser says of itself.
    pub place: Place,
    /// When the person has signed in.
    pub signed_in_at: Timestamp,
    /// How long ago that was.
    pub signed_in_before: Duration,
    /// How long ago it was used, to the hour.
    pub used_before: Duration,
    /// The applications that the person has signed in to by it: those that came last, the newest first.
    pub applications: Vec<ClientView>,
    /// To how many more than these.
    pub more_applications: usize,
}

/// An application that a person has let in.
pub struct ApplicationView {
    /// Which.
    pub client: ClientView,
    /// Its id.
    pub client_id: String,
    /// This server's own scopes that it has.
    pub scopes: Vec<String>,
    /// Single claims that it has.
    pub claims: Vec<String>,
    /// The resource servers to which it has access.
    pub resources: Vec<ResourceView>,
    /// The authorization details that it was granted.
    pub details: Vec<DetailView>,
    /// How long ago it was let in.
    pub let_in_before: Duration,
    /// How long ago the person has last signed in to it, as far as that is known.
    pub used_before: Option<Duration>,
}

/// The page that asks whether to end something.
pub struct ConfirmEndView {
    /// Who is signed in.
    pub account: AccountView,
    /// What would end.
    pub what: Ending,
    /// Why the form was not looked at.
    pub problem: Option<LoginProblem>,
    /// The address of the page to which the person goes back.
    pub address: String,
    /// Hidden fields of the form: name and value. Button `action` = `end`.
    pub fields: Vec<(&'static str, String)>,
}

/// What a person can end.
pub enum Ending {
    /// One session, in another browser.
    Session(OwnSessionView),
    /// All sessions but this one.
    OtherSessions {
        /// How many were counted.
        count: usize,
        /// Whether there are more than that.
        are_more: bool,
    },
    /// Whatever an application may.
    Application(Box<ApplicationView>),
}

/// The page for a new password.
pub struct ChangePasswordView {
    /// Who is signed in.
    pub account: AccountView,
    /// What the person types at a login, so that a password manager files the new password where it has the old one.
    pub username: String,
    /// Why it is shown again.
    pub problem: Option<PasswordProblem>,
    /// How many characters the new password needs, where the accounts say so.
    pub shortest_password: Option<usize>,
    /// Whether the person wants to stay signed in elsewhere.
    pub keeps_others: bool,
    /// The address of the page to which the person goes back.
    pub address: String,
    /// Hidden fields of the form: name and value. Inputs `current`, `new`, `again`, and `keeps_others` = `yes` where the
    /// person wants to stay signed in elsewhere; button `action` = `change`.
    pub fields: Vec<(&'static str, String)>,
}

/// Why a password was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordProblem {
    /// The current one is another one.
    Wrong,
    /// The new one was typed in two ways.
    Different,
    /// The new one is not accepted.
    Refused(PasswordRefusal),
    /// The form was not looked at. Never [`LoginProblem::Refused`].
    NotLookedAt(LoginProblem),
}

impl PasswordProblem {
    /// As logs and pages name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Wrong => "wrong_password",
            Self::Different => "passwords_differ",
            Self::Refused(why) => why.as_str(),
            Self::NotLookedAt(LoginProblem::Throttled(_)) => "throttled",
            Self::NotLookedAt(LoginProblem::Busy) => "busy",
            Self::NotLookedAt(LoginProblem::NoCookies) => "no_cookies",
            Self::NotLookedAt(LoginProblem::Stale | LoginProblem::Refused) => "stale",
        }
    }
}

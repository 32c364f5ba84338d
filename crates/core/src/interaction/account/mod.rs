//! A person's own account: their sessions, the applications that they have let in, and their password (OWASP ASVS
//! 5.0 sections 6.2 and 7.5).
//!
//! Whoever is not signed in does that first. What ends something has a page of its own, which is shown and answered
//! only when the person has proved a moment ago who they are; the form of that page carries, sealed, what is to end,
//! so that nothing else can be named by it. Each thing is ended where it is ended from elsewhere, too:
//! `session::end` and `consent::withdraw`.
//! Config     `[account]`, `endpoints.account`
//! Discovery  none

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::{constant_time_eq, sha256};
use chancery_types::{ClientId, Key, Params, Timestamp, params};
use serde::{Deserialize, Serialize};

use super::form_token::{
    self, FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_SESSION, FORM_TOO_OLD, FORM_WITHOUT_COOKIE,
};
use super::known::named;
use super::page::{FreshBrowser, browser_of};
use super::prompt::is_older;
use super::view::{ConfirmEndView, Ending, LoginProblem, OwnAccountView, View};
use super::visit::{self, Visit};
use super::{Decided, Entrance, Interactions, Outcome};
use crate::context::{Call, Env};
use crate::error::{Complaint, Fault, Reason, SectionCheck};
use crate::event::Endpoint;
use crate::model::PromptName;
use crate::request::PageError;
use crate::session::SignedIn;

mod applications;
mod list;
use list::{Lists, Position};
mod password;
mod sessions;

/// `[account]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountConfig {
    /// How long ago a person may have signed in to end something on the account page.
    #[serde(with = "crate::duration")]
    pub fresh_login: Duration,
}

impl Default for AccountConfig {
    fn default() -> Self {
        Self { fresh_login: Duration::from_secs(15 * 60) }
    }
}

impl AccountConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        SectionCheck::of("account").lifetimes(&[("fresh_login", self.fresh_login)]).complaints()
    }
}

/// Where the account pages are, and what they lead to.
#[derive(Clone, Debug)]
pub struct AccountPages {
    /// The address of the first one; `None` if there are none.
    pub address: Option<Box<str>>,
    /// The address of the page on which a person signs out, if there is one.
    pub logout: Option<Box<str>>,
    /// Their settings.
    pub config: AccountConfig,
}

/// A page about one's own account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AccountPage {
    /// What the person has.
    Overview,
    /// Whether to end this session, by its choice.
    Session(String),
    /// Whether to end all other sessions.
    Sessions,
    /// Whether to withdraw what this client may.
    Application(ClientId),
    /// A new password.
    Password,
}

/// What a person has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccountNews {
    /// The other session has ended.
    SessionEnded,
    /// All other sessions have ended.
    OthersEnded,
    /// The application may nothing any more.
    Withdrawn,
    /// There is a new password.
    PasswordChanged,
    /// There was nothing to end: it had ended before.
    Gone,
}

impl AccountNews {
    /// As pages name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionEnded => "session_ended",
            Self::OthersEnded => "others_ended",
            Self::Withdrawn => "withdrawn",
            Self::PasswordChanged => "password_changed",
            Self::Gone => "gone",
        }
    }
}

/// How long the page says what the person has just done.
const NEWS: Duration = Duration::from_secs(60);

/// The kinds of what is sealed.
const FORM: &str = "account";
const NEWS_OF: &str = "account news";

/// What binds the form of a page to its browser and session, and says what it is about.
#[derive(Serialize, Deserialize)]
struct AccountToken {
    #[serde(with = "form_token::digest")]
    browser: [u8; 32],
    session: Key,
    page: AccountPage,
    issued_at: Timestamp,
}

/// What a redirect to the first page carries, so that nobody else can make the page say it.
#[derive(Serialize, Deserialize)]
struct SealedNews {
    news: AccountNews,
    session: Key,
    at: Timestamp,
}

impl AccountPage {
    /// The page that an address names; the first one if it names none.
    fn read(below: Option<&str>, query: &Params<'_>) -> Result<Self, PageError> {
        Ok(match below {
            Some("session") => {
                query.one("session")?.map_or(Self::Overview, |choice| Self::Session(choice.to_owned()))
            }
            Some("sessions") => Self::Sessions,
            Some("application") => {
                let client = query.one("client_id")?.and_then(|id| ClientId::parse(id).ok());
                client.map_or(Self::Overview, Self::Application)
            }
            Some("password") => Self::Password,
            _ => Self::Overview,
        })
    }

    /// What stands behind the address of the first page.
    pub(super) fn reference(&self) -> String {
        let with = |path: &str, name: &str, value: &str| {
            format!("/{path}?{}", params::encode([(name, value)].into_iter()))
        };
        match self {
            Self::Overview => String::new(),
            Self::Session(choice) => with("session", "session", choice),
            Self::Sessions => "/sessions".to_owned(),
            Self::Application(client) => with("application", "client_id", client.as_str()),
            Self::Password => "/password".to_owned(),
        }
    }

    /// Whether it is only for whoever has proved a moment ago who they are. A new password needs the current one anyway.
    fn ends_something(&self) -> bool {
        matches!(self, Self::Session(_) | Self::Sessions | Self::Application(_))
    }

    /// How old the login for it may be, in seconds, as a request for it asks.
    pub(super) fn max_age(&self, config: &AccountConfig) -> Option<u64> {
        self.ends_something().then_some(config.fresh_login.as_secs())
    }
}

/// A page of the account.
///
/// # Errors
/// A page, when something broke.
pub(crate) async fn show(
    by: &Arc<Interactions>,
    call: &Call,
    env: &Env,
    below: Option<&str>,
    query: &Params<'_>,
) -> Result<Decided, PageError> {
    let page = AccountPage::read(below, query)?;
    let wants = match query.one("prompt")? {
        Some("login") => Some(PromptName::Login),
        Some("select_account") => Some(PromptName::SelectAccount),
        _ => None,
    };
    let person = match (&wants, call.sessions.first()) {
        (None, Some(handle)) => by.sessions.of_key(call, env, handle.key(&env.realm)).await?,
        _ => None,
    };
    let Some(person) = person.filter(|person| is_fresh(by, call, person, &page)) else {
        return Ok(Box::pin(visit::sign_in(by, call, env, Visit::Account(page), wants)).await?);
    };
    let news = query.one("news")?.and_then(|sealed| opened_news(by, call, env, &person, sealed));
    let visitor = Visitor { by, call, env, person: &person };
    let from = query.one("from")?.map(str::to_owned);
    Ok(visitor.page(page, Shown { news, from, ..Shown::default() }).await?)
}

/// The form of such a page.
///
/// # Errors
/// A page, when something broke.
pub(crate) async fn posted(
    by: &Arc<Interactions>,
    call: &Call,
    env: &Env,
    form: &Params<'_>,
) -> Result<Decided, PageError> {
    let sealed = form.one("token")?.unwrap_or_default();
    let token: Option<AccountToken> = form_token::open(env, by.keys(), FORM, sealed);
    let page = token.as_ref().map_or(AccountPage::Overview, |token| token.page.clone());
    // While a password is changed, its session is of no epoch of the account: a form that was sent twice waits until
    // that is over.
    let _turn = match &token {
        Some(token) if page == AccountPage::Password => env.limits.turns.wait(token.session).await,
        _ => None,
    };
    let person = match call.sessions.first() {
        Some(handle) => by.sessions.of_key(call, env, handle.key(&env.realm)).await?,
        None => None,
    };
    let Some(person) = person.filter(|person| is_fresh(by, call, person, &page)) else {
        return Ok(Box::pin(visit::sign_in(by, call, env, Visit::Account(page), None)).await?);
    };
    let visitor = Visitor { by, call, env, person: &person };
    if let Err(why) = token.ok_or(&FORM_FOREIGN).and_then(|token| visitor.fits(&token)) {
        env.record_failure(call, Endpoint::Account, None, &why.into());
        let is_without = *why == FORM_WITHOUT_COOKIE;
        let problem = if is_without { LoginProblem::NoCookies } else { LoginProblem::Stale };
        return Ok(visitor.page(page, Shown { problem: Some(problem), ..Shown::default() }).await?);
    }
    Ok(match (page, form.one("action")?) {
        (AccountPage::Session(choice), Some("end")) => {
            let ended = visitor.end_session(&choice).await?;
            visitor.tells(if ended { AccountNews::SessionEnded } else { AccountNews::Gone })?
        }
        (AccountPage::Sessions, Some("end")) => {
            visitor.end_others().await?;
            visitor.tells(AccountNews::OthersEnded)?
        }
        (AccountPage::Application(client), Some("end")) => {
            let ended = super::consent::withdraw(call, env, &person.account.id, &client).await?;
            visitor.tells(if ended.is_withdrawn { AccountNews::Withdrawn } else { AccountNews::Gone })?
        }
        (AccountPage::Password, Some("change")) => Box::pin(visitor.change_password(form, sealed)).await?,
        (AccountPage::Password, _) => visitor.password_page_as_it_was(form).await?,
        (page, _) => visitor.page(page, Shown::default()).await?,
    })
}

/// Whether the person has signed in for this page long ago.
fn is_fresh(by: &Interactions, call: &Call, person: &SignedIn, page: &AccountPage) -> bool {
    let limit = page.max_age(&by.account.config);
    limit.is_none_or(|limit| !is_older(&person.found.body.authentication, limit, call.now))
}

/// The news that a redirect of ours has brought, a moment ago, into this session.
fn opened_news(
    by: &Interactions,
    call: &Call,
    env: &Env,
    person: &SignedIn,
    sealed: &str,
) -> Option<AccountNews> {
    let sealed: SealedNews = form_token::open(env, by.keys(), NEWS_OF, sealed)?;
    let is_new = call.now.distance(sealed.at) <= NEWS && sealed.session == person.found.key;
    is_new.then_some(sealed.news)
}

/// Hidden fields of a form: name and value.
type HiddenFields = Vec<(&'static str, String)>;

/// How a page is shown.
#[derive(Default)]
struct Shown {
    news: Option<AccountNews>,
    problem: Option<LoginProblem>,
    /// Where the lists begin.
    from: Option<String>,
}

/// Whoever is signed in looks at a page of theirs.
struct Visitor<'a> {
    by: &'a Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    person: &'a SignedIn,
}

impl Visitor<'_> {
    /// Whether the form was made for this browser and this session, not too long ago.
    fn fits(&self, token: &AccountToken) -> Result<(), &'static Reason> {
        let cookie = self.call.browser.as_ref().ok_or(&FORM_WITHOUT_COOKIE)?;
        if self.call.now.distance(token.issued_at) > self.by.config.lifetime.min(form_token::LIFETIME) {
            return Err(&FORM_TOO_OLD);
        }
        if !constant_time_eq(&token.browser, &sha256(&**cookie)) {
            return Err(&FORM_OF_ANOTHER_BROWSER);
        }
        if token.session == self.person.found.key { Ok(()) } else { Err(&FORM_OF_ANOTHER_SESSION) }
    }

    /// The page, with a form of its own. What it is about may have ended meanwhile: then it is the first one.
    async fn page(&self, page: AccountPage, shown: Shown) -> Result<Decided, Fault> {
        let what = match &page {
            AccountPage::Overview => None,
            AccountPage::Password if self.can_change_password() => {
                let problem = shown.problem.map(super::view::PasswordProblem::NotLookedAt);
                return self.password_page(problem, false).await;
            }
            AccountPage::Password => None,
            AccountPage::Session(choice) => self.other_session(choice).await?.map(Ending::Session),
            AccountPage::Sessions => self.other_sessions().await?,
            AccountPage::Application(client) => {
                self.application(client).await?.map(|view| Ending::Application(Box::new(view)))
            }
        };
        let Some(what) = what else {
            let is_gone = page.ends_something() && shown.problem.is_none();
            let news = shown.news.or(is_gone.then_some(AccountNews::Gone));
            return self.overview(Shown { news, ..shown }).await;
        };
        let account = named(self.env, self.person).await?;
        let entrance = Some(Entrance::Account(page.reference()));
        let (fields, browser) = self.form(page)?;
        let view = ConfirmEndView { account, what, problem: shown.problem, address: self.address(), fields };
        Ok(Decided { browser, entrance, ..Outcome::Page(Box::new(View::ConfirmEnd(view))).into() })
    }

    /// What the person has.
    async fn overview(&self, Shown { news, problem, from }: Shown) -> Result<Decided, Fault> {
        let lists = self.lists(from.as_deref());
        let (sessions, behind) = self.sessions(lists.sessions).await?;
        let (applications, (consents, grants)) = self.applications((lists.consents, lists.grants)).await?;
        let ends = Position::End;
        let further = |is_all: bool, lists: Lists| (!is_all).then(|| self.address_of(&lists)).transpose();
        let view = OwnAccountView {
            account: named(self.env, self.person).await?,
            sessions,
            more_sessions: further(behind == ends, Lists { sessions: behind, ..Lists::default() })?,
            applications,
            more_applications: further(
                consents == ends && grants == ends,
                Lists { consents, grants, ..Lists::default() },
            )?,
            is_further: lists != Lists::default(),
            can_change_password: self.can_change_password(),
            news,
            problem,
            address: self.address(),
            logout: self.by.account.logout.as_deref().map(str::to_owned),
        };
        let entrance = Some(Entrance::Account(AccountPage::Overview.reference()));
        Ok(Decided { entrance, ..Outcome::Page(Box::new(View::OwnAccount(view))).into() })
    }

    /// The fields of a page's form, and a browser cookie if there is none yet.
    fn form(&self, page: AccountPage) -> Result<(HiddenFields, FreshBrowser), Fault> {
        let (browser, fresh) = browser_of(self.call, self.env);
        let token = AccountToken { browser, session: self.person.found.key, page, issued_at: self.call.now };
        Ok((vec![("token", form_token::seal(self.env, self.by.keys(), FORM, &token)?)], fresh))
    }

    /// Back to the first page, which says what was done.
    fn tells(&self, news: AccountNews) -> Result<Decided, Fault> {
        let news = SealedNews { news, session: self.person.found.key, at: self.call.now };
        let sealed = form_token::seal(self.env, self.by.keys(), NEWS_OF, &news)?;
        Ok(Outcome::Account(format!("?{}", params::encode([("news", &*sealed)].into_iter()))).into())
    }

    fn address(&self) -> String {
        self.by.account.address.as_deref().unwrap_or_default().to_owned()
    }
}

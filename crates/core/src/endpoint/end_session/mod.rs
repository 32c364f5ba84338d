//! OpenID Connect RP-Initiated Logout 1.0 sections 2 to 4: the logout endpoint; OpenID Connect Front-Channel
//! Logout 1.0 section 2: its page of frames.
//! Config     `[endpoints] end_session`, `[routes] end_session`, `[routes] logout_confirmation`
//! Discovery  end_session_endpoint frontchannel_logout_supported frontchannel_logout_session_supported
//! Client     post_logout_redirect_uris frontchannel_logout_uri

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::{ClaimsWriter, constant_time_eq, sha256};
use chancery_types::{AccountId, Key, Params, RedirectUri, Timestamp, params};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::context::{Call, Env};
use crate::error::{Fault, Reason};
use crate::event::Endpoint;
use crate::interaction::form_token::{
    self, FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_REQUEST, FORM_TOO_OLD, FORM_WITHOUT_COOKIE,
};
use crate::interaction::known::{by_label, known, named};
use crate::interaction::page::person_view;
use crate::interaction::view::{
    AccountView, ClientView, LogoutConfirmView, LogoutDoneView, LogoutFramesView, View,
};
use crate::interaction::{Entrance, Next, Outcome, PostLogoutTarget};
use crate::keys::KeySet;
use crate::model::{Carrier, Client, Hint};
use crate::offered::{Component, RedirectLeniency};
use crate::request::PageError;
use crate::session::{self, EndedSession, Sessions, SignedIn};

mod request;
use request::LogoutRequest;
pub(crate) use request::REASONS;
pub use request::{
    LOGOUT_CLIENT_DISABLED, LOGOUT_CLIENT_MISSING, LOGOUT_CLIENT_UNKNOWN, LOGOUT_HINT_CLIENT_DISABLED,
    LOGOUT_HINT_INVALID, LOGOUT_STATE_TOO_LONG, POST_LOGOUT_URI_UNREGISTERED,
};

/// The kind of form that a logout page has.
const FORM: &str = "logout";

/// The logout endpoint, and the form of its page.
pub struct EndSessionEndpoint {
    /// For `id_token_hint` and the forms of pages.
    pub keys: Arc<KeySet>,
    /// Who is signed in.
    pub sessions: Sessions,
    /// How long the page can be left open.
    pub lifetime: Duration,
    /// Whether there is a page that clients can send a person to.
    pub is_on: bool,
    /// How the rules for every client's redirect URIs are loosened.
    pub redirects: RedirectLeniency,
}

/// What binds the form of the logout page to its request, its browser and the session that it is about.
#[derive(Serialize, Deserialize)]
struct LogoutToken {
    /// Digest of the request's parameters.
    #[serde(with = "form_token::digest")]
    request: [u8; 32],
    /// Digest of the browser cookie.
    #[serde(with = "form_token::digest")]
    browser: [u8; 32],
    /// The session that the page offers to end, and whose it is; none where nobody is left.
    person: Option<(Key, AccountId)>,
    /// Who is signed out already, on the page that says so.
    gone: Vec<AccountId>,
    /// When the page was made.
    issued_at: Timestamp,
}

impl Component for EndSessionEndpoint {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata
            .boolean("frontchannel_logout_supported", self.is_on)
            .boolean("frontchannel_logout_session_supported", self.is_on);
    }
}

/// The hidden fields of a form, and the browser cookie that was made for it.
type Carried = (Vec<(&'static str, String)>, Option<Zeroizing<[u8; 16]>>);

/// How a logout page is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    First,
    /// Once more, because the form was not looked at.
    Again,
}

impl EndSessionEndpoint {
    /// Answers a logout request. The person is asked unless the hint proves that the client means somebody who
    /// is signed in here (section 2).
    ///
    /// # Errors
    /// A page for the person.
    pub(crate) async fn request(
        &self,
        call: &Call,
        env: &Env,
        params: Params<'_>,
    ) -> Result<Next, PageError> {
        let request = LogoutRequest::read(env, &self.keys, self.redirects, params).await?;
        let Some((person, is_meant)) = self.person(call, env, &request).await? else {
            return nobody(call, env, &request);
        };
        if let Some(error) = request.error() {
            error.record(call, env, Endpoint::EndSession);
        }
        if is_meant && request.problem.is_none() {
            return Ok(self.sign_out((call, env), &request, vec![person], Vec::new()).await?);
        }
        Ok(self.ask(call, env, &request, &person, Shown::First).await?)
    }

    /// Answers the form of the logout page, or of the one that says who is signed out.
    ///
    /// # Errors
    /// A page for the person.
    pub(crate) async fn confirm(&self, call: &Call, env: &Env, form: &Params<'_>) -> Result<Next, PageError> {
        let carried = Carrier::read(form.one("request")?.unwrap_or(""))?;
        let request = LogoutRequest::read(env, &self.keys, self.redirects, carried).await?;
        let token = match self.token(call, env, form, &request) {
            Ok(token) => token,
            Err(why) => {
                env.record_failure(call, Endpoint::LogoutConfirmation, None, &why.into());
                return match self.person(call, env, &request).await? {
                    Some((person, _)) => Ok(self.ask(call, env, &request, &person, Shown::Again).await?),
                    None => nobody(call, env, &request),
                };
            }
        };
        let person = match &token.person {
            Some((session, _)) => self.sessions.of_key(call, env, *session).await?,
            None => None,
        };
        let Some(person) = person else {
            // It has ended meanwhile, perhaps by the same form. What has ended once does not end again, so that the same
            // form shows the same page.
            let ended = token.person.map(|(_, account)| account);
            let gone = token.gone.into_iter().chain(ended).collect();
            return Ok(self.afterwards((call, env), &request, gone, &[]).await?);
        };
        let people = match form.one("action")? {
            Some("logout") => vec![person],
            Some("logout_all") => self.sessions.everybody(call, env).await?,
            Some("stay") => return Ok(stayed(env, &request, form)),
            // The page that says it, in another language.
            _ if !token.gone.is_empty() => {
                return Ok(self.afterwards((call, env), &request, token.gone, &[]).await?);
            }
            _ => return Ok(self.ask(call, env, &request, &person, Shown::First).await?),
        };
        Ok(self.sign_out((call, env), &request, people, token.gone).await?)
    }

    /// Who would be signed out, and whether the hint means this person: by the session that it names, or where
    /// it names none, by the subject. Otherwise whom `logout_hint` means, or the first who is signed in.
    async fn person(
        &self,
        call: &Call,
        env: &Env,
        request: &LogoutRequest,
    ) -> Result<Option<(SignedIn, bool)>, Fault> {
        if let (Some(client), Some(login)) = (&request.client, &request.login) {
            match &login.sid {
                Some(sid) => {
                    let keys = call.sessions.iter().map(|handle| handle.key(&env.realm));
                    let named = keys.into_iter().find(|key| session::sid(key, client.id()) == *sid);
                    if let Some(key) = named
                        && let Some(person) = self.sessions.of_key(call, env, key).await?
                    {
                        return Ok(Some((person, true)));
                    }
                }
                None => {
                    let meant = [login.subject.clone()];
                    let person = self.sessions.person(call, env, (client, &meant)).await?;
                    let is_meant = |who: &SignedIn| self.sessions.is_one_of(client, who, &meant);
                    if let Some(person) = person.filter(is_meant) {
                        return Ok(Some((person, true)));
                    }
                }
            }
        }
        if let Some(hint) = request.logout_hint.clone().filter(|_| call.sessions.len() > 1) {
            let everybody = self.sessions.everybody(call, env).await?;
            let subject = [hint.clone()];
            let account = env.accounts.hint(&env.realm, Hint::Login(hint)).await?;
            let is_meant = |person: &SignedIn| {
                let by_subject = |client| self.sessions.is_one_of(client, person, &subject);
                account.as_ref() == Some(&person.account.id)
                    || request.client.as_deref().is_some_and(by_subject)
            };
            if let Some(person) = everybody.into_iter().find(is_meant) {
                return Ok(Some((person, false)));
            }
        }
        for handle in &call.sessions {
            if let Some(person) = self.sessions.of_key(call, env, handle.key(&env.realm)).await? {
                return Ok(Some((person, false)));
            }
        }
        Ok(None)
    }

    /// The page that asks.
    async fn ask(
        &self,
        call: &Call,
        env: &Env,
        request: &LogoutRequest,
        person: &SignedIn,
        shown: Shown,
    ) -> Result<Next, Fault> {
        let offered = Some((person.found.key, person.account.id.clone()));
        let (fields, fresh) = self.fields((call, env), request, offered, Vec::new())?;
        let others =
            if call.sessions.len() > 1 { self.sessions.everybody(call, env).await? } else { Vec::new() };
        let account = shown_as(env, person).await;
        let mut also = Vec::with_capacity(others.len());
        for other in others.iter().filter(|who| who.found.key != person.found.key) {
            also.push(shown_as(env, other).await);
        }
        let view = LogoutConfirmView {
            client: request.client.as_deref().map(|client| ClientView::of(client, &env.issuer)),
            account,
            others: also,
            problem: request.problem,
            unregistered: None,
            is_stale: shown == Shown::Again,
            fields,
        };
        let page = Outcome::Page(Box::new(View::LogoutConfirm(view)));
        let (entrance, unregistered) = (Some(entrance(request)), request.unregistered.clone());
        Ok(Next { browser: fresh, entrance, unregistered, ..page.into() })
    }

    /// What the form of a page carries, and the new browser cookie that it is bound to, if there was none.
    fn fields(
        &self,
        (call, env): (&Call, &Env),
        request: &LogoutRequest,
        person: Option<(Key, AccountId)>,
        gone: Vec<AccountId>,
    ) -> Result<Carried, Fault> {
        let fresh = call.browser.is_none().then(|| env.secret::<16>());
        let browser =
            call.browser.as_ref().or(fresh.as_ref()).ok_or_else(|| Fault::internal("no browser"))?;
        let token = LogoutToken {
            request: request.carrier.digest(),
            browser: sha256(&**browser),
            person,
            gone,
            issued_at: call.now,
        };
        let mut fields = vec![
            ("request", request.carrier.clone().into_text()),
            ("token", form_token::seal(env, &self.keys, FORM, &token)?),
        ];
        fields.extend(request.ui_locales.as_deref().map(|locales| ("ui_locales", locales.to_owned())));
        Ok((fields, fresh))
    }

    /// Ends these sessions and goes on; others are gone already.
    async fn sign_out(
        &self,
        (call, env): (&Call, &Env),
        request: &LogoutRequest,
        people: Vec<SignedIn>,
        mut gone: Vec<AccountId>,
    ) -> Result<Next, Fault> {
        let keys: Vec<Key> = people.iter().map(|person| person.found.key).collect();
        let mut ended: Vec<EndedSession> = Vec::new();
        let by = request.client.as_deref().map(Client::id);
        for person in people {
            gone.push(person.account.id);
            ended.extend(session::end(call, env, person.found, by).await?);
        }
        let mut next = self.afterwards((call, env), request, gone, &ended).await?;
        // When the active session has ended and others are there, it stays the first of the cookie: nobody takes
        // its place unasked.
        let is_ended = |key: Key| keys.contains(&key);
        let left: Vec<_> =
            call.sessions.iter().filter(|handle| !is_ended(handle.key(&env.realm))).cloned().collect();
        let is_active = call.sessions.first().is_some_and(|first| is_ended(first.key(&env.realm)));
        if next.sessions.is_none() && (left.is_empty() || !is_active) {
            next.sessions = Some(left);
        }
        Ok(next)
    }

    /// Where a person goes when these people are gone: where the client wants, or to a page that says who is gone and
    /// who is not. On the way, the browser tells those clients of the sessions that have just ended that want it so.
    async fn afterwards(
        &self,
        (call, env): (&Call, &Env),
        request: &LogoutRequest,
        gone: Vec<AccountId>,
        ended: &[EndedSession],
    ) -> Result<Next, Fault> {
        let (next, frames) = (target(request), frames(env, ended));
        if let Some(target) = next.clone().filter(|_| frames.is_empty()) {
            return Ok(Outcome::Leave(target).into());
        }
        let is_somebody_left = call.sessions.len() > ended.len();
        let left = if is_somebody_left { self.sessions.everybody(call, env).await? } else { Vec::new() };
        let mut view = LogoutDoneView { was_signed_in: true, ..done(env, request) };
        for (at, account) in gone.iter().enumerate() {
            // Somebody may have signed in again since.
            if !gone.iter().take(at).any(|before| before == account)
                && !left.iter().any(|who| who.account.id == *account)
            {
                view.signed_out.extend(known_as(env, account).await);
            }
        }
        for who in &left {
            view.others.push(shown_as(env, who).await);
        }
        let offered = left.first().map(|who| (who.found.key, who.account.id.clone()));
        let (again, browser) = self.fields((call, env), request, offered, gone)?;
        view.again = again;
        // Where somebody is left, the endpoint asks once more.
        let entrance = (left.is_empty() && next.is_none()).then(|| entrance(request));
        let view = match frames.is_empty() {
            true => View::LogoutDone(view),
            false => View::LogoutFrames(LogoutFramesView { frames, next, done: view }),
        };
        let sessions = (left.is_empty() && !call.sessions.is_empty()).then(Vec::new);
        Ok(Next { browser, entrance, sessions, ..Outcome::Page(Box::new(view)).into() })
    }

    /// The token of a form that came back, if its page was made for this browser and this request.
    fn token(
        &self,
        call: &Call,
        env: &Env,
        form: &Params<'_>,
        request: &LogoutRequest,
    ) -> Result<LogoutToken, &'static Reason> {
        let cookie = call.browser.as_ref().ok_or(&FORM_WITHOUT_COOKIE)?;
        let text = form.one("token").ok().flatten().ok_or(&FORM_FOREIGN)?;
        let token: LogoutToken = form_token::open(env, &self.keys, FORM, text).ok_or(&FORM_FOREIGN)?;
        if call.now.distance(token.issued_at) > self.lifetime.min(form_token::LIFETIME) {
            return Err(&FORM_TOO_OLD);
        }
        if !constant_time_eq(&token.browser, &sha256(&**cookie)) {
            return Err(&FORM_OF_ANOTHER_BROWSER);
        }
        if token.request == request.carrier.digest() { Ok(token) } else { Err(&FORM_OF_ANOTHER_REQUEST) }
    }
}

/// Where the person comes back to this request. What proves something in it is not for an address.
fn entrance(request: &LogoutRequest) -> Entrance {
    Entrance::Logout(request.client.as_deref().map(|client| client.id().to_string()))
}

/// Nobody is signed in: there is nothing to do, which is no error (section 4).
fn nobody(call: &Call, env: &Env, request: &LogoutRequest) -> Result<Next, PageError> {
    if let Some(error) = request.error() {
        return Err(error);
    }
    let sessions = (!call.sessions.is_empty()).then(Vec::new);
    // Whoever comes from an application has signed out there, and hears that they are signed out here, too.
    let was_signed_in = request.client.is_some();
    let view = LogoutDoneView { was_signed_in, ..done(env, request) };
    Ok(Next { sessions, entrance: Some(entrance(request)), ..leads(request, view) })
}

/// What the browser loads for those clients that want to be told through it.
fn frames(env: &Env, ended: &[EndedSession]) -> Vec<RedirectUri> {
    let mut frames = Vec::new();
    for session in ended {
        for client in &session.clients {
            let Some(uri) = client.metadata().logout.frontchannel_logout_uri.as_deref() else { continue };
            let sid = session::sid(&session.key, client.id());
            let query = params::encode([("iss", env.issuer.as_str()), ("sid", &*sid)].into_iter());
            let separator = if uri.contains('?') { '&' } else { '?' };
            frames.extend(RedirectUri::parse(&format!("{uri}{separator}{query}")));
        }
    }
    frames
}

/// Where the client wants the person to go, if its request counts.
fn target(request: &LogoutRequest) -> Option<PostLogoutTarget> {
    request.target.clone().filter(|_| request.problem.is_none())
}

/// The person does not want to be signed out.
fn stayed(env: &Env, request: &LogoutRequest, form: &Params<'_>) -> Next {
    let field = |name| Some((name, form.one(name).ok()??.to_owned()));
    let again = ["request", "token", "ui_locales", "action"].into_iter().filter_map(field).collect();
    let view = LogoutDoneView { was_signed_in: true, is_still_signed_in: true, again, ..done(env, request) };
    leads(request, view)
}

/// Where a person goes whom nobody has signed out.
fn leads(request: &LogoutRequest, view: LogoutDoneView) -> Next {
    match target(request) {
        Some(target) => Outcome::Leave(target).into(),
        None => Outcome::Page(Box::new(View::LogoutDone(view))).into(),
    }
}

/// A page that says nothing yet of anybody.
fn done(env: &Env, request: &LogoutRequest) -> LogoutDoneView {
    let client = request.client.as_deref().map(|client| ClientView::of(client, &env.issuer));
    LogoutDoneView { client, ..LogoutDoneView::default() }
}

/// How a person is called. What is not known of somebody keeps nobody from signing out.
async fn shown_as(env: &Env, who: &SignedIn) -> AccountView {
    named(env, who).await.unwrap_or_else(|_| person_view(who))
}

/// The same for an account whose session has ended; none where there is no such account any more.
async fn known_as(env: &Env, id: &AccountId) -> Option<AccountView> {
    let account = env.account(id).await.ok()??;
    Some(known(env, &account).await.unwrap_or_else(|_| by_label(&account)))
}

//! A form that comes back becomes the step of its page, if the page was made for this browser, this request
//! and this session. What was typed into any other is not looked at: the page that is needed comes again.

use std::ops::ControlFlow;
use std::sync::Arc;

use chancery_types::Params;

use super::commit::{answer, ask, ask_again, lead_on, proceed};
use super::form_token::{
    FORM_ANSWERED, FORM_INCOMPLETE, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_SESSION, FORM_OF_NOTHING,
    FORM_OUTDATED, FORM_WITHOUT_COOKIE, FormToken, form_refused,
};
use super::page::{STORED_AT, lost};
use super::pending::Pending;
use super::prompt::{self, Needed};
use super::step::Step;
use super::view::LoginProblem;
use super::visit::{self, Visit};
use super::{Decided, Interactions, LANGUAGE, approval, carried, stored};
use crate::context::{Call, Env};
use crate::error::{Fault, Reason};
use crate::model::{Carrier, PromptName};
use crate::request::{PageError, Received};

/// The step of any page, also of one that posts to an address of the application: its fields say where the
/// request is.
///
/// # Errors
/// A page, when the form is not one of ours or something broke.
pub(crate) async fn any<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    form: &'a Params<'_>,
) -> Result<ControlFlow<Decided, Step<'a>>, PageError> {
    match form.one(STORED_AT)? {
        Some(handle) => stored(by, call, env, handle, form).await,
        None => first(by, call, env, form).await,
    }
}

/// The step of a first page, whose form carries the request.
///
/// # Errors
/// A page, when the form is not one of ours or something broke.
pub(crate) async fn first<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    form: &'a Params<'_>,
) -> Result<ControlFlow<Decided, Step<'a>>, PageError> {
    let carrier = form.one("request")?.ok_or(&FORM_INCOMPLETE)?;
    let again = if let Some(visit) = Visit::read(env, by.keys(), carrier) {
        ControlFlow::Continue(visit::pending(by, call, env, visit, None).with_person().await?)
    } else if let Some(reference) = approval::read(env, by.keys(), carrier) {
        match approval::again(by, call, env, &reference).await? {
            ControlFlow::Continue(pending) => ControlFlow::Continue(pending.with_person().await?),
            ControlFlow::Break(next) => ControlFlow::Break(next),
        }
    } else {
        let carried = carried::read(env, by.keys(), carrier)?;
        let plain = Carrier::of(&carried.params);
        let source = FormToken::source(env, by.keys(), call.now, by.config.lifetime, form, &plain);
        stored::again(by, call, env, Received::again(carried, source)).await?
    };
    let mut pending = match again {
        ControlFlow::Continue(pending) => pending,
        ControlFlow::Break(next) => return Ok(ControlFlow::Break(next)),
    };
    let token = FormToken::of_form(
        (call, env),
        by.keys(),
        by.config.lifetime,
        form,
        (&pending.subject(), pending.purpose.source()),
    );
    // The token of another request or browser tells nothing of when this one came, and of what was done for
    // it.
    if let Ok(token) = &token {
        pending.interaction = Some(token.interaction);
        pending.first_seen = token.first_seen;
        pending.done = token.done.clone();
    }
    Ok(step(pending, token, form).await?)
}

/// The step of a stored interaction's page.
///
/// # Errors
/// A page, when something broke.
pub(crate) async fn stored<'a>(
    by: &Arc<Interactions>,
    call: &'a Call,
    env: &'a Env,
    handle: &str,
    form: &Params<'_>,
) -> Result<ControlFlow<Decided, Step<'a>>, PageError> {
    let found = stored::find(call, env, handle).await?;
    let Some(found) = found.as_ref().filter(|found| stored::is_of_browser(call, handle, found)) else {
        let why = match (&call.browser, found) {
            (None, _) => &FORM_WITHOUT_COOKIE,
            (Some(_), Some(_)) => &FORM_OF_ANOTHER_BROWSER,
            (Some(_), None) => &FORM_OF_NOTHING,
        };
        form_refused(call, env, why, None);
        return Ok(ControlFlow::Break(stored::lost_form(by, (call, env), form).await?));
    };
    match stored::reopen(by, call, env, handle, found).await? {
        ControlFlow::Continue(pending) => {
            let token = FormToken::of_form(
                (call, env),
                by.keys(),
                by.config.lifetime,
                form,
                (&pending.subject(), pending.purpose.source()),
            );
            Ok(step(pending, token, form).await?)
        }
        ControlFlow::Break(next) => {
            form_refused(call, env, &FORM_OF_NOTHING, None);
            Ok(ControlFlow::Break(next))
        }
    }
}

/// The step of a page whose form came back.
async fn step<'a>(
    pending: Pending<'a>,
    token: Result<FormToken, &'static Reason>,
    form: &Params<'_>,
) -> Result<ControlFlow<Decided, Step<'a>>, Fault> {
    let token = match token {
        Ok(token) => token,
        Err(why) => return Ok(ControlFlow::Break(Box::pin(once_more(pending, why, form)).await?)),
    };
    if pending.is_answered_elsewhere() {
        form_refused(pending.call, pending.env, &FORM_ANSWERED, Some(pending.client.id()));
        return Ok(ControlFlow::Break(lost(&pending, true)?));
    }
    if let Some(next) = pending.decided()? {
        // Whoever wants to read it in another language has not answered again.
        if !form.has(LANGUAGE) {
            form_refused(pending.call, pending.env, &FORM_ANSWERED, Some(pending.client.id()));
        }
        return Ok(ControlFlow::Break(next));
    }
    let is_refused = matches!(form.one("action"), Ok(Some("cancel" | "deny")));
    // Whoever cancels before anybody has signed in has answered for nobody.
    let pending = match (is_refused, &pending.person) {
        (true, None) => pending,
        _ => match Box::pin(lead_on(pending)).await? {
            ControlFlow::Continue(pending) => pending,
            ControlFlow::Break(next) => return Ok(ControlFlow::Break(next)),
        },
    };
    if let Err(why) = fits(&pending, &token) {
        return Ok(ControlFlow::Break(Box::pin(once_more(pending, why, form)).await?));
    }
    // Another page may be due by now, as when the login has grown too old while the person was reading.
    let is_due = match &token.prompt {
        PromptName::ConfirmDevice => matches!(pending.needed(), Some(Needed::ConfirmDevice(_))),
        PromptName::Approve => matches!(pending.needed(), Some(Needed::Approve(_))),
        PromptName::Consent => matches!(pending.needed(), None | Some(Needed::Consent(_))),
        PromptName::Custom(name) => matches!(pending.needed(), Some(Needed::Custom(due, _)) if due == *name),
        PromptName::Login | PromptName::SelectAccount | PromptName::Create => true,
    };
    if !is_due && !is_refused {
        return Ok(ControlFlow::Break(Box::pin(proceed(&pending)).await?));
    }
    let sealed = form.one("token").ok().flatten().unwrap_or("");
    Ok(ControlFlow::Continue(Step::of(token.prompt, pending, sealed)?))
}

/// What of the token has to fit the person, too.
fn fits(pending: &Pending<'_>, token: &FormToken) -> Result<(), &'static Reason> {
    // Signing in is open to whoever knows the password, or makes a new one; what is allowed or chosen belongs to one session.
    let is_of_anybody = matches!(token.prompt, PromptName::Login | PromptName::Create);
    if !is_of_anybody && token.session != pending.session() {
        return Err(&FORM_OF_ANOTHER_SESSION);
    }
    // What is allowed is what was shown, also when client, consent or configuration have changed since.
    if token.shown != pending.shown(&token.prompt) {
        return Err(&FORM_OUTDATED);
    }
    Ok(())
}

/// A form that is not looked at: the page that is needed comes again.
async fn once_more(pending: Pending<'_>, why: &'static Reason, form: &Params<'_>) -> Result<Decided, Fault> {
    form_refused(pending.call, pending.env, why, Some(pending.client.id()));
    let problem = if *why == FORM_WITHOUT_COOKIE { LoginProblem::NoCookies } else { LoginProblem::Stale };
    match (pending.needed(), wanted(&pending, form)) {
        (Some(needed @ Needed::Impossible(_)), _) => ask(&pending, needed).await,
        (_, Some(PromptName::Create)) if pending.by.sign_up.offered => {
            ask_again(&pending, Needed::SignUp(&prompt::SIGN_UP_REQUESTED), problem).await
        }
        // Whoever signs in wants to be that person, not the one who is signed in by now.
        (_, Some(PromptName::Login | PromptName::Create)) => {
            ask_again(&pending, Needed::Login(&prompt::NO_SESSION), problem).await
        }
        (None, _) => answer(&pending).await,
        (Some(needed), _) => ask_again(&pending, needed, problem).await,
    }
}

/// The page that a person was on or has gone to by its button, as far as the form shows it. An application's own
/// pages may have other fields than ours; what tells is the token, and only without one that is ours the name.
fn wanted(pending: &Pending<'_>, form: &Params<'_>) -> Option<PromptName> {
    let page = FormToken::page_of(pending.env, pending.by.keys(), form);
    let page = page.or_else(|| form.has("username").then_some(PromptName::Login));
    match (page, form.one("action")) {
        (Some(PromptName::Login), Ok(Some("create"))) => Some(PromptName::Create),
        (Some(PromptName::Create), Ok(Some("login"))) => Some(PromptName::Login),
        (page, _) => page,
    }
}

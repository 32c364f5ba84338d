//! The pages on which a person sees and ends what they have here.

use std::time::Duration;

use chancery_core::interaction::view::{
    ApplicationView, ChangePasswordView, ConfirmEndView, Ending, LoginProblem, OwnAccountView,
    OwnSessionView, PasswordProblem, Wait,
};
use chancery_core::ports::PasswordRefusal;
use chancery_http::FormMarkup;
use chancery_types::params;
use minijinja::value::{Kwargs, Value};
use minijinja::{Error, context};

use super::{account, client, details, form, not_looked_at, resources, wait, wishes};
use crate::messages::Messages;

pub(super) fn overview(view: &OwnAccountView, messages: &Messages) -> Result<Value, Error> {
    let sessions = view.sessions.iter().map(|one| session(one, &view.address, messages));
    let applications = view.applications.iter().map(|one| application(one, &view.address, messages));
    Ok(context! {
        page => "account",
        account => account(&view.account),
        address => view.address.as_str(),
        logout => view.logout.as_deref(),
        news => view.news.map(|news| news_of(news.as_str(), messages)),
        problem => view.problem.map(not_looked_at),
        sessions => sessions.collect::<Result<Vec<_>, _>>()?,
        more_sessions => view.more_sessions.as_deref(),
        more_applications => view.more_applications.as_deref(),
        is_further => view.is_further,
        applications => applications.collect::<Result<Vec<_>, _>>()?,
        can_change_password => view.can_change_password,
    })
}

pub(super) fn confirm(
    view: &ConfirmEndView,
    markup: &FormMarkup,
    messages: &Messages,
) -> Result<Value, Error> {
    let (kind, one, count) = match &view.what {
        Ending::Session(one) => ("session", Some(session(one, &view.address, messages)?), 1),
        Ending::OtherSessions { count, .. } => ("sessions", None, *count),
        Ending::Application(one) => ("application", Some(application(one, &view.address, messages)?), 1),
    };
    let are_more = matches!(view.what, Ending::OtherSessions { are_more: true, .. });
    Ok(context! {
        page => "confirm-end",
        account => account(&view.account),
        form => form(markup),
        address => view.address.as_str(),
        problem => view.problem.map(not_looked_at),
        kind,
        one,
        count,
        are_more,
    })
}

pub(super) fn change_password(
    view: &ChangePasswordView,
    markup: &FormMarkup,
    messages: &Messages,
) -> Result<Value, Error> {
    let waits = match view.problem {
        Some(PasswordProblem::NotLookedAt(LoginProblem::Throttled(time))) => {
            Some(wait(Wait::told(time), messages)?)
        }
        _ => None,
    };
    let shortest = match view.problem {
        Some(PasswordProblem::Refused(PasswordRefusal::TooShort(shortest))) => shortest,
        _ => 0,
    };
    let problem = view.problem.map(|problem| match problem.as_str() {
        name if messages.has(&format!("password.problem.{name}")) => name,
        // What has no words of its own yet is a password that cannot be used.
        _ => "password_unacceptable",
    });
    let is_of_new = matches!(view.problem, Some(PasswordProblem::Refused(_) | PasswordProblem::Different));
    Ok(context! {
        page => "change-password",
        username => view.username.as_str(),
        account => account(&view.account),
        form => form(markup),
        address => view.address.as_str(),
        problem,
        wait => waits,
        shortest,
        is_of_new,
        shortest_password => view.shortest_password,
        keeps_others => view.keeps_others,
    })
}

fn session(one: &OwnSessionView, address: &str, messages: &Messages) -> Result<Value, Error> {
    let (browser, system) = (one.place.browser.as_deref(), one.place.system.as_deref());
    let named = |id: &str, values: &[(&str, &str)]| {
        messages
            .sentence(id, &Kwargs::from_iter(values.iter().map(|(name, value)| (*name, Value::from(*value)))))
    };
    let name = match (browser, system) {
        (Some(browser), Some(system)) => {
            named("account.session", &[("browser", browser), ("system", system)])?
        }
        (Some(browser), None) => Value::from(browser),
        (None, Some(system)) => Value::from(system),
        (None, None) => named("account.session.unknown", &[])?,
    };
    let end = format!("{address}/session?{}", params::encode([("session", &*one.choice)].into_iter()));
    Ok(context! {
        name,
        is_this => one.is_this,
        is_phone => matches!(system, Some("iPhone" | "Android")),
        network => one.place.network.as_deref(),
        is_this_machine => one.place.is_this_machine(),
        signed_in => ago(one.signed_in_before, messages)?,
        signed_in_at => one.signed_in_at.rfc3339(),
        used => ago(one.used_before, messages)?,
        applications => one.applications.iter().map(client).collect::<Vec<_>>(),
        more_applications => one.more_applications,
        address => Some(end).filter(|_| !one.is_this),
    })
}

fn application(one: &ApplicationView, address: &str, messages: &Messages) -> Result<Value, Error> {
    let id = params::encode([("client_id", &*one.client_id)].into_iter());
    Ok(context! {
        client => client(&one.client),
        wishes => wishes(&one.scopes, &one.claims, (&[], &[]), messages)?,
        resources => resources(&one.resources, messages)?,
        details => details(&one.details, messages)?,
        let_in => ago(one.let_in_before, messages)?,
        used => one.used_before.map(|used| ago(used, messages)).transpose()?,
        address => format!("{address}/application?{id}"),
    })
}

/// A time as people tell it, in the largest unit of which there are two.
fn ago(time: Duration, messages: &Messages) -> Result<Value, Error> {
    let seconds = time.as_secs();
    let (id, count) = match seconds {
        0..120 => ("ago.moment", 0),
        120..7_200 => ("ago.minutes", seconds / 60),
        7_200..172_800 => ("ago.hours", seconds / 3_600),
        _ => ("ago.days", seconds / 86_400),
    };
    let count = (count > 0).then_some(("count", Value::from(count)));
    messages.sentence(id, &Kwargs::from_iter(count))
}

fn news_of<'n>(name: &'n str, messages: &Messages) -> &'n str {
    if messages.has(&format!("account.news.{name}")) { name } else { "gone" }
}

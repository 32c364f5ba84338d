//! The pages on which a person decides about a device (RFC 8628 section 3.3).

use chancery_core::interaction::UserCodeProblem;
use chancery_core::interaction::view::{ConfirmDeviceView, DeviceDoneView, UserCodeView, Wait};
use chancery_http::FormMarkup;
use minijinja::value::Value;
use minijinja::{Error, context};

use super::{client, form, not_looked_at, wait};
use crate::messages::Messages;

pub(super) fn user_code(
    view: &UserCodeView,
    markup: &FormMarkup,
    messages: &Messages,
) -> Result<Value, Error> {
    let time = match view.problem {
        Some(UserCodeProblem::Throttled(time)) => Some(wait(Wait::told(time), messages)?),
        _ => None,
    };
    let is_invalid = matches!(view.problem, Some(UserCodeProblem::Malformed | UserCodeProblem::Unknown));
    Ok(context! {
        page => "user-code",
        form => form(markup),
        user_code => view.user_code.as_deref().unwrap_or(""),
        problem => view.problem.map(name_of),
        wait => time,
        is_invalid,
        is_numeric => view.is_numeric,
    })
}

fn name_of(problem: UserCodeProblem) -> &'static str {
    match problem {
        UserCodeProblem::Malformed => "malformed",
        UserCodeProblem::Unknown => "unknown",
        UserCodeProblem::Ended => "ended",
        UserCodeProblem::Used => "used",
        UserCodeProblem::Throttled(_) => "throttled",
        UserCodeProblem::NoCookies => "no_cookies",
        // What has no words of its own yet is a form that was not looked at.
        _ => "stale",
    }
}

pub(super) fn confirm(
    view: &ConfirmDeviceView,
    markup: &FormMarkup,
    messages: &Messages,
) -> Result<Value, Error> {
    Ok(context! {
        page => "confirm-device",
        problem => view.form.not_looked_at.map(not_looked_at),
        client => client(&view.client),
        form => form(markup),
        user_code => view.user_code.as_str(),
        ago => wait(Wait::told(view.asked_before), messages)?,
        address => view.address.as_deref(),
        is_from_here => view.is_from_here,
        device => view.device.as_deref(),
    })
}

pub(super) fn done(view: &DeviceDoneView) -> Value {
    context! { page => "device-done", client => client(&view.client), is_approved => view.is_approved }
}

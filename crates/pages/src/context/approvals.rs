//! The pages on which a person decides about what was asked for in the background (CIBA Core section 8).

use std::time::Duration;

use chancery_core::interaction::ApprovalProblem;
use chancery_core::interaction::view::{ApprovalDoneView, ApprovalsView, ApproveView, Wait, WaitingView};
use chancery_http::FormMarkup;
use minijinja::value::Value;
use minijinja::{Error, context};

use super::{account, client, details, form, not_looked_at, resources, wait, wishes};
use crate::messages::Messages;

pub(super) fn list(view: &ApprovalsView, list: &str, messages: &Messages) -> Result<Value, Error> {
    let waiting = view.waiting.iter().map(|waiting| one(waiting, list, messages));
    Ok(context! {
        page => "approvals",
        list,
        account => view.account.as_ref().map(account),
        waiting => waiting.collect::<Result<Vec<_>, _>>()?,
        problem => view.problem.map(name_of),
        here => view.reference.as_ref().map(|reference| format!("{list}/{reference}")),
    })
}

fn one(view: &WaitingView, list: &str, messages: &Messages) -> Result<Value, Error> {
    Ok(context! {
        client => client(&view.client),
        binding_message => view.binding_message.as_deref(),
        ago => told(view.asked_before, messages)?,
        left => told(view.ends_in, messages)?,
        address => format!("{list}/{}", view.reference),
    })
}

fn name_of(problem: ApprovalProblem) -> &'static str {
    match problem {
        ApprovalProblem::Unknown => "unknown",
        ApprovalProblem::Ended => "ended",
        ApprovalProblem::Decided => "decided",
        // What has no words of its own yet has decided nothing.
        _ => "undecided",
    }
}

pub(super) fn approve(view: &ApproveView, markup: &FormMarkup, messages: &Messages) -> Result<Value, Error> {
    Ok(context! {
        page => "approve",
        problem => view.form.not_looked_at.map(not_looked_at),
        client => client(&view.client),
        account => account(&view.account),
        form => form(markup),
        binding_message => view.binding_message.as_deref(),
        wishes => wishes(&view.scopes, &view.claims, (&view.shared, &view.unknown), messages)?,
        resources => resources(&view.resources, messages)?,
        details => details(&view.details, messages)?,
        ago => told(view.asked_before, messages)?,
        left => told(view.ends_in, messages)?,
        address => view.address.as_deref(),
    })
}

pub(super) fn done(view: &ApprovalDoneView, list: &str) -> Value {
    context! {
        page => "approval-done",
        client => client(&view.client),
        is_approved => view.is_approved,
        list,
    }
}

fn told(time: Duration, messages: &Messages) -> Result<Value, Error> {
    wait(Wait::told(time), messages)
}

//! The plain pages on which a person decides about what was asked for in the background (CIBA Core section 8).

use std::fmt::Write as _;

use chancery_core::interaction::ApprovalProblem;
use chancery_core::interaction::view::{ApprovalDoneView, ApprovalsView, ApproveView};

use super::{button, detail, documents, in_form, once_more, resource, wait};
use crate::pages::{FormMarkup, Html};

pub(super) fn title(view: &ApprovalsView) -> &'static str {
    match view.problem {
        None => "What waits for you",
        Some(ApprovalProblem::Unknown) => "Nothing waits for you here",
        Some(ApprovalProblem::Ended) => "Too late",
        Some(ApprovalProblem::Decided) => "Decided already",
        Some(_) => "Nothing was decided",
    }
}

pub(super) fn list(view: &ApprovalsView, list: &str) -> String {
    let list = Html::escape(list);
    if let Some(problem) = view.problem {
        let said = match problem {
            ApprovalProblem::Unknown => "The link is wrong, or the request is not for this account.",
            ApprovalProblem::Ended => "The time of this request is over. Nothing was allowed.",
            ApprovalProblem::Decided => "This request was answered before.",
            _ => "The request still waits for you.",
        };
        let again = view.reference.as_deref().map_or_else(String::new, |reference| {
            let here = format!("{list}/{}", Html::escape(reference));
            match problem {
                ApprovalProblem::Undecided => format!("<p><a href=\"{here}\">Look at it again</a></p>"),
                _ => format!("<p><a href=\"{here}?prompt=login\">Use another account</a></p>"),
            }
        });
        return format!("<p>{said}</p>{again}<p><a href=\"{list}\">What waits for you</a></p>");
    }
    let who = view.account.as_ref().map(|account| Html::escape(&account.label)).unwrap_or_default();
    let mut page = format!("<p>You are <strong>{who}</strong>.</p>");
    if view.waiting.is_empty() {
        page.push_str("<p>Nothing waits for you at this moment.</p>");
        return page;
    }
    page.push_str("<ul>");
    for waiting in &view.waiting {
        let [name, reference] = [&waiting.client.name, &waiting.reference].map(|text| Html::escape(text));
        let _ = write!(
            page,
            "<li><a href=\"{list}/{reference}\">{name}</a>{}<br>asked {} ago, ends in {}</li>",
            message(waiting.binding_message.as_deref()),
            wait(waiting.asked_before),
            wait(waiting.ends_in)
        );
    }
    page.push_str("</ul>");
    page
}

pub(super) fn approve(view: &ApproveView, form: &FormMarkup) -> String {
    let [name, who] = [&view.client.name, &view.account.label].map(|text| Html::escape(text));
    let wishes: String = view
        .scopes
        .iter()
        .chain(&view.claims)
        .map(|wish| format!("<li><code>{}</code></li>", Html::escape(wish)))
        .collect();
    let resources: String = view.resources.iter().map(resource).collect();
    let details: String = view.details.iter().map(|asked| detail(&asked.text("en"))).collect();
    let compare = match view.binding_message {
        Some(_) => {
            "Approve only if you have caused this yourself and the message is the one that you see there."
        }
        None => "Approve only if you have caused this yourself.",
    };
    let address =
        view.address.as_deref().map_or_else(|| "not known".to_owned(), |text| Html::escape(text).to_string());
    let fields = format!(
        "{}<p><strong>{name}</strong> asks <strong>{who}</strong>.</p>{}<ul>{wishes}</ul>{resources}{details}\
         <dl><dt>Asked</dt><dd>{} ago</dd><dt>From the address</dt><dd>{address}</dd>\
         <dt>Ends in</dt><dd>{}</dd></dl>\
         <p>{compare} If you do not know of it, refuse.</p>{}{}{}",
        once_more(&view.form),
        message(view.binding_message.as_deref()),
        wait(view.asked_before),
        wait(view.ends_in),
        button("action", "deny", "Refuse", ""),
        button("action", "allow", "Approve", ""),
        documents(&view.client)
    );
    in_form(form, &fields)
}

pub(super) fn done_title(view: &ApprovalDoneView) -> &'static str {
    if view.is_approved { "Approved" } else { "Refused" }
}

pub(super) fn done(view: &ApprovalDoneView, list: &str) -> String {
    let [name, list] = [&view.client.name, list].map(Html::escape);
    let said = match view.is_approved {
        true => format!("<strong>{name}</strong> gets what it has asked for."),
        false => format!("<strong>{name}</strong> gets nothing."),
    };
    format!("<p>{said} You can close this page.</p><p><a href=\"{list}\">What else waits for you</a></p>")
}

fn message(message: Option<&str>) -> String {
    message.map_or_else(String::new, |message| {
        format!("<p>Message: <strong>{}</strong></p>", Html::escape(message))
    })
}

//! The plain pages on which a person sees and ends what they have here.

use std::fmt::Write as _;
use std::time::Duration;

use chancery_core::interaction::AccountNews;
use chancery_core::interaction::view::{
    ApplicationView, ChangePasswordView, ConfirmEndView, Ending, LoginProblem, OwnAccountView,
    OwnSessionView, PasswordProblem,
};
use chancery_core::ports::PasswordRefusal;

use super::{alert, button, detail, in_form, resource, said};
use crate::pages::{FormMarkup, Html};

pub(super) fn overview(view: &OwnAccountView) -> String {
    let [who, address] = [&view.account.label, &view.address].map(|text| Html::escape(text));
    let mut page = format!("<p>You are <strong>{who}</strong>.</p>");
    if let Some(news) = view.news.map(news) {
        let _ = write!(page, "<p role=\"status\">{news}</p>");
    }
    page.push_str(&alert(view.problem.map(not_looked_at).as_deref()));
    page.push_str("<h2>Where you are signed in</h2><ul>");
    for one in &view.sessions {
        let end = match one.is_this {
            true => view.logout.as_deref().map_or_else(String::new, |logout| {
                format!(" <a href=\"{}\">Sign out</a>", Html::escape(logout))
            }),
            false => {
                format!(" <a href=\"{address}/session?session={}\">End</a>", Html::escape(&one.choice))
            }
        };
        let _ = write!(page, "<li>{}{end}</li>", session(one));
    }
    page.push_str("</ul>");
    more(&mut page, view.more_sessions.as_deref(), "More sessions");
    if view.sessions.len() > 1 {
        let _ = write!(page, "<p><a href=\"{address}/sessions\">End all others</a></p>");
    }
    page.push_str("<h2>Applications that you have let in</h2>");
    if view.applications.is_empty() {
        page.push_str("<p>None.</p>");
    }
    for one in &view.applications {
        let id = chancery_types::params::encode([("client_id", &*one.client_id)].into_iter());
        let _ = write!(
            page,
            "<section>{}<p><a href=\"{address}/application?{}\">Withdraw</a></p></section>",
            application(one),
            Html::escape(&id)
        );
    }
    more(&mut page, view.more_applications.as_deref(), "More applications");
    if view.is_further {
        let _ = write!(page, "<p><a href=\"{address}\">Back to the first page</a></p>");
    }
    if view.can_change_password {
        let _ = write!(page, "<p><a href=\"{address}/password\">Change the password</a></p>");
    }
    let _ = write!(page, "<p><a href=\"{address}?prompt=select_account\">Use another account</a></p>");
    page
}

/// The way to the rest of a list.
fn more(page: &mut String, address: Option<&str>, words: &str) {
    if let Some(address) = address {
        let _ = write!(page, "<p><a href=\"{}\">{words}</a></p>", Html::escape(address));
    }
}

pub(super) fn confirm_title(view: &ConfirmEndView) -> &'static str {
    match view.what {
        Ending::Session(_) => "End this session?",
        Ending::OtherSessions { .. } => "End all other sessions?",
        Ending::Application(_) => "Withdraw access?",
    }
}

pub(super) fn confirm(view: &ConfirmEndView, form: &FormMarkup) -> String {
    let what = match &view.what {
        Ending::Session(one) => format!("<p>{}</p><p>Whoever uses it is signed out.</p>", session(one)),
        Ending::OtherSessions { count: 1, are_more: false } => "<p>One session ends.</p>".to_owned(),
        Ending::OtherSessions { count, are_more: false } => format!("<p>{count} sessions end.</p>"),
        Ending::OtherSessions { count, are_more: true } => format!("<p>More than {count} sessions end.</p>"),
        Ending::Application(one) => format!(
            "{}<p>It can use nothing of this any more. You can let it in again when you sign in there.</p>",
            application(one)
        ),
    };
    let fields = format!(
        "{}{what}{}<p><a href=\"{}\">Back</a></p>",
        alert(view.problem.map(not_looked_at).as_deref()),
        button("action", "end", "End", ""),
        Html::escape(&view.address)
    );
    in_form(form, &fields)
}

pub(super) fn change_password(view: &ChangePasswordView, form: &FormMarkup) -> String {
    let rule = view
        .shortest_password
        .map_or_else(String::new, |shortest| format!("<p id=\"rule\">At least {shortest} characters.</p>"));
    let checked = if view.keeps_others { " checked" } else { "" };
    let fields = format!(
        "{}<input name=\"username\" value=\"{}\" autocomplete=\"username\" readonly hidden>\
         <p><label>Current password<br><input type=\"password\" name=\"current\" required \
         autocomplete=\"current-password\"></label></p>{rule}\
         <p><label>New password<br><input type=\"password\" name=\"new\" required \
         autocomplete=\"new-password\"></label></p>\
         <p><label>New password once more<br><input type=\"password\" name=\"again\" required \
         autocomplete=\"new-password\"></label></p>\
         <p>In all other browsers, and for all applications, you have to sign in again.</p>\
         <p><label><input type=\"checkbox\" name=\"keeps_others\" value=\"yes\"{checked}> \
         Keep my other devices and applications signed in</label></p>{}<p><a href=\"{}\">Back</a></p>",
        alert(view.problem.map(problem).as_deref()),
        Html::escape(&view.username),
        button("action", "change", "Change the password", ""),
        Html::escape(&view.address)
    );
    in_form(form, &fields)
}

fn session(one: &OwnSessionView) -> String {
    let place = &one.place;
    let browser = place.browser.as_deref().map_or_else(|| Html::new("Unknown browser"), Html::escape);
    let system = place.system.as_deref().map(|system| format!(" on {}", Html::escape(system)));
    let network = place.network.as_deref().map(|network| match place.is_this_machine() {
        true => ", from this machine".to_owned(),
        false => format!(", from {}", Html::escape(network)),
    });
    let this = if one.is_this { " (this one)" } else { "" };
    let names: Vec<&str> = one.applications.iter().map(|client| &*client.name).collect();
    let names = Html::escape(&names.join(", "));
    let applications = match (&*one.applications, one.more_applications) {
        ([], _) => String::new(),
        (_, 0) => format!("; used for {names}"),
        (_, more) => format!("; used for {names} and {more} more"),
    };
    format!(
        "<strong>{browser}{}</strong>{this}{}; signed in {} ago (<time>{}</time>), used {} ago{applications}",
        system.unwrap_or_default(),
        network.unwrap_or_default(),
        told(one.signed_in_before),
        one.signed_in_at.rfc3339(),
        told(one.used_before)
    )
}

fn application(one: &ApplicationView) -> String {
    let wishes: String = one
        .scopes
        .iter()
        .chain(&one.claims)
        .map(|wish| format!("<li><code>{}</code></li>", Html::escape(wish)))
        .collect();
    let resources: String = one.resources.iter().map(resource).collect();
    let details: String = one.details.iter().map(|granted| detail(&granted.text("en"))).collect();
    let used = one.used_before.map_or_else(String::new, |used| format!(", last sign-in {} ago", told(used)));
    format!(
        "<h3>{}</h3><p>Let in {} ago{used}</p><ul>{wishes}</ul>{resources}{details}",
        Html::escape(&one.client.name),
        told(one.let_in_before)
    )
}

fn news(news: AccountNews) -> &'static str {
    match news {
        AccountNews::SessionEnded => "The session has ended.",
        AccountNews::OthersEnded => "All other sessions have ended.",
        AccountNews::Withdrawn => "The access was withdrawn.",
        AccountNews::PasswordChanged => "Your password was changed.",
        // What has no words of its own yet needs no more to be done.
        _ => "That had ended before.",
    }
}

fn not_looked_at(problem: LoginProblem) -> String {
    match problem {
        LoginProblem::Stale | LoginProblem::Refused => {
            "This page was open too long or in another browser. Try again.".to_owned()
        }
        problem => said(problem),
    }
}

fn problem(problem: PasswordProblem) -> String {
    match problem {
        PasswordProblem::Wrong => "The current password is wrong.".to_owned(),
        PasswordProblem::Different => "The new passwords differ. Type the same one twice.".to_owned(),
        PasswordProblem::Refused(PasswordRefusal::TooShort(shortest)) => {
            format!("The new password must have at least {shortest} characters.")
        }
        PasswordProblem::Refused(PasswordRefusal::TooCommon) => {
            "The new password is too easy to guess.".to_owned()
        }
        PasswordProblem::Refused(PasswordRefusal::IsName) => {
            "The new password must not be the name.".to_owned()
        }
        PasswordProblem::Refused(PasswordRefusal::Unchanged) => {
            "The new password is the current one.".to_owned()
        }
        PasswordProblem::NotLookedAt(problem) => not_looked_at(problem),
        // What has no words of its own yet is a password that cannot be used.
        _ => "The new password has characters that cannot be typed everywhere.".to_owned(),
    }
}

/// A time as a person reads it, in the largest unit of which there are two.
fn told(time: Duration) -> String {
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        0..120 => return "a moment".to_owned(),
        120..7_200 => (seconds / 60, "minutes"),
        7_200..172_800 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    format!("{count} {unit}")
}

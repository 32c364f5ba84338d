//! The plain pages on which a person decides about a device (RFC 8628 section 3.3).

use chancery_core::interaction::UserCodeProblem;
use chancery_core::interaction::view::{ConfirmDeviceView, DeviceDoneView, UserCodeView};

use super::{alert, button, documents, in_form, once_more, wait};
use crate::pages::{FormMarkup, Html};

pub(super) fn user_code(view: &UserCodeView, form: &FormMarkup) -> String {
    let problem = view.problem.map(said);
    let described = if problem.is_none() { "" } else { " aria-describedby=\"problem\"" };
    let numeric = if view.is_numeric { " pattern=\"[0-9 -]*\" inputmode=\"numeric\"" } else { "" };
    let typed = Html::escape(view.user_code.as_deref().unwrap_or(""));
    let fields = format!(
        "<p>Enter the code that your device shows.</p>{}\
         <p><label>Code<br><input name=\"user_code\" autocomplete=\"off\" autocapitalize=\"characters\" \
         spellcheck=\"false\" required maxlength=\"64\" value=\"{typed}\"{numeric}{described}></label></p>{}",
        alert(problem.as_deref()),
        button("action", "continue", "Continue", "")
    );
    in_form(form, &fields)
}

/// What the page says of a problem.
fn said(problem: UserCodeProblem) -> String {
    match problem {
        UserCodeProblem::Malformed => "This cannot be a code. Compare it with your device.".into(),
        UserCodeProblem::Unknown => "No device waits with this code. Compare it with your device.".into(),
        UserCodeProblem::Ended => "The time of this code is over. Get a new one on your device.".into(),
        UserCodeProblem::Used => "This code was used already. Get a new one on your device.".into(),
        UserCodeProblem::Throttled(time) => {
            format!("Too many wrong codes. Wait {} and try again.", wait(time))
        }
        UserCodeProblem::NoCookies => {
            "Your browser did not send our cookie. Allow cookies for this site and try again.".into()
        }
        // What has no words of its own yet is a form that was not looked at.
        _ => "This page was open too long or in another browser. Try again.".into(),
    }
}

pub(super) fn confirm(view: &ConfirmDeviceView, form: &FormMarkup) -> String {
    let [name, code] = [&view.client.name, &view.user_code].map(|text| Html::escape(text));
    let before = wait(view.asked_before);
    let place = match (&view.address, view.is_from_here) {
        (Some(address), true) => format!("{} (as this browser)", Html::escape(address)),
        (Some(address), false) => format!("{} (not that of this browser)", Html::escape(address)),
        (None, _) => "not known".to_owned(),
    };
    let device = view.device.as_deref().map_or_else(String::new, |device| {
        format!("<dt>It calls itself</dt><dd>{}</dd>", Html::escape(device))
    });
    let fields = format!(
        "{}<p>A device wants to use <strong>{name}</strong> with your account.</p>\
         <dl><dt>Code</dt><dd><strong>{code}</strong></dd><dt>Asked</dt><dd>{before} ago</dd>\
         <dt>From the address</dt><dd>{place}</dd>{device}</dl>\
         <p>Go on only if the device is in front of you and shows this code. \
         If somebody has sent you the code or a link, it is a fraud.</p>{}{}{}",
        once_more(&view.form),
        button("action", "deny", "No, refuse", ""),
        button("action", "confirm", "Yes, it is mine", ""),
        documents(&view.client)
    );
    in_form(form, &fields)
}

pub(super) fn done_title(view: &DeviceDoneView) -> &'static str {
    if view.is_approved { "Your device is connected" } else { "Your device is not connected" }
}

pub(super) fn done(view: &DeviceDoneView) -> String {
    let name = Html::escape(&view.client.name);
    match view.is_approved {
        true => format!("<p>Go on with <strong>{name}</strong> on your device. You can close this page.</p>"),
        false => format!("<p><strong>{name}</strong> gets no access. You can close this page.</p>"),
    }
}

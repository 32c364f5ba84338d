//! Sample pages about what a person has here.

use std::time::Duration;

use chancery_core::interaction::AccountNews;
use chancery_core::interaction::view::{
    ApplicationView, ChangePasswordView, ClientView, ConfirmEndView, Ending, LoginProblem, OwnAccountView,
    OwnSessionView, PasswordProblem, ResourceView,
};
use chancery_core::model::Place;
use chancery_core::ports::PasswordRefusal;
use chancery_http::{Content, FormMarkup};
use chancery_types::{ResourceUri, Timestamp};

use super::{account, albums, client, details};

/// An hour.
const HOUR: u64 = 3_600;

/// 9:30 on 2 November 2026.
const NOW: Timestamp = Timestamp::from_secs(1_793_611_800);

pub(super) fn each(markup: &FormMarkup, show: &mut impl FnMut(&str, Content<'_>)) {
    let address = || "https://id.example/account".to_owned();
    let alice = || account("alice@example.org", false);
    for (name, news, problem) in [
        ("account", None, None),
        ("account-news", Some(AccountNews::SessionEnded), None),
        ("account-stale", None, Some(LoginProblem::Stale)),
        ("account-no-cookies", None, Some(LoginProblem::NoCookies)),
        ("account-others-ended", Some(AccountNews::OthersEnded), None),
        ("account-password-changed", Some(AccountNews::PasswordChanged), None),
        ("account-gone", Some(AccountNews::Gone), None),
        ("account-empty", Some(AccountNews::Withdrawn), None),
    ] {
        let is_empty = name == "account-empty";
        let view = OwnAccountView {
            account: alice(),
            sessions: match name {
                "account-empty" => vec![here()],
                "account" => [vec![this(), phone(), unknown()], many()].concat(),
                _ => vec![this(), phone(), unknown()],
            },
            more_sessions: (!is_empty).then(|| format!("{}?from=x", address())),
            more_applications: (name == "account-gone").then(|| format!("{}?from=y", address())),
            is_further: name == "account-gone",
            applications: if is_empty { Vec::new() } else { vec![photos(), bare()] },
            can_change_password: !is_empty,
            news,
            problem,
            address: address(),
            logout: Some("https://id.example/logout".to_owned()),
        };
        show(name, Content::OwnAccount(&view));
    }
    for (name, what, problem) in [
        ("confirm-end-session", Ending::Session(phone()), None),
        (
            "confirm-end-others",
            Ending::OtherSessions { count: 5, are_more: false },
            Some(LoginProblem::Stale),
        ),
        ("confirm-end-many", Ending::OtherSessions { count: 1_000, are_more: true }, None),
        ("confirm-end-application", Ending::Application(Box::new(photos())), None),
    ] {
        let view = ConfirmEndView { account: alice(), what, problem, address: address(), fields: Vec::new() };
        show(name, Content::ConfirmEnd(&view, markup));
    }
    for (name, problem) in [
        ("change-password", None),
        ("change-password-wrong", Some(PasswordProblem::Wrong)),
        ("change-password-differ", Some(PasswordProblem::Different)),
        ("change-password-short", Some(PasswordProblem::Refused(PasswordRefusal::TooShort(8)))),
        ("change-password-common", Some(PasswordProblem::Refused(PasswordRefusal::TooCommon))),
        ("change-password-name", Some(PasswordProblem::Refused(PasswordRefusal::IsName))),
        ("change-password-characters", Some(PasswordProblem::Refused(PasswordRefusal::Unacceptable))),
        ("change-password-unchanged", Some(PasswordProblem::Refused(PasswordRefusal::Unchanged))),
        (
            "change-password-throttled",
            Some(PasswordProblem::NotLookedAt(LoginProblem::Throttled(Duration::from_secs(30)))),
        ),
        ("change-password-busy", Some(PasswordProblem::NotLookedAt(LoginProblem::Busy))),
        ("change-password-stale", Some(PasswordProblem::NotLookedAt(LoginProblem::Stale))),
        ("change-password-no-cookies", Some(PasswordProblem::NotLookedAt(LoginProblem::NoCookies))),
    ] {
        let view = ChangePasswordView {
            account: alice(),
            username: "alice".to_owned(),
            problem,
            shortest_password: Some(8),
            keeps_others: problem.is_some(),
            address: address(),
            fields: Vec::new(),
        };
        show(name, Content::ChangePassword(&view, markup));
    }
}

fn place(browser: Option<&str>, system: Option<&str>, network: Option<&str>) -> Place {
    Place {
        browser: browser.map(Into::into),
        system: system.map(Into::into),
        network: network.map(Into::into),
    }
}

fn session(choice: &str, place: Place, hours: [u64; 2]) -> OwnSessionView {
    let [signed_in, used] = hours.map(|hours| Duration::from_secs(hours * HOUR));
    OwnSessionView {
        choice: choice.to_owned(),
        is_this: choice == "this",
        place,
        signed_in_at: NOW - signed_in,
        signed_in_before: signed_in,
        used_before: used,
        applications: Vec::new(),
        more_applications: 0,
    }
}

fn this() -> OwnSessionView {
    let one = session("this", place(Some("Firefox"), Some("Linux"), Some("203.0.113.9")), [0, 0]);
    OwnSessionView { applications: vec![client()], ..one }
}

/// The browser of somebody who tries a provider out.
fn here() -> OwnSessionView {
    session("this", place(Some("Firefox"), Some("Linux"), Some("::/64")), [0, 0])
}

fn phone() -> OwnSessionView {
    let place = place(Some("Safari"), Some("iPhone"), Some("2001:db8:1234:5678::/64"));
    let calendar = named("planner", "Calendar");
    OwnSessionView {
        applications: vec![client(), notes(), calendar],
        more_applications: 2,
        ..session("phone", place, [26 * 24, 5])
    }
}

fn unknown() -> OwnSessionView {
    session("unknown", place(None, None, None), [72, 72])
}

/// More than are shown without being asked for.
fn many() -> Vec<OwnSessionView> {
    let place = || place(Some("Chromium"), Some("Windows"), Some("203.0.113.9"));
    [100, 200, 300].map(|hours| session(&format!("desk-{hours}"), place(), [hours, hours - 1])).into()
}

fn photos() -> ApplicationView {
    let resources: Vec<ResourceView> =
        ResourceUri::parse("https://albums.example").ok().map(albums).into_iter().collect();
    ApplicationView {
        client: client(),
        client_id: "sunny-day".to_owned(),
        scopes: ["openid", "profile", "email", "photos.read"].map(str::to_owned).into(),
        claims: vec!["phone_number".to_owned()],
        resources,
        details: details(),
        let_in_before: Duration::from_secs(400 * 24 * HOUR),
        used_before: Some(Duration::from_secs(600)),
    }
}

/// One that has signed the person in and nothing else.
fn bare() -> ApplicationView {
    ApplicationView {
        client: notes(),
        client_id: "notes".to_owned(),
        scopes: Vec::new(),
        claims: Vec::new(),
        resources: Vec::new(),
        details: Vec::new(),
        let_in_before: Duration::from_secs(3 * 24 * HOUR),
        used_before: None,
    }
}

fn notes() -> ClientView {
    named("notes", "<Notes> & a name that is so long that it has to break in a narrow window")
}

fn named(id: &str, name: &str) -> ClientView {
    ClientView { id: id.to_owned(), name: name.to_owned(), ..client() }
}

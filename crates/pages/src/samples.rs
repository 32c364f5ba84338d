//! Sample pages of each kind and state, on which templates are tried before they are used.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chancery_core::endpoint::end_session::POST_LOGOUT_URI_UNREGISTERED;
use chancery_core::interaction::view::{
    AccountView, AccountsView, ApprovalDoneView, ApprovalsView, ApproveView, ClientView, ConfirmDeviceView,
    ConsentView, DeviceDoneView, FormAction, FormView, LoginProblem, LoginView, LogoutConfirmView,
    LogoutDoneView, LogoutFramesView, ResourceView, SharedClaim, SignUpProblem, SignUpView, SignedInView,
    UserCodeView, WaitingView,
};
use chancery_core::interaction::{ApprovalProblem, UserCodeProblem};
use chancery_core::model::{AuthorizationDetail, Client, OwnParameters};
use chancery_core::policy::{DetailFault, DetailText, DetailType, DetailView, DynDetailType, Words};
use chancery_core::ports::SignUpRefusal;
use chancery_http::{
    Around, Content, FormMarkup, FrontPageView, LanguageSwitch, MessageMarkup, Page, Retry, TrialClients,
};
use chancery_types::{RedirectUri, ResourceUri};
use serde_json::json;

mod error;
mod own_account;

/// What every sample form posts.
static MARKUP: LazyLock<FormMarkup> = LazyLock::new(|| FormMarkup {
    action: "https://id.example/interaction".to_owned(),
    fields: vec![
        ("request".to_owned(), "scope=openid&state=<x>".to_owned()),
        ("token".to_owned(), "AQAAwqKjmn8v".to_owned()),
    ],
});

/// A page with this content, which can be had in other languages.
pub(crate) fn page(content: Content<'_>) -> Page<'_> {
    let mut around = Around::of("https://id.example");
    around.home = Some("https://id.example");
    around.account = Some("https://id.example/account");
    around.icon = Some("https://id.example/favicon.ico");
    around.language = match content {
        Content::FormPost(_) | Content::Repost(_) | Content::WebMessage(_) => LanguageSwitch::None,
        Content::Login(..) => LanguageSwitch::Button,
        Content::ApprovalDone(..) | Content::DeviceDone(_) => LanguageSwitch::Form(&MARKUP),
        _ => LanguageSwitch::Address("https://id.example/authorize?x&chancery_language="),
    };
    Page { nonce: "N0NCE", content, around }
}

/// Calls `show` with the name and content of each page.
pub(crate) fn each(mut show: impl FnMut(&str, Content<'_>)) {
    let markup = MARKUP.clone();
    for (name, username, problem) in [
        ("login", None, None),
        ("login-refused", Some("alice"), Some(LoginProblem::Refused)),
        ("login-throttled", Some("alice"), Some(LoginProblem::Throttled(Duration::from_millis(900)))),
        ("login-throttled-seconds", Some("alice"), Some(LoginProblem::Throttled(Duration::from_secs(30)))),
        (
            "login-throttled-minutes",
            Some("alice"),
            Some(LoginProblem::Throttled(Duration::from_secs(15 * 60))),
        ),
        ("login-busy", Some("alice"), Some(LoginProblem::Busy)),
        ("login-stale", None, Some(LoginProblem::Stale)),
        ("login-no-cookies", None, Some(LoginProblem::NoCookies)),
        ("login-again", Some("alice"), None),
        ("login-again-refused", Some("alice"), Some(LoginProblem::Refused)),
    ] {
        let Some(form) = form("https://photos.example/callback") else { return };
        let username = username.map(Into::into);
        let view = LoginView {
            client: client(),
            username,
            again: name.starts_with("login-again").then(|| account("Alice Example", false)),
            problem,
            acr_values: vec![],
            challenge: String::new(),
            offers_sign_up: problem.is_none(),
            form,
        };
        show(name, Content::Login(&view, &markup));
    }
    for (name, problem) in [
        ("sign-up", None),
        ("sign-up-name-taken", Some(SignUpProblem::Refused(SignUpRefusal::NameTaken))),
        ("sign-up-name", Some(SignUpProblem::Refused(SignUpRefusal::NameUnacceptable))),
        ("sign-up-short", Some(SignUpProblem::Refused(SignUpRefusal::PasswordTooShort(8)))),
        ("sign-up-common", Some(SignUpProblem::Refused(SignUpRefusal::PasswordTooCommon))),
        ("sign-up-is-name", Some(SignUpProblem::Refused(SignUpRefusal::PasswordIsName))),
        ("sign-up-characters", Some(SignUpProblem::Refused(SignUpRefusal::PasswordUnacceptable))),
        (
            "sign-up-throttled",
            Some(SignUpProblem::NotLookedAt(LoginProblem::Throttled(Duration::from_secs(3_000)))),
        ),
        ("sign-up-busy", Some(SignUpProblem::NotLookedAt(LoginProblem::Busy))),
        ("sign-up-stale", Some(SignUpProblem::NotLookedAt(LoginProblem::Stale))),
        ("sign-up-no-cookies", Some(SignUpProblem::NotLookedAt(LoginProblem::NoCookies))),
    ] {
        let Some(form) = form("https://photos.example/callback") else { return };
        let username = problem.map(|_| "alice".to_owned());
        let view = SignUpView { client: client(), username, problem, shortest_password: Some(8), form };
        show(name, Content::SignUp(&view, &markup));
    }
    for (name, issuer, trial) in [
        ("front-page", "https://id.example.org", None),
        ("front-page-trial", "http://localhost:3000", Some(trial())),
    ] {
        let at = |path: &str| format!("{issuer}{path}");
        let view = FrontPageView {
            issuer: issuer.to_owned(),
            metadata: at("/.well-known/openid-configuration"),
            keys: at("/jwks"),
            authorization: at("/authorize"),
            token: at("/token"),
            userinfo: at("/userinfo"),
            end_session: at("/logout"),
            trial,
        };
        show(name, Content::FrontPage(&view));
    }
    for (name, target, scopes, claims, resources) in [
        ("consent", "https://photos.example/cb", "openid profile email offline_access", "", vec![]),
        (
            "consent-api",
            "com.example.app:/cb",
            "",
            "birthdate",
            vec![("https://api.photos.example", None, "photos.read")],
        ),
        (
            "consent-apis",
            "https://photos.example/cb",
            "openid offline_access",
            "",
            vec![
                ("https://api.photos.example", Some("Photo storage"), "photos.read photos.write"),
                ("https://prints.example/v2", Some("<Prints>"), ""),
                ("urn:example:calendar", None, "read"),
            ],
        ),
        ("consent-details", "https://photos.example/cb", "openid", "", vec![]),
        ("consent-stale", "https://photos.example/cb", "openid email", "", vec![]),
        ("consent-nothing", "https://photos.example/cb", "", "", vec![]),
        ("consent-unknown", "https://photos.example/cb", "openid email", "", vec![]),
        (
            "consent-all",
            "https://photos.example/cb",
            "openid profile email address phone",
            "name locale x",
            vec![],
        ),
    ] {
        let Some(form) = form(target) else { return };
        let words = |text: &str| text.split_whitespace().map(Into::into).collect();
        let resource = |(uri, name, scopes): &(&str, Option<&str>, &str)| {
            let uri = ResourceUri::parse(uri).ok()?;
            Some(ResourceView { uri, name: name.map(Into::into), scopes: words(scopes) })
        };
        let account = account("alice@example.org", false);
        let view = ConsentView {
            client: client(),
            account,
            scopes: words(scopes),
            claims: words(claims),
            shared: if name == "consent-unknown" { Vec::new() } else { shared(scopes) },
            unknown: if name == "consent-unknown" { vec!["email".to_owned()] } else { Vec::new() },
            resources: resources.iter().filter_map(resource).collect(),
            details: if name == "consent-details" { details() } else { Vec::new() },
            account_page: Some("https://id.example/account".to_owned()),
            form: FormView { not_looked_at: stale(name), ..form },
        };
        show(name, Content::Consent(&view, &markup));
    }
    for name in ["accounts", "accounts-another", "accounts-ended", "accounts-stale"] {
        let Some(form) = form("https://photos.example/callback") else { return };
        let (expects_another, choice_has_ended) = (name == "accounts-another", name == "accounts-ended");
        let accounts = vec![account("alice@example.org", !expects_another), account("Bob Example", false)];
        let form = FormView { not_looked_at: stale(name), ..form };
        let view = AccountsView { client: client(), accounts, expects_another, choice_has_ended, form };
        show(name, Content::Accounts(&view, &markup));
    }
    approvals(&markup, &mut show);
    devices(&markup, &mut show);
    logout(&markup, &mut show);
    frames(&markup, &mut show);
    ended(&mut show);
    error::errors(&mut show);
    own_account::each(&markup, &mut show);
    show("not-found", Content::NotFound);
    show("form_post", Content::FormPost(&markup));
    show("repost", Content::Repost(&markup));
    let message =
        MessageMarkup { origin: "https://photos.example".to_owned(), json: r#"{"a":"\u003c"}"#.to_owned() };
    show("web_message", Content::WebMessage(&message));
}

/// The pages about what was asked for in the background.
fn approvals(markup: &FormMarkup, show: &mut impl FnMut(&str, Content<'_>)) {
    const LIST: &str = "https://id.example/approvals";
    for (name, message, resource, address) in [
        ("approve", Some("W4SCT"), None, Some("192.0.2.1")),
        (
            "approve-long",
            Some("Pay 1,250.00 EUR to Sunny Day Photos, order 2026-11/4711-A"),
            ResourceUri::parse("https://api.photos.example/albums").ok(),
            Some("2001:db8:1234:5678:9abc:def0:1234:5678"),
        ),
        ("approve-plain", None, None, None),
        ("approve-stale", None, None, None),
    ] {
        let Some(form) = form("https://photos.example/callback") else { return };
        let view = ApproveView {
            client: client(),
            account: account("alice@example.org", false),
            binding_message: message.map(Into::into),
            scopes: ["openid", "email", "payments"].map(Into::into).to_vec(),
            claims: Vec::new(),
            shared: shared("email"),
            unknown: Vec::new(),
            resources: resource.into_iter().map(albums).collect(),
            details: if name == "approve-long" { details() } else { Vec::new() },
            asked_before: Duration::from_secs(42),
            ends_in: Duration::from_secs(540),
            address: address.map(Into::into),
            form: FormView { target: None, not_looked_at: stale(name), ..form },
        };
        show(name, Content::Approve(&view, markup));
    }
    let waiting = |message: Option<&str>, asked| WaitingView {
        client: client(),
        binding_message: message.map(Into::into),
        asked_before: Duration::from_secs(asked),
        ends_in: Duration::from_secs(600 - asked),
        reference: "AwAA".to_owned(),
    };
    for (name, waiting) in
        [("approvals", vec![waiting(Some("W4SCT"), 42), waiting(None, 200)]), ("approvals-none", vec![])]
    {
        let account = Some(account("alice@example.org", false));
        let view = ApprovalsView { account, waiting, problem: None, reference: None };
        show(name, Content::Approvals(&view, LIST));
    }
    for (name, problem, reference) in [
        ("approvals-unknown", ApprovalProblem::Unknown, Some("AwAA")),
        ("approvals-ended", ApprovalProblem::Ended, None),
        ("approvals-decided", ApprovalProblem::Decided, None),
        ("approvals-undecided", ApprovalProblem::Undecided, Some("AwAA")),
    ] {
        let (problem, reference) = (Some(problem), reference.map(Into::into));
        let view = ApprovalsView { account: None, waiting: Vec::new(), problem, reference };
        show(name, Content::Approvals(&view, LIST));
    }
    for (name, is_approved) in [("approval-done", true), ("approval-done-refused", false)] {
        let Some(again) = form("https://photos.example/callback") else { return };
        let view = ApprovalDoneView { client: client(), is_approved, again };
        show(name, Content::ApprovalDone(&view, LIST));
    }
}

/// The pages about a device.
fn devices(markup: &FormMarkup, show: &mut impl FnMut(&str, Content<'_>)) {
    for (name, user_code, problem, is_numeric) in [
        ("user-code", None, None, false),
        ("user-code-complete", Some("WDJB-MJHT"), None, false),
        ("user-code-malformed", Some("WDJB"), Some(UserCodeProblem::Malformed), false),
        ("user-code-unknown", Some("123-456-789"), Some(UserCodeProblem::Unknown), true),
        ("user-code-ended", None, Some(UserCodeProblem::Ended), false),
        ("user-code-used", None, Some(UserCodeProblem::Used), false),
        ("user-code-throttled", None, Some(UserCodeProblem::Throttled(Duration::from_millis(900))), false),
        ("user-code-stale", Some("WDJB-MJHT"), Some(UserCodeProblem::Stale), false),
        ("user-code-no-cookies", None, Some(UserCodeProblem::NoCookies), false),
    ] {
        let view = UserCodeView { user_code: user_code.map(Into::into), problem, is_numeric, fields: vec![] };
        show(name, Content::UserCode(&view, markup));
    }
    for (name, address, is_from_here, device) in [
        (
            "confirm-device",
            Some("192.0.2.1"),
            true,
            Some("Television/3.1 (a device with a long name for itself)"),
        ),
        ("confirm-device-elsewhere", Some("2001:db8:1234:5678:9abc:def0:1234:5678"), false, None),
        ("confirm-device-unknown", None, false, None),
        ("confirm-device-stale", None, false, None),
    ] {
        let Some(form) = form("https://photos.example/callback") else { return };
        let view = ConfirmDeviceView {
            client: client(),
            user_code: "WDJB-MJHT".to_owned(),
            asked_before: Duration::from_secs(130),
            address: address.map(Into::into),
            is_from_here,
            device: device.map(Into::into),
            form: FormView { target: None, not_looked_at: stale(name), ..form },
        };
        show(name, Content::ConfirmDevice(&view, markup));
    }
    for (name, is_approved) in [("device-done", true), ("device-done-refused", false)] {
        let Some(again) = form("https://photos.example/callback") else { return };
        let view = DeviceDoneView { client: client(), is_approved, again };
        show(name, Content::DeviceDone(&view));
    }
}

/// A payment, and access to accounts, of a type that speaks both languages of the pages.
fn details() -> Vec<DetailView> {
    struct Sample;

    impl DetailType for Sample {
        fn name(&self) -> &str {
            "sample"
        }

        fn check(&self, _: &AuthorizationDetail, _: &Client) -> Result<(), DetailFault> {
            Ok(())
        }

        fn text(&self, detail: &AuthorizationDetail, language: &str) -> DetailText {
            let german = language == "de";
            let title = match detail.get("to") {
                None => detail.type_name(),
                Some(_) if german => "Geld überweisen",
                Some(_) => "Transfer money",
            };
            DetailText::in_words(detail, title.to_owned(), &SampleWords { german })
        }
    }

    struct SampleWords {
        german: bool,
    }

    impl Words for SampleWords {
        fn label(&self, path: &[&str]) -> String {
            let label = match (path, self.german) {
                (["amount"], true) => "Betrag",
                (["amount"], false) => "Amount",
                (["to", ..], true) => "Empfängerin",
                (["to", ..], false) => "To",
                (["once"], true) => "Nur einmal",
                (["once"], false) => "Only once",
                _ => return path.join(" \u{203a} "),
            };
            label.to_owned()
        }
    }

    let sample: Arc<dyn DynDetailType> = Arc::new(Sample);
    let objects = [
        json!({"type": "payment", "amount": "123.50 EUR", "to": {"iban": "DE02 1001 0010 9307 1186 03"}, "once": true,
            "reference": "<b>Ref</b> Number"}),
        json!({"type": "https://scheme.example.org/account-information", "actions": ["list_accounts", "read_balances"],
            "locations": ["https://accounts.example/with-a-long-path/that-has-to-break-somewhere/in-a-narrow-window"]}),
    ];
    let read = |object| serde_json::from_value(object).ok();
    objects.into_iter().filter_map(read).map(|detail| DetailView::new(detail, Arc::clone(&sample))).collect()
}

/// The pages of a logout.
fn logout(markup: &FormMarkup, show: &mut impl FnMut(&str, Content<'_>)) {
    for (name, client, others, problem, is_stale) in [
        ("logout-confirm", Some(client()), vec![], None, false),
        ("logout-confirm-others", Some(client()), vec![account("Bob Example", false)], None, false),
        ("logout-confirm-nobody-asks", None, vec![], None, false),
        ("logout-confirm-doubtful", Some(client()), vec![], Some(&POST_LOGOUT_URI_UNREGISTERED), false),
        ("logout-confirm-unregistered", Some(client()), vec![], Some(&POST_LOGOUT_URI_UNREGISTERED), false),
        ("logout-confirm-stale", None, vec![account("Bob Example", false)], None, true),
    ] {
        let account = account("alice@example.org", false);
        let unregistered = match name {
            "logout-confirm-unregistered" => error::unregistered_after_logout(),
            _ => None,
        };
        let fields = vec![];
        let view = LogoutConfirmView { client, account, others, problem, unregistered, is_stale, fields };
        show(name, Content::LogoutConfirm(&view, markup));
    }
    let [alice, bob] = ["alice@example.org", "Bob Example"].map(|label| [account(label, false)]);
    for (name, client, was_signed_in, (signed_out, others)) in [
        ("logout-done", Some(client()), true, (alice.to_vec(), vec![])),
        ("logout-done-others", Some(client()), true, (alice.to_vec(), bob.to_vec())),
        ("logout-done-all", Some(client()), true, ([alice, bob.clone()].concat(), vec![])),
        ("logout-done-nobody-asked", None, true, (vec![], vec![])),
        ("logout-done-nobody", None, false, (vec![], vec![])),
        ("logout-done-nobody-chosen", None, false, (vec![], bob.to_vec())),
        ("logout-done-stayed", Some(client()), true, (vec![], vec![])),
    ] {
        let again = if signed_out.is_empty() { vec![] } else { vec![("token", "sample".to_owned())] };
        let is_still_signed_in = name == "logout-done-stayed";
        let view = LogoutDoneView { client, signed_out, others, was_signed_in, is_still_signed_in, again };
        show(name, Content::LogoutDone(&view, markup));
    }
}

/// The page of frames after a logout.
fn frames(markup: &FormMarkup, show: &mut impl FnMut(&str, Content<'_>)) {
    for (name, next) in
        [("logout-frames", Some("https://photos.example/bye?state=a&b")), ("logout-frames-stays", None)]
    {
        let Ok(frame) = RedirectUri::parse("https://photos.example/out?iss=x&sid=y") else { return };
        let (client, signed_out) = (Some(client()), vec![account("alice@example.org", false)]);
        let done = LogoutDoneView { client, signed_out, was_signed_in: true, ..LogoutDoneView::default() };
        let view = LogoutFramesView { frames: vec![frame], next: None, done };
        show(name, Content::LogoutFrames(&view, next, markup));
    }
}

/// The pages without a form.
fn ended(show: &mut impl FnMut(&str, Content<'_>)) {
    for (name, client, restart, is_answered) in [
        ("signed-in", Some(client()), Retry::No, true),
        ("signed-in-ended", Some(client()), Retry::At("https://id.example/authorize?x"), false),
        ("signed-in-restart", Some(client()), Retry::At("https://id.example/authorize?x"), true),
        ("signed-in-nobody", None, Retry::No, false),
    ] {
        let view = SignedInView { client, restart: None, is_answered, ui_locales: None };
        show(name, Content::SignedIn(&view, restart));
    }
}

fn albums(uri: ResourceUri) -> ResourceView {
    ResourceView { uri, name: Some("Albums".to_owned()), scopes: vec!["albums.read".to_owned()] }
}

fn client() -> ClientView {
    ClientView {
        id: "sunny-day".to_owned(),
        name: "Sunny Day Photos".to_owned(),
        client_uri: Some("https://photos.example".to_owned()),
        logo_uri: Some("https://photos.example/logo.png".to_owned()),
        policy_uri: Some("https://photos.example/privacy".to_owned()),
        tos_uri: Some("https://photos.example/terms".to_owned()),
        ..ClientView::default()
    }
}

/// What a client gets to know by these scopes.
fn shared(scopes: &str) -> Vec<SharedClaim> {
    let known = [
        ("profile", "name", json!("Alice Example")),
        ("profile", "preferred_username", json!("alice")),
        ("profile", "locale", json!("en-GB")),
        ("email", "email", json!("alice@example.org")),
        (
            "address",
            "address",
            json!({"street_address": "1 High Street", "postal_code": "AB1 2CD", "locality": "Exampletown"}),
        ),
    ];
    let is_asked = |(scope, _, _): &(&str, _, _)| scopes.split(' ').any(|asked| asked == *scope);
    let shared = |(scope, claim, value): (&str, &str, _)| SharedClaim {
        claim: claim.to_owned(),
        scope: Some(scope.to_owned()),
        value,
    };
    known.into_iter().filter(is_asked).map(shared).collect()
}

fn account(label: &str, is_expected: bool) -> AccountView {
    let email = label.contains('@').then(|| label.to_owned());
    let name = email.as_ref().map(|_| "Alice Example".to_owned());
    AccountView { choice: format!("choice-{label}"), label: label.to_owned(), name, email, is_expected }
}

fn form(target: &str) -> Option<FormView> {
    let target = Some(RedirectUri::parse(target).ok()?);
    let parameters = OwnParameters::default();
    Some(FormView {
        action: FormAction::First,
        fields: Vec::new(),
        target,
        not_looked_at: None,
        ui_locales: None,
        parameters,
    })
}

/// Why the page comes again, by its name.
fn stale(name: &str) -> Option<LoginProblem> {
    name.ends_with("-stale").then_some(LoginProblem::Stale)
}

fn trial() -> TrialClients {
    TrialClients {
        public: "demo-spa".to_owned(),
        confidential: "demo-web".to_owned(),
        machine: "demo-api".to_owned(),
        secret: "Zk3vXo0sample4secretQm1yT8rWc6uLe2bN".to_owned(),
        machine_secret: "Zk3vXo0sample4secretQm1yT8rWc6uLe2bN".to_owned(),
        username: "demo".to_owned(),
        has_own_password: false,
        program: Some("chancery".to_owned()),
    }
}

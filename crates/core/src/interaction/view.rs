//! What a page shows, as plain data: typed views in, HTML out (the trait `Pages` of the HTTP crate).

use std::time::Duration;

use chancery_types::handle::{Handle, Interaction};
use chancery_types::{Issuer, RedirectUri, ResourceUri, is_misleading, params};
use serde_json::Value;

use super::user_code::UserCodeProblem;
use crate::model::client::{ClientMetadata, Localized};
use crate::model::{Acr, Client, CustomPromptName, OwnParameters};
use crate::policy::DetailView;
use crate::ports::SignUpRefusal;

mod approvals;
pub use approvals::{ApprovalDoneView, ApprovalsView, ApproveView, WaitingView};

mod error;
pub use error::{ErrorView, MistakeView, UnregisteredView};

mod logout;
pub use logout::{LogoutConfirmView, LogoutDoneView, LogoutFramesView, PostLogoutTarget};

mod own_account;
pub use own_account::{
    ApplicationView, ChangePasswordView, ConfirmEndView, Ending, OwnAccountView, OwnSessionView,
    PasswordProblem,
};

/// A page for a person.
pub enum View {
    /// Choose the account to go on with.
    Accounts(AccountsView),
    /// What was decided about a request of the background.
    ApprovalDone(ApprovalDoneView),
    /// What waits for the person.
    Approvals(ApprovalsView),
    /// Approve what was asked for in the background, or refuse it.
    Approve(ApproveView),
    /// Choose a new password.
    ChangePassword(ChangePasswordView),
    /// Say whether the device which asks is one's own.
    ConfirmDevice(ConfirmDeviceView),
    /// Say whether to end something that one has here.
    ConfirmEnd(ConfirmEndView),
    /// Allow a client something.
    Consent(ConsentView),
    /// Answer a question of the application's own.
    Custom(CustomView),
    /// What was decided for a device.
    DeviceDone(DeviceDoneView),
    /// Sign in.
    Login(LoginView),
    /// Make an account.
    SignUp(SignUpView),
    /// Sign out, or stay signed in.
    LogoutConfirm(LogoutConfirmView),
    /// What a logout request has come to.
    LogoutDone(LogoutDoneView),
    /// Tells clients of a logout through the browser.
    LogoutFrames(LogoutFramesView),
    /// What one has here.
    OwnAccount(OwnAccountView),
    /// Nothing is left to do here.
    SignedIn(SignedInView),
    /// Enter the code that a device shows.
    UserCode(UserCodeView),
}

/// The client that asks, in words for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientView {
    /// Its id.
    pub id: String,
    /// Its name, or its id when it has none; without control and bidirectional characters, at most 80
    /// characters.
    pub name: String,
    /// Its home page.
    pub client_uri: Option<String>,
    /// Where a login here can be started, with the `iss` that says where (OIDC Core section 4).
    pub initiate_login_uri: Option<String>,
    /// Its logo.
    pub logo_uri: Option<String>,
    /// How it uses what it learns.
    pub policy_uri: Option<String>,
    /// Its terms.
    pub tos_uri: Option<String>,
    /// All this in other languages, as far as the client has registered it.
    pub localized: Localized,
}

/// Longest name of a client on a page, in characters.
const LONGEST_NAME: usize = 80;

/// A name from outside as a page shows it: nothing in it may change how the rest of the page is read.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|c| !is_misleading(*c)).take(LONGEST_NAME).collect()
}

/// The address that starts a login at this issuer (OIDC Core section 4).
fn begins_at(uri: &str, issuer: &Issuer) -> String {
    let (uri, fragment) = uri.split_at(uri.find('#').unwrap_or(uri.len()));
    let separator = if uri.contains('?') { '&' } else { '?' };
    format!("{uri}{separator}{}{fragment}", params::encode([("iss", issuer.as_str())].into_iter()))
}

impl ClientView {
    pub(crate) fn of(client: &Client, issuer: &Issuer) -> Self {
        let ClientMetadata { openid, description, .. } = client.metadata();
        let localized = &description.localized;
        let of = |plain: &Option<Box<str>>, member| {
            plain.as_deref().or_else(|| localized.any(member)).map(str::to_owned)
        };
        let name = of(&description.client_name, "client_name").map(|name| shown(&name));
        Self {
            id: client.id().as_str().to_owned(),
            name: name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| shown(client.id().as_str())),
            client_uri: of(&description.client_uri, "client_uri"),
            initiate_login_uri: openid.initiate_login_uri.as_deref().map(|uri| begins_at(uri, issuer)),
            logo_uri: of(&description.logo_uri, "logo_uri"),
            policy_uri: of(&description.policy_uri, "policy_uri"),
            tos_uri: of(&description.tos_uri, "tos_uri"),
            localized: localized.clone(),
        }
    }

    /// Where a person can go on if a request cannot: where a login can be started again, otherwise the client's
    /// home page.
    #[must_use]
    pub fn way_on(&self) -> Option<&str> {
        self.initiate_login_uri.as_deref().or(self.client_uri.as_deref())
    }

    /// Where a person can go on who has signed out, and so need not want to sign in again: the client's home page, otherwise
    /// where a login can be started.
    #[must_use]
    pub fn way_on_signed_out(&self) -> Option<&str> {
        self.client_uri.as_deref().or(self.initiate_login_uri.as_deref())
    }

    /// The same client on a page in this language (RFC 7591 section 2.2): whatever is registered in it replaces
    /// what stands here.
    pub fn speak(&mut self, language: &str) {
        let name = self.localized.get("client_name", language).map(shown);
        if let Some(name) = name.filter(|name| !name.trim().is_empty()) {
            self.name = name;
        }
        for (member, value) in [
            ("client_uri", &mut self.client_uri),
            ("logo_uri", &mut self.logo_uri),
            ("policy_uri", &mut self.policy_uri),
            ("tos_uri", &mut self.tos_uri),
        ] {
            if let Some(localized) = self.localized.get(member, language) {
                *value = Some(localized.to_owned());
            }
        }
    }
}

impl View {
    /// `ui_locales` of the request that the page is for, if the page keeps them.
    #[must_use]
    pub fn ui_locales(&self) -> Option<&str> {
        match self {
            Self::Accounts(AccountsView { form, .. })
            | Self::Approve(ApproveView { form, .. })
            | Self::ConfirmDevice(ConfirmDeviceView { form, .. })
            | Self::Consent(ConsentView { form, .. })
            | Self::Custom(CustomView { form, .. })
            | Self::Login(LoginView { form, .. })
            | Self::SignUp(SignUpView { form, .. }) => form.ui_locales.as_deref(),
            Self::ApprovalDone(ApprovalDoneView { again, .. })
            | Self::DeviceDone(DeviceDoneView { again, .. }) => again.ui_locales.as_deref(),
            Self::SignedIn(SignedInView { ui_locales, .. }) => ui_locales.as_deref(),
            _ => None,
        }
    }

    /// Shows the client in this language.
    pub fn speak(&mut self, language: &str) {
        let client = match self {
            Self::OwnAccount(OwnAccountView { sessions, applications, .. }) => {
                let of_sessions = sessions.iter_mut().flat_map(|session| &mut session.applications);
                let all = applications.iter_mut().map(|application| &mut application.client);
                all.chain(of_sessions).for_each(|client| client.speak(language));
                None
            }
            Self::ConfirmEnd(ConfirmEndView { what: Ending::Session(session), .. }) => {
                session.applications.iter_mut().for_each(|client| client.speak(language));
                None
            }
            Self::ConfirmEnd(ConfirmEndView { what: Ending::Application(application), .. }) => {
                Some(&mut application.client)
            }
            Self::Approvals(ApprovalsView { waiting, .. }) => {
                waiting.iter_mut().for_each(|waiting| waiting.client.speak(language));
                None
            }
            Self::Accounts(AccountsView { client, .. })
            | Self::ApprovalDone(ApprovalDoneView { client, .. })
            | Self::Approve(ApproveView { client, .. })
            | Self::ConfirmDevice(ConfirmDeviceView { client, .. })
            | Self::DeviceDone(DeviceDoneView { client, .. })
            | Self::Consent(ConsentView { client, .. })
            | Self::Custom(CustomView { client, .. })
            | Self::Login(LoginView { client, .. })
            | Self::SignUp(SignUpView { client, .. }) => Some(client),
            Self::LogoutConfirm(LogoutConfirmView { client, .. })
            | Self::LogoutDone(LogoutDoneView { client, .. })
            | Self::LogoutFrames(LogoutFramesView { done: LogoutDoneView { client, .. }, .. })
            | Self::SignedIn(SignedInView { client, .. }) => client.as_mut(),
            Self::ChangePassword(_) | Self::ConfirmEnd(_) | Self::UserCode(_) => None,
        };
        if let Some(client) = client {
            client.speak(language);
        }
    }
}

/// What every form of a page carries, and where it goes.
pub struct FormView {
    /// Where the form is posted.
    pub action: FormAction,
    /// Hidden fields: name and value.
    pub fields: Vec<(&'static str, String)>,
    /// Where the last redirect will lead, so that a page can say where the person goes; `None` if it leads nowhere,
    /// because another device polls for the answer.
    pub target: Option<RedirectUri>,
    /// Why the page comes again although nobody has looked at what was answered: [`LoginProblem::Stale`] or
    /// [`LoginProblem::NoCookies`]. The page says so; one with a `problem` has it there, too.
    pub not_looked_at: Option<LoginProblem>,
    /// `ui_locales` of the request (OIDC Core section 3.1.2.1), as sent: goes before what the browser
    /// prefers.
    pub ui_locales: Option<Box<str>>,
    /// The application's own parameters of the request
    /// ([`AuthorizationPolicy::parameters`](crate::policy::AuthorizationPolicy::parameters)).
    pub parameters: OwnParameters,
}

/// Where a form is posted.
pub enum FormAction {
    /// The request is in the form itself: nothing is stored.
    First,
    /// The request is stored under this handle.
    Stored(Handle<Interaction>),
}

/// Why a login page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginProblem {
    /// Wrong name or password.
    Refused,
    /// Too many failures; the password was not looked at, and will not be before this time has passed.
    Throttled(Duration),
    /// Too much work at this moment; the password was not looked at.
    Busy,
    /// The form was not made for this browser, this session or this request, or too long ago; the password
    /// was not looked at.
    Stale,
    /// The browser does not send the cookie that its page has set: nobody can sign in without. The password
    /// was not looked at.
    NoCookies,
}

/// A wait as a person is told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// So many seconds, at least 1.
    Seconds(u64),
    /// So many minutes, at least 2.
    Minutes(u64),
}

impl Wait {
    /// Never shorter than it is.
    #[must_use]
    pub fn told(wait: Duration) -> Self {
        let seconds = wait.as_millis().div_ceil(1_000).max(1);
        let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
        if seconds <= 90 { Self::Seconds(seconds) } else { Self::Minutes(seconds.div_ceil(60)) }
    }
}

/// The login page.
pub struct LoginView {
    /// Who asks.
    pub client: ClientView,
    /// What to put into the field `username`: what was typed before, or the client's `login_hint`.
    pub username: Option<String>,
    /// Who is signed in already and has to show that it is still they; `None` for whoever signs in.
    pub again: Option<AccountView>,
    /// Why it is shown again.
    pub problem: Option<LoginProblem>,
    /// The authentication context classes that the client wants, best first (OIDC Core sections 3.1.2.1 and
    /// 5.5.1.1): a page that knows several ways to sign in offers one that reaches one of them.
    pub acr_values: Vec<Acr>,
    /// What a key of the person may sign to prove itself, as WebAuthn wants it (section 13.4.3): nobody can
    /// guess it, it is of this page, and [`LoginStep::take_challenge`](super::LoginStep::take_challenge)
    /// gives it once.
    pub challenge: String,
    /// Whether people can make accounts for themselves: by the button `action` = `create`.
    pub offers_sign_up: bool,
    /// The form: inputs `username`, `password`; buttons `action` = `login`, `cancel`.
    pub form: FormView,
}

/// The sign-up page.
pub struct SignUpView {
    /// Who asks.
    pub client: ClientView,
    /// What to put into the field `username`.
    pub username: Option<String>,
    /// Why it is shown again.
    pub problem: Option<SignUpProblem>,
    /// How many characters the password needs, where the accounts say so
    /// ([`Accounts::shortest_password`](crate::ports::Accounts::shortest_password)).
    pub shortest_password: Option<usize>,
    /// The form: inputs `username`, `password`; buttons `action` = `create`, `login` (whoever has an account already),
    /// `cancel`.
    pub form: FormView,
}

/// Why a sign-up page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignUpProblem {
    /// The name or the password is not accepted.
    Refused(SignUpRefusal),
    /// The form was not looked at. Never [`LoginProblem::Refused`].
    NotLookedAt(LoginProblem),
}

impl SignUpProblem {
    /// As logs name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Refused(why) => why.as_str(),
            Self::NotLookedAt(LoginProblem::Throttled(_)) => "throttled",
            Self::NotLookedAt(LoginProblem::Busy) => "busy",
            Self::NotLookedAt(LoginProblem::NoCookies) => "no_cookies",
            Self::NotLookedAt(LoginProblem::Stale | LoginProblem::Refused) => "stale",
        }
    }
}

/// A person who is signed in, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// What the chooser's button sends.
    pub choice: String,
    /// How the person is called: the account's label.
    pub label: String,
    /// The person's name, where it is known (the claim `name`).
    pub name: Option<String>,
    /// The person's e-mail address, where it is known (the claim `email`).
    pub email: Option<String>,
    /// Whether it is the account that the client expects.
    pub is_expected: bool,
}

/// The account chooser.
pub struct AccountsView {
    /// Who asks.
    pub client: ClientView,
    /// Who is signed in in this browser.
    pub accounts: Vec<AccountView>,
    /// Whether the client expects a person who is not signed in.
    pub expects_another: bool,
    /// Whether the page comes again because the session of the account that was chosen has ended meanwhile.
    pub choice_has_ended: bool,
    /// The form: buttons `account` = choice; `forget` = choice, which signs that account out in this browser; `action` =
    /// `another`, `cancel`.
    pub form: FormView,
}

/// The consent page.
pub struct ConsentView {
    /// Who asks.
    pub client: ClientView,
    /// Who is asked.
    pub account: AccountView,
    /// This server's own scopes that are asked for and not yet decided.
    pub scopes: Vec<String>,
    /// Single claims that are asked for and not yet decided.
    pub claims: Vec<String>,
    /// What the client gets to know with these scopes and claims, as far as anything is known.
    pub shared: Vec<SharedClaim>,
    /// Those of these scopes and claims of which nothing is known, so that nothing is shared by them.
    pub unknown: Vec<String>,
    /// The resource servers to which access is asked for and not yet decided.
    pub resources: Vec<ResourceView>,
    /// The authorization details that are asked for.
    pub details: Vec<DetailView>,
    /// The address of the page on which the person can withdraw this later, if there is one.
    pub account_page: Option<String>,
    /// The form: buttons `action` = `allow`, `deny`, and `switch` for the account chooser.
    pub form: FormView,
}

/// What a client gets to know about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedClaim {
    /// The claim.
    pub claim: String,
    /// The scope that it is asked for by; `None` where it is asked for by itself.
    pub scope: Option<String>,
    /// Its value.
    pub value: Value,
}

/// A resource server to which a client asks for access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceView {
    /// Its identifier.
    pub uri: ResourceUri,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// What is asked for there. There may be nothing: then the access itself is all that is meant.
    pub scopes: Vec<String>,
}

/// The page on which a person enters the code that a device shows (RFC 8628 section 3.3).
pub struct UserCodeView {
    /// What to put into the field `user_code`.
    pub user_code: Option<String>,
    /// Why it is shown again.
    pub problem: Option<UserCodeProblem>,
    /// Whether codes have digits alone.
    pub is_numeric: bool,
    /// Hidden fields of the form: name and value. Input `user_code`; one button.
    pub fields: Vec<(&'static str, String)>,
}

/// The page that says which device asks (RFC 8628 sections 3.3 and 5.4, RFC 10027 section 6.1).
pub struct ConfirmDeviceView {
    /// Who asks.
    pub client: ClientView,
    /// The code, as the device shows it.
    pub user_code: String,
    /// How long ago the device has asked.
    pub asked_before: Duration,
    /// The address that it has asked from.
    pub address: Option<String>,
    /// Whether that is the address of this browser.
    pub is_from_here: bool,
    /// What the device says it is. Nobody has checked it.
    pub device: Option<String>,
    /// The form: buttons `action` = `confirm`, `deny`.
    pub form: FormView,
}

/// What was decided for a device: the person goes back to it.
pub struct DeviceDoneView {
    /// Who asked.
    pub client: ClientView,
    /// Whether the device gets what it has asked for.
    pub is_approved: bool,
    /// What is posted for this page in another language.
    pub again: FormView,
}

/// The page of a prompt of the application's own.
pub struct CustomView {
    /// Which prompt it is.
    pub prompt: CustomPromptName,
    /// Who asks.
    pub client: ClientView,
    /// Who is asked.
    pub account: AccountView,
    /// What the application's policy wants the page to show
    /// ([`CustomPrompt::data`](crate::policy::CustomPrompt::data)); null when only the client wants it to be shown.
    pub data: Value,
    /// Why it is shown again, in the application's own words.
    pub problem: Option<String>,
    /// The form: whatever the application wants to know; the button `action` = `cancel` needs no application.
    pub form: FormView,
}

/// Nothing is left to do here: the request was answered already, or its session is gone. Never a dead end.
pub struct SignedInView {
    /// Who asked, where that is known: the person can go on there ([`ClientView::way_on`]).
    pub client: Option<ClientView>,
    /// The parameters with which the same request can be started again at the authorization endpoint,
    /// form-encoded.
    pub restart: Option<String>,
    /// Whether the request was answered; otherwise its session is gone or its time is over.
    pub is_answered: bool,
    /// `ui_locales` of the request, as sent.
    pub ui_locales: Option<Box<str>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a client is called, in whatever language, a page shows a name, and no more of it than fits.
    #[test]
    fn a_client_always_has_a_name() {
        let long = "n".repeat(200);
        let metadata = format!(
            r#"{{"client_id":"app","redirect_uris":["https://app.example/cb"],"client_name":" ",
                "client_name#de":"{long}","client_name#fr":" "}}"#
        );
        let offered = crate::offered::Offered::default();
        let rules =
            crate::client::RegistrationRules::new(&offered, &[], chancery_types::Timestamp::from_secs(0));
        let client = crate::client::register(metadata.as_bytes(), &chancery_jose::SystemRandom, &rules);
        let issuer = Issuer::parse("https://id.example").unwrap();
        let mut view = ClientView::of(&client.unwrap().client, &issuer);
        assert_eq!(view.name, "app");
        view.speak("fr");
        assert_eq!(view.name, "app");
        view.speak("de");
        assert_eq!(view.name.len(), LONGEST_NAME);
    }

    /// A page never says that somebody may come back earlier than they may.
    #[test]
    fn a_wait_is_never_told_shorter_than_it_is() {
        for (millis, told) in [
            (0, Wait::Seconds(1)),
            (1, Wait::Seconds(1)),
            (1_000, Wait::Seconds(1)),
            (1_001, Wait::Seconds(2)),
            (89_001, Wait::Seconds(90)),
            (90_001, Wait::Minutes(2)),
            (120_001, Wait::Minutes(3)),
        ] {
            assert_eq!(Wait::told(Duration::from_millis(millis)), told, "{millis} ms");
        }
    }

    /// A name of a script that needs joiners is shown as it was registered.
    #[test]
    fn a_name_cannot_turn_the_direction_of_writing() {
        for (name, expected) in [
            ("Bank\u{202e}knaB\u{0007}\u{200f}", "BankknaB"),
            ("My\u{200b}\u{ad}\u{2060}Bank\u{e0041}\u{3164}\u{fffa}", "MyBank"),
            ("\u{915}\u{94d}\u{200d}\u{937}", "\u{915}\u{94d}\u{200d}\u{937}"),
        ] {
            assert_eq!(shown(name), expected);
        }
    }
}

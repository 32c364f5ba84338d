//! What a page is: typed views in, HTML out.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;

use chancery_core::interaction::view::{
    AccountsView, ApprovalDoneView, ApprovalsView, ApproveView, ChangePasswordView, ConfirmDeviceView,
    ConfirmEndView, ConsentView, CustomView, DeviceDoneView, ErrorView, LoginView, LogoutConfirmView,
    LogoutDoneView, LogoutFramesView, OwnAccountView, SignUpView, SignedInView, UserCodeView,
};

use chancery_types::RedirectUri;

use crate::Locale;

pub use chancery_core::interaction::LANGUAGE;

/// The pages that a person sees. Implement it to have all of them your own; the crate `chancery-pages` has designed ones.
///
/// The library sets the headers: with its content security policy a page loads nothing ([`Html::with_images`]
/// lets it show a client's logo), runs no script ([`Html::with_script`] lets it run its own) and may have inline style only in `<style nonce="…">` with the
/// page's nonce. A form has to carry all fields of its [`FormMarkup`].
///
/// Whoever wants another login page, and nothing else, overrides that one: [`Service::with_own_pages`](crate::Service::with_own_pages).
pub trait Pages: Send + Sync {
    /// The languages of the pages as language tags (RFC 5646), the default one first.
    fn locales(&self) -> Vec<&str> {
        vec!["en"]
    }

    /// The whole page. Must escape what it shows; views hold text, not HTML.
    fn page(&self, page: Page<'_>, locale: &Locale) -> Html;

    /// The pages' own file of this name, such as a logo, which is served below [`Around::files`]. Browsers keep it for
    /// a year, so that a name has to change with what is in the file. By default there is none.
    fn file(&self, _name: &str) -> Option<PageFile> {
        None
    }
}

/// A file that belongs to the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageFile {
    /// Its media type.
    pub media_type: Cow<'static, str>,
    /// What is in it.
    pub content: Bytes,
}

impl PageFile {
    /// A file of this type.
    #[must_use]
    pub fn new(media_type: impl Into<Cow<'static, str>>, content: impl Into<Bytes>) -> Self {
        Self { media_type: media_type.into(), content: content.into() }
    }
}

/// Pages of which the application writes some by itself.
pub(crate) struct Overridden<F> {
    /// Those of the application.
    pub(crate) own: F,
    /// All others.
    pub(crate) others: Arc<dyn Pages>,
}

impl<F: Fn(Page<'_>, &Locale) -> Option<Html> + Send + Sync> Pages for Overridden<F> {
    fn locales(&self) -> Vec<&str> {
        self.others.locales()
    }

    fn file(&self, name: &str) -> Option<PageFile> {
        self.others.file(name)
    }

    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        (self.own)(page, locale).unwrap_or_else(|| self.others.page(page, locale))
    }
}

/// A page to be written.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    /// For the `nonce` attribute of `<style>`, and of `<script>` on the pages that submit themselves.
    pub nonce: &'a str,
    /// What it shows.
    pub content: Content<'a>,
    /// What stands around that.
    pub around: Around<'a>,
}

/// What stands around the content of every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Around<'a> {
    /// The issuer, whose pages these are.
    pub issuer: &'a str,
    /// The address below which the pages' own files are ([`Pages::file`]), without the slash.
    pub files: &'a str,
    /// The address of the page for whoever has come without an application, if there is one.
    pub home: Option<&'a str>,
    /// The address at which people see what they have here, if there is such a page.
    pub account: Option<&'a str>,
    /// The address of the icon, if there is one.
    pub icon: Option<&'a str>,
    /// The address at which GET shows what comes next, where the page answers a form: a script may put it into the
    /// browser's history, so that nobody who comes back is asked whether to send the form once more.
    pub entered_at: Option<&'a str>,
    /// How the person gets the same page in another language.
    pub language: LanguageSwitch<'a>,
}

impl<'a> Around<'a> {
    /// The pages of this issuer, without files, in one language, and without other pages that they lead to.
    #[must_use]
    pub const fn of(issuer: &'a str) -> Self {
        Self {
            issuer,
            files: issuer,
            home: None,
            account: None,
            icon: None,
            entered_at: None,
            language: LanguageSwitch::None,
        }
    }
}

/// How a person gets the same page in another language. The browser keeps what was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanguageSwitch<'a> {
    /// At this address, which ends where the language tag has to stand.
    Address(&'a str),
    /// By a submit button of the page's form, whose name is [`LANGUAGE`] and whose value is the language tag.
    Button,
    /// By a form of its own, because the page answers one: a submit button with that name and value, beside these fields.
    Form(&'a FormMarkup),
    /// Not on this page, which goes on by itself, or answers a form that cannot be sent again.
    None,
}

/// What a page shows.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Content<'a> {
    /// Choose an account. Buttons `account` = choice; `action` = `another`, `cancel`.
    Accounts(&'a AccountsView, &'a FormMarkup),
    /// What was decided about what a client had asked for in the background, and the address of whatever else waits.
    ApprovalDone(&'a ApprovalDoneView, &'a str),
    /// What waits for the person (CIBA Core section 8), and the address of this page: one segment below it, each
    /// request has a page under its [`reference`](chancery_core::interaction::view::WaitingView::reference). With
    /// `?prompt=login`, each of these addresses asks who the person is.
    Approvals(&'a ApprovalsView, &'a str),
    /// Approve what a client has asked for in the background, or refuse it. Buttons `action` = `allow`, `deny`. It
    /// has to show the binding message, which the person compares with what the client shows.
    Approve(&'a ApproveView, &'a FormMarkup),
    /// Choose a new password. Inputs `current`, `new`, `again`, and `keeps_others` = `yes` for whoever wants to stay
    /// signed in elsewhere; button `action` = `change`.
    ChangePassword(&'a ChangePasswordView, &'a FormMarkup),
    /// Say whether the device that asks is one's own (RFC 8628 section 3.3). Buttons `action` = `confirm`, `deny`.
    ConfirmDevice(&'a ConfirmDeviceView, &'a FormMarkup),
    /// Say whether to end a session, or what an application may. Button `action` = `end`, and a way back.
    ConfirmEnd(&'a ConfirmEndView, &'a FormMarkup),
    /// Allow a client something. Buttons `action` = `allow`, `deny`.
    Consent(&'a ConsentView, &'a FormMarkup),
    /// A question of the application's own. Whatever its form has besides the hidden fields goes to the application,
    /// by an address of the application ([`Service::own_form`](crate::Service::own_form)); the button `action` =
    /// `cancel` also works at the address of the [`FormMarkup`].
    Custom(&'a CustomView, &'a FormMarkup),
    /// What was decided for a device, to which the person goes back.
    DeviceDone(&'a DeviceDoneView),
    /// Something is wrong.
    Error(&'a ErrorView, Retry<'a>),
    /// There is nothing at this address, or nothing that can be opened like this: a step that is over, whose form was
    /// posted there.
    NotFound,
    /// Carries the authorization response to the client (OAuth 2.0 Form Post Response Mode section 2); should
    /// submit itself by a script with the nonce, and must have a button.
    FormPost(&'a FormMarkup),
    /// The page at the issuer's own address, for whoever has come here without an application.
    FrontPage(&'a FrontPageView),
    /// Sign in. Inputs `username`, `password`; buttons `action` = `login`, `cancel`, and `create` if people can make
    /// accounts.
    Login(&'a LoginView, &'a FormMarkup),
    /// Sign out, or not. Buttons `action` = `logout`, `logout_all` (where others are signed in), `stay`.
    LogoutConfirm(&'a LogoutConfirmView, &'a FormMarkup),
    /// What a logout request has come to. Where others are signed in and there is something to post
    /// ([`LogoutDoneView::again`]), button `action` = `logout_all`.
    LogoutDone(&'a LogoutDoneView, &'a FormMarkup),
    /// Loads every frame of the view, each with the attribute `sandbox`: without `allow-top-navigation` a client, which
    /// anybody may have registered, takes the person nowhere, and opens no window. With an address, the page goes
    /// on there when they have been loaded, or take too long, by the script [`CONTINUE`] with the nonce; without
    /// scripts by `<meta http-equiv=refresh>`, as soon as the last one was loaded. It must have a link with the
    /// id `continue` to it, for whoever does not want to wait. Without one, it says the same as
    /// [`Content::LogoutDone`].
    LogoutFrames(&'a LogoutFramesView, Option<&'a str>, &'a FormMarkup),
    /// What a person has here: sessions and applications, with a way to end each.
    OwnAccount(&'a OwnAccountView),
    /// Carries a request that another site posted, so that it comes again from our own pages with our cookies. Like [`Content::FormPost`].
    Repost(&'a FormMarkup),
    /// Sends the authorization response to the window that has opened or framed the page; by the script
    /// [`SEND_MESSAGE`] with the nonce. It must have an element with the id `message` and the attributes `data-json` and
    /// `data-origin`, and should have a link to the origin, for where no script runs. Only this page can be framed, and only by that origin.
    WebMessage(&'a MessageMarkup),
    /// Make an account. Inputs `username`, `password`; buttons `action` = `create`, `login`, `cancel`.
    SignUp(&'a SignUpView, &'a FormMarkup),
    /// Nothing is left to do here; the same request can perhaps be started again.
    SignedIn(&'a SignedInView, Retry<'a>),
    /// Enter the code that a device shows. Input `user_code`.
    UserCode(&'a UserCodeView, &'a FormMarkup),
}

/// What the page at the issuer's own address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontPageView {
    /// The issuer.
    pub issuer: String,
    /// The address of the metadata (OIDC Discovery section 4).
    pub metadata: String,
    /// The address of the keys.
    pub keys: String,
    /// The authorization endpoint, for clients that do not read the metadata.
    pub authorization: String,
    /// The token endpoint.
    pub token: String,
    /// UserInfo.
    pub userinfo: String,
    /// The logout endpoint.
    pub end_session: String,
    /// Clients for an application of one's own, where the provider is for trying things out.
    pub trial: Option<TrialClients>,
}

/// Clients that a developer may use for an application of their own. Whoever shows them shows the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialClients {
    /// The `client_id` of a public client, for an application in the browser.
    pub public: String,
    /// The `client_id` of a client with the secret, for an application on a server.
    pub confidential: String,
    /// The `client_id` of a client with the secret, for an application without a person.
    pub machine: String,
    /// The secret of [`confidential`](Self::confidential), or what stands for one that is not known.
    pub secret: String,
    /// The secret of [`machine`](Self::machine), or what stands for one that is not known.
    pub machine_secret: String,
    /// The user name of the person who can sign in.
    pub username: String,
    /// Whether the person has another password than the one that was told when the provider was started.
    pub has_own_password: bool,
    /// What is typed to start `chancery`, whose commands add people and clients here, as a shell reads it; none where they
    /// cannot.
    pub program: Option<String>,
}

/// Whether the person can simply try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry<'a> {
    /// At this address.
    At(&'a str),
    /// Only from the application on.
    No,
}

/// The script of a page that submits its only form; to stand in `<script nonce="…">`. It asks the prototype,
/// because a field called `submit` hides the form's own method; `e2e/browser` has a request with such a
/// field.
pub const SUBMIT: &str = "HTMLFormElement.prototype.submit.call(document.forms[0])";

/// The script of a page that goes on when everything in it has been loaded, or has taken too long: to where its
/// link `continue` leads.
pub const CONTINUE: &str = "(function(){var gone=false;function go(){if(!gone){gone=true;\
    location.replace(document.getElementById('continue').href)}}window.onload=go;setTimeout(go,5000)})()";

/// The script of a page that sends a message to the window of a client: to the origin that its element `message`
/// names and to no other. Then it closes its window, if that was opened for it.
pub const SEND_MESSAGE: &str = "(function(){var message=document.getElementById('message').dataset,\
    client=window.opener||window.parent;client.postMessage(JSON.parse(message.json),message.origin);window.close()})()";

/// An authorization response as a message between windows (draft-sakimura-oauth-wmrm section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageMarkup {
    /// Who may receive it: the origin of the redirect URI.
    pub origin: String,
    /// The message as JSON in which no character means anything in HTML but the quotation mark, so that it
    /// is the same inside of a script.
    pub json: String,
}

impl MessageMarkup {
    pub(crate) fn new(origin: String, parameters: &[(&str, &str)]) -> Self {
        let response: serde_json::Map<_, _> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        let message = serde_json::json!({ "type": "authorization_response", "response": response });
        let mut json = String::new();
        for character in message.to_string().chars() {
            match character {
                '<' | '>' | '&' | '\'' | '\u{2028}' | '\u{2029}' => {
                    let _ = write!(json, "\\u{:04x}", u32::from(character));
                }
                other => json.push(other),
            }
        }
        Self { origin, json }
    }
}

/// What a form needs to reach us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormMarkup {
    /// The value of the attribute `action`. The method is always `post`.
    pub action: String,
    /// Hidden fields: name and value.
    pub fields: Vec<(String, String)>,
}

impl FormMarkup {
    pub(crate) fn new(action: String, fields: &[(&'static str, String)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        Self { action, fields: fields.collect() }
    }

    /// The hidden fields as HTML, escaped.
    #[must_use]
    pub fn hidden_inputs(&self) -> Html {
        // Room for the markup, and for a few characters that have to be escaped.
        let length = self.fields.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
        let mut html = String::with_capacity(length);
        for (name, value) in &self.fields {
            let (name, value) = (Html::escape(name), Html::escape(value));
            let _ = write!(html, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
        }
        Html::new(html)
    }
}

/// HTML, as it is sent. What is put into it has to be escaped before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html {
    markup: String,
    has_script: bool,
    images: Option<ImageOrigin>,
}

/// An origin that a page may load images from: https, and a host that a content security policy can name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageOrigin(String);

impl ImageOrigin {
    /// The origin of the address of an image. `None` if it is not https, or if its host has characters that
    /// mean something else in a policy, as `;` and `*` do (CSP Level 3 section 2.3.1).
    #[must_use]
    pub fn of(address: &str) -> Option<Self> {
        let without_fragment = address.split('#').next().unwrap_or_default();
        let origin = RedirectUri::parse(without_fragment).ok()?.origin()?;
        (origin.starts_with("https://") && is_nameable(&origin)).then_some(Self(origin))
    }

    /// As a policy names it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a content security policy can name this origin: its host has no character that means something else
/// there, as `;` and `*` do (CSP Level 3 section 2.3.1).
pub(crate) fn is_nameable(origin: &str) -> bool {
    let host_and_port = origin.split_once("://").map_or("", |(_, host_and_port)| host_and_port);
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':');
    !host_and_port.is_empty() && host_and_port.bytes().all(is_name)
}

impl Html {
    /// Markup that is HTML already.
    #[must_use]
    pub fn new(markup: impl Into<String>) -> Self {
        Self { markup: markup.into(), has_script: false, images: None }
    }

    /// The same page, which runs a script: as `<script nonce="…">` with the page's nonce, and no other.
    /// Signing in by a key of the person's device needs one.
    #[must_use]
    pub fn with_script(self) -> Self {
        Self { has_script: true, ..self }
    }

    /// The same page, which shows images of another origin, such as the logo of a client. Whoever serves them
    /// learns from which network a page is looked at, but not which one.
    #[must_use]
    pub fn with_images(self, from: ImageOrigin) -> Self {
        Self { images: Some(from), ..self }
    }

    pub(crate) fn has_script(&self) -> bool {
        self.has_script
    }

    pub(crate) fn images(&self) -> Option<&ImageOrigin> {
        self.images.as_ref()
    }

    /// Text as HTML, for between tags and for quoted attributes.
    #[must_use]
    pub fn escape(text: &str) -> Self {
        let mut html = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')) {
            let (before, special) = rest.split_at(at);
            let mut characters = special.chars();
            html.push_str(before);
            html.push_str(match characters.next() {
                Some('&') => "&amp;",
                Some('<') => "&lt;",
                Some('>') => "&gt;",
                Some('"') => "&quot;",
                _ => "&#39;",
            });
            rest = characters.as_str();
        }
        html.push_str(rest);
        Self::new(html)
    }

    /// The markup.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.markup
    }

    pub(crate) fn into_string(self) -> String {
        self.markup
    }
}

impl std::fmt::Display for Html {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.markup)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client writes into its metadata ends up in a header: nothing in it may end the directive, name
    /// more than one host, or let anything else in.
    #[test]
    fn only_a_plain_https_origin_is_admitted() {
        let origin = |address| ImageOrigin::of(address).map(|origin| origin.as_str().to_owned());
        for (address, expected) in [
            ("https://app.example/logo.png", "https://app.example"),
            ("https://APP.example:443/logo.png?x=;#part", "https://app.example"),
            ("https://app.example:8443", "https://app.example:8443"),
            ("https://192.0.2.1/logo", "https://192.0.2.1"),
        ] {
            assert_eq!(origin(address).as_deref(), Some(expected), "{address}");
        }
        for refused in [
            "http://app.example/logo.png",
            "http://127.0.0.1/logo.png",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "//app.example/logo.png",
            "/logo.png",
            "",
            "https:",
            "https:///logo.png",
            "https://*/logo.png",
            "https://*.example/logo.png",
            "https://a.example;script-src/logo.png",
            "https://a.example,b.example/logo.png",
            "https://'unsafe-inline'/logo.png",
            "https://a%20b.example/logo.png",
            "https://a%3bscript-src/logo.png",
            "https://user@a.example/logo.png",
            "https://[::1]/logo.png",
            "https://a.example /logo.png",
            "https://a.example\r\nx: y/logo.png",
        ] {
            assert_eq!(origin(refused), None, "{refused}");
        }
    }

    /// RMODE-11
    #[test]
    fn hidden_fields_are_escaped() {
        let form = FormMarkup { action: "/".into(), fields: vec![("a\"b".into(), "<'&>\"".into())] };
        assert_eq!(
            form.hidden_inputs().as_str(),
            "<input type=\"hidden\" name=\"a&quot;b\" value=\"&lt;&#39;&amp;&gt;&quot;\">"
        );
    }
}

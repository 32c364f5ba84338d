//! The provider with its pages and cookies.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_core::context::{Call, PostedAgain};
use chancery_core::error::Failure;
use chancery_core::event::Origins;
use chancery_core::interaction::view::{
    AccountsView, ApprovalDoneView, DeviceDoneView, ErrorView, FormAction, FormView, LoginView,
    LogoutDoneView, LogoutFramesView, SignUpView, UnregisteredView,
};
use chancery_core::interaction::{Entrance, Location};
use chancery_core::offered::Endpoint;
use chancery_core::provider::Provider;
use chancery_core::request::{Mistake, PageError, UnregisteredUri};
use chancery_types::ClientId;
use chancery_types::handle::{Handle, Interaction};
use http::header::{ORIGIN, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use crate::cookies::Cookies;
use crate::cross_site::{FORM_OF_ANOTHER_ORIGIN, NOT_OF_FRONT_END};
use crate::encode::{Form, HttpResponse, MayBeFramed, error_body, in_query, page, page_policy};
use crate::form::URL_LIMIT;
use crate::pages::{
    Around, Content, FormMarkup, LANGUAGE, LanguageSwitch, Page, Pages, Retry, TrialClients, is_nameable,
};
use crate::route::Route;
use crate::{Locale, locale};

/// Longest list of origins in a policy. Proxies refuse an answer whose header has more than some 8 KB.
const LONGEST_FRAMES: usize = 4096;

/// What a policy says of the origins of what a page frames: each once, as far as it can name them; or where they are
/// too many for a header, their schemes.
fn frames(content: Content<'_>) -> Vec<String> {
    let Content::LogoutFrames(view, ..) = content else { return Vec::new() };
    let origins = view.frames.iter().filter_map(|uri| uri.origin());
    let origins: BTreeSet<String> = origins.filter(|origin| is_nameable(origin)).collect();
    if origins.iter().map(|origin| origin.len() + 1).sum::<usize>() <= LONGEST_FRAMES {
        return origins.into_iter().collect();
    }
    let schemes = origins.iter().filter_map(|origin| origin.split_once("//"));
    let schemes: BTreeSet<&str> = schemes.map(|(scheme, _)| scheme).collect();
    schemes.into_iter().map(str::to_owned).collect()
}

/// Who may frame a page: nobody, but for the page whose message goes to that very origin.
fn ancestor(content: Content<'_>) -> Option<&str> {
    let Content::WebMessage(message) = content else { return None };
    Some(&*message.origin).filter(|origin| is_nameable(origin))
}

/// How the person gets the same page in another language.
enum Other {
    /// At this address and a language tag.
    At(String),
    /// By the page's form.
    ByForm,
    /// By a form that says once more what the page answers.
    Again(FormMarkup),
    /// Not from this page.
    Nowhere,
}

/// What all clones of a Service share.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) provider: Arc<Provider>,
    pub(crate) pages: Arc<dyn Pages>,
    pub(crate) cookies: Arc<Cookies>,
    /// The clients that the front page tells about.
    pub(crate) trial: Option<Arc<TrialClients>>,
}

impl Site {
    /// The URL of an endpoint, which is made from the configuration, never from the request.
    pub(crate) fn address(&self, route: Route<'_>) -> String {
        let issuer = self.provider.issuer();
        let path = self.provider.routes().path(route.endpoint).unwrap_or_default();
        match route.below {
            Some(segment) => format!("{issuer}{path}/{segment}"),
            None => format!("{issuer}{path}"),
        }
    }

    /// The URL of the pages on another origin, for this interaction.
    pub(crate) fn address_of_pages(&self, interaction: &str) -> String {
        let location = self.provider.pages_location().map_or("", Location::as_str);
        in_query(location, &[("interaction", interaction)])
    }

    /// The URL of the pages for a stored interaction.
    pub(crate) fn address_of_stored(&self, handle: &Handle<Interaction>, client: &ClientId) -> String {
        match (self.provider.pages_location(), self.provider.interactions_by_client()) {
            (Some(location), Some(by_client)) if by_client.parameter.is_empty() => {
                location.as_str().to_owned()
            }
            (Some(location), Some(by_client)) => {
                in_query(location.as_str(), &[(&*by_client.parameter, client.as_str())])
            }
            (Some(_), None) => self.address_of_pages(&handle.reveal()),
            (None, _) => self.address(Route::below(Endpoint::Interaction, &handle.reveal())),
        }
    }

    /// The URL of the page of what waits for the person, or of the one request that the link names.
    pub(crate) fn address_of_approvals(&self, link: Option<&str>) -> String {
        self.address(Route { endpoint: Endpoint::Approvals, below: link })
    }

    /// The URL of a page of a person's account, by what stands behind the address of the first one.
    pub(crate) fn address_of_account(&self, reference: &str) -> String {
        format!("{}{reference}", self.address(Route::at(Endpoint::Account)))
    }

    /// The URL by which a person comes back who is at a page that answers a form.
    pub(crate) fn address_of_entrance(&self, entrance: &Entrance) -> String {
        match entrance {
            Entrance::Request(query) => {
                format!("{}?{query}", self.address(Route::at(Endpoint::Authorization)))
            }
            Entrance::Account(reference) => self.address_of_account(reference),
            Entrance::Approvals(link) => self.address_of_approvals(link.as_deref()),
            Entrance::UserCode => self.address(Route::at(Endpoint::UserCode)),
            Entrance::Logout(client) => self.address_of_logout(client.as_deref()),
        }
    }

    /// The URL of the logout endpoint, for this client.
    fn address_of_logout(&self, client: Option<&str>) -> String {
        let endpoint = self.address(Route::at(Endpoint::EndSession));
        match client {
            Some(client) => in_query(&endpoint, &[("client_id", client)]),
            None => endpoint,
        }
    }

    /// What the form of a page needs to reach us.
    pub(crate) fn markup(&self, form: &FormView) -> FormMarkup {
        let action = match &form.action {
            FormAction::First => self.address(Route::at(Endpoint::Interaction)),
            FormAction::Stored(handle) => self.address(Route::below(Endpoint::Interaction, &handle.reveal())),
        };
        FormMarkup::new(action, &form.fields)
    }

    /// A page in the person's language.
    pub(crate) fn page(
        &self,
        call: &Call,
        status: StatusCode,
        content: Content<'_>,
        form: Form,
    ) -> HttpResponse {
        let ui_locales = match content {
            Content::Accounts(view, _) => view.form.ui_locales.as_deref(),
            Content::ApprovalDone(view, _) => view.again.ui_locales.as_deref(),
            Content::Approve(view, _) => view.form.ui_locales.as_deref(),
            Content::ConfirmDevice(view, _) => view.form.ui_locales.as_deref(),
            Content::DeviceDone(view) => view.again.ui_locales.as_deref(),
            Content::Consent(view, _) => view.form.ui_locales.as_deref(),
            Content::Custom(view, _) => view.form.ui_locales.as_deref(),
            Content::Login(view, _) => view.form.ui_locales.as_deref(),
            Content::SignUp(view, _) => view.form.ui_locales.as_deref(),
            Content::SignedIn(view, _) => view.ui_locales.as_deref(),
            // Those of a logout request are among the wishes of the call.
            _ => None,
        };
        let locale = self.locale(call, ui_locales);
        let nonce = URL_SAFE_NO_PAD.encode(*self.provider.env().secret::<16>());
        let files = self.address(Route::at(Endpoint::PageFile));
        let other = self.other_language(call, content);
        let on = self.provider.endpoints();
        let address = |endpoint| on.has(endpoint).then(|| self.address(Route::at(endpoint)));
        let [account, icon] = [Endpoint::Account, Endpoint::Icon].map(address);
        let issuer = self.provider.issuer().as_str();
        let around = Around {
            files: &files,
            home: on.has(Endpoint::FrontPage).then_some(issuer),
            account: account.as_deref(),
            icon: icon.as_deref(),
            entered_at: call.entered_at.as_deref(),
            language: match &other {
                Other::At(address) => LanguageSwitch::Address(address),
                Other::ByForm => LanguageSwitch::Button,
                Other::Again(form) => LanguageSwitch::Form(form),
                Other::Nowhere => LanguageSwitch::None,
            },
            ..Around::of(issuer)
        };
        let html = self.pages.page(Page { nonce: &nonce, content, around }, &locale);
        let form = match (form, &other) {
            (Form::None, Other::Again(_)) => Form::Pressed,
            _ => form,
        };
        let policy = page_policy(&nonce, form, &html, (&frames(content), ancestor(content)));
        let mut answer = page(status, html, &policy);
        if ancestor(content).is_some() {
            answer.extensions_mut().insert(MayBeFramed);
        }
        answer
    }

    /// The language of a page.
    pub(crate) fn locale(&self, call: &Call, ui_locales: Option<&str>) -> Locale {
        let mut wishes = locale::wishes(ui_locales, None);
        wishes.splice(0..0, call.language.iter().cloned());
        wishes.extend(call.languages.iter().cloned());
        Locale::negotiate(&wishes, &self.pages.locales())
    }

    /// How the person gets the same page in another language.
    fn other_language(&self, call: &Call, content: Content<'_>) -> Other {
        match content {
            // They go on by themselves.
            Content::FormPost(_)
            | Content::Repost(_)
            | Content::WebMessage(_)
            | Content::LogoutFrames(_, Some(_), _) => return Other::Nowhere,
            // No address shows what was decided.
            Content::ApprovalDone(ApprovalDoneView { again, .. }, _)
            | Content::DeviceDone(DeviceDoneView { again, .. }) => return Other::Again(self.markup(again)),
            _ => {}
        }
        let on =
            |endpoint| self.provider.endpoints().has(endpoint).then(|| self.address(Route::at(endpoint)));
        let shown_at = call.shown_at.as_deref().map(Cow::Borrowed);
        let shown_at = match content {
            // Its form keeps what the page says of what was typed.
            Content::Accounts(AccountsView { choice_has_ended: true, .. }, _)
            | Content::Login(LoginView { problem: Some(_), .. }, _)
            | Content::SignUp(SignUpView { problem: Some(_), .. }, _) => None,
            Content::UserCode(..) => shown_at.or_else(|| on(Endpoint::UserCode).map(Cow::Owned)),
            Content::OwnAccount(view) => shown_at.or(Some(Cow::Borrowed(&view.address))),
            // The form says of whom it is told.
            Content::LogoutDone(LogoutDoneView { again, .. }, _)
            | Content::LogoutFrames(LogoutFramesView { done: LogoutDoneView { again, .. }, .. }, ..)
                if !again.is_empty() =>
            {
                None
            }
            // Where nobody is left to be signed out, the endpoint answers like this once more.
            Content::LogoutDone(view, _) if view.others.is_empty() => {
                let client = view.client.as_ref().map(|client| client.id.as_str());
                let again = |_| Cow::Owned(self.address_of_logout(client));
                shown_at.or_else(|| on(Endpoint::EndSession).map(again))
            }
            _ => shown_at,
        };
        let separator = |address: &str| if address.contains('?') { '&' } else { '?' };
        let address = shown_at.map(|address| format!("{address}{}{LANGUAGE}=", separator(&address)));
        match (address, content) {
            (Some(address), _) if address.len() < URL_LIMIT => Other::At(address),
            (
                _,
                Content::Accounts(..)
                | Content::Approve(..)
                | Content::ChangePassword(..)
                | Content::ConfirmDevice(..)
                | Content::ConfirmEnd(..)
                | Content::Consent(..)
                | Content::Custom(..)
                | Content::Login(..)
                | Content::LogoutConfirm(..)
                | Content::SignUp(..),
            ) => Other::ByForm,
            (
                _,
                Content::LogoutDone(LogoutDoneView { again, .. }, markup)
                | Content::LogoutFrames(LogoutFramesView { done: LogoutDoneView { again, .. }, .. }, _, markup),
            ) if !again.is_empty() => Other::Again(markup.clone()),
            (_, Content::Error(..) | Content::SignedIn(..)) => match call.posted_again.as_deref() {
                Some(PostedAgain { address, fields }) => {
                    Other::Again(FormMarkup { action: address.to_string(), fields: fields.clone() })
                }
                None => Other::Nowhere,
            },
            _ => Other::Nowhere,
        }
    }

    /// What a page says of a URI that is not registered: nothing, unless only developers see it.
    pub(crate) fn told_to_developers(&self, came: Option<&UnregisteredUri>) -> Option<UnregisteredView> {
        let clients = self.trial.as_deref()?;
        Some(UnregisteredView::of(came?, clients.program.as_deref()))
    }

    /// The error page.
    pub(crate) fn error_page(&self, call: &Call, error: &PageError, retry: Retry<'_>) -> HttpResponse {
        let locale = self.locale(call, None);
        let view = ErrorView::of(error, self.provider.issuer(), call.request_id.clone(), locale.as_str());
        let view = match &self.trial {
            Some(clients) => view.for_developers(error, clients.program.as_deref()),
            None => view,
        };
        // Status and Retry-After are those that a client would get; only 401 would challenge the browser, so
        // it becomes 400.
        let as_json = error_body(&error.failure, self.provider.issuer());
        let status = match as_json.status() {
            StatusCode::UNAUTHORIZED => StatusCode::BAD_REQUEST,
            other => other,
        };
        let mut answer = self.page(call, status, Content::Error(&view, retry), Form::None);
        if let Some(wait) = as_json.headers().get(RETRY_AFTER) {
            answer.headers_mut().insert(RETRY_AFTER, wait.clone());
        }
        answer
    }

    /// Records why the request of a person's browser was not even read, with where it came from if that is why.
    pub(crate) fn unread(
        &self,
        call: &Call,
        endpoint: Endpoint,
        failure: Failure,
        headers: &HeaderMap,
    ) -> PageError {
        let own = match &failure {
            Failure::Refused(why) if *why.reason == FORM_OF_ANOTHER_ORIGIN => {
                Some(self.provider.issuer().origin())
            }
            Failure::Refused(why) if *why.reason == NOT_OF_FRONT_END => {
                self.provider.pages_location().map(Location::origin)
            }
            _ => None,
        };
        let sent = headers.get_all(ORIGIN).iter().map(|sent| String::from_utf8_lossy(sent.as_bytes()));
        let sent = sent.collect::<Vec<_>>().join(", ");
        let sent = Some(&*sent).filter(|sent| !sent.is_empty());
        let mistake = own.map(|own| Mistake::AnotherOrigin(Origins::of(sent, own)));
        let error = PageError { mistake, ..failure.into() };
        error.record(call, self.provider.env(), endpoint);
        error
    }

    /// Records a refusal that happened before the engine saw the request.
    pub(crate) fn refused(&self, call: &Call, endpoint: Endpoint, failure: &Failure) {
        self.provider.env().record_failure(call, endpoint, None, failure);
    }
}

//! One tab: a page, or the client that was reached.

use bytes::Bytes;
use chancery_core::error::Reason;
use chancery_core::event::Event;
use http::{Method, Request};

use super::cookies::From;
use super::{End, HtmlForm, HtmlPage, Step, UserAgent, credentials};
use crate::answer::{Answer, MayRefuse};
use crate::authorization_request::{Arrival, AuthorizationRequest, Code};
use crate::events;

/// One tab. Each action gives the tab as it is afterwards; the older value is what the back button shows, so
/// that it can be acted on again.
#[derive(Clone)]
pub struct Tab<'u, 'k> {
    ua: &'u UserAgent<'k>,
    request: Option<AuthorizationRequest>,
    address: String,
    answer: Answer,
    events: Vec<Event>,
    arrival: Option<Arrival>,
}

impl<'u, 'k> Tab<'u, 'k> {
    pub(super) fn new(ua: &'u UserAgent<'k>, request: Option<AuthorizationRequest>, end: End) -> Self {
        let End { address, answer, events, arrival } = end;
        Self { ua, request, address, answer, events, arrival }
    }

    /// Path and query of what the tab shows.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The last response.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Their names.
    #[must_use]
    pub fn event_names(&self) -> Vec<&'static str> {
        events::names(&self.events)
    }

    /// The events of the last action, redirects included.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether the client was reached, with this parameter.
    #[must_use]
    pub fn is_answered_with(&self, name: &str) -> bool {
        self.arrival.as_ref().is_some_and(|arrival| arrival.value(name).is_some())
    }

    /// What the tab shows.
    #[must_use]
    pub fn page(&self) -> HtmlPage {
        HtmlPage::read(self.answer.text())
    }

    /// The form of the page.
    #[track_caller]
    #[must_use]
    pub fn form(&self) -> HtmlForm {
        let page = self.page();
        page.forms
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no form on {}: {}", page.name, self.answer.text()))
    }

    /// The same tab, if it shows this page: `login`, `consent`, `accounts`, `signed-in`, `error`.
    #[track_caller]
    #[must_use]
    pub fn expect_page(self, name: &str) -> Self {
        let page = self.page();
        assert_eq!(page.name, name, "{:?} {:?} {}", self.events, self.arrival, page.text);
        self
    }

    /// The same tab, if its request cannot go on here, and the page says so and offers a way on.
    #[track_caller]
    #[must_use]
    pub fn expect_way_on(&self) -> Self {
        let tab = self.clone().expect_page("signed-in");
        assert!(!tab.page().links.is_empty(), "a dead end: {}", tab.page().text);
        tab
    }

    /// Starts the same request again by the link of such a page.
    #[track_caller]
    #[must_use]
    pub fn restart(&self) -> Self {
        let links = self.expect_way_on().page().links;
        let link =
            links.iter().find(|link| link.contains("/authorize?")).unwrap_or_else(|| panic!("{links:?}"));
        self.follow(link)
    }

    /// The form was not looked at, for this reason, and that is all that happened. A page that comes again says so.
    #[track_caller]
    pub fn expect_refused_form(&self, why: &'static Reason) {
        let others =
            self.event_names().into_iter().filter(|name| !["refused", "prompt_shown"].contains(name));
        assert_eq!((events::refusals(&self.events), others.collect::<Vec<_>>()), (vec![why.name], vec![]));
        let page = self.page();
        let is_told = self.answer.text().contains("role=\"alert\"") || page.forms.is_empty();
        assert!(is_told, "the page comes again without a word: {}", page.text);
    }

    /// What the client got.
    #[track_caller]
    #[must_use]
    pub fn expect_arrival(&self) -> Arrival {
        self.arrival.clone().unwrap_or_else(|| {
            panic!(
                "the client was not reached: {} {:?} {}",
                self.answer.status,
                self.events,
                self.answer.text()
            )
        })
    }

    /// The code that the client got, with its own `state` and our `iss` (RFC 9207 section 2).
    #[track_caller]
    #[must_use]
    pub fn expect_code(&self) -> Code {
        let arrival = self.expect_arrival();
        let request = self.request.as_ref().expect("the tab began with an authorization request");
        let code = arrival.value("code").unwrap_or_else(|| panic!("no code: {arrival:?} {:?}", self.events));
        assert_eq!(arrival.value("error"), None);
        self.check_frame(&arrival);
        Code {
            code: code.to_owned(),
            client: request.client.clone(),
            redirect_uri: request.meant("redirect_uri").next().map(str::to_owned),
            verifier: request.verifier().map(str::to_owned),
        }
    }

    /// The error that the client got, with its own `state` and our `iss` (RFC 9207 section 2).
    #[track_caller]
    #[must_use]
    pub fn expect_error(&self, code: &str) -> Arrival {
        let arrival = self.expect_arrival();
        assert_eq!(arrival.value("error"), Some(code), "{arrival:?} {:?}", self.events);
        assert_eq!(arrival.value("code"), None);
        self.check_frame(&arrival);
        arrival
    }

    /// `state` comes back if it was sent once, and `iss` always.
    #[track_caller]
    fn check_frame(&self, arrival: &Arrival) {
        let request = self.request.as_ref().expect("the tab began with an authorization request");
        let mut states = request.meant("state");
        let state = states.next().filter(|_| states.next().is_none());
        assert_eq!(arrival.value("state"), state);
        assert_eq!(arrival.value("iss"), Some(self.ua.kit.issuer().as_str()));
    }

    /// Fills in the form and presses a button: name and value of both.
    #[track_caller]
    #[must_use]
    pub fn submit(&self, typed: &[(String, String)], button: (&str, &str)) -> Self {
        self.post(&self.form().action, &self.filled_in(typed, button))
    }

    /// What the browser would send when the form is filled in and the button pressed.
    #[track_caller]
    #[must_use]
    pub fn to_http(&self, typed: &[(String, String)], button: (&str, &str)) -> Request<Bytes> {
        self.ua.request(&self.step(&self.form().action, &self.filled_in(typed, button)))
    }

    #[track_caller]
    fn filled_in(&self, typed: &[(String, String)], button: (&str, &str)) -> Vec<(String, String)> {
        let form = self.form();
        let is_there = form.buttons.iter().any(|have| (have.name.as_str(), have.value.as_str()) == button);
        assert!(is_there, "no button {button:?} on {}: {:?}", self.page().name, form.buttons);
        let mut fields = form.fields;
        for (name, value) in typed {
            let field = fields.iter_mut().find(|(have, _)| have == name);
            field.unwrap_or_else(|| panic!("no field {name} on {}", self.page().name)).1.clone_from(value);
        }
        fields.push((button.0.to_owned(), button.1.to_owned()));
        fields
    }

    /// Posts these fields from the page that is shown, whatever its form has.
    #[must_use]
    pub fn post(&self, action: &str, fields: &[(String, String)]) -> Self {
        Self::new(self.ua, self.request.clone(), self.ua.go(self.step(action, fields)))
    }

    fn step(&self, action: &str, fields: &[(String, String)]) -> Step {
        let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = chancery_types::params::encode(pairs);
        Step { method: Method::POST, target: self.ua.ours(action), body, from: From::Ours }
    }

    /// Signs in with the account's password.
    #[track_caller]
    #[must_use]
    pub fn login(&self, account: &str) -> Self {
        self.submit(&credentials(account), ("action", "login"))
    }

    /// Types a name and a wrong password.
    #[track_caller]
    #[must_use]
    pub fn login_wrongly(&self, account: &str) -> Self {
        let [name, (password, _)] = credentials(account);
        self.submit(&[name, (password, "a wrong password".to_owned())], ("action", "login"))
    }

    /// Allows what the page asks for.
    #[track_caller]
    #[must_use]
    pub fn allow(&self) -> Self {
        self.submit(&[], ("action", "allow"))
    }

    /// Allows nothing.
    #[track_caller]
    #[must_use]
    pub fn deny(&self) -> Self {
        self.submit(&[], ("action", "deny"))
    }

    /// Does not want to go on.
    #[track_caller]
    #[must_use]
    pub fn cancel(&self) -> Self {
        self.submit(&[], ("action", "cancel"))
    }

    /// Chooses an account by its label.
    #[track_caller]
    #[must_use]
    pub fn choose(&self, account: &str) -> Self {
        let form = self.form();
        let button =
            form.buttons.iter().find(|button| button.name == "account" && button.label.contains(account));
        let button = button.unwrap_or_else(|| panic!("no {account} among {:?}", form.buttons));
        self.submit(&[], (&button.name, &button.value))
    }

    /// Wants another account than those that are signed in.
    #[track_caller]
    #[must_use]
    pub fn choose_another(&self) -> Self {
        self.submit(&[], ("action", "another"))
    }

    /// Loads the address again by GET.
    #[must_use]
    pub fn reload(&self) -> Self {
        let step =
            Step { method: Method::GET, target: self.address.clone(), body: String::new(), from: From::Ours };
        Self::new(self.ua, self.request.clone(), self.ua.go(step))
    }

    /// Follows a link of the page to an address of ours.
    #[must_use]
    pub fn follow(&self, link: &str) -> Self {
        let step =
            Step { method: Method::GET, target: self.ua.ours(link), body: String::new(), from: From::Ours };
        Self::new(self.ua, self.request.clone(), self.ua.go(step))
    }
}

impl MayRefuse for Tab<'_, '_> {
    /// What the client reads, or the code that the error page shows.
    fn refusal(&self) -> Option<(String, Option<String>)> {
        if let Some(arrival) = &self.arrival {
            let text = |name| arrival.value(name).map(str::to_owned);
            return text("error").map(|code| (code, text("error_description")));
        }
        let page = self.page();
        let shown = self.events.iter().find_map(|event| match event {
            Event::Refused { reason, .. } if page.text.contains(reason.code.as_str()) => Some(*reason),
            _ => None,
        });
        let shown = shown.filter(|_| page.name == "error")?;
        let description = Some(shown.description.to_owned()).filter(|text| !text.is_empty());
        Some((shown.code.as_str().to_owned(), description))
    }

    fn events(&self) -> &[Event] {
        &self.events
    }
}

//! A browser without a screen: cookies, redirects, forms, and no scripts but the one that submits a page's
//! only form.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;

use bytes::Bytes;
use chancery_core::event::Event;
use chancery_http::Peer;
use chancery_jose::sha256;
use chancery_types::Params;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE, USER_AGENT};
use http::{HeaderValue, Method, Request};

use crate::answer::Answer;
use crate::authorization_request::{Arrival, AuthorizationRequest};
use crate::people::password_of;
use crate::provider::TestProvider;

mod cookies;
mod front_end;
mod page;
mod records;
mod tab;

pub use front_end::FrontEnd;
pub use page::{Button, HtmlForm, HtmlPage};
pub use tab::Tab;

use cookies::{From, Jar};

/// A browser of one person. Every navigation is a [`Tab`]; tabs share the cookies.
///
/// It is as strict as browsers are: it keeps `Path`, `Max-Age` and `SameSite=Lax` (a form that another site
/// posts comes without cookies), and a cookie that a browser would drop fails the test.
pub struct UserAgent<'k> {
    pub(crate) kit: &'k TestProvider,
    jar: Rc<RefCell<Jar>>,
    address: Rc<Cell<Option<IpAddr>>>,
    name: Rc<RefCell<Option<String>>>,
}

/// Where a navigation ended.
struct End {
    address: String,
    answer: Answer,
    events: Vec<Event>,
    arrival: Option<Arrival>,
}

/// A request that a browser is about to make.
struct Step {
    method: Method,
    target: String,
    body: String,
    from: From,
}

impl<'k> UserAgent<'k> {
    pub(crate) fn new(kit: &'k TestProvider) -> Self {
        Self { kit, jar: Rc::default(), address: Rc::default(), name: Rc::default() }
    }

    /// The same browser, which visits another provider now; one host's providers share its cookies.
    #[must_use]
    pub fn at<'o>(&self, kit: &'o TestProvider) -> UserAgent<'o> {
        UserAgent {
            kit,
            jar: Rc::clone(&self.jar),
            address: Rc::clone(&self.address),
            name: Rc::clone(&self.name),
        }
    }

    /// The provider that it visits.
    #[must_use]
    pub fn provider(&self) -> &'k TestProvider {
        self.kit
    }

    /// Comes from this network address from now on; before, from the one that all share.
    pub fn comes_from(&self, address: &str) {
        self.address.set(Some(address.parse().expect("an IP address")));
    }

    /// Says this of itself from now on (RFC 9110 section 10.1.5); before, nothing.
    pub fn calls_itself(&self, user_agent: &str) {
        *self.name.borrow_mut() = Some(user_agent.to_owned());
    }

    /// Another browser with the cookies that this one has now: somebody copied them, or planted them there.
    #[must_use]
    pub fn with_the_same_cookies(&self) -> Self {
        let (jar, address) = (RefCell::clone(&self.jar), Cell::clone(&self.address));
        let name = RefCell::clone(&self.name);
        Self { kit: self.kit, jar: Rc::new(jar), address: Rc::new(address), name: Rc::new(name) }
    }

    /// Follows a client's link to the authorization endpoint in a new tab.
    #[must_use]
    pub fn open<'u>(&'u self, request: &AuthorizationRequest) -> Tab<'u, 'k> {
        let target = request.to_http().uri().to_string();
        let step = Step { method: Method::GET, target, body: String::new(), from: From::AnotherSite };
        Tab::new(self, Some(request.clone()), self.go(step))
    }

    /// What following that link sends, with the cookies of this browser.
    #[must_use]
    pub fn to_http(&self, request: &AuthorizationRequest) -> Request<Bytes> {
        let target = request.to_http().uri().to_string();
        self.request(&Step { method: Method::GET, target, body: String::new(), from: From::AnotherSite })
    }

    /// What following a link of another site to an address of the provider sends.
    #[must_use]
    pub fn to_http_get(&self, address: &str) -> Request<Bytes> {
        let target = self.ours(address);
        self.request(&Step { method: Method::GET, target, body: String::new(), from: From::AnotherSite })
    }

    /// A client's page posts an authorization request from its own site.
    #[must_use]
    pub fn post<'u>(&'u self, request: &AuthorizationRequest) -> Tab<'u, 'k> {
        let target = request.to_http_post().uri().to_string();
        let step = Step { method: Method::POST, target, body: request.encode(), from: From::AnotherSite };
        Tab::new(self, Some(request.clone()), self.go(step))
    }

    /// Types an address of the provider into a new tab.
    #[must_use]
    pub fn get<'u>(&'u self, address: &str) -> Tab<'u, 'k> {
        let step =
            Step { method: Method::GET, target: self.ours(address), body: String::new(), from: From::Ours };
        Tab::new(self, None, self.go(step))
    }

    /// Follows a link on another site to an address of the provider.
    #[must_use]
    pub fn follow_from_another_site<'u>(&'u self, address: &str) -> Tab<'u, 'k> {
        let target = self.ours(address);
        let step = Step { method: Method::GET, target, body: String::new(), from: From::AnotherSite };
        Tab::new(self, None, self.go(step))
    }

    /// A page of an attacker posts a form to an address of the provider.
    #[must_use]
    pub fn post_from_another_site<'u>(&'u self, address: &str, fields: &[(&str, &str)]) -> Tab<'u, 'k> {
        let body = chancery_types::params::encode(fields.iter().copied());
        let step = Step { method: Method::POST, target: self.ours(address), body, from: From::AnotherSite };
        Tab::new(self, None, self.go(step))
    }

    /// The value of the session cookie: handles with `.` between, active one first.
    #[must_use]
    pub fn session_cookie(&self) -> Option<String> {
        self.cookie("session")
    }

    /// The value of the cookie that binds forms to this browser.
    #[must_use]
    pub fn browser_cookie(&self) -> Option<String> {
        self.cookie("browser")
    }

    /// The value of the cookie of the names that have signed in from this browser.
    #[must_use]
    pub fn devices_cookie(&self) -> Option<String> {
        self.cookie("devices")
    }

    /// The value of the cookie with the browser's state, which scripts can read.
    #[must_use]
    pub fn state_cookie(&self) -> Option<String> {
        self.cookie("state")
    }

    /// What the frame of the session management answers a page of this origin that sends this message: the same as
    /// `check_session.js`, which runs in real browsers only.
    #[must_use]
    pub fn asks_frame(&self, origin: &str, message: &str) -> &'static str {
        let endpoint =
            self.kit.get("/.well-known/openid-configuration").member("check_session_iframe").to_owned();
        let (issuer, name) = (self.kit.issuer(), self.cookie_name("state"));
        let cookies = self.jar.borrow().for_scripts(issuer, self.ours(&endpoint).as_str(), self.kit.now());
        let own = |pair: &str| pair.strip_prefix(&name)?.strip_prefix('=').map(str::to_owned);
        let state = cookies.split("; ").find_map(own).unwrap_or_default();
        let Some((client, given)) = message.rsplit_once(' ') else { return "error" };
        let salt = given.split_once('.').map_or(given, |(_, salt)| salt);
        let digest = sha256(format!("{client} {origin} {state} {salt}").as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if given == format!("{digest}.{salt}") { "unchanged" } else { "changed" }
    }

    /// All cookies are lost but that of the names that have signed in from here: the session has ended.
    pub fn comes_back_later(&self) {
        self.lose_session_cookie();
        self.lose_browser_cookie();
    }

    /// The person clears all cookies.
    pub fn clear_cookies(&self) {
        *self.jar.borrow_mut() = Jar::default();
    }

    /// The browser cookie is lost, the sessions stay.
    pub fn lose_browser_cookie(&self) {
        self.jar.borrow_mut().drop(&self.cookie_name("browser"));
    }

    /// The session cookie is lost.
    pub fn lose_session_cookie(&self) {
        self.jar.borrow_mut().drop(&self.cookie_name("session"));
    }

    fn cookie(&self, sort: &str) -> Option<String> {
        self.jar.borrow().value(&self.cookie_name(sort)).map(str::to_owned)
    }

    /// The path and query of an address, which has to be ours.
    fn ours(&self, address: &str) -> String {
        let own = |rest: &&str| rest.starts_with('/');
        let path = address.strip_prefix(self.kit.issuer().origin()).filter(own);
        path.or_else(|| Some(address).filter(own))
            .unwrap_or_else(|| panic!("{address} is not ours"))
            .to_owned()
    }

    fn is_ours(&self, address: &str) -> bool {
        let rest = address.strip_prefix(self.kit.issuer().origin());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?'])) || address.starts_with('/')
    }

    /// Makes requests until a page is shown or a client is reached.
    fn go(&self, first: Step) -> End {
        const MOST_REDIRECTS: usize = 10;
        let (mut step, mut events) = (first, Vec::new());
        for _ in 0..MOST_REDIRECTS {
            let answer = self.kit.send(self.request(&step));
            for line in answer.headers.get_all(SET_COOKIE) {
                let line = line.to_str().expect("our cookies are ASCII");
                self.jar.borrow_mut().take(line, self.kit.issuer(), self.kit.now());
            }
            events.extend(answer.events.iter().cloned());
            let address = step.target.clone();
            if let Some(location) = answer.headers.get(LOCATION) {
                assert_eq!(answer.status.as_u16(), 303, "HTTP-17: every redirect is 303");
                let location = location.to_str().expect("our addresses are ASCII").to_owned();
                if !self.is_ours(&location) {
                    let arrival = Some(arrived(&location));
                    return End { address, answer, events, arrival };
                }
                // A redirect does not change who began the navigation.
                let target = self.ours(&location);
                step = Step { method: Method::GET, target, body: String::new(), from: step.from };
                continue;
            }
            let page = HtmlPage::read(answer.text());
            match page.name.as_str() {
                "form_post" => {
                    let [form] = page.forms.as_slice() else { panic!("one form: {}", answer.text()) };
                    assert_eq!((form.method.as_str(), form.buttons.len()), ("post", 1), "{}", answer.text());
                    let (uri, parameters) = (form.action.clone(), form.fields.clone());
                    return End {
                        address,
                        answer,
                        events,
                        arrival: Some(Arrival { mode: "form_post", uri, parameters }),
                    };
                }
                "web_message" => {
                    let message = page.message.unwrap_or_else(|| panic!("a message: {}", answer.text()));
                    return End { address, answer, events, arrival: Some(message) };
                }
                "repost" => {
                    let [form] = page.forms.as_slice() else { panic!("one form: {}", answer.text()) };
                    let pairs = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                    let body = chancery_types::params::encode(pairs);
                    step = Step {
                        method: Method::POST,
                        target: self.ours(&form.action),
                        body,
                        from: From::Ours,
                    };
                }
                _ => return End { address, answer, events, arrival: None },
            }
        }
        panic!("more than {MOST_REDIRECTS} redirects, the last to {}", step.target)
    }

    fn request(&self, step: &Step) -> Request<Bytes> {
        let mut request = Request::new(Bytes::from(step.body.clone()));
        *request.method_mut() = step.method.clone();
        *request.uri_mut() = step.target.parse().unwrap_or_else(|_| panic!("a target: {}", step.target));
        let is_get = step.method == Method::GET;
        let path = request.uri().path().to_owned();
        if let Some(address) = self.address.get() {
            request.extensions_mut().insert(Peer(address));
        }
        let headers = request.headers_mut();
        if let Some(name) = self.name.borrow().as_deref() {
            headers.insert(USER_AGENT, HeaderValue::from_str(name).expect("a header value"));
        }
        let site = match step.from {
            From::Ours => "same-origin",
            From::AnotherSite => "cross-site",
        };
        headers.insert("sec-fetch-site", HeaderValue::from_static(site));
        if !is_get {
            // A page of ours says `null`, because of its Referrer-Policy.
            let origin = if step.from == From::Ours { "null" } else { "https://another-site.example" };
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        }
        let (issuer, now) = (self.kit.issuer(), self.kit.now());
        if let Some(cookies) = self.jar.borrow().header(issuer, &path, step.from, is_get, now) {
            headers.insert(COOKIE, HeaderValue::from_str(&cookies).expect("our cookies are ASCII"));
        }
        request
    }
}

/// Reads the address to which a response was sent.
fn arrived(location: &str) -> Arrival {
    let (mode, uri, text) = match location.split_once('#') {
        Some((uri, fragment)) => ("fragment", uri, fragment),
        None => {
            location.split_once('?').map_or(("query", location, ""), |(uri, query)| ("query", uri, query))
        }
    };
    let parameters =
        Params::parse(text).unwrap_or_else(|_| panic!("a response that cannot be read: {location}"));
    let parameters = parameters.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Arrival { mode, uri: uri.to_owned(), parameters }
}

/// What the login page wants.
fn credentials(account: &str) -> [(String, String); 2] {
    [("username".to_owned(), account.to_owned()), ("password".to_owned(), password_of(account))]
}

//! What came back, and what happened meanwhile.

use std::ops::Index;
use std::sync::OnceLock;

use bytes::Bytes;
use chancery_core::error::Reason;
use chancery_core::event::Event;
use chancery_types::Network;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::events;

/// An HTTP response with the events of its request.
///
/// A member of a JSON body is `answer["error"]`; one that is absent is `Value::Null`, which compares with
/// text, too.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The events of this request, in order.
    pub events: Vec<Event>,
    /// The network that each of them names.
    pub network: Option<Network>,
    json: OnceLock<Value>,
}

impl Answer {
    pub(crate) fn new(
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
        (events, network): (Vec<Event>, Option<Network>),
    ) -> Self {
        Self { status, headers, body, events, network, json: OnceLock::new() }
    }

    /// The network that its events name, as logs have it.
    #[must_use]
    pub fn told_network(&self) -> Option<String> {
        self.network.map(|network| network.to_string())
    }

    /// The first value of a header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("our headers are ASCII"))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("our bodies are UTF-8")
    }

    /// The body as JSON; `Null` when it is none.
    #[must_use]
    pub fn json(&self) -> &Value {
        self.json.get_or_init(|| serde_json::from_slice(&self.body).unwrap_or(Value::Null))
    }

    /// A member of the body that has to be there and to be text.
    #[track_caller]
    #[must_use]
    pub fn member(&self, name: &str) -> &str {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}: {}", self.status, self.text()))
    }

    /// The names of the members of the body, in the order of the wire.
    #[must_use]
    pub fn member_names(&self) -> Vec<String> {
        let object = chancery_jose::json::Object::parse(&self.body).expect("a JSON object");
        let mut names: Vec<(usize, String)> = object
            .iter()
            .map(|(name, _)| {
                (self.text().find(&format!("\"{name}\":")).unwrap_or(usize::MAX), name.to_owned())
            })
            .collect();
        names.sort();
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// The same answer, if it has this status.
    #[track_caller]
    #[must_use]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{} {:?}", self.text(), self.events);
        self
    }

    /// The names of the events.
    #[must_use]
    pub fn event_names(&self) -> Vec<&'static str> {
        events::names(&self.events)
    }
}

impl Index<&str> for Answer {
    type Output = Value;
    fn index(&self, name: &str) -> &Value {
        &self.json()[name]
    }
}

/// What may say no: [`Answer`], and [`Tab`](crate::Tab) for what a browser sees.
pub trait MayRefuse {
    /// `error` and `error_description` as the peer reads them; nothing when it was not refused.
    fn refusal(&self) -> Option<(String, Option<String>)>;
    /// What happened.
    fn events(&self) -> &[Event];
}

impl MayRefuse for Answer {
    fn refusal(&self) -> Option<(String, Option<String>)> {
        let text = |name: &str| self.json()[name].as_str().map(str::to_owned);
        text("error").map(|code| (code, text("error_description")))
    }

    fn events(&self) -> &[Event] {
        &self.events
    }
}

/// Checks a refusal on the wire and in the events; [`assert_refused!`](crate::assert_refused) calls it.
#[track_caller]
pub fn check_refused(out: &dyn MayRefuse, reason: &Reason) {
    let description = Some(reason.description.to_owned()).filter(|text| !text.is_empty());
    let Some((code, told)) = out.refusal() else {
        panic!("{} was expected: {:?}", reason.name, out.events())
    };
    // What can be asked for instead stands behind it.
    let remedy = told.as_deref().and_then(|told| told.strip_prefix(reason.description));
    let told = if remedy.is_some_and(|remedy| remedy.starts_with("; ")) { description.clone() } else { told };
    assert_eq!((code.as_str(), &told), (reason.code.as_str(), &description), "{:?}", out.events());
    assert_eq!(events::refusals(out.events()), [reason.name], "one refusal, and for this reason");
}

/// Checks a refusal whose reason is private to its module; [`assert_refused!`](crate::assert_refused) calls
/// it.
#[track_caller]
pub fn check_refused_by_name(out: &dyn MayRefuse, code: &str, name: &str) {
    let Some((told, _)) = out.refusal() else { panic!("{name} was expected: {:?}", out.events()) };
    assert_eq!(told, code, "{:?}", out.events());
    assert_eq!(events::refusals(out.events()), [name], "one refusal, and for this reason");
}

/// Asserts that something was refused: `code` and `description` of the reason on the wire, and exactly one
/// event `Refused` with it.
///
/// ```
/// use chancery_core::endpoint::token::GRANT_TYPE_UNSUPPORTED;
/// use chancery_testkit::{TestProvider, assert_refused};
/// let kit = TestProvider::new();
/// let answer = kit.token_request("web").param("grant_type", "password").send();
/// assert_refused!(answer, GRANT_TYPE_UNSUPPORTED);
/// // for a reason that is private to its module: code and name
/// assert_refused!(answer, "unsupported_grant_type", "grant_type_unsupported");
/// ```
#[macro_export]
macro_rules! assert_refused {
    ($out:expr, $code:literal, $name:literal) => {
        $crate::check_refused_by_name(&$out, $code, $name)
    };
    ($out:expr, $reason:expr) => {
        $crate::check_refused(&$out, &$reason)
    };
}

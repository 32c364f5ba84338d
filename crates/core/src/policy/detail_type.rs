//! What a type of authorization details means (RFC 9396 section 2.1): an application's own, in code.

use std::future::Future;
use std::sync::Arc;

use chancery_types::is_misleading;
use serde_json::Value;

use crate::error::Fault;
use crate::model::{Account, AuthorizationDetail, Client, ResourceServer};

/// A type of authorization details. It alone knows what its members mean: what a client may ask for, what a person
/// is told, what is less than what, and what a token shows.
///
/// ```
/// # mod chancery {
/// #     pub use chancery_core::model::Client;
/// #     pub use chancery_core::policy::DetailType;
/// #     pub mod model { pub use chancery_core::model::AuthorizationDetail; }
/// #     pub mod policy { pub use chancery_core::policy::{DetailFault, DetailText, DetailValue}; }
/// # }
/// use chancery::{Client, DetailType};
/// use chancery::model::AuthorizationDetail;
/// use chancery::policy::{DetailFault, DetailText, DetailValue};
///
/// struct Transfer;
///
/// impl DetailType for Transfer {
///     fn name(&self) -> &str {
///         "transfer"
///     }
///
///     fn check(&self, detail: &AuthorizationDetail, _: &Client) -> Result<(), DetailFault> {
///         if detail.members().any(|(name, _)| !matches!(name, "amount" | "to")) {
///             return Err(DetailFault::MemberUnknown);
///         }
///         for name in ["amount", "to"] {
///             detail.get(name).ok_or(DetailFault::MemberMissing)?.as_str().ok_or(DetailFault::MemberType)?;
///         }
///         Ok(())
///     }
///
///     fn text(&self, detail: &AuthorizationDetail, language: &str) -> DetailText {
///         let title = if language == "de" { "Geld überweisen" } else { "Transfer money" };
///         DetailText { title: title.to_owned(), ..DetailText::of(detail) }
///     }
/// }
/// ```
pub trait DetailType: Send + Sync {
    /// The value of `type`, unique on this server. ASCII is recommended (RFC 9396 section 2.1).
    fn name(&self) -> &str;

    /// Whether a detail conforms to the definition of the type (RFC 9396 section 5). What passes is what the person is
    /// asked about. The common members (section 2.2) have the kinds that the standard gives them already.
    ///
    /// # Errors
    /// What is wrong with it.
    fn check(&self, detail: &AuthorizationDetail, client: &Client) -> Result<(), DetailFault>;

    /// What the consent page says about it, in this language if the type has it. Whatever changes the meaning of the
    /// detail has to be said. By default all of its members, with their own names.
    fn text(&self, detail: &AuthorizationDetail, _language: &str) -> DetailText {
        DetailText::of(detail)
    }

    /// What a token has if this was granted, and the token request asks for less (RFC 9396 section 6.1); `None` if it
    /// asks for anything that was not granted. By default a member that is not asked for stays as it was granted, the
    /// common arrays may lose values, and all other members have to be equal ([`narrowed`]).
    ///
    /// What it returns is checked like a detail of an authorization request.
    fn narrow(
        &self,
        granted: &AuthorizationDetail,
        asked: &AuthorizationDetail,
    ) -> Option<AuthorizationDetail> {
        narrowed(granted, asked, &COMMON_ARRAYS)
    }

    /// The detail as this person is asked about it and as it is granted, with what the provider adds (RFC 9396 section 7.1),
    /// such as the accounts that the person has; by default nothing is added. It is asked at every step: if it says
    /// something else when the person agrees than when their page was made, they are asked again.
    ///
    /// What it returns is checked like a detail of an authorization request; one that would be refused is a fault.
    fn enriched(
        &self,
        detail: &AuthorizationDetail,
        _client: &Client,
        _account: &Account,
    ) -> impl Future<Output = Result<AuthorizationDetail, Fault>> + Send {
        async { Ok(detail.clone()) }
    }

    /// What this resource server is shown, in JWTs and at the introspection (RFC 9396 sections 9.1 and 9.2); `None` if
    /// the detail is none of its business. By default it is told of details that name it among their `locations`,
    /// without the other locations, and of those that name none ([`at_location`]).
    fn shown(&self, detail: &AuthorizationDetail, to: &ResourceServer) -> Option<AuthorizationDetail> {
        at_location(detail, to)
    }
}

chancery_types::port_object! {
    /// [`DetailType`] as an object, as the engine holds it: whatever implements that trait is one.
    pub trait DynDetailType for DetailType {
        async fn enriched<'a>(
            &'a self,
            detail: &'a AuthorizationDetail,
            client: &'a Client,
            account: &'a Account,
        ) -> Result<AuthorizationDetail, Fault>;
        fn name(&self) -> &str;
        fn check(&self, detail: &AuthorizationDetail, client: &Client) -> Result<(), DetailFault>;
        fn text(&self, detail: &AuthorizationDetail, language: &str) -> DetailText;
        fn narrow(
            &self,
            granted: &AuthorizationDetail,
            asked: &AuthorizationDetail,
        ) -> Option<AuthorizationDetail>;
        fn shown(&self, detail: &AuthorizationDetail, to: &ResourceServer) -> Option<AuthorizationDetail>;
    }
}

/// What is wrong with a detail: the list of RFC 9396 section 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DetailFault {
    /// It has a member that the type does not know.
    MemberUnknown,
    /// A member is of the wrong JSON type.
    MemberType,
    /// A member has a value that the type does not allow.
    MemberValue,
    /// A member is missing.
    MemberMissing,
}

/// The common members that are arrays of strings (RFC 9396 section 2.2). Each of their values is a right of its own.
pub const COMMON_ARRAYS: [&str; 4] = ["actions", "datatypes", "locations", "privileges"];

/// The detail as it was granted, reduced to what is asked for: a member that is not asked for stays, an array of
/// strings among `additive` may lose values, and whatever else is asked for has to be equal.
///
/// An array never loses its last value, because to some resource servers none means all.
#[must_use]
pub fn narrowed(
    granted: &AuthorizationDetail,
    asked: &AuthorizationDetail,
    additive: &[impl AsRef<str>],
) -> Option<AuthorizationDetail> {
    if granted.type_name() != asked.type_name() {
        return None;
    }
    let mut narrowed = granted.clone();
    for (name, value) in asked.members() {
        let had = granted.get(name)?;
        if value == had {
            continue;
        }
        let (had, wanted) = (had.as_array()?, value.as_array()?);
        let is_additive = additive.iter().any(|other| other.as_ref() == name);
        let is_part = |value: &Value| value.is_string() && had.contains(value);
        if !is_additive || wanted.is_empty() || !wanted.iter().all(is_part) {
            return None;
        }
        narrowed = narrowed.with(name, value.clone());
    }
    Some(narrowed)
}

/// The detail as a resource server is shown it: with those of its `locations` that are the server's own, which begin
/// with its identifier; `None` if there are only others.
#[must_use]
pub fn at_location(detail: &AuthorizationDetail, to: &ResourceServer) -> Option<AuthorizationDetail> {
    let all: Vec<&str> = detail.strings("locations").collect();
    if all.is_empty() {
        return Some(detail.clone());
    }
    let own: Vec<Value> =
        all.iter().filter(|location| is_at(location, to.uri.as_str())).map(|&own| own.into()).collect();
    match own.len() {
        0 => None,
        some if some == all.len() => Some(detail.clone()),
        _ => Some(detail.clone().with("locations", own.into())),
    }
}

/// Whether a location is a resource server, or lies below it.
fn is_at(location: &str, server: &str) -> bool {
    let is_below = |rest: &str| {
        rest.is_empty() || server.ends_with('/') || rest.starts_with('/') || rest.starts_with('?')
    };
    location.strip_prefix(server).is_some_and(is_below)
}

/// What a consent page says about a detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailText {
    /// What it is about.
    pub title: String,
    /// Everything else, in order.
    pub members: Vec<DetailMember>,
}

/// One line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailMember {
    /// What is told.
    pub label: String,
    /// It. There are several where the member is an array.
    pub values: Vec<DetailValue>,
}

/// What a page shows of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DetailValue {
    /// A text, or a number.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// Nothing: null, or an empty array or object.
    Nothing,
}

impl DetailText {
    /// All members with the names that they have; those of an object in an object are named by both.
    #[must_use]
    pub fn of(detail: &AuthorizationDetail) -> Self {
        Self::in_words(detail, readable(detail.type_name()), &DetailWords)
    }

    /// All members, in these words.
    #[must_use]
    pub fn in_words(detail: &AuthorizationDetail, title: String, words: &dyn Words) -> Self {
        let mut text = Self { title, members: Vec::new() };
        for (name, value) in detail.members() {
            text.add(&mut vec![name], value, words);
        }
        text
    }

    fn add<'v>(&mut self, path: &mut Vec<&'v str>, value: &'v Value, words: &dyn Words) {
        let mut push = |values: &[&Value]| {
            let values = values.iter().map(|value| shown(path, value, words)).collect();
            self.members.push(DetailMember { label: words.label(path), values });
        };
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    path.push(name);
                    self.add(path, value, words);
                    path.pop();
                }
            }
            Value::Array(values) if values.iter().any(|value| value.is_object() || value.is_array()) => {
                for value in values {
                    self.add(path, value, words);
                }
            }
            Value::Array(values) if !values.is_empty() => push(&values.iter().collect::<Vec<_>>()),
            value => push(&[value]),
        }
    }
}

/// How a page calls the members of a detail, and their values. A path has the names that lead to a member, from the
/// outermost on.
pub trait Words {
    /// The member, by default its path.
    fn label(&self, path: &[&str]) -> String {
        readable(&path.join(" \u{203a} "))
    }

    /// A text among its values, by default the text itself.
    fn text(&self, _path: &[&str], text: &str) -> String {
        readable(text)
    }
}

/// The words of the detail itself.
struct DetailWords;

impl Words for DetailWords {}

/// A value that holds no others.
fn shown(path: &[&str], value: &Value, words: &dyn Words) -> DetailValue {
    match value {
        Value::Bool(flag) => DetailValue::Flag(*flag),
        Value::String(text) => DetailValue::Text(words.text(path, text)),
        Value::Number(number) => DetailValue::Text(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => DetailValue::Nothing,
    }
}

/// A text from outside as a page shows it: nothing in it may change how the rest of the page is read, and nothing of
/// what a person agrees to is cut off.
#[must_use]
pub fn readable(text: &str) -> String {
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_misleading(*c)).collect()
}

/// A detail that a consent page asks about.
#[derive(Clone)]
pub struct DetailView {
    detail: AuthorizationDetail,
    by: Arc<dyn DynDetailType>,
}

impl DetailView {
    /// A detail, and the type that knows what it means.
    #[must_use]
    pub fn new(detail: AuthorizationDetail, by: Arc<dyn DynDetailType>) -> Self {
        Self { detail, by }
    }

    /// The detail itself, which is for programs.
    #[must_use]
    pub fn detail(&self) -> &AuthorizationDetail {
        &self.detail
    }

    /// What it says to a person, in this language if its type has it.
    #[must_use]
    pub fn text(&self, language: &str) -> DetailText {
        self.by.text(&self.detail, language)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use chancery_seeded::Seeded;

    use super::*;

    fn detail(value: Value) -> AuthorizationDetail {
        serde_json::from_value(value).unwrap()
    }

    /// RFC 9396 section 6.1, figures 10 and 14, and what asks for more.
    #[test]
    fn what_is_less_than_what() {
        let granted = detail(json!({"type": "account", "actions": ["list", "read"],
            "locations": ["https://a.example", "https://b.example"], "amount": {"currency": "EUR"}, "empty": []}));
        let rows = [
            (json!({"type": "account"}), Some(granted.clone())),
            (granted.to_value(), Some(granted.clone())),
            (
                json!({"type": "account", "actions": ["read"]}),
                Some(granted.clone().with("actions", json!(["read"]))),
            ),
            (
                json!({"type": "account", "locations": ["https://b.example"], "amount": {"currency": "EUR"}}),
                Some(granted.clone().with("locations", json!(["https://b.example"]))),
            ),
            (json!({"type": "account", "empty": []}), Some(granted.clone())),
            (json!({"type": "payment"}), None),
            (json!({"type": "account", "actions": ["pay"]}), None),
            (json!({"type": "account", "actions": ["read", "pay"]}), None),
            (json!({"type": "account", "actions": ["READ"]}), None),
            (json!({"type": "account", "actions": []}), None),
            (json!({"type": "account", "actions": "read"}), None),
            (json!({"type": "account", "actions": [["read"]]}), None),
            (json!({"type": "account", "actions": null}), None),
            (json!({"type": "account", "amount": {"currency": "USD"}}), None),
            (json!({"type": "account", "amount": {}}), None),
            (json!({"type": "account", "datatypes": ["contacts"]}), None),
            (json!({"type": "account", "identifier": "1"}), None),
            (json!({"type": "account", "empty": ["x"]}), None),
        ];
        for (asked, expected) in rows {
            assert_eq!(narrowed(&granted, &detail(asked.clone()), &COMMON_ARRAYS), expected, "{asked}");
        }
    }

    /// Whatever is asked for: what comes of it has nothing that was not granted, and asks for the same again.
    #[test]
    fn nothing_grows() {
        const NAMES: [&str; 6] = ["actions", "locations", "privileges", "amount", "identifier", "files"];
        let mut seeded = Seeded::new(0x9396);
        let mut next = |limit: usize| seeded.below(limit);
        let value = |next: &mut dyn FnMut(usize) -> usize| match next(5) {
            0 => json!("a"),
            1 => json!({"a": next(2)}),
            _ => (0..next(4)).map(|_| ["a", "b", "c"][next(3)]).collect(),
        };
        let (mut less, mut refused) = (0, 0);
        for _ in 0..10_000 {
            let any = |next: &mut dyn FnMut(usize) -> usize| {
                let type_name = ["t", "t", "t", "u"][next(4)];
                let mut any = detail(json!({"type": type_name}));
                for name in NAMES {
                    if next(2) == 0 {
                        any = any.with(name, value(next));
                    }
                }
                any
            };
            let granted = any(&mut next);
            // Half of what is asked for is what was granted, without some of it.
            let mut asked = any(&mut next);
            if next(2) == 0 {
                asked = detail(json!({"type": granted.type_name()}));
                for (name, value) in granted.members().filter(|_| next(2) == 0).collect::<Vec<_>>() {
                    let mut value = value.clone();
                    if let Some(values) = value.as_array_mut() {
                        values.retain(|_| next(3) > 0);
                    }
                    asked = asked.with(name, value);
                }
            }
            let Some(narrowed) = narrowed(&granted, &asked, &COMMON_ARRAYS) else {
                refused += 1;
                continue;
            };
            less += usize::from(narrowed != granted);
            assert_eq!(narrowed.type_name(), granted.type_name());
            let names =
                |of: &AuthorizationDetail| of.members().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
            assert_eq!(names(&narrowed), names(&granted), "{asked:?}");
            for (name, value) in narrowed.members() {
                let had = granted.get(name).unwrap();
                let is_part = || {
                    let (value, had) = (value.as_array().unwrap(), had.as_array().unwrap());
                    COMMON_ARRAYS.contains(&name)
                        && !value.is_empty()
                        && value.iter().all(|one| had.contains(one))
                };
                assert!(value == had || is_part(), "{name} of {asked:?} under {granted:?}");
                assert!(asked.get(name).is_none_or(|wanted| wanted == value), "{name} of {asked:?}");
            }
            let again = super::narrowed(&granted, &asked, &COMMON_ARRAYS);
            assert_eq!(again.as_ref(), Some(&narrowed));
            assert_eq!(super::narrowed(&narrowed, &asked, &COMMON_ARRAYS), Some(narrowed));
        }
        assert!(less > 400 && refused > 500, "{less} narrowed, {refused} refused");
    }

    #[test]
    fn a_location_is_below_its_server() {
        for (location, server, expected) in [
            ("https://api.example", "https://api.example", true),
            ("https://api.example/payments", "https://api.example", true),
            ("https://api.example/payments", "https://api.example/", true),
            ("https://api.example/v1/x", "https://api.example/v1", true),
            ("https://api.example/v1?x", "https://api.example/v1", true),
            ("https://api.example/v10", "https://api.example/v1", false),
            ("https://api.example.evil.example", "https://api.example", false),
            ("https://api.example@evil.example", "https://api.example", false),
            ("https://api.example:8443", "https://api.example", false),
            ("https://api.example", "https://api.example/v1", false),
            ("HTTPS://api.example", "https://api.example", false),
        ] {
            assert_eq!(is_at(location, server), expected, "{location} at {server}");
        }
    }

    /// Everything is told, in whatever depth, and nothing of it turns the page around.
    #[test]
    fn every_member_is_told() {
        let text = DetailText::of(&detail(json!({"type": "pay\u{202e}ment", "amount": {"currency": "EUR",
            "value": 12.5}, "parts": [{"hash": "x"}, {"hash": "y", "own": true}], "tags": ["a", 2],
            "note": "one\ntwo\u{200b}", "none": null, "nil": {}, "list": [], "deep": [[1], []]})));
        let flat = |member: &DetailMember| {
            let values = member.values.iter().map(|value| match value {
                DetailValue::Text(text) => text.clone(),
                DetailValue::Flag(flag) => format!("<{flag}>"),
                DetailValue::Nothing => "-".to_owned(),
            });
            format!("{}: {}", member.label, values.collect::<Vec<_>>().join(", "))
        };
        assert_eq!(text.title, "payment");
        assert_eq!(
            text.members.iter().map(flat).collect::<Vec<_>>(),
            [
                "amount \u{203a} currency: EUR",
                "amount \u{203a} value: 12.5",
                "deep: 1",
                "deep: -",
                "list: -",
                "nil: -",
                "none: -",
                "note: one two",
                "parts \u{203a} hash: x",
                "parts \u{203a} hash: y",
                "parts \u{203a} own: <true>",
                "tags: a, 2",
            ]
        );
    }
}

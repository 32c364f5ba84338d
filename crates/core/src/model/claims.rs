//! Claims about a person (OIDC Core section 5) and requests for single ones (section 5.5).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use chancery_jose::ClaimsWriter;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use crate::model::{ClaimName, ClaimSource};

/// Claims in the order they were added, each name once; values are kept as the JSON they came as.
///
/// ```
/// # mod chancery { pub use chancery_core::model::Claims; }
/// use chancery::Claims;
/// let mut claims = Claims::default();
/// claims.set("email", &"alice@example.org").set("email_verified", &true);
/// assert_eq!(claims.get("email").unwrap().get(), "\"alice@example.org\"");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Claims {
    members: Vec<(Box<str>, Box<RawValue>)>,
    sources: Vec<ClaimSource>,
}

impl Claims {
    /// Adds a claim, or replaces the one of that name. A value that has no JSON form is left out.
    pub fn set(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> &mut Self {
        if let Ok(json) = to_raw_value(value) {
            self.set_raw(name, json);
        }
        self
    }

    /// Adds a claim whose value is JSON already, or replaces the one of that name.
    pub fn set_raw(&mut self, name: &str, json: Box<RawValue>) -> &mut Self {
        match self.members.iter_mut().find(|(have, _)| **have == *name) {
            Some((_, value)) => *value = json,
            None => self.members.push((name.into(), json)),
        }
        self
    }

    /// Adds claims that somebody else asserts (OIDC Core section 5.6.2). If several sources have a claim, the
    /// first one counts.
    pub fn add_source(&mut self, source: ClaimSource) -> &mut Self {
        self.sources.push(source);
        self
    }

    /// The value of a claim, as JSON.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.iter().find(|(have, _)| *have == name).map(|(_, value)| value)
    }

    /// All claims in order, but for those of other sources.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.members.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Those of other sources, in order.
    pub fn sources(&self) -> impl Iterator<Item = &ClaimSource> {
        self.sources.iter()
    }

    /// Keeps those claims, other than of other sources, that satisfy the condition.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str, &RawValue) -> bool) {
        self.members.retain(|(name, value)| keep(name, value));
    }

    /// The claims that may be returned about a person: only what these names cover ([`ClaimName`]), without
    /// null and empty values (OIDC Core section 5.3.2).
    #[must_use]
    pub fn said(mut self, names: &[&str]) -> Self {
        self.members.retain(|(name, value)| is_said(name, names) && !is_empty(value));
        self.sources = self.said_sources(names);
        self
    }

    /// Like [`Claims::said`], but copies only the claims that may be returned.
    #[must_use]
    pub fn to_said(&self, names: &[&str]) -> Self {
        let is_said = |(name, value): &&(Box<str>, Box<RawValue>)| is_said(name, names) && !is_empty(value);
        Self {
            members: self.members.iter().filter(is_said).cloned().collect(),
            sources: self.said_sources(names),
        }
    }

    fn said_sources(&self, names: &[&str]) -> Vec<ClaimSource> {
        self.sources.iter().filter_map(|source| source.said(|name| is_said(name, names))).collect()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty() && self.sources.is_empty()
    }

    /// Adds the members, with those that the protocol sets left out, and `_claim_names` and `_claim_sources`.
    pub(crate) fn write(&self, to: &mut ClaimsWriter) {
        for (name, value) in self.iter().filter(|(name, _)| !ClaimName::of(name).is_of_protocol()) {
            to.raw(name, value);
        }
        let (names, sources) = self.by_source();
        for (member, json) in [(CLAIM_NAMES, to_raw_value(&names)), (CLAIM_SOURCES, to_raw_value(&sources))] {
            if let (Ok(json), false) = (json, names.is_empty()) {
                to.raw(member, &json);
            }
        }
    }

    /// The values of `_claim_names` and `_claim_sources`.
    fn by_source(&self) -> (BTreeMap<&str, String>, BTreeMap<String, &ClaimSource>) {
        let (mut names, mut sources) = (BTreeMap::new(), BTreeMap::new());
        for (number, source) in (1..).zip(&self.sources) {
            for claim in source.claims() {
                if let Entry::Vacant(entry) = names.entry(claim) {
                    entry.insert(format!("src{number}"));
                    sources.insert(format!("src{number}"), source);
                }
            }
        }
        (names, sources)
    }
}

const CLAIM_NAMES: &str = "_claim_names";
const CLAIM_SOURCES: &str = "_claim_sources";

fn is_said(name: &str, names: &[&str]) -> bool {
    names.iter().any(|asked| ClaimName::of(asked).covers(ClaimName::of(name)))
}

fn is_empty(value: &RawValue) -> bool {
    matches!(value.get(), "null" | "\"\"")
}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        let (names, sources) = self.by_source();
        if !names.is_empty() {
            map.serialize_entry(CLAIM_NAMES, &names)?;
            map.serialize_entry(CLAIM_SOURCES, &sources)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Claims;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
                let mut claims = Claims::default();
                while let Some((name, value)) = map.next_entry::<Box<str>, Box<RawValue>>()? {
                    if claims.get(&name).is_some() {
                        return Err(A::Error::custom("a member occurs twice"));
                    }
                    claims.members.push((name, value));
                }
                Ok(claims)
            }
        }
        from.deserialize_map(Members)
    }
}

/// One member of the `claims` parameter (OIDC Core section 5.5.1).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClaimAsk {
    /// The claim's name ([`ClaimName`]).
    pub name: Box<str>,
    /// Whether the client cannot do without it.
    pub essential: bool,
    /// `value`, or the elements of `values`: the requested values. Empty if none are requested.
    pub values: Vec<Box<RawValue>>,
}

impl ClaimAsk {
    /// The requested values that are strings, decoded.
    pub fn strings(&self) -> impl Iterator<Item = String> {
        self.values.iter().filter_map(|value| serde_json::from_str(value.get()).ok())
    }

    /// Whether this is one of the requested values, or any will do.
    #[must_use]
    pub fn is_met_by(&self, value: &RawValue) -> bool {
        let json = |raw: &RawValue| serde_json::from_str::<serde_json::Value>(raw.get()).ok();
        self.values.is_empty() || self.values.iter().any(|wanted| json(wanted) == json(value))
    }
}

/// What the `claims` parameter requests in addition to the scopes (OIDC Core section 5.5), and in which
/// languages.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// In UserInfo.
    pub userinfo: Vec<ClaimAsk>,
    /// In the ID token.
    pub id_token: Vec<ClaimAsk>,
    /// `claims_locales` (OIDC Core section 5.2), as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locales: Option<Box<str>>,
}

impl ClaimsRequest {
    /// What is requested for the ID token under this name.
    #[must_use]
    pub fn of_id_token(&self, name: &str) -> Option<&ClaimAsk> {
        self.id_token.iter().find(|ask| &*ask.name == name)
    }

    /// Whether nothing at all is requested.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.is_empty() && self.locales.is_none()
    }

    /// Whether no single claim is requested.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }
}

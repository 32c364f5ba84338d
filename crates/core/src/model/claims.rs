//! Claims about a person (OIDC Core section 5) and requests for single ones (section 5.5).

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::model::ClaimName;

/// Claims in the order they were added, each name once; values are kept as the JSON they came as.
///
/// ```
/// use chancery_core::model::Claims;
/// let mut claims = Claims::default();
/// claims.set("email", &"alice@example.org").set("email_verified", &true);
/// assert_eq!(claims.get("email").unwrap().get(), "\"alice@example.org\"");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Claims(Vec<(Box<str>, Box<RawValue>)>);

impl Claims {
    /// Adds a claim, or replaces the one of that name. A value that has no JSON form is left out.
    pub fn set(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> &mut Self {
        if let Ok(json) = serde_json::value::to_raw_value(value) {
            self.set_raw(name, json);
        }
        self
    }

    /// Adds a claim whose value is JSON already, or replaces the one of that name.
    pub fn set_raw(&mut self, name: &str, json: Box<RawValue>) -> &mut Self {
        match self.0.iter_mut().find(|(have, _)| **have == *name) {
            Some((_, value)) => *value = json,
            None => self.0.push((name.into(), json)),
        }
        self
    }

    /// The value of a claim, as JSON.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(have, _)| **have == *name).map(|(_, value)| &**value)
    }

    /// All claims in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Only those whose name satisfies the condition.
    #[must_use]
    pub fn filtered(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|(name, _)| keep(name));
        self
    }

    /// The claims that may be returned about a person: only what these names cover ([`ClaimName`]), without
    /// null and empty values (OIDC Core section 5.3.2).
    #[must_use]
    pub fn said(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, value)| is_said(name, value, names));
        self
    }

    /// Like [`Claims::said`], but copies only the claims that may be returned.
    #[must_use]
    pub fn to_said(&self, names: &[&str]) -> Self {
        Self(self.0.iter().filter(|(name, value)| is_said(name, value, names)).cloned().collect())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn is_said(name: &str, value: &RawValue, names: &[&str]) -> bool {
    let is_asked = names.iter().any(|asked| ClaimName::of(asked).covers(ClaimName::of(name)));
    is_asked && !matches!(value.get(), "null" | "\"\"")
}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
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
                    claims.0.push((name, value));
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

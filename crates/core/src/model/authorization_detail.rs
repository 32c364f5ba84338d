//! RFC 9396 section 2: one authorization details object.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The member that says what the others mean.
const TYPE: &str = "type";

/// What access is asked for, or was granted, as the type of the object has it: `type` and whatever members this
/// allows. Numbers are those of RFC 8259 section 6 that every reader has: 64 bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>", into = "Map<String, Value>")]
pub struct AuthorizationDetail {
    type_name: Box<str>,
    /// All but `type`.
    members: Map<String, Value>,
}

/// An object that does not say of which type it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untyped;

impl std::fmt::Display for Untyped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an authorization details object without a type")
    }
}

impl TryFrom<Map<String, Value>> for AuthorizationDetail {
    type Error = Untyped;

    fn try_from(mut members: Map<String, Value>) -> Result<Self, Untyped> {
        match members.remove(TYPE) {
            Some(Value::String(name)) if !name.is_empty() => {
                Ok(Self { type_name: name.into_boxed_str(), members })
            }
            _ => Err(Untyped),
        }
    }
}

impl From<AuthorizationDetail> for Map<String, Value> {
    fn from(AuthorizationDetail { type_name, mut members }: AuthorizationDetail) -> Self {
        members.insert(TYPE.to_owned(), Value::String(type_name.into()));
        members
    }
}

impl AuthorizationDetail {
    /// `type`
    #[must_use]
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// A member other than `type`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// The members other than `type`.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The strings of a member that is an array; none if it is absent, or not an array.
    pub fn strings<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The same detail with another value of a member.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        if name != TYPE {
            self.members.insert(name.to_owned(), value);
        }
        self
    }

    /// The whole object, with `type`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        Value::Object(self.clone().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_has_a_type() {
        let read = |json: &str| serde_json::from_str::<AuthorizationDetail>(json);
        let detail = read(r#"{"actions":["read",1],"type":"t","n":1.5}"#).unwrap();
        assert_eq!(detail.type_name(), "t");
        assert_eq!(detail.strings("actions").collect::<Vec<_>>(), ["read"]);
        assert_eq!(detail.members().map(|(name, _)| name).collect::<Vec<_>>(), ["actions", "n"]);
        assert_eq!(serde_json::to_string(&detail).unwrap(), r#"{"actions":["read",1],"n":1.5,"type":"t"}"#);
        assert_eq!(detail.clone().with("type", "other".into()), detail);
        for bad in ["{}", r#"{"type":""}"#, r#"{"type":1}"#, r#"{"type":["t"]}"#, "[]", "null", r#""t""#] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

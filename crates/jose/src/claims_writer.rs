//! Writing a claims set.

use std::fmt::Write as _;
use std::ops::Range;

use chancery_types::Timestamp;
use serde_json::value::RawValue;

use crate::json;

/// Writes a JSON object member by member. A later member of a name that was written already is ignored, so
/// that nothing added later can change what the protocol wrote first.
///
/// ```
/// # mod chancery { pub mod jose { pub use chancery_jose::ClaimsWriter; } }
/// use chancery::jose::ClaimsWriter;
/// let mut claims = ClaimsWriter::new();
/// claims.string("sub", "alice").integer("level", 2).string("sub", "mallory");
/// assert_eq!(claims.finish(), r#"{"sub":"alice","level":2}"#);
/// ```
#[derive(Clone)]
pub struct ClaimsWriter {
    /// The object so far, without the closing brace.
    json: String,
    /// The ranges of the names in it.
    names: Vec<Range<usize>>,
}

impl ClaimsWriter {
    /// An empty object.
    #[must_use]
    pub fn new() -> Self {
        let mut json = String::with_capacity(512);
        json.push('{');
        Self { json, names: Vec::with_capacity(16) }
    }

    /// A string.
    pub fn string(&mut self, name: &str, value: &str) -> &mut Self {
        self.member(name, |json| json::write_string(json, value))
    }

    /// A string, if there is one.
    pub fn string_if(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.string(name, value),
            None => self,
        }
    }

    /// An array of strings.
    pub fn strings<'v>(&mut self, name: &str, values: impl IntoIterator<Item = &'v str>) -> &mut Self {
        self.member(name, |json| {
            json.push('[');
            for (at, value) in values.into_iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                json::write_string(json, value);
            }
            json.push(']');
        })
    }

    /// `aud` (RFC 7519 section 4.1.3): a string for one audience, an array for several, and nothing for none.
    pub fn audience(&mut self, audiences: &[&str]) -> &mut Self {
        match audiences {
            [] => self,
            [one] => self.string("aud", one),
            several => self.strings("aud", several.iter().copied()),
        }
    }

    /// A whole number.
    pub fn integer(&mut self, name: &str, value: i64) -> &mut Self {
        self.member(name, |json| {
            let _never_fails = write!(json, "{value}");
        })
    }

    /// A date, in whole seconds (RFC 7519 section 2, NumericDate).
    pub fn date(&mut self, name: &str, value: Timestamp) -> &mut Self {
        self.integer(name, value.secs())
    }

    /// True or false.
    pub fn boolean(&mut self, name: &str, value: bool) -> &mut Self {
        self.member(name, |json| json.push_str(if value { "true" } else { "false" }))
    }

    /// An object.
    pub fn object(&mut self, name: &str, members: Self) -> &mut Self {
        self.member(name, |json| json.push_str(&members.finish()))
    }

    /// Any JSON value.
    pub fn raw(&mut self, name: &str, value: &RawValue) -> &mut Self {
        self.member(name, |json| json.push_str(value.get()))
    }

    /// The object.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.json.push('}');
        self.json
    }

    fn member(&mut self, name: &str, value: impl FnOnce(&mut String)) -> &mut Self {
        let before = self.json.len();
        if !self.names.is_empty() {
            self.json.push(',');
        }
        let start = self.json.len();
        json::write_string(&mut self.json, name);
        let name = start..self.json.len();
        // `write_string` writes a string in one way only, so equal names are equal bytes.
        let is_written = |other: &Range<usize>| self.json.get(other.clone()) == self.json.get(name.clone());
        if self.names.iter().any(is_written) {
            self.json.truncate(before);
        } else {
            self.json.push(':');
            value(&mut self.json);
            self.names.push(name);
        }
        self
    }
}

impl Default for ClaimsWriter {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::JwtClaims;

    #[test]
    fn every_type_is_read_back() {
        let address = RawValue::from_string(r#"{"country":"Ödland \" \\"}"#.to_owned()).unwrap();
        let mut writer = ClaimsWriter::new();
        writer
            .string("iss", "https://op.example/\u{0}\n\"\\")
            .strings("aud", ["a", "b\u{7f}"])
            .strings("amr", [])
            .date("exp", Timestamp::from_millis(1_999))
            .integer("n", i64::MIN)
            .boolean("email_verified", false)
            .string_if("nonce", None)
            .string_if("jti", Some(""))
            .raw("address", &address)
            .raw("iss", &address)
            .boolean("exp", true);
        let json = writer.finish();
        let claims = JwtClaims::parse(json.as_bytes()).unwrap();
        assert_eq!(claims.iss.as_deref(), Some("https://op.example/\u{0}\n\"\\"));
        assert_eq!(claims.aud, ["a", "b\u{7f}"]);
        assert_eq!(claims.exp, Some(Timestamp::from_secs(1)));
        assert_eq!((claims.nonce.clone(), claims.jti.clone()), (None, Some(String::new())));
        let others: Vec<_> = claims.others().map(|(name, value)| (name, value.get())).collect();
        let min = i64::MIN.to_string();
        assert_eq!(
            others,
            [("address", address.get()), ("amr", "[]"), ("email_verified", "false"), ("n", &min)]
        );
        assert_eq!(ClaimsWriter::new().finish(), "{}");
    }

    /// A member is written once, however its name is escaped; a name that only looks alike is another one.
    #[test]
    fn the_first_of_a_name_stays() {
        let names =
            ["", "\"", "\\", "\\\"", "a\":1,\"b", "\u{0}", "\\u0000", "sub", "SUB", "sub\u{301}", "s\u{fa}b"];
        let mut writer = ClaimsWriter::new();
        for (at, name) in (0..).zip(names) {
            writer.integer(name, at).boolean(name, true);
        }
        for name in names {
            writer.string(name, "later");
        }
        let json = writer.finish();
        let claims = JwtClaims::parse(json.as_bytes());
        // `sub` is a registered claim and has to be a string.
        assert_eq!(claims.err(), Some(crate::Error::MemberType), "{json}");
        let object = json::Object::parse(json.as_bytes()).unwrap();
        assert_eq!(object.iter().count(), names.len(), "{json}");
        for (at, name) in names.iter().enumerate() {
            assert_eq!(object.raw(name).unwrap().get(), at.to_string(), "{name}");
        }
    }
}

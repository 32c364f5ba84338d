//! Strict JSON: a name that occurs twice in one object is an error at every depth, because two readers may
//! take different values for it (RFC 8259 section 4), and nesting has a limit. No tree is built.

use std::{borrow::Cow, collections::BTreeSet, fmt};

use serde::{
    Deserializer,
    de::{DeserializeSeed, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::Error;

/// How deep arrays and objects may be nested.
pub const MAX_DEPTH: usize = 32;

/// Checks that `bytes` are one JSON text without duplicate names at any depth.
///
/// # Errors
/// [`Error::Json`], [`Error::DuplicateMember`], [`Error::TooDeep`].
///
/// ```
/// # mod chancery { pub mod jose { pub use chancery_jose::Error; } }
/// # use chancery_jose::json;
/// use chancery::jose::Error;
/// assert_eq!(json::check(br#"{"a":[{"b":1,"c":2}]}"#), Ok(()));
/// assert_eq!(json::check(br#"{"a":[{"b":1,"\u0062":2}]}"#), Err(Error::DuplicateMember));
/// ```
pub fn check(bytes: &[u8]) -> Result<(), Error> {
    let text = str::from_utf8(bytes).map_err(|_| Error::Json)?;
    let mut fault = Error::Json;
    check_value(text, MAX_DEPTH, &mut fault).map_err(|()| fault)
}

/// The members of one JSON object whose names are unique at every depth, sorted by name. Values are kept as
/// they were written and are read when they are asked for.
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads one JSON object.
    ///
    /// # Errors
    /// [`Error::Json`] (also when it is not an object), [`Error::DuplicateMember`], [`Error::TooDeep`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let text = str::from_utf8(bytes).map_err(|_| Error::Json)?;
        let mut json = serde_json::Deserializer::from_str(text);
        let mut members = json.deserialize_map(Members).map_err(|_| Error::Json)?;
        json.end().map_err(|_| Error::Json)?;

        members.sort_by(|(a, _), (b, _)| a.cmp(b));
        if members.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return Err(Error::DuplicateMember);
        }
        let mut fault = Error::Json;
        for (_, value) in members.iter().filter(|(_, value)| plain_string(value).is_none()) {
            check_value(value.get(), MAX_DEPTH - 1, &mut fault).map_err(|()| fault)?;
        }
        Ok(Self { members })
    }

    /// These members, and of the others those that `keep` names.
    #[must_use]
    pub fn under(
        mut self,
        members: impl IntoIterator<Item = (&'a str, &'a RawValue)>,
        keep: impl Fn(&str) -> bool,
    ) -> Self {
        let over: Vec<_> = members.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect();
        self.members.retain(|(name, _)| keep(name) && over.iter().all(|(other, _)| other != name));
        self.members.extend(over);
        self.members.sort_by(|(a, _), (b, _)| a.cmp(b));
        self
    }

    /// The value of a member, as it was written.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        let at = self.members.binary_search_by(|(other, _)| other.as_ref().cmp(name)).ok()?;
        self.members.get(at).map(|(_, value)| *value)
    }

    /// Whether the member is present, whatever its value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    /// A member that is a string.
    ///
    /// # Errors
    /// [`Error::MemberType`] when it is present and something else; `null` is something else.
    pub fn string(&self, name: &str) -> Result<Option<String>, Error> {
        let read = |value: &RawValue| match plain_string(value) {
            Some(text) => Ok(text.to_owned()),
            None => serde_json::from_str(value.get()).map_err(|_| Error::MemberType),
        };
        self.raw(name).map(read).transpose()
    }

    /// A member that is an array of strings.
    ///
    /// # Errors
    /// [`Error::MemberType`] when it is present and something else.
    pub fn strings(&self, name: &str) -> Result<Option<Vec<String>>, Error> {
        self.raw(name)
            .map(|value| serde_json::from_str(value.get()).map_err(|_| Error::MemberType))
            .transpose()
    }

    /// A member that must be a string.
    ///
    /// # Errors
    /// [`Error::MissingMember`], [`Error::MemberType`].
    pub fn required(&self, name: &str) -> Result<String, Error> {
        self.string(name)?.ok_or(Error::MissingMember)
    }

    /// Name and value of each member, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), *value))
    }
}

/// Appends `text` as a JSON string (RFC 8259 section 7) in which only what must be escaped is escaped.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_escaped) {
        // Escaped characters are ASCII, so both cuts fall between two characters.
        let (plain, from_escaped) = rest.split_at(at);
        let (escaped, after) = from_escaped.split_at(1);
        out.push_str(plain);
        match escaped {
            "\"" => out.push_str("\\\""),
            "\\" => out.push_str("\\\\"),
            control => out.extend(control.bytes().flat_map(unicode_escape)),
        }
        rest = after;
    }
    out.push_str(rest);
    out.push('"');
}

fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// A control character as `\u` and four digits.
fn unicode_escape(control: u8) -> impl Iterator<Item = char> {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    ['\\', 'u', '0', '0', digit(control >> 4), digit(control & 15)].into_iter()
}

/// The text of a string in which nothing is escaped, as most are: nothing is left to check in it, and it need not
/// be parsed a second time.
fn plain_string(value: &RawValue) -> Option<&str> {
    let text = value.get().strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then_some(text)
}

/// Checks one value; on failure `fault` says which rule it broke, which serde's own error type cannot carry.
fn check_value(text: &str, depth: usize, fault: &mut Error) -> Result<(), ()> {
    let mut json = serde_json::Deserializer::from_str(text);
    Unique { depth, fault }.deserialize(&mut json).map_err(|_| ())?;
    json.end().map_err(|_| ())
}

/// A member name, borrowed from the text where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }
    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// The members of the outermost object.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(Cow<'de, str>, &'de RawValue)>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value()?));
        }
        Ok(members)
    }
}

/// Walks a value of any type without keeping it.
struct Unique<'f> {
    depth: usize,
    fault: &'f mut Error,
}

impl Unique<'_> {
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        self.depth.checked_sub(1).ok_or_else(|| E::custom("depth"))
    }
}

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without duplicate names")
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let depth = self.deeper().inspect_err(|_| *self.fault = Error::TooDeep)?;
        while seq.next_element_seed(Unique { depth, fault: &mut *self.fault })?.is_some() {}
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let depth = self.deeper().inspect_err(|_| *self.fault = Error::TooDeep)?;
        let mut names = BTreeSet::new();
        while let Some(name) = map.next_key_seed(Name)? {
            if !names.insert(name) {
                *self.fault = Error::DuplicateMember;
                return Err(serde::de::Error::custom("duplicate"));
            }
            map.next_value_seed(Unique { depth, fault: &mut *self.fault })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_and_depth() {
        let nested = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        for (text, want) in [
            ("{}".to_owned(), Ok(())),
            ("17".to_owned(), Ok(())),
            (r#" {"a":1,"b":{"a":[null,true,-1,1.5,"x"]}} "#.to_owned(), Ok(())),
            (r#"{"a":1,"a":1}"#.to_owned(), Err(Error::DuplicateMember)),
            (r#"{"a":1,"\u0061":1}"#.to_owned(), Err(Error::DuplicateMember)),
            (r#"{"x":[[{"a":{"":1,"":2}}]]}"#.to_owned(), Err(Error::DuplicateMember)),
            (nested(32), Ok(())),
            (nested(33), Err(Error::TooDeep)),
            (nested(10_000), Err(Error::TooDeep)),
            ("{} {}".to_owned(), Err(Error::Json)),
            ("".to_owned(), Err(Error::Json)),
            ("{'a':1}".to_owned(), Err(Error::Json)),
            ("{\"a\":1,}".to_owned(), Err(Error::Json)),
            ("{\"a\":1e999}".to_owned(), Err(Error::Json)),
            ("{\"a\":\"\\ud800\"}".to_owned(), Err(Error::Json)),
            ("\u{feff}{}".to_owned(), Err(Error::Json)),
        ] {
            assert_eq!(check(text.as_bytes()), want, "{text:.60}");
        }
        assert_eq!(check(b"\"\xff\""), Err(Error::Json));
    }

    #[test]
    fn objects() {
        let object = Object::parse(br#"{"z":"1","a":["x","y"],"n":null,"o":{"k":[1, 2]}}"#).unwrap();
        assert_eq!(object.required("z").unwrap(), "1");
        assert_eq!(object.strings("a").unwrap().unwrap(), ["x", "y"]);
        assert_eq!(object.string("a"), Err(Error::MemberType));
        assert_eq!(object.string("n"), Err(Error::MemberType));
        assert_eq!(object.required("q"), Err(Error::MissingMember));
        assert_eq!(object.raw("o").unwrap().get(), r#"{"k":[1, 2]}"#);
        assert_eq!(object.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["a", "n", "o", "z"]);

        assert!(matches!(Object::parse(br#"{"a":1,"b":2,"\u0061":3}"#), Err(Error::DuplicateMember)));
        assert!(matches!(Object::parse(br#"{"a":{"b":1,"b":2}}"#), Err(Error::DuplicateMember)));
        for not_an_object in ["[]", "1", "null", "", "{} x", "{"] {
            assert!(matches!(Object::parse(not_an_object.as_bytes()), Err(Error::Json)), "{not_an_object}");
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(32), "]".repeat(32));
        assert!(matches!(Object::parse(deep.as_bytes()), Err(Error::TooDeep)));
    }

    #[test]
    fn members_over_others() {
        let over = Object::parse(br#"{"b":2,"d":4}"#).unwrap();
        let object = Object::parse(br#"{"a":1,"b":1,"c":1,"e":1}"#).unwrap();
        let object = object.under(over.iter(), |name| name != "c");
        let all: Vec<_> = object.iter().map(|(name, value)| (name, value.get())).collect();
        assert_eq!(all, [("a", "1"), ("b", "2"), ("d", "4"), ("e", "1")]);
        assert!(object.has("d") && !object.has("c"));
    }

    /// Exactly the characters that must be escaped are, wherever in the text they stand.
    #[test]
    fn escapes() {
        for (text, want) in [
            ("", r#""""#),
            ("\"", r#""\"""#),
            ("\\\\", r#""\\\\""#),
            ("a\"b", r#""a\"b""#),
            ("\u{0}\u{1f} \u{7f}", "\"\\u0000\\u001f \u{7f}\""),
            ("\n\t\r", r#""\u000a\u0009\u000d""#),
            ("\u{e4}\"\u{1d11e}\n\u{20ac}", "\"\u{e4}\\\"\u{1d11e}\\u000a\u{20ac}\""),
        ] {
            let mut out = String::new();
            write_string(&mut out, text);
            assert_eq!(out, want);
        }
    }

    #[test]
    fn strings_are_read_back_as_they_were() {
        let all: String =
            (0..0x300).filter_map(char::from_u32).chain(['\u{2028}', '\u{10ffff}', '𝄞']).collect();
        let mut out = String::new();
        write_string(&mut out, &all);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), all);
    }
}

//! Distinguished names: written as RFC 4514 says, compared as RFC 5280 section 7.1 says.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use x509_cert::der::asn1::{Any, ObjectIdentifier};
use x509_cert::der::{Decode as _, Tag, Tagged as _};
use x509_cert::name::Name;

use crate::prepared::prepared;

/// The longest that is read, in bytes.
const LONGEST: usize = 4 * 1024;

/// The name of a subject: relative names, the outermost first, each a set of attributes.
///
/// ```
/// # mod chancery { pub mod mutual_tls { pub use chancery_x509::DistinguishedName; } }
/// use chancery::mutual_tls::DistinguishedName;
///
/// let one: DistinguishedName = "CN=app, O=Example  Bank,C=DE".parse()?;
/// let other: DistinguishedName = "cn=APP,o=example bank,c=de".parse()?;
/// assert!(one.names_the_same_as(&other));
/// # Ok::<(), chancery_x509::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DistinguishedName {
    /// As it was written.
    text: String,
    relative: Vec<Vec<Attribute>>,
}

/// An attribute of a relative name. Those of one name are sorted, because they are a set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Attribute {
    /// Its type as a dotted number.
    kind: String,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    /// A string of any type that has the same characters, prepared.
    Text(String),
    /// Anything else: its tag and its content.
    Other(Tag, Vec<u8>),
}

/// Why a text is no distinguished name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// It has no attribute.
    Empty,
    /// It is longer than 4 KiB.
    TooLong,
    /// It is not written as RFC 4514 section 3 says.
    Syntax,
    /// The short name of an attribute is unknown; its number can be written instead.
    UnknownAttribute,
    /// A value has characters that no name has.
    Characters,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the name has no attribute",
            Self::TooLong => "the name is longer than 4 KiB",
            Self::Syntax => {
                "the name is not written as RFC 4514 section 3 says, such as CN=app,O=Example,C=DE"
            }
            Self::UnknownAttribute => {
                "the name has an attribute whose short name is unknown; write its number, such as 2.5.4.97"
            }
            Self::Characters => "the name has a value with characters that are not compared",
        })
    }
}

impl std::error::Error for NameError {}

chancery_types::debug_as_display!(NameError);

/// The short names of RFC 4514 section 3, and others that certificate authorities and programs write.
const SHORT_NAMES: &[(&str, &str)] = &[
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("serialNumber", "2.5.4.5"),
    ("title", "2.5.4.12"),
    ("businessCategory", "2.5.4.15"),
    ("postalCode", "2.5.4.17"),
    ("givenName", "2.5.4.42"),
    ("SN", "2.5.4.4"),
    ("surname", "2.5.4.4"),
    ("organizationIdentifier", "2.5.4.97"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
    ("jurisdictionL", "1.3.6.1.4.1.311.60.2.1.1"),
    ("jurisdictionST", "1.3.6.1.4.1.311.60.2.1.2"),
    ("jurisdictionC", "1.3.6.1.4.1.311.60.2.1.3"),
    ("jurisdictionCountryName", "1.3.6.1.4.1.311.60.2.1.3"),
];

impl DistinguishedName {
    /// The subject of a certificate; `None` if it has a value that is equal to none.
    pub(crate) fn of(name: &Name) -> Option<Self> {
        let mut relative = Vec::new();
        for set in name.iter_rdn() {
            let attribute = |found: &x509_cert::attr::AttributeTypeAndValue| {
                Some(Attribute { kind: found.oid.to_string(), value: Value::of(&found.value)? })
            };
            relative.push(sorted(set.iter().map(attribute).collect::<Option<_>>()?));
        }
        Some(Self { text: name.to_string(), relative })
    }

    /// Whether both have the same relative names in the same order. Case, the number of spaces and the type of
    /// a string are insignificant, and so is the order within one relative name.
    #[must_use]
    pub fn names_the_same_as(&self, other: &Self) -> bool {
        self.relative == other.relative
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn sorted(mut set: Vec<Attribute>) -> Vec<Attribute> {
    set.sort_unstable();
    set
}

impl Value {
    /// The string types that RFC 5280 section 7.1 says to compare by their characters, and `IA5String`, which
    /// mail addresses and domain components have (section 7.3).
    fn of(value: &Any) -> Option<Self> {
        match value.tag() {
            Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
                prepared(std::str::from_utf8(value.value()).ok()?).map(Self::Text)
            }
            other => Some(Self::Other(other, value.value().to_vec())),
        }
    }
}

impl FromStr for DistinguishedName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl From<DistinguishedName> for String {
    fn from(name: DistinguishedName) -> Self {
        name.text
    }
}

impl TryFrom<String> for DistinguishedName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.len() > LONGEST {
            return Err(NameError::TooLong);
        }
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        let mut rest = text.as_str();
        let (mut relative, mut set) = (Vec::new(), Vec::new());
        loop {
            let (attribute, end) = read_attribute(&mut rest)?;
            set.push(attribute);
            if end != Some('+') {
                relative.push(sorted(std::mem::take(&mut set)));
            }
            if end.is_none() {
                break;
            }
        }
        // The text begins with the innermost (RFC 4514 section 2.1).
        relative.reverse();
        Ok(Self { text, relative })
    }
}

/// Reads an attribute, and the `+` or `,` behind it. Blanks before its type are skipped, because many programs
/// write `, ` between relative names (RFC 4514 section 3 permits to read other forms).
fn read_attribute(rest: &mut &str) -> Result<(Attribute, Option<char>), NameError> {
    let (kind, value) = rest.split_once('=').ok_or(NameError::Syntax)?;
    let kind = read_kind(kind.trim_start_matches(' '))?;
    let (value, end) = if let Some(hex) = value.strip_prefix('#') {
        let (digits, end) = before_separator(hex);
        *rest = hex.get(digits.len() + end.map_or(0, char::len_utf8)..).unwrap_or_default();
        let der = from_hex(digits).ok_or(NameError::Syntax)?;
        let any = Any::from_der(&der).map_err(|_| NameError::Syntax)?;
        (Value::of(&any).ok_or(NameError::Characters)?, end)
    } else {
        let (octets, length, end) = unescaped(value)?;
        *rest = value.get(length..).unwrap_or_default();
        let characters = String::from_utf8(octets).map_err(|_| NameError::Syntax)?;
        (Value::Text(prepared(&characters).ok_or(NameError::Characters)?), end)
    };
    Ok((Attribute { kind, value }, end))
}

fn read_kind(text: &str) -> Result<String, NameError> {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        // numericoid of RFC 4512 section 1.4: no number has a leading zero.
        let is_canonical = |oid: &ObjectIdentifier| oid.to_string() == text;
        let oid = ObjectIdentifier::new(text).ok().filter(is_canonical).ok_or(NameError::Syntax)?;
        return Ok(oid.to_string());
    }
    let is_descr = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    if !is_descr {
        return Err(NameError::Syntax);
    }
    let named = SHORT_NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    named.map(|(_, oid)| (*oid).to_owned()).ok_or(NameError::UnknownAttribute)
}

/// What stands before the next separator, and the separator.
fn before_separator(text: &str) -> (&str, Option<char>) {
    match text.find([',', '+']) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at..).and_then(|rest| rest.chars().next())),
        None => (text, None),
    }
}

/// `hexstring` without its number sign: whole octets, at least one.
fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let (pairs, odd) = digits.as_chunks::<2>();
    if pairs.is_empty() || !odd.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(hex_digit(*high)? << 4 | hex_digit(*low)?)).collect()
}

fn hex_digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// The octets of a `string`, how much of the text it takes up with its separator, and the separator.
fn unescaped(text: &str) -> Result<(Vec<u8>, usize, Option<char>), NameError> {
    let mut octets = Vec::new();
    let mut characters = text.char_indices();
    // The blank that came last, if it was not escaped: a value neither begins nor ends with one.
    let mut ends_with_blank = text.starts_with(' ');
    if ends_with_blank {
        return Err(NameError::Syntax);
    }
    while let Some((at, found)) = characters.next() {
        match found {
            ',' | '+' if ends_with_blank => return Err(NameError::Syntax),
            ',' | '+' => return Ok((octets, at + 1, Some(found))),
            '"' | ';' | '<' | '>' | '\0' => return Err(NameError::Syntax),
            '\\' => {
                let (_, escaped) = characters.next().ok_or(NameError::Syntax)?;
                if matches!(escaped, ' ' | '#' | '=' | '\\' | '"' | '+' | ',' | ';' | '<' | '>') {
                    octets.push(u8::try_from(escaped).map_err(|_| NameError::Syntax)?);
                } else {
                    let (_, second) = characters.next().ok_or(NameError::Syntax)?;
                    let digit = |found: char| found.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                    let (high, low) = digit(escaped).zip(digit(second)).ok_or(NameError::Syntax)?;
                    octets.push(high << 4 | low);
                }
                ends_with_blank = false;
                continue;
            }
            other => octets.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        ends_with_blank = found == ' ';
    }
    if ends_with_blank { Err(NameError::Syntax) } else { Ok((octets, text.len(), None)) }
}

#[cfg(test)]
mod tests {
    use chancery_seeded::Seeded;

    use super::*;

    fn name(text: &str) -> DistinguishedName {
        text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    #[test]
    fn names_are_compared_by_what_they_say() {
        for (one, other) in [
            ("CN=app,O=Example,C=DE", "cn=APP,o=example,c=de"),
            ("CN=app,O=Example,C=DE", "CN=app, O=Example,  C=DE"),
            ("CN=app,O=Example,C=DE", "2.5.4.3=app,2.5.4.10=Example,2.5.4.6=DE"),
            ("CN=app", "CN=#0c03617070"),
            ("CN=app", "CN=#1303617070"),
            ("CN=app", "CN=\\61\\70p"),
            ("CN=Example  Bank", "CN=\\ Example Bank\\ "),
            ("CN=a\\,b", "CN=a\\2Cb"),
            ("CN=a\\+b\\=c", "CN=a\\2bb=c"),
            ("CN=Lu\\C4\\8Di\\C4\\87", "CN=Lu\u{10d}i\u{107}"),
            ("OU=Sales+CN=J. Smith,DC=example,DC=net", "CN=J.  Smith+OU=SALES,DC=example,DC=net"),
            ("CN=,O=a", "CN=\\ ,O=a"),
        ] {
            assert!(name(one).names_the_same_as(&name(other)), "{one} {other}");
        }
        for (one, other) in [
            ("CN=app,O=Example", "O=Example,CN=app"),
            ("CN=app,O=Example", "CN=app+O=Example"),
            ("CN=app,O=Example", "CN=app"),
            ("CN=app", "CN=app,CN=app"),
            ("CN=app", "CN=app+CN=app"),
            ("CN=app", "CN=ap p"),
            ("CN=app", "OU=app"),
            ("CN=app", "CN=#1e060061007000 70".replace(' ', "").as_str()),
            ("CN=app", "CN=\u{430}pp"),
            ("CN=#0403617070", "CN=#0c03617070"),
        ] {
            assert!(!name(one).names_the_same_as(&name(other)), "{one} {other}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        use NameError::{Characters, Empty, Syntax, UnknownAttribute};
        for (text, error) in [
            ("", Empty),
            ("CN", Syntax),
            ("=app", Syntax),
            ("CN=app,", Syntax),
            ("CN=app,,O=b", Syntax),
            ("CN=app+", Syntax),
            (",CN=app", Syntax),
            ("CN=app;O=b", Syntax),
            ("/CN=app/O=b", Syntax),
            ("CN=\"app\"", Syntax),
            ("CN= app", Syntax),
            ("CN=app ", Syntax),
            ("CN=app ,O=b", Syntax),
            ("CN =app", Syntax),
            ("CN=a<b", Syntax),
            ("CN=a\\", Syntax),
            ("CN=a\\6", Syntax),
            ("CN=a\\zz", Syntax),
            ("CN=\\ff", Syntax),
            ("CN=#", Syntax),
            ("CN=#0c", Syntax),
            ("CN=#0c036170", Syntax),
            ("CN=#0c0361707000", Syntax),
            ("CN=#0c03617070 ", Syntax),
            ("CN=#zz", Syntax),
            ("2.5.4.03=app", Syntax),
            ("2.5.4.=app", Syntax),
            ("9.5=app", Syntax),
            ("nonsense=app", UnknownAttribute),
            ("CN=a\\00b", Characters),
            ("CN=#0c0361007a", Characters),
            ("CN=a\u{202e}b", Characters),
        ] {
            assert_eq!(text.parse::<DistinguishedName>().err(), Some(error), "{text:?}");
        }
        assert_eq!("CN=a,".repeat(1024).parse::<DistinguishedName>().err(), Some(NameError::TooLong));
    }

    /// No input causes a panic, and what is accepted is the same when it is written and read again.
    #[test]
    fn generated_names() {
        let mut seeded = Seeded::new(1);
        let pieces = [
            "CN=",
            "O=",
            "2.5.4.97=",
            "1.2.=",
            "=",
            ",",
            ", ",
            "+",
            "#",
            "0c",
            "036170",
            "70",
            "\\",
            "\\2c",
            "\\C3",
            "\\A4",
            " ",
            "a",
            "B",
            "\u{e4}",
            "\0",
            ";",
            "\"",
            "\u{10fffd}",
            "UID=x",
            "C=DE",
        ];
        let mut read = 0;
        for _ in 0..100_000_u32 {
            let text = seeded.text(&pieces, 8);
            let Ok(name) = text.parse::<DistinguishedName>() else { continue };
            read += 1;
            assert!(!name.relative.is_empty() && name.relative.iter().all(|set| !set.is_empty()), "{text:?}");
            let again: DistinguishedName = String::from(name.clone()).parse().unwrap();
            assert!(again.names_the_same_as(&name));
            let upper = text.to_ascii_uppercase().parse::<DistinguishedName>();
            assert!(upper.is_ok_and(|upper| upper.names_the_same_as(&name)), "{text:?}");
        }
        assert!(read > 1_000, "only {read} were well formed");
    }
}

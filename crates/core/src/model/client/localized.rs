//! RFC 7591 section 2.2 and OpenID Connect Dynamic Client Registration 1.0 section 2.1: what people are told about
//! a client, in several languages and scripts.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chancery_types::is_language_tag;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Reader;
use crate::model::ClaimName;

/// How many such members a client may have: the members that can have one, in two dozen languages.
const MOST: usize = 120;

const SECTION: &str = "RFC 7591 section 2.2";

/// Members of client metadata with the language of their value in the name, such as `client_name#de`. They are
/// kept under the names that they came with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Localized(BTreeMap<Box<str>, Box<str>>);

impl Localized {
    /// Each value is judged as the member without a language would be.
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        let mut read = BTreeMap::new();
        let mut known = BTreeSet::new();
        for name in from.names() {
            let Some((member, tag)) = name.split_once('#').filter(|(member, _)| is_localizable(member))
            else {
                continue;
            };
            if !is_language_tag(tag) {
                from.complain_by(member, format!("{tag:?} after # is not a language tag"), SECTION);
                continue;
            }
            // RFC 5646 section 2.1.1: the case of a tag means nothing.
            if !known.insert(name.to_ascii_lowercase()) {
                from.complain_by(member, format!("{tag} is there twice, in another case"), SECTION);
                continue;
            }
            let value = match member {
                "client_name" => from.string(name).map(Into::into),
                _ => from.url(name, true),
            };
            read.extend(value.map(|value| (name.into(), value)));
        }
        if read.len() > MOST {
            let rule = format!("and the like: there may be at most {MOST} members with a language");
            from.complain_by("client_name#", rule, SECTION);
        }
        Self(read)
    }

    /// The value of this member for a person who reads this language: the one of the same language, or else of a
    /// dialect of it, or else of the language that this is a dialect of (RFC 4647 section 3.4).
    #[must_use]
    pub fn get(&self, member: &str, language: &str) -> Option<&str> {
        let shorter = |tag: &&str| -> Option<&str> {
            let end = language.get(..tag.len())?.rfind('-')?;
            language.get(..end)
        };
        std::iter::successors(Some(language), shorter).find_map(|tag| {
            let wanted = ClaimName { claim: member, language: Some(tag) };
            let fitting = self.0.iter().filter(|(name, _)| wanted.covers(ClaimName::of(name)));
            fitting.min_by_key(|(name, _)| name.len()).map(|(_, value)| &**value)
        })
    }

    /// The value of this member in whichever language comes first, for a client that has it in no other form.
    #[must_use]
    pub fn any(&self, member: &str) -> Option<&str> {
        let mut all = self.0.iter();
        all.find(|(name, _)| ClaimName::of(name).claim == member).map(|(_, value)| &**value)
    }
}

/// Whether people read it, or what it leads to.
fn is_localizable(member: &str) -> bool {
    matches!(member, "client_name" | "client_uri" | "logo_uri" | "policy_uri" | "tos_uri")
}

impl Serialize for Localized {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(&self.0)
    }
}

/// Among all members of a client.
impl<'de> Deserialize<'de> for Localized {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Localized;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("client metadata")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Localized, A::Error> {
                let mut read = BTreeMap::new();
                while let Some(name) = members.next_key::<Box<str>>()? {
                    if name.split_once('#').is_some_and(|(member, _)| is_localizable(member)) {
                        read.insert(name, members.next_value()?);
                    } else {
                        members.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Localized(read))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use chancery_seeded::Seeded;

    use super::*;

    fn localized(names: &[&str]) -> Localized {
        Localized(names.iter().map(|name| ((*name).into(), (*name).into())).collect())
    }

    /// RFC 4647 section 3.4: a language is shortened until there is something in it.
    #[test]
    fn the_nearest_language_is_found() {
        let all = ["client_name#de", "client_name#DE-at", "client_name#ja-Jpan-JP", "client_name#zh-Hant"];
        for (language, expected) in [
            ("de", Some("client_name#de")),
            ("DE", Some("client_name#de")),
            ("de-AT", Some("client_name#DE-at")),
            ("de-AT-1996", Some("client_name#DE-at")),
            ("de-CH", Some("client_name#de")),
            ("ja", Some("client_name#ja-Jpan-JP")),
            ("zh-Hant-TW", Some("client_name#zh-Hant")),
            ("zh-Hans", Some("client_name#zh-Hant")),
            ("d", None),
            ("den", None),
            ("en", None),
            ("", None),
        ] {
            assert_eq!(localized(&all).get("client_name", language), expected, "{language}");
            assert_eq!(localized(&all).get("tos_uri", language), None);
        }
        assert_eq!(localized(&all).any("client_name"), Some("client_name#DE-at"));
        assert_eq!(localized(&all).any("tos_uri"), None);
    }

    /// Whatever names and languages come: what is found is of the member, and of the same language.
    #[test]
    fn every_language_is_read() {
        let mut seeded = Seeded::new(1);
        let mut below = |limit: usize| seeded.below(limit);
        let members = ["client_name", "tos_uri"];
        let parts = ["", "#", "de", "DE", "-", "AT", "x", "1996", "zh", "\u{e4}", " ", "abcdefghi"];
        let mut found = 0;
        for _ in 0..100_000 {
            let mut tag = || (0..below(5)).map(|_| parts[below(parts.len())]).collect::<String>();
            let names: Vec<String> = (0..4).map(|n| format!("{}#{}", members[n % 2], tag())).collect();
            let language = tag();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            if let Some(name) = localized(&names).get("client_name", &language) {
                let said = name.strip_prefix("client_name#").unwrap().to_lowercase();
                let of = |text: &str| text.to_lowercase().split('-').next().unwrap().to_owned();
                assert!(said.is_empty() || of(&said) == of(&language), "{names:?} {language:?}");
                found += 1;
            }
        }
        assert!(found > 1_000, "{found}");
    }
}

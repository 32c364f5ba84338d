//! Reads the members of client metadata one by one and reports everything that is wrong at once.

use std::collections::BTreeSet;

use chancery_jose::json::Object;
use chancery_types::nearest::did_you_mean;
use chancery_types::{RedirectKind, RedirectUri, is_misleading};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::ClientMember;
use super::choices::{self, Picked};
use crate::error::Complaint;
use crate::offered::RedirectLeniency;

/// A JSON object that is being read: what was read so far, what is wrong, and what is left out.
pub(crate) struct Reader<'m> {
    /// The prefix of names in complaints: empty, or `chancery.`.
    prefix: &'static str,
    section: &'static str,
    /// Whether the client wrote the metadata itself.
    is_of_client: bool,
    /// How the rules for redirect URIs are loosened.
    redirects: RedirectLeniency,
    object: &'m Object<'m>,
    known: Vec<&'m str>,
    complaints: Vec<Complaint>,
    notices: Vec<String>,
}

impl<'m> Reader<'m> {
    pub(crate) fn new(object: &'m Object<'m>, section: &'static str) -> Self {
        let (known, complaints, notices) = (Vec::new(), Vec::new(), Vec::new());
        let redirects = RedirectLeniency::default();
        Self { prefix: "", section, is_of_client: false, redirects, object, known, complaints, notices }
    }

    /// Of metadata that the client wrote itself. `null` and `""` count as if the member was omitted (RFC 7592
    /// section 2.2), and no URL may lead to an IP address, because it could be one of our own network.
    pub(crate) fn of_client(self) -> Self {
        Self { is_of_client: true, ..self }
    }

    /// Whether the client wrote the metadata itself.
    pub(crate) fn is_of_client(&self) -> bool {
        self.is_of_client
    }

    /// After the server has picked from the choices of a client; what is wrong with them counts, too.
    pub(crate) fn after(mut self, picked: &Picked) -> Self {
        self.known.extend(self.names().filter(|name| choices::of(name).is_some()));
        self.complaints.extend(picked.complaints.iter().cloned());
        self
    }

    /// Loosens the rules for redirect URIs.
    pub(crate) fn permit(&mut self, redirects: RedirectLeniency) {
        self.redirects = self.redirects.or(redirects);
    }

    /// How the rules for redirect URIs are loosened.
    pub(super) fn redirects(&self) -> RedirectLeniency {
        self.redirects
    }

    /// A string that is not empty and contains no misleading characters.
    pub(crate) fn string(&mut self, name: &'m str) -> Option<String> {
        let text: String = self.value(name, "a string")?;
        if text.is_empty() {
            return self.wrong(name, "must not be empty");
        }
        if text.chars().any(is_misleading) {
            return self.wrong(name, MISLEADING);
        }
        Some(text)
    }

    /// An array of such strings, each once.
    pub(super) fn strings(&mut self, name: &'m str) -> Option<Vec<String>> {
        let texts: Vec<String> = self.value(name, "an array of strings")?;
        if texts.iter().any(String::is_empty) {
            self.complain(name, "must not have empty members");
        }
        if texts.iter().flat_map(|text| text.chars()).any(is_misleading) {
            return self.wrong(name, MISLEADING);
        }
        let mut known = BTreeSet::new();
        Some(texts.into_iter().filter(|text| !text.is_empty() && known.insert(text.clone())).collect())
    }

    /// An array of registered values.
    pub(super) fn values<T>(
        &mut self,
        name: &'m str,
        parse: impl Fn(&str) -> Option<T>,
        known: &str,
    ) -> Option<Vec<T>> {
        let texts = self.strings(name)?;
        for text in texts.iter().filter(|text| parse(text).is_none()) {
            let near = did_you_mean(
                text,
                known.split([',', '.']).flat_map(|list| list.split(" and ")).map(str::trim),
            );
            self.complain(name, format!("{text:?} is not supported; there are {known}{near}"));
        }
        texts.iter().map(|text| parse(text)).collect()
    }

    pub(super) fn boolean(&mut self, name: &'m str) -> Option<bool> {
        self.value(name, "true or false")
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&mut self, name: &'m str) -> Option<u64> {
        self.value(name, "a whole number that is not negative")
    }

    /// An `https` URL, or with `may_be_http` an `http` one.
    pub(super) fn url(&mut self, name: &'m str, may_be_http: bool) -> Option<Box<str>> {
        let text = self.string(name)?;
        let address = text.split('#').next().unwrap_or_default();
        let uri = RedirectUri::parse(address);
        let is_public = |uri: &RedirectUri| uri.has_domain_name() && !is_localhost(&uri.host());
        if self.is_of_client && (address.len() < text.len() || !uri.as_ref().is_ok_and(is_public)) {
            return self.wrong(name, "must be a URL with a public domain name and without a fragment");
        }
        match uri.map(|uri| uri.kind()) {
            Ok(RedirectKind::Https) => Some(text.into()),
            Ok(RedirectKind::HttpLoopback | RedirectKind::HttpRemote) if may_be_http => Some(text.into()),
            _ if may_be_http => self.wrong(name, "must be an http or https URL"),
            _ => self.wrong(name, "must be an https URL"),
        }
    }

    /// An array of `https` URLs, which may have a fragment.
    pub(super) fn urls(&mut self, name: &'m str) -> Vec<Box<str>> {
        let texts = self.strings(name).unwrap_or_default();
        let is_public = |uri: &RedirectUri| uri.has_domain_name() && !is_localhost(&uri.host());
        for text in &texts {
            let uri = RedirectUri::parse(text.split('#').next().unwrap_or_default()).ok();
            let uri = uri.filter(|uri| uri.kind() == RedirectKind::Https);
            match uri {
                None => self.complain(name, format!("{text:?} must be an https URL")),
                Some(uri) if self.is_of_client && !is_public(&uri) => {
                    self.complain(name, format!("{text:?} must have a public domain name"));
                }
                Some(_) => {}
            }
        }
        texts.into_iter().map(String::into_boxed_str).collect()
    }

    /// A member of any type that serde knows.
    pub(super) fn value<T: DeserializeOwned>(&mut self, name: &'m str, what: &str) -> Option<T> {
        let raw = self.raw(name)?;
        match serde_json::from_str(raw) {
            Ok(value) => Some(value),
            // A secret is not shown.
            Err(_) if name.contains("secret") => self.wrong(name, format!("must be {what}")),
            Err(_) => {
                let shown: String = raw.chars().take(SHOWN).collect();
                self.wrong(name, format!("must be {what}; it is {shown}{}", in_right_form(what, raw)))
            }
        }
    }

    /// The member as it was written.
    pub(crate) fn raw(&mut self, name: &'m str) -> Option<&'m str> {
        self.known.push(name);
        let raw = self.object.raw(name).map(|raw| raw.get());
        raw.filter(|raw| !self.is_of_client || !is_omitted(raw))
    }

    /// Whether the member is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.object.has(name)
    }

    /// A member that is an object in which every name is known.
    pub(super) fn nested<T>(
        &mut self,
        name: &'m str,
        prefix: &'static str,
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> Option<T> {
        let text = self.raw(name)?;
        let Ok(object) = Object::parse(text.as_bytes()) else { return self.wrong(name, "must be an object") };
        let mut nested = Reader { prefix, ..Reader::new(&object, "configuration") };
        let value = read(&mut nested);
        nested.known.sort_unstable();
        let known = nested.known.join(", ");
        for name in nested.unknown() {
            let near = ClientMember::suggestion(prefix, &name);
            nested.complain(&name, format!("is unknown{near}; there are {known}"));
        }
        let Reader { complaints, notices, .. } = nested;
        self.complaints.extend(complaints);
        self.notices.extend(notices);
        Some(value)
    }

    /// The names of all members, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &'m str> + use<'m> {
        self.object.iter().map(|(name, _)| name)
    }

    pub(crate) fn complain(&mut self, name: &str, rule: impl Into<String>) {
        self.complain_by(name, rule, self.section);
    }

    pub(crate) fn complain_by(&mut self, name: &str, rule: impl Into<String>, section: &'static str) {
        self.complain_with(Complaint::new(name, rule, section));
    }

    /// A complaint about a member of what is read, which it names without what stands before all of them.
    pub(crate) fn complain_with(&mut self, complaint: Complaint) {
        let setting = format!("{}{}", self.prefix, complaint.setting);
        self.complaints.push(Complaint { setting, ..complaint });
    }

    /// Whether something is wrong with this member.
    pub(crate) fn has_complained(&self, name: &str) -> bool {
        self.complaints.iter().any(|complaint| complaint.setting == format!("{}{name}", self.prefix))
    }

    pub(crate) fn notice(&mut self, text: String) {
        self.notices.push(text);
    }

    fn wrong<T>(&mut self, name: &str, rule: impl Into<String>) -> Option<T> {
        self.complain(name, rule);
        None
    }

    /// The names of the members that were asked for, whether they are there or not.
    #[cfg(test)]
    pub(super) fn asked_for(&self) -> impl Iterator<Item = &'m str> {
        self.known.iter().copied()
    }

    /// The names of the members that nobody has asked for.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &'m str> {
        self.names().filter(|name| !self.known.contains(name))
    }

    /// The value of such a member. Of a client that wrote its metadata itself, those that count as omitted are left
    /// out.
    pub(crate) fn unread_value(&self, name: &str) -> Option<&'m RawValue> {
        let value = self.object.raw(name);
        value.filter(|value| !self.is_of_client || !is_omitted(value.get()))
    }

    /// Unknown members, made safe to display.
    fn unknown(&self) -> Vec<String> {
        self.unread().map(|name| name.escape_debug().to_string()).collect()
    }

    /// Complains about the members that nobody has asked for, instead of leaving them out.
    pub(crate) fn refuse_unknown(&mut self) {
        self.unread().collect::<Vec<_>>().into_iter().for_each(|name| self.refuse(name));
    }

    fn refuse(&mut self, name: &'m str) {
        self.refuse_name(self.prefix, name);
        self.known.push(name);
    }

    /// Complains about a name that no member has, below this prefix.
    pub(crate) fn refuse_name(&mut self, prefix: &str, name: &str) {
        let shown = name.escape_debug().to_string();
        let near = ClientMember::suggestion(prefix, &shown);
        let full = format!("{}{shown}", prefix.strip_prefix(self.prefix).unwrap_or_default());
        self.complain(&full, format!("is not used here: correct its name or leave it out{near}"));
    }

    /// What was wrong, and what was left out. Where something was wrong, a member that looks misspelt is, too: it may be the
    /// reason, and whoever is refused sees no notices.
    pub(crate) fn finish(mut self) -> (Vec<Complaint>, Vec<String>) {
        if !self.complaints.is_empty() {
            let is_near = |name: &&str| !ClientMember::suggestion(self.prefix, name).is_empty();
            let misspelt: Vec<&str> = self.unread().filter(is_near).collect();
            misspelt.into_iter().for_each(|name| self.refuse(name));
        }
        let unknown = self.unknown().into_iter().map(|name| {
            let near = ClientMember::suggestion(self.prefix, &name);
            format!("{name} is not used here and was left out{near}")
        });
        self.notices.extend(unknown);
        (self.complaints, self.notices)
    }
}

/// How much of a value is shown.
const SHOWN: usize = 60;

/// The same value as it should have been written, if it is but its form that is wrong.
fn in_right_form(what: &str, raw: &str) -> String {
    let text = serde_json::from_str::<String>(raw);
    let list = serde_json::from_str::<Vec<String>>(raw);
    let right = match (what, text, list) {
        ("a string", _, Ok(list)) => serde_json::to_string(&list.join(" ")),
        ("an array of strings", Ok(text), _) => {
            serde_json::to_string(&text.split_whitespace().collect::<Vec<_>>())
        }
        (_, Ok(text), _) if matches!(&*text, "true" | "false") || text.parse::<u64>().is_ok() => Ok(text),
        _ => return String::new(),
    };
    right.map(|right| format!(": write {right}")).unwrap_or_default()
}

/// RFC 7592 section 2.2
pub(crate) fn is_omitted(json: &str) -> bool {
    matches!(json, "null" | "\"\"")
}

/// RFC 6761 section 6.3
fn is_localhost(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost" || host.ends_with(".localhost")
}

const MISLEADING: &str = "must not have control characters, line separators, or characters that are not seen or change the direction of text";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_form_is_shown_with_the_right_one() {
        let json = r#"{"scope":["openid","email"],"redirect_uris":"https://a.example/cb","client_name":5,"require_auth_time":"true",
            "default_max_age":"60","client_secret":5}"#;
        let object = Object::parse(json.as_bytes()).unwrap();
        let mut reader = Reader::new(&object, "RFC 7591 section 2");
        let _wrong = (reader.string("scope"), reader.strings("redirect_uris"), reader.string("client_name"));
        let _wrong = (reader.boolean("require_auth_time"), reader.number("default_max_age"));
        assert_eq!(reader.string("client_secret"), None);
        let said: Vec<_> = reader.finish().0.into_iter().map(|complaint| complaint.rule).collect();
        assert_eq!(
            said,
            [
                r#"must be a string; it is ["openid","email"]: write "openid email""#,
                r#"must be an array of strings; it is "https://a.example/cb": write ["https://a.example/cb"]"#,
                "must be a string; it is 5",
                r#"must be true or false; it is "true": write true"#,
                r#"must be a whole number that is not negative; it is "60": write 60"#,
                "must be a string",
            ]
        );
    }
}

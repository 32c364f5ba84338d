//! Reading the members of client metadata one by one, so that everything that is wrong is said at once.

use chancery_jose::json::Object;
use chancery_types::{RedirectKind, RedirectUri};
use serde::de::DeserializeOwned;

use crate::error::Complaint;

/// One JSON object that is being read: what was asked for, what is wrong, what is left out.
pub(super) struct Metadata<'m> {
    /// Where the object stands, for complaints: empty, or `chancery.`.
    prefix: &'static str,
    section: &'static str,
    object: &'m Object<'m>,
    known: Vec<&'static str>,
    complaints: Vec<Complaint>,
    notices: Vec<String>,
}

impl<'m> Metadata<'m> {
    pub(super) fn new(object: &'m Object<'m>, prefix: &'static str, section: &'static str) -> Self {
        Self { prefix, section, object, known: Vec::new(), complaints: Vec::new(), notices: Vec::new() }
    }

    /// A string that is not empty.
    pub(super) fn string(&mut self, name: &'static str) -> Option<String> {
        let text: String = self.value(name, "a string")?;
        if text.is_empty() {
            self.complain(name, "must not be empty");
            return None;
        }
        Some(text)
    }

    /// An array of strings that are not empty, each once.
    pub(super) fn strings(&mut self, name: &'static str) -> Option<Vec<String>> {
        let texts: Vec<String> = self.value(name, "an array of strings")?;
        if texts.iter().any(String::is_empty) {
            self.complain(name, "must not have empty members");
        }
        let mut once: Vec<String> = Vec::with_capacity(texts.len());
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            if !once.contains(&text) {
                once.push(text);
            }
        }
        Some(once)
    }

    /// An array of values of one registry.
    pub(super) fn values<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        known: &str,
    ) -> Option<Vec<T>> {
        let texts = self.strings(name)?;
        for text in texts.iter().filter(|text| parse(text).is_none()) {
            self.complain(name, format!("{text:?} is not supported; there are {known}"));
        }
        texts.iter().map(|text| parse(text)).collect()
    }

    pub(super) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        self.value(name, "true or false")
    }

    /// A whole number that is not negative.
    pub(super) fn number(&mut self, name: &'static str) -> Option<u64> {
        self.value(name, "a whole number that is not negative")
    }

    /// An `https` URL, or with `may_be_http` an `http` one.
    pub(super) fn url(&mut self, name: &'static str, may_be_http: bool) -> Option<Box<str>> {
        let text = self.string(name)?;
        let kind = RedirectUri::parse(text.split('#').next().unwrap_or_default()).map(|uri| uri.kind());
        match kind {
            Ok(RedirectKind::Https) => Some(text.into()),
            Ok(RedirectKind::HttpLoopback | RedirectKind::HttpRemote) if may_be_http => Some(text.into()),
            _ if may_be_http => self.wrong(name, "must be an http or https URL"),
            _ => self.wrong(name, "must be an https URL"),
        }
    }

    /// A member of any type that serde knows.
    pub(super) fn value<T: DeserializeOwned>(&mut self, name: &'static str, what: &str) -> Option<T> {
        self.known.push(name);
        let raw = self.object.raw(name)?;
        match serde_json::from_str(raw.get()) {
            Ok(value) => Some(value),
            Err(_) => self.wrong(name, format!("must be {what}")),
        }
    }

    /// The member as it was written.
    pub(super) fn raw(&mut self, name: &'static str) -> Option<&'m str> {
        self.known.push(name);
        self.object.raw(name).map(|raw| raw.get())
    }

    /// The names of all members, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &'m str> + use<'m> {
        self.object.iter().map(|(name, _)| name)
    }

    pub(super) fn complain(&mut self, name: &str, rule: impl Into<String>) {
        self.complaints.push(Complaint::new(format!("{}{name}", self.prefix), rule, self.section));
    }

    pub(super) fn complain_by(&mut self, name: &str, rule: impl Into<String>, section: &'static str) {
        self.complaints.push(Complaint::new(format!("{}{name}", self.prefix), rule, section));
    }

    pub(super) fn notice(&mut self, text: String) {
        self.notices.push(text);
    }

    fn wrong<T>(&mut self, name: &str, rule: impl Into<String>) -> Option<T> {
        self.complain(name, rule);
        None
    }

    /// Members that nobody asked for.
    pub(super) fn unknown(&self) -> Vec<&'m str> {
        self.names().filter(|name| !self.known.contains(name)).collect()
    }

    /// What was wrong, and what was left out.
    pub(super) fn finish(self) -> (Vec<Complaint>, Vec<String>) {
        (self.complaints, self.notices)
    }
}

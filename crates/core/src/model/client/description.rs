//! RFC 7591 section 2: what people are told about a client and who is responsible for it.

use serde::{Deserialize, Serialize};

use super::{Localized, Reader};

/// What people are told about a client. No decision depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<Box<str>>,
    /// Its home page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<Box<str>>,
    /// Its logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<Box<str>>,
    /// Its privacy policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<Box<str>>,
    /// Its terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<Box<str>>,
    /// E-mail addresses of those who are responsible for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Box<str>>,
    /// Identifies the software, the same for all of its registrations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_id: Option<Box<str>>,
    /// The software's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software_version: Option<Box<str>>,
    /// Name and addresses in several languages.
    #[serde(flatten)]
    pub localized: Localized,
}

impl Description {
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        Self {
            client_name: from.string("client_name").map(Into::into),
            client_uri: from.url("client_uri", true),
            logo_uri: from.url("logo_uri", true),
            policy_uri: from.url("policy_uri", true),
            tos_uri: from.url("tos_uri", true),
            contacts: contacts(from),
            software_id: from.string("software_id").map(Into::into),
            software_version: from.string("software_version").map(Into::into),
            localized: Localized::read(from),
        }
    }
}

fn contacts(from: &mut Reader<'_>) -> Vec<Box<str>> {
    let contacts = from.strings("contacts").unwrap_or_default();
    if contacts.iter().any(|contact| !contact.contains('@')) {
        from.complain("contacts", "must be e-mail addresses");
    }
    contacts.into_iter().map(Into::into).collect()
}

//! RFC 8705 section 2.1.2: the one name by which the certificate of a client is known.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{DistinguishedName, ReadCertificate};

/// The name that the certificate of a client must have, as the member of its metadata says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CertificateSubject {
    /// `tls_client_auth_subject_dn`
    #[serde(rename = "tls_client_auth_subject_dn")]
    DistinguishedName(DistinguishedName),
    /// `tls_client_auth_san_dns`
    #[serde(rename = "tls_client_auth_san_dns")]
    Dns(Box<str>),
    /// `tls_client_auth_san_uri`
    #[serde(rename = "tls_client_auth_san_uri")]
    Uri(Box<str>),
    /// `tls_client_auth_san_ip`
    #[serde(rename = "tls_client_auth_san_ip")]
    Ip(IpAddr),
    /// `tls_client_auth_san_email`
    #[serde(rename = "tls_client_auth_san_email")]
    Email(Box<str>),
}

/// Why the value of such a member is no name.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectError(String);

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SubjectError {}

chancery_types::debug_as_display!(SubjectError);

impl CertificateSubject {
    /// The members of client metadata.
    pub const MEMBERS: [&'static str; 5] = [
        "tls_client_auth_subject_dn",
        "tls_client_auth_san_dns",
        "tls_client_auth_san_uri",
        "tls_client_auth_san_ip",
        "tls_client_auth_san_email",
    ];

    /// Reads the value of one of the [`MEMBERS`](Self::MEMBERS).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(member: &str, value: &str) -> Result<Self, SubjectError> {
        let wrong = |rule: &str| Err(SubjectError(rule.to_owned()));
        match member {
            "tls_client_auth_subject_dn" => match value.parse() {
                Ok(name) => Ok(Self::DistinguishedName(name)),
                Err(error) => wrong(&error.to_string()),
            },
            // A wildcard stands for many names, and certificates with one are those of many.
            "tls_client_auth_san_dns" if is_host(value) => Ok(Self::Dns(value.into())),
            "tls_client_auth_san_dns" => {
                wrong("the name must be a domain name, in ASCII and without a wildcard or a dot at its end")
            }
            "tls_client_auth_san_uri" if is_uri(value) => Ok(Self::Uri(value.into())),
            "tls_client_auth_san_uri" => wrong("the name must be an absolute URI, in ASCII"),
            "tls_client_auth_san_ip" => match value.parse() {
                Ok(address) => Ok(Self::Ip(address)),
                Err(_) => wrong("the name must be an IPv4 or IPv6 address"),
            },
            "tls_client_auth_san_email" => match value.rsplit_once('@') {
                Some((local, host)) if is_local_part(local) && is_host(host) => Ok(Self::Email(value.into())),
                _ => wrong("the name must be a mail address, in ASCII"),
            },
            _ => wrong("there is no such name of a certificate"),
        }
    }

    /// The member that it is the value of.
    #[must_use]
    pub fn member(&self) -> &'static str {
        let [dn, dns, uri, ip, email] = Self::MEMBERS;
        match self {
            Self::DistinguishedName(_) => dn,
            Self::Dns(_) => dns,
            Self::Uri(_) => uri,
            Self::Ip(_) => ip,
            Self::Email(_) => email,
        }
    }

    /// Its value, as it was written; an address in its one form (RFC 5952).
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::DistinguishedName(name) => name.as_str().to_owned(),
            Self::Dns(name) | Self::Uri(name) | Self::Email(name) => (**name).to_owned(),
            Self::Ip(address) => address.to_string(),
        }
    }

    /// Whether the certificate has this name.
    #[must_use]
    pub fn is_of(&self, certificate: &ReadCertificate) -> bool {
        match self {
            Self::DistinguishedName(name) => {
                certificate.subject().is_some_and(|subject| subject.names_the_same_as(name))
            }
            // RFC 5280 section 7.2
            Self::Dns(name) => certificate.dns_names().any(|found| found.eq_ignore_ascii_case(name)),
            Self::Uri(uri) => certificate.uris().any(|found| *found == **uri),
            Self::Ip(address) => certificate.addresses().any(|found| found == *address),
            Self::Email(address) => certificate.emails().any(|found| is_same_email(found, address)),
        }
    }
}

/// RFC 5280 section 7.5: the host is compared without regard to case, and what stands before it exactly.
fn is_same_email(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((local, host)), Some((other_local, other_host))) => {
            local == other_local && host.eq_ignore_ascii_case(other_host)
        }
        _ => false,
    }
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_local_part(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_graphic())
}

fn is_uri(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.'))
    };
    text.bytes().all(|octet| octet.is_ascii_graphic())
        && text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty())
}

//! RFC 7591 section 3: who may register clients, how many, and what becomes of them.
//! Config     `[registration]`
//! Discovery  none

use std::borrow::Cow;
use std::time::Duration;

use chancery_types::iana::{ExtensionGrantName, GrantType};
use chancery_types::nearest::did_you_mean;
use serde::{Deserialize, Serialize};

use crate::client::{RegistrationPolicy, StatementIssuer};
use crate::duration;
use crate::error::Complaint;
use crate::offered::remedy::remedy;

/// Who may register clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RegistrationAccess {
    /// Nobody; there is no such endpoint.
    #[default]
    Off,
    /// Whoever has an initial access token.
    Token,
    /// Anybody; who has an initial access token is held to the policies of that token.
    Open,
}

/// `[registration]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationConfig {
    /// Who may register clients.
    pub access: RegistrationAccess,
    /// Whether registered clients may read, change and remove themselves (RFC 7592).
    pub management: bool,
    /// How many clients one network may register within an hour without an initial access token; zero for any
    /// number.
    pub network_quota: u32,
    /// How many clients all networks together may register within an hour without an initial access token; zero for
    /// any number.
    pub total_quota: u32,
    /// When a client that registered itself is removed if it was never used.
    #[serde(with = "crate::duration")]
    pub unused_lifetime: Duration,
    /// The policies that clients are held to unless their initial access token names others.
    pub policies: Vec<Box<str>>,
}

impl Default for RegistrationConfig {
    fn default() -> Self {
        Self {
            access: RegistrationAccess::Off,
            management: false,
            network_quota: 20,
            total_quota: 1_000,
            unused_lifetime: Duration::from_secs(30 * 86_400),
            policies: vec![RegistrationPolicy::default().name],
        }
    }
}

impl RegistrationConfig {
    /// Whether there is a registration endpoint.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.access != RegistrationAccess::Off
    }

    /// The settings by which anybody may register any number of clients.
    #[must_use]
    pub fn unlimited(&self) -> Vec<&'static str> {
        let quotas = [("network_quota", self.network_quota), ("total_quota", self.total_quota)];
        let is_open = self.access == RegistrationAccess::Open;
        quotas.into_iter().filter(|(_, quota)| is_open && *quota == 0).map(|(name, _)| name).collect()
    }

    pub(crate) fn complaints(
        &self,
        policies: &[RegistrationPolicy],
        issuers: &[StatementIssuer],
        extensions: &[ExtensionGrantName],
    ) -> Vec<Complaint> {
        let mut complaints: Vec<Complaint> = issuers.iter().flat_map(StatementIssuer::complaints).collect();
        for (at, issuer) in issuers.iter().enumerate() {
            let mut complain = |rule: String| {
                complaints.push(Complaint::new("software_statement_issuer", rule, "RFC 7591 section 2.3"));
            };
            if let Some(first) = issuers.iter().take(at).position(|before| before.issuer == issuer.issuer) {
                complain(format!(
                    "{:?} is the issuer of two blocks, number {} and number {}: put them together, or take one of them out",
                    issuer.issuer,
                    first + 1,
                    at + 1
                ));
            }
            for name in issuer.policies.iter().filter(|name| find(policies, name).is_none()) {
                complain(format!("{:?}: {}", issuer.issuer, unknown(policies, name)));
            }
        }
        for (at, policy) in policies.iter().enumerate() {
            let mut complain =
                |rule, section| complaints.push(Complaint::new("registration_policy", rule, section));
            for grant in &policy.grant_types {
                if matches!(grant, GrantType::Extension(name) if !extensions.contains(name)) {
                    let near = remedy(grant.as_str(), GrantType::ALL.iter().map(GrantType::as_str), true);
                    let rule = format!("{:?}: there is no grant type {grant}{near}", policy.name);
                    complain(rule, "RFC 7591 section 2");
                }
            }
            let (name, number) = (&policy.name, at + 1);
            let first = policies.iter().take(at).position(|before| before.name == *name);
            if name.is_empty() {
                complain(format!("number {number} must have a name"), "RFC 7591 section 5");
            } else if let Some(first) = first {
                let rule = format!(
                    "{name:?} is the name of two policies, number {} and number {number}: give one of them another name",
                    first + 1
                );
                complain(rule, "RFC 7591 section 5");
            }
            if let Some(lifetime) =
                policy.secret_lifetime.filter(|lifetime| *lifetime < Duration::from_secs(1))
            {
                let lifetime = duration::format(lifetime);
                let rule = format!("{name:?}: secret_lifetime must be at least 1s; it is {lifetime:?}");
                complain(rule, "RFC 7591 section 5");
            }
        }
        for name in self.policies.iter().filter(|name| find(policies, name).is_none()) {
            let rule = unknown(policies, name);
            complaints.push(Complaint::new("registration.policies", rule, "RFC 7591 section 5"));
        }
        if self.policies.is_empty() {
            let rule = "must name at least one; without the setting it is the policy default";
            complaints.push(Complaint::new("registration.policies", rule, "RFC 7591 section 5"));
        }
        if self.unused_lifetime < Duration::from_secs(1) {
            let rule = "must be at least 1s";
            complaints.push(Complaint::new("registration.unused_lifetime", rule, "RFC 7591 section 5"));
        }
        if self.management && !self.is_on() {
            let rule = "needs registration.access, without which no client has anything to manage";
            complaints.push(Complaint::new("registration.management", rule, "RFC 7592 section 1"));
        }
        complaints
    }
}

/// What is said of the name of a policy that there is not.
pub(super) fn unknown(policies: &[RegistrationPolicy], name: &str) -> String {
    let built_in = RegistrationPolicy::default().name;
    let mut known: Vec<&str> = policies.iter().map(|policy| &*policy.name).collect();
    if !known.contains(&&*built_in) {
        known.push(&built_in);
    }
    known.retain(|name| !name.is_empty());
    let near = did_you_mean(name, known.iter().copied());
    format!("there is no [[registration_policy]] {name:?}; there are {}{near}", known.join(", "))
}

/// The policy of this name. There is always one named `default`, if only the built-in one.
pub(super) fn find<'p>(
    policies: &'p [RegistrationPolicy],
    name: &str,
) -> Option<Cow<'p, RegistrationPolicy>> {
    let configured = policies.iter().find(|policy| *policy.name == *name).map(Cow::Borrowed);
    let built_in = || Some(RegistrationPolicy::default()).filter(|policy| *policy.name == *name);
    configured.or_else(|| built_in().map(Cow::Owned))
}

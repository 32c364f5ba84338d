//! What clients are registered for if they do not say.

use chancery_jose::SigningAlgorithm;
use chancery_types::Scopes;
use chancery_types::iana::{ClientAuthenticationMethod, GrantType};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::Offered;
use super::remedy::remedy;
use crate::error::Complaint;
use crate::profile::Demands;

const RFC7591: &str = "RFC 7591 section 2";

/// `[client_defaults]`: members of client metadata (RFC 7591 section 2) for clients that leave them out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientDefaults {
    /// How clients authenticate.
    pub token_endpoint_auth_method: ClientAuthenticationMethod,
    /// What their ID tokens are signed with.
    pub id_token_signed_response_alg: SigningAlgorithm,
    /// The grant types of clients that name neither grant types nor response types; by default those of `code`.
    pub grant_types: Vec<GrantType>,
    /// The scopes that they may ask for; empty for all.
    pub scope: Box<str>,
    /// `acr_values` of their requests.
    pub default_acr_values: Vec<Box<str>>,
    /// Whether they want to be told when a person signed in.
    pub require_auth_time: bool,
}

impl Default for ClientDefaults {
    fn default() -> Self {
        Self {
            token_endpoint_auth_method: ClientAuthenticationMethod::ClientSecretBasic,
            id_token_signed_response_alg: SigningAlgorithm::Rs256,
            grant_types: Vec::new(),
            scope: Box::default(),
            default_acr_values: Vec::new(),
            require_auth_time: false,
        }
    }
}

impl ClientDefaults {
    /// What keeps every client from being registered with them. Whether the keys sign with the algorithm is looked
    /// at when they are known.
    pub(crate) fn complaints(&self, offered: &Offered) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut complain = |member: &str, rule: String, section| {
            complaints.push(Complaint::new(format!("client_defaults.{member}"), rule, section));
        };
        let method = self.token_endpoint_auth_method;
        // What the standard has for a default need not be offered: then every client has to say something else.
        let is_default = method == Self::default().token_endpoint_auth_method;
        if !is_default && !offered.authentication_methods.contains(&method) {
            let methods = offered.authentication_methods.iter().map(|method| method.as_str());
            let rule = format!("{method} is not offered{}", remedy(method.as_str(), methods, true));
            complain("token_endpoint_auth_method", rule, RFC7591);
        }
        let alg = self.id_token_signed_response_alg;
        let forbidden = offered.floor.server().algorithms.forbids(&alg);
        if let Some(section) = forbidden.filter(|_| alg != Self::default().id_token_signed_response_alg) {
            complain(
                "id_token_signed_response_alg",
                format!("{alg} is not permitted by the profile"),
                section,
            );
        }
        for grant in self.grant_types.iter().filter(|grant| !offered.grant_types.contains(grant)) {
            let known = offered.grant_types.iter().map(GrantType::as_str);
            let rule = format!("{grant} is not offered{}", remedy(grant.as_str(), known, true));
            complain("grant_types", rule, RFC7591);
        }
        let is_public = method == ClientAuthenticationMethod::None;
        if is_public && self.grant_types.contains(&GrantType::ClientCredentials) {
            let rule = "client_credentials needs a client that authenticates".to_owned();
            complain("grant_types", rule, "RFC 6749 section 4.4");
        }
        if !self.scope.is_empty() && Scopes::parse(&self.scope).is_err() {
            complain("scope", "must be scope tokens with spaces between".to_owned(), "RFC 6749 section 3.3");
        }
        complaints
    }

    /// The members that are not left to their standards, of which `is_left_out` says whether a client has none. An
    /// algorithm that is not permitted for the client is left to them.
    pub(crate) fn members(
        &self,
        demands: &Demands,
        is_left_out: impl Fn(&str) -> bool,
    ) -> Vec<(&'static str, Box<RawValue>)> {
        let built_in = Self::default();
        let mut members = Vec::new();
        let mut add = |name, is_set: bool, value: Result<Box<RawValue>, serde_json::Error>| {
            if is_set && is_left_out(name) {
                members.extend(value.ok().map(|value| (name, value)));
            }
        };
        let method = self.token_endpoint_auth_method;
        let is_set = method != built_in.token_endpoint_auth_method;
        add("token_endpoint_auth_method", is_set, to_raw_value(&method));
        let alg = self.id_token_signed_response_alg;
        let is_set = alg != built_in.id_token_signed_response_alg && demands.algorithms.has(&alg);
        add("id_token_signed_response_alg", is_set, to_raw_value(&alg));
        let is_set = !self.grant_types.is_empty() && is_left_out("response_types");
        add("grant_types", is_set, to_raw_value(&self.grant_types));
        add("scope", !self.scope.is_empty(), to_raw_value(&self.scope));
        let is_set = !self.default_acr_values.is_empty();
        add("default_acr_values", is_set, to_raw_value(&self.default_acr_values));
        add("require_auth_time", self.require_auth_time, to_raw_value(&true));
        members
    }
}

//! OpenID Connect Relying Party Metadata Choices 1.0 section 2: values from which the server picks one.
//!
//! What is picked is registered like a value that the client has chosen by itself, and judged like it; the choices
//! are not kept.

use chancery_jose::json::Object;
use chancery_jose::{ContentEncryptionAlgorithm, KeyManagementAlgorithm, SigningAlgorithm};
use chancery_types::iana::{ClientAuthenticationMethod, SubjectType};
use serde_json::value::{RawValue, to_raw_value};

use super::reader::is_omitted;
use crate::error::Complaint;
use crate::offered::{Endpoint, Offered};
use crate::profile::Demands;

const SECTION: &str = "OpenID Connect RP Metadata Choices section 2";

/// Each member with choices, and the member that is registered. What depends on another one stands behind it.
const CHOICES: [(&str, &str); 19] = [
    ("subject_types_supported", "subject_type"),
    ("id_token_signing_alg_values_supported", "id_token_signed_response_alg"),
    ("id_token_encryption_alg_values_supported", "id_token_encrypted_response_alg"),
    ("id_token_encryption_enc_values_supported", "id_token_encrypted_response_enc"),
    ("userinfo_signing_alg_values_supported", "userinfo_signed_response_alg"),
    ("userinfo_encryption_alg_values_supported", "userinfo_encrypted_response_alg"),
    ("userinfo_encryption_enc_values_supported", "userinfo_encrypted_response_enc"),
    ("request_object_signing_alg_values_supported", "request_object_signing_alg"),
    ("request_object_encryption_alg_values_supported", "request_object_encryption_alg"),
    ("request_object_encryption_enc_values_supported", "request_object_encryption_enc"),
    ("token_endpoint_auth_methods_supported", METHOD),
    ("token_endpoint_auth_signing_alg_values_supported", "token_endpoint_auth_signing_alg"),
    (
        "backchannel_authentication_request_signing_alg_values_supported",
        "backchannel_authentication_request_signing_alg",
    ),
    ("authorization_signing_alg_values_supported", "authorization_signed_response_alg"),
    ("authorization_encryption_alg_values_supported", "authorization_encrypted_response_alg"),
    ("authorization_encryption_enc_values_supported", "authorization_encrypted_response_enc"),
    ("introspection_signing_alg_values_supported", "introspection_signed_response_alg"),
    ("introspection_encryption_alg_values_supported", "introspection_encrypted_response_alg"),
    ("introspection_encryption_enc_values_supported", "introspection_encrypted_response_enc"),
];

const METHOD: &str = "token_endpoint_auth_method";

/// The member that is registered if this one has choices.
pub(crate) fn of(member: &str) -> Option<&'static str> {
    CHOICES.iter().find(|(choice, _)| *choice == member).map(|(_, single)| *single)
}

/// What can be picked.
pub(crate) struct Choices<'r> {
    pub(crate) offered: &'r Offered,
    /// What the client is held to.
    pub(crate) demands: &'r Demands,
    /// The algorithms that can sign.
    pub(crate) algorithms: &'r [SigningAlgorithm],
    pub(crate) subject_types: &'r [SubjectType],
    /// Whether clients of this method may be registered here.
    pub(crate) may_authenticate: &'r dyn Fn(ClientAuthenticationMethod) -> bool,
}

/// What was picked, and what is wrong with the choices.
#[derive(Default)]
pub(crate) struct Picked {
    values: Vec<(&'static str, Box<RawValue>)>,
    pub(crate) complaints: Vec<Complaint>,
}

impl Picked {
    /// The members that were sent with what was picked.
    pub(crate) fn over<'a>(&'a self, sent: Object<'a>) -> Object<'a> {
        sent.under(self.values.iter().map(|(name, value)| (*name, &**value)), |_| true)
    }

    fn value(&self, member: &str) -> Option<&str> {
        let picked = self.values.iter().find(|(name, _)| *name == member);
        picked.and_then(|(_, value)| serde_json::from_str(value.get()).ok())
    }
}

/// Whether a value can be registered.
type IsOffered<'c> = Box<dyn Fn(&str) -> bool + 'c>;

impl Choices<'_> {
    /// Picks the value that the client has sent beside its choices if it can be registered, or else the first that
    /// can (section 4).
    pub(crate) fn pick(&self, sent: &Object<'_>) -> Picked {
        let mut picked = Picked::default();
        for (choice, single) in CHOICES {
            let Some(raw) = sent.raw(choice).filter(|raw| !is_omitted(raw.get())) else { continue };
            let Ok(values) = serde_json::from_str::<Vec<String>>(raw.get()) else {
                picked.complaints.push(Complaint::new(choice, "must be an array of strings", SECTION));
                continue;
            };
            let preferred = sent.string(single).ok().flatten().filter(|text| !text.is_empty());
            let method = picked.value(METHOD).map(str::to_owned).or_else(|| sent.string(METHOD).ok()?);
            let Some(is_offered) = self.offers(single, sent, &picked, method.as_deref()) else { continue };
            let all = preferred.iter().chain(&values);
            let found = all.clone().find(|value| is_offered(value)).map(to_raw_value);
            if preferred.is_some_and(|preferred| !values.contains(&preferred)) {
                picked.complaints.push(Complaint::new(single, format!("must be among {choice}"), SECTION));
            } else if let Some(Ok(value)) = found {
                picked.values.push((single, value));
            } else {
                picked.complaints.push(Complaint::new(
                    choice,
                    "must have a value that is offered here",
                    SECTION,
                ));
            }
        }
        picked
    }

    /// Whether a value of this member can be registered; `None` if the member means nothing here or for this client.
    fn offers(
        &self,
        member: &str,
        sent: &Object<'_>,
        picked: &Picked,
        method: Option<&str>,
    ) -> Option<IsOffered<'_>> {
        let has = |member| picked.value(member).is_some() || sent.has(member);
        let signing = |text: &str| SigningAlgorithm::parse(text);
        let is_permitted = |alg: SigningAlgorithm| self.demands.algorithms.has(&alg);
        Some(match member {
            "subject_type" => {
                Box::new(|text| SubjectType::parse(text).is_some_and(|of| self.subject_types.contains(&of)))
            }
            // Without such responses the member means nothing here.
            "authorization_signed_response_alg"
            | "authorization_encrypted_response_alg"
            | "authorization_encrypted_response_enc"
                if !self.offered.has_jwt_responses() =>
            {
                return None;
            }
            "introspection_signed_response_alg"
            | "introspection_encrypted_response_alg"
            | "introspection_encrypted_response_enc"
                if !self.offered.endpoints.has(Endpoint::Introspection) =>
            {
                return None;
            }
            "id_token_signed_response_alg"
            | "userinfo_signed_response_alg"
            | "introspection_signed_response_alg"
            | "authorization_signed_response_alg" => Box::new(move |text| {
                let is_ours = |alg: SigningAlgorithm| self.algorithms.iter().any(|have| have.is_same_as(alg));
                signing(text).is_some_and(|alg| is_permitted(alg) && (alg.is_symmetric() || is_ours(alg)))
            }),
            "request_object_encryption_alg" => Box::new(|text| {
                let alg = KeyManagementAlgorithm::parse(text);
                alg.is_some_and(|alg| self.offered.request_object_encryption_algorithms.contains(&alg))
            }),
            "id_token_encrypted_response_alg"
            | "userinfo_encrypted_response_alg"
            | "introspection_encrypted_response_alg"
            | "authorization_encrypted_response_alg" => {
                Box::new(|text| KeyManagementAlgorithm::parse(text).is_some())
            }
            "id_token_encrypted_response_enc" if has("id_token_encrypted_response_alg") => {
                Box::new(|text| ContentEncryptionAlgorithm::parse(text).is_some())
            }
            "userinfo_encrypted_response_enc" if has("userinfo_encrypted_response_alg") => {
                Box::new(|text| ContentEncryptionAlgorithm::parse(text).is_some())
            }
            "authorization_encrypted_response_enc" if has("authorization_encrypted_response_alg") => {
                Box::new(|text| ContentEncryptionAlgorithm::parse(text).is_some())
            }
            "introspection_encrypted_response_enc" if has("introspection_encrypted_response_alg") => {
                Box::new(|text| ContentEncryptionAlgorithm::parse(text).is_some())
            }
            "request_object_encryption_enc" if has("request_object_encryption_alg") => {
                Box::new(|text| ContentEncryptionAlgorithm::parse(text).is_some())
            }
            "request_object_signing_alg" => Box::new(move |text| {
                let algorithms = &self.offered.request_object_algorithms;
                signing(text).is_some_and(|alg| is_permitted(alg) && algorithms.contains(&alg))
            }),
            METHOD => Box::new(|text| {
                let method = self.offered.authentication_method(text);
                let is_permitted = |method| self.demands.authentication.has(&method);
                method.is_some_and(|method| is_permitted(method) && (self.may_authenticate)(method))
            }),
            "token_endpoint_auth_signing_alg" => {
                let is_symmetric = match ClientAuthenticationMethod::parse(method?)? {
                    ClientAuthenticationMethod::ClientSecretJwt => true,
                    ClientAuthenticationMethod::PrivateKeyJwt => false,
                    _ => return None,
                };
                Box::new(move |text| {
                    let fits = |alg: &SigningAlgorithm| {
                        alg.is_symmetric() == is_symmetric && self.offered.assertion_algorithms.contains(alg)
                    };
                    signing(text).is_some_and(|alg| is_permitted(alg) && fits(&alg))
                })
            }
            _ => return None,
        })
    }
}

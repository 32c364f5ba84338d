//! OpenID Connect Dynamic Client Registration 1.0 section 2: what OpenID Connect adds.

use chancery_jose::{ContentEncryptionAlgorithm, KeyManagementAlgorithm, SigningAlgorithm};
use chancery_types::RedirectUri;
use chancery_types::iana::SubjectType;
use chancery_types::nearest::did_you_mean;
use serde::{Deserialize, Serialize};

use super::{Encryption, Reader, Signing};
use crate::model::Acr;
use crate::profile::Profile;

pub(super) const OIDC: &str = "OIDC Registration section 2";

/// What an ID token is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum IdTokenAlgorithm {
    /// Nothing. Only for a client that gets its ID tokens from the token endpoint alone.
    #[serde(rename = "none")]
    Unsigned,
    /// This.
    #[serde(untagged)]
    Signed(SigningAlgorithm),
}

impl IdTokenAlgorithm {
    /// The algorithm, if there is one.
    #[must_use]
    pub fn signed(self) -> Option<SigningAlgorithm> {
        match self {
            Self::Unsigned => None,
            Self::Signed(alg) => Some(alg),
        }
    }
}

/// What OpenID Connect adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenId {
    /// What ID tokens for the client are signed with.
    pub id_token_signed_response_alg: IdTokenAlgorithm,
    /// How the client learns the key of an encrypted ID token; it is not encrypted if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// How an encrypted ID token is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_token_encrypted_response_enc: Option<ContentEncryptionAlgorithm>,
    /// What UserInfo responses are signed with; plain JSON if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// How the client learns the key of an encrypted UserInfo response; it is not encrypted if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_alg: Option<KeyManagementAlgorithm>,
    /// How an encrypted UserInfo response is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userinfo_encrypted_response_enc: Option<ContentEncryptionAlgorithm>,
    /// The default of `max_age`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<u64>,
    /// Kept as registered, although every ID token has `auth_time` anyway.
    #[serde(default, skip_serializing_if = "is_false")]
    pub require_auth_time: bool,
    /// The default of `acr_values`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_acr_values: Vec<Acr>,
    /// Which `sub` the client gets (OIDC Core section 8).
    pub subject_type: SubjectType,
    /// Lists the redirect URIs of a sector; its host names the sector (OIDC Core section 8.1). Only a client for
    /// which the list was checked has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sector_identifier_uri: Option<RedirectUri>,
    /// Where a login can be started (OIDC Core section 4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<Box<str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
pub(super) fn is_false(value: &bool) -> bool {
    !value
}

impl OpenId {
    /// What a client of this profile registers for.
    pub(super) fn read(
        from: &mut Reader<'_>,
        signing: Signing<'_>,
        profile: Profile,
        subject_types: &[SubjectType],
    ) -> Self {
        let id_token_signed_response_alg = id_token_algorithm(from, signing, profile);
        let userinfo_signed_response_alg =
            algorithm(from, "userinfo_signed_response_alg", signing.algorithms, OIDC);
        let hmac = id_token_signed_response_alg.signed().filter(|alg| alg.is_symmetric());
        if hmac.is_some_and(|hmac| {
            userinfo_signed_response_alg.is_some_and(|alg| alg.is_symmetric() && alg != hmac)
        }) {
            let rule = "must be the HMAC of id_token_signed_response_alg";
            from.complain_by("userinfo_signed_response_alg", rule, OIDC);
        }
        let [id_token_alg, _] = ENCRYPTED_ID_TOKEN;
        let id_token = Encryption::read(from, ENCRYPTED_ID_TOKEN, OIDC);
        if id_token.is_some() && id_token_signed_response_alg == IdTokenAlgorithm::Unsigned {
            from.complain_by(id_token_alg, SIGNED_FIRST, OIDC);
        }
        let [userinfo_alg, _] = ENCRYPTED_USERINFO;
        let userinfo = Encryption::read(from, ENCRYPTED_USERINFO, OIDC);
        if userinfo.is_some() && userinfo_signed_response_alg.is_none() {
            from.complain_by(userinfo_alg, SIGNED_FIRST, OIDC);
        }
        let acr_values = from.strings("default_acr_values").unwrap_or_default();
        Self {
            id_token_signed_response_alg,
            id_token_encrypted_response_alg: id_token.map(|pair| pair.alg),
            id_token_encrypted_response_enc: id_token.map(|pair| pair.enc),
            userinfo_signed_response_alg,
            userinfo_encrypted_response_alg: userinfo.map(|pair| pair.alg),
            userinfo_encrypted_response_enc: userinfo.map(|pair| pair.enc),
            default_max_age: from.number("default_max_age"),
            require_auth_time: from.boolean("require_auth_time").unwrap_or(false),
            default_acr_values: acr_values.into_iter().map(|text| Acr(text.into())).collect(),
            subject_type: subject_type(from, subject_types),
            sector_identifier_uri: sector_identifier_uri(from),
            initiate_login_uri: from.url("initiate_login_uri", false),
        }
    }
}

fn id_token_algorithm(from: &mut Reader<'_>, signing: Signing<'_>, profile: Profile) -> IdTokenAlgorithm {
    let name = "id_token_signed_response_alg";
    if from.string(name).as_deref() == Some("none") {
        return IdTokenAlgorithm::Unsigned;
    }
    let named = algorithm(from, name, signing.algorithms, OIDC);
    IdTokenAlgorithm::Signed(named.unwrap_or_else(|| signing.default_for(profile)))
}

/// Whoever knows the public key of a client can encrypt for it, so that encryption alone proves nothing about
/// the sender.
const SIGNED_FIRST: &str = "must come with a signing algorithm: what is encrypted is signed first";

/// How ID tokens are encrypted.
const ENCRYPTED_ID_TOKEN: [&str; 2] = ["id_token_encrypted_response_alg", "id_token_encrypted_response_enc"];

/// How UserInfo responses are encrypted.
const ENCRYPTED_USERINFO: [&str; 2] = ["userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc"];

impl OpenId {
    /// How ID tokens are encrypted for the client, if they are.
    #[must_use]
    pub fn id_token_encryption(&self) -> Option<Encryption> {
        let enc = self.id_token_encrypted_response_enc.unwrap_or_default();
        self.id_token_encrypted_response_alg.map(|alg| Encryption { alg, enc })
    }

    /// How UserInfo responses are encrypted for the client, if they are.
    #[must_use]
    pub fn userinfo_encryption(&self) -> Option<Encryption> {
        let enc = self.userinfo_encrypted_response_enc.unwrap_or_default();
        self.userinfo_encrypted_response_alg.map(|alg| Encryption { alg, enc })
    }

    /// By which algorithms responses are encrypted for the client, each with the member that says so.
    pub(crate) fn encryption_algorithms(
        &self,
    ) -> impl Iterator<Item = (&'static str, KeyManagementAlgorithm)> {
        let [id_token, _] = ENCRYPTED_ID_TOKEN;
        let [userinfo, _] = ENCRYPTED_USERINFO;
        let pairs = [
            (id_token, self.id_token_encrypted_response_alg),
            (userinfo, self.userinfo_encrypted_response_alg),
        ];
        pairs.into_iter().filter_map(|(member, alg)| alg.map(|alg| (member, alg)))
    }
}

/// The registered one, or else the first of those that are offered.
fn subject_type(from: &mut Reader<'_>, offered: &[SubjectType]) -> SubjectType {
    let name = "subject_type";
    let default = offered.first().copied().unwrap_or(SubjectType::Public);
    let Some(text) = from.string(name) else { return default };
    SubjectType::parse(&text).filter(|value| offered.contains(value)).unwrap_or_else(|| {
        let offered: Vec<&str> = offered.iter().map(|value| value.as_str()).collect();
        from.complain_by(name, format!("must be {}; it is {text:?}", offered.join(" or ")), OIDC);
        default
    })
}

fn sector_identifier_uri(from: &mut Reader<'_>) -> Option<RedirectUri> {
    let name = "sector_identifier_uri";
    let uri = RedirectUri::parse(&from.url(name, false)?).ok();
    if uri.is_none() {
        from.complain_by(name, "must be a URL without a fragment", "OIDC Registration section 5");
    }
    uri
}

/// What something is signed with, if it is one of these or an HMAC.
pub(super) fn algorithm(
    from: &mut Reader<'_>,
    name: &'static str,
    algorithms: &[SigningAlgorithm],
    section: &'static str,
) -> Option<SigningAlgorithm> {
    let text = from.string(name)?;
    let can_sign =
        |alg: &SigningAlgorithm| alg.is_symmetric() || algorithms.iter().any(|have| have.is_same_as(*alg));
    let parsed = SigningAlgorithm::parse(&text);
    let alg = parsed.filter(can_sign);
    if alg.is_none() {
        let remedy = match parsed {
            Some(_) if !from.is_of_client() => format!(": `chancery keys add {text}` makes a key for it"),
            Some(_) => String::new(),
            None => did_you_mean(&text, SigningAlgorithm::ALL.iter().map(|known| known.name())),
        };
        let rule = format!("{text:?} is not an algorithm that this server signs with{remedy}");
        from.complain_by(name, rule, section);
    }
    alg
}

//! RFC 7800 section 3.1, RFC 8705 section 3 and RFC 9449 section 6: sender-constrained tokens, which are good only
//! in the hands of whoever holds a key.
//!
//! Whatever shows possession of a key ends in a [`Possession`], and what is issued for it in a [`TokenBinding`];
//! behind these two, no code knows how it was shown.

use chancery_jose::{ClaimsWriter, base64url};
use chancery_types::iana::ErrorCode;
use chancery_types::text;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Reason, Refusal};
use crate::model::Client;
use crate::profile::{BindingMethod, Demands};

/// A SHA-256 thumbprint: of a public key (RFC 7638) or of a certificate (RFC 8705 section 3.1). It is no secret.
///
/// ```
/// # mod chancery { pub mod resource { pub use chancery_core::model::Thumbprint; } }
/// use chancery::resource::Thumbprint;
///
/// let text = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
/// assert_eq!(Thumbprint::parse(text).map(|thumbprint| thumbprint.to_string()).as_deref(), Some(text));
/// assert!(Thumbprint::parse("0ZcOCORZNYy").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    /// The thumbprint with these bytes.
    #[must_use]
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Reads its base64url form; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(Self(base64url::decode(text).ok()?.try_into().ok()?))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The base64url form.
impl std::fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Thumbprint {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        text::deserialize(from, "a SHA-256 thumbprint", Self::parse)
    }
}

/// What the sender of a request has shown possession of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Possession {
    /// The key of a DPoP proof (RFC 9449 section 4).
    pub key: Option<Thumbprint>,
    /// The certificate of the connection (RFC 8705 section 3).
    pub certificate: Option<Thumbprint>,
}

/// Whose hands something is good in. It is stored as its confirmation (RFC 7800 section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenBinding {
    /// Anybody's (RFC 6750). Nothing is stored for it.
    #[default]
    #[serde(skip)]
    None,
    /// Those of whoever holds this key (RFC 9449 section 6.1).
    #[serde(rename = "jkt")]
    Key(Thumbprint),
    /// Those of whoever presents this certificate (RFC 8705 section 3.1).
    #[serde(rename = "x5t#S256")]
    Certificate(Thumbprint),
}

reasons! {
    /// The client is registered for DPoP, and the token request has no proof: it lacks something, and no proof is
    /// invalid.
    pub PROOF_MISSING = Reason {
        name: "dpop_proof_missing",
        code: ErrorCode::InvalidRequest,
        description: "the client must send a DPoP proof",
        section: "RFC 9449 section 5.2",
    };
    /// The client is registered for tokens that are bound to its certificate, and has presented none.
    pub CERTIFICATE_MISSING = Reason {
        name: "client_certificate_missing",
        code: ErrorCode::InvalidGrant,
        description: "the client must present its certificate",
        section: "RFC 8705 section 3",
    };
    /// The client is registered for tokens that are bound to its certificate, and sends a DPoP proof.
    SEVERAL_POSSESSIONS = Reason {
        name: "several_proofs_of_possession",
        code: ErrorCode::InvalidRequest,
        description: "multiple proof-of-possession mechanisms are not allowed",
        section: "RFC 8705 section 3.4",
    };
    /// A security profile demands that access tokens are bound to their sender, and the client has not shown possession
    /// of what it permits.
    pub BINDING_DEMANDED = Reason {
        name: "token_binding_demanded",
        code: ErrorCode::InvalidRequest,
        description: "the client must show possession of a key, as its security profile demands",
        section: "FAPI 2.0 Security Profile section 5.3.2.1",
    };
}

impl TokenBinding {
    /// What an access token for this client is bound to. A client that is registered for one way gets no token
    /// without it, and nobody gets one against the demands.
    ///
    /// # Errors
    /// A refusal if what is needed was not shown.
    pub fn of_access_token(shown: &Possession, client: &Client, demands: &Demands) -> Result<Self, Refusal> {
        let chosen = Self::chosen(shown, client, demands)?;
        if chosen.meets(demands) { Ok(chosen) } else { BINDING_DEMANDED.refused() }
    }

    /// Whether an access token that is bound to this may be used under these demands.
    #[must_use]
    pub fn meets(self, demands: &Demands) -> bool {
        match self {
            Self::None => demands.bound_tokens().is_none(),
            Self::Key(_) => demands.bindings.has(&BindingMethod::Key),
            Self::Certificate(_) => demands.bindings.has(&BindingMethod::Certificate),
        }
    }

    fn chosen(shown: &Possession, client: &Client, demands: &Demands) -> Result<Self, Refusal> {
        let registered = client.metadata().sender_constraint;
        if registered.tls_client_certificate_bound_access_tokens {
            if shown.key.is_some() {
                return SEVERAL_POSSESSIONS.refused();
            }
            return shown.certificate.map(Self::Certificate).ok_or_else(|| (&CERTIFICATE_MISSING).into());
        }
        match (shown.key, shown.certificate) {
            (Some(key), _) => Ok(Self::Key(key)),
            (None, _) if registered.dpop_bound_access_tokens => PROOF_MISSING.refused(),
            (None, Some(certificate)) if demands.bound_tokens().is_some() => {
                Ok(Self::Certificate(certificate))
            }
            (None, _) => Ok(Self::None),
        }
    }

    /// What a refresh token is bound to that comes with an access token bound to this. Those of a client that
    /// authenticates are bound to the client itself, so that it can replace its keys (RFC 9449 section 5, RFC 8705
    /// section 7.1).
    #[must_use]
    pub fn of_refresh_token(self, client: &Client) -> Self {
        if client.is_public() { self } else { Self::None }
    }

    /// Whether it is good in anybody's hands.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// Whether it is good in the hands of whoever has shown this.
    #[must_use]
    pub fn admits(&self, shown: &Possession) -> bool {
        match self {
            Self::None => true,
            Self::Key(key) => shown.key == Some(*key),
            Self::Certificate(certificate) => shown.certificate == Some(*certificate),
        }
    }

    /// `token_type` of an access token that is bound to this (RFC 6750 section 4, RFC 9449 section 5).
    #[must_use]
    pub const fn token_type(self) -> &'static str {
        match self {
            Self::None | Self::Certificate(_) => "Bearer",
            Self::Key(_) => "DPoP",
        }
    }

    /// Writes `cnf` (RFC 7800 section 3.1), if it is bound.
    pub(crate) fn write(self, members: &mut ClaimsWriter) {
        let mut confirmation = ClaimsWriter::new();
        match self {
            Self::None => return,
            Self::Key(key) => confirmation.string("jkt", &key.to_string()),
            Self::Certificate(certificate) => confirmation.string("x5t#S256", &certificate.to_string()),
        };
        members.object("cnf", confirmation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Thumbprint = Thumbprint::new([1; 32]);
    const TWO: Thumbprint = Thumbprint::new([2; 32]);

    /// Each binding admits what it names, shown in its own way, and nothing else.
    #[test]
    fn a_binding_admits_its_holder_alone() {
        let key = |key| Possession { key: Some(key), certificate: None };
        let certificate = |certificate| Possession { key: None, certificate: Some(certificate) };
        let both = Possession { key: Some(ONE), certificate: Some(TWO) };
        let shown = [Possession::default(), key(ONE), key(TWO), certificate(ONE), certificate(TWO), both];
        let rows = [
            (TokenBinding::None, [true; 6]),
            (TokenBinding::Key(ONE), [false, true, false, false, false, true]),
            (TokenBinding::Key(TWO), [false, false, true, false, false, false]),
            (TokenBinding::Certificate(ONE), [false, false, false, true, false, false]),
            (TokenBinding::Certificate(TWO), [false, false, false, false, true, true]),
        ];
        for (binding, expected) in rows {
            assert_eq!(shown.map(|shown| binding.admits(&shown)), expected, "{binding:?}");
        }
    }

    /// RFC 9449 section 6.1, RFC 8705 section 3.1: what is written is also what is read.
    #[test]
    fn a_binding_is_a_confirmation() {
        let thumbprint = ONE.to_string();
        let rows = [
            (TokenBinding::Key(ONE), format!(r#"{{"jkt":"{thumbprint}"}}"#)),
            (TokenBinding::Certificate(ONE), format!(r#"{{"x5t#S256":"{thumbprint}"}}"#)),
        ];
        for (binding, json) in rows {
            let mut members = ClaimsWriter::new();
            binding.write(&mut members);
            assert_eq!(members.finish(), format!(r#"{{"cnf":{json}}}"#));
            assert_eq!(serde_json::to_string(&binding).unwrap(), json);
            assert_eq!(serde_json::from_str::<TokenBinding>(&json).unwrap(), binding);
        }
        let mut none = ClaimsWriter::new();
        TokenBinding::None.write(&mut none);
        assert_eq!(none.finish(), "{}");
        let other = r#"{"jwk":{}}"#.to_owned();
        for bad in [other, r#"{"jkt":"AAAA"}"#.into(), r#""None""#.into(), "null".into(), "{}".into()] {
            assert!(serde_json::from_str::<TokenBinding>(&bad).is_err(), "{bad}");
        }
    }
}

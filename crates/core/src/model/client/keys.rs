//! RFC 7591 section 2: a client's public keys (`jwks`, `jwks_uri`), and RFC 7517 section 5: the set of them.

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chancery_jose::{
    Compact, EncryptionKey, Error, JwkSet, PublicJwk, SigningAlgorithm, Verified, VerifyingKey, sha256,
};
use chancery_types::iana::ClientAuthenticationMethod;
use chancery_x509::{ClientCertificate, ReadCertificate};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Flow, Reader};

/// How many keys a client may have.
const MOST: usize = 32;

/// How many of them are tried for one signature. Of several keys each needs a name of its own (OIDC Core section
/// 10.1); one that has none costs a bounded time, because anybody can send signatures that no key verifies.
const TRIED: usize = 4;

/// A client's public keys. Each that verifies signatures is made ready once, when it is first needed.
pub struct PublicKeys {
    set: JwkSet,
    /// As many as the set has keys for signatures; `None` inside for numbers that are no key.
    ready: Vec<OnceLock<Option<VerifyingKey>>>,
    /// The thumbprints of the certificates of those keys that have one.
    certificates: Vec<[u8; 32]>,
    /// The thumbprints of those that have none.
    without_certificate: Vec<String>,
}

impl PublicKeys {
    /// Reads a JWK Set. Keys that cannot be used here are left out (RFC 7517 section 5).
    ///
    /// # Errors
    /// Those of [`JwkSet::parse`], for private and symmetric keys in particular; [`Error::TooLong`] for more
    /// than 32 keys.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let set = JwkSet::parse(json)?;
        let Members { keys: members } = serde_json::from_slice(json).map_err(|_| Error::Json)?;
        if members.len() > MOST {
            return Err(Error::TooLong);
        }
        let ready = set.keys().iter().map(|_| OnceLock::new()).collect();
        let mut certificates = Vec::new();
        let mut without_certificate = Vec::new();
        for member in members {
            match Certified::of(member) {
                Some(certified) => certificates.extend(certified.certificate().map(|der| sha256(&der))),
                None => {
                    let key = PublicJwk::parse(member.get().as_bytes());
                    without_certificate.extend(key.map(|key| key.thumbprint()));
                }
            }
        }
        Ok(Self { set, ready, certificates, without_certificate })
    }

    /// The keys as they are, those for encryption among them.
    #[must_use]
    pub fn set(&self) -> &JwkSet {
        &self.set
    }

    /// Whether the certificate is that of one of the keys (RFC 7517 section 4.7, `x5c`). A key without a certificate
    /// stands for every one that is made of it.
    #[must_use]
    pub fn has_certificate(&self, certificate: &ClientCertificate) -> bool {
        if self.certificates.contains(&certificate.thumbprint()) {
            return true;
        }
        if self.without_certificate.is_empty() {
            return false;
        }
        let key = certificate.read().ok().and_then(|read| read.key());
        key.is_some_and(|key| self.without_certificate.contains(&key.thumbprint()))
    }

    /// Verifies what the client has signed, with the key that its `kid` names, or else with the first that fit.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] if there is no such key; otherwise [`Error::Signature`].
    pub fn verify(&self, compact: &Compact<'_>) -> Result<Verified, Error> {
        let header = compact.header();
        let is_named = |key: &PublicJwk| header.kid.is_none() || key.kid() == header.kid.as_deref();
        let all = self.set.keys().iter().zip(&self.ready);
        let candidates = all.filter(|(key, _)| key.fits(header.alg) && is_named(key));
        let ready = candidates
            .take(TRIED)
            .filter_map(|(key, ready)| ready.get_or_init(|| key.verifying_key().ok()).as_ref());
        compact.verify_any(ready)
    }
}

/// As they came, one by one.
#[derive(Deserialize)]
struct Members<'j> {
    #[serde(borrow)]
    keys: Vec<&'j RawValue>,
}

/// The certificates of a key, its own first, in base64 (RFC 7517 section 4.7).
#[derive(Deserialize)]
struct Certified {
    x5c: Vec<String>,
}

impl Certified {
    /// `None` for a key without the member. One that is no list of texts has no certificate, but is there.
    fn of(member: &RawValue) -> Option<Self> {
        #[derive(Deserialize)]
        struct Member<'j> {
            #[serde(borrow)]
            x5c: Option<&'j RawValue>,
        }
        let x5c = serde_json::from_str::<Member<'_>>(member.get()).ok()?.x5c?;
        Some(Self { x5c: serde_json::from_str(x5c.get()).unwrap_or_default() })
    }

    /// The DER of its own one.
    fn certificate(&self) -> Option<Vec<u8>> {
        STANDARD.decode(self.x5c.first()?).ok()
    }
}

impl std::fmt::Debug for PublicKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.set.fmt(f)
    }
}

/// The same keys in the same order.
impl PartialEq for PublicKeys {
    fn eq(&self, other: &Self) -> bool {
        self.set == other.set
    }
}

/// `jwks`: the keys as they were registered, and parsed.
#[derive(Clone, Debug)]
pub struct Jwks {
    json: Box<RawValue>,
    keys: Arc<PublicKeys>,
}

impl Jwks {
    fn parse(json: Box<RawValue>) -> Result<Self, Error> {
        let keys = Arc::new(PublicKeys::parse(json.get().as_bytes())?);
        Ok(Self { json, keys })
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &Arc<PublicKeys> {
        &self.keys
    }
}

impl PartialEq for Jwks {
    fn eq(&self, other: &Self) -> bool {
        self.json.get() == other.json.get()
    }
}

impl Eq for Jwks {}

impl Serialize for Jwks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Jwks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(Box::<RawValue>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

const RFC7517: &str = "RFC 7517 section 5";

/// `jwks` and `jwks_uri`: one of them, and one of them for sure if the client signs its assertions.
pub(super) fn read(from: &mut Reader<'_>, flow: &Flow) -> (Option<Jwks>, Option<Box<str>>) {
    let jwks = registered(from, flow);
    let (has_jwks, has_uri) = (from.has("jwks"), from.has("jwks_uri"));
    let jwks_uri = from.url("jwks_uri", false);
    if jwks_uri.as_deref().is_some_and(|uri| uri.contains('#')) {
        from.complain("jwks_uri", "must not have a fragment");
    }
    if has_jwks && has_uri {
        from.complain("jwks", "must not be given together with jwks_uri");
    }
    if flow.token_endpoint_auth_method == ClientAuthenticationMethod::PrivateKeyJwt && !has_jwks && !has_uri {
        from.complain("jwks", "or jwks_uri must be given: private_key_jwt needs a key of the client");
    }
    if flow.token_endpoint_auth_method == ClientAuthenticationMethod::SelfSignedTlsClientAuth {
        if !has_jwks && !has_uri {
            let rule =
                "or jwks_uri must be given: self_signed_tls_client_auth needs the client's certificate";
            from.complain_by("jwks", rule, RFC8705);
        }
        for rule in jwks.iter().filter_map(certificate_complaint) {
            from.complain_by("jwks", rule, RFC8705);
        }
    }
    (jwks, jwks_uri)
}

const RFC8705: &str = "RFC 8705 section 2.2.2";

/// What keeps a client from authenticating with the certificates of these keys.
fn certificate_complaint(jwks: &Jwks) -> Option<&'static str> {
    let PublicKeys { certificates, without_certificate, .. } = &**jwks.keys();
    if certificates.is_empty() && without_certificate.is_empty() {
        return Some("must have a certificate (x5c), or a key of which the client makes one");
    }
    let Members { keys } = serde_json::from_str(jwks.json.get()).ok()?;
    let is_wrong = |member: &&RawValue| {
        let Some(certified) = Certified::of(member) else { return false };
        let Some(read) = certified.certificate().and_then(|der| ReadCertificate::parse(&der).ok()) else {
            return true;
        };
        match (read.key(), PublicJwk::parse(member.get().as_bytes())) {
            (Some(of_certificate), Ok(key)) => of_certificate.thumbprint() != key.thumbprint(),
            _ => false,
        }
    };
    keys.iter()
        .any(is_wrong)
        .then_some("must have in x5c the certificate of the same key (RFC 7517 section 4.7)")
}

fn registered(from: &mut Reader<'_>, flow: &Flow) -> Option<Jwks> {
    let json = RawValue::from_string(from.raw("jwks")?.to_owned()).ok()?;
    let jwks = match Jwks::parse(json) {
        Ok(jwks) => jwks,
        Err(error) => {
            let rule = match error {
                Error::Json | Error::MissingMember | Error::MemberType => {
                    format!("must be a JWK Set, such as {{\"keys\": [{{\"kty\": \"EC\", ...}}]}}: {error}")
                }
                error => error.to_string(),
            };
            from.complain_by("jwks", rule, RFC7517);
            return None;
        }
    };
    let left_out = left_out(&jwks);
    if left_out > 0 {
        from.notice(format!("jwks: {left_out} of its keys cannot be used here"));
    }
    let signs = |alg: &SigningAlgorithm| flow.signs_assertions(*alg);
    let needs_key = flow.token_endpoint_auth_method == ClientAuthenticationMethod::PrivateKeyJwt;
    if needs_key
        && !SigningAlgorithm::ALL
            .into_iter()
            .filter(signs)
            .any(|alg| jwks.keys().set().candidates(None, alg).next().is_some())
    {
        from.complain("jwks", "must have a key with which the client can sign its assertions");
    }
    Some(jwks)
}

/// How many of the keys are for nothing that is done here.
fn left_out(jwks: &Jwks) -> usize {
    let json = jwks.json.get();
    let members = serde_json::from_str(json).map_or_else(|_| Vec::new(), |Members { keys }| keys);
    let is_used = |key: &[u8]| PublicJwk::parse(key).is_ok() || EncryptionKey::parse(key).is_ok();
    members.into_iter().filter(|key| !is_used(key.get().as_bytes())).count()
}

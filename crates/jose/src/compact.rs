//! JWS in the compact serialisation (RFC 7515 section 7.1): reading and verifying, and writing in two steps,
//! because the signature that is made between them may come from a remote signer.

use crate::{Error, JwtClaims, PublicJwk, SigningAlgorithm, Verifier, base64url, json, json::Object};

/// The longest JWS that is read, in bytes.
const MAX_LENGTH: usize = 16 * 1024;

/// A JWS that is well formed but not yet verified.
pub struct Compact<'a> {
    header: Header,
    signing_input: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What the protected header says (RFC 7515 section 4.1). Keys and URLs in it (`jwk`, `jku`, `x5c`, `x5u`)
/// are not read, because nobody but the sender vouches for them (RFC 8725 section 3.10); only
/// [`Compact::embedded_key`] reads `jwk`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `alg`
    pub alg: SigningAlgorithm,
    /// `kid`, a hint at the key that was used.
    pub kid: Option<String>,
    /// `typ`, the media type of the whole JWS, such as `at+jwt` (RFC 8725 section 3.11).
    pub typ: Option<String>,
    /// `cty`, the media type of the payload.
    pub cty: Option<String>,
}

/// A header and payload whose signature was verified. Only [`Compact::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    header: Header,
    payload: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Reads three parts of base64url and the header, strictly.
    ///
    /// # Errors
    /// [`Error::TooLong`] above 16 KiB; [`Error::NotCompact`]; [`Error::Base64`]; [`Error::Json`] and
    /// [`Error::DuplicateMember`] of the header; [`Error::UnknownAlgorithm`], also for `none`;
    /// [`Error::UnknownCritical`]; [`Error::UnencodedPayload`].
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let Parts { signing_input, header, payload, signature } = Parts::split(text)?;
        Ok(Self {
            header: Header::parse(&base64url::decode(header)?)?,
            signing_input,
            payload: base64url::decode(payload)?,
            signature: base64url::decode(signature)?,
        })
    }

    /// The protected header. Until the signature is verified, anybody may have written it.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// What was signed (RFC 7515 section 5.1 step 5).
    #[must_use]
    pub fn signing_input(&self) -> &'a str {
        self.signing_input
    }

    /// The public key that the header brings (`jwk`, RFC 7515 section 4.1.3). The sender chose it, so that a signature
    /// verified with it proves possession of the private key, and nothing else.
    ///
    /// # Errors
    /// [`Error::MissingMember`] without `jwk`; those of [`PublicJwk::parse`], also for a private key.
    pub fn embedded_key(&self) -> Result<PublicJwk, Error> {
        let header = self.signing_input.split('.').next().unwrap_or_default();
        let header = base64url::decode(header)?;
        let jwk = Object::parse(&header)?.raw("jwk").ok_or(Error::MissingMember)?;
        PublicJwk::parse(jwk.get().as_bytes())
    }

    /// The payload before verification. Its only use is to find the key by `iss`: anybody may have written
    /// it.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Verifies the signature. The key decides whether the header's algorithm is the right one for it.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`], [`Error::Signature`].
    pub fn verify(self, key: &dyn Verifier) -> Result<Verified, Error> {
        key.verify(self.header.alg, self.signing_input.as_bytes(), &self.signature)?;
        Ok(Verified { header: self.header, payload: self.payload })
    }

    /// Verifies the signature with the first of these keys that fits it.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] if no key is for its algorithm; otherwise [`Error::Signature`].
    pub fn verify_any(&self, keys: impl IntoIterator<Item = impl Verifier>) -> Result<Verified, Error> {
        let mut why = Error::KeyNotForAlgorithm;
        for key in keys {
            match key.verify(self.header.alg, self.signing_input.as_bytes(), &self.signature) {
                Ok(()) => {
                    return Ok(Verified { header: self.header.clone(), payload: self.payload.clone() });
                }
                Err(Error::KeyNotForAlgorithm) => {}
                Err(error) => why = error,
            }
        }
        Err(why)
    }
}

/// The parts of a JWS, still encoded.
struct Parts<'a> {
    signing_input: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn split(text: &'a str) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::TooLong);
        }
        let (signing_input, signature) = text.rsplit_once('.').ok_or(Error::NotCompact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(Error::NotCompact)?;
        if payload.contains('.') {
            return Err(Error::NotCompact);
        }
        Ok(Self { signing_input, header, payload, signature })
    }
}

impl Header {
    /// The members, none of which may demand what is not understood here.
    fn object(json: &[u8]) -> Result<Object<'_>, Error> {
        let header = Object::parse(json)?;
        if header.has("crit") {
            return Err(Error::UnknownCritical);
        }
        if header.has("b64") {
            return Err(Error::UnencodedPayload);
        }
        Ok(header)
    }

    fn parse(json: &[u8]) -> Result<Self, Error> {
        let header = Self::object(json)?;
        Ok(Self {
            alg: header.required("alg")?.parse()?,
            kid: header.string("kid")?,
            typ: header.string("typ")?,
            cty: header.string("cty")?,
        })
    }

    /// Whether `typ` names this media type; case does not matter and `application/` may be left out (RFC 7515
    /// section 4.1.9).
    #[must_use]
    pub fn is_type(&self, media_type: &str) -> bool {
        self.typ.as_deref().is_some_and(|typ| short(typ).eq_ignore_ascii_case(short(media_type)))
    }
}

/// A media type without the prefix that may be left out, if no other slash follows (RFC 7515 section 4.1.9).
fn short(media_type: &str) -> &str {
    match media_type.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') => rest,
        _ => media_type,
    }
}

impl Verified {
    /// The header.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as JWT claims (RFC 7519 section 7.2).
    ///
    /// # Errors
    /// Those of [`JwtClaims::parse`].
    pub fn claims(&self) -> Result<JwtClaims, Error> {
        JwtClaims::parse(&self.payload)
    }
}

/// An encoded protected header. It is made once per key and type and used for every token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedHeader {
    algorithm: SigningAlgorithm,
    encoded: Box<str>,
}

impl EncodedHeader {
    /// Encodes `alg`, `typ` and `kid`.
    #[must_use]
    pub fn new(algorithm: SigningAlgorithm, kid: Option<&str>, typ: Option<&str>) -> Self {
        let mut json = format!(r#"{{"alg":"{algorithm}""#);
        for (name, value) in [("typ", typ), ("kid", kid)] {
            if let Some(value) = value {
                json.push_str(",\"");
                json.push_str(name);
                json.push_str("\":");
                json::write_string(&mut json, value);
            }
        }
        json.push('}');
        Self { algorithm, encoded: base64url::encode(json).into_boxed_str() }
    }

    /// The algorithm that it names.
    #[must_use]
    pub fn alg(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The encoded header and payload, which are what is signed.
    #[must_use]
    pub fn signing_input(&self, payload: &[u8]) -> String {
        // Room for the payload and an RSA signature of 2048 bits, so that the token is one allocation.
        let mut out = String::with_capacity(self.encoded.len() + payload.len().div_ceil(3) * 4 + 2 + 342);
        out.push_str(&self.encoded);
        out.push('.');
        base64url::append(&mut out, payload);
        out
    }
}

/// A JWT that nobody has signed (RFC 7519 section 6.1). Nothing here verifies one: `none` is no algorithm.
#[must_use]
pub fn unsecured(payload: &[u8]) -> String {
    let mut jwt = base64url::encode(br#"{"alg":"none"}"#);
    jwt.push('.');
    base64url::append(&mut jwt, payload);
    jwt.push('.');
    jwt
}

/// The payload of a JWT that nobody has signed (RFC 7519 section 6.1). Anybody may have written it, so that a
/// setting has to permit it (RFC 8725 section 3.2).
///
/// # Errors
/// Those of [`Compact::parse`]; [`Error::UnknownAlgorithm`] unless its algorithm is `none`;
/// [`Error::Signature`] if it has a signature.
pub fn parse_unsecured(text: &str) -> Result<Vec<u8>, Error> {
    let Parts { header, payload, signature, .. } = Parts::split(text)?;
    let header = base64url::decode(header)?;
    if Header::object(&header)?.required("alg")? != "none" {
        return Err(Error::UnknownAlgorithm);
    }
    if signature.is_empty() { base64url::decode(payload) } else { Err(Error::Signature) }
}

/// The finished JWS.
#[must_use]
pub fn assemble(mut signing_input: String, signature: &[u8]) -> String {
    signing_input.push('.');
    base64url::append(&mut signing_input, signature);
    signing_input
}

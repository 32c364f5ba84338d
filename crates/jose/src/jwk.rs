//! A public key that verifies signatures, as JSON (RFC 7517; RFC 7518 section 6; RFC 8037 section 2), and
//! what it has in common with one for encryption.

use std::fmt;

use aws_lc_rs::{
    agreement::{PrivateKey, UnparsedPublicKey, X25519, agree},
    signature::{
        self, ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
        EcdsaVerificationAlgorithm, ParsedPublicKey,
    },
};

use crate::{Error, SigningAlgorithm, VerifyingKey, base64url, json, json::Object, sha256};

/// The longest JWK that is read, in bytes.
pub(crate) const MAX_LENGTH: usize = 16 * 1024;

/// A public key for signatures. All other keys are refused, symmetric and private ones in particular.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicJwk {
    pub(crate) key: Numbers,
    pub(crate) kid: Option<Box<str>>,
    pub(crate) alg: Option<SigningAlgorithm>,
}

/// The numbers that make a key, by `kty`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Numbers {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    Ed25519 {
        x: Vec<u8>,
    },
    /// Agrees upon secrets and signs nothing.
    X25519 {
        x: Vec<u8>,
    },
}

/// The elliptic curves of ECDSA and ECDH; each has one ECDSA algorithm (RFC 7518 section 3.4).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

/// A JWK without anything private, for whatever it is meant.
pub(crate) fn public(json: &[u8]) -> Result<Object<'_>, Error> {
    if json.len() > MAX_LENGTH {
        return Err(Error::TooLong);
    }
    let jwk = Object::parse(json)?;
    if jwk.required("kty")? == "oct" || PRIVATE_MEMBERS.iter().any(|name| jwk.has(name)) {
        return Err(Error::PrivateMember);
    }
    Ok(jwk)
}

impl PublicJwk {
    /// Reads a public JWK. Members that are not understood are ignored (RFC 7517 section 4), certificates
    /// among them.
    ///
    /// # Errors
    /// The rule that it breaks: see [`Error`].
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        Self::read(&public(json)?, Purpose::Verify)
    }

    /// The public half of a JWK.
    pub(crate) fn read(jwk: &Object<'_>, purpose: Purpose) -> Result<Self, Error> {
        let key = Numbers::read(jwk)?;
        if matches!(key, Numbers::X25519 { .. }) {
            return Err(Error::UnknownCurve);
        }
        purpose.check(jwk)?;
        let alg = match jwk.string("alg")? {
            Some(name) => Some(SigningAlgorithm::parse(&name).ok_or(Error::UnknownAlgorithm)?),
            None => key.only_algorithm(),
        };
        if alg.is_some_and(|alg| !key.fits(alg)) {
            return Err(Error::KeyNotForAlgorithm);
        }
        let kid = jwk.string("kid")?.map(String::into_boxed_str);
        Ok(Self { key, kid, alg })
    }

    /// The key's name, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithm it is meant for: that of `alg`, or the only one that its type allows.
    #[must_use]
    pub fn alg(&self) -> Option<SigningAlgorithm> {
        self.alg
    }

    /// The length of the shortest RSA key that is read or made, in bits (RFC 7518 section 3.3).
    pub const LEAST_RSA_BITS: usize = 2048;

    /// The length of the shortest key of an elliptic curve, in bits: P-256 and Ed25519 have the smallest field.
    pub const LEAST_CURVE_BITS: usize = 255;

    /// Whether signatures of this algorithm may be verified with it.
    #[must_use]
    pub fn fits(&self, algorithm: SigningAlgorithm) -> bool {
        self.alg.map_or_else(|| self.key.fits(algorithm), |alg| alg.is_same_as(algorithm))
    }

    /// The SHA-256 thumbprint in base64url, a name that depends on the key alone (RFC 7638 section 3).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.key.thumbprint()
    }

    /// The key in the form that verifies. Keep it: making it costs more than verifying with it.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] when the cryptographic library refuses it.
    pub fn verifying_key(&self) -> Result<VerifyingKey, Error> {
        VerifyingKey::new(self)
    }

    /// The JWK with its members in a fixed order: always `use` with `sig`, and `alg` and `kid` if they are
    /// known.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::from("{");
        self.write_members(&mut out);
        out.push('}');
        out
    }

    pub(crate) fn write_members(&self, out: &mut String) {
        self.key.write_described(out, "sig", self.alg.map(|alg| alg.name()), self.kid.as_deref());
    }
}

/// Shows the thumbprint only.
impl fmt::Debug for PublicJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicJwk").field(&self.thumbprint()).finish()
    }
}

/// What makes a JWK private or symmetric (RFC 7518 sections 6.2.2, 6.3.2, 6.4; RFC 8037 section 2).
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// What a key is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Sign,
    Verify,
    Encrypt,
    Decrypt,
}

impl Purpose {
    /// The value of `use` (RFC 7517 section 4.2).
    fn usage(self) -> &'static str {
        match self {
            Self::Sign | Self::Verify => "sig",
            Self::Encrypt | Self::Decrypt => "enc",
        }
    }

    /// The values of `key_ops` of which one is enough (RFC 7517 section 4.3). The agreement upon a key is one
    /// and the same operation for both sides.
    fn operations(self) -> &'static [&'static str] {
        match self {
            Self::Sign => &["sign"],
            Self::Verify => &["verify"],
            Self::Encrypt => &["encrypt", "wrapKey", "deriveKey", "deriveBits"],
            Self::Decrypt => &["decrypt", "unwrapKey", "deriveKey", "deriveBits"],
        }
    }

    fn refused(self) -> Error {
        match self {
            Self::Sign | Self::Verify => Error::NotForSignatures,
            Self::Encrypt | Self::Decrypt => Error::NotForEncryption,
        }
    }

    /// Whether `use` and `key_ops` allow it.
    pub(crate) fn check(self, jwk: &Object<'_>) -> Result<(), Error> {
        let is_meant = jwk.string("use")?.map(|usage| usage == self.usage());
        let Some(mut operations) = jwk.strings("key_ops")? else {
            return if is_meant == Some(false) { Err(self.refused()) } else { Ok(()) };
        };
        operations.sort_unstable();
        if operations.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err(Error::KeyOperations);
        }
        let is_allowed = operations.iter().any(|name| self.operations().contains(&name.as_str()));
        match (is_meant, is_allowed) {
            (Some(true), false) | (Some(false), true) => Err(Error::KeyOperations),
            (Some(false) | None, false) => Err(self.refused()),
            (Some(true) | None, true) => Ok(()),
        }
    }
}

impl Numbers {
    pub(crate) fn read(jwk: &Object<'_>) -> Result<Self, Error> {
        let number = |name| base64url::decode(&jwk.required(name)?);
        match jwk.required("kty")?.as_str() {
            "RSA" => Self::rsa(number("n")?, number("e")?),
            "EC" => Self::ec(Curve::parse(&jwk.required("crv")?)?, number("x")?, number("y")?),
            "OKP" => match jwk.required("crv")?.as_str() {
                "Ed25519" => Self::ed25519(number("x")?),
                "X25519" => Self::x25519(number("x")?),
                _ => Err(Error::UnknownCurve),
            },
            _ => Err(Error::UnknownKeyType),
        }
    }

    pub(crate) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, Error> {
        let (Some(&n_first), Some(&e_first), Some(&n_last), Some(&e_last)) =
            (n.first(), e.first(), n.last(), e.last())
        else {
            return Err(Error::InvalidKey);
        };
        if n_first == 0 || e_first == 0 {
            return Err(Error::LeadingZero);
        }
        let bits = n.len() * 8 - n_first.leading_zeros() as usize;
        if !(PublicJwk::LEAST_RSA_BITS..=8192).contains(&bits) {
            return Err(Error::ModulusSize);
        }
        if e_last % 2 == 0 || e == [1] || e.len() > 4 {
            return Err(Error::Exponent);
        }
        // A product of two odd primes is odd.
        if n_last % 2 == 0 {
            return Err(Error::InvalidKey);
        }
        Ok(Self::Rsa { n, e })
    }

    /// Coordinates have the full length of the field, leading zero octets included (RFC 7518 section
    /// 6.2.1.2).
    pub(crate) fn ec(curve: Curve, x: Vec<u8>, y: Vec<u8>) -> Result<Self, Error> {
        if x.len() != curve.length() || y.len() != curve.length() {
            return Err(Error::CoordinateLength);
        }
        // The library refuses a point off the curve, with which an attacker could find out a private key (RFC
        // 8725 section 3.4).
        ParsedPublicKey::new(curve.verification(), point(&x, &y)).map_err(|_| Error::InvalidKey)?;
        Ok(Self::Ec { curve, x, y })
    }

    pub(crate) fn ed25519(x: Vec<u8>) -> Result<Self, Error> {
        if x.len() != 32 {
            return Err(Error::CoordinateLength);
        }
        ParsedPublicKey::new(&signature::ED25519, &x).map_err(|_| Error::InvalidKey)?;
        Ok(Self::Ed25519 { x })
    }

    /// Every 32 octets are a point. With one of small order everybody agrees upon the same secret, whatever their
    /// own key is (RFC 7748 section 6.1); the library refuses to.
    pub(crate) fn x25519(x: Vec<u8>) -> Result<Self, Error> {
        if x.len() != 32 {
            return Err(Error::CoordinateLength);
        }
        let any = PrivateKey::from_private_key(&X25519, &[1; 32]).map_err(|_| Error::Library)?;
        agree(&any, UnparsedPublicKey::new(&X25519, &x), Error::InvalidKey, |_| Ok(()))?;
        Ok(Self::X25519 { x })
    }

    fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Ed25519 { .. } | Self::X25519 { .. } => "OKP",
        }
    }

    /// The members besides `kty` that every key of this type must have.
    fn members(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Rsa { n, e } => vec![("n", base64url::encode(n)), ("e", base64url::encode(e))],
            Self::Ec { curve, x, y } => {
                vec![
                    ("crv", curve.name().to_owned()),
                    ("x", base64url::encode(x)),
                    ("y", base64url::encode(y)),
                ]
            }
            Self::Ed25519 { x } => vec![("crv", "Ed25519".to_owned()), ("x", base64url::encode(x))],
            Self::X25519 { x } => vec![("crv", "X25519".to_owned()), ("x", base64url::encode(x))],
        }
    }

    /// `kty`, as the first member of a JWK.
    pub(crate) fn write_kty(&self, out: &mut String) {
        out.push_str(r#""kty":""#);
        out.push_str(self.kty());
        out.push('"');
    }

    /// The other members, each with a leading comma.
    pub(crate) fn write_members(&self, out: &mut String) {
        for (name, value) in self.members() {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":\"");
            out.push_str(&value);
            out.push('"');
        }
    }

    /// All members of a JWK that says what it is for (RFC 7517 section 4).
    pub(crate) fn write_described(
        &self,
        out: &mut String,
        usage: &str,
        alg: Option<&str>,
        kid: Option<&str>,
    ) {
        self.write_kty(out);
        for (name, value) in [("use", Some(usage)), ("alg", alg), ("kid", kid)] {
            if let Some(value) = value {
                out.push_str(",\"");
                out.push_str(name);
                out.push_str("\":");
                json::write_string(out, value);
            }
        }
        self.write_members(out);
    }

    /// Computed over the required members, sorted by name (RFC 7638 section 3.1, RFC 8037 section 2).
    pub(crate) fn thumbprint(&self) -> String {
        let mut members = self.members();
        members.push(("kty", self.kty().to_owned()));
        members.sort_unstable();
        let text: Vec<String> =
            members.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        base64url::encode(sha256(format!("{{{}}}", text.join(",")).as_bytes()))
    }

    /// Whether key type and curve are those of the algorithm.
    pub(crate) fn fits(&self, algorithm: SigningAlgorithm) -> bool {
        use SigningAlgorithm::{Ed25519, EdDsa, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa { .. } => matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512),
            Self::Ec { curve, .. } => algorithm == curve.algorithm(),
            Self::Ed25519 { .. } => matches!(algorithm, EdDsa | Ed25519),
            Self::X25519 { .. } => false,
        }
    }

    /// The algorithm, if the key type allows only one. Ed25519 has two names, neither of which can be
    /// preferred.
    fn only_algorithm(&self) -> Option<SigningAlgorithm> {
        match self {
            Self::Ec { curve, .. } => Some(curve.algorithm()),
            Self::Rsa { .. } | Self::Ed25519 { .. } | Self::X25519 { .. } => None,
        }
    }
}

impl Curve {
    fn parse(name: &str) -> Result<Self, Error> {
        [Self::P256, Self::P384, Self::P521]
            .into_iter()
            .find(|curve| curve.name() == name)
            .ok_or(Error::UnknownCurve)
    }

    fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    pub(crate) fn algorithm(self) -> SigningAlgorithm {
        match self {
            Self::P256 => SigningAlgorithm::Es256,
            Self::P384 => SigningAlgorithm::Es384,
            Self::P521 => SigningAlgorithm::Es512,
        }
    }

    /// The length of a coordinate, and of a private value, in octets.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    pub(crate) fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED,
            Self::P384 => &ECDSA_P384_SHA384_FIXED,
            Self::P521 => &ECDSA_P521_SHA512_FIXED,
        }
    }
}

/// An uncompressed point (SEC 1 section 2.3.3).
pub(crate) fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
    [&[4], x, y].concat()
}

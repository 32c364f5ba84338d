//! Private keys that sign.

use aws_lc_rs::{
    encoding::{AsBigEndian, AsDer},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
        EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
        RsaPublicKeyComponents,
    },
};
use zeroize::Zeroizing;

use crate::{
    Error, PublicJwk, SigningAlgorithm, base64url,
    json::Object,
    jwk::{Curve, MAX_LENGTH, Numbers, Purpose, point},
    rsa_der::{self, PrivateNumber},
};

/// A private key, parsed once. It has no `Debug` and no `Display`; its content leaves only through
/// [`Self::to_jwk`].
pub struct PrivateKey {
    pair: Pair,
    public: PublicJwk,
    kid: Box<str>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Makes a new key for one algorithm; an RSA key has 2048 bits. Its name is its thumbprint.
    ///
    /// This is the one place where the cryptographic library draws random numbers for itself: a key must not
    /// depend on a source that tests can script. It can take a second for RSA.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] for a symmetric algorithm; [`Error::Library`].
    pub fn generate(algorithm: SigningAlgorithm) -> Result<Self, Error> {
        use SigningAlgorithm as Alg;
        let pair = match algorithm {
            Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => {
                Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::Library)?)
            }
            Alg::Es256 => Pair::Ec(generate_ec(Curve::P256)?),
            Alg::Es384 => Pair::Ec(generate_ec(Curve::P384)?),
            Alg::Es512 => Pair::Ec(generate_ec(Curve::P521)?),
            Alg::EdDsa | Alg::Ed25519 => {
                Pair::Ed25519(Ed25519KeyPair::generate().map_err(|_| Error::Library)?)
            }
            Alg::Hs256 | Alg::Hs384 | Alg::Hs512 => return Err(Error::KeyNotForAlgorithm),
        };
        let key = pair.public_numbers()?;
        Ok(Self::new(pair, PublicJwk { key, kid: None, alg: Some(algorithm) }))
    }

    /// Reads a private JWK. A key without `kid` is named by its thumbprint.
    ///
    /// # Errors
    /// The rule that it breaks: see [`Error`]. An RSA key needs all of `p`, `q`, `dp`, `dq`, `qi`.
    pub fn from_jwk(json: &[u8]) -> Result<Self, Error> {
        if json.len() > MAX_LENGTH {
            return Err(Error::TooLong);
        }
        let jwk = Object::parse(json)?;
        let public = PublicJwk::read(&jwk, Purpose::Sign)?;
        let pair = match &public.key {
            Numbers::Rsa { .. } => Pair::Rsa(rsa_pair(&jwk, &public.key)?),
            Numbers::Ec { curve, x, y } => {
                let d = private_number(&jwk, "d")?;
                if d.len() != curve.length() {
                    return Err(Error::CoordinateLength);
                }
                let pair = EcdsaKeyPair::from_private_key_and_public_key(signing(*curve), &d, &point(x, y));
                Pair::Ec(pair.map_err(|_| Error::InvalidKey)?)
            }
            Numbers::Ed25519 { x } => {
                let seed = private_number(&jwk, "d")?;
                if seed.len() != 32 {
                    return Err(Error::CoordinateLength);
                }
                let pair = Ed25519KeyPair::from_seed_and_public_key(&seed, x);
                Pair::Ed25519(pair.map_err(|_| Error::InvalidKey)?)
            }
            Numbers::X25519 { .. } => return Err(Error::UnknownCurve),
        };
        Ok(Self::new(pair, public))
    }

    fn new(pair: Pair, public: PublicJwk) -> Self {
        let kid = public.kid.clone().unwrap_or_else(|| public.thumbprint().into_boxed_str());
        Self { pair, public: PublicJwk { kid: Some(kid.clone()), ..public }, kid }
    }

    /// The same key under another name.
    #[must_use]
    pub fn with_kid(self, kid: &str) -> Self {
        Self { pair: self.pair, public: PublicJwk { kid: Some(kid.into()), ..self.public }, kid: kid.into() }
    }

    /// The key's name.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm it is meant for; `None` for an imported key that allows several.
    #[must_use]
    pub fn alg(&self) -> Option<SigningAlgorithm> {
        self.public.alg
    }

    /// Whether it may sign with this algorithm.
    #[must_use]
    pub fn fits(&self, algorithm: SigningAlgorithm) -> bool {
        self.public.fits(algorithm)
    }

    /// The public half, with the same `kid` and `alg`.
    #[must_use]
    pub fn public_jwk(&self) -> &PublicJwk {
        &self.public
    }

    /// The private JWK, for sealed storage. The text is wiped from memory when it is dropped.
    ///
    /// # Errors
    /// [`Error::Library`].
    pub fn to_jwk(&self) -> Result<Zeroizing<String>, Error> {
        let d = |bytes: &[u8]| vec![("d", Zeroizing::new(bytes.to_vec()))];
        let numbers = match &self.pair {
            Pair::Rsa(pair) => {
                let pkcs8 = pair.as_der().map_err(|_| Error::Library)?;
                rsa_der::private_numbers(pkcs8.as_ref())?
            }
            Pair::Ec(pair) => d(pair.private_key().as_be_bytes().map_err(|_| Error::Library)?.as_ref()),
            Pair::Ed25519(pair) => {
                let seed = pair.seed().and_then(|seed| seed.as_be_bytes()).map_err(|_| Error::Library)?;
                d(seed.as_ref())
            }
        };
        Ok(private_jwk(|out| self.public.write_members(out), &numbers))
    }

    /// Signs `input`.
    ///
    /// # Errors
    /// [`Error::KeyNotForAlgorithm`] when the key does not fit; [`Error::Library`].
    pub fn sign(&self, algorithm: SigningAlgorithm, input: &[u8]) -> Result<Vec<u8>, Error> {
        if !self.fits(algorithm) {
            return Err(Error::KeyNotForAlgorithm);
        }
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding = rsa_encoding(algorithm).ok_or(Error::KeyNotForAlgorithm)?;
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &unused_random(), input, &mut signature).map_err(|_| Error::Library)?;
                Ok(signature)
            }
            Pair::Ec(pair) => {
                Ok(pair.sign(&unused_random(), input).map_err(|_| Error::Library)?.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Ok(pair.try_sign(input).map_err(|_| Error::Library)?.as_ref().to_vec()),
        }
    }
}

/// A private number of a JWK.
pub(crate) fn private_number(jwk: &Object<'_>, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = Zeroizing::new(jwk.string(name)?.ok_or(Error::IncompletePrivateKey)?);
    base64url::decode(&text).map(Zeroizing::new)
}

/// The private half of an RSA key of two primes, whose public half was read before.
pub(crate) fn rsa_pair(jwk: &Object<'_>, public: &Numbers) -> Result<RsaKeyPair, Error> {
    let Numbers::Rsa { n, e } = public else { return Err(Error::UnknownKeyType) };
    if jwk.has("oth") {
        return Err(Error::IncompletePrivateKey);
    }
    let components = aws_lc_rs::rsa::KeyPairComponents {
        public_key: RsaPublicKeyComponents { n, e },
        d: &private_number(jwk, "d")?,
        p: &private_number(jwk, "p")?,
        q: &private_number(jwk, "q")?,
        dP: &private_number(jwk, "dp")?,
        dQ: &private_number(jwk, "dq")?,
        qInv: &private_number(jwk, "qi")?,
    };
    RsaKeyPair::from_components(&components).map_err(|_| Error::InvalidKey)
}

/// A private JWK, which is wiped from memory when it is dropped.
pub(crate) fn private_jwk(
    write_public_members: impl FnOnce(&mut String),
    numbers: &[PrivateNumber],
) -> Zeroizing<String> {
    // There is room for the largest key, because a growing buffer would leave unwiped copies behind.
    let mut out = Zeroizing::new(String::with_capacity(MAX_LENGTH));
    out.push('{');
    write_public_members(&mut out);
    for (name, number) in numbers {
        out.push_str(",\"");
        out.push_str(name);
        out.push_str("\":\"");
        base64url::append(&mut out, number.as_slice());
        out.push('"');
    }
    out.push('}');
    out
}

impl Pair {
    fn public_numbers(&self) -> Result<Numbers, Error> {
        match self {
            Self::Rsa(pair) => {
                let (n, e) = rsa_der::public_numbers(pair.public_key().as_ref())?;
                Numbers::rsa(n, e)
            }
            Self::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let curve = [Curve::P256, Curve::P384, Curve::P521]
                    .into_iter()
                    .find(|curve| point.len() == 1 + 2 * curve.length())
                    .ok_or(Error::Library)?;
                let (x, y) = point.split_at(1).1.split_at(curve.length());
                Numbers::ec(curve, x.to_vec(), y.to_vec())
            }
            Self::Ed25519(pair) => Numbers::ed25519(pair.public_key().as_ref().to_vec()),
        }
    }
}

fn generate_ec(curve: Curve) -> Result<EcdsaKeyPair, Error> {
    EcdsaKeyPair::generate(signing(curve)).map_err(|_| Error::Library)
}

fn signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
    }
}

fn rsa_encoding(algorithm: SigningAlgorithm) -> Option<&'static dyn RsaEncoding> {
    match algorithm {
        SigningAlgorithm::Rs256 => Some(&RSA_PKCS1_SHA256),
        SigningAlgorithm::Rs384 => Some(&RSA_PKCS1_SHA384),
        SigningAlgorithm::Rs512 => Some(&RSA_PKCS1_SHA512),
        SigningAlgorithm::Ps256 => Some(&RSA_PSS_SHA256),
        SigningAlgorithm::Ps384 => Some(&RSA_PSS_SHA384),
        SigningAlgorithm::Ps512 => Some(&RSA_PSS_SHA512),
        _ => None,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the library's API demands a source of randomness and ignores it: it blinds with its own"
)]
fn unused_random() -> SystemRandom {
    SystemRandom::new()
}

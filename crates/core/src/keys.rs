//! The keys of a realm: which one signs now, which ones still verify, and which ones decrypt. Their times come
//! from [`rotation`](crate::rotation).

use chancery_jose::{
    Compact, CompactJwe, Decrypted, EncodedHeader, JwkSet, KeyManagementAlgorithm, KeyedHash, SealingKey,
    SigningAlgorithm, Verified, VerifyingKey, assemble, base64url,
};
use chancery_types::{RealmId, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::context::Env;
use crate::error::Fault;
use crate::ports::{DynPrivateKeys, EncryptionKeyEntry, KeyEntry, RootSecretEntry};
use crate::rotation::{KeyTimes, before_their_time};

/// The keys of one snapshot, parsed once.
pub struct KeySet {
    realm: RealmId,
    keys: Vec<Key>,
    encryption: Vec<EncryptionKeyEntry>,
    newest: DerivedKeys,
    older: Vec<DerivedKeys>,
    pairwise: KeyedHash,
}

/// The keys that are derived from one root secret, computed once.
pub struct DerivedKeys {
    /// The version of the root secret. Everything made with these keys names it.
    pub version: u32,
    /// Seals the forms of pages.
    pub form_token: SealingKey,
    /// Seals the cookie that remembers which names have signed in from a browser.
    pub devices: SealingKey,
    /// Seals client secrets that serve as HMAC keys (OIDC Core section 10.1).
    pub client_secret: SealingKey,
    /// Makes the nonces of DPoP proofs (RFC 9449 section 8).
    pub dpop_nonce: KeyedHash,
    /// Derives the successor of a refresh token.
    pub refresh_rotation: Zeroizing<[u8; 32]>,
    /// Derives the authorization code that answers an interaction.
    pub interaction_code: Zeroizing<[u8; 32]>,
}

impl DerivedKeys {
    fn new(root: &RootSecretEntry) -> Result<Self, Fault> {
        let RootSecretEntry { version, secret } = root;
        let sealing =
            |purpose| secret.sealing_key(purpose).map_err(|error| Fault::internal(error.to_string()));
        Ok(Self {
            version: *version,
            form_token: sealing("form token")?,
            devices: sealing("devices")?,
            client_secret: sealing("client secret")?,
            dpop_nonce: KeyedHash::new(&secret.derive("dpop nonce")),
            refresh_rotation: secret.derive("refresh rotation"),
            interaction_code: secret.derive("interaction code"),
        })
    }
}

/// Seals what comes back to us, as what the form of a page carries, under the newest root secret. What is sealed as one kind is
/// none of another.
pub(crate) fn seal(env: &Env, keys: &KeySet, kind: &str, token: &impl Serialize) -> Result<String, Fault> {
    let DerivedKeys { version, form_token: key, .. } = keys.newest();
    let token = serde_json::to_vec(token).map_err(|error| Fault::internal(error.to_string()))?;
    let sealed = key.seal(*env.secret::<12>(), &sealed_for(env, kind), &token);
    let sealed = sealed.map_err(|error| Fault::internal(error.to_string()))?;
    Ok(base64url::encode([&version.to_be_bytes()[..], &sealed].concat()))
}

/// Opens what [`seal`] has made.
pub(crate) fn open<T: DeserializeOwned>(env: &Env, keys: &KeySet, kind: &str, text: &str) -> Option<T> {
    let bytes = base64url::decode(text).ok()?;
    let (version, sealed) = bytes.split_first_chunk::<4>()?;
    let key = &keys.derived(u32::from_be_bytes(*version))?.form_token;
    serde_json::from_slice(&key.open(&sealed_for(env, kind), sealed)?).ok()
}

/// The associated data that binds what is sealed to its realm and its kind.
fn sealed_for(env: &Env, kind: &str) -> Vec<u8> {
    [env.realm.as_str().as_bytes(), &[0], kind.as_bytes()].concat()
}

struct Key {
    kid: Box<str>,
    entry: KeyEntry,
    verifying: VerifyingKey,
    headers: Vec<(SigningAlgorithm, Option<&'static str>, EncodedHeader)>,
}

/// The `typ` values of the JWTs issued most often. Their headers are encoded once per key.
const TYPES: [Option<&str>; 3] = [None, Some("JWT"), Some("at+jwt")];

impl KeySet {
    /// Loads all keys and root secrets of a realm.
    ///
    /// # Errors
    /// A fault of the source; a key without `kid`; two keys with the same `kid`; an invalid key; or no root
    /// secret.
    pub async fn load(private_keys: &dyn DynPrivateKeys, realm: &RealmId) -> Result<Self, Fault> {
        let entries = private_keys.list(realm).await?;
        let mut encryption = private_keys.encryption_keys(realm).await?;
        let mut secrets = private_keys.secrets(realm).await?;
        secrets.sort_by_key(|secret| secret.version);
        let oldest = secrets.first().ok_or_else(|| Fault::internal("there is no root secret"))?;
        let pairwise = KeyedHash::new(&oldest.secret.derive("pairwise subjects"));
        let mut secrets = secrets.iter().map(DerivedKeys::new).collect::<Result<Vec<_>, _>>()?;
        let newest = secrets.pop().ok_or_else(|| Fault::internal("there is no root secret"))?;

        let public = entries.iter().map(|entry| entry.jwk.clone()).collect();
        let for_encryption = encryption.iter().map(|entry| entry.jwk.clone()).collect();
        JwkSet::new(public, for_encryption)
            .map_err(|error| Fault::internal(format!("the key set: {error}")))?;
        let mut keys = entries.into_iter().map(Key::new).collect::<Result<Vec<_>, _>>()?;
        // Newest first, so that the first key that may sign is the one that does.
        keys.sort_by_key(|key| std::cmp::Reverse((key.entry.times.sign_from, key.entry.times.publish_at)));
        encryption.sort_by_key(|key| std::cmp::Reverse((key.times.sign_from, key.times.publish_at)));
        Ok(Self { realm: realm.clone(), keys, encryption, newest, older: secrets, pairwise })
    }

    /// The realm that these keys belong to.
    #[must_use]
    pub fn realm(&self) -> &RealmId {
        &self.realm
    }

    /// Whether a key of this algorithm signs now. Always false for symmetric algorithms, whose key is a
    /// client's secret.
    #[must_use]
    pub fn can_sign(&self, alg: SigningAlgorithm, now: Timestamp) -> bool {
        self.signer(alg, now).is_some()
    }

    /// Why no key of these algorithms signs now, if some begin later.
    pub(crate) fn before_their_time(&self, algs: &[SigningAlgorithm], now: Timestamp) -> Option<String> {
        let fitting = self.keys.iter().filter(|key| algs.iter().any(|alg| key.entry.jwk.fits(*alg)));
        let names: Vec<&str> = algs.iter().map(|alg| alg.name()).collect();
        before_their_time(fitting.map(|key| &key.entry.times), &names.join(", "), now)
    }

    /// Whether there is a key of this algorithm that signs now or will sign.
    #[must_use]
    pub fn has_key_for(&self, alg: SigningAlgorithm) -> bool {
        self.keys.iter().any(|key| key.entry.times.end.is_none() && key.entry.jwk.fits(alg))
    }

    /// The asymmetric algorithms that can sign now, in the order of their registry.
    #[must_use]
    pub fn algorithms(&self, now: Timestamp) -> Vec<SigningAlgorithm> {
        SigningAlgorithm::ALL.into_iter().filter(|alg| self.can_sign(*alg, now)).collect()
    }

    /// A JWS in the compact serialisation (RFC 7515 section 7.1), signed with the key that signs now.
    ///
    /// # Errors
    /// A fault when no key of this algorithm signs now, or when the signer does not sign.
    pub async fn sign_jwt(
        &self,
        env: &Env,
        now: Timestamp,
        alg: SigningAlgorithm,
        typ: Option<&str>,
        payload: &[u8],
    ) -> Result<String, Fault> {
        let key = self.signer(alg, now).ok_or_else(|| no_signer(alg))?;
        let cached = key.headers.iter().find(|(of, have, _)| *of == alg && *have == typ);
        let input = match cached {
            Some((_, _, header)) => header.signing_input(payload),
            None => EncodedHeader::new(alg, Some(&key.kid), typ).signing_input(payload),
        };
        let signature = env.private_keys.sign(&env.realm, &key.kid, input.as_bytes()).await?;
        Ok(assemble(input, &signature))
    }

    /// Verifies one of our own tokens with the key that its `kid` names, if that key is still in use.
    ///
    /// # Errors
    /// [`MissingMember`](chancery_jose::Error::MissingMember) without `kid`;
    /// [`KeyNotForAlgorithm`](chancery_jose::Error::KeyNotForAlgorithm) when there is no such key;
    /// [`Signature`](chancery_jose::Error::Signature).
    pub fn verify_jwt(&self, now: Timestamp, compact: Compact<'_>) -> Result<Verified, chancery_jose::Error> {
        self.verify(compact, |times| times.counts(now))
    }

    /// Verifies the proof of a past login with the key that its `kid` names, even if that key has been
    /// retired: a session outlives any token about it (OIDC Core section 3.1.2.1, `id_token_hint`).
    ///
    /// # Errors
    /// As [`KeySet::verify_jwt`].
    pub fn verify_past_login(&self, compact: Compact<'_>) -> Result<Verified, chancery_jose::Error> {
        self.verify(compact, |_| true)
    }

    fn verify(
        &self,
        compact: Compact<'_>,
        is_accepted: impl Fn(&KeyTimes) -> bool,
    ) -> Result<Verified, chancery_jose::Error> {
        let kid = compact.header().kid.as_deref().ok_or(chancery_jose::Error::MissingMember)?;
        let key = self.keys.iter().find(|key| *key.kid == *kid && is_accepted(&key.entry.times));
        let key = key.ok_or(chancery_jose::Error::KeyNotForAlgorithm)?;
        compact.verify(&key.verifying)
    }

    /// Decrypts what was encrypted for one of our keys: for the one that `kid` names, as long as it counts, or
    /// without `kid` for the newest one that is published and fits.
    ///
    /// The inner error is the sender's: [`KeyNotForAlgorithm`](chancery_jose::Error::KeyNotForAlgorithm) when
    /// there is no such key, or it was retired, or fits another algorithm;
    /// [`Decryption`](chancery_jose::Error::Decryption).
    ///
    /// # Errors
    /// A fault of the holder of the keys.
    pub async fn decrypt(
        &self,
        env: &Env,
        now: Timestamp,
        jwe: CompactJwe<'_>,
    ) -> Result<Result<Decrypted, chancery_jose::Error>, Fault> {
        let header = jwe.header();
        let Some(encrypted) = jwe.encrypted_key() else {
            return Ok(Err(chancery_jose::Error::KeyNotForAlgorithm));
        };
        let is_meant = |key: &&EncryptionKeyEntry| match &header.kid {
            Some(kid) => key.jwk.kid() == Some(kid) && key.times.counts(now),
            None => key.times.is_offered(now) && encrypted.can_be_for(&key.jwk),
        };
        let mut fitting = self.encryption.iter().filter(|key| key.jwk.fits(header.alg));
        let Some(kid) = fitting.find(is_meant).and_then(|key| key.jwk.kid()) else {
            return Ok(Err(chancery_jose::Error::KeyNotForAlgorithm));
        };
        let opened = env.private_keys.decrypt(&env.realm, kid, encrypted).await?;
        Ok(jwe.decrypt_with_opened(opened, &|buffer| env.random.fill(buffer)))
    }

    /// Whether a key is published now for which others can encrypt by this algorithm.
    #[must_use]
    pub fn can_decrypt(&self, alg: KeyManagementAlgorithm, now: Timestamp) -> bool {
        self.encryption.iter().any(|key| key.times.is_offered(now) && key.jwk.fits(alg))
    }

    /// The JWK Set (RFC 7517 section 5): the public part of every published key.
    #[must_use]
    pub fn jwks_json(&self, now: Timestamp) -> String {
        let signing = self.keys.iter().filter(|key| key.entry.times.counts(now));
        let encryption = self.encryption.iter().filter(|key| key.times.is_offered(now));
        let keys = signing.map(|key| key.entry.jwk.to_json()).chain(encryption.map(|key| key.jwk.to_json()));
        format!(r#"{{"keys":[{}]}}"#, keys.collect::<Vec<_>>().join(","))
    }

    /// When a key is next published, starts to sign or is retired. Anything made from this set is outdated
    /// from then on.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let encryption = self.encryption.iter().map(|key| &key.times);
        let times = self.keys.iter().map(|key| &key.entry.times).chain(encryption);
        times.flat_map(KeyTimes::changes).filter(|at| *at > now).min()
    }

    /// The keys derived from the root secret of this version; `None` once that secret has been removed.
    #[must_use]
    pub fn derived(&self, version: u32) -> Option<&DerivedKeys> {
        let mut known = std::iter::once(&self.newest).chain(&self.older);
        known.find(|secret| secret.version == version)
    }

    /// The keys for everything new, derived from the newest root secret.
    #[must_use]
    pub fn newest(&self) -> &DerivedKeys {
        &self.newest
    }

    /// The pairwise subject of an account in a sector (OIDC Core section 8.1). Its key is derived from the
    /// **oldest** root secret, because a subject has to be the same for as long as the account exists.
    pub(crate) fn pairwise_subject(&self, sector: &str, account: &str) -> [u8; 32] {
        self.pairwise.digest([self.realm.as_str(), sector, account].map(str::as_bytes))
    }

    fn signer(&self, alg: SigningAlgorithm, now: Timestamp) -> Option<&Key> {
        self.keys.iter().find(|key| key.entry.times.signs(now) && key.entry.jwk.fits(alg))
    }
}

/// No key of this algorithm signs at the moment: all of them start later or have ended, perhaps because the
/// clock was set back. The condition is temporary, so peers are told to retry.
pub(crate) fn no_signer(alg: SigningAlgorithm) -> Fault {
    Fault::unavailable(format!("no key signs {alg} now; look at the keys' times and at the clock"))
}

impl Key {
    fn new(entry: KeyEntry) -> Result<Self, Fault> {
        let kid: Box<str> =
            entry.jwk.kid().ok_or_else(|| Fault::internal("a signing key has no kid"))?.into();
        if entry.jwk.alg().is_none() {
            return Err(Fault::internal(format!("the signing key {kid} has no alg")));
        }
        let verifying = entry
            .jwk
            .verifying_key()
            .map_err(|error| Fault::internal(format!("the signing key {kid}: {error}")))?;
        let algorithms = SigningAlgorithm::ALL.into_iter().filter(|alg| entry.jwk.fits(*alg));
        let headers = algorithms
            .flat_map(|alg| TYPES.map(|typ| (alg, typ, EncodedHeader::new(alg, Some(&kid), typ))))
            .collect();
        Ok(Self { kid, entry, verifying, headers })
    }
}

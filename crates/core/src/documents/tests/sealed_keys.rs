//! Sealed keys: what is under the seal, and many who change the set at once.

use std::sync::Barrier;
use std::sync::atomic::AtomicBool;

use chancery_jose::{
    CompactJwe, ContentEncryptionAlgorithm, EncryptionKeyType, JweWriter, KeyManagementAlgorithm, PublicJwk,
    Recipient,
};

use super::*;
use crate::documents::{Openable, Rotated, RotatedEncryption};
use crate::ports::{EncryptionKeyEntry, KeyEntry};

const ES256: SigningAlgorithm = SigningAlgorithm::Es256;
const ES384: SigningAlgorithm = SigningAlgorithm::Es384;
const T0: Timestamp = Timestamp::from_secs(1_000);
const HOUR: Duration = Duration::from_secs(3_600);

fn sealed(store: Arc<dyn DocumentStore>, wrapped_by: u8) -> SealedKeys {
    SealedKeys::new(Documents::new(store), &wrapping(wrapped_by), Arc::new(SystemRandom)).unwrap()
}

fn entries(keys: &SealedKeys) -> Vec<KeyEntry> {
    now(keys.list(&realm("one"))).unwrap()
}

fn kids(keys: &SealedKeys) -> Vec<String> {
    entries(keys).iter().filter_map(|entry| entry.jwk.kid().map(str::to_owned)).collect()
}

/// JOSE-01, JOSE-02: keys live sealed, and open only with the wrapping key, in their realm, under their name.
#[test]
fn keys_are_sealed() {
    let store = Arc::new(MemoryStore::new());
    let (one, keys) = (realm("one"), sealed(store.clone(), 1));
    now(keys.begin(&one, &[ES256, ES384], T0)).unwrap();
    assert_eq!(now(keys.add_secret(&one)).unwrap(), 2);
    let versions: Vec<u32> = now(keys.secrets(&one)).unwrap().iter().map(|secret| secret.version).collect();
    assert_eq!(versions, [2, 1]);

    let restarted = sealed(store.clone(), 1);
    let kid = kids(&keys)[0].clone();
    assert_eq!(now(restarted.sign(&one, &kid, b"x")).unwrap().len(), 64);
    assert_eq!(kids(&restarted), kids(&keys));
    assert!(now(keys.sign(&one, "unknown", b"x")).is_err());
    let stored = now(DocumentStore::get(&*store, &one, DocumentKind::SEALED_KEYS, "keys")).unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&stored.body).contains("\"d\""));
    let other = sealed(store.clone(), 2);
    assert!(now(other.list(&one)).is_err_and(|why| why.to_string().contains("another wrapping key")));
    let why = now(other.secrets(&one)).err().unwrap().to_string();
    assert!(why.contains("the root secret of version ") && !why.contains("root-"), "{why}");

    now(store.put(&realm("two"), DocumentKind::SEALED_KEYS, None, stored.clone())).unwrap();
    assert!(now(sealed(store.clone(), 1).sign(&realm("two"), &kid, b"x")).is_err(), "another realm");
    let renamed = String::from_utf8(stored.body.to_vec()).unwrap().replace(&kid, "other");
    let renamed = Document { body: renamed.into_bytes().into(), ..stored };
    now(store.put(&one, DocumentKind::SEALED_KEYS, Some(renamed.revision), renamed.clone())).unwrap();
    assert!(now(sealed(store, 1).sign(&one, "other", b"x")).is_err(), "another name");
}

/// A body of version 1, as it was written once. From now on every program reads it.
#[test]
fn a_body_of_version_1_is_read() {
    let store = Arc::new(MemoryStore::new());
    let body = [&[1], include_str!("sealed_keys.v1.json").trim_end().as_bytes()].concat();
    let document =
        Document { id: "keys".into(), aliases: Vec::new(), body: body.into(), revision: Revision::NONE };
    now(store.put(&realm("one"), DocumentKind::SEALED_KEYS, None, document)).unwrap();
    let keys = sealed(store, 7);
    let times: Vec<_> = entries(&keys).iter().map(|entry| entry.times).collect();
    assert_eq!(times[0].end, Some(KeyEnd::new(secs(5_000), HOUR)));
    assert_eq!((times[1].publish_at, times[1].sign_from, times[1].end), (secs(1_000), secs(5_000), None));
    assert_eq!(now(keys.secrets(&realm("one"))).unwrap().len(), 1);
    assert!(entries(&keys).iter().all(|entry| PublicJwk::fits(&entry.jwk, ES256)));
}

#[test]
fn a_realm_begins_once() {
    let (one, keys) = (realm("one"), sealed(Arc::new(MemoryStore::new()), 1));
    now(keys.begin(&one, &[ES256], T0)).unwrap();
    let first = (kids(&keys), keys.generation(&one));
    now(keys.begin(&one, &[ES256], T0)).unwrap();
    assert_eq!((kids(&keys), keys.generation(&one)), first, "nothing was written");
    now(keys.begin(&one, &[ES256, ES384], T0)).unwrap();
    assert_eq!(kids(&keys).len(), 2);
    assert!(
        entries(&keys).iter().all(|entry| entry.times.signs(secs(0))),
        "also for a clock that is set back"
    );
    assert!(now(keys.begin(&one, &[SigningAlgorithm::Hs256], T0)).is_err());
}

#[test]
fn keys_are_rotated_removed_and_forgotten() {
    let (one, keys) = (realm("one"), sealed(Arc::new(MemoryStore::new()), 1));
    now(keys.begin(&one, &[ES384, ES256], T0)).unwrap();
    let [other, old] = kids(&keys).try_into().unwrap();
    let rotate = |at, sign_from| now(keys.rotate(&one, &[ES256], secs(at), secs(sign_from), HOUR)).unwrap();
    let new = rotate(100, 700);
    let [Rotated { alg: ES256, kid, sign_from }] = &*new else { panic!("{new:?}") };
    assert_eq!((*sign_from, kids(&keys)), (secs(700), vec![other.clone(), old.clone(), kid.to_string()]));
    assert_eq!(rotate(200, 800), new, "it is under way");
    let end = |kid: &str| {
        entries(&keys).iter().find(|entry| entry.jwk.kid() == Some(kid)).map(|entry| entry.times.end)
    };
    assert_eq!((end(&other), end(&old)), (Some(None), Some(Some(KeyEnd::new(secs(700), HOUR)))));

    assert_eq!(now(keys.forget(&one, secs(4_300))).unwrap(), 0);
    assert_eq!(now(keys.forget(&one, secs(4_301))).unwrap(), 1);
    assert_eq!(end(&old), None);
    now(keys.remove(&one, &other)).unwrap();
    assert!(now(keys.remove(&one, &other)).is_err());
    assert_eq!(kids(&keys), [kid.to_string()]);
}

fn encryption(keys: &SealedKeys) -> Vec<EncryptionKeyEntry> {
    now(keys.encryption_keys(&realm("one"))).unwrap()
}

/// What the key of this name makes of something that was encrypted for it.
fn opens(keys: &SealedKeys, key: &EncryptionKeyEntry, alg: KeyManagementAlgorithm) -> bool {
    let writer = JweWriter::new(alg, ContentEncryptionAlgorithm::A256Gcm);
    let random = |buffer: &mut [u8]| SystemRandom.fill(buffer);
    let jwe = writer.encrypt(Recipient::Public(&key.jwk), b"secret", &random).unwrap();
    let jwe = CompactJwe::parse(&jwe).unwrap();
    let opened = now(keys.decrypt(&realm("one"), key.jwk.kid().unwrap(), jwe.encrypted_key().unwrap()));
    jwe.decrypt_with_opened(opened.unwrap(), &random).is_ok()
}

/// JOSE-01: keys that decrypt live under the same seal, and open what was encrypted for their public halves.
#[test]
fn keys_for_encryption_are_sealed() {
    let store = Arc::new(MemoryStore::new());
    let (one, keys) = (realm("one"), sealed(store.clone(), 1));
    assert!(encryption(&keys).is_empty(), "only while somebody may encrypt");
    let types = [EncryptionKeyType::Rsa, EncryptionKeyType::P256];
    now(keys.begin_encryption(&one, &types, T0)).unwrap();
    let generation = keys.generation(&one);
    now(keys.begin_encryption(&one, &types, T0)).unwrap();
    assert_eq!(keys.generation(&one), generation, "nothing was written");
    assert!(entries(&keys).is_empty(), "they sign nothing");

    let restarted = sealed(store.clone(), 1);
    for keys in [&keys, &restarted] {
        let [rsa, p256] = encryption(keys).try_into().unwrap();
        assert_eq!([rsa.jwk.key_type(), p256.jwk.key_type()], types);
        assert!(opens(keys, &rsa, KeyManagementAlgorithm::RsaOaep256));
        assert!(opens(keys, &p256, KeyManagementAlgorithm::EcdhEsA128Kw));
        // A key that belongs to something else opens nothing, and an unknown one is a fault.
        let jwe = JweWriter::new(KeyManagementAlgorithm::EcdhEs, ContentEncryptionAlgorithm::A256Gcm);
        let jwe = jwe.encrypt(Recipient::Public(&p256.jwk), b"", &|buffer| buffer.fill(1)).unwrap();
        let encrypted = CompactJwe::parse(&jwe).unwrap();
        let encrypted = encrypted.encrypted_key().unwrap();
        assert!(now(keys.decrypt(&one, rsa.jwk.kid().unwrap(), encrypted)).unwrap().is_none());
        assert!(now(keys.decrypt(&one, "unknown", encrypted)).is_err());
        assert!(now(keys.sign(&one, rsa.jwk.kid().unwrap(), b"x")).is_err());
    }
    let stored = now(DocumentStore::get(&*store, &one, DocumentKind::SEALED_KEYS, "keys")).unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&stored.body).contains("\"d\""));
    assert!(now(sealed(store, 2).encryption_keys(&one)).is_err(), "another wrapping key");
}

/// A rotation publishes the new key at once; the old one stays published until then, and decrypts for longer.
#[test]
fn keys_for_encryption_are_rotated_removed_and_forgotten() {
    let (one, keys) = (realm("one"), sealed(Arc::new(MemoryStore::new()), 1));
    let p256 = [EncryptionKeyType::P256];
    now(keys.begin_encryption(&one, &[EncryptionKeyType::P256, EncryptionKeyType::X25519], T0)).unwrap();
    let rotate = |at, alone| now(keys.rotate_encryption(&one, &p256, secs(at), secs(alone), HOUR)).unwrap();
    let new = rotate(100, 700);
    let [RotatedEncryption { kid, alone_from, .. }] = &*new else { panic!("{new:?}") };
    assert_eq!(*alone_from, secs(700));
    assert_eq!(rotate(200, 800), new, "it is under way");

    let [old, other, young] = encryption(&keys).try_into().unwrap();
    assert_eq!(young.jwk.kid(), Some(&**kid));
    for (at, offered, counting) in [
        (99, [true, true, false], [true, true, false]),
        (100, [true; 3], [true; 3]),
        (699, [true; 3], [true; 3]),
        (700, [false, true, true], [true; 3]),
        (4_299, [false, true, true], [true; 3]),
        (4_300, [false, true, true], [false, true, true]),
    ] {
        let keys = [&old, &other, &young];
        assert_eq!(keys.map(|key| key.times.is_offered(secs(at))), offered, "{at}");
        assert_eq!(keys.map(|key| key.times.counts(secs(at))), counting, "{at}");
    }
    assert_eq!(now(keys.forget(&one, secs(4_301))).unwrap(), 1);
    now(keys.remove(&one, other.jwk.kid().unwrap())).unwrap();
    let left: Vec<_> = encryption(&keys).iter().map(|key| key.jwk.kid().unwrap().to_owned()).collect();
    assert_eq!(left, [kid.to_string()]);
}

/// FR-06 through the whole set: after rotations in any order, what signs at a time also counts for the
/// longest token.
#[test]
fn whatever_the_order_of_rotations_nothing_outlives_its_key() {
    for delays in
        [[0, 0, 0], [7_200, 0, 600], [0, 7_200, 600], [600, 7_200, 0], [7_200, 3_600, 1], [1, 0, 86_400]]
    {
        let one = realm("one");
        let keys = Arc::new(sealed(Arc::new(MemoryStore::new()), 1));
        now(keys.begin(&one, &[ES256], T0)).unwrap();
        let mut superseded: Vec<String> = Vec::new();
        for (at, delay) in (1_000..).step_by(30).zip(delays) {
            let pending = entries(&keys);
            let pending = pending.iter().filter(|entry| entry.times.sign_from > secs(at));
            let pending: Vec<String> =
                pending.filter_map(|entry| entry.jwk.kid().map(str::to_owned)).collect();
            let rotated = now(keys.rotate(&one, &[ES256], secs(at), secs(at + delay), HOUR)).unwrap();
            superseded.extend(
                pending.into_iter().filter(|kid| rotated.iter().all(|rotated| *rotated.kid != **kid)),
            );
        }
        let env =
            Env { private_keys: keys.clone(), ..env(Arc::new(MemoryKeys::generate(&[ES256]).unwrap())) };
        let set = now(KeySet::load(&*env.private_keys, &env.realm)).unwrap();
        for at in (1_060..100_000).step_by(311) {
            let token = now(set.sign_jwt(&env, secs(at), ES256, None, b"{}")).unwrap();
            let compact = || Compact::parse(&token).unwrap();
            let kid = compact().header().kid.clone().unwrap();
            assert!(!superseded.contains(&kid), "{delays:?}: a superseded key signs at {at}");
            assert!(set.verify_jwt(secs(at + 3_599), compact()).is_ok(), "{delays:?}: signed at {at}");
            assert!(set.verify_past_login(compact()).is_ok());
        }
    }
}

/// Between its look and its write, somebody else makes the same change.
struct Interfering {
    store: Arc<MemoryStore>,
    has_interfered: AtomicBool,
    change: fn(&SealedKeys),
}

impl DocumentStore for Interfering {
    fn get<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
    ) -> chancery_store::StoreFuture<'a, Option<Document>> {
        DocumentStore::get(&*self.store, realm, kind, id)
    }

    fn find<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        alias: &'a str,
    ) -> chancery_store::StoreFuture<'a, Option<Document>> {
        self.store.find(realm, kind, alias)
    }

    fn put<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        seen: Option<Revision>,
        document: Document,
    ) -> chancery_store::StoreFuture<'a, Put> {
        if !self.has_interfered.swap(true, Ordering::Relaxed) {
            (self.change)(&sealed(self.store.clone(), 1));
        }
        self.store.put(realm, kind, seen, document)
    }

    fn put_new<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        documents: Vec<Document>,
    ) -> chancery_store::StoreFuture<'a, Put> {
        self.store.put_new(realm, kind, documents)
    }

    fn remove<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        id: &'a str,
        seen: Revision,
    ) -> chancery_store::StoreFuture<'a, Put> {
        DocumentStore::remove(&*self.store, realm, kind, id, seen)
    }

    fn list<'a>(
        &'a self,
        realm: &'a RealmId,
        kind: DocumentKind,
        after: Option<&'a str>,
        limit: usize,
    ) -> chancery_store::StoreFuture<'a, Vec<Document>> {
        DocumentStore::list(&*self.store, realm, kind, after, limit)
    }

    fn changes(&self, since: Revision) -> chancery_store::StoreFuture<'_, chancery_store::Changes> {
        self.store.changes(since)
    }
}

/// Each change, when another one is made between its look and its write: as if one came after the other.
#[test]
fn two_changes_at_one_moment_are_two_changes() {
    let rotate = |keys: &SealedKeys| {
        drop(now(keys.rotate(&realm("one"), &[ES256], secs(10), secs(700), HOUR)).unwrap())
    };
    let begin = |keys: &SealedKeys| now(keys.begin(&realm("one"), &[ES256], T0)).unwrap();
    let add_secret = |keys: &SealedKeys| assert!(now(keys.add_secret(&realm("one"))).is_ok());
    type Change = fn(&SealedKeys);
    let table: [(&str, bool, Change, Change, usize, usize); 5] = [
        ("two rotations", true, rotate, rotate, 2, 1),
        ("two beginnings", false, begin, begin, 1, 1),
        ("a rotation and a root secret", true, rotate, add_secret, 2, 2),
        ("two root secrets", true, add_secret, add_secret, 1, 3),
        ("a beginning and a rotation", false, begin, rotate, 1, 1),
    ];
    for (what, is_begun, mine, theirs, keys_then, secrets_then) in table {
        let store = Arc::new(MemoryStore::new());
        if is_begun {
            begin(&sealed(store.clone(), 1));
        }
        let interfering =
            Interfering { store: store.clone(), has_interfered: AtomicBool::new(false), change: theirs };
        mine(&sealed(Arc::new(interfering), 1));
        let keys = sealed(store, 1);
        let open = entries(&keys).iter().filter(|entry| entry.times.end.is_none()).count();
        let secrets = now(keys.secrets(&realm("one"))).unwrap().len();
        assert_eq!((entries(&keys).len(), open, secrets), (keys_then, 1, secrets_then), "{what}");
    }
}

#[test]
fn many_rotations_at_one_moment_leave_one_key_that_goes_on() {
    let store = Arc::new(MemoryStore::new());
    let one = realm("one");
    now(sealed(store.clone(), 1).begin(&one, &[ES256], T0)).unwrap();
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for n in 0..8 {
            let (store, start, one) = (store.clone(), &start, &one);
            scope.spawn(move || {
                let keys = sealed(store, 1);
                start.wait();
                now(keys.rotate(one, &[ES256], secs(100), secs(700 - n), HOUR)).unwrap();
            });
        }
    });
    let keys = sealed(store, 1);
    let open: Vec<_> = entries(&keys).into_iter().filter(|entry| entry.times.end.is_none()).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].times.sign_from, secs(693), "the earliest");
}

/// Writes the golden body: `cargo test -p chancery-core --lib golden -- --ignored --nocapture`.
#[test]
#[ignore = "makes a new golden body, for a new version"]
fn golden_body() {
    let store = Arc::new(MemoryStore::new());
    let (one, keys) = (realm("one"), sealed(store.clone(), 7));
    now(keys.begin(&one, &[ES256], T0)).unwrap();
    now(keys.rotate(&one, &[ES256], secs(1_000), secs(5_000), HOUR)).unwrap();
    let stored = now(DocumentStore::get(&*store, &one, DocumentKind::SEALED_KEYS, "keys")).unwrap().unwrap();
    println!("{}", String::from_utf8_lossy(&stored.body[1..]));
}

/// What takes the place of keys whose wrapping key is lost has none of their versions, and is written over them or not at all.
#[test]
fn lost_keys_have_successors() {
    use SigningAlgorithm::{Ed25519, EdDsa, Hs256};

    let (store, one) = (Arc::new(MemoryStore::new()), realm("one"));
    let (lost, new) = (sealed(store.clone(), 1), sealed(store.clone(), 2));
    assert!(now(new.successors(&one, &[ES256], &[], T0)).is_err(), "there is nothing to replace");
    assert_eq!(now(new.openable(&one)).unwrap(), Openable { sealed: 0, opened: 0 });
    now(lost.begin(&one, &[ES384], T0)).unwrap();
    now(lost.begin_encryption(&one, &[EncryptionKeyType::Rsa], T0)).unwrap();
    now(lost.add_secret(&one)).unwrap();
    assert_eq!(now(lost.openable(&one)).unwrap(), Openable { sealed: 4, opened: 4 });
    assert_eq!(now(new.openable(&one)).unwrap(), Openable { sealed: 4, opened: 0 });
    assert!(now(new.successors(&one, &[Hs256], &[], T0)).is_err(), "its key is the secret of a client");

    let wanted = [ES256, EdDsa, Ed25519];
    let set = now(new.successors(&one, &wanted, &[EncryptionKeyType::P256], T0)).unwrap();
    assert_eq!(now(new.openable(&one)).unwrap().opened, 0, "nothing was stored");
    let seen = Some(set.revision);
    assert!(matches!(
        now(DocumentStore::put(&*store, &one, DocumentKind::SEALED_KEYS, seen, set)).unwrap(),
        Put::Done(_)
    ));
    assert_eq!(now(new.openable(&one)).unwrap(), Openable { sealed: 4, opened: 4 });
    let algorithms: Vec<_> = entries(&new).iter().filter_map(|entry| entry.jwk.alg()).collect();
    assert_eq!(algorithms, [ES256, EdDsa], "which is the key of both names");
    assert!(entries(&new).iter().all(|entry| entry.times.signs(T0)));
    assert_eq!(encryption(&new)[0].jwk.key_type(), EncryptionKeyType::P256);
    let versions: Vec<u32> = now(new.secrets(&one)).unwrap().iter().map(|secret| secret.version).collect();
    assert_eq!(versions, [3]);
    assert!(now(sealed(store, 1).list(&one)).is_err());
}

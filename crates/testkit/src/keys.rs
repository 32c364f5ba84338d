//! The provider's own keys, as a test has them in hand.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chancery_core::documents::MemoryKeys;
use chancery_core::error::Fault;
use chancery_core::ports::{EncryptionKeyEntry, KeyEntry, PortFuture, PrivateKeys, RootSecretEntry, Watcher};
use chancery_jose::EncryptedKey;
use chancery_types::{RealmId, Timestamp};
use zeroize::Zeroizing;

use crate::interleaved::let_others_go_on;

/// A key service that answers from [`MemoryKeys`], after every other task had its turn, until a test silences
/// it.
///
/// It has a [`Watcher`], as a service elsewhere would: a change of its keys shows within a second.
pub struct TestKeys {
    keys: Arc<MemoryKeys>,
    service: Arc<Service>,
    decryptions: AtomicUsize,
}

/// The way to the keys, which all questions take.
#[derive(Default)]
struct Service {
    is_silent: AtomicBool,
    hangs: AtomicBool,
}

impl TestKeys {
    pub(crate) fn new(keys: Arc<MemoryKeys>) -> Self {
        Self { keys, service: Arc::default(), decryptions: AtomicUsize::default() }
    }

    /// From now on every question meets a fault.
    pub fn fall_silent(&self) {
        self.service.is_silent.store(true, Ordering::SeqCst);
    }

    /// From now on no question is answered, not even by a fault.
    pub fn hang(&self) {
        self.service.hangs.store(true, Ordering::SeqCst);
    }

    /// How often a private key was to decrypt something since this was asked last.
    pub fn decryptions(&self) -> usize {
        self.decryptions.swap(0, Ordering::SeqCst)
    }

    /// From now on every question is answered again.
    pub fn answer_again(&self) {
        self.service.is_silent.store(false, Ordering::SeqCst);
        self.service.hangs.store(false, Ordering::SeqCst);
    }
}

impl Service {
    fn answer<'a, T: Send + 'a>(
        &'a self,
        answer: impl FnOnce() -> PortFuture<'a, T> + Send + 'a,
    ) -> PortFuture<'a, T> {
        Box::pin(async move {
            let_others_go_on().await;
            if self.hangs.load(Ordering::SeqCst) {
                return pending().await;
            }
            if self.is_silent.load(Ordering::SeqCst) {
                return Err(Fault::unavailable("the keys were told to be silent"));
            }
            answer().await
        })
    }
}

impl Watcher for Service {
    fn look(&self, now: Timestamp) -> PortFuture<'_, Timestamp> {
        self.answer(move || Box::pin(async move { Ok(now) }))
    }
}

impl PrivateKeys for TestKeys {
    fn list<'a>(&'a self, realm: &'a RealmId) -> PortFuture<'a, Vec<KeyEntry>> {
        self.service.answer(|| self.keys.list(realm))
    }

    fn sign<'a>(&'a self, realm: &'a RealmId, kid: &'a str, input: &'a [u8]) -> PortFuture<'a, Vec<u8>> {
        self.service.answer(move || self.keys.sign(realm, kid, input))
    }

    fn encryption_keys<'a>(&'a self, realm: &'a RealmId) -> PortFuture<'a, Vec<EncryptionKeyEntry>> {
        self.service.answer(|| self.keys.encryption_keys(realm))
    }

    fn decrypt<'a>(
        &'a self,
        realm: &'a RealmId,
        kid: &'a str,
        encrypted: EncryptedKey<'a>,
    ) -> PortFuture<'a, Option<Zeroizing<Vec<u8>>>> {
        self.decryptions.fetch_add(1, Ordering::SeqCst);
        self.service.answer(move || self.keys.decrypt(realm, kid, encrypted))
    }

    fn secrets<'a>(&'a self, realm: &'a RealmId) -> PortFuture<'a, Vec<RootSecretEntry>> {
        self.service.answer(|| self.keys.secrets(realm))
    }

    fn generation(&self, realm: &RealmId) -> u64 {
        self.keys.generation(realm)
    }

    fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        Some(Arc::clone(&self.service) as Arc<dyn Watcher>)
    }
}

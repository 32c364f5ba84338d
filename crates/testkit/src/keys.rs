//! The provider's own keys, as a test has them in hand.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chancery_core::documents::MemoryKeys;
use chancery_core::error::Fault;
use chancery_core::ports::{DynWatcher, EncryptionKeyEntry, KeyEntry, PrivateKeys, RootSecretEntry, Watcher};
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
    /// Ready when it answers at all.
    async fn answers(&self) -> Result<(), Fault> {
        let_others_go_on().await;
        if self.hangs.load(Ordering::SeqCst) {
            return pending().await;
        }
        if self.is_silent.load(Ordering::SeqCst) {
            return Err(Fault::unavailable("the keys were told to be silent"));
        }
        Ok(())
    }
}

impl Watcher for Service {
    async fn look(&self, now: Timestamp) -> Result<Timestamp, Fault> {
        self.answers().await?;
        Ok(now)
    }
}

impl PrivateKeys for TestKeys {
    async fn list(&self, realm: &RealmId) -> Result<Vec<KeyEntry>, Fault> {
        self.service.answers().await?;
        self.keys.list(realm).await
    }

    async fn sign(&self, realm: &RealmId, kid: &str, input: &[u8]) -> Result<Vec<u8>, Fault> {
        self.service.answers().await?;
        self.keys.sign(realm, kid, input).await
    }

    async fn encryption_keys(&self, realm: &RealmId) -> Result<Vec<EncryptionKeyEntry>, Fault> {
        self.service.answers().await?;
        self.keys.encryption_keys(realm).await
    }

    async fn decrypt(
        &self,
        realm: &RealmId,
        kid: &str,
        encrypted: EncryptedKey<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Fault> {
        self.decryptions.fetch_add(1, Ordering::SeqCst);
        self.service.answers().await?;
        self.keys.decrypt(realm, kid, encrypted).await
    }

    async fn secrets(&self, realm: &RealmId) -> Result<Vec<RootSecretEntry>, Fault> {
        self.service.answers().await?;
        self.keys.secrets(realm).await
    }

    fn generation(&self, realm: &RealmId) -> u64 {
        self.keys.generation(realm)
    }

    fn watcher(&self) -> Option<Arc<dyn DynWatcher>> {
        Some(Arc::clone(&self.service) as Arc<dyn DynWatcher>)
    }
}

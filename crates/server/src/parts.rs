//! Opens what the provider needs, by the settings.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Waker;

use chancery_accounts::{PasswordPool, PasswordRules, StoredAccounts};
use chancery_core::documents::{Documents, SealedKeys, StoredRegistry};
use chancery_core::error::{Complaint, Fault, FaultKind};
use chancery_core::fetch::DynFetch;
use chancery_core::ports::{Clock as _, EventSink, PrivateKeys as _, Random, SystemClock};
use chancery_core::provider::{Builder, Parts, Provider, resource_servers};
use chancery_jose::{EncryptionKeyType, RootSecret, SigningAlgorithm, SystemRandom};
use chancery_store::{BackendError, DocumentKind, DocumentStore, StateStore, StoreError};
use chancery_store_memory::MemoryStore;
use chancery_store_sqlite::{Hindrance, SqliteStore};
use chancery_types::RealmId;
use chancery_x509::Authorities;
use zeroize::Zeroizing;

use crate::access::folder_of;
use crate::kept::replacing;
use crate::metrics::StoreTimes;
use crate::secrets::WITHOUT_COPY;
use crate::settings::{Settings, Store};
use crate::{access, detail_types, secrets, text_file};

/// The algorithms that practically every client and resource server supports; PS256 and ES256 are permitted by every
/// profile.
pub(crate) const FIRST_KEYS: [SigningAlgorithm; 3] =
    [SigningAlgorithm::Rs256, SigningAlgorithm::Ps256, SigningAlgorithm::Es256];

/// The types of the keys for encryption: one for the algorithms of RSA, and the curve that every client knows for the
/// others.
const ENCRYPTION_KEYS: [EncryptionKeyType; 2] = [EncryptionKeyType::Rsa, EncryptionKeyType::P256];

/// The built-in ports over one store.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) documents: Arc<Documents>,
    /// The file behind both, if there is one, and how long its work takes.
    pub(crate) file: Option<Arc<SqliteStore>>,
    pub(crate) times: StoreTimes,
    pub(crate) registry: Arc<StoredRegistry>,
    pub(crate) accounts: Arc<StoredAccounts>,
    pub(crate) keys: Arc<SealedKeys>,
}

/// Opens an existing store.
pub(crate) fn open_existing(settings: &Settings) -> Result<Opened, String> {
    check_existing(settings)?;
    open(settings)
}

/// Checks that there is a store, so that a wrong path does not create an empty one without keys.
pub(crate) fn check_existing(settings: &Settings) -> Result<(), String> {
    match &settings.store {
        Store::Sqlite { path, .. } if !path.exists() => Err(missing(path)),
        Store::Sqlite { path, .. } => check_kind(path),
        Store::Memory => Ok(()),
    }
}

/// Checks that the file was made by SQLite, which would make a store of one that is empty or has but a few bytes, whatever
/// it was.
pub(crate) fn check_kind(path: &Path) -> Result<(), String> {
    const BEGINNING: &[u8] = b"SQLite format 3\0";
    let mut begun = Vec::new();
    let read = File::open(path).and_then(|file| file.take(BEGINNING.len() as u64).read_to_end(&mut begun));
    match read {
        // Why it cannot be read is said where it is opened.
        Err(_) => Ok(()),
        Ok(_) if begun == BEGINNING => Ok(()),
        Ok(0) => Err(empty(path)),
        Ok(_) => Err(format!(
            "store.sqlite: {} is no SQLite file: correct the path; if the file is damaged, `chancery restore FILE --replace` puts \
             a backup in its place and keeps it beside",
            path.display()
        )),
    }
}

/// What is said of a store without anything in it.
fn empty(path: &Path) -> String {
    format!(
        "store.sqlite: {} is an empty store, without keys: put a backup in its place with \
         {}, or move it away and begin anew with `chancery init --new-store`",
        path.display(),
        replacing(path)
    )
}

/// What is said of a store that is not at its path.
pub(crate) fn missing(path: &Path) -> String {
    format!(
        "store.sqlite: {} does not exist: correct the path; or, if the file is lost, put a backup in its place with \
         {}, or begin anew without one with `chancery init --new-store`",
        path.display(),
        replacing(path)
    )
}

/// What is said of a store with this fault. Only one that is damaged is worth a backup, which costs all logins.
pub(crate) fn hindered(path: &Path, fault: &BackendError) -> String {
    let (shown, folder) = (path.display(), folder_of(path));
    match Hindrance::of(fault) {
        Some(Hindrance::Full) => format!("{shown}: {}", access::full_disk(&folder)),
        Some(Hindrance::Forbidden) => access::unopened_store(path),
        Some(Hindrance::Locked) => locked(path),
        Some(Hindrance::Failing) => format!(
            "{shown}: {fault}: look whether the disk of the folder {} is full (`df`) or fails (`dmesg`)",
            folder.display()
        ),
        // Of damage, the store itself says what to do.
        Some(Hindrance::Damaged) | None => {
            let (said, name) = (fault.to_string(), format!("{shown}: "));
            format!("{name}{}", said.strip_prefix(&name).unwrap_or(&said))
        }
    }
}

/// The same of a step that has failed.
pub(crate) fn hindered_step(path: &Path, fault: &StoreError) -> String {
    match fault {
        StoreError::Backend(fault) => hindered(path, fault),
        StoreError::Busy => locked(path),
        other => format!("{}: {other}", path.display()),
    }
}

fn locked(path: &Path) -> String {
    format!("{} is locked: another process holds the write lock; {}", path.display(), whose_lock(path))
}

/// What is said of a store of which a step takes so long that nobody knows why yet. A lock is waited for for longer.
pub(crate) fn silent(path: &Path) -> String {
    format!(
        "{} does not answer in time: either another process holds the write lock; {}; or the disk is slow (`iostat -x 1`, `dmesg`)",
        path.display(),
        whose_lock(path)
    )
}

fn whose_lock(path: &Path) -> String {
    // Whoever reads this may be in another folder.
    let file = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let shown = file.display();
    format!("`fuser {shown}` or `lsof {shown}` names it: wait until it has ended, or end it")
}

/// Everything that keeps the store from being opened, at once.
pub(crate) fn unreadable(settings: &Settings) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Store::Sqlite { path, wrapping_key, group_access } = &settings.store {
        wrong.extend(secrets::wrapping_key(wrapping_key).err());
        if path.exists() {
            // Of another file than a store, the mode does not matter.
            let access =
                || access::check_store(path, *group_access).map_err(|why| format!("store.sqlite: {why}"));
            wrong.extend(check_kind(path).and_then(|()| access()).err());
        } else {
            wrong.extend(open_existing(settings).err());
        }
    }
    wrong.extend(password_rules(settings.passwords.blocklist.as_deref()).err());
    wrong.into_iter().map(|line| settings.values.explain_line(line)).collect()
}

/// Opens the store, and creates its file if that does not exist.
pub(crate) fn open(settings: &Settings) -> Result<Opened, String> {
    match &settings.store {
        Store::Memory => {
            let mut key = Zeroizing::new([0; 32]);
            Random::fill(&SystemRandom, &mut *key);
            open_with(settings, &RootSecret::new(key))
        }
        Store::Sqlite { wrapping_key, .. } => {
            // The key comes first, because no store is made without it.
            let wrapping = secrets::wrapping_key(wrapping_key);
            open_with(settings, &wrapping.map_err(|line| settings.values.explain_line(line))?)
        }
    }
}

/// The same with a wrapping key that need not be in its file.
pub(crate) fn open_with(settings: &Settings, wrapping: &RootSecret) -> Result<Opened, String> {
    let (random, times) = (Arc::new(SystemRandom), StoreTimes::default());
    let (store, documents, file) = match &settings.store {
        Store::Memory => {
            let store = Arc::new(MemoryStore::new());
            let (states, documents): (Arc<dyn StateStore>, Arc<dyn DocumentStore>) = (store.clone(), store);
            (states, documents, None)
        }
        Store::Sqlite { path, group_access, .. } => {
            let about = |what: &dyn std::fmt::Display| format!("store.sqlite: {what}");
            access::check_store(path, *group_access).map_err(|what| about(&what))?;
            let store = SqliteStore::open_watched(path, Arc::new(times.clone()))
                .map_err(|fault| about(&hindered(path, &fault)))?;
            let store = Arc::new(store);
            (store.clone() as _, store.clone() as _, Some(store))
        }
    };
    let documents = Documents::new(documents);
    let broken = |fault: Fault| fault.to_string();
    let pool = PasswordPool::start(settings.passwords.threads, settings.passwords.queue).map_err(broken)?;
    let rules = password_rules(settings.passwords.blocklist.as_deref());
    let rules = rules.map_err(|line| settings.values.explain_line(line))?;
    let keys = SealedKeys::new(documents.clone(), wrapping, random.clone()).map_err(broken)?;
    Ok(Opened {
        accounts: Arc::new(StoredAccounts::new(documents.clone(), pool, random).with_rules(rules)),
        registry: Arc::new(StoredRegistry::new(documents.clone())),
        keys: Arc::new(keys),
        store,
        documents,
        file,
        times,
    })
}

/// The rules with the list that the settings name, or with the built-in one.
pub(crate) fn password_rules(blocklist: Option<&Path>) -> Result<PasswordRules, String> {
    let Some(path) = blocklist else { return Ok(PasswordRules::default()) };
    let about = |what: &dyn std::fmt::Display| format!("passwords.blocklist: {}: {what}", path.display());
    let list = text_file::read(path).map_err(|error| about(&error))?;
    if list.trim().is_empty() {
        return Err(about(
            &"has no passwords, and takes the place of the built-in list: write one password per line, or leave the setting out",
        ));
    }
    Ok(PasswordRules::refusing(&list))
}

/// The types of the keys that the algorithms of `request_objects.encryption_algorithms` need.
pub(crate) fn encryption_types(settings: &Settings) -> Vec<EncryptionKeyType> {
    let wanted = &settings.engine.request_objects.encryption_algorithms;
    let is_needed = |key_type: &EncryptionKeyType| key_type.algorithms().any(|alg| wanted.contains(&alg));
    ENCRYPTION_KEYS.into_iter().filter(is_needed).collect()
}

/// Reads the files of the authorities that vouch for clients.
pub(crate) fn client_authorities(files: &[PathBuf]) -> Result<Authorities, Vec<Complaint>> {
    let mut authorities = Authorities::default();
    for file in files {
        let about = |what: &dyn std::fmt::Display| {
            let rule = format!("{}: {what}", file.display());
            vec![Complaint::new("tls.client_authorities", rule, "RFC 8705 section 2.1")]
        };
        let pem = std::fs::read(file).map_err(|error| about(&error))?;
        authorities = authorities.and(&pem).map_err(|error| about(&error))?;
    }
    Ok(authorities)
}

impl Opened {
    /// Builds the provider with these settings, this sink, this way to other servers, and whoever is woken when
    /// there is something to send.
    pub(crate) async fn provider(
        &self,
        settings: &Settings,
        (events, fetch, worker): (Arc<dyn EventSink>, Arc<dyn DynFetch>, Waker),
        locales: &[&str],
    ) -> Result<Arc<Provider>, Vec<Complaint>> {
        // It has a registry of its own, because the resource servers come from the settings.
        let registry = StoredRegistry::new(self.documents.clone());
        let parts = Parts {
            realm: settings.realm.clone(),
            issuer: settings.issuer.clone(),
            store: self.store.clone(),
            registry: Arc::new(registry.with_resource_servers(settings.resource_servers.iter().cloned())),
            accounts: self.accounts.clone(),
            keys: self.keys.clone(),
        };
        let explained = |complaints: Vec<Complaint>| -> Vec<Complaint> {
            complaints.into_iter().map(|complaint| settings.values.explain(complaint)).collect()
        };
        let detail_types = detail_types::read(&settings.detail_types).map_err(explained)?;
        let builder = Builder::new(parts, settings.engine.clone())
            .with_events(events)
            .with_fetch(fetch)
            .with_client_authorities(client_authorities(&settings.client_authorities).map_err(explained)?)
            .with_worker(worker);
        let with_type = |builder: Builder, detail_type| builder.with_detail_type(Arc::new(detail_type));
        let builder = detail_types.into_iter().fold(builder, with_type);
        let builder = builder.with_ui_locales(locales.iter().map(|locale| (*locale).to_owned()));
        builder.build().await.map_err(|complaints| explained(complaints.into_iter().collect()))
    }

    /// Complains about resource servers whose JWTs no key can sign.
    pub(crate) async fn unsigned(&self, settings: &Settings) -> Vec<Complaint> {
        let keys = match self.keys.list(&settings.realm).await {
            Ok(keys) => keys,
            Err(fault) => return vec![Complaint::new("keys", fault.to_string(), "docs/configuration.md")],
        };
        let has_key = |alg| keys.iter().any(|key| key.times.end.is_none() && key.jwk.fits(alg));
        resource_servers::unsigned(&settings.resource_servers, has_key)
    }

    /// Checks that there is anything of this realm, and that its keys were sealed with the wrapping key that is given.
    ///
    /// # Errors
    /// Which realms there are, or whose fault it is.
    pub(crate) async fn check_realm(&self, settings: &Settings) -> Result<(), String> {
        self.check_stored(settings).await?;
        self.check_wrapping_key(settings).await
    }

    /// Checks that there is anything, and of this realm: what is stored under another name is not found.
    ///
    /// # Errors
    /// Which realms there are.
    pub(crate) async fn check_stored(&self, settings: &Settings) -> Result<(), String> {
        let Some(file) = &self.file else { return Ok(()) };
        let Store::Sqlite { path, .. } = &settings.store else { return Ok(()) };
        let realms = file.realms().await;
        let realms = realms.map_err(|error| format!("store.sqlite: {}", hindered_step(path, &error)))?;
        let realm = settings.realm.as_str();
        if realms.is_empty() {
            return Err(empty(path));
        }
        if realms.iter().any(|known| known == realm) {
            return Ok(());
        }
        let rule = format!(
            "nothing is stored for realm {realm}; known: {}: set realm to the one that is meant",
            realms.join(", ")
        );
        let complaint = Complaint::new("realm", rule, "docs/configuration.md");
        Err(settings.values.explain(complaint).to_string())
    }

    /// Checks that what is sealed in the store was sealed with the wrapping key that is given.
    ///
    /// # Errors
    /// Which key cannot be opened, and what to do.
    async fn check_wrapping_key(&self, settings: &Settings) -> Result<(), String> {
        let Store::Sqlite { wrapping_key, .. } = &settings.store else { return Ok(()) };
        openable(&self.keys, settings).await.map_err(|fault| match fault.kind() {
            FaultKind::Unavailable => fault.to_string(),
            FaultKind::Internal => unopened(settings, wrapping_key, &fault),
        })
    }

    /// Checks that the file of the wrapping key still has the one that opens what is sealed in the store: a server reads it at its
    /// start alone. What a store that cannot be read has is not known, and said elsewhere.
    ///
    /// # Errors
    /// Why the next start would fail, and what to do.
    pub(crate) async fn check_key_file(&self, settings: &Settings) -> Result<(), String> {
        let Store::Sqlite { wrapping_key, .. } = &settings.store else { return Ok(()) };
        let wrapping = secrets::wrapping_key(wrapping_key);
        let wrapping = wrapping.map_err(|line| settings.values.explain_line(line))?;
        let keys = SealedKeys::new(self.documents.clone(), &wrapping, Arc::new(SystemRandom));
        match openable(&keys.map_err(|fault| fault.to_string())?, settings).await {
            Err(fault) if fault.kind() == FaultKind::Internal => {
                Err(unopened(settings, wrapping_key, &fault))
            }
            _ => Ok(()),
        }
    }

    /// Checks that the store is in its place and can be read and written.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) async fn probe(&self, settings: &Settings) -> Result<(), String> {
        let read = || self.documents.store().list(&settings.realm, DocumentKind::SEALED_KEYS, None, 1);
        let (Some(file), Store::Sqlite { path, .. }) = (&self.file, &settings.store) else {
            return read().await.map(drop).map_err(|error| error.to_string());
        };
        let hindered = |error| hindered_step(path, &error);
        // The file's identity is checked first, because the errors of a lost file say little.
        file.check_file().await.map_err(hindered)?;
        read().await.map_err(hindered)?;
        file.check_write().await.map_err(|error| format!("the store cannot be written: {}", hindered(error)))
    }

    /// Makes the first keys and the first root secret of the realm, unless they exist.
    ///
    /// # Errors
    /// Keys that exist and were sealed with another wrapping key, or what is wrong with the store.
    pub(crate) async fn first_keys(&self, settings: &Settings) -> Result<(), String> {
        self.check_wrapping_key(settings).await?;
        let begun = self.keys.begin(&settings.realm, &FIRST_KEYS, SystemClock.now()).await;
        begun.map_err(|fault| fault.to_string())
    }

    /// The algorithms of the keys that have not been superseded, each once.
    pub(crate) async fn algorithms(&self, realm: &RealmId) -> Result<Vec<SigningAlgorithm>, Fault> {
        let mut algorithms = Vec::new();
        for key in self.keys.list(realm).await?.iter().filter(|key| key.times.end.is_none()) {
            algorithms.extend(key.jwk.alg().filter(|alg| !algorithms.contains(alg)));
        }
        Ok(algorithms)
    }

    /// Makes the keys for encryption that these settings need, unless they exist.
    pub(crate) async fn encryption_keys(&self, settings: &Settings) -> Result<(), Fault> {
        match encryption_types(settings).as_slice() {
            [] => Ok(()),
            types => self.keys.begin_encryption(&settings.realm, types, SystemClock.now()).await,
        }
    }
}

/// Opens everything that is sealed.
async fn openable(keys: &SealedKeys, settings: &Settings) -> Result<(), Fault> {
    let listed = keys.list(&settings.realm).await.map(drop);
    let secrets = keys.secrets(&settings.realm).await.map(drop);
    listed.and(secrets)
}

/// What is said of a wrapping key that does not open what is sealed.
fn unopened(settings: &Settings, wrapping_key: &Path, fault: &Fault) -> String {
    let line = format!("keys.wrapping_key: {}: {fault}; {WITHOUT_COPY}", wrapping_key.display());
    settings.values.explain_line(line)
}

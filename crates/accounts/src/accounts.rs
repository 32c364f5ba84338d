//! The accounts that the engine asks and an operator manages.

use std::fmt;
use std::sync::Arc;

use chancery_core::documents::{DocumentCache, Documents};
use chancery_core::error::{Complaints, Fault};
use chancery_core::model::{
    Account, AccountRegistration, Authentication, Claims, Epoch, Hint, LoginForm, PasswordChange, SignUpForm,
};
use chancery_core::ports::{
    Accounts, Browser, ClaimsQuery, DynWatcher, LoginOutcome, LoginRefusal, PasswordChangeOutcome,
    PasswordRefusal, Random, Room, SignUpOutcome, SignUpRefusal,
};
use chancery_store::{DocumentKind, Put, StoreError};
use chancery_types::{AccountId, RealmId, Timestamp, made_id};

use crate::cached_person::CachedPerson;
use crate::password::DUMMY_HASH;
use crate::{
    Full, HashingLoad, Password, PasswordPool, PasswordRule, PasswordRules, Person, SignedOut, Username,
    check_claims,
};

/// How many people one read of the store fetches.
const PAGE: usize = 200;

/// People with passwords in [`Documents`]. A person's document has two aliases, the user name and its
/// appearance, so that nobody else can have a name that is mistaken for it.
///
/// People are cached until their document is written again, be it by another node or an operator's command.
/// Passwords are never cached.
pub struct StoredAccounts {
    documents: Arc<Documents>,
    pool: PasswordPool,
    random: Arc<dyn Random>,
    rules: PasswordRules,
    cache: DocumentCache<CachedPerson>,
}

/// A person to be added.
pub struct NewPerson {
    /// The name that the person will type.
    pub username: Username,
    /// Their password.
    pub password: Password,
    /// The claims that clients may get (OIDC Core section 5.1).
    pub claims: Claims,
    /// The `sub` that clients see; `None` for a random one.
    pub id: Option<AccountId>,
}

impl NewPerson {
    /// Checks what can be checked without a store.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn check(&self, rules: &PasswordRules) -> Result<(), Complaints> {
        let mut complaints = Vec::new();
        complaints.extend(self.username.check_new().err().into_iter().flatten());
        complaints.extend(rules.check(&self.password, &self.username).err().into_iter().flatten());
        complaints.extend(check_claims(&self.claims).err().into_iter().flatten());
        if complaints.is_empty() { Ok(()) } else { Err(complaints.into()) }
    }
}

/// Why an operator's change was not made. Nothing was written then.
pub enum AccountError {
    /// Another person has this user name, one that looks the same, or this id.
    Taken,
    /// There is no person of this name.
    Unknown,
    /// Somebody else changed the person at the same moment.
    Changed,
    /// What was given is not acceptable.
    Unacceptable(Complaints),
    /// Too many passwords are waiting to be hashed.
    Busy,
    /// The store failed.
    Broken(Fault),
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken => f.write_str(
                "another user has this user name, one that looks like it, or this id; or a client has this id",
            ),
            Self::Unknown => f.write_str("there is no such user"),
            Self::Changed => f.write_str("somebody else changed this user at the same moment; try again"),
            Self::Unacceptable(complaints) => complaints.fmt(f),
            Self::Busy => Full.fmt(f),
            Self::Broken(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for AccountError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Broken(fault) => fault.source(),
            _ => None,
        }
    }
}

chancery_types::debug_as_display!(AccountError);

impl From<StoreError> for AccountError {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.into())
    }
}

impl From<Fault> for AccountError {
    fn from(fault: Fault) -> Self {
        Self::Broken(fault)
    }
}

impl From<Full> for AccountError {
    fn from(_: Full) -> Self {
        Self::Busy
    }
}

impl StoredAccounts {
    /// The people in these documents.
    #[must_use]
    pub fn new(documents: Arc<Documents>, pool: PasswordPool, random: Arc<dyn Random>) -> Self {
        let cache = DocumentCache::new(documents.clone(), DocumentKind::ACCOUNT);
        Self { documents, pool, random, rules: PasswordRules::default(), cache }
    }

    /// Replaces the rules for new passwords.
    #[must_use]
    pub fn with_rules(self, rules: PasswordRules) -> Self {
        Self { rules, ..self }
    }

    /// How busy the hashing of passwords is.
    #[must_use]
    pub fn hashing_load(&self) -> HashingLoad {
        self.pool.load()
    }

    /// Checks that somebody new can have this user name, so that nobody is asked for a password in vain.
    /// [`StoredAccounts::add`] decides, because somebody else may take the name meanwhile.
    ///
    /// # Errors
    /// [`AccountError::Taken`], [`AccountError::Unacceptable`], or a failure.
    pub async fn check_new(&self, realm: &RealmId, username: &Username) -> Result<(), AccountError> {
        username.check_new().map_err(AccountError::Unacceptable)?;
        for alias in [by_name(username), by_appearance(username)] {
            if self.documents.store().find(realm, DocumentKind::ACCOUNT, &alias).await?.is_some() {
                return Err(AccountError::Taken);
            }
        }
        Ok(())
    }

    /// Adds a person, who may log in at once.
    ///
    /// # Errors
    /// [`AccountError::Taken`], [`AccountError::Unacceptable`] for the password or the claims, or a failure.
    pub async fn add(&self, realm: &RealmId, new: NewPerson) -> Result<Person, AccountError> {
        let room = Room::new(self.pool.acquire(Browser::Known)?);
        self.add_within(realm, new, room).await
    }

    /// Adds a person, whose password is hashed in this room.
    async fn add_within(&self, realm: &RealmId, new: NewPerson, room: Room) -> Result<Person, AccountError> {
        new.check(&self.rules).map_err(AccountError::Unacceptable)?;
        let id = match new.id {
            Some(id) => id,
            None => self.new_id()?,
        };
        let password = self.hash(new.password, room).await?;
        let (username, claims) = (new.username, new.claims);
        let aliases = vec![by_name(&username), by_appearance(&username)];
        let (epoch, registration) = (self.new_epoch(), AccountRegistration(self.random_number()));
        let person = Person {
            id,
            username,
            claims,
            active: true,
            epoch,
            registration,
            signed_out: None,
            password,
            aliases,
            seen: None,
        };
        self.put(realm, person).await
    }

    /// Gives a person another password, and ends their sessions and grants with all tokens.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], [`AccountError::Unacceptable`], [`AccountError::Changed`], or a failure.
    pub async fn set_password(
        &self,
        realm: &RealmId,
        username: &Username,
        password: Password,
    ) -> Result<Person, AccountError> {
        self.rules.check(&password, username).map_err(AccountError::Unacceptable)?;
        let mut person = self.person(realm, username).await?;
        let room = Room::new(self.pool.acquire(Browser::Known)?);
        person.password = self.hash(password, room).await?;
        person.epoch = self.new_epoch();
        self.put(realm, person).await
    }

    /// Replaces the claims that clients may get. Sessions and grants go on, and clients see the change when they
    /// ask again.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], [`AccountError::Unacceptable`], [`AccountError::Changed`], or a failure.
    pub async fn set_claims(
        &self,
        realm: &RealmId,
        username: &Username,
        claims: Claims,
    ) -> Result<Person, AccountError> {
        check_claims(&claims).map_err(AccountError::Unacceptable)?;
        let mut person = self.person(realm, username).await?;
        person.claims = claims;
        self.put(realm, person).await
    }

    /// Keeps a person from logging in, and ends their sessions and grants with all tokens.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], [`AccountError::Changed`], or a failure.
    pub async fn disable(&self, realm: &RealmId, username: &Username) -> Result<Person, AccountError> {
        let mut person = self.person(realm, username).await?;
        person.active = false;
        person.epoch = self.new_epoch();
        self.put(realm, person).await
    }

    /// Ends the sessions and grants of a person, who may sign in again at once.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], [`AccountError::Changed`], or a failure.
    pub async fn sign_out_everywhere(
        &self,
        realm: &RealmId,
        username: &Username,
    ) -> Result<Person, AccountError> {
        let mut person = self.person(realm, username).await?;
        person.epoch = self.new_epoch();
        person.signed_out = Some(SignedOut::Everything);
        self.put_as_it_is(realm, person).await
    }

    /// Notes that sessions of a person were ended, by which other processes know of it. Nothing else changes.
    ///
    /// # Errors
    /// As [`StoredAccounts::sign_out_everywhere`].
    pub async fn note_ended_sessions(
        &self,
        realm: &RealmId,
        username: &Username,
    ) -> Result<Person, AccountError> {
        let person = Person { signed_out: Some(SignedOut::Sessions), ..self.person(realm, username).await? };
        self.put_as_it_is(realm, person).await
    }

    /// Lets a person log in again. What was ended stays so.
    ///
    /// # Errors
    /// As [`StoredAccounts::disable`].
    pub async fn enable(&self, realm: &RealmId, username: &Username) -> Result<Person, AccountError> {
        let mut person = self.person(realm, username).await?;
        person.active = true;
        self.put(realm, person).await
    }

    /// Removes a person, which ends their sessions and grants. Their id is never given to anybody else,
    /// unless an operator asks for it.
    ///
    /// # Errors
    /// As [`StoredAccounts::disable`].
    pub async fn remove(&self, realm: &RealmId, username: &Username) -> Result<(), AccountError> {
        let person = self.person(realm, username).await?;
        let seen = person.seen.ok_or(AccountError::Unknown)?;
        match self.documents.remove(realm, DocumentKind::ACCOUNT, person.id.as_str(), seen).await? {
            Put::Done(_) => Ok(()),
            Put::Stale | Put::Occupied => Err(AccountError::Changed),
        }
    }

    /// The person of this user name.
    ///
    /// # Errors
    /// [`AccountError::Unknown`], or a failure.
    pub async fn person(&self, realm: &RealmId, username: &Username) -> Result<Person, AccountError> {
        let found = self.documents.store().find(realm, DocumentKind::ACCOUNT, &by_name(username)).await?;
        Ok(Person::read(&found.ok_or(AccountError::Unknown)?)?)
    }

    /// The person of this id, read from the store.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn of_id(&self, realm: &RealmId, id: &AccountId) -> Result<Option<Person>, Fault> {
        let found = self.documents.store().get(realm, DocumentKind::ACCOUNT, id.as_str()).await?;
        found.as_ref().map(Person::read).transpose()
    }

    /// Everybody, in the order of their ids.
    ///
    /// # Errors
    /// A failure of the store.
    pub async fn list(&self, realm: &RealmId) -> Result<Vec<Person>, AccountError> {
        let mut people: Vec<Person> = Vec::new();
        loop {
            let after = people.last().map(|person| person.id.clone());
            let after = after.as_ref().map(AccountId::as_str);
            let page = self.documents.store().list(realm, DocumentKind::ACCOUNT, after, PAGE).await?;
            let is_last = page.len() < PAGE;
            for document in &page {
                people.push(Person::read(document)?);
            }
            if is_last {
                return Ok(people);
            }
        }
    }

    /// Writes a person of whom something has changed.
    async fn put(&self, realm: &RealmId, person: Person) -> Result<Person, AccountError> {
        self.put_as_it_is(realm, Person { signed_out: None, ..person }).await
    }

    async fn put_as_it_is(&self, realm: &RealmId, mut person: Person) -> Result<Person, AccountError> {
        // One `sub` must never mean both a person and a client (RFC 9068 section 5).
        if person.seen.is_none()
            && self.documents.store().get(realm, DocumentKind::CLIENT, person.id.as_str()).await?.is_some()
        {
            return Err(AccountError::Taken);
        }
        match self.documents.put(realm, DocumentKind::ACCOUNT, person.seen, person.document()?).await? {
            Put::Done(revision) => {
                person.seen = Some(revision);
                Ok(person)
            }
            Put::Stale => Err(AccountError::Changed),
            Put::Occupied => Err(AccountError::Taken),
        }
    }

    async fn hash(&self, password: Password, room: Room) -> Result<Box<str>, AccountError> {
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        Ok(self.pool.work(room, move |memory| password.hash(&salt, memory)).await??.into())
    }

    /// Whether a person of this name may have this password.
    fn accepts(&self, password: &Password, username: &Username) -> Result<(), PasswordRefusal> {
        match self.rules.broken_by(password, username).next() {
            None => Ok(()),
            Some(PasswordRule::Short) => Err(PasswordRefusal::TooShort(Password::SHORTEST)),
            Some(PasswordRule::OneCharacter | PasswordRule::Blank | PasswordRule::Common) => {
                Err(PasswordRefusal::TooCommon)
            }
            Some(PasswordRule::IsName) => Err(PasswordRefusal::IsName),
            Some(PasswordRule::Characters) => Err(PasswordRefusal::Unacceptable),
        }
    }

    /// The person of this id, without the password.
    async fn cached(&self, realm: &RealmId, id: &AccountId) -> Result<Option<Arc<CachedPerson>>, Fault> {
        self.cache.get(realm, id.as_str(), |document| Ok(CachedPerson::from(Person::read(document)?))).await
    }

    /// An epoch that neither this account nor a removed one of the same id has had.
    fn new_epoch(&self) -> Epoch {
        Epoch(self.random_number())
    }

    fn random_number(&self) -> u64 {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    fn new_id(&self) -> Result<AccountId, Fault> {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        AccountId::parse(&made_id(bytes)).map_err(|error| Fault::internal(error.to_string()))
    }
}

/// The alias by which a login finds the person.
fn by_name(username: &Username) -> Box<str> {
    format!("name {}", username.canonical()).into()
}

/// The alias that keeps others from taking a name that looks the same.
fn by_appearance(username: &Username) -> Box<str> {
    format!("looks like {}", username.appearance()).into()
}

impl Accounts for StoredAccounts {
    async fn find(&self, realm: &RealmId, id: &AccountId) -> Result<Option<Account>, Fault> {
        Ok(self.cached(realm, id).await?.map(|person| person.account.clone()))
    }

    fn watcher(&self) -> Option<Arc<dyn DynWatcher>> {
        Some(self.documents.clone())
    }

    async fn claims(&self, realm: &RealmId, ask: ClaimsQuery<'_>) -> Result<Claims, Fault> {
        let Some(person) = self.cached(realm, ask.account).await? else { return Ok(Claims::default()) };
        Ok(person.claims.to_said(ask.names))
    }

    async fn hint(&self, realm: &RealmId, hint: Hint) -> Result<Option<AccountId>, Fault> {
        let Hint::Login(typed) = hint else { return Ok(None) };
        let Ok(username) = Username::parse(&typed) else { return Ok(None) };
        let found = self.documents.store().find(realm, DocumentKind::ACCOUNT, &by_name(&username)).await?;
        Ok(found.as_ref().map(Person::read).transpose()?.map(|person| person.id))
    }

    fn folded(&self, username: &str) -> String {
        Username::parse(username)
            .map_or_else(|_| username.trim().to_lowercase(), |username| username.canonical().to_owned())
    }

    async fn room(&self, _: &RealmId, browser: Browser) -> Result<Option<Room>, Fault> {
        Ok(self.pool.acquire(browser).ok().map(Room::new))
    }

    async fn authenticate(
        &self,
        realm: &RealmId,
        now: Timestamp,
        form: LoginForm,
        room: Room,
    ) -> Result<LoginOutcome, Fault> {
        // Text that cannot be a name is looked up all the same, under the empty alias, which nobody has:
        // it takes as long.
        let name = Username::parse(&form.username).map_or_else(|_| "".into(), |username| by_name(&username));
        let found = self.documents.store().find(realm, DocumentKind::ACCOUNT, &name).await?;
        let person = found.as_ref().map(Person::read).transpose()?;
        let stored: Box<str> =
            person.as_ref().map_or_else(|| DUMMY_HASH.into(), |person| person.password.clone());
        let password = Password::new(form.password);
        let fits = self.pool.work(room, move |memory| password.is_of(&stored, memory)).await;
        let fits = fits.map_err(|Full| Fault::unavailable("a password could not be hashed"))?;
        Ok(match person {
            None => LoginOutcome::Refused(LoginRefusal::UnknownName),
            Some(person) if !fits => LoginOutcome::Refused(LoginRefusal::WrongPassword(person.id)),
            Some(person) if !person.active => LoginOutcome::Refused(LoginRefusal::Disabled(person.id)),
            Some(person) => LoginOutcome::Authenticated(Authentication::by_password(&person.account(), now)),
        })
    }

    fn can_sign_up(&self, _realm: &RealmId) -> bool {
        true
    }

    fn shortest_password(&self, _realm: &RealmId) -> Option<usize> {
        Some(Password::SHORTEST)
    }

    fn may_sign_up(&self, _realm: &RealmId, form: &SignUpForm) -> Result<(), SignUpRefusal> {
        let Ok(username) = Username::parse(&form.username) else {
            return Err(SignUpRefusal::NameUnacceptable);
        };
        if username.check_new().is_err() {
            return Err(SignUpRefusal::NameUnacceptable);
        }
        let password = Password::new(form.password.clone());
        self.accepts(&password, &username).map_err(|why| match why {
            PasswordRefusal::TooShort(shortest) => SignUpRefusal::PasswordTooShort(shortest),
            PasswordRefusal::TooCommon => SignUpRefusal::PasswordTooCommon,
            PasswordRefusal::IsName => SignUpRefusal::PasswordIsName,
            _ => SignUpRefusal::PasswordUnacceptable,
        })
    }

    async fn sign_up(
        &self,
        realm: &RealmId,
        now: Timestamp,
        form: SignUpForm,
        room: Room,
    ) -> Result<SignUpOutcome, Fault> {
        if let Err(why) = self.may_sign_up(realm, &form) {
            return Ok(SignUpOutcome::Refused(why));
        }
        let Ok(username) = Username::parse(&form.username) else {
            return Ok(SignUpOutcome::Refused(SignUpRefusal::NameUnacceptable));
        };
        let password = Password::new(form.password);
        let new = NewPerson { username, password, claims: Claims::default(), id: None };
        match self.add_within(realm, new, room).await {
            Ok(person) => Ok(SignUpOutcome::SignedUp(Authentication::by_password(&person.account(), now))),
            Err(AccountError::Taken | AccountError::Changed | AccountError::Unknown) => {
                Ok(SignUpOutcome::Refused(SignUpRefusal::NameTaken))
            }
            Err(AccountError::Unacceptable(_)) => Ok(SignUpOutcome::Refused(SignUpRefusal::NameUnacceptable)),
            Err(AccountError::Busy) => Err(Fault::unavailable("a password could not be hashed")),
            Err(AccountError::Broken(fault)) => Err(fault),
        }
    }

    fn can_change_password(&self, _realm: &RealmId) -> bool {
        true
    }

    async fn change_password(
        &self,
        realm: &RealmId,
        now: Timestamp,
        change: PasswordChange,
        room: Room,
    ) -> Result<PasswordChangeOutcome, Fault> {
        let PasswordChange { account, current, new, keeps_others } = change;
        let found = self.documents.store().get(realm, DocumentKind::ACCOUNT, account.as_str()).await?;
        let person = found.as_ref().map(Person::read).transpose()?;
        let Some(mut person) = person.filter(|person| person.active) else {
            return Ok(PasswordChangeOutcome::Overtaken);
        };
        let (current, new) = (Password::new(current), Password::new(new));
        if let Err(why) = self.accepts(&new, &person.username) {
            return Ok(PasswordChangeOutcome::Refused(why));
        }
        if current.is_same_as(&new) {
            return Ok(PasswordChangeOutcome::Refused(PasswordRefusal::Unchanged));
        }
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        let stored = person.password.clone();
        // The new one is hashed in either case, so that the time says nothing of the current one.
        let hashed = self.pool.work(room, move |memory| {
            let fits = current.is_of(&stored, memory);
            new.hash(&salt, memory).map(|hash| fits.then_some(hash))
        });
        let hashed = hashed.await.map_err(|Full| Fault::unavailable("a password could not be hashed"))?;
        let Some(hash) = hashed? else { return Ok(PasswordChangeOutcome::WrongPassword) };
        person.password = hash.into();
        if !keeps_others {
            person.epoch = self.new_epoch();
        }
        match self.put(realm, person).await {
            Ok(person) => {
                Ok(PasswordChangeOutcome::Changed(Authentication::by_password(&person.account(), now)))
            }
            Err(AccountError::Broken(fault)) => Err(fault),
            Err(_) => Ok(PasswordChangeOutcome::Overtaken),
        }
    }
}

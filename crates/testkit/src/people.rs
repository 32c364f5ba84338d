//! Accounts in the test's hand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chancery_core::error::Fault;
use chancery_core::model::{
    Account, AccountRegistration, Acr, Amr, Authentication, ClaimSource, ClaimType, Claims, Client, Epoch,
    Hint, LoginForm, PasswordChange, Posted, SignUpForm,
};
use chancery_core::ports::{
    Accounts, Browser, ClaimsQuery, LoginHintToken, LoginOutcome, LoginRefusal, PasswordChangeOutcome,
    PasswordRefusal, Room, SignUpOutcome, SignUpRefusal, UserCodeCheck, UserCodeQuery,
};
use chancery_types::{AccountId, Malformed, RealmId, Timestamp};
use serde_json::{Value, json};

use crate::interleaved::let_others_go_on;

/// What happens to whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// They are answered.
    Answering,
    /// There is no room for looking at a password.
    Busy,
    /// There is room only for whoever comes by a known browser.
    BusyWithStrangers,
    /// Every question meets a fault.
    Broken,
}

/// People whom a test can change at any moment. There are alice and bob from the beginning.
///
/// A person signs in with the id and [`password_of`] it.
pub struct TestAccounts {
    people: Mutex<BTreeMap<Box<str>, Person>>,
    mood: Mutex<Mood>,
    attempts: AtomicU64,
    epochs: AtomicU64,
    password_takes: AtomicU64,
    meanwhile: Mutex<Option<Meanwhile>>,
    levels: Vec<Acr>,
    claim_types: Vec<ClaimType>,
    user_codes: Mutex<BTreeMap<Box<str>, Box<str>>>,
    understands_hint_tokens: AtomicBool,
    known_by: Mutex<Option<KnownBy>>,
    known_since: Mutex<Option<Timestamp>>,
    keeps_passwords: AtomicBool,
    /// Who is answered in whose place.
    confused: Mutex<Option<(&'static str, &'static str)>>,
}

/// What happens while a password is looked at.
type Meanwhile = Box<dyn FnOnce(&TestAccounts) + Send>;

/// Whom the application knows by what came with a form.
type KnownBy = Box<dyn Fn(&Posted) -> Option<String> + Send>;

struct Person {
    is_active: bool,
    epoch: Epoch,
    registration: AccountRegistration,
    password: String,
    claims: Value,
    sources: Vec<ClaimSource>,
    /// How pages call them, if not by the name with which they sign in.
    label: Option<String>,
}

/// The claims that a scope stands for (OIDC Core section 5.4).
#[must_use]
pub fn claims_of_scope(scope: &str) -> &'static [&'static str] {
    match scope {
        "profile" => &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
        "email" => &["email", "email_verified"],
        "address" => &["address"],
        "phone" => &["phone_number", "phone_number_verified"],
        _ => &[],
    }
}

/// The password of this account: `correct horse alice`.
#[must_use]
pub fn password_of(account: &str) -> String {
    format!("correct horse {account}")
}

impl TestAccounts {
    /// With alice and bob.
    #[must_use]
    pub fn new() -> Self {
        let accounts = Self {
            people: Mutex::default(),
            mood: Mutex::new(Mood::Answering),
            attempts: AtomicU64::default(),
            epochs: AtomicU64::default(),
            password_takes: AtomicU64::new(1),
            meanwhile: Mutex::default(),
            levels: vec![Acr(Acr::PASSWORD.into())],
            claim_types: Vec::new(),
            user_codes: Mutex::default(),
            understands_hint_tokens: AtomicBool::default(),
            known_by: Mutex::default(),
            known_since: Mutex::default(),
            keeps_passwords: AtomicBool::default(),
            confused: Mutex::default(),
        };
        accounts.add("alice");
        accounts.add("bob");
        accounts
    }

    /// From now on whoever is asked for by the first id is answered by the account of the second.
    pub fn confuses(&self, asked: &'static str, answered: &'static str) {
        *lock(&self.confused) = Some((asked, answered));
    }

    /// From now on a client has to know this code to ask the person at another device.
    pub fn has_user_code(&self, account: &str, code: &str) {
        lock(&self.user_codes).insert(account.into(), code.into());
    }

    /// From now on a `login_hint_token` is understood: `for:alice` means alice, and `expired` has expired.
    pub fn understands_hint_tokens(&self) {
        self.understands_hint_tokens.store(true, Ordering::SeqCst);
    }

    /// From now on the application knows people without name and password, by whatever else a form brings.
    pub fn knows_by(&self, how: impl Fn(&Posted) -> Option<String> + Send + 'static) {
        *lock(&self.known_by) = Some(Box::new(how));
    }

    /// From now on whomever the application knows, it has known since then; before that, it knew them only just.
    pub fn knows_since(&self, since: Timestamp) {
        *lock(&self.known_since) = Some(since);
    }

    /// From now on nobody can change their password.
    pub fn keep_passwords(&self) {
        self.keeps_passwords.store(true, Ordering::SeqCst);
    }

    /// The same people, of whom some can reach this class, too.
    #[must_use]
    pub fn reaching(mut self, acr: &str) -> Self {
        self.levels.push(Acr(acr.into()));
        self
    }

    /// The same people, about whom others assert claims, too.
    #[must_use]
    pub fn known_to_others(mut self) -> Self {
        self.claim_types = vec![ClaimType::Aggregated, ClaimType::Distributed];
        self
    }

    /// Adds a person in the default epoch, with a value for each standard claim (OIDC Core section 5.1).
    /// Whoever is added again is as if nothing had happened.
    pub fn add(&self, id: &str) {
        let claims = json!({
            "name": format!("{id} Example"),
            "given_name": id,
            "family_name": "Example",
            "middle_name": "M",
            "nickname": id,
            "preferred_username": id,
            "profile": format!("https://people.example/{id}"),
            "picture": format!("https://people.example/{id}.png"),
            "website": "https://people.example/",
            "gender": "unknown",
            "birthdate": "1990-01-02",
            "zoneinfo": "Europe/Berlin",
            "locale": "en",
            "updated_at": 1_700_000_000,
            "email": format!("{id}@example.org"),
            "email_verified": true,
            "phone_number": "+49 30 123456",
            "phone_number_verified": false,
            "address": { "country": "DE", "locality": "Berlin" },
        });
        let registration = AccountRegistration::default();
        let epoch = Epoch::default();
        let password = password_of(id);
        let (sources, label) = (Vec::new(), None);
        let person = Person { is_active: true, epoch, registration, password, claims, sources, label };
        lock(&self.people).insert(id.into(), person);
    }

    /// The person is gone, and somebody else has the same id.
    pub fn replace(&self, id: &str) {
        self.add(id);
        let epoch = self.new_epoch();
        self.change(id, |person| (person.epoch, person.registration) = (epoch, AccountRegistration(epoch.0)));
    }

    /// The person is gone.
    pub fn remove(&self, id: &str) {
        lock(&self.people).remove(id);
    }

    /// The person may not use the provider any more.
    pub fn disable(&self, id: &str) {
        self.change(id, |person| person.is_active = false);
    }

    /// "Sign out everywhere", as a change of the password does it, too.
    pub fn sign_out_everywhere(&self, id: &str) {
        let epoch = self.new_epoch();
        self.change(id, |person| person.epoch = epoch);
    }

    /// Others can go on so often while a password is looked at; once by default.
    pub fn take_longer(&self, often: u64) {
        self.password_takes.store(often, Ordering::SeqCst);
    }

    /// This happens while the next password is looked at.
    pub fn meanwhile(&self, what: impl FnOnce(&Self) + Send + 'static) {
        *lock(&self.meanwhile) = Some(Box::new(what));
    }

    /// Changes a claim, also to one that the protocol owns.
    pub fn set_claim(&self, id: &str, name: &str, value: Value) {
        self.change(id, |person| person.claims[name] = value);
    }

    /// Somebody else asserts claims about the person, too.
    pub fn add_source(&self, id: &str, source: Result<ClaimSource, Malformed>) {
        let source = source.unwrap_or_else(|_| panic!("this is no source of claims about {id}"));
        self.change(id, |person| person.sources.push(source));
    }

    /// Pages call the person like this.
    pub fn is_called(&self, id: &str, label: &str) {
        self.change(id, |person| person.label = Some(label.to_owned()));
    }

    /// How the next questions are answered.
    pub fn be(&self, mood: Mood) {
        *lock(&self.mood) = mood;
    }

    /// How often a password was looked at.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::SeqCst)
    }

    fn change(&self, id: &str, step: impl FnOnce(&mut Person)) {
        step(lock(&self.people).get_mut(id).unwrap_or_else(|| panic!("there is no {id}")));
    }

    fn is_password(&self, id: &AccountId, typed: &str) -> bool {
        lock(&self.people).get(id.as_str()).is_some_and(|person| person.password == typed)
    }

    fn new_epoch(&self) -> Epoch {
        Epoch(self.epochs.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn mood(&self) -> Result<Mood, Fault> {
        match *lock(&self.mood) {
            Mood::Broken => Err(Fault::unavailable("the accounts were told to be broken")),
            mood => Ok(mood),
        }
    }

    pub(crate) fn account(&self, id: &AccountId) -> Option<Account> {
        lock(&self.people).get(id.as_str()).map(|person| {
            let mut account = Account::new(id.clone(), person.label.as_deref().unwrap_or(id.as_str()));
            account.active = person.is_active;
            account.username = Some(id.as_str().into());
            account.epoch = person.epoch;
            account.registration = person.registration;
            account
        })
    }
}

impl Default for TestAccounts {
    fn default() -> Self {
        Self::new()
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Accounts for TestAccounts {
    async fn find(&self, _: &RealmId, id: &AccountId) -> Result<Option<Account>, Fault> {
        let_others_go_on().await;
        self.mood().map(|_| match *lock(&self.confused) {
            Some((asked, answered)) if id.as_str() == asked => {
                AccountId::parse(answered).ok().and_then(|other| self.account(&other))
            }
            _ => self.account(id),
        })
    }

    /// A hint is the name with which the person signs in.
    async fn hint(&self, _realm: &RealmId, hint: Hint) -> Result<Option<AccountId>, Fault> {
        let Hint::Login(name) = hint else { return Ok(None) };
        let is_known = lock(&self.people).contains_key(&name);
        Ok(AccountId::parse(&name).ok().filter(|_| is_known))
    }

    async fn login_hint_token(&self, _: &RealmId, _: &Client, token: &str) -> Result<LoginHintToken, Fault> {
        if !self.understands_hint_tokens.load(Ordering::SeqCst) {
            return Ok(LoginHintToken::Unsupported);
        }
        let known = |id: &AccountId| lock(&self.people).contains_key(id.as_str());
        Ok(match token.strip_prefix("for:").map(AccountId::parse) {
            Some(Ok(id)) if known(&id) => LoginHintToken::Means(id),
            Some(_) => LoginHintToken::Nobody,
            None if token == "expired" => LoginHintToken::Expired,
            None => LoginHintToken::Invalid,
        })
    }

    async fn check_user_code(&self, _: &RealmId, query: UserCodeQuery<'_>) -> Result<UserCodeCheck, Fault> {
        let code = lock(&self.user_codes).get(query.account.as_str()).cloned();
        Ok(match (code, query.code) {
            (None, _) => UserCodeCheck::Fine,
            (Some(_), None) => UserCodeCheck::Missing,
            (Some(code), Some(sent)) if *code == *sent => UserCodeCheck::Fine,
            (Some(_), Some(_)) => UserCodeCheck::Wrong,
        })
    }

    fn has_user_codes(&self, _: &RealmId) -> bool {
        true
    }

    async fn claims(&self, _: &RealmId, ask: ClaimsQuery<'_>) -> Result<Claims, Fault> {
        let_others_go_on().await;
        self.mood()?;
        let mut claims = Claims::default();
        if let Some(person) = lock(&self.people).get(ask.account.as_str()) {
            for (name, value) in person.claims.as_object().into_iter().flatten() {
                claims.set(name, value);
            }
            for source in &person.sources {
                claims.add_source(source.clone());
            }
        }
        Ok(claims)
    }

    fn claim_types(&self, _: &RealmId) -> Vec<ClaimType> {
        self.claim_types.clone()
    }

    fn levels(&self, _: &RealmId) -> Vec<Acr> {
        self.levels.clone()
    }

    async fn room(&self, _: &RealmId, browser: Browser) -> Result<Option<Room>, Fault> {
        let_others_go_on().await;
        let is_busy = match *lock(&self.mood) {
            Mood::Busy => true,
            Mood::BusyWithStrangers => browser == Browser::Unknown,
            Mood::Answering | Mood::Broken => false,
        };
        Ok(Some(Room::default()).filter(|_| !is_busy))
    }

    async fn known(
        &self,
        _: &RealmId,
        now: Timestamp,
        form: &LoginForm,
    ) -> Result<Option<Authentication>, Fault> {
        self.mood()?;
        let id = lock(&self.known_by).as_ref().and_then(|how| how(&form.posted));
        let account = id.and_then(|id| AccountId::parse(&id).ok()).and_then(|id| self.account(&id));
        let since = lock(&self.known_since).unwrap_or(now);
        Ok(account.map(|account| Authentication::by(&account, Amr::SOFTWARE_KEY, since)))
    }

    async fn authenticate(
        &self,
        _: &RealmId,
        now: Timestamp,
        form: LoginForm,
        _: Room,
    ) -> Result<LoginOutcome, Fault> {
        self.mood()?;
        let account = AccountId::parse(&self.folded(&form.username)).ok().and_then(|id| self.account(&id));
        let is_right = account.as_ref().is_some_and(|account| self.is_password(&account.id, &form.password));
        // A password takes its time, while others go on.
        for _ in 0..self.password_takes.load(Ordering::SeqCst) {
            let_others_go_on().await;
        }
        if let Some(what) = lock(&self.meanwhile).take() {
            what(self);
        }
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let Some(account) = account else { return Ok(LoginOutcome::Refused(LoginRefusal::UnknownName)) };
        Ok(if !is_right {
            LoginOutcome::Refused(LoginRefusal::WrongPassword(account.id))
        } else if account.active {
            LoginOutcome::Authenticated(Authentication::by_password(&account, now))
        } else {
            LoginOutcome::Refused(LoginRefusal::Disabled(account.id))
        })
    }

    fn can_sign_up(&self, _realm: &RealmId) -> bool {
        true
    }

    fn shortest_password(&self, _realm: &RealmId) -> Option<usize> {
        Some(8)
    }

    /// A name is taken if somebody signs in with it; the password of a new account has at least eight characters.
    fn may_sign_up(&self, _realm: &RealmId, form: &SignUpForm) -> Result<(), SignUpRefusal> {
        if AccountId::parse(&form.username).is_err() {
            return Err(SignUpRefusal::NameUnacceptable);
        }
        if form.password.len() < 8 { Err(SignUpRefusal::PasswordTooShort(8)) } else { Ok(()) }
    }

    async fn sign_up(
        &self,
        _realm: &RealmId,
        now: Timestamp,
        form: SignUpForm,
        _room: Room,
    ) -> Result<SignUpOutcome, Fault> {
        let_others_go_on().await;
        self.mood()?;
        if lock(&self.people).contains_key(&*form.username) {
            return Ok(SignUpOutcome::Refused(SignUpRefusal::NameTaken));
        }
        self.add(&form.username);
        let account = AccountId::parse(&form.username).ok().and_then(|id| self.account(&id));
        let account = account.ok_or_else(|| Fault::internal("nobody was added"))?;
        Ok(SignUpOutcome::SignedUp(Authentication::by_password(&account, now)))
    }

    fn can_change_password(&self, _realm: &RealmId) -> bool {
        !self.keeps_passwords.load(Ordering::SeqCst)
    }

    /// A new password has at least eight characters and is another one.
    async fn change_password(
        &self,
        _realm: &RealmId,
        now: Timestamp,
        change: PasswordChange,
        _room: Room,
    ) -> Result<PasswordChangeOutcome, Fault> {
        self.mood()?;
        if change.new.len() < 8 {
            return Ok(PasswordChangeOutcome::Refused(PasswordRefusal::TooShort(8)));
        }
        if change.new == change.current {
            return Ok(PasswordChangeOutcome::Refused(PasswordRefusal::Unchanged));
        }
        for _ in 0..self.password_takes.load(Ordering::SeqCst) {
            let_others_go_on().await;
        }
        if let Some(what) = lock(&self.meanwhile).take() {
            what(self);
        }
        self.attempts.fetch_add(1, Ordering::SeqCst);
        if !self.is_password(&change.account, &change.current) {
            return Ok(PasswordChangeOutcome::WrongPassword);
        }
        let epoch = self.new_epoch();
        self.change(change.account.as_str(), |person| {
            person.password.clone_from(&change.new);
            if !change.keeps_others {
                person.epoch = epoch;
            }
        });
        let account = self.account(&change.account).filter(|account| account.active);
        Ok(account.map_or(PasswordChangeOutcome::Overtaken, |account| {
            PasswordChangeOutcome::Changed(Authentication::by_password(&account, now))
        }))
    }
}

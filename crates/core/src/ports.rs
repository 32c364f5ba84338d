//! What the engine asks of the world, as traits. A boxed future costs 17 ns; type parameters would cost every
//! reader.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use chancery_jose::{EncryptedKey, EncryptionKey, PublicJwk};
use chancery_store::{Put, Revision};
use chancery_types::{AccountId, ClientId, RealmId, ResourceUri, Timestamp};
use zeroize::Zeroizing;

use crate::error::Fault;
use crate::event::{Event, RequestId};
use crate::model::{
    Account, Acr, Authentication, ClaimType, Claims, Client, Hint, LoginForm, ResourceServer, Sector,
    SignUpForm,
};
use crate::rotation::KeyTimes;

/// A boxed future.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a port answers.
pub type PortFuture<'a, T> = BoxFuture<'a, Result<T, Fault>>;

/// The time. Asked once per request, by the HTTP layer.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The clock of this machine: the default.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the default of the port `Clock`; everybody else gets `now`"
    )]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A cryptographic source of random bytes.
pub trait Random: Send + Sync {
    /// Fills the buffer. A source that cannot must not return.
    fn fill(&self, buffer: &mut [u8]);
}

impl Random for chancery_jose::SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        (*self).fill(buffer);
    }
}

/// Looks whether what was kept still holds, because other nodes and commands change it, too. What several
/// ports of a provider share is asked once.
pub trait Watcher: Send + Sync {
    /// Called before a request is answered, at most once a second: looks what has changed, forgets it, and
    /// says at what time it has looked. Who has looked less than a second ago, for another realm, need not
    /// look again.
    fn look(&self, now: Timestamp) -> PortFuture<'_, Timestamp>;
}

/// Who people are. The application's, or the crate `chancery-accounts`.
pub trait Accounts: Send + Sync {
    /// The account of this id; `None` when there is none (any more).
    fn find<'a>(&'a self, realm: &'a RealmId, id: &'a AccountId) -> PortFuture<'a, Option<Account>>;

    /// What is known about the person, be it asserted here or by others
    /// ([`ClaimSource`](crate::model::ClaimSource)). More than is asked for may be answered; what was not
    /// consented to is left out.
    fn claims<'a>(&'a self, realm: &'a RealmId, ask: ClaimsQuery<'a>) -> PortFuture<'a, Claims>;

    /// Who looks for changes, when people are kept after they were read. By default nobody: people are read
    /// each time.
    fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        None
    }

    /// How claims are represented besides normally (OIDC Core section 5.6): announced as
    /// `claim_types_supported`. By default in no other way.
    fn claim_types(&self, _realm: &RealmId) -> Vec<ClaimType> {
        Vec::new()
    }

    /// The authentication context classes that somebody can reach here (OIDC Core section 2, `acr`): they are
    /// announced, and a request that cannot do without another is refused. By default what a password
    /// reaches.
    fn levels(&self, _realm: &RealmId) -> Vec<Acr> {
        vec![Acr(Acr::PASSWORD.into())]
    }

    /// Whom a hint of a client means. By default nobody.
    fn hint<'a>(&'a self, _realm: &'a RealmId, _hint: Hint) -> PortFuture<'a, Option<AccountId>> {
        Box::pin(async { Ok(None) })
    }

    /// Whom a `login_hint_token` means (CIBA Core section 7.1), which is what the application and its clients have agreed
    /// on: who may have issued it, and for whom. By default none is understood.
    fn login_hint_token<'a>(
        &'a self,
        _realm: &'a RealmId,
        _client: &'a Client,
        _token: &'a str,
    ) -> PortFuture<'a, LoginHintToken> {
        Box::pin(async { Ok(LoginHintToken::Unsupported) })
    }

    /// Whose pairwise subject it is in a sector, where an ID token names the person whom a client asks for (CIBA Core
    /// section 7.1). What is computed cannot be computed backwards, so that by default nobody is known.
    fn pairwise_subject<'a>(
        &'a self,
        _realm: &'a RealmId,
        _hinted: HintedSubject<'a>,
    ) -> PortFuture<'a, Option<AccountId>> {
        Box::pin(async { Ok(None) })
    }

    /// Whether people can have a user code (CIBA Core section 7.1.2): it is announced. By default they cannot.
    fn has_user_codes(&self, _realm: &RealmId) -> bool {
        false
    }

    /// Whether a client may ask this person at another device: whether it knows the person's user code, if there is
    /// one, or may do without (CIBA Core section 7.1.2). Whoever has codes counts the wrong ones.
    ///
    /// By default nobody has one.
    fn check_user_code<'a>(
        &'a self,
        _realm: &'a RealmId,
        _query: UserCodeQuery<'a>,
    ) -> PortFuture<'a, UserCodeCheck> {
        Box::pin(async { Ok(UserCodeCheck::Fine) })
    }

    /// A typed name as it is compared: what is the same person's has to be the same here, or guessing could
    /// be spread over the spellings of one name.
    ///
    /// By default without white space at its ends, in lower case.
    fn folded(&self, username: &str) -> String {
        username.trim().to_lowercase()
    }

    /// Room for looking at one password; `None` when there is too much to do at this moment. Asked before the
    /// attempt is counted, and handed back by [`authenticate`](Self::authenticate). An implementation that has
    /// little room keeps some of it for known browsers, so that strangers who guess cannot take it all.
    ///
    /// By default there is always room.
    fn room<'a>(&'a self, _realm: &'a RealmId, _browser: Browser) -> PortFuture<'a, Option<Room>> {
        Box::pin(async { Ok(Some(Room::default())) })
    }

    /// Checks what was typed into the login page. The time it takes must not tell whether the name exists.
    ///
    /// By default nobody is known, and nobody can sign in.
    fn authenticate<'a>(
        &'a self,
        _realm: &'a RealmId,
        _now: Timestamp,
        _form: LoginForm,
        _room: Room,
    ) -> PortFuture<'a, LoginOutcome> {
        Box::pin(async { Ok(LoginOutcome::Refused(LoginRefusal::UnknownName)) })
    }

    /// Whether people can make accounts for themselves here, where the operator lets them (`[sign_up]`). By default
    /// they cannot.
    fn can_sign_up(&self, _realm: &RealmId) -> bool {
        false
    }

    /// How many characters the password of a new account needs: the sign-up page says so before anything is typed.
    /// By default it says nothing.
    fn shortest_password(&self, _realm: &RealmId) -> Option<usize> {
        None
    }

    /// Checks what was typed into the sign-up page by itself, before it is counted. It must not tell whether the
    /// name exists. By default everything is fit to be looked at.
    ///
    /// # Errors
    /// What is wrong with it.
    fn may_sign_up(&self, _realm: &RealmId, _form: &SignUpForm) -> Result<(), SignUpRefusal> {
        Ok(())
    }

    /// Makes an account of what was typed into the sign-up page, and signs the person in. Of several attempts with
    /// the same name only one succeeds.
    ///
    /// By default no account can be made.
    fn sign_up<'a>(
        &'a self,
        _realm: &'a RealmId,
        _now: Timestamp,
        _form: SignUpForm,
        _room: Room,
    ) -> PortFuture<'a, SignUpOutcome> {
        Box::pin(async { Ok(SignUpOutcome::Refused(SignUpRefusal::NameUnacceptable)) })
    }
}

/// What a `login_hint_token` says (CIBA Core section 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginHintToken {
    /// This person.
    Means(AccountId),
    /// Nobody who is known.
    Nobody,
    /// Its time is over.
    Expired,
    /// It is none, or not of somebody who may issue it.
    Invalid,
    /// There are none here.
    Unsupported,
}

/// A subject that an ID token of ours names.
#[derive(Clone, Copy, Debug)]
pub struct HintedSubject<'a> {
    /// The sector of the client.
    pub sector: &'a Sector,
    /// The `sub`.
    pub subject: &'a str,
}

/// Who asks whom, and with which code (CIBA Core section 7.1.2). It has no `Debug`, because it holds a secret.
#[derive(Clone, Copy)]
pub struct UserCodeQuery<'a> {
    /// Whom.
    pub account: &'a AccountId,
    /// Who. Its registration says whether it asks people for their codes (`backchannel_user_code_parameter`).
    pub client: &'a Client,
    /// What the person has told the client.
    pub code: Option<&'a str>,
}

/// What a user code is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserCodeCheck {
    /// It is right, or none is needed.
    Fine,
    /// One is needed.
    Missing,
    /// It is another one.
    Wrong,
}

/// What became of a sign-up form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignUpOutcome {
    /// There is a new account, and this is its person's first login.
    SignedUp(Authentication),
    /// There is none.
    Refused(SignUpRefusal),
}

/// What is wrong with a name or a password for a new account. The person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignUpRefusal {
    /// Somebody has this name, or one that looks like it.
    NameTaken,
    /// Nobody can have this name.
    NameUnacceptable,
    /// The password has fewer characters than this.
    PasswordTooShort(usize),
    /// The password is one of those that are guessed first.
    PasswordTooCommon,
    /// The password is the name.
    PasswordIsName,
    /// The password has characters that cannot be typed everywhere.
    PasswordUnacceptable,
}

impl SignUpRefusal {
    /// As logs and pages name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NameTaken => "name_taken",
            Self::NameUnacceptable => "name_unacceptable",
            Self::PasswordTooShort(_) => "password_too_short",
            Self::PasswordTooCommon => "password_too_common",
            Self::PasswordIsName => "password_is_name",
            Self::PasswordUnacceptable => "password_unacceptable",
        }
    }

    /// Whether it is the name that is wrong.
    #[must_use]
    pub const fn is_of_name(&self) -> bool {
        matches!(self, Self::NameTaken | Self::NameUnacceptable)
    }
}

/// Who asks for room to look at a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// A browser from which somebody has signed in under this name before.
    Known,
    /// Any other.
    Unknown,
}

/// Room for looking at one password. It is free again when this is dropped.
#[derive(Default)]
pub struct Room {
    #[expect(dead_code, reason = "it is only kept until it is dropped")]
    permit: Option<Box<dyn Send + Sync>>,
}

impl Room {
    /// Keeps what frees the room when it is dropped.
    #[must_use]
    pub fn new(permit: impl Send + Sync + 'static) -> Self {
        Self { permit: Some(Box::new(permit)) }
    }
}

/// What is asked about a person (OIDC Core section 5).
#[derive(Clone, Copy)]
pub struct ClaimsQuery<'a> {
    /// Who.
    pub account: &'a AccountId,
    /// Which client will see it.
    pub client: &'a ClientId,
    /// The names of the claims that will be looked at, some with a language
    /// ([`ClaimName::covers`](crate::model::ClaimName::covers)).
    pub names: &'a [&'a str],
    /// `claims_locales` (OIDC Core section 5.2), as sent. Whoever has a claim in several languages may answer
    /// with all of them, each with its tag in the name; the best is chosen from them.
    pub locales: Option<&'a str>,
}

/// What became of a login form.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginOutcome {
    /// The person is who they say.
    Authenticated(Authentication),
    /// Wrong name or wrong password; the person does not learn which of them.
    Refused(LoginRefusal),
}

/// Why a login was refused: for our own log only (OWASP ASVS 5.0 section 16.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginRefusal {
    /// Nobody has this name.
    UnknownName,
    /// This person's password is another one.
    WrongPassword(AccountId),
    /// The password is right, but this person may not sign in.
    Disabled(AccountId),
}

impl LoginRefusal {
    /// As logs and metrics name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::UnknownName => "unknown_name",
            Self::WrongPassword(_) => "wrong_password",
            Self::Disabled(_) => "disabled",
        }
    }

    /// Whose name was typed.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::UnknownName => None,
            Self::WrongPassword(account) | Self::Disabled(account) => Some(account),
        }
    }
}

/// Clients and resource servers.
pub trait Registry: Send + Sync {
    /// The client of this id.
    fn client<'a>(&'a self, realm: &'a RealmId, id: &'a ClientId) -> PortFuture<'a, Option<Arc<Client>>>;

    /// The resource server of this identifier.
    fn resource_server<'a>(
        &'a self,
        realm: &'a RealmId,
        uri: &'a ResourceUri,
    ) -> PortFuture<'a, Option<Arc<ResourceServer>>>;

    /// Who looks for changes, when clients are kept after they were read. By default nobody: they are read
    /// each time.
    fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        None
    }

    /// Stores a client; `seen` is `None` for a new one, whose id must not be that of an account either (RFC
    /// 9068 section 5): a resource server could take the client for the person. Whoever keeps accounts in a
    /// store of their own looks there before they register a client under an id that somebody chose. A
    /// registry that can only be read answers a fault.
    fn put_client<'a>(
        &'a self,
        _realm: &'a RealmId,
        _seen: Option<Revision>,
        _client: Arc<Client>,
    ) -> PortFuture<'a, Put> {
        Box::pin(async { Err(Fault::internal("this registry can only be read")) })
    }

    /// Stores a new client whose id the engine has made of random bytes, so that nobody else can have it. By default
    /// as any other.
    fn add_client<'a>(&'a self, realm: &'a RealmId, client: Arc<Client>) -> PortFuture<'a, Put> {
        self.put_client(realm, None, client)
    }

    /// Removes a client as it was seen.
    fn remove_client<'a>(
        &'a self,
        _realm: &'a RealmId,
        _seen: Revision,
        _id: &'a ClientId,
    ) -> PortFuture<'a, Put> {
        Box::pin(async { Err(Fault::internal("this registry can only be read")) })
    }

    /// Clients in the order of their ids, after the given one.
    fn clients<'a>(
        &'a self,
        _realm: &'a RealmId,
        _after: Option<&'a ClientId>,
        _limit: usize,
    ) -> PortFuture<'a, Vec<Arc<Client>>> {
        Box::pin(async { Err(Fault::internal("this registry cannot be listed")) })
    }
}

/// A signing key, as everybody may know it.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// The public half, with `kid` and `alg`.
    pub jwk: PublicJwk,
    /// When it is published, signs and counts.
    pub times: KeyTimes,
}

/// A secret from which the engine derives its own keys: form tokens, refresh rotation.
pub struct RootSecretEntry {
    /// Its number; what is derived names it.
    pub version: u32,
    /// The secret itself; only keys derived from it are used.
    pub secret: chancery_jose::RootSecret,
}

/// A key for which others encrypt, as everybody may know it.
#[derive(Clone, Debug)]
pub struct EncryptionKeyEntry {
    /// The public half, with `kid`.
    pub jwk: EncryptionKey,
    /// When it is published and decrypts.
    pub times: KeyTimes,
}

/// Where private keys are: a file, PKCS#11, a cloud KMS. The only asynchronous part of cryptography.
pub trait PrivateKeys: Send + Sync {
    /// All keys that are not forgotten yet. One that has counted is listed for as long as a session lives:
    /// what it signed still proves a past login (`id_token_hint`, OIDC Core section 3.1.2.1). One that is no
    /// secret any more is not listed.
    fn list<'a>(&'a self, realm: &'a RealmId) -> PortFuture<'a, Vec<KeyEntry>>;

    /// Signs with the key of this `kid` and its registered algorithm; a JWS signature (RFC 7518 section 3).
    ///
    /// The engine has no timer: a signer that is far away answers [`Fault::unavailable`] by itself when a
    /// second has passed, so that the client is told to come back (503). Nothing was used up then, and
    /// verification goes on.
    fn sign<'a>(&'a self, realm: &'a RealmId, kid: &'a str, input: &'a [u8]) -> PortFuture<'a, Vec<u8>>;

    /// The keys for which clients encrypt: by default none.
    fn encryption_keys<'a>(&'a self, _realm: &'a RealmId) -> PortFuture<'a, Vec<EncryptionKeyEntry>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Opens what a client has encrypted for the key of this `kid` (RFC 7516 section 5.2): the content
    /// encryption key, or for ECDH-ES the secret that was agreed upon. `None` when it does not open: that is
    /// the client's fault and not to be told apart from later ones (section 11.5).
    fn decrypt<'a>(
        &'a self,
        _realm: &'a RealmId,
        kid: &'a str,
        _encrypted: EncryptedKey<'a>,
    ) -> PortFuture<'a, Option<Zeroizing<Vec<u8>>>> {
        Box::pin(
            async move { Err(Fault::unavailable(format!("the source of the key {kid} decrypts nothing"))) },
        )
    }

    /// Root secrets, newest first; never empty. One that is forgotten takes with it what was sealed under it,
    /// such as the secrets of clients that are registered for an HMAC. The oldest must never be: the names of
    /// records and the pairwise subjects of people (OIDC Core section 8.1) are derived from it.
    fn secrets<'a>(&'a self, realm: &'a RealmId) -> PortFuture<'a, Vec<RootSecretEntry>>;

    /// Moves whenever keys or root secrets may have changed: then they are listed again. Asked often, so that
    /// it must not wait; whoever has to look elsewhere does so in [`PrivateKeys::watcher`]. By default they
    /// never change.
    fn generation(&self, _realm: &RealmId) -> u64 {
        0
    }

    /// Who looks for changes of the keys, if anybody has to.
    fn watcher(&self) -> Option<Arc<dyn Watcher>> {
        None
    }
}

/// Hears what happened.
pub trait EventSink: Send + Sync {
    /// Must not block.
    fn record(&self, at: Timestamp, request: &RequestId, event: &Event);
}

/// Nobody hears what happened: the default.
#[derive(Clone, Copy, Debug)]
pub struct NoopEventSink;

impl EventSink for NoopEventSink {
    fn record(&self, _: Timestamp, _: &RequestId, _: &Event) {}
}

//! Who people are: what the engine asks the application, and how it holds whoever answers.

use std::future::Future;
use std::sync::Arc;

use chancery_types::{AccountId, ClientId, RealmId, Timestamp};

use super::{DynWatcher, PasswordChangeOutcome, SignUpOutcome, SignUpRefusal};
use crate::error::Fault;
use crate::event::{DISABLED, PASSWORDS_UNSUPPORTED};
use crate::model::{
    Account, Acr, Authentication, ClaimType, Claims, Client, Hint, LoginForm, PasswordChange, Sector,
    SignUpForm,
};

/// Who people are. The application's, or the crate `chancery-accounts`.
///
/// Each method but the first has a default, and all are written as `async fn`:
///
/// ```
/// # mod chancery {
/// #     pub use chancery_core::error::Fault;
/// #     pub use chancery_core::model::{Account, Authentication, LoginForm};
/// #     pub use chancery_core::ports::{Accounts, LoginOutcome, LoginRefusal, Room};
/// #     pub use chancery_types::{AccountId, RealmId, Timestamp};
/// # }
/// use chancery::{Account, AccountId, Accounts, Authentication, Fault, LoginForm, LoginOutcome, LoginRefusal};
/// use chancery::{RealmId, Room, Timestamp};
///
/// struct People(Database);
///
/// impl Accounts for People {
///     async fn find(&self, _: &RealmId, id: &AccountId) -> Result<Option<Account>, Fault> {
///         let row = self.0.by_id(id.as_str()).await.map_err(|error| Fault::unavailable("people").because(error))?;
///         Ok(row.map(|row| Account::new(id.clone(), row.name)))
///     }
///
///     async fn authenticate(
///         &self,
///         realm: &RealmId,
///         now: Timestamp,
///         form: LoginForm,
///         _: Room,
///     ) -> Result<LoginOutcome, Fault> {
///         let id = self.0.whose_password(&form.username, &form.password).await.map_err(Fault::unavailable)?;
///         let account = match id.and_then(|id| AccountId::parse(&id).ok()) {
///             Some(id) => self.find(realm, &id).await?,
///             None => None,
///         };
///         Ok(match account {
///             Some(account) => LoginOutcome::Authenticated(Authentication::by_password(&account, now)),
///             None => LoginOutcome::Refused(LoginRefusal::UnknownName),
///         })
///     }
/// }
/// # struct Database;
/// # struct Row { name: String }
/// # impl Database {
/// #     async fn by_id(&self, _: &str) -> Result<Option<Row>, std::io::Error> { Ok(None) }
/// #     async fn whose_password(&self, _: &str, _: &str) -> Result<Option<String>, String> { Ok(None) }
/// # }
/// ```
pub trait Accounts: Send + Sync {
    /// The account of this id, byte for byte; `None` when there is none (any more). One with another id counts as none: where
    /// a person may be typed in several ways, [`authenticate`](Self::authenticate) answers with the one id that they have.
    fn find(
        &self,
        realm: &RealmId,
        id: &AccountId,
    ) -> impl Future<Output = Result<Option<Account>, Fault>> + Send;

    /// What is known about the person, be it asserted here or by others
    /// ([`ClaimSource`](crate::model::ClaimSource)). More than is asked for may be answered; what was not
    /// consented to is left out. By default nothing.
    ///
    /// Clients hear of a claim that a scope of `config.claims.scopes` has, or that `config.claims.extra` names: the cookbook of
    /// the crate `chancery` has "A claim of your own", with what is in the ID token and what at UserInfo.
    fn claims(
        &self,
        _realm: &RealmId,
        _ask: ClaimsQuery<'_>,
    ) -> impl Future<Output = Result<Claims, Fault>> + Send {
        async { Ok(Claims::default()) }
    }

    /// Who looks for changes, when people are kept after they were read. By default nobody: people are read
    /// each time.
    fn watcher(&self) -> Option<Arc<dyn DynWatcher>> {
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
    fn hint(
        &self,
        _realm: &RealmId,
        _hint: Hint,
    ) -> impl Future<Output = Result<Option<AccountId>, Fault>> + Send {
        async { Ok(None) }
    }

    /// Whom a `login_hint_token` means (CIBA Core section 7.1), which is what the application and its clients have agreed
    /// on: who may have issued it, and for whom. By default none is understood.
    fn login_hint_token(
        &self,
        _realm: &RealmId,
        _client: &Client,
        _token: &str,
    ) -> impl Future<Output = Result<LoginHintToken, Fault>> + Send {
        async { Ok(LoginHintToken::Unsupported) }
    }

    /// Whose pairwise subject it is in a sector, where an ID token names the person whom a client asks for (CIBA Core
    /// section 7.1). What is computed cannot be computed backwards, so that by default nobody is known.
    fn pairwise_subject(
        &self,
        _realm: &RealmId,
        _hinted: HintedSubject<'_>,
    ) -> impl Future<Output = Result<Option<AccountId>, Fault>> + Send {
        async { Ok(None) }
    }

    /// Whether people can have a user code (CIBA Core section 7.1.2): it is announced. By default they cannot.
    fn has_user_codes(&self, _realm: &RealmId) -> bool {
        false
    }

    /// Whether a client may ask this person at another device: whether it knows the person's user code, if there is
    /// one, or may do without (CIBA Core section 7.1.2). Whoever has codes counts the wrong ones.
    ///
    /// By default nobody has one.
    fn check_user_code(
        &self,
        _realm: &RealmId,
        _query: UserCodeQuery<'_>,
    ) -> impl Future<Output = Result<UserCodeCheck, Fault>> + Send {
        async { Ok(UserCodeCheck::Fine) }
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
    fn room(
        &self,
        _realm: &RealmId,
        _browser: Browser,
    ) -> impl Future<Output = Result<Option<Room>, Fault>> + Send {
        async { Ok(Some(Room::default())) }
    }

    /// The person, where a login page of the application comes back without name and password: somebody whom the
    /// application knows already, by a cookie of its own for one ([`Posted::cookie`](crate::model::Posted::cookie)), or by
    /// other fields that its page has. It is not counted as an attempt, so that nothing may count here that can be guessed.
    ///
    /// Only a form that was posted is asked about, and only if name or password is empty: the page is shown first, and
    /// `prompt=none` never comes here. If nobody is known, the page comes again with
    /// [`LoginProblem::Refused`](crate::interaction::view::LoginProblem::Refused).
    ///
    /// The answer says when they have signed in to the application: this is the `auth_time` that clients are told. Where a
    /// client wants a newer login (`prompt=login`, `max_age`), the page comes again, as after a wrong password.
    ///
    /// By default nobody is known.
    fn known(
        &self,
        _realm: &RealmId,
        _now: Timestamp,
        _form: &LoginForm,
    ) -> impl Future<Output = Result<Option<Authentication>, Fault>> + Send {
        async { Ok(None) }
    }

    /// Checks what was typed into the login page. The time it takes must not tell whether the name exists.
    ///
    /// What was typed need not have the form of an id. That is a wrong name and no fault:
    /// `let Ok(id) = AccountId::parse(&form.username) else { return Ok(LoginOutcome::Refused(LoginRefusal::UnknownName)) };`
    ///
    /// By default nobody can sign in with a password, and each attempt is [`LoginRefusal::PasswordsUnsupported`].
    fn authenticate(
        &self,
        _realm: &RealmId,
        _now: Timestamp,
        _form: LoginForm,
        _room: Room,
    ) -> impl Future<Output = Result<LoginOutcome, Fault>> + Send {
        async { Ok(LoginOutcome::Refused(LoginRefusal::PasswordsUnsupported)) }
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
    fn sign_up(
        &self,
        _realm: &RealmId,
        _now: Timestamp,
        _form: SignUpForm,
        _room: Room,
    ) -> impl Future<Output = Result<SignUpOutcome, Fault>> + Send {
        async { Ok(SignUpOutcome::Refused(SignUpRefusal::NameUnacceptable)) }
    }

    /// Whether people can change their passwords here, on the account page. By default they cannot.
    fn can_change_password(&self, _realm: &RealmId) -> bool {
        false
    }

    /// Changes a person's password, if they know the current one and the new one is acceptable. What is wrong with
    /// the new one is said first: the current one is not looked at then. The time that it takes must not tell
    /// anything of the current one.
    ///
    /// By default none can be changed.
    fn change_password(
        &self,
        _realm: &RealmId,
        _now: Timestamp,
        _change: PasswordChange,
        _room: Room,
    ) -> impl Future<Output = Result<PasswordChangeOutcome, Fault>> + Send {
        async { Err(Fault::internal("passwords cannot be changed here")) }
    }
}

chancery_types::port_object! {
    /// [`Accounts`] as an object, as the engine holds them: whatever implements that trait is one.
    pub trait DynAccounts for Accounts {
        async fn find<'a>(&'a self, realm: &'a RealmId, id: &'a AccountId) -> Result<Option<Account>, Fault>;
        async fn claims<'a>(&'a self, realm: &'a RealmId, ask: ClaimsQuery<'a>) -> Result<Claims, Fault>;
        async fn hint<'a>(&'a self, realm: &'a RealmId, hint: Hint) -> Result<Option<AccountId>, Fault>;
        async fn login_hint_token<'a>(
            &'a self,
            realm: &'a RealmId,
            client: &'a Client,
            token: &'a str,
        ) -> Result<LoginHintToken, Fault>;
        async fn pairwise_subject<'a>(
            &'a self,
            realm: &'a RealmId,
            hinted: HintedSubject<'a>,
        ) -> Result<Option<AccountId>, Fault>;
        async fn check_user_code<'a>(
            &'a self,
            realm: &'a RealmId,
            query: UserCodeQuery<'a>,
        ) -> Result<UserCodeCheck, Fault>;
        async fn room<'a>(&'a self, realm: &'a RealmId, browser: Browser) -> Result<Option<Room>, Fault>;
        async fn known<'a>(
            &'a self,
            realm: &'a RealmId,
            now: Timestamp,
            form: &'a LoginForm,
        ) -> Result<Option<Authentication>, Fault>;
        async fn authenticate<'a>(
            &'a self,
            realm: &'a RealmId,
            now: Timestamp,
            form: LoginForm,
            room: Room,
        ) -> Result<LoginOutcome, Fault>;
        async fn sign_up<'a>(
            &'a self,
            realm: &'a RealmId,
            now: Timestamp,
            form: SignUpForm,
            room: Room,
        ) -> Result<SignUpOutcome, Fault>;
        async fn change_password<'a>(
            &'a self,
            realm: &'a RealmId,
            now: Timestamp,
            change: PasswordChange,
            room: Room,
        ) -> Result<PasswordChangeOutcome, Fault>;
        fn watcher(&self) -> Option<Arc<dyn DynWatcher>>;
        fn claim_types(&self, realm: &RealmId) -> Vec<ClaimType>;
        fn levels(&self, realm: &RealmId) -> Vec<Acr>;
        fn has_user_codes(&self, realm: &RealmId) -> bool;
        fn folded(&self, username: &str) -> String;
        fn can_sign_up(&self, realm: &RealmId) -> bool;
        fn shortest_password(&self, realm: &RealmId) -> Option<usize>;
        fn may_sign_up(&self, realm: &RealmId, form: &SignUpForm) -> Result<(), SignUpRefusal>;
        fn can_change_password(&self, realm: &RealmId) -> bool;
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
    /// This person exists, and their password is another one.
    WrongPassword(AccountId),
    /// The password is right, but this person may not sign in.
    Disabled(AccountId),
    /// Nobody has a password here: what [`Accounts::authenticate`] answers where it is not implemented.
    PasswordsUnsupported,
}

impl LoginRefusal {
    /// As logs and metrics name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::UnknownName => "unknown_name",
            Self::WrongPassword(_) => "wrong_password",
            Self::Disabled(_) => DISABLED,
            Self::PasswordsUnsupported => PASSWORDS_UNSUPPORTED,
        }
    }

    /// Whose name was typed.
    #[must_use]
    pub const fn account(&self) -> Option<&AccountId> {
        match self {
            Self::UnknownName | Self::PasswordsUnsupported => None,
            Self::WrongPassword(account) | Self::Disabled(account) => Some(account),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    struct WithoutPasswords;

    impl Accounts for WithoutPasswords {
        async fn find(&self, _: &RealmId, _: &AccountId) -> Result<Option<Account>, Fault> {
            Ok(None)
        }
    }

    #[test]
    fn an_authenticate_that_was_forgotten_is_told_from_a_wrong_name() {
        let (realm, now) = (RealmId::parse("r").unwrap(), Timestamp::from_secs(100));
        let accounts: &dyn DynAccounts = &WithoutPasswords;
        let asked = accounts.authenticate(&realm, now, LoginForm::new("ada", "secret"), Room::default());
        let outcome = std::pin::pin!(asked).poll(&mut Context::from_waker(Waker::noop()));
        let expected = LoginOutcome::Refused(LoginRefusal::PasswordsUnsupported);
        assert!(matches!(outcome, Poll::Ready(Ok(outcome)) if outcome == expected));
    }
}

//! How and when a person proved who they are.

use std::borrow::Cow;

use chancery_jose::ClaimsWriter;
use chancery_types::{AccountId, Malformed, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Account, Epoch};

/// A method of authentication: a value of `amr` (RFC 8176 section 1). The values registered with IANA are
/// understood by others; an application may define its own.
///
/// ```
/// # mod chancery { pub mod model { pub use chancery_core::model::Amr; } }
/// use chancery::model::Amr;
/// assert_eq!(Amr::parse("hwk"), Ok(Amr::HARDWARE_KEY));
/// assert_eq!(Amr::parse("urn:house:badge").map(|amr| amr.as_str().to_owned()), Ok("urn:house:badge".into()));
/// assert!(Amr::parse("two words").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
pub struct Amr(Cow<'static, str>);

/// What anything else is told.
const NO_METHOD: Malformed = Malformed::new(
    "an authentication method",
    "it has at most 64 printable ASCII characters without blanks, quotes and backslashes",
);

impl Amr {
    /// A password.
    pub const PASSWORD: Self = Self(Cow::Borrowed("pwd"));
    /// Possession of a key that was shown to be in hardware.
    pub const HARDWARE_KEY: Self = Self(Cow::Borrowed("hwk"));
    /// Possession of a key in software.
    pub const SOFTWARE_KEY: Self = Self(Cow::Borrowed("swk"));
    /// The person was present, for example touched a key.
    pub const USER_PRESENCE: Self = Self(Cow::Borrowed("user"));
    /// A one-time password.
    pub const ONE_TIME_PASSWORD: Self = Self(Cow::Borrowed("otp"));
    /// More than one factor, in addition to the values for each.
    pub const MULTIPLE_FACTORS: Self = Self(Cow::Borrowed("mfa"));

    /// All registered values (RFC 8176 section 2).
    const REGISTERED: [&'static str; 21] = [
        "face", "fpt", "geo", "hwk", "iris", "kba", "mca", "mfa", "otp", "pin", "pop", "pwd", "rba",
        "retina", "sc", "sms", "swk", "tel", "user", "vbm", "wia",
    ];

    /// The longest value, in bytes.
    const LONGEST: usize = 64;

    /// A value of `amr`.
    ///
    /// # Errors
    /// [`Malformed`] unless it is at most 64 printable ASCII characters without spaces, quotes and
    /// backslashes.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if let Some(registered) = Self::REGISTERED.into_iter().find(|registered| *registered == text) {
            return Ok(Self(Cow::Borrowed(registered)));
        }
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
        let is_good = !text.is_empty() && text.len() <= Self::LONGEST && text.bytes().all(is_plain);
        if is_good { Ok(Self(Cow::Owned(text.to_owned()))) } else { Err(NO_METHOD) }
    }

    /// Its value in the ID token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<Cow<'_, str>> for Amr {
    type Error = Malformed;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<Amr> for String {
    fn from(amr: Amr) -> Self {
        amr.0.into_owned()
    }
}

/// One proof and its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// How.
    pub method: Amr,
    /// When.
    pub at: Timestamp,
}

/// An authentication context class (OIDC Core section 2, `acr`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Acr(pub Box<str>);

impl Acr {
    /// The class of a login by password.
    pub const PASSWORD: &'static str = "urn:chancery:acr:password";
}

/// A person's login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// Who.
    pub account: AccountId,
    /// The epoch of the account when the proof was checked. The login is valid only while the account still
    /// has it.
    pub epoch: Epoch,
    /// The factors in the order in which they were proved; never empty.
    pub factors: Vec<Factor>,
    /// The class that the factors reach.
    pub acr: Option<Acr>,
}

impl Authentication {
    /// A login by password at this time. The account is the one that was read together with the password, so
    /// a login that is overtaken by a change of the password is not valid.
    #[must_use]
    pub fn by_password(account: &Account, at: Timestamp) -> Self {
        let factors = vec![Factor { method: Amr::PASSWORD, at }];
        Self {
            account: account.id.clone(),
            epoch: account.epoch,
            factors,
            acr: Some(Acr(Acr::PASSWORD.into())),
        }
    }

    /// A login by any other way, whose class is not known.
    ///
    /// ```
    /// # use chancery_core::model::{Account, Amr, Authentication};
    /// # use chancery_types::{AccountId, Timestamp};
    /// # fn f(ada: &Account, now: Timestamp) {
    /// let by_code_and_key = Authentication::by(ada, Amr::ONE_TIME_PASSWORD, now).and(Amr::HARDWARE_KEY, now);
    /// # }
    /// ```
    #[must_use]
    pub fn by(account: &Account, method: Amr, at: Timestamp) -> Self {
        let factors = vec![Factor { method, at }];
        Self { account: account.id.clone(), epoch: account.epoch, factors, acr: None }
    }

    /// The same login with this further factor.
    #[must_use]
    pub fn and(mut self, method: Amr, at: Timestamp) -> Self {
        self.factors.push(Factor { method, at });
        self
    }

    /// The same login with this class.
    #[must_use]
    pub fn reaching(self, acr: Acr) -> Self {
        Self { acr: Some(acr), ..self }
    }

    /// `auth_time` (OIDC Core section 2): when the last factor was proved.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.factors.last().map_or(Timestamp::from_millis(0), |factor| factor.at)
    }

    /// Writes `auth_time`, `acr` and `amr` (OIDC Core section 2, RFC 9068 section 2.2.1).
    pub fn write(&self, claims: &mut ClaimsWriter) {
        claims
            .date("auth_time", self.time())
            .string_if("acr", self.acr.as_ref().map(|acr| &*acr.0))
            .strings("amr", self.factors.iter().map(|factor| factor.method.as_str()));
    }
}

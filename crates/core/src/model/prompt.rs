//! The prompts that a person can be shown.

use std::borrow::Cow;
use std::fmt;

use chancery_types::Malformed;
use serde::{Deserialize, Serialize};

/// What a page asks of the person (OIDC Core section 3.1.2.1, `prompt`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Cow<'_, str>", into = "String")]
#[non_exhaustive]
pub enum PromptName {
    /// Sign in.
    Login,
    /// Choose the account to continue with.
    SelectAccount,
    /// Allow or decline what the client asks for.
    Consent,
    /// Say that the device which asks is one's own (RFC 8628 section 3.3). No request can ask for it.
    ConfirmDevice,
    /// Approve what a client has asked for in the background, or refuse it (CIBA Core section 8). No request can
    /// ask for it.
    Approve,
    /// Make an account (Initiating User Registration via OpenID Connect section 4).
    Create,
    /// Whatever the application wants to know.
    Custom(CustomPromptName),
}

/// The name of an application's own prompt, and its value in `prompt`.
///
/// ```
/// # mod chancery { pub mod model { pub use chancery_core::model::CustomPromptName; } }
/// use chancery::model::CustomPromptName;
/// assert!(CustomPromptName::parse("new_terms").is_ok());
/// for taken in ["login", "consent", "select_account", "create", "none", "two words", ""] {
///     assert!(CustomPromptName::parse(taken).is_err(), "{taken}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CustomPromptName(Box<str>);

/// What anything else is told.
const NO_NAME: Malformed = Malformed::new(
    "the name of a prompt",
    "it has at most 64 letters, digits, `-`, `.` and `_`, and is not that of a standard one",
);

impl CustomPromptName {
    /// The longest name, in bytes.
    const LONGEST: usize = 64;

    /// The values that mean something else: those of OIDC Core section 3.1.2.1, and that of Initiating User
    /// Registration section 4; and the names that pages about other devices have in records.
    const TAKEN: [&'static str; 7] =
        ["none", "login", "select_account", "consent", "create", "confirm_device", "approve"];

    /// A name: at most 64 letters, digits, `-`, `.` and `_` of ASCII, and none of the standard values.
    ///
    /// # Errors
    /// [`Malformed`]
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_good = !text.is_empty() && text.len() <= Self::LONGEST && text.bytes().all(is_plain);
        if is_good && !Self::TAKEN.contains(&text) { Ok(Self(text.into())) } else { Err(NO_NAME) }
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomPromptName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PromptName {
    /// Its name in requests, records, form tokens and events.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Login => "login",
            Self::SelectAccount => "select_account",
            Self::Consent => "consent",
            Self::ConfirmDevice => "confirm_device",
            Self::Approve => "approve",
            Self::Create => "create",
            Self::Custom(name) => name.as_str(),
        }
    }

    /// A prompt of this name.
    ///
    /// # Errors
    /// [`Malformed`] if an application cannot have one of that name.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match text {
            "login" => Ok(Self::Login),
            "select_account" => Ok(Self::SelectAccount),
            "consent" => Ok(Self::Consent),
            "confirm_device" => Ok(Self::ConfirmDevice),
            "approve" => Ok(Self::Approve),
            "create" => Ok(Self::Create),
            custom => CustomPromptName::parse(custom).map(Self::Custom),
        }
    }
}

impl TryFrom<Cow<'_, str>> for PromptName {
    type Error = Malformed;

    fn try_from(text: Cow<'_, str>) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<PromptName> for String {
    fn from(prompt: PromptName) -> Self {
        prompt.as_str().to_owned()
    }
}

/// The prompts that the person has answered for one request, in the order of the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Done(Vec<PromptName>);

impl Done {
    /// Whether the person has answered it.
    #[must_use]
    pub fn has(&self, prompt: &PromptName) -> bool {
        self.0.contains(prompt)
    }

    /// Records that the person has answered it.
    pub fn add(&mut self, prompt: PromptName) {
        if !self.has(&prompt) {
            self.0.push(prompt);
        }
    }

    /// Discards the answer.
    pub fn forget(&mut self, prompt: &PromptName) {
        self.0.retain(|done| done != prompt);
    }

    /// Discards what one person has answered for themselves, and another has not.
    pub fn forget_person(&mut self) {
        self.0.retain(|done| {
            !matches!(done, PromptName::Approve | PromptName::Consent | PromptName::Custom(_))
        });
    }
}

impl FromIterator<PromptName> for Done {
    fn from_iter<T: IntoIterator<Item = PromptName>>(prompts: T) -> Self {
        Self(prompts.into_iter().collect())
    }
}

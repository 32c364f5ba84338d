//! The prompts that a person can be shown.

use serde::{Deserialize, Serialize};

/// What a page asks of the person (OIDC Core section 3.1.2.1, `prompt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PromptName {
    /// Sign in.
    Login,
    /// Choose the account to continue with.
    SelectAccount,
    /// Allow or decline what the client asks for.
    Consent,
}

impl PromptName {
    /// Its name in records, form tokens and events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::SelectAccount => "select_account",
            Self::Consent => "consent",
        }
    }
}

/// The prompts that the person has answered for one request, in the order of the answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Done(Vec<PromptName>);

impl Done {
    /// Whether the person has answered it.
    #[must_use]
    pub fn has(&self, prompt: PromptName) -> bool {
        self.0.contains(&prompt)
    }

    /// Records that the person has answered it.
    pub fn add(&mut self, prompt: PromptName) {
        self.0.push(prompt);
    }

    /// Discards the answer.
    pub fn forget(&mut self, prompt: PromptName) {
        self.0.retain(|done| *done != prompt);
    }
}

impl FromIterator<PromptName> for Done {
    fn from_iter<T: IntoIterator<Item = PromptName>>(prompts: T) -> Self {
        Self(prompts.into_iter().collect())
    }
}

//! The prompts of a provider, in order.

use crate::error::Complaint;
use crate::model::PromptName;
use crate::policy::DynAuthorizationPolicy;

/// The prompts that can be asked for, each once, in the order in which they are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptOrder(Vec<PromptName>);

impl PromptOrder {
    /// That of a policy. What its [`complaints`](Self::complaints) would be about is mended, so that a page that
    /// is needed can always be found. Where accounts can be made, `create` comes last, because it takes the place of a
    /// login.
    #[must_use]
    pub fn of(policy: &dyn DynAuthorizationPolicy, offers_sign_up: bool) -> Self {
        let mut order: Vec<PromptName> = Vec::new();
        for prompt in policy.prompts() {
            if !order.contains(&prompt)
                && !matches!(prompt, PromptName::Create | PromptName::ConfirmDevice | PromptName::Approve)
            {
                order.push(prompt);
            }
        }
        if !order.contains(&PromptName::Login) {
            order.insert(0, PromptName::Login);
        }
        if !order.contains(&PromptName::Consent) {
            order.push(PromptName::Consent);
        }
        if offers_sign_up {
            order.push(PromptName::Create);
        }
        Self(order)
    }

    /// What is wrong with the prompts of a policy.
    #[must_use]
    pub fn complaints(policy: &dyn DynAuthorizationPolicy) -> Vec<Complaint> {
        const SETTING: &str = "AuthorizationPolicy::prompts";
        let prompts = policy.prompts();
        let complaint = |rule: String| Complaint::new(SETTING, rule, "OIDC Core section 3.1.2.1");
        let is_twice = |prompt: &&PromptName| prompts.iter().filter(|other| other == prompt).count() > 1;
        let twice = prompts.iter().find(is_twice);
        let create = prompts
            .contains(&PromptName::Create)
            .then(|| "must not contain `create`, which `[sign_up]` offers".to_owned());
        let missing =
            [PromptName::Login, PromptName::Consent].into_iter().filter(|name| !prompts.contains(name));
        missing
            .map(|name| complaint(format!("must contain `{}`", name.as_str())))
            .chain(create.map(complaint))
            .chain(twice.map(|name| complaint(format!("must contain `{}` only once", name.as_str()))))
            .collect()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &PromptName> {
        self.0.iter()
    }

    /// The prompt that a request asks for by this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&PromptName> {
        self.iter().find(|prompt| prompt.as_str() == name)
    }
}

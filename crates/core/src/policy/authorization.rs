//! What an application may decide about authorization requests.

use std::future::Future;
use std::sync::Arc;

use chancery_types::iana::ErrorCode;
use chancery_types::{AccountId, Scopes};
use serde_json::Value;

use crate::error::{Fault, Reason, Refusal};
use crate::model::{
    Account, Acr, Authentication, AuthorizationDetail, ClaimsRequest, Client, ConsentAnswer,
    CustomPromptName, OwnParameters, PromptName, ResourceServer,
};

reasons! {
    /// The application has to ask the person something.
    pub INTERACTION_REQUIRED = Reason {
        name: "interaction_required",
        code: ErrorCode::InteractionRequired,
        description: "End-User interaction is required",
        section: "OIDC Core section 3.1.2.6",
    };
}

/// What an authorization request asks for.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// The scopes that are known here.
    pub scopes: &'a Scopes,
    /// The resource servers that access is asked for.
    pub resources: &'a [Arc<ResourceServer>],
    /// The authorization details (RFC 9396 section 3).
    pub details: &'a [AuthorizationDetail],
    /// Single claims (OIDC Core section 5.5).
    pub claims: &'a ClaimsRequest,
    /// Authentication context classes, best first.
    pub acr_values: &'a [Acr],
    /// The pages that the client wants to be shown; none when no page may be shown (`prompt=none`).
    pub prompts: &'a [PromptName],
    /// The application's own parameters.
    pub parameters: &'a OwnParameters,
}

/// A person who has signed in.
#[derive(Clone, Copy)]
pub struct PersonView<'a> {
    /// Who it is.
    pub account: &'a Account,
    /// How they have signed in.
    pub authentication: &'a Authentication,
}

/// A prompt of the application's own that is needed.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomPrompt {
    /// What its page shows, for the application's own page. Nothing else reads it.
    pub data: Value,
    /// What the client is told when no page may be shown (`prompt=none`).
    pub reason: &'static Reason,
}

impl CustomPrompt {
    /// A prompt whose page shows this. Without a page the client is told `interaction_required`.
    #[must_use]
    pub fn new(data: Value) -> Self {
        Self { data, reason: &INTERACTION_REQUIRED }
    }

    /// The same prompt; without a page the client is told this.
    #[must_use]
    pub fn because(self, reason: &'static Reason) -> Self {
        Self { reason, ..self }
    }
}

/// What an application may decide about authorization requests. Each method has a default.
pub trait AuthorizationPolicy: Send + Sync {
    /// The prompts that a request can ask for, in the order in which they are looked at: the first that is
    /// needed is shown. By default login, choice of the account, consent.
    ///
    /// Prompts of the application's own stand among them, wherever it wants to ask. Login and consent cannot
    /// be left out; without `select_account`, a client cannot ask for the choice of an account. Whatever the
    /// order, nobody is asked anything before somebody has signed in.
    fn prompts(&self) -> Vec<PromptName> {
        vec![PromptName::Login, PromptName::SelectAccount, PromptName::Consent]
    }

    /// Whether a prompt of the application's own is needed for this request of this person, and what its page
    /// shows: by default none is. It is asked at every step until the person has answered, and again for the
    /// next request, unless the application has kept the answer and looks for it here. When the client demands the
    /// prompt, its page is shown even if it is not needed.
    ///
    /// The page posts to an address of the application, where the step
    /// [`CustomStep`](crate::interaction::CustomStep) is answered.
    fn custom_prompt(
        &self,
        _prompt: &CustomPromptName,
        _request: RequestView<'_>,
        _person: PersonView<'_>,
    ) -> impl Future<Output = Result<Option<CustomPrompt>, Fault>> + Send {
        async { Ok(None) }
    }

    /// The parameters of authorization requests that mean something to the application; all others that no
    /// standard names are ignored (RFC 6749 section 3.1). They are read where every parameter is, also from a request
    /// object, and [`RequestView`] and the views of pages have them.
    fn parameters(&self) -> &[&str] {
        &[]
    }

    /// Checks the application's own parameters, after everything else about the request is good; also when
    /// there is none.
    ///
    /// # Errors
    /// A refusal that is sent to the client.
    fn check(&self, _request: RequestView<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    /// Checks the `claims` parameter after it has been read (OIDC Core section 5.5).
    ///
    /// # Errors
    /// A refusal that is sent to the client.
    fn claims_request(&self, _asked: &ClaimsRequest, _client: &Client) -> Result<(), Refusal> {
        Ok(())
    }

    /// What counts as agreed before the person is asked; `stored` is what they agreed to earlier. An
    /// application that keeps consents elsewhere or vouches for some scopes returns more, one that wants to
    /// ask again returns less.
    fn standing_consent(
        &self,
        _client: &Client,
        _account: &AccountId,
        stored: ConsentAnswer,
    ) -> impl Future<Output = Result<ConsentAnswer, Fault>> + Send {
        async { Ok(stored) }
    }
}

chancery_types::port_object! {
    /// [`AuthorizationPolicy`] as an object, as the engine holds it: whatever implements that trait is one.
    pub trait DynAuthorizationPolicy for AuthorizationPolicy {
        async fn custom_prompt<'a>(
            &'a self,
            prompt: &'a CustomPromptName,
            request: RequestView<'a>,
            person: PersonView<'a>,
        ) -> Result<Option<CustomPrompt>, Fault>;
        async fn standing_consent<'a>(
            &'a self,
            client: &'a Client,
            account: &'a AccountId,
            stored: ConsentAnswer,
        ) -> Result<ConsentAnswer, Fault>;
        fn prompts(&self) -> Vec<PromptName>;
        fn parameters(&self) -> &[&str];
        fn check(&self, request: RequestView<'_>) -> Result<(), Refusal>;
        fn claims_request(&self, asked: &ClaimsRequest, client: &Client) -> Result<(), Refusal>;
    }
}

/// The default of every method.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultAuthorizationPolicy;

impl AuthorizationPolicy for DefaultAuthorizationPolicy {}

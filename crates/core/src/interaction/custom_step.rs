//! The step of an application's own prompt (OIDC Core section 3.1.2.1).

use chancery_types::{AccountId, Timestamp};
use serde_json::Value;

use super::Next;
use super::commit::{SessionChange, declined, go_on, refuse};
use super::page::{Shown, lost, page};
use super::pending::Pending;
use crate::error::{Fault, Reason};
use crate::model::{CustomPromptName, OwnParameters, PromptName};
use crate::policy::RequestView;

/// Answer the application's own question.
///
/// The form has come from the page that this person was shown for this request in this session, and the page
/// showed what [`data`](Self::data) has. What else the form says is for the application to judge, and to keep if
/// it is to count for other requests, too.
///
/// No question of an application's own signs anybody in:
///
/// ```
/// # use chancery_core::interaction::CustomStep;
/// # async fn f(step: CustomStep<'_>) {
/// let next = step.done().await;
/// # }
/// ```
/// ```compile_fail,E0599
/// # use chancery_core::{interaction::CustomStep, model::Authentication};
/// # async fn f(step: CustomStep<'_>, who: Authentication) {
/// let next = step.authenticated(who).await;
/// # }
/// ```
pub struct CustomStep<'a> {
    pub(super) pending: Pending<'a>,
    pub(super) name: CustomPromptName,
    pub(super) account: AccountId,
}

impl CustomStep<'_> {
    /// Which prompt it is.
    #[must_use]
    pub fn prompt(&self) -> &CustomPromptName {
        &self.name
    }

    /// Who was asked.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// What the page showed.
    #[must_use]
    pub fn data(&self) -> Value {
        self.pending.data_of(&self.name)
    }

    /// The request for which the page was shown.
    #[must_use]
    pub fn request(&self) -> RequestView<'_> {
        self.pending.asked.view(&self.pending.client)
    }

    /// The application's own parameters of the request.
    #[must_use]
    pub fn parameters(&self) -> &OwnParameters {
        &self.pending.asked.own
    }

    /// When the form came.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.pending.call.now
    }

    /// The question is answered, for this request of this person: goes on to the next page or back to the client.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn done(self) -> Result<Next, Fault> {
        let Self { mut pending, name, .. } = self;
        let (by, call, env) = pending.world();
        pending.done.add(PromptName::Custom(name));
        let next = match SessionChange::visit(&pending) {
            Some(visit) => Box::pin(go_on(&pending, visit)).await?,
            None => lost(&pending, false)?,
        };
        by.respond(call, env, next).await
    }

    /// The page comes again, and says why in the application's own words.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub async fn again(self, problem: impl Into<String>) -> Result<Next, Fault> {
        let Self { pending, name, .. } = self;
        let (by, call, env) = pending.world();
        let shown = Shown::custom(name, problem.into());
        by.respond(call, env, page(&pending, shown).await?).await
    }

    /// The person does not agree: `access_denied`.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn denied(self) -> Result<Next, Fault> {
        let (by, call, env) = self.pending.world();
        by.respond(call, env, declined(self.pending).await?).await
    }

    /// The application does not let this person go on, and the client is told why.
    ///
    /// # Errors
    /// A fault of the store.
    pub async fn refused(self, why: &'static Reason) -> Result<Next, Fault> {
        let (by, call, env) = self.pending.world();
        by.respond(call, env, refuse(&self.pending, &why.into()).await?).await
    }
}

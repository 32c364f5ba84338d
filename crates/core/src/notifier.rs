//! CIBA Core section 8: how people hear that something waits for their approval.
//!
//! The engine has pages for that, and nothing that rings. An application with a channel of its own, such as push
//! messages of its app, implements [`Notifier`]; an operator names a web hook (`[ciba.notify]`).

use std::future::Future;
use std::sync::Arc;

use chancery_types::{AccountId, ClientId, RealmId, Timestamp};

use crate::error::Fault;

/// Something that waits for a person's approval. It holds no secret: neither `auth_req_id` nor a token, and its link
/// opens nothing to whoever is not that person.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ApprovalRequest<'a> {
    /// In which realm.
    pub realm: &'a RealmId,
    /// Whose approval it waits for.
    pub account: &'a AccountId,
    /// Who asks.
    pub client: &'a ClientId,
    /// What that client is called.
    pub client_name: &'a str,
    /// What the client shows, too, so that the person can compare it. It was written by the client.
    pub binding_message: Option<&'a str>,
    /// The page on which the person decides.
    pub link: &'a str,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Tells people that a request at another device (CIBA) waits for them, in whatever way an application has. It is for that alone.
///
/// It is told by the worker ([`Provider::deliver`](crate::provider::Provider::deliver)) after the request was stored
/// and answered, so that no failure of it reaches the client, and again after a failure, later each time, until the
/// person has decided or the time of the request is over. After a crash it may be told twice of the same request; the
/// link is the same.
///
/// It should give up by itself after [`ATTEMPT`](crate::outbox::ATTEMPT), and is given up after twice that time. What hangs
/// keeps one of its own places, of which there are a few, and no other notice waits for it.
///
/// ```
/// # mod chancery {
/// #     pub use chancery_core::error::Fault;
/// #     pub use chancery_core::notifier::{ApprovalRequest, Notifier};
/// # }
/// use chancery::{ApprovalRequest, Fault, Notifier};
///
/// struct Push;
///
/// impl Notifier for Push {
///     async fn notify(&self, request: &ApprovalRequest<'_>) -> Result<(), Fault> {
///         let text = format!("{} asks for your approval: {}", request.client_name, request.link);
///         send_to_phone_of(request.account.as_str(), &text).await
///     }
/// }
/// # async fn send_to_phone_of(_: &str, _: &str) -> Result<(), Fault> { Ok(()) }
/// ```
pub trait Notifier: Send + Sync {
    /// Tells the person.
    fn notify(&self, request: &ApprovalRequest<'_>) -> impl Future<Output = Result<(), Fault>> + Send;
}

chancery_types::port_object! {
    /// [`Notifier`] as an object, as the engine holds it: whatever implements that trait is one.
    pub trait DynNotifier for Notifier {
        async fn notify<'a>(&'a self, request: &'a ApprovalRequest<'a>) -> Result<(), Fault>;
    }
}

/// How people hear of it here.
#[derive(Clone, Default)]
pub enum Notifying {
    /// Not at all: they look at the page by themselves.
    #[default]
    Nobody,
    /// The application tells them.
    Application(Arc<dyn DynNotifier>),
    /// A signed notice is posted to this address of the operator.
    WebHook(Box<str>),
}

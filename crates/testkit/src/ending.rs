//! Ends sessions and consents, and sends the notices of it.

use chancery_core::context::{Call, RequestId};
use chancery_core::event::Event;
use chancery_types::{AccountId, ClientId};

use crate::interleaved::wait;
use crate::provider::TestProvider;

/// What the end of sessions by an operator is called among the events.
const COMMAND: &str = "command";

/// What a withdrawal is called among the events.
const WITHDRAWAL: &str = "withdrawal";

impl TestProvider {
    /// What a worker does when something is to be sent to clients: says what happened.
    pub fn deliver(&self) -> Vec<Event> {
        wait(self.provider.deliver(self.now())).expect("the store");
        self.delivered()
    }

    /// What has happened to what was sent to clients since this was asked last.
    pub fn delivered(&self) -> Vec<Event> {
        self.events.take("outbox")
    }

    /// An operator, or a page of the application, ends all sessions of a person; says how many, and what
    /// happened.
    pub fn end_sessions(&self, account: &str) -> (u64, Vec<Event>) {
        let call = Call::new(self.now(), RequestId(COMMAND.into()));
        let account = AccountId::parse(account).expect("an account id");
        let ended = wait(self.provider.end_sessions(&call, &account)).expect("the store");
        (ended, self.events.take(COMMAND))
    }

    /// A person withdraws the consent to a client, as through a page of the application; says how many grants
    /// ended, and what happened.
    pub fn withdraw_consent(&self, account: &str, client: &str) -> (u64, Vec<Event>) {
        let ended = wait(self.withdrawal(account, client));
        (ended, self.events.take(WITHDRAWAL))
    }

    /// The same, to be raced with requests.
    pub async fn withdrawal(&self, account: &str, client: &str) -> u64 {
        let call = Call::new(self.now(), RequestId(WITHDRAWAL.into()));
        let account = AccountId::parse(account).expect("an account id");
        let client = ClientId::parse(client).expect("a client id");
        self.provider.withdraw_consent(&call, &account, &client).await.expect("the store")
    }
}

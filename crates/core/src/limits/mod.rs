//! How much strangers can do here: guess, register, have requests stored for them, and poll. One process counts it in
//! memory; the store holds the rest.

mod asked_people;
pub use asked_people::AskedPeople;

mod client_secrets;
pub use client_secrets::ClientSecrets;

mod lots;
pub use lots::Lots;

mod polls;
pub use polls::Polls;

mod pushed_requests;
pub use pushed_requests::PushedRequests;

mod registrations;
pub use registrations::{Quotas, Registrations};

mod stay;
pub(crate) use stay::Stay;

mod stored_requests;
pub use stored_requests::{OF_ONE_SESSION, StoredRequests};

mod turns;
pub use turns::{Turn, Turns};

/// Shared by all requests of one realm.
#[derive(Default)]
pub struct Limits {
    /// Logins that are checked one after the other.
    pub turns: Turns,
    /// Logins that find the line in front of a shared count full.
    pub lots: Lots,
    /// Wrong secrets of clients.
    pub client_secrets: ClientSecrets,
    /// Clients that registered themselves.
    pub registrations: Registrations,
    /// Requests of clients that wait for people at other devices.
    pub backchannel_requests: PushedRequests,
    /// People whom clients ask in the background.
    pub asked_people: AskedPeople,
    /// Devices that wait for their persons.
    pub devices: PushedRequests,
    /// When clients have last asked for a decision.
    pub polls: Polls,
    /// Requests that clients have pushed.
    pub pushed_requests: PushedRequests,
    /// Accounts that people have tried to make for themselves.
    pub sign_ups: Registrations,
    /// Requests that were stored before anybody did anything for them.
    pub stored_requests: StoredRequests,
}

//! What one process remembers about guessing attempts and registrations; the store holds the rest.

mod client_secrets;
pub use client_secrets::ClientSecrets;

mod lots;
pub use lots::Lots;

mod registrations;
pub use registrations::Registrations;

mod turns;
pub use turns::{Turn, Turns};

/// Shared by all requests of one realm.
#[derive(Default)]
pub struct Guessing {
    /// Logins that are checked one after the other.
    pub turns: Turns,
    /// Logins that find the line in front of a shared count full.
    pub lots: Lots,
    /// Wrong secrets of clients.
    pub client_secrets: ClientSecrets,
    /// Clients that registered themselves.
    pub registrations: Registrations,
}

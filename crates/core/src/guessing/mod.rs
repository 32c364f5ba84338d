//! What one process remembers about guessing; the store holds the rest.

mod client_secrets;
pub use client_secrets::ClientSecrets;

mod turns;
pub use turns::{Turn, Turns};

/// Shared by all requests of one realm.
#[derive(Default)]
pub struct Guessing {
    /// Logins that are looked at one after the other.
    pub turns: Turns,
    /// Wrong secrets of clients.
    pub client_secrets: ClientSecrets,
}

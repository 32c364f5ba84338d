//! People with passwords, over a [`DocumentStore`](chancery_store::DocumentStore): for whoever has no people of their own.
//!
//! [`StoredAccounts`] is both what the engine asks ([`Accounts`](chancery_core::ports::Accounts)) and what an operator
//! changes people with. Passwords are hashed by the threads of a [`PasswordPool`], never by those of the async runtime.
//!
//! Nothing here asks a clock or draws a random number by itself; too many wrong passwords are the engine's concern.

mod username;
pub use username::Username;

mod claims;
pub use claims::check_claims;

mod password;
pub use password::Password;

mod rules;
pub use rules::PasswordRules;

mod pool;
pub use pool::{Full, PasswordPool};

mod person;
pub use person::Person;

mod known;

mod accounts;
pub use accounts::{AccountError, NewPerson, StoredAccounts};

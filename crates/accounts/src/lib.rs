//! People with passwords in a [`DocumentStore`](chancery_store::DocumentStore), for applications without
//! accounts of their own.
//!
//! [`StoredAccounts`] answers the engine ([`Accounts`](chancery_core::ports::Accounts)), and an operator
//! changes people with it. Passwords are hashed by the threads of a [`PasswordPool`], never by those of the
//! async runtime.
//!
//! Nothing here asks a clock or draws a random number by itself. The engine throttles guesses at passwords.

mod username;
pub use username::Username;

mod claims;
pub use claims::check_claims;

mod password;
pub use password::Password;

mod rules;
pub use rules::{PasswordRule, PasswordRules};

mod pool;
pub use pool::{Full, HashingLoad, PasswordPool};

mod person;
pub use person::{Person, SignedOut};

mod cached_person;

mod accounts;
pub use accounts::{AccountError, NewPerson, StoredAccounts};

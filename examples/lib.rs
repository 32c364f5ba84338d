//! How to use Chancery in an application. The programs stand beside this file:
//!
//! - `minimal`: a development provider in ten lines;
//! - `mounted`: a provider under a path of an application that has routes of its own;
//! - `protected_api`: people, a login page and an API of the application, in one program;
//! - `own_accounts`: a second factor, and a question of the application's own;
//! - `protected_api_apart`: an API apart from it.
//!
//! `cargo run -- try --issuer URL` signs in at any of them.

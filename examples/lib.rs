//! How to use Chancery in an application. The programs stand beside this file:
//!
//! - `minimal`: a development provider in fifteen lines;
//! - `mounted`: a provider under a path of an application that has routes of its own;
//! - `own_accounts`: people and pages of the application, and a second factor of its own;
//! - `protected_api`: an API beside the provider, in one program;
//! - `protected_api_apart`: an API apart from it;
//! - `try`: a client (`cargo run --example try`, while the server runs).

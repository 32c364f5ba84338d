//! `chancery user` and `chancery session`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Configured, PasswordSource};

#[derive(Subcommand)]
pub(crate) enum User {
    /// Add a person
    Add {
        #[command(flatten)]
        configured: Configured,
        /// The name that the person types
        username: String,
        #[command(flatten)]
        claims: ClaimSource,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Show everything about a person but the password: state, claims, sessions, clients that may act without one
    Show(Person),
    /// Change claims of a person, whose sessions go on
    #[command(visible_alias = "update")]
    Set {
        #[command(flatten)]
        person: Person,
        #[command(flatten)]
        claims: ClaimSource,
    },
    /// Print the claims of a person, as `user set --claims` takes them
    Claims(Person),
    /// Change a person's password, which ends their sessions and grants
    #[command(visible_alias = "password")]
    Passwd {
        #[command(flatten)]
        person: Person,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Keep a person from logging in, and end their sessions and grants
    Disable(Person),
    /// Let a person log in again
    Enable(Person),
    /// Remove a person
    Remove(Person),
    /// List all people, by user name
    List(Configured),
}

#[derive(Subcommand)]
pub(crate) enum Session {
    /// List a person's sessions, the newest login last: name, login, last use, end, browser, network, clients
    List(Person),
    /// End a person's sessions, or one of them; the running server notifies the clients that want to be told
    ///
    /// What clients were given for the time when the person is away (the scope `offline_access`) goes on: refresh tokens and
    /// their access tokens. --grants ends that, too, as a new password does: so where something was stolen.
    End {
        #[command(flatten)]
        configured: Configured,
        /// The person's user name, or their id, as the log has it by `account`. It may begin with a hyphen
        #[arg(allow_hyphen_values = true, required_unless_present = "all")]
        username: Option<String>,
        /// The session, as `session list` shows it; without it all of them. It may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
        session: Option<String>,
        /// Everybody's sessions
        #[arg(long, conflicts_with_all = ["username", "session"])]
        all: bool,
        /// All tokens of the clients, too, also those for the time when the person is away
        #[arg(long, conflicts_with = "session")]
        grants: bool,
    },
}

/// A person by their user name or id.
#[derive(Args)]
pub(crate) struct Person {
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// The person's user name, or their id, as the log has it by `account`. It may begin with a hyphen
    #[arg(allow_hyphen_values = true)]
    pub(crate) username: String,
}

/// Claims about a person (OIDC Core sections 5.1 and 5.2).
#[derive(Args)]
pub(crate) struct ClaimSource {
    /// Claims one by one. A value is text, or JSON if the claim is a number, a switch or an object; an empty one removes
    /// the claim
    #[arg(value_name = "CLAIM=VALUE")]
    pub(crate) single: Vec<String>,
    /// A JSON object with all claims, such as `{"name": "Hanako", "name#ja": "花子"}`; `-` for the standard input
    #[arg(long, value_name = "FILE", conflicts_with = "single")]
    pub(crate) claims: Option<PathBuf>,
}

//! `chancery user` and `chancery session`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Configured, PasswordSource};

#[derive(Subcommand)]
pub(crate) enum User {
    /// Add a person
    #[command(after_help = "Examples:
  chancery user add alice email=alice@example.org name='Alice Liddell'
  chancery user add bob --claims bob.json --password-file bob.password")]
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
    /// Show everything about a person but the password: state, claims, sessions
    #[command(after_help = "Example:\n  chancery user show alice --json")]
    Show(Person),
    /// Change claims of a person, whose sessions go on
    #[command(after_help = "Examples:
  chancery user set alice email=alice@example.org email_verified=true
  chancery user set alice nickname=                    # removes the claim
  chancery user claims alice > alice.json              # edit the file, then:
  chancery user set alice --claims alice.json          # replaces all claims")]
    Set {
        #[command(flatten)]
        person: Person,
        #[command(flatten)]
        claims: ClaimSource,
    },
    /// Print the claims of a person, as `user set --claims` takes them
    #[command(after_help = "Example:\n  chancery user claims alice > alice.json")]
    Claims(Person),
    /// Change a person's password, which ends their sessions and grants
    #[command(
        visible_alias = "password",
        after_help = "Examples:
  chancery user passwd alice
  chancery user passwd alice --password-file alice.password"
    )]
    Passwd {
        #[command(flatten)]
        person: Person,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Keep a person from logging in, and end their sessions and grants
    #[command(after_help = "Example:\n  chancery user disable alice")]
    Disable(Person),
    /// Let a person log in again
    #[command(after_help = "Example:\n  chancery user enable alice")]
    Enable(Person),
    /// Remove a person
    #[command(after_help = "Example:\n  chancery user remove alice")]
    Remove(Person),
    /// List all people
    #[command(after_help = "Example:\n  chancery user list --json")]
    List(Configured),
}

#[derive(Subcommand)]
pub(crate) enum Session {
    /// List a person's sessions: name, login, end, clients
    #[command(after_help = "Example:\n  chancery session list alice")]
    List(Person),
    /// End a person's sessions, or one of them; the running server notifies the clients
    #[command(after_help = "Examples:
  chancery session end alice                 # all of them
  chancery session end alice xkMl3dPq8wY     # one, as `session list` names it")]
    End {
        #[command(flatten)]
        who: Person,
        /// The session, as `session list` shows it; without it all of them. It may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
        session: Option<String>,
    },
}

/// A person by their user name.
#[derive(Args)]
pub(crate) struct Person {
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// The person's user name
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

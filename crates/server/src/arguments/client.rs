//! `chancery client`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Configured;

#[derive(Subcommand)]
pub(crate) enum Client {
    /// Add one client, or many (RFC 7591 metadata as a JSON object or an array of them)
    Add {
        #[command(flatten)]
        configured: Configured,
        #[command(flatten)]
        metadata: Metadata,
        #[command(flatten)]
        simple: Simple,
        /// Accept a given client_secret of less than 32 characters
        #[arg(long)]
        weak_secret: bool,
    },
    /// List all clients, by client_id
    List(Configured),
    /// Show everything about a client but its secret
    Show(Named),
    /// Change a client by flags, or by a JSON object with the members that are to be others; `null` removes one
    #[command(visible_alias = "set")]
    Update {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        metadata: Metadata,
        #[command(flatten)]
        changed: Changed,
    },
    /// Replace the secret of a client
    #[command(subcommand)]
    Secret(ClientSecret),
    /// Disable a client: it is refused everywhere, and its codes, tokens and consents end for good. People stay signed in
    Disable(Named),
    /// Enable a client again
    Enable(Named),
    /// Remove a client, which ends its grants and tokens for good, even if its client_id is added again
    Remove(Named),
    /// Explain the members of client metadata
    Members {
        /// Explain this one only
        name: Option<String>,
        /// Print the tables of docs/clients.md instead
        #[arg(long, conflicts_with = "name")]
        markdown: bool,
    },
}

/// A client by its id.
#[derive(Args)]
pub(crate) struct Named {
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// The client_id, as `client list` shows it
    #[arg(allow_hyphen_values = true)]
    pub(crate) client_id: String,
}

/// Where metadata comes from.
#[derive(Args)]
pub(crate) struct Metadata {
    /// The metadata, as JSON
    #[arg(value_name = "JSON")]
    pub(crate) given: Option<String>,
    /// A file with the metadata instead; `-` for the standard input
    #[arg(long, value_name = "FILE", conflicts_with = "given")]
    pub(crate) file: Option<PathBuf>,
}

/// A client without JSON.
#[derive(Args)]
pub(crate) struct Simple {
    /// What the client is
    #[arg(long, value_enum, conflicts_with_all = ["given", "file"])]
    pub(crate) kind: Option<Kind>,
    /// Its client_id; made when missing
    #[arg(long, value_name = "CLIENT_ID", requires = "kind", conflicts_with_all = ["given", "file"])]
    pub(crate) id: Option<String>,
    /// Its name, which people read
    #[arg(long, value_name = "NAME", requires = "kind", conflicts_with_all = ["given", "file"])]
    pub(crate) name: Option<String>,
    /// Where the browser goes after the login; repeat it for several
    #[arg(long = "redirect-uri", value_name = "URI", requires = "kind", conflicts_with_all = ["given", "file"])]
    pub(crate) redirect_uris: Vec<String>,
    /// Where the browser may go after the logout; repeat it for several
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", requires = "kind", conflicts_with_all = ["given", "file"])]
    pub(crate) post_logout_redirect_uris: Vec<String>,
    /// It gets refresh tokens where a person agrees to offline_access; a machine needs none
    #[arg(long, requires = "kind", conflicts_with_all = ["given", "file"])]
    pub(crate) refresh_tokens: bool,
}

/// What is changed of a client, without JSON.
#[derive(Args)]
pub(crate) struct Changed {
    /// Its new name, which people read
    #[arg(long, value_name = "NAME", conflicts_with_all = ["given", "file"])]
    pub(crate) name: Option<String>,
    /// Where the browser goes after the login, in the place of all redirect URIs; repeat it for several
    #[arg(long = "redirect-uri", value_name = "URI", conflicts_with_all = ["given", "file"])]
    pub(crate) redirect_uris: Vec<String>,
    /// Where the browser may go after the logout, in the place of all such URIs; repeat it for several
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", conflicts_with_all = ["given", "file"])]
    pub(crate) post_logout_redirect_uris: Vec<String>,
    /// It gets refresh tokens from now on where a person agrees to offline_access; a machine needs none
    #[arg(long, conflicts_with_all = ["given", "file"])]
    pub(crate) refresh_tokens: bool,
}

/// What a client is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A program on a server, with a secret.
    Web,
    /// A program in the browser, without a secret.
    Spa,
    /// A program on a person's device, without a secret; http on a loopback address is permitted.
    Native,
    /// A program that acts for itself and not for a person, with a secret.
    Machine,
}

#[derive(Subcommand)]
pub(crate) enum ClientSecret {
    /// Make another secret and print it; it cannot be read again
    Rotate {
        #[command(flatten)]
        named: Named,
        /// How long the secrets that the client has stay good
        #[arg(long, value_name = "DURATION", default_value = "7d", visible_alias = "keep-old")]
        overlap: String,
    },
}

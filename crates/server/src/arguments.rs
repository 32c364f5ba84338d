//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// OAuth 2.0 authorization server and OpenID provider.
///
/// Without a command it starts a development provider on http://localhost:3000, with everything in ./chancery-dev.
#[derive(Parser)]
#[command(name = "chancery", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start a development provider on loopback (what happens without a command)
    Dev(Develop),
    /// Serve what the configuration says
    Serve(Configured),
    /// Name everything that is wrong with the configuration, and all that leaves RFC 9700
    Check {
        #[command(flatten)]
        configured: Configured,
        /// Fail also when something leaves RFC 9700
        #[arg(long)]
        strict: bool,
    },
    /// Write a commented configuration, a wrapping key, signing keys and the first user
    Init(Init),
    /// Register clients
    #[command(subcommand)]
    Client(Client),
    /// Add people and let them in or not
    #[command(subcommand)]
    User(User),
    /// Look at the signing keys and rotate them
    #[command(subcommand)]
    Keys(Keys),
    /// Print every reason for which a request is refused, as the log names it, and what it means
    Reasons {
        /// Only this one
        name: Option<String>,
        /// Print the table of docs/reasons.md instead
        #[arg(long)]
        markdown: bool,
    },
    /// Print the JSON Schema of the configuration
    Schema {
        /// Print the tables of docs/configuration.md instead
        #[arg(long)]
        markdown: bool,
    },
}

/// A development provider.
#[derive(Args)]
pub(crate) struct Develop {
    /// A loopback address; the issuer is http://localhost with its port
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Where everything is kept; made when it is not there
    #[arg(long, default_value = "chancery-dev", value_name = "FOLDER")]
    pub(crate) directory: PathBuf,
}

impl Default for Develop {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)), directory: PathBuf::from("chancery-dev") }
    }
}

/// Where the configuration is.
#[derive(Args, Clone)]
pub(crate) struct Configured {
    /// The configuration file; else the variable CHANCERY_CONFIG, else chancery.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Override one setting, such as `--set http.listen=127.0.0.1:8080`
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Init {
    /// Where to write; has to be empty of what is written
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    pub(crate) directory: PathBuf,
    /// The issuer, such as https://id.example.org; asked for when missing
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The first user; asked for when missing
    #[arg(long, value_name = "NAME", conflicts_with = "no_user")]
    pub(crate) username: Option<String>,
    /// No first user
    #[arg(long)]
    pub(crate) no_user: bool,
    #[command(flatten)]
    pub(crate) password: PasswordSource,
}

/// Where a password comes from; never from the command line, which every process of the machine can read.
#[derive(Args)]
pub(crate) struct PasswordSource {
    /// A file whose first line is the password; `-` or nothing: the terminal, or the first line of the standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Subcommand)]
pub(crate) enum Client {
    /// Add one client, or many (RFC 7591 metadata as a JSON object or an array of them)
    Add {
        #[command(flatten)]
        configured: Configured,
        /// The metadata; `-` for the standard input
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
        /// Take a given client_secret of less than 32 characters
        #[arg(long)]
        weak_secret: bool,
    },
    /// Name all clients
    List(Configured),
    /// Remove a client; what it has counts no more, also when a client of the same client_id is added later
    Remove {
        #[command(flatten)]
        configured: Configured,
        /// Its client_id
        client_id: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum User {
    /// Add a person
    Add {
        #[command(flatten)]
        configured: Configured,
        /// The name that the person types
        username: String,
        /// Standard claims (OIDC Core section 5.1) as a JSON object
        #[arg(long, value_name = "FILE")]
        claims: Option<PathBuf>,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Give a person another password; everything they have ends
    Passwd {
        #[command(flatten)]
        configured: Configured,
        /// Who
        username: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Let a person in no more; everything they have ends
    Disable(Person),
    /// Let a person in again
    Enable(Person),
    /// Forget a person
    Remove(Person),
    /// Name all people
    List(Configured),
}

#[derive(Args)]
pub(crate) struct Person {
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// Who
    pub(crate) username: String,
}

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// Name all keys and say from when to when they count
    List(Configured),
    /// Put a new key beside each that signs now; it takes over later, and the old one counts a day longer than its tokens.
    /// A rotation that is under way is not begun again
    Rotate {
        #[command(flatten)]
        configured: Configured,
        /// From when the new keys sign; caches of the key set have to have noticed by then
        #[arg(long, value_name = "DURATION", default_value = "1h")]
        sign_after: String,
    },
}

//! The command line.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// OAuth 2.0 authorization server and OpenID provider.
///
/// Without a command it starts a development provider on http://localhost:3000, with everything in
/// ./chancery-dev.
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
    /// Start the server with a configuration
    Serve(Configured),
    /// Report everything that is wrong with the configuration, and every deviation from RFC 9700
    Check {
        #[command(flatten)]
        configured: Configured,
        /// Fail for a deviation from RFC 9700, too
        #[arg(long)]
        strict: bool,
        /// Grade the configuration and its clients, demand by demand, against RFC 9700, OAuth 2.1 and each
        /// FAPI profile
        #[arg(long, conflicts_with = "strict")]
        report: bool,
        /// The form of the report
        #[arg(long, value_enum, default_value = "text", requires = "report")]
        format: ReportFormat,
    },
    /// Write a commented configuration, a wrapping key, signing keys and the first user
    Init(Init),
    /// Add, list, change, disable and remove clients
    #[command(subcommand)]
    Client(Client),
    /// Make and remove the tokens with which clients register themselves
    #[command(subcommand)]
    RegistrationToken(RegistrationToken),
    /// Add, list, change, disable and remove people
    #[command(subcommand)]
    User(User),
    /// List and end the sessions of people
    #[command(subcommand)]
    Session(Session),
    /// List, add, rotate and remove the keys that sign and decrypt
    #[command(subcommand)]
    Keys(Keys),
    /// Explain the reasons for refused requests that the log names
    Reasons {
        /// Explain this one only
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

/// The form of a report.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A development provider.
#[derive(Args)]
pub(crate) struct Develop {
    /// A loopback address; the issuer is http://localhost with its port
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// The folder for all files, which is made if it does not exist
    #[arg(long, default_value = "chancery-dev", value_name = "FOLDER")]
    pub(crate) directory: PathBuf,
}

impl Default for Develop {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)),
            directory: PathBuf::from("chancery-dev"),
        }
    }
}

/// Where the configuration is.
#[derive(Args, Clone)]
pub(crate) struct Configured {
    /// The configuration file; by default that of the variable CHANCERY_CONFIG, or chancery.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Override one setting, such as `--set http.listen=127.0.0.1:8080`
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    pub(crate) set: Vec<String>,
}

#[derive(Args)]
pub(crate) struct Init {
    /// The folder to write to, in which no file is overwritten
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    pub(crate) directory: PathBuf,
    /// The issuer, such as https://id.example.org; asked for when missing
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The name of the first user; asked for when missing
    #[arg(long, value_name = "NAME", conflicts_with = "no_user")]
    pub(crate) username: Option<String>,
    /// Make no first user
    #[arg(long)]
    pub(crate) no_user: bool,
    #[command(flatten)]
    pub(crate) password: PasswordSource,
}

/// Where a password comes from. It is never an argument, because every process on the machine can read those.
#[derive(Args)]
pub(crate) struct PasswordSource {
    /// A file whose first line is the password; by default, and for `-`, the terminal or the standard input
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
        /// Accept a given client_secret of less than 32 characters
        #[arg(long)]
        weak_secret: bool,
    },
    /// List all clients
    List(Configured),
    /// Replace the secret of a client
    #[command(subcommand)]
    Secret(ClientSecret),
    /// Change a client by a JSON object with the members that are to be others; `null` removes one
    Set {
        #[command(flatten)]
        configured: Configured,
        /// The client_id
        client_id: String,
        /// The members; `-` for the standard input
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Disable a client, which ends its grants and tokens for good
    Disable {
        #[command(flatten)]
        configured: Configured,
        /// The client_id
        client_id: String,
    },
    /// Enable a client again
    Enable {
        #[command(flatten)]
        configured: Configured,
        /// The client_id
        client_id: String,
    },
    /// Remove a client, which ends its grants and tokens for good, even if its client_id is added again
    Remove {
        #[command(flatten)]
        configured: Configured,
        /// Its client_id
        client_id: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum ClientSecret {
    /// Make another secret and print it; it cannot be read again
    Rotate {
        #[command(flatten)]
        configured: Configured,
        /// The client_id
        client_id: String,
        /// How long the secrets that the client has stay good
        #[arg(long, value_name = "DURATION", default_value = "7d")]
        overlap: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum RegistrationToken {
    /// Make an initial access token and print it; it cannot be read again
    Add {
        #[command(flatten)]
        configured: Configured,
        /// A name by which it is listed and removed
        name: String,
        /// A [[registration_policy]] that its clients are held to, instead of those of [registration]
        #[arg(long = "policy", value_name = "NAME")]
        policies: Vec<String>,
        /// How many clients it registers; without it any number
        #[arg(long, value_name = "NUMBER")]
        count: Option<u32>,
        /// How long it is good
        #[arg(long, value_name = "DURATION", default_value = "30d")]
        lifetime: String,
    },
    /// List the tokens that are still good: name, end, clients left, policies
    List(Configured),
    /// Remove a token; the clients that it registered stay
    Remove {
        #[command(flatten)]
        configured: Configured,
        /// Its name
        name: String,
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
        /// Claims (OIDC Core sections 5.1 and 5.2) as a JSON object, such as `{"name": "Hanako", "name#ja": "花子"}`
        #[arg(long, value_name = "FILE")]
        claims: Option<PathBuf>,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Replace all claims of a person, whose sessions go on
    Set {
        #[command(flatten)]
        configured: Configured,
        /// The person's user name
        username: String,
        /// Claims (OIDC Core sections 5.1 and 5.2) as a JSON object; those that it does not have are removed
        #[arg(long, value_name = "FILE")]
        claims: PathBuf,
    },
    /// Change a person's password, which ends their sessions and grants
    Passwd {
        #[command(flatten)]
        configured: Configured,
        /// The person's user name
        username: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Keep a person from logging in, and end their sessions and grants
    Disable(Person),
    /// Let a person log in again
    Enable(Person),
    /// Remove a person
    Remove(Person),
    /// List all people
    List(Configured),
}

#[derive(Subcommand)]
pub(crate) enum Session {
    /// List a person's sessions: name, login, end, clients
    List(Person),
    /// End a person's sessions, or one of them; the running server notifies the clients
    End {
        #[command(flatten)]
        who: Person,
        /// The session, as `session list` shows it; without it all of them. It may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
        session: Option<String>,
    },
}

#[derive(Args)]
pub(crate) struct Person {
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// The person's user name
    pub(crate) username: String,
}

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// List all keys with their times
    List(Configured),
    /// Make a key for an algorithm that has none. It signs at once: no client is registered for its algorithm yet
    Add {
        #[command(flatten)]
        configured: Configured,
        /// The algorithm, such as EdDSA
        alg: String,
    },
    /// Make a new key for each algorithm, which takes over later; the old one stays valid a day longer than
    /// its tokens. During a rotation, this changes nothing
    Rotate {
        #[command(flatten)]
        configured: Configured,
        /// When the new keys begin to sign; by then, the clients' caches must have expired
        #[arg(long, value_name = "DURATION", default_value = "1h")]
        sign_after: String,
    },
    /// Remove a key that is no secret any more, at once: nothing that it signed is valid from then on. Where
    /// no other key of its algorithm signs, a new one begins in the same moment
    Remove {
        #[command(flatten)]
        configured: Configured,
        /// The key's name, as `keys list` shows it; it may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
}

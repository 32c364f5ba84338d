//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use chancery_core::report::Standard;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

mod client;
pub(crate) use client::{Changed, Client, ClientSecret, Kind, Metadata, Named, Simple};

mod keys;
pub(crate) use keys::{Keys, RegistrationToken};

mod user;
pub(crate) use user::{ClaimSource, Person, Session, User};

/// OAuth 2.0 authorization server and OpenID provider.
///
/// Without a command it starts a development provider on http://localhost:3000, with everything in
/// ./chancery-dev. Where there is no chancery.toml, all commands work on that one.
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
    /// Sign in at a provider on this machine as an application would, and show the tokens
    Try(Trial),
    /// Start the server with a configuration
    Serve(Configured),
    /// Report everything that is wrong with the configuration, and every deviation from RFC 9700
    ///
    /// It does not try whether the addresses can be listened on: the running server may have them.
    Check {
        #[command(flatten)]
        configured: Configured,
        /// Fail for a deviation from RFC 9700, too
        #[arg(long)]
        strict: bool,
        /// Grade the configuration and its clients, demand by demand, against this standard, or against RFC 9700,
        /// OAuth 2.1 and each FAPI profile
        #[arg(
            long,
            value_name = "STANDARD",
            num_args = 0..=1,
            default_missing_value = ALL_STANDARDS,
            value_parser = PossibleValuesParser::new(standards()),
            conflicts_with = "strict"
        )]
        report: Option<String>,
        /// The form of the report
        #[arg(long, value_enum, default_value = "text", requires = "report")]
        format: ReportFormat,
        /// Print JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Write a commented configuration, a wrapping key, signing keys and the first user
    Init(Init),
    /// Add, list, show, change, disable and remove clients
    Client(Group<Client>),
    /// Make and remove the tokens with which clients register themselves
    RegistrationToken(Group<RegistrationToken>),
    /// Add, list, show, change, disable and remove people
    User(Group<User>),
    /// List and end the sessions of people
    Session(Group<Session>),
    /// List, add, rotate and remove the keys that sign and decrypt
    Keys(Group<Keys>),
    /// Copy the store to a new file, while the server runs
    Backup(Backup),
    /// Put a backup in the place of the store, while the server is stopped
    Restore(Restore),
    /// Let the store belong to another issuer, that of the configuration, while the server is stopped
    AcceptIssuer(Configured),
    /// Explain what the log says
    #[command(subcommand)]
    Log(Log),
    /// Look at every page with sample data, and write out templates and sentences to change them
    #[command(subcommand)]
    Pages(Pages),
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

#[derive(Subcommand)]
pub(crate) enum Log {
    /// Explain a reason or an event by its name, as a line of the log has it, or a whole line
    Explain {
        /// The name, or the line in quotes; `-` for the lines of standard input
        #[arg(allow_hyphen_values = true)]
        code: String,
    },
}

/// What can be done with the pages.
#[derive(Subcommand)]
pub(crate) enum Pages {
    /// Write the built-in templates and message catalogues into a folder, in which no file is overwritten
    Export {
        /// The folder, which gets `templates` and `messages`, for `pages.templates` and `pages.messages`
        folder: PathBuf,
    },
    /// Serve every page with sample data to a browser on this machine, as the configuration has them
    Preview {
        #[command(flatten)]
        configured: Configured,
        /// The port; 0 for a free one
        #[arg(long, default_value_t = 4040)]
        port: u16,
    },
}

/// Commands of one kind.
#[derive(Args)]
pub(crate) struct Group<C: Subcommand> {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: C,
}

/// What stands for every standard of `check --report`.
pub(crate) const ALL_STANDARDS: &str = "all";

fn standards() -> impl Iterator<Item = &'static str> {
    std::iter::once(ALL_STANDARDS).chain(Standard::ALL.map(Standard::as_str))
}

/// The form of a report.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// The folder of the development provider.
pub(crate) const DEVELOPMENT: &str = "chancery-dev";

/// A development provider.
#[derive(Args)]
pub(crate) struct Develop {
    /// A loopback address; the issuer is http://localhost with its port. Without it, the settings of the folder
    /// count, which begin with 127.0.0.1:3000
    #[arg(long, value_name = "ADDRESS", value_parser = crate::settings::address)]
    pub(crate) listen: Option<SocketAddr>,
    /// The folder for all files, which is made if it does not exist
    #[arg(long, default_value = DEVELOPMENT, value_name = "FOLDER")]
    pub(crate) directory: PathBuf,
    /// Override one setting for this run, such as `--set sign_up.offered=true`
    #[arg(long = "set", value_name = "SETTING=VALUE")]
    pub(crate) set: Vec<String>,
}

impl Default for Develop {
    fn default() -> Self {
        Self { listen: None, directory: PathBuf::from(DEVELOPMENT), set: Vec::new() }
    }
}

#[derive(Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// The new file, which only its owner can read
    pub(crate) file: PathBuf,
}

#[derive(Args)]
pub(crate) struct Restore {
    #[command(flatten)]
    pub(crate) configured: Configured,
    /// A file of `chancery backup`, which is not changed
    #[arg(required_unless_present = "undo")]
    pub(crate) file: Option<PathBuf>,
    /// Put back the store that a restore has kept at this time; without a time, show what was kept
    #[arg(long, value_name = "TIME", num_args = 0..=1, conflicts_with_all = ["file", "replace", "keep_logins"])]
    pub(crate) undo: Option<Option<String>>,
    /// Take the place of a store that exists; it is kept beside the new one
    #[arg(long)]
    pub(crate) replace: bool,
    /// Keep logins and tokens, too: only for a backup that was made after the last server had ended, as when a server
    /// moves to another machine
    #[arg(long)]
    pub(crate) keep_logins: bool,
    /// Take it although the wrapping key that it was made with is lost: `keys replace --lost-wrapping-key` makes new keys then
    #[arg(long, conflicts_with = "keep_logins")]
    pub(crate) lost_wrapping_key: bool,
}

/// An application that signs a person in.
#[derive(Args)]
pub(crate) struct Trial {
    /// The provider, on plain HTTP and a loopback address; by default that of ./chancery-dev, or http://localhost:3000
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The development provider of this folder
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true, default_missing_value = DEVELOPMENT)]
    pub(crate) dev: Option<PathBuf>,
    /// Do without a browser: the first two lines of the standard input are the user name and the password
    #[arg(long)]
    pub(crate) headless: bool,
}

/// Where the configuration is.
#[derive(Args, Clone)]
pub(crate) struct Configured {
    /// The configuration file; by default that of the variable CHANCERY_CONFIG, or chancery.toml, or that of the
    /// development provider in ./chancery-dev
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Use the development provider of this folder, by default that in ./chancery-dev
    #[arg(
        long,
        value_name = "FOLDER",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = DEVELOPMENT,
        conflicts_with = "config"
    )]
    pub(crate) dev: Option<PathBuf>,
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
    /// The e-mail address of the first user; asked for when missing
    #[arg(long, value_name = "ADDRESS", conflicts_with = "no_user")]
    pub(crate) email: Option<String>,
    /// Make no first user
    #[arg(long)]
    pub(crate) no_user: bool,
    /// Make only a new, empty store for the configuration in the folder, or of the variable
    /// CHANCERY_CONFIG: where the store is lost and there is no backup
    #[arg(long, conflicts_with = "issuer")]
    pub(crate) new_store: bool,
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

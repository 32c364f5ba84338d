//! `chancery keys` and `chancery registration-token`.

use clap::Subcommand;

use super::Configured;

#[derive(Subcommand)]
pub(crate) enum Keys {
    /// List all keys, those that sign first, the newest of each kind last: which signs, from when and until when, and
    /// until when it counts
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
        /// Only where no key for an algorithm signs now although one begins later, because the clock was ahead when it was made:
        /// make one for that algorithm that signs at once. Those that begin later never sign, and nothing else changes
        #[arg(long, conflicts_with = "sign_after")]
        clock_is_right: bool,
    },
    /// Remove a key that is no secret any more, at once: nothing that it signed is valid from then on. Where
    /// no other key of its algorithm signs, a new one begins in the same moment.
    ///
    /// So it is during a rotation, too: the key that was to take over later may have been taken together with this one, and
    /// never signs. It stays published for a while; if somebody else has it, remove it as well.
    Remove {
        #[command(flatten)]
        configured: Configured,
        /// The key's name, as `keys list` shows it; it may begin with a hyphen
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Make all keys anew where the wrapping key is lost, or is not the one that the store was made with, while the server is
    /// stopped. People and clients stay; logins and tokens end.
    ///
    /// It shows what stays and what is lost, and asks before it does anything. People keep their passwords, and clients their
    /// secrets, but for secrets that the server itself signs or encrypts with: these are named. Whoever still has the
    /// wrapping key, or a copy of it, loses nothing by putting it back instead. The former store is copied first.
    Replace {
        #[command(flatten)]
        configured: Configured,
        /// The wrapping key is lost: no other reason is worth what this costs
        #[arg(long, required = true)]
        lost_wrapping_key: bool,
        /// Do not ask, as where there is no terminal
        #[arg(long)]
        yes: bool,
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
    /// List the tokens that are still good, by name: name, end, clients left, policies
    List(Configured),
    /// Remove a token; the clients that it registered stay
    Remove {
        #[command(flatten)]
        configured: Configured,
        /// Its name
        name: String,
    },
}

//! The examples at the end of `--help`, for each command.

use std::ffi::OsString;

use chancery_types::nearest::{distance, nearest};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _, Error, FromArgMatches as _};

use crate::arguments::Arguments;
use crate::settings;

/// A command, as it is typed after `chancery`; its examples: what is typed, and what it is for where that does not go
/// without saying; and what else is to be known.
type Shown = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const EXAMPLES: &[Shown] = &[
    (
        "",
        &[
            ("chancery", "start a development provider"),
            ("chancery try", "sign in at it, in another terminal"),
            ("chancery user add jane email=jane@example.org name=Jane", "add a person to it"),
            ("chancery init", "begin a provider for real"),
            ("chancery serve --config chancery.toml", "start that"),
        ],
        "",
    ),
    (
        "dev",
        &[
            ("chancery dev --listen 127.0.0.1:4000", "where port 3000 is taken"),
            ("chancery dev --set sign_up.offered=true", "people can make accounts, in this run"),
        ],
        "Its settings are in chancery-dev/chancery.toml; docs/configuration.md has all. Variables of the environment override them, \
         except for its address, store and keys.",
    ),
    (
        "try",
        &[
            ("chancery try", "at the development provider"),
            ("chancery try --issuer http://localhost:3000/oidc", "at another one that has the client `demo`"),
        ],
        "",
    ),
    ("serve", &[("chancery serve --config /etc/chancery/chancery.toml", "")], ""),
    (
        "check",
        &[
            ("chancery check", "before each restart"),
            ("chancery check --strict", "in a pipeline"),
            ("chancery check --report rfc9700", "every demand of one standard"),
            ("chancery check --report --format json", "every demand of every standard"),
        ],
        "The exit code is 1 if anything is wrong and, with --strict, if anything is \"loosened\"; otherwise it is 0. A \"warning\" never \
         fails a check, nor does what a report calls \"NOT MET\" or \"advised\". A mistyped command ends with 2.",
    ),
    (
        "accept-issuer",
        &[("chancery accept-issuer --config /etc/chancery/chancery.toml", "")],
        "Clients, APIs and people have to follow: see \"Move to another machine\" in docs/operate.md.",
    ),
    (
        "init",
        &[
            ("chancery init", "asks for everything"),
            (
                "chancery init --directory /var/lib/chancery --issuer https://id.example.org --username alice",
                "",
            ),
            ("chancery init --new-store --no-user", "where the store is lost and there is no backup"),
        ],
        "",
    ),
    (
        "client",
        &[
            ("chancery client add --kind web --id photos --redirect-uri https://photos.example/cb", ""),
            ("chancery client list", ""),
        ],
        "",
    ),
    (
        "client add",
        &[
            ("chancery client add --kind web --id photos --redirect-uri https://photos.example/cb", ""),
            (
                "chancery client add --kind spa --redirect-uri https://a.example/ --post-logout-redirect-uri https://a.example/",
                "",
            ),
            (
                "chancery client add --kind native --refresh-tokens --redirect-uri http://127.0.0.1/cb",
                "with refresh tokens",
            ),
            (
                r#"chancery client add '{"client_id":"photos","redirect_uris":["https://photos.example/cb"]}'"#,
                "",
            ),
            ("chancery client add --file clients.json", ""),
        ],
        "`chancery client members` explains what metadata there is, and so does docs/clients.md. The secret is printed once.",
    ),
    ("client list", &[("chancery client list", ""), ("chancery client list --json", "")], ""),
    (
        "client show",
        &[
            ("chancery client show photos", ""),
            ("chancery client show photos --json | jq .metadata > photos.json", "edit the file, then:"),
            ("chancery client update photos --file photos.json", ""),
        ],
        "",
    ),
    (
        "client update",
        &[
            ("chancery client update photos --name 'Better Photos'", ""),
            ("chancery client update photos --refresh-tokens", "it gets refresh tokens, too"),
            (r#"chancery client update photos '{"client_name":"Better Photos","tos_uri":null}'"#, ""),
            (r#"chancery client update photos '{"chancery":{"refresh_tokens":"always"}}'"#, ""),
        ],
        "A list is replaced as a whole (RFC 7396). That goes for flags, too: name all redirect URIs. `chancery client members` explains \
         the members.",
    ),
    ("client secret", &[("chancery client secret rotate photos", "")], ""),
    (
        "client secret rotate",
        &[
            ("chancery client secret rotate photos", "the former one stays good for 7 days"),
            ("chancery client secret rotate photos --overlap 0s", "the former one is no secret any more"),
        ],
        "",
    ),
    ("client disable", &[("chancery client disable photos", "")], ""),
    ("client enable", &[("chancery client enable photos", "")], ""),
    ("client remove", &[("chancery client remove photos", "")], ""),
    ("client members", &[("chancery client members", ""), ("chancery client members redirect_uris", "")], ""),
    ("registration-token", &[("chancery registration-token list", "")], ""),
    ("registration-token add", &[("chancery registration-token add acme --count 3 --lifetime 7d", "")], ""),
    ("registration-token list", &[("chancery registration-token list --json", "")], ""),
    ("registration-token remove", &[("chancery registration-token remove acme", "")], ""),
    ("user", &[("chancery user add alice email=alice@example.org", ""), ("chancery user list", "")], ""),
    (
        "user add",
        &[
            ("chancery user add alice email=alice@example.org name='Alice Liddell'", ""),
            ("chancery user add bob --claims bob.json --password-file bob.password", ""),
        ],
        "",
    ),
    ("user show", &[("chancery user show alice", ""), ("chancery user show alice --json", "")], ""),
    (
        "user set",
        &[
            ("chancery user set alice email=alice@example.org email_verified=true", ""),
            ("chancery user set alice nickname=", "removes the claim"),
            ("chancery user claims alice > alice.json", "edit the file, then:"),
            ("chancery user set alice --claims alice.json", "replaces all claims"),
        ],
        "",
    ),
    ("user claims", &[("chancery user claims alice > alice.json", "")], ""),
    (
        "user passwd",
        &[
            ("chancery user passwd alice", "asks for it"),
            ("chancery user passwd alice --password-file alice.password", ""),
        ],
        "",
    ),
    ("user disable", &[("chancery user disable alice", "")], ""),
    ("user enable", &[("chancery user enable alice", "")], ""),
    ("user remove", &[("chancery user remove alice", "")], ""),
    ("user list", &[("chancery user list", ""), ("chancery user list --json", "")], ""),
    ("session", &[("chancery session list jane", "")], ""),
    ("session list", &[("chancery session list alice", "")], ""),
    (
        "session end",
        &[
            ("chancery session end alice", "all of them; what clients may do while alice is away goes on"),
            ("chancery session end alice --grants", "that, too: when something was stolen"),
            ("chancery session end --all --grants", "everybody's"),
            ("chancery session end alice xkMl3dPq8wY", "one, as `session list` names it"),
        ],
        "",
    ),
    ("keys", &[("chancery keys list", "")], ""),
    ("keys list", &[("chancery keys list", ""), ("chancery keys list --json", "")], ""),
    ("keys add", &[("chancery keys add EdDSA", "")], ""),
    ("keys rotate", &[("chancery keys rotate", "every 90 days or sooner")], ""),
    ("keys remove", &[("chancery keys remove 5Yb2kPqWc1E", "")], ""),
    (
        "keys replace",
        &[("chancery keys replace --lost-wrapping-key", "")],
        "What people and clients notice: see \"Without the wrapping key\" in docs/operate.md.",
    ),
    ("backup", &[("chancery backup chancery-backup.sqlite", "while the server runs")], ""),
    (
        "restore",
        &[
            ("chancery restore chancery-backup.sqlite --replace", "when it has ended"),
            ("chancery restore chancery-backup.sqlite --lost-wrapping-key", "then `keys replace`"),
            ("chancery restore --undo", "what was kept, and how to put it back"),
        ],
        "",
    ),
    ("log", &[("chancery log explain pkce_missing", "")], ""),
    (
        "log explain",
        &[
            ("chancery log explain pkce_missing", ""),
            ("chancery log explain login_throttled", ""),
            (r#"chancery log explain '{"event":"refused","reason":"pkce_missing"}'"#, "a whole line"),
        ],
        "",
    ),
    ("pages", &[("chancery pages preview", "every page in a browser")], ""),
    ("pages export", &[("chancery pages export branding", "")], ""),
    (
        "pages preview",
        &[
            ("chancery pages preview", ""),
            ("chancery pages preview --config /etc/chancery/chancery.toml --port 0", ""),
        ],
        "",
    ),
    ("reasons", &[("chancery reasons redirect_uri_unregistered", "")], ""),
    ("schema", &[("chancery schema > chancery.schema.json", "for an editor")], ""),
];

/// What a command is called elsewhere.
const ELSEWHERE: [(&str, &[&str]); 10] = [
    ("serve", &["start", "run", "up", "server", "start-dev"]),
    ("check", &["validate", "verify", "test", "configtest", "doctor"]),
    ("try", &["login", "signin", "sign-in"]),
    ("backup", &["export", "dump"]),
    ("restore", &["import", "load"]),
    ("add", &["create", "new", "register"]),
    ("remove", &["delete", "rm", "del", "revoke"]),
    ("update", &["edit", "modify", "change", "patch"]),
    ("show", &["get", "info", "describe", "read"]),
    ("list", &["ls", "all"]),
];

/// What there is no command for, and what does it.
const NO_COMMANDS: [(&[&str], &str); 6] = [
    (&["help"], "'chancery --help' shows all commands, and each command has its own --help"),
    (&["version"], "'chancery --version' shows it"),
    (
        &["status", "health", "healthcheck", "ping", "ready"],
        "a running server says whether it is well at /readyz of `management.listen`, as by 'curl http://127.0.0.1:9090/readyz'; \
         'chancery check' looks at the configuration and the store",
    ),
    (
        &["reload", "refresh", "reconfigure"],
        "a running server reads its configuration anew at SIGHUP, as by 'systemctl reload chancery'; 'chancery check' looks at it before",
    ),
    (
        &["stop", "restart", "shutdown", "down", "kill"],
        "a running server ends in good order at SIGTERM, as by 'systemctl stop chancery' and 'systemctl restart chancery'",
    ),
    (
        &["migrate", "upgrade", "migration", "migrations"],
        "the first start of a new version changes the tables by itself: make a backup before, with 'chancery backup FILE'",
    ),
];

/// Reads the arguments of this process; a mistake, `--help` and `--version` end it.
pub(crate) fn arguments() -> Arguments {
    let typed = behind_the_command(std::env::args_os().collect());
    let matches =
        command().try_get_matches_from(&typed).unwrap_or_else(|error| suggesting(error, &typed).exit());
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// The words with the flags that say which configuration behind the command, wherever they were typed.
fn behind_the_command(mut typed: Vec<OsString>) -> Vec<OsString> {
    let mut end = 1;
    while let Some(word) = typed.get(end).and_then(|word| word.to_str()) {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        end += match (name, value) {
            ("--config" | "--set", None) => 2,
            ("--config" | "--set" | "--dev", _) | ("--json", None) => 1,
            _ => break,
        };
    }
    // Without a command there is nothing behind which they could stand.
    if end >= typed.len() || typed.get(end).is_some_and(|word| word.as_encoded_bytes().starts_with(b"-")) {
        return typed;
    }
    let flags: Vec<OsString> = typed.drain(1..end).collect();
    let place = typed.iter().position(|word| word == "--").unwrap_or(typed.len());
    typed.splice(place..place, flags);
    typed
}

/// What other programs and other commands take, and what is typed here in its place: a flag that tells which command this is, or
/// nothing where none was named; the flag that there is not; and the tip, with `{}` for what followed it.
const WISHES: [(&str, &str, &str); 5] = [
    ("", "--port", "'chancery dev --listen 127.0.0.1:{}' starts the development provider there"),
    ("", "--listen", "'chancery dev --listen {}' starts the development provider there"),
    ("listen", "--port", "the address, and with it the issuer, is given by '--listen 127.0.0.1:{}'"),
    (
        "redirect-uri",
        "--scope",
        "scopes are given in JSON: '{\"scope\":\"openid {}\"}'; `chancery client members scope` explains it",
    ),
    (
        "password-file",
        "--password",
        "a password is no argument, because every program on the machine can read those: it is asked for, or read from a file by \
         '--password-file FILE'",
    ),
];

/// What of [`WISHES`] is typed here. The claims of a person have no flags.
fn known_wish(wrong: &str, within: &Command, value: &str) -> Option<String> {
    let takes = |name: &str| within.get_arguments().any(|known| known.get_long() == Some(name));
    let is_meant =
        |beside: &str| if beside.is_empty() { within.get_name() == "chancery" } else { takes(beside) };
    if let Some((.., tip)) = WISHES.iter().find(|(beside, flag, _)| wrong == *flag && is_meant(beside)) {
        return Some(tip.replace("{}", value));
    }
    let claim = wrong.strip_prefix("--").filter(|name| takes("claims") && CLAIMS.contains(name))?;
    Some(format!("a claim is given as '{}={value}'", claim.replace('-', "_")))
}

/// How lines of the log are explained.
const LINES_OF_THE_LOG: &str = "one line stands in quotes, and several come through the standard input: 'journalctl -u chancery -o cat | \
                                chancery log explain -'";

/// Claims that have been taken for flags.
const CLAIMS: [&str; 6] = ["email", "name", "given-name", "family-name", "nickname", "locale"];

/// What to type in the place of a word that this command does not take: a file or a setting needs a flag.
fn in_other_words(wrong: &str, within: &Command, typed: &[OsString]) -> Option<String> {
    let takes = |name: &str| within.get_arguments().any(|known| known.get_long() == Some(name));
    let value = typed.iter().skip_while(|word| *word != wrong).nth(1).and_then(|word| word.to_str());
    let value = value.filter(|value| !value.starts_with('-')).unwrap_or("VALUE");
    if within.get_name() == "chancery" && wrong.starts_with("--config") {
        return Some("name a command, such as 'chancery serve --config FILE'".to_owned());
    }
    if within.get_name() == "chancery" && wrong.starts_with("--dev") {
        return Some(
            "'chancery dev --directory FOLDER' starts the development provider of a folder".to_owned(),
        );
    }
    if within.get_name() == "explain" {
        return Some(LINES_OF_THE_LOG.to_owned());
    }
    if let Some(tip) = known_wish(wrong, within, value) {
        return Some(tip);
    }
    if wrong == "-c" && takes("config") {
        return Some("the configuration is named by '--config FILE'".to_owned());
    }
    let Some(flag) = wrong.strip_prefix("--") else {
        let is_file = wrong.contains(['.', '/']) && !wrong.starts_with('-');
        return match () {
            () if !takes("set") => None,
            () if wrong.parse::<u16>().is_ok() => {
                Some(format!("an address is given by '--set http.listen=127.0.0.1:{wrong}'"))
            }
            () if wrong.contains('=') => Some(format!("a setting is overridden by '--set {wrong}'")),
            () if is_file => Some(format!("the configuration is named by '--config {wrong}'")),
            () => None,
        };
    };
    let key = settings::key_of_flag(flag).filter(|_| takes("set"))?;
    let value = match flag {
        "port" => format!("127.0.0.1:{value}"),
        _ => value.to_owned(),
    };
    Some(format!("a setting is overridden by '--set {key}={value}'"))
}

/// The error with the name that was probably meant, of a flag or of a command.
fn suggesting(mut error: Error, typed: &[OsString]) -> Error {
    let is_new = typed.iter().any(|word| word == "add");
    if let Some(tip) = names_of(&error, is_new) {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
        return error;
    }
    let wrong = |kind| match error.get(kind) {
        Some(ContextValue::String(wrong)) => Some(wrong.clone()),
        _ => None,
    };
    let mut whole = command();
    whole.build();
    let mut within = &whole;
    for word in typed.iter().skip(1).filter_map(|word| word.to_str()) {
        within = within.find_subcommand(word).unwrap_or(within);
    }
    match (wrong(ContextKind::InvalidArg), wrong(ContextKind::InvalidSubcommand)) {
        (Some(flag), _) if error.kind() == ErrorKind::UnknownArgument => {
            // Its tip is to take a misspelt flag for a value.
            error.remove(ContextKind::Suggested);
            error.remove(ContextKind::SuggestedArg);
            if let Some(tip) = in_other_words(&flag, within, typed) {
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
                return error;
            }
            let known: Vec<String> =
                within.get_arguments().filter_map(|known| Some(format!("--{}", known.get_long()?))).collect();
            let near = nearest(&flag, known.iter().map(String::as_str));
            // Two signs are the same for all.
            if let Some(near) = near.filter(|near| distance(&flag, near) <= (flag.len() / 3).max(1)) {
                error.insert(ContextKind::SuggestedArg, ContextValue::String(near.to_owned()));
            }
        }
        (_, Some(name)) => {
            let known = within.get_subcommands().flat_map(Command::get_name_and_visible_aliases);
            // Also `rotate-secret` for `secret rotate`.
            let below = within.get_subcommands().flat_map(|command| {
                command.get_subcommands().map(|below| format!("{} {}", command.get_name(), below.get_name()))
            });
            let is_same = |other: &String| {
                let mut words: Vec<&str> = other.split(' ').collect();
                let mut meant: Vec<&str> = name.split(['-', '_']).collect();
                words.sort_unstable();
                meant.sort_unstable();
                words == meant
            };
            error.remove(ContextKind::SuggestedSubcommand);
            let is_whole = within.get_name() == "chancery";
            let done_by = NO_COMMANDS.iter().find(|(names, _)| names.contains(&&*name));
            if let Some((_, tip)) = done_by.filter(|_| is_whole || name == "help") {
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![(*tip).into()]));
                return error;
            }
            let has = |known: &str| within.get_subcommands().any(|command| command.get_name() == known);
            let called = ELSEWHERE.iter().find(|(known, names)| names.contains(&&*name) && has(known));
            let called = called.map(|(known, _)| (*known).to_owned());
            let slip = nearest(&name, known).filter(|near| distance(&name, near) <= (name.len() / 3).max(1));
            // What there is one command for needs no name that is near.
            let mut all = within.get_subcommands().map(|known| known.get_name().to_owned());
            let only = all.next().filter(|_| all.next().is_none());
            let near =
                below.into_iter().find(is_same).or(called).or_else(|| slip.map(str::to_owned)).or(only);
            if let Some(near) = near {
                error.insert(ContextKind::SuggestedSubcommand, ContextValue::String(near));
            }
        }
        _ => {}
    }
    error
}

/// Which command shows the names, if one of something that exists is missing; and how somebody new is named.
fn names_of(error: &Error, is_new: bool) -> Option<&'static str> {
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else { return None };
    missing.iter().find_map(|missing| match missing.as_str() {
        "<USERNAME>" if !is_new => Some("whose? `chancery user list` shows all names"),
        "<USERNAME>" => {
            Some("name them as they will sign in, such as 'chancery user add alice email=alice@example.org'")
        }
        "<CLIENT_ID>" => Some("which client? `chancery client list` shows them"),
        "<KID>" => Some("which key? `chancery keys list` shows them"),
        "<CODE>" => Some(LINES_OF_THE_LOG),
        _ => None,
    })
}

/// The command line with the examples.
fn command() -> Command {
    EXAMPLES.iter().fold(Arguments::command(), |command, (path, examples, note)| {
        let names: Vec<&str> = path.split_whitespace().collect();
        let end = if note.is_empty() { section(examples) } else { section(examples) + "\n\n" + note };
        ending(command, &names, end)
    })
}

/// The command with this at the end of the help of the one that the path leads to.
fn ending(command: Command, path: &[&str], end: String) -> Command {
    match path {
        [] => command.after_help(end),
        // A name that is no command would be added as one; the tests find it.
        [name, below @ ..] => command.mut_subcommand(*name, |subcommand| ending(subcommand, below, end)),
    }
}

/// The examples as `--help` shows them.
fn section(examples: &[(&str, &str)]) -> String {
    let width = examples.iter().map(|(typed, _)| typed.len()).max().unwrap_or(0);
    let mut text = String::from(if examples.len() == 1 { "Example:" } else { "Examples:" });
    for (typed, purpose) in examples {
        let line = format!("\n  {typed:width$}   {purpose}");
        text.push_str(line.trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(command: &Command, path: &str, visit: &mut impl FnMut(&str, &Command)) {
        visit(path, command);
        for below in command.get_subcommands() {
            each(below, format!("{path} {}", below.get_name()).trim_start(), visit);
        }
    }

    /// What is typed in the examples of a command.
    fn typed(command: &Command) -> Vec<String> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = help.lines().filter(|line| line.starts_with("  chancery"));
        // What follows three blanks is an explanation; what follows these signs is for the shell.
        let ends = ["   ", " | ", " > "];
        lines
            .map(|line| ends.iter().fold(line.trim(), |line, end| line.split(end).next().unwrap()))
            .map(str::to_owned)
            .collect()
    }

    /// The words of a line, as a shell has them.
    fn words(line: &str) -> Vec<String> {
        let mut parts = line.split('\'');
        let mut words = Vec::new();
        while let Some(bare) = parts.next() {
            words.extend(bare.split_whitespace().map(str::to_owned));
            words.extend(parts.next().map(str::to_owned));
        }
        words
    }

    /// Each has its own, and in this table alone.
    #[test]
    fn every_command_has_an_example() {
        let mut commands = Vec::new();
        each(&command(), "", &mut |path, command| {
            let own = format!("chancery {path}");
            assert!(
                typed(command).iter().any(|line| line.starts_with(own.trim_end())),
                "`{own}` has no example"
            );
            assert!(command.get_about().is_some(), "`{own}` is not a command");
            commands.push(path.to_owned());
        });
        let mut shown: Vec<&str> = EXAMPLES.iter().map(|(path, ..)| *path).collect();
        shown.sort_unstable();
        commands.sort_unstable();
        assert_eq!(commands, shown);
        each(&Arguments::command(), "", &mut |path, command| {
            assert!(command.get_after_help().is_none(), "`chancery {path}` has examples in another place");
        });
    }

    /// A slip is answered with what was probably meant, and not with how to take it for a value.
    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest() {
        for (line, meant) in [
            ("chancery serve --confg x", "'--config'"),
            ("chancery user add bob --pasword-file x", "'--password-file'"),
            ("chancery client add --redirect-url x", "'--redirect-uri'"),
            ("chancery client rotate-secret x", "'secret rotate'"),
            ("chancery client ad", "'add'"),
            ("chancery chek", "'check'"),
        ] {
            let typed: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let error = suggesting(command().try_get_matches_from(&typed).unwrap_err(), &typed);
            let said = error.to_string();
            assert!(
                said.contains("similar") && said.contains(meant) && !said.contains("'-- "),
                "{line}: {said}"
            );
        }
    }

    /// Whoever names nobody is told where the names are, or how somebody new is named.
    #[test]
    fn a_missing_name_is_answered_with_where_the_names_are() {
        for (line, said) in [
            ("chancery session list", "whose? `chancery user list`"),
            ("chancery session end", "whose? `chancery user list`"),
            ("chancery client show", "`chancery client list`"),
            ("chancery keys remove", "`chancery keys list`"),
            ("chancery user add", "name them as they will sign in, such as 'chancery user add alice "),
        ] {
            let typed: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let error = suggesting(command().try_get_matches_from(&typed).unwrap_err(), &typed).to_string();
            assert!(error.contains("tip: ") && error.contains(said), "{line}: {error}");
        }
    }

    /// An example that is no longer understood helps nobody.
    #[test]
    fn every_example_is_understood() {
        each(&command(), "", &mut |path, shown| {
            for line in typed(shown) {
                let read = command().try_get_matches_from(words(&line));
                assert!(read.is_ok(), "{path}: {line}: {}", read.unwrap_err());
            }
        });
    }
}

//! The arguments of this process as they are read, and what is said of those that are mistyped.

mod examples;

use std::ffi::OsString;

use chancery_types::nearest::{distance, nearest};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error, FromArgMatches as _};

use self::examples::command;
use crate::arguments::Arguments;
use crate::settings;

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
    let mistake = wrong(ContextKind::InvalidSubcommand).or_else(|| wrong(ContextKind::InvalidArg));
    let before = typed.iter().skip(1).filter_map(|word| word.to_str());
    for word in before.take_while(|word| Some(*word) != mistake.as_deref()) {
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
            error.remove(ContextKind::SuggestedSubcommand);
            let is_whole = within.get_name() == "chancery";
            let done_by = NO_COMMANDS.iter().find(|(names, _)| names.contains(&&*name));
            if let Some((_, tip)) = done_by.filter(|_| is_whole || name == "help") {
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![(*tip).into()]));
                return error;
            }
            let has = |known: &str| within.get_subcommands().any(|command| command.get_name() == known);
            let called = ELSEWHERE.iter().find(|(_, names)| names.contains(&&*name));
            let own = called.map_or(&*name, |(known, _)| *known);
            let called = called.filter(|_| has(own)).map(|_| own.to_owned());
            let next = typed.iter().skip_while(|word| **word != *name).nth(1).and_then(|word| word.to_str());
            let turned = next.and_then(|next| in_another_order(within, &[own, next]));
            let joined: Vec<&str> = name.split(['-', '_']).collect();
            let below = in_another_order(within, &joined).or(turned);
            let slip = nearest(&name, known).filter(|near| distance(&name, near) <= (name.len() / 3).max(1));
            // What there is one command for needs no name that is near.
            let mut all = within.get_subcommands().map(|known| known.get_name().to_owned());
            let only = all.next().filter(|_| all.next().is_none());
            let near = below.or(called).or_else(|| slip.map(str::to_owned)).or(only);
            if let Some(near) = near {
                error.insert(ContextKind::SuggestedSubcommand, ContextValue::String(near));
            }
        }
        _ => {}
    }
    error
}

/// The command of a command that has these words: `secret rotate` for `rotate-secret`, `user add` for `add users`.
fn in_another_order(within: &Command, words: &[&str]) -> Option<String> {
    let sorted = |words: &[&str]| {
        let mut words: Vec<String> = words.iter().map(|word| word.trim_end_matches('s').to_owned()).collect();
        words.sort_unstable();
        words
    };
    let pairs = within
        .get_subcommands()
        .flat_map(|command| command.get_subcommands().map(|below| [command.get_name(), below.get_name()]));
    pairs.into_iter().find(|pair| sorted(pair) == sorted(words)).map(|pair| pair.join(" "))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A slip is answered with what was probably meant, and not with how to take it for a value.
    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest() {
        for (line, meant) in [
            ("chancery serve --confg x", "'--config'"),
            ("chancery user add bob --pasword-file x", "'--password-file'"),
            ("chancery client add --redirect-url x", "'--redirect-uri'"),
            ("chancery client rotate-secret x", "'secret rotate'"),
            ("chancery add user jane", "'user add'"),
            ("chancery create clients", "'client add'"),
            ("chancery list keys", "'keys list'"),
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
}

//! The examples at the end of `--help`, for the commands that do not have theirs beside their arguments.

use clap::{Command, CommandFactory as _, FromArgMatches as _};

use crate::arguments::Arguments;

/// A command, as it is typed after `chancery`, and its examples: what is typed, and what it is for where that does
/// not go without saying.
const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "",
        &[
            ("chancery", "start a development provider"),
            ("chancery try", "sign in at it, in another terminal"),
            ("chancery user add jane", "add a person to it"),
            ("chancery init", "begin a provider for real"),
            ("chancery serve --config chancery.toml", "start that"),
        ],
    ),
    ("dev", &[("chancery dev --listen 127.0.0.1:4000", "where port 3000 is taken")]),
    (
        "try",
        &[
            ("chancery try", "at the development provider"),
            ("chancery try --issuer http://localhost:3000/oidc", "at another one"),
        ],
    ),
    ("serve", &[("chancery serve --config /etc/chancery/chancery.toml", "")]),
    (
        "check",
        &[
            ("chancery check --strict", "in a pipeline"),
            ("chancery check --report --format json", "every demand of every standard"),
        ],
    ),
    ("init", &[("chancery init --directory /etc/chancery --issuer https://id.example.org", "")]),
    ("client", &[("chancery client list", "")]),
    ("client secret", &[("chancery client secret rotate photos", "")]),
    ("registration-token", &[("chancery registration-token list", "")]),
    ("user", &[("chancery user list", "")]),
    ("session", &[("chancery session list jane", "")]),
    ("keys", &[("chancery keys list", "")]),
    ("backup", &[("chancery backup chancery-backup.sqlite", "while the server runs")]),
    ("restore", &[("chancery restore chancery-backup.sqlite --replace", "when it has ended")]),
    ("log", &[("chancery log explain pkce_missing", "")]),
    ("pages", &[("chancery pages preview", "every page in a browser")]),
    ("reasons", &[("chancery reasons redirect_uri_unregistered", "")]),
    ("schema", &[("chancery schema > chancery.schema.json", "for an editor")]),
];

/// Reads the arguments of this process; a mistake, `--help` and `--version` end it.
pub(crate) fn arguments() -> Arguments {
    let matches = command().get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}

/// The command line with the examples.
fn command() -> Command {
    EXAMPLES.iter().fold(Arguments::command(), |command, (path, examples)| {
        let names: Vec<&str> = path.split_whitespace().collect();
        with_examples(command, &names, examples)
    })
}

fn with_examples(command: Command, path: &[&str], examples: &[(&str, &str)]) -> Command {
    match path {
        [] => command.after_help(section(examples)),
        // A name that is no command would be added as one; the tests find it.
        [name, below @ ..] => {
            command.mut_subcommand(*name, |subcommand| with_examples(subcommand, below, examples))
        }
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

    #[test]
    fn every_command_has_an_example() {
        let mut commands = Vec::new();
        each(&command(), "", &mut |path, command| {
            assert!(!typed(command).is_empty(), "`chancery {path}` has no example");
            assert!(command.get_about().is_some(), "`chancery {path}` is not a command");
            commands.push(path.to_owned());
        });
        let own = Arguments::command();
        for (path, examples) in EXAMPLES {
            assert!(commands.iter().any(|command| command == path) && !examples.is_empty(), "{path}");
            let names: Vec<&str> = path.split_whitespace().collect();
            let found = names.iter().try_fold(&own, |command, name| command.find_subcommand(name));
            assert!(found.is_some_and(|found| found.get_after_help().is_none()), "{path} has its own");
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

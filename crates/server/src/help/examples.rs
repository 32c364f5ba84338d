//! The examples at the end of `--help`, for each command.

use clap::{Command, CommandFactory as _};

use crate::arguments::Arguments;

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

/// The command line with the examples.
pub(super) fn command() -> Command {
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

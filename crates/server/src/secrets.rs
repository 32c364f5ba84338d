//! Secrets from files and the terminal, and secrets that are written to files.

use std::io::{self, BufRead as _, BufReader, ErrorKind, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_accounts::{Password, PasswordRules, Username};
use chancery_jose::RootSecret;
use zeroize::Zeroizing;

use crate::access::{Access, IS_FOLDER};
use crate::arguments::PasswordSource;
use crate::commands::lines;
use crate::settings::with_remedy;
use crate::text_file;

/// What is said to whoever has no copy of the wrapping key.
pub(crate) const WITHOUT_COPY: &str = "if there is no copy of it, `chancery keys replace --lost-wrapping-key` makes new keys and keeps \
     people and clients (\"Without the wrapping key\" in docs/operate.md)";

/// Reads the key that seals the private keys. A file that others can read is refused.
pub(crate) fn wrapping_key(path: &Path) -> Result<RootSecret, String> {
    let about = |what: &dyn std::fmt::Display| format!("keys.wrapping_key: {}: {what}", path.display());
    let is_none =
        |what: &str| about(&format!("{what}; move this file away, and restore your copy; {WITHOUT_COPY}"));
    let mut file = std::fs::File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => about(&format!(
            "does not exist; restore your copy, because the private keys are sealed with it; {WITHOUT_COPY}"
        )),
        _ => about(&error),
    })?;
    let metadata = file.metadata().map_err(|error| about(&error))?;
    if metadata.is_dir() {
        return Err(format!("keys.wrapping_key: {} {IS_FOLDER}", path.display()));
    }
    Access::of(&metadata).check_key().map_err(|what| about(&what))?;
    let mut text = Zeroizing::new(String::new());
    let is_text = match file.read_to_string(&mut text) {
        Err(error) if error.kind() == ErrorKind::InvalidData => false,
        read => read.map(|_| true).map_err(|error| about(&error))?,
    };
    let bytes = URL_SAFE_NO_PAD.decode(text.trim()).ok().filter(|_| is_text).map(Zeroizing::new);
    let bytes = bytes.ok_or_else(|| {
        is_none("the content is not base64url: it is not the key that `chancery init` has made")
    })?;
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| {
        is_none("the key must have 32 bytes: it is not the one that `chancery init` has made")
    })?;
    Ok(RootSecret::new(Zeroizing::new(key)))
}

/// Writes a new file that only its owner can read. It is an error if the file exists.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<(), String> {
    write_new(path, content.as_bytes(), 0o600)
}

/// Writes a new file wholly or not at all, under a temporary name first. It is an error if the file exists.
pub(crate) fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = (|| {
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&unfinished)?;
        file.write_all(content)?;
        file.sync_all()?;
        // Unlike a rename, this replaces no file.
        std::fs::hard_link(&unfinished, path)
    })();
    let _gone = std::fs::remove_file(&unfinished);
    written.map_err(|error| format!("{}: {error}", path.display()))
}

/// 32 random bytes as text.
pub(crate) fn random_text() -> Zeroizing<String> {
    new_wrapping_key().0
}

/// A new wrapping key: the content of its file, and the key itself.
pub(crate) fn new_wrapping_key() -> (Zeroizing<String>, RootSecret) {
    let mut bytes = Zeroizing::new([0; 32]);
    chancery_core::ports::Random::fill(&chancery_jose::SystemRandom, &mut *bytes);
    (Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)), RootSecret::new(bytes))
}

/// Reads a password from a file, or from the one line of standard input.
fn password(source: &PasswordSource) -> Result<Password, String> {
    let text = match source.password_file.as_deref() {
        Some(path) if path != Path::new("-") => {
            let content = text_file::read(path).map(Zeroizing::new);
            let content = content.map_err(|error| {
                with_remedy(format!(
                    "--password-file: {}: {error}: name a file whose first line is the password, or `-` for the standard input",
                    path.display()
                ))
            })?;
            let line = content.lines().next().unwrap_or_default();
            if line.is_empty() {
                return Err(format!(
                    "--password-file: {}: has no password: its first line must be the password",
                    path.display()
                ));
            }
            Zeroizing::new(line.to_owned())
        }
        _ => {
            let mut line = Zeroizing::new(String::new());
            let mut stdin = BufReader::new(std::io::stdin());
            stdin.read_line(&mut line).map_err(|error| error.to_string())?;
            // What has come with it shows a mistake: what a terminal asks for, in its order, begins with something else. Nothing is
            // waited for, because whoever holds the other end of a pipe may keep it open.
            if !stdin.buffer().trim_ascii().is_empty() {
                return Err(
                    "standard input has several lines, of which one would be the password: write only that one line there, \
                     and give whatever else is asked for on a terminal as an argument, such as `init --email`; nothing was changed"
                        .to_owned(),
                );
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                return Err("no password came: its one line is read from standard input, which is empty; write it there, name a \
                     file with --password-file, or run the command on a terminal"
                    .to_owned());
            }
            Zeroizing::new(line.to_owned())
        }
    };
    Ok(Password::new(text))
}

/// The same, and one that the rules refuse, or that is typed differently, is asked for again where that is possible.
pub(crate) fn good_password(
    source: &PasswordSource,
    rules: &PasswordRules,
    username: &Username,
) -> Result<Password, String> {
    if source.password_file.is_some() || !std::io::stdin().is_terminal() {
        return password(source);
    }
    eprintln!(
        "The password has at least {} characters, and is neither common nor the name.",
        Password::SHORTEST
    );
    asked(
        |prompt| rpassword::prompt_password(prompt).map(Zeroizing::new),
        |why| eprintln!("{why}"),
        |password| rules.check(password, username).map_err(|complaints| lines(&complaints)),
    )
}

/// A password that is good and was typed twice alike. What is wrong with it is said before it is typed again.
fn asked(
    mut ask: impl FnMut(&str) -> io::Result<Zeroizing<String>>,
    mut say: impl FnMut(&str),
    check: impl Fn(&Password) -> Result<(), String>,
) -> Result<Password, String> {
    let broken = |error: io::Error| format!("no password was typed ({error}); nothing was changed");
    loop {
        let first = ask("Password: ").map_err(broken)?;
        let password = Password::new(first.clone());
        if let Err(why) = check(&password) {
            say(&why);
        } else if *ask("Again: ").map_err(broken)? == *first {
            return Ok(password);
        } else {
            say("the passwords differ");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The prompts, what was said between them, and what came of it.
    fn typed(answers: &[&str]) -> (Vec<String>, Result<(), String>) {
        let (said, mut answers) = (std::cell::RefCell::new(Vec::new()), answers.iter());
        let (rules, username) = (PasswordRules::default(), Username::parse("alice").unwrap());
        let password = asked(
            |prompt| {
                said.borrow_mut().push(prompt.to_owned());
                answers
                    .next()
                    .map(|&answer| Zeroizing::new(answer.to_owned()))
                    .ok_or(ErrorKind::UnexpectedEof.into())
            },
            |why| said.borrow_mut().push(why.to_owned()),
            |password| rules.check(password, &username).map_err(|complaints| lines(&complaints)),
        );
        (said.into_inner(), password.map(drop))
    }

    #[test]
    fn a_bad_password_is_refused_before_it_is_typed_again() {
        let (said, password) =
            typed(&["short", "correct horse", "correct house", "correct horse", "correct horse"]);
        assert!(password.is_ok());
        let prompts: Vec<&str> =
            said.iter().map(String::as_str).filter(|line| line.ends_with(": ")).collect();
        assert_eq!(prompts, ["Password: ", "Password: ", "Again: ", "Password: ", "Again: "]);
        assert!(said.iter().any(|line| line.contains("at least 8 characters")), "{said:?}");
        assert_eq!(said.iter().filter(|line| *line == "the passwords differ").count(), 1, "{said:?}");
    }

    /// A terminal that is closed is not asked for ever.
    #[test]
    fn no_answer_ends_the_questions() {
        for answers in [&[][..], &["correct horse"], &["short"]] {
            let (said, password) = typed(answers);
            assert!(said.len() < 4 && password.unwrap_err().ends_with("nothing was changed"), "{said:?}");
        }
    }
}

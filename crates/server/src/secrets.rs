//! Secrets from files and the terminal, and secrets that are written to files.

use std::io::{BufRead as _, ErrorKind, IsTerminal as _, Read as _, Write as _};
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

/// Reads the key that seals the private keys. A file that others can read is refused.
pub(crate) fn wrapping_key(path: &Path) -> Result<RootSecret, String> {
    let about = |what: &dyn std::fmt::Display| format!("keys.wrapping_key: {}: {what}", path.display());
    let mut file = std::fs::File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            about(&"does not exist; restore your copy, because the private keys are sealed with it")
        }
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
        about(&"the content is not base64url: it is not the key that `chancery init` has made; restore your copy")
    })?;
    let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| {
        about(&"the key must have 32 bytes: restore your copy of what `chancery init` has made")
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
    let mut bytes = Zeroizing::new([0; 32]);
    chancery_core::ports::Random::fill(&chancery_jose::SystemRandom, &mut *bytes);
    Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))
}

/// How much is read of standard input behind the password, to notice that it is more than a password: what a terminal asks
/// for, in its order, begins with something else.
const REST: u64 = 1_024;

/// Reads a password from its source. On a terminal it is asked for twice and not shown.
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
        None if std::io::stdin().is_terminal() => asked_twice()?,
        _ => {
            let (mut line, mut rest) = (Zeroizing::new(String::new()), Zeroizing::new(Vec::new()));
            let mut stdin = std::io::stdin().lock();
            stdin.read_line(&mut line).map_err(|error| error.to_string())?;
            stdin.take(REST).read_to_end(&mut rest).map_err(|error| error.to_string())?;
            if !rest.trim_ascii().is_empty() {
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
    loop {
        let typed = asked_twice().map(Password::new).and_then(|typed| {
            let checked = rules.check(&typed, username);
            checked.map(|()| typed).map_err(|complaints| lines(&complaints))
        });
        match typed {
            Ok(password) => return Ok(password),
            Err(why) => eprintln!("{why}"),
        }
    }
}

fn asked_twice() -> Result<Zeroizing<String>, String> {
    let ask = |prompt: &str| {
        rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| error.to_string())
    };
    let first = ask("Password: ")?;
    if *ask("Again: ")? == *first { Ok(first) } else { Err("the passwords differ".to_owned()) }
}

//! `chancery init`: the first configuration, keys and person.

use std::io::{BufRead, IsTerminal as _, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use chancery_accounts::{NewPerson, PasswordPool, StoredAccounts, check_claims};
use chancery_core::documents::Documents;
use chancery_core::model::Claims;
use chancery_jose::SystemRandom;
use chancery_store::{Document, DocumentKind, DocumentStore as _, Put};
use chancery_store_memory::MemoryStore;
use chancery_types::Issuer;

use super::check::nameless_host;
use super::user::{new_username, notice_address};
use super::{Output, lines};
use crate::access::{check_folder, check_is_folder, folder_of, make_folder, with_companions};
use crate::arguments::{Configured, Init};
use crate::kept::replacing;
use crate::parts::{open, password_rules};
use crate::secrets::{self, WITHOUT_COPY, write_new};
use crate::settings::{FILE, Settings, Source, Store, issuer_faults, load_text, respelt, template};
use crate::store_lock::{Holder, StoreLock};
use crate::terminal::{Escaped, Word};

const WRAPPING_KEY: &str = "wrapping.key";
const STORE: &str = "chancery.sqlite";

/// Writes nothing before everything is checked, and the configuration last: until that exists, the command
/// can be repeated and continues where an earlier run has stopped.
pub(crate) async fn init(wanted: Init) -> Output {
    let mut configuration = wanted.directory.join(FILE);
    let text = if wanted.new_store {
        if wanted.directory == Path::new(".") {
            configuration = Source::of(&Configured { config: None, dev: None, set: Vec::new() }).path;
        }
        let read = std::fs::read_to_string(&configuration);
        read.map_err(|error| {
            format!("--new-store: {}: {error}: name its folder with --directory", configuration.display())
        })?
    } else {
        template_for(&given_or_asked(wanted.issuer, &ISSUER, issuer_of)?)
    };
    let settings = load_text(&text, &configuration).map_err(|complaints| lines(&complaints))?;
    if let Some(notice) = nameless_host(&settings.issuer) {
        eprintln!("notice: issuer: {notice}");
    }
    let complaints = settings.engine.complaints();
    if !complaints.is_empty() {
        return Err(lines(&complaints));
    }
    let Store::Sqlite { path: store, wrapping_key, group_access } = &settings.store else {
        return Err(
            "store.sqlite is not set, or overridden with nothing by an environment variable: set it to make a store"
                .to_owned(),
        );
    };
    if wanted.new_store {
        check_nothing_is_left(store)?;
    } else if configuration.exists() {
        return Err(format!(
            "{} exists already; nothing was changed. If its store is lost, put a backup in its place with \
             {}, or begin anew without one with `chancery init --new-store`",
            configuration.display(),
            replacing(store)
        ));
    }
    check_places(&configuration, &wanted.directory, store, wrapping_key, *group_access)?;
    let mut who = String::new();
    let person = if wanted.no_user {
        None
    } else {
        let username = given_or_asked(wanted.username, &USERNAME, new_username)?;
        let claims = match wanted.email {
            None if !std::io::stdin().is_terminal() => Claims::default(),
            email => given_or_asked(email, &EMAIL, claims_of)?,
        };
        let rules = password_rules(settings.passwords.blocklist.as_deref())?;
        let password = secrets::good_password(&wanted.password, &rules, &username)?;
        let email = claims.get("email").and_then(|email| serde_json::from_str::<String>(email.get()).ok());
        let email = email.unwrap_or_else(|| "no e-mail address".to_owned());
        who = format!("user:    {}, {}\n", Escaped(username.as_str()), Escaped(&email));
        notice_address(&Claims::default(), &claims, &username);
        Some(rehearsed(&settings, NewPerson { username, password, claims, id: None }).await?)
    };

    make_folder(&wanted.directory)?;
    let _alone = StoreLock::take(&settings, Holder::Command("init"))?;
    let is_key_new = !wrapping_key.exists();
    if is_key_new {
        secrets::write_private(wrapping_key, &secrets::random_text())?;
    }
    let opened = open(&settings)?;
    // A store may be left of an earlier run.
    opened.check_issuer(&settings).await?;
    opened.first_keys(&settings).await?;
    let mut note = who;
    if let Some(person) = person {
        let put = opened.documents.put_new(&settings.realm, DocumentKind::ACCOUNT, vec![person]).await;
        if put.map_err(|error| error.to_string())? == Put::Occupied {
            note =
                "the user exists already and was not changed: `chancery user passwd` changes the password\n"
                    .to_owned();
        }
    }
    opened.note_issuer(&settings).await?;
    drop(opened);
    if wanted.new_store {
        return Ok(format!(
            "written: {}, with new keys: clients, people and everything else of before are to be added again\n{}\
             next:    chancery serve --config {}\n{note}",
            store.display(),
            if is_key_new { format!("written: {}\n", kept(wrapping_key)) } else { String::new() },
            Word(&configuration.to_string_lossy())
        ));
    }
    write_new(&configuration, text.as_bytes(), 0o644)?;
    Ok(said(&configuration, wrapping_key, store) + &note)
}

/// The configuration that begins with this issuer.
fn template_for(issuer: &Issuer) -> String {
    template(&[
        ("issuer", format!("{:?}", issuer.as_str())),
        ("http.listen", format!("[\"127.0.0.1:{}\"]", port(issuer))),
        ("http.trusted_proxies", proxies(issuer).to_owned()),
        ("store.sqlite", format!("{STORE:?}")),
        ("keys.wrapping_key", format!("{WRAPPING_KEY:?}")),
    ])
}

/// Checks that nothing of a former store is at its path. SQLite would take what is left of its log for the new one's.
fn check_nothing_is_left(store: &Path) -> Result<(), String> {
    let left = with_companions(store).into_iter().filter(|file| file.symlink_metadata().is_ok());
    let left: Vec<String> = left.map(|file| file.display().to_string()).collect();
    let (are, them) = if left.len() > 1 { ("exist and were", "them") } else { ("exists and was", "it") };
    match left.is_empty() {
        true => Ok(()),
        false => {
            Err(format!("{} {are} not changed: move {them} away, if the store is lost", left.join(", ")))
        }
    }
}

/// Checks that everything can be written. A key without a store, or both, may be left of an earlier run.
fn check_places(
    configuration: &Path,
    folder: &Path,
    store: &Path,
    wrapping_key: &Path,
    is_group_trusted: bool,
) -> Result<(), String> {
    for file in [store, wrapping_key] {
        let parent = folder_of(file);
        if parent != folder_of(configuration) {
            let checked = check_is_folder(&parent);
            checked.map_err(|what| format!("{}: {what}; nothing was changed", file.display()))?;
        }
    }
    if folder.exists() {
        check_folder(&folder_of(store), is_group_trusted)?;
    }
    match (wrapping_key.exists(), store.exists()) {
        (true, _) => secrets::wrapping_key(wrapping_key).map(drop),
        (false, false) => Ok(()),
        (false, true) => Err(format!(
            "{} exists, but its wrapping key does not: restore your copy, and the configuration; {WITHOUT_COPY}",
            store.display()
        )),
    }
}

/// Makes the person's document in memory, so that all errors are found before anything is written.
async fn rehearsed(settings: &Settings, person: NewPerson) -> Result<Document, String> {
    let memory = Arc::new(MemoryStore::new());
    let pool = PasswordPool::start(NonZeroUsize::MIN, 1).map_err(|fault| fault.to_string())?;
    let accounts = StoredAccounts::new(Documents::new(memory.clone()), pool, Arc::new(SystemRandom));
    let rules = password_rules(settings.passwords.blocklist.as_deref())?;
    let (accounts, realm) = (accounts.with_rules(rules), &settings.realm);
    accounts.add(realm, person).await.map_err(|error| error.to_string())?;
    let made = memory.list(realm, DocumentKind::ACCOUNT, None, 1).await.map_err(|error| error.to_string())?;
    made.into_iter().next().ok_or_else(|| "no user was made".to_owned())
}

/// The port of an http issuer; for an https one, the port that a TLS proxy connects to.
fn port(issuer: &Issuer) -> u16 {
    let named = issuer.origin().strip_prefix("http://").and_then(|authority| authority.rsplit(':').next());
    named.and_then(|port| port.parse().ok()).unwrap_or(8080)
}

/// What ends TLS for an https issuer stands before the loopback address on which we listen.
fn proxies(issuer: &Issuer) -> &'static str {
    if issuer.is_https() { "[\"127.0.0.1\"]" } else { "[]" }
}

fn said(configuration: &Path, wrapping_key: &Path, store: &Path) -> String {
    format!(
        "written: {}, {}, {}\n\
         next:    chancery serve --config {}\n",
        configuration.display(),
        kept(wrapping_key),
        store.display(),
        Word(&configuration.to_string_lossy())
    )
}

/// What is said of a new wrapping key.
fn kept(wrapping_key: &Path) -> String {
    format!(
        "{} (keep it secret, and keep a copy: without it, the private keys are lost)",
        wrapping_key.display()
    )
}

/// Something that is asked for.
struct Question {
    /// What an answer has to be; said before.
    rule: &'static str,
    prompt: &'static str,
    /// What answers it without a terminal.
    flag: &'static str,
    /// What was probably meant by a bad answer, if that is good.
    meant: fn(&str) -> Option<String>,
}

const ISSUER: Question = Question {
    rule: "The issuer is the URL at which people and clients reach this server: https, without a slash at its end; http for \
           localhost alone.",
    prompt: "Issuer, such as https://id.example.org: ",
    flag: "--issuer",
    meant: meant_issuer,
};

const USERNAME: Question = Question {
    rule: "The first user signs in with a name: letters, digits and printable ASCII characters, without blanks.",
    prompt: "First user: ",
    flag: "--username or --no-user",
    meant: |_| None,
};

const EMAIL: Question = Question {
    rule: "The first user's e-mail address is told to clients that ask for it; leave it empty for none.",
    prompt: "E-mail address (may be empty): ",
    flag: "--email",
    meant: |_| None,
};

fn issuer_of(typed: &str) -> Result<Issuer, String> {
    Issuer::parse(typed).map_err(|_| {
        let faults = issuer_faults(typed).into_iter();
        faults.map(|fault| format!("issuer: {typed:?}: {fault}")).collect::<Vec<_>>().join("\n")
    })
}

/// The issuer that was probably meant: with https, without what stands before the host or behind the path.
fn meant_issuer(typed: &str) -> Option<String> {
    let typed = typed.trim();
    let rest = typed.split_once("://").map_or(typed, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next()?;
    let (before, behind) = rest.split_once("/.well-known/").unwrap_or((rest, ""));
    let rest = match behind.split_once('/') {
        Some((_, path)) => format!("{before}/{path}"),
        None => before.to_owned(),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((&rest, ""));
    let host = authority.rsplit('@').next()?.to_ascii_lowercase();
    let host = host.strip_suffix(":443").unwrap_or(&host).trim_end_matches('.');
    // http is good for this machine alone.
    let begins_with_http = typed.get(..7).is_some_and(|begun| begun.eq_ignore_ascii_case("http://"));
    let schemes = begins_with_http.then_some("http").into_iter().chain(["https"]);
    let mut meant = schemes.map(|scheme| respelt(&format!("{scheme}://{host}/{path}")));
    meant.find(|meant| Issuer::parse(meant).is_ok())
}

fn claims_of(email: &str) -> Result<Claims, String> {
    let mut claims = Claims::default();
    if !email.is_empty() {
        claims.set("email", email);
    }
    check_claims(&claims).map(|()| claims).map_err(|complaints| lines(&complaints))
}

/// What was given has to be good; on a terminal it is asked for until it is.
fn given_or_asked<T>(
    given: Option<String>,
    question: &Question,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, String> {
    match given {
        Some(given) => read(given.trim()),
        None if std::io::stdin().is_terminal() => {
            ask(&mut std::io::stdin().lock(), &mut std::io::stdout(), question, read)
        }
        None => Err(format!("there is no terminal to ask on; use {}", question.flag)),
    }
}

/// Says the rule, then asks until an answer is good.
fn ask<T>(
    answers: &mut impl BufRead,
    out: &mut impl Write,
    Question { rule, prompt, meant, .. }: &Question,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, String> {
    let broken = |error: std::io::Error| error.to_string();
    writeln!(out, "{rule}").map_err(broken)?;
    let mut offered: Option<String> = None;
    loop {
        match &offered {
            None => write!(out, "{prompt}"),
            Some(offered) => write!(out, "Enter for {}, or another answer: ", Escaped(offered)),
        }
        .and_then(|()| out.flush())
        .map_err(broken)?;
        let mut line = String::new();
        if answers.read_line(&mut line).map_err(broken)? == 0 {
            return Err("there was no answer; nothing was written".to_owned());
        }
        let typed = match (line.trim(), &offered) {
            ("", Some(offered)) => offered,
            (typed, _) => typed,
        };
        match read(typed) {
            Ok(answer) => return Ok(answer),
            Err(why) => write!(out, "{}", Escaped::lines(&why)).map_err(broken)?,
        }
        offered = meant(typed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bad answer is explained and asked for again; the rule is said once, before.
    #[test]
    fn a_bad_answer_is_asked_for_again() {
        let (mut answers, mut out) = (
            &b"ftp:\nhttp://id.example.org\nhttps://id.example.org/?a\n https://id.example.org\n"[..],
            Vec::new(),
        );
        let issuer = ask(&mut answers, &mut out, &ISSUER, issuer_of).unwrap();
        assert_eq!(issuer.as_str(), "https://id.example.org");
        let said = String::from_utf8(out).unwrap();
        assert_eq!(
            (said.matches(ISSUER.rule).count(), said.matches(ISSUER.prompt).count()),
            (1, 2),
            "{said}"
        );
        assert_eq!(
            said.matches("Enter for https://id.example.org, or another answer: ").count(),
            2,
            "{said}"
        );
        let metadata = issuer_of("https://id.example.org/auth/.well-known/openid-configuration").unwrap_err();
        assert!(metadata.ends_with("the issuer is probably https://id.example.org/auth"), "{metadata}");
        let metadata =
            issuer_of("https://id.example.org/.well-known/oauth-authorization-server/auth").unwrap_err();
        assert!(metadata.ends_with("the issuer is probably https://id.example.org/auth"), "{metadata}");
        assert!(
            said.starts_with(ISSUER.rule) && said.contains("http is for localhost") && said.contains("query")
        );
        let (mut answers, mut out) = (&b"nobody\n\n"[..], Vec::new());
        assert!(ask(&mut answers, &mut out, &EMAIL, claims_of).unwrap().is_empty());
        assert!(String::from_utf8(out).unwrap().contains("must be an e-mail address"));
        let ended = ask(&mut &b"a b\n"[..], &mut Vec::new(), &USERNAME, new_username);
        assert!(ended.unwrap_err().contains("nothing was written"));
    }

    /// What was probably meant is the answer of whoever types nothing more.
    #[test]
    fn what_was_probably_meant_is_offered() {
        for (typed, meant) in [
            ("http://id.example.org", Some("https://id.example.org")),
            ("id.example.org", Some("https://id.example.org")),
            ("https://Id.Example.org:443/", Some("https://id.example.org")),
            ("HTTPS://me@id.example.org./auth/?a#b", Some("https://id.example.org/auth")),
            ("https://id.example.org/.well-known/openid-configuration", Some("https://id.example.org")),
            (
                "https://id.example.org/.well-known/oauth-authorization-server/auth",
                Some("https://id.example.org/auth"),
            ),
            ("https://id.example.org/%41uth//x", Some("https://id.example.org/Auth/x")),
            ("id.example.org:8443/auth/", Some("https://id.example.org:8443/auth")),
            ("http://localhost:8080/", Some("http://localhost:8080")),
            ("", None),
            ("ftp:", None),
            ("two words", None),
        ] {
            assert_eq!(meant_issuer(typed).as_deref(), meant, "{typed}");
        }
        let (mut answers, mut out) = (&b"id.example.org\n\n"[..], Vec::new());
        let issuer = ask(&mut answers, &mut out, &ISSUER, issuer_of).unwrap();
        assert_eq!(issuer.as_str(), "https://id.example.org");
        let ended = ask(&mut &b"ftp:\n\n"[..], &mut Vec::new(), &ISSUER, issuer_of);
        assert!(
            ended.unwrap_err().contains("nothing was written"),
            "nothing is offered for what nobody understands"
        );
    }

    #[test]
    fn a_loopback_issuer_is_served_on_its_own_port() {
        for (issuer, expected) in [
            ("http://localhost:3001", 3001),
            ("http://[::1]:3001/oidc", 3001),
            ("http://localhost", 8080),
            ("https://id.example:8443", 8080),
        ] {
            assert_eq!(port(&Issuer::parse(issuer).unwrap()), expected, "{issuer}");
        }
    }
}

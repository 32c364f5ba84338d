//! The development provider, which starts without any configuration and keeps its keys, clients and people in
//! a folder.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use chancery::development::Demo;
use chancery_accounts::AccountError;
use chancery_core::client::{RegistrationRules, register};
use chancery_core::model::LoginForm;
use chancery_core::ports::{
    Accounts as _, Clock as _, LoginOutcome, LoginRefusal, Registry as _, Room, SystemClock,
};
use chancery_jose::SystemRandom;
use chancery_store::Put;
use chancery_types::{ClientId, Issuer};
use zeroize::Zeroizing;

use crate::access::make_folder;
use crate::arguments::{Configured, DEVELOPMENT, Develop};
use crate::commands::lines;
use crate::node::{DEVELOPMENT_ADDRESS, Node, bind};
use crate::parts::{Opened, open};
use crate::secrets::{self, write_new};
use crate::settings::{FILE, Settings, load, template};
use crate::store_lock::{Holder, StoreLock};
use crate::terminal::Word;

const WRAPPING_KEY: &str = "wrapping.key";

/// Makes what is missing and starts the server. The folder has a configuration like any other, so that whatever works
/// on a provider works on this one.
pub(crate) async fn develop(wanted: Develop) -> Result<(), String> {
    let folder = &wanted.directory;
    let listen = wanted.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)));
    only_loopback(&[listen])?;
    let file = folder.join(FILE);
    if !file.exists() {
        // A folder that names an address at which somebody else listens would mislead every later command.
        drop(bind(DEVELOPMENT_ADDRESS, listen).await?);
    }
    make_folder(folder)?;
    let wrapping_key = folder.join(WRAPPING_KEY);
    if !wrapping_key.exists() {
        secrets::write_private(&wrapping_key, &secrets::random_text())?;
    }
    if !file.exists() {
        write_new(&file, configuration(listen).as_bytes(), 0o644)?;
    }
    let configured = configured(&wanted);
    let settings = load(&configured).map_err(|complaints| lines(&complaints))?;
    only_loopback(&settings.http.listen)?;
    only_loopback(settings.management.as_slice())?;
    if settings.tls.is_some() {
        return Err(format!("{}: a development provider has no [tls]", file.display()));
    }
    let is_first = !folder.join("credentials").exists();
    let (demo, password, secret) = demo(&settings.issuer, &folder.join("credentials"))?;
    let _alone = StoreLock::take(&settings, Holder::Server)?;
    let opened = open(&settings)?;
    for missing in fill(&settings, &opened, &demo).await?.into_iter().filter(|_| !is_first) {
        println!("Made again, because every development provider has it: {missing}.");
    }
    let demo = with_own_secrets(demo, &secret, &settings, &opened).await?;
    let demo = match has_other_password(&settings, &opened, &password).await? {
        true => demo.with_own_password(),
        false => demo,
    };
    Node::new(with_ipv6(settings), opened, Some(demo)).await?.run(Some(configured)).await
}

fn only_loopback(listen: &[SocketAddr]) -> Result<(), String> {
    match listen.iter().find(|address| !address.ip().is_loopback()) {
        None => Ok(()),
        Some(other) => Err(format!("a development provider listens on loopback only, not on {other}")),
    }
}

/// The first configuration, with all that can be set in comments.
fn configuration(listen: SocketAddr) -> String {
    template(&[
        ("issuer", format!("{:?}", issuer(listen))),
        ("realm", "\"development\"".to_owned()),
        ("http.listen", format!("[\"{listen}\"]")),
        ("management.listen", "\"\"".to_owned()),
        ("store.sqlite", "\"chancery.sqlite\"".to_owned()),
        ("keys.wrapping_key", format!("{WRAPPING_KEY:?}")),
        ("log.format", "\"text\"".to_owned()),
    ])
}

fn issuer(listen: SocketAddr) -> String {
    format!("http://localhost:{}", listen.port())
}

/// The configuration of the folder; where an address is wanted for this run, it counts instead of the one there.
fn configured(wanted: &Develop) -> Configured {
    let settings =
        |listen: SocketAddr| [format!("issuer={}", issuer(listen)), format!("http.listen={listen}")];
    let set = wanted.listen.map(settings).into_iter().flatten().chain(wanted.set.iter().cloned()).collect();
    Configured { config: None, dev: Some(wanted.directory.clone()), set }
}

/// Adds ::1, to which a browser may resolve `localhost`, unless the machine has no IPv6.
fn with_ipv6(mut settings: Settings) -> Settings {
    let ports: Vec<u16> =
        settings.http.listen.iter().filter(|address| address.is_ipv4()).map(SocketAddr::port).collect();
    for port in ports {
        let address = SocketAddr::from((Ipv6Addr::LOCALHOST, port));
        if std::net::TcpListener::bind(address).is_ok() {
            settings.http.listen.push(address);
        }
    }
    settings
}

/// The clients and the person, and besides the password and the secret. These are made once and kept in a file, so that scripts and
/// browsers can keep using them.
fn demo(issuer: &Issuer, credentials: &Path) -> Result<(Demo, Zeroizing<String>, Zeroizing<String>), String> {
    let text = match fs::read_to_string(credentials) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let random = |length: usize| {
                Zeroizing::new(secrets::random_text().chars().take(length).collect::<String>())
            };
            let made = format!(
                "username demo\npassword {}\nclient_id demo-api\nclient_secret {}\n",
                *random(16),
                *random(43)
            );
            secrets::write_private(credentials, &made)?;
            Zeroizing::new(made)
        }
        Err(error) => return Err(format!("{}: {error}", credentials.display())),
    };
    let value = |name: &str| {
        let found = text.lines().filter_map(|line| line.split_once(' ')).find(|(have, _)| *have == name);
        let missing =
            || format!("{}: {name} is missing; remove the folder to start afresh", credentials.display());
        found.map(|(_, value)| Zeroizing::new(value.trim().to_owned())).ok_or_else(missing)
    };
    let password = value("password")?;
    let secret = value("client_secret")?;
    let demo = Demo::new(issuer.as_str(), password.clone(), secret.clone());
    let demo = demo.map_err(|error| error.to_string())?;
    // What was typed to start this process starts its commands, too.
    let program = std::env::args().next().unwrap_or_else(|| "chancery".to_owned());
    let folder = credentials.parent().unwrap_or(Path::new(""));
    // Commands find the provider of another folder than their own by its name alone.
    let dev = match folder == Path::new(DEVELOPMENT) {
        true => String::new(),
        false => format!(" --dev={}", Word(&folder.to_string_lossy())),
    };
    Ok((demo.with_program(format!("{}{dev}", Word(&program))), password, secret))
}

/// Whether somebody has given the person another password than the one of the file.
async fn has_other_password(settings: &Settings, opened: &Opened, password: &str) -> Result<bool, String> {
    let form = LoginForm::new("demo", password);
    let login = opened.accounts.authenticate(&settings.realm, SystemClock.now(), form, Room::default()).await;
    let login = login.map_err(|fault| fault.to_string())?;
    Ok(matches!(login, LoginOutcome::Refused(LoginRefusal::WrongPassword(_))))
}

/// Notes which clients have got another secret than the one of the file.
async fn with_own_secrets(
    demo: Demo,
    secret: &str,
    settings: &Settings,
    opened: &Opened,
) -> Result<Demo, String> {
    let (mut noted, now) = (demo, SystemClock.now());
    for id in noted.confidential() {
        let id = ClientId::parse(id).map_err(|error| error.to_string())?;
        let client = opened.registry.client(&settings.realm, &id).await.map_err(|fault| fault.to_string())?;
        if client.is_none_or(|client| !client.has_newest_secret(secret, now)) {
            noted = noted.with_own_secret(id.as_str());
        }
    }
    Ok(noted)
}

/// Makes the keys, clients and the person that do not exist yet; answers which these were of the clients and people.
async fn fill(settings: &Settings, opened: &Opened, demo: &Demo) -> Result<Vec<String>, String> {
    let (realm, now) = (&settings.realm, SystemClock.now());
    let mut made = Vec::new();
    opened.first_keys(settings).await?;
    let offered = settings.engine.offered_at(&settings.issuer);
    let algorithms = opened.algorithms(realm).await.map_err(|fault| fault.to_string())?;
    let rules = RegistrationRules::new(&offered, &algorithms, now);
    for metadata in demo.clients() {
        let registered = register(metadata.as_bytes(), &SystemRandom, &rules);
        let client = registered.map_err(|complaints| lines(&complaints))?.client;
        let id = client.id().to_string();
        // A client that exists stays as it is.
        let put = opened.registry.put_client(realm, None, Arc::new(client)).await;
        if matches!(put.map_err(|fault| fault.to_string())?, Put::Done(_)) {
            made.push(format!("the client {id}; `chancery client disable {id}` keeps it out"));
        }
    }
    match opened.accounts.add(realm, demo.person().map_err(|error| error.to_string())?).await {
        Ok(_) => {
            made.push("the person demo; `chancery user disable demo` keeps them out".to_owned());
            Ok(made)
        }
        Err(AccountError::Taken) => Ok(made),
        Err(error) => Err(error.to_string()),
    }
}

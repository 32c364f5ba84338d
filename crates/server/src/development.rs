//! The development provider, which starts without any configuration and keeps its keys, clients and people in
//! a folder.

use std::fs;
use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use chancery::development::Demo;
use chancery_accounts::AccountError;
use chancery_core::client::{RegistrationRules, register};
use chancery_core::ports::{Clock as _, Registry as _};
use chancery_jose::SystemRandom;
use chancery_types::RealmId;
use zeroize::Zeroizing;

use crate::access::make_folder;
use crate::arguments::Develop;
use crate::log::Format;
use crate::node::Node;
use crate::parts::{Opened, open};
use crate::secrets;
use crate::settings::{Settings, Store};
use chancery_core::ports::SystemClock;

/// Makes what is missing and starts the server.
pub(crate) async fn develop(wanted: Develop) -> Result<(), String> {
    if !wanted.listen.ip().is_loopback() {
        return Err(format!("a development provider listens on loopback only, not on {}", wanted.listen));
    }
    let folder = &wanted.directory;
    make_folder(folder)?;
    let wrapping_key = folder.join("wrapping.key");
    if !wrapping_key.exists() {
        secrets::write_private(&wrapping_key, &secrets::random_text())?;
    }
    let demo = demo(wanted.listen, &folder.join("credentials"))?;
    let realm = RealmId::parse("development").map_err(|error| error.to_string())?;
    let mut settings = Settings::on(demo.issuer().clone(), realm, vec![wanted.listen]);
    settings.store =
        Store::Sqlite { path: folder.join("chancery.sqlite"), wrapping_key, group_access: false };
    settings.log.format = Format::Text;
    let opened = open(&settings)?;
    fill(&settings, &opened, &demo).await?;
    Node::new(with_ipv6(settings), opened, Some(demo)).await?.run(None).await
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

/// The secrets are made once and kept in a file, so that scripts and browsers can keep using them.
fn demo(listen: SocketAddr, credentials: &Path) -> Result<Demo, String> {
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
    let issuer = format!("http://localhost:{}", listen.port());
    Demo::new(&issuer, value("password")?, value("client_secret")?).map_err(|error| error.to_string())
}

/// Makes the keys, clients and the person that do not exist yet.
async fn fill(settings: &Settings, opened: &Opened, demo: &Demo) -> Result<(), String> {
    let (realm, now) = (&settings.realm, SystemClock.now());
    opened.first_keys(realm).await.map_err(|fault| fault.to_string())?;
    let offered = settings.engine.offered_at(&settings.issuer);
    let algorithms = opened.algorithms(realm).await.map_err(|fault| fault.to_string())?;
    let rules = RegistrationRules::new(&offered, &algorithms, now);
    for metadata in demo.clients() {
        let registered = register(metadata.as_bytes(), &SystemRandom, &rules);
        let client = registered.map_err(|complaints| crate::commands::lines(&complaints))?.client;
        // A client that exists stays as it is.
        opened.registry.put_client(realm, None, Arc::new(client)).await.map_err(|fault| fault.to_string())?;
    }
    match opened.accounts.add(realm, demo.person().map_err(|error| error.to_string())?).await {
        Ok(_) | Err(AccountError::Taken) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

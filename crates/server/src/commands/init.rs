//! The first configuration, keys and person.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use chancery_accounts::NewPerson;
use chancery_core::model::Claims;
use chancery_core::ports::Clock as _;
use chancery_types::Issuer;

use super::user::username;
use super::{Said, lines};
use crate::arguments::{Configured, Init};
use crate::parts::open;
use crate::secrets;
use crate::settings::{load, template};
use chancery_core::ports::SystemClock;

const CONFIGURATION: &str = "chancery.toml";
const WRAPPING_KEY: &str = "wrapping.key";
const STORE: &str = "chancery.sqlite";

pub(crate) async fn init(wanted: Init) -> Said {
    let issuer = given_or_asked(wanted.issuer, "Issuer, such as https://id.example.org: ", "--issuer")?;
    let issuer = Issuer::parse(issuer.trim()).map_err(
        |_| "the issuer has to be an https URL without query, fragment and slash at its end (http on loopback)",
    )?;
    let person = if wanted.no_user {
        None
    } else {
        let typed = given_or_asked(wanted.username, "First user: ", "--username or --no-user")?;
        Some(NewPerson {
            username: username(&typed)?,
            password: secrets::password(&wanted.password)?,
            claims: Claims::default(),
            id: None,
        })
    };

    let folder = &wanted.directory;
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for name in [CONFIGURATION, WRAPPING_KEY, STORE] {
        if folder.join(name).exists() {
            return Err(format!("{} is there already; nothing was changed", folder.join(name).display()));
        }
    }
    secrets::write_private(&folder.join(WRAPPING_KEY), &secrets::drawn())?;
    let text = template(&[
        ("issuer", format!("{:?}", issuer.as_str())),
        ("http.listen", format!("[\"127.0.0.1:{}\"]", port(&issuer))),
        ("store.sqlite", format!("{STORE:?}")),
        ("keys.wrapping_key", format!("{WRAPPING_KEY:?}")),
    ]);
    let configuration = folder.join(CONFIGURATION);
    std::fs::write(&configuration, text).map_err(|error| format!("{}: {error}", configuration.display()))?;

    let configured = Configured { config: Some(configuration.clone()), set: Vec::new() };
    let settings = load(&configured).map_err(|complaints| lines(&complaints))?;
    let opened = open(&settings)?;
    let now = SystemClock.now();
    opened.first_keys(&settings.realm, now).await.map_err(|fault| fault.to_string())?;
    if let Some(person) = person {
        let added = opened.accounts.add(&settings.realm, now, person).await;
        added.map_err(|error| {
            let configuration = configuration.display();
            format!(
                "{error}\neverything else is there: `chancery user add NAME --config {configuration}` adds the user"
            )
        })?;
    }
    Ok(said(&configuration, folder))
}

/// Without TLS the issuer's own port, else one for the proxy that ends TLS.
fn port(issuer: &Issuer) -> u16 {
    let named = issuer.origin().strip_prefix("http://").and_then(|authority| authority.rsplit(':').next());
    named.and_then(|port| port.parse().ok()).unwrap_or(8080)
}

fn said(configuration: &Path, folder: &Path) -> String {
    format!(
        "written: {}, {} (keep it secret, and keep a copy: without it the private keys are lost), {}\n\
         next:    chancery serve --config {}\n",
        configuration.display(),
        folder.join(WRAPPING_KEY).display(),
        folder.join(STORE).display(),
        configuration.display()
    )
}

fn given_or_asked(given: Option<String>, prompt: &str, flag: &str) -> Result<String, String> {
    if let Some(given) = given {
        return Ok(given);
    }
    if !std::io::stdin().is_terminal() {
        return Err(format!("there is no terminal to ask on: give {flag}"));
    }
    print!("{prompt}");
    let _shown = std::io::stdout().flush();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| error.to_string())?;
    Ok(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

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

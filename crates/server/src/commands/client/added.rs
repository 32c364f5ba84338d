//! What people read of a client that was added, and of a secret that was made. Whoever reads the output by a program gets JSON,
//! one object on a line.

use std::io::IsTerminal as _;

use chancery_core::model::Client;
use chancery_types::ClientId;

use crate::arguments::Kind;
use crate::commands::printed::Form;
use crate::settings::Settings;
use crate::terminal::{Escaped, Word};

/// Whether the output goes to a terminal, and nobody has asked for JSON.
pub(super) fn is_for_people(form: Form) -> bool {
    form == Form::Text && std::io::stdout().is_terminal()
}

/// What the application needs, and what comes next.
pub(super) fn summary(client: &Client, secret: Option<&str>, settings: &Settings) -> String {
    let id = client.id();
    let shown = match secret {
        Some(text) => self::secret(id, text),
        None => row("client_id", id.as_str()),
    };
    let kind = Kind::of(client).map(|kind| format!(", a client of kind {}", kind.name()));
    format!(
        "added {}{}\n{}{shown}next: set the application up with these; `chancery client show {}` shows what else it is registered with\n",
        Escaped(id.as_str()),
        kind.unwrap_or_default(),
        row("issuer", settings.issuer.as_str()),
        Escaped(&Word(id.as_str()).to_string()),
    )
}

/// A secret that was made, for this once.
pub(super) fn secret(id: &ClientId, secret: &str) -> String {
    format!(
        "{}{}The secret cannot be shown again: put it where the application reads it. `chancery client secret rotate {}` makes \
         another one\n",
        row("client_id", id.as_str()),
        row("client_secret", secret),
        Escaped(&Word(id.as_str()).to_string()),
    )
}

fn row(name: &str, value: &str) -> String {
    format!("  {name:13}  {}\n", Escaped(value))
}

#[cfg(test)]
mod tests {
    use chancery_core::client::{RegistrationRules, register};
    use chancery_core::ports::{Clock as _, SystemClock};
    use chancery_jose::SystemRandom;
    use chancery_types::{Issuer, RealmId};

    use super::*;

    #[test]
    fn a_summary_has_what_an_application_needs() {
        let (issuer, realm) = (Issuer::parse("https://id.example").unwrap(), RealmId::parse("main").unwrap());
        let settings = Settings::on(issuer, realm, Vec::new());
        let offered = settings.engine.offered_at(&settings.issuer);
        let rules = RegistrationRules::new(&offered, &[], SystemClock.now());
        let said = |json: &str| {
            let made = register(json.as_bytes(), &SystemRandom, &rules).unwrap();
            let secret = made.secret_to_show.as_deref().map(String::as_str);
            (summary(&made.client, secret, &settings), secret.map(str::to_owned))
        };
        let machine = r#"{"client_id":"my job","grant_types":["client_credentials"],"response_types":[]}"#;
        let (text, secret) = said(machine);
        for part in [
            "added my job, a client of kind machine\n  issuer         https://id.example\n  client_id      my job\n",
            &format!("\n  client_secret  {}\nThe secret cannot be shown again", secret.unwrap()),
            "`chancery client secret rotate 'my job'`",
            "next: ",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let public = r#"{"client_id":"spa","grant_types":["urn:ietf:params:oauth:grant-type:device_code"],"response_types":[],
            "token_endpoint_auth_method":"none"}"#;
        let rules = RegistrationRules::new(&offered, &[], SystemClock.now());
        if let Ok(made) = register(public.as_bytes(), &SystemRandom, &rules) {
            let text = summary(&made.client, None, &settings);
            assert!(!text.contains("secret") && text.contains("  client_id      spa\nnext: "), "{text}");
        }
    }
}

//! `chancery check`: everything that is wrong at once, and what was loosened on purpose.

use std::sync::Arc;
use std::task::Waker;

use chancery_core::client::broken_demands;
use chancery_core::fetch::{Fetch, NoFetch};
use chancery_core::model::{Client as RegisteredClient, IdTokenAlgorithm};
use chancery_core::ports::{Clock as _, NoopEventSink, SystemClock};

use super::{Output, client, lines};
use crate::arguments::Configured;
use crate::fetch;
use crate::listener::Certificate;
use crate::pages;
use crate::parts::open_existing;
use crate::settings::{Settings, Store, load};
use crate::terminal::Escaped;

/// Checks the configuration. With `is_strict`, a deviation from RFC 9700 is an error, too.
pub(crate) async fn check(configured: &Configured, is_strict: bool) -> Output {
    let settings = load(configured).map_err(|complaints| lines(&complaints))?;
    let mut wrong = Vec::new();
    if let Some(tls) = &settings.tls {
        wrong.extend(Certificate::read(&tls.certificate, &tls.key).err());
    }
    let locales = match pages::open(&settings.pages) {
        Ok(pages) => pages.locales().iter().map(|locale| (*locale).to_owned()).collect(),
        Err(why) => {
            wrong.push(why);
            Vec::new()
        }
    };
    let fetch: Arc<dyn Fetch> = match fetch::open(&settings.fetch) {
        Ok(fetch) => fetch,
        Err(why) => {
            wrong.push(why);
            Arc::new(NoFetch)
        }
    };
    let departures = settings.engine.compatibility.departures().into_iter();
    let mut loosened: Vec<String> = departures
        .map(|departure| format!("compatibility.{} ({})", departure.setting, departure.section))
        .collect();
    let unlimited = settings.engine.registration.unlimited().into_iter();
    loosened.extend(unlimited.map(|setting| format!("registration.{setting} (RFC 7591 section 5)")));
    if settings.are_named_hosts_open() {
        loosened.push("fetch.allow_hosts_for (RFC 9101 section 10.4)".to_owned());
    }
    match &settings.store {
        Store::Sqlite { .. } => stored(&settings, &locales, fetch, &mut wrong, &mut loosened).await,
        Store::Memory => wrong.extend(complaints(&settings)),
    }
    let said: String = loosened.iter().map(|line| format!("loosened: {line}\n")).collect();
    let said = match settings.foreign_variables.as_slice() {
        [] => said,
        names => {
            said + &format!(
                "environment variables that are not settings and were not read: {}\n",
                Escaped(&names.join(", "))
            )
        }
    };
    match (wrong.is_empty(), loosened.is_empty() || !is_strict) {
        (true, true) => Ok(said + "the configuration is good\n"),
        (true, false) => Err(said),
        (false, _) => Err(said + &wrong.join("\n")),
    }
}

/// What is wrong with the settings by themselves.
fn complaints(settings: &Settings) -> Vec<String> {
    let Settings { engine, issuer, .. } = settings;
    let complaints = engine.complaints().into_iter().chain(engine.interaction.complaints_at(issuer));
    complaints.map(|complaint| complaint.to_string()).collect()
}

/// Checks what is in the store: keys and clients.
async fn stored(
    settings: &Settings,
    locales: &[String],
    fetch: Arc<dyn Fetch>,
    wrong: &mut Vec<String>,
    loosened: &mut Vec<String>,
) {
    let opened = match open_existing(settings) {
        Ok(opened) => opened,
        Err(why) => {
            wrong.push(why);
            return wrong.extend(complaints(settings));
        }
    };
    let locales: Vec<&str> = locales.iter().map(String::as_str).collect();
    if let Err(complaints) =
        opened.provider(settings, (Arc::new(NoopEventSink), fetch, Waker::noop().clone()), &locales).await
    {
        wrong.extend(complaints.iter().map(ToString::to_string));
    }
    match client::all(settings, &opened).await {
        Ok(clients) => {
            let (now, offered) = (SystemClock.now(), settings.engine.offered_at(&settings.issuer));
            wrong.extend(introspected_by(settings, &clients));
            for client in clients {
                let id = client.id();
                let broken = broken_demands(&client, &offered).into_iter();
                let broken = broken.chain(client::unknown_resources(&client, settings));
                wrong.extend(broken.map(|complaint| format!("client {}: {complaint}", Escaped(id.as_str()))));
                let departures = client.metadata().own.departures().into_iter();
                loosened.extend(
                    departures.map(|left| format!("client {id}: {} ({})", left.setting, left.section)),
                );
                if client.metadata().openid.id_token_signed_response_alg == IdTokenAlgorithm::Unsigned {
                    loosened
                        .push(format!("client {id}: ID tokens without a signature (RFC 8725 section 3.2)"));
                }
                if client.has_weak_secret(now) {
                    loosened.push(format!(
                        "client {id}: a secret of fewer than 32 characters (RFC 6749 section 10.10)"
                    ));
                }
            }
        }
        Err(fault) => wrong.push(format!("clients: {fault}")),
    }
}

/// The clients of `introspected_by` that cannot introspect.
fn introspected_by(settings: &Settings, clients: &[Arc<RegisteredClient>]) -> Vec<String> {
    let mut wrong = Vec::new();
    for server in &settings.resource_servers {
        for id in &server.introspected_by {
            let why = match clients.iter().find(|client| client.id() == id) {
                None => "is no client that is registered (RFC 7662 section 2.1)",
                Some(client) if client.is_public() => "does not authenticate (RFC 7662 section 4)",
                Some(_) => continue,
            };
            let uri = server.uri.as_str();
            wrong.push(format!("resource_server: {uri}: introspected_by: {} {why}", Escaped(id.as_str())));
        }
    }
    wrong
}

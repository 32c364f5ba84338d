//! `chancery check`: everything that is wrong at once, whatever stage it is of; what to be warned of; and what was
//! loosened on purpose.

mod warnings;
pub(super) use self::warnings::nameless_host;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use chancery_core::client::broken_demands;
use chancery_core::duration;
use chancery_core::error::Complaint;
use chancery_core::fetch::{DynFetch, NoFetch};
use chancery_core::model::{Client as RegisteredClient, IdTokenAlgorithm};
use chancery_core::ports::{Clock as _, NoopEventSink, SystemClock};
use chancery_http::Pages as _;
use chancery_store_sqlite::{Seen, look_through};
use serde_json::json;

use self::warnings::warnings;
use super::printed::{Form, json as printed_json};
use super::{Output, client};
use crate::arguments::Configured;
use crate::listener::Certificate;
use crate::parts::{self, Opened, hindered, open_existing};
use crate::settings::{Read, Settings, Source, Store, load_all};
use crate::store_lock::check_lock;
use crate::terminal::Escaped;
use crate::{detail_types, fetch, pages};

/// What was found.
#[derive(Default)]
struct Findings {
    wrong: Vec<String>,
    warnings: Vec<String>,
    loosened: Vec<String>,
    /// What is said of a store that was filled for another issuer.
    issuer: Option<String>,
}

impl Findings {
    fn complain(&mut self, complaints: impl IntoIterator<Item = Complaint>) {
        self.wrong.extend(complaints.into_iter().map(|complaint| complaint.to_string()));
    }
}

/// Checks the configuration. With `is_strict`, a deviation from RFC 9700 is an error, too.
pub(crate) async fn check(configured: &Configured, is_strict: bool, is_json: bool) -> Output {
    let Read { settings, complaints } = load_all(configured);
    let are_settings_good = complaints.is_empty();
    let mut found = Findings::default();
    found.complain(complaints);
    let mut foreign = Vec::new();
    if let Some(mut settings) = settings {
        foreign = std::mem::take(&mut settings.foreign_variables);
        inspect(&settings, are_settings_good, &mut found).await;
        // A development provider changes its issuer with its port.
        let place =
            if Source::of(configured).is_development { &mut found.warnings } else { &mut found.wrong };
        place.extend(found.issuer.take());
    }
    // Two stages may find the same.
    let mut said = BTreeSet::new();
    found.wrong.retain(|line| said.insert(line.clone()));
    let is_good = found.wrong.is_empty() && (found.loosened.is_empty() || !is_strict);
    match Form::of(is_json) {
        Form::Json => {
            let Findings { wrong, warnings, loosened, .. } = found;
            let value = json!({
                "good": is_good, "wrong": wrong, "warnings": warnings, "loosened": loosened,
                "variables_not_read": foreign,
            });
            print!("{}", printed_json(&value));
            if is_good { Ok(String::new()) } else { Err(String::new()) }
        }
        Form::Text => text(&found, &foreign, is_good),
    }
}

fn text(found: &Findings, foreign: &[String], is_good: bool) -> Output {
    let warnings: String = found.warnings.iter().map(|line| format!("warning: {line}\n")).collect();
    let mut said: String = found.loosened.iter().map(|line| format!("loosened: {line}\n")).collect();
    if !foreign.is_empty() {
        said.push_str(&format!(
            "environment variables that are not settings and were not read: {}\n",
            Escaped(&foreign.join(", "))
        ));
    }
    if is_good {
        eprint!("{}", Escaped::lines(&warnings));
        return Ok(said + "the configuration is good\n");
    }
    if found.wrong.is_empty() {
        said.push_str("nothing is wrong, but --strict refuses what is loosened\n");
    }
    Err(warnings + &said + &found.wrong.join("\n"))
}

/// Looks at everything that the settings name. With wrong settings, defaults stand in their places.
async fn inspect(settings: &Settings, are_good: bool, found: &mut Findings) {
    let about = |why: String| settings.values.explain_line(why);
    if let Some(tls) = &settings.tls {
        let read = Certificate::read(&tls.certificate, &tls.key, SystemClock.now());
        found.wrong.extend(read.err().map(about));
    }
    let locales = match pages::templates(&settings.pages) {
        Ok(pages) => {
            let about = |lacking: String| format!("pages.messages: {lacking}");
            found.warnings.extend(pages.lacking().map(about));
            pages.locales().iter().map(|locale| (*locale).to_owned()).collect()
        }
        Err(why) => {
            found.wrong.push(about(why));
            Vec::new()
        }
    };
    let fetch: Arc<dyn DynFetch> = match fetch::open(&settings.fetch) {
        Ok(fetch) => fetch,
        Err(why) => {
            found.wrong.push(about(why));
            Arc::new(NoFetch)
        }
    };
    let explain = |complaint| settings.values.explain(complaint);
    let authorities = parts::client_authorities(&settings.client_authorities);
    found.complain(authorities.err().into_iter().flatten().map(explain));
    found.complain(detail_types::read(&settings.detail_types).err().into_iter().flatten().map(explain));
    let departures = settings.engine.compatibility.departures().into_iter();
    found.loosened.extend(
        departures.map(|departure| format!("compatibility.{} ({})", departure.setting, departure.section)),
    );
    let unlimited = settings.engine.registration.unlimited().into_iter();
    found.loosened.extend(unlimited.map(|setting| format!("registration.{setting} (RFC 7591 section 5)")));
    if settings.are_named_hosts_open() {
        found.loosened.push("fetch.allow_hosts_for (RFC 9101 section 10.4)".to_owned());
    }
    found.warnings.extend(warnings(settings, SystemClock.now()).iter().map(ToString::to_string));
    let unreadable = parts::unreadable(settings);
    match (&settings.store, unreadable.is_empty()) {
        (Store::Sqlite { .. }, true) => stored(settings, are_good, &locales, fetch, found).await,
        _ => {
            found.wrong.extend(unreadable);
            if are_good {
                found.complain(complaints(settings));
            }
        }
    }
}

/// What is wrong with the settings by themselves.
fn complaints(settings: &Settings) -> Vec<Complaint> {
    let Settings { engine, issuer, values, .. } = settings;
    let complaints = engine.complaints().into_iter().chain(engine.interaction.complaints_at(issuer));
    complaints.map(|complaint| values.explain(complaint)).collect()
}

/// How long the store may be read to find what is damaged. The server is started after a check.
const READING: Duration = Duration::from_secs(10);

/// The store, if it is not damaged and has anything of this realm.
async fn usable(settings: &Settings, found: &mut Findings) -> Result<Opened, String> {
    let opened = open_existing(settings).map_err(|why| settings.values.explain_line(why))?;
    if let Store::Sqlite { path, .. } = &settings.store {
        let about = |what: String| format!("store.sqlite: {} {what}", path.display());
        check_lock(path)?;
        let begun = Instant::now();
        match look_through(path, move || begun.elapsed() < READING) {
            Ok(Seen::Sound) => {}
            Ok(Seen::Unfinished) => found.warnings.push(about(format!(
                "is so large that {} were not enough to look for damage: `chancery backup FILE` reads all of it",
                duration::format(READING)
            ))),
            Ok(Seen::Damaged(what)) => {
                return Err(about(format!(
                    "is damaged ({what}): stop the server and put a backup in its place, with `chancery restore FILE --replace` \
                     (docs/operate.md, Restore)"
                )));
            }
            Err(why) => return Err(format!("store.sqlite: {}", hindered(path, &why))),
        }
    }
    opened.check_realm(settings).await?;
    Ok(opened)
}

/// Checks what is in the store: keys and clients.
async fn stored(
    settings: &Settings,
    are_good: bool,
    locales: &[String],
    fetch: Arc<dyn DynFetch>,
    found: &mut Findings,
) {
    let opened = match usable(settings, found).await {
        Ok(opened) => opened,
        Err(why) => {
            found.wrong.push(why);
            if are_good {
                found.complain(complaints(settings));
            }
            return;
        }
    };
    // A server that runs meets the same, and asks so itself, for `/readyz`: each probe takes the place of the one before.
    found.wrong.extend(opened.probe(settings).await.err().map(|why| format!("store.sqlite: {why}")));
    // An issuer that is wrong in itself has been reported.
    if !found.wrong.iter().any(|line| line.starts_with("issuer: ")) {
        found.issuer = opened.check_issuer(settings).await.err();
    }
    let locales: Vec<&str> = locales.iter().map(String::as_str).collect();
    if are_good {
        let parts = (Arc::new(NoopEventSink) as _, fetch, Waker::noop().clone());
        found.complain(opened.provider(settings, parts, &locales).await.err().into_iter().flatten());
    } else {
        found.complain(opened.unsigned(settings).await);
    }
    match client::all(settings, &opened).await {
        Ok(clients) => of_clients(settings, &clients, found),
        Err(fault) => found.wrong.push(format!("clients: {fault}")),
    }
}

/// Checks the clients against the settings.
fn of_clients(settings: &Settings, clients: &[Arc<RegisteredClient>], found: &mut Findings) {
    let (now, offered) = (SystemClock.now(), settings.engine.offered_at(&settings.issuer));
    found.wrong.extend(introspected_by(settings, clients));
    for client in clients {
        let id = client.id();
        let broken = broken_demands(client, &offered).into_iter();
        let broken = broken.chain(client::unknown_resources(client, settings));
        found.wrong.extend(broken.map(|complaint| format!("client {}: {complaint}", Escaped(id.as_str()))));
        let unreachable = client::unreachable_classes(client.metadata());
        found.warnings.extend(unreachable.map(|what| format!("client {}: {what}", Escaped(id.as_str()))));
        let departures = client.metadata().own.departures().into_iter();
        let left = departures.map(|left| format!("client {id}: {} ({})", left.setting, left.section));
        found.loosened.extend(left);
        if client.metadata().openid.id_token_signed_response_alg == IdTokenAlgorithm::Unsigned {
            found.loosened.push(format!("client {id}: ID tokens without a signature (RFC 8725 section 3.2)"));
        }
        if client.has_weak_secret(now) {
            found
                .loosened
                .push(format!("client {id}: a secret of fewer than 32 characters (RFC 6749 section 10.10)"));
        }
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

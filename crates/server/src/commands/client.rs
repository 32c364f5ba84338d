//! `chancery client`.

use std::sync::Arc;
use std::time::Duration;

use chancery_core::client::{
    NotRegistered, Registered, RegistrationRules, change_fetching, register_fetching, replace_secret,
    unknown_resources as unknown_resources_of,
};
use chancery_core::duration;
use chancery_core::error::{Complaint, Fault};
use chancery_core::keys::KeySet;
use chancery_core::model::{Acr, ApplicationType, Client as RegisteredClient, ClientMetadata, TokenFormat};
use chancery_core::ports::{Accounts as _, Clock as _, Registry as _, SystemClock};
use chancery_jose::SystemRandom;
use chancery_store::Put;
use chancery_types::iana::GrantType;
use chancery_types::nearest::did_you_mean;
use chancery_types::{AccountId, ClientId, ResourceUri, Scope, Scopes, Timestamp};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::differences::Differences;
use super::printed::{Form, List, json as printed_json};
use super::{Output, UNCHANGED, lines, opened};
use crate::arguments::{Client, ClientSecret, Group, Kind, Named};
use crate::fetch;
use crate::parts::Opened;
use crate::settings::{Settings, duration_rule};
use crate::terminal::{Escaped, Word};

mod added;
mod given;
mod members;
mod shown;
mod typed;

use self::given::Given;
use self::shown::{metadata, shown};
use self::typed::in_flags;

/// Why a secret must not be short: only its digest protects it.
const WEAK_SECRET: &str = "RFC 6749 section 10.10";

/// How many clients one read of the store fetches.
const PAGE: usize = 200;

pub(crate) async fn client(Group { json, command }: Group<Client>) -> Output {
    let form = Form::of(json);
    match command {
        Client::Add { configured, metadata, simple, weak_secret } => {
            let is_typed = simple.kind.is_some();
            let given = simple.metadata()?.map(Given::typed).map_or_else(|| Given::read(metadata), Ok)?;
            let clients = given.clients()?;
            let (settings, opened) = opened(&configured).await?;
            add((&settings, &opened), clients, is_typed, weak_secret, form).await
        }
        Client::List(configured) => {
            let (settings, opened) = opened(&configured).await?;
            let clients = all(&settings, &opened).await.map_err(|fault| fault.to_string())?;
            Ok(list(&clients)
                .print(form, "there are no clients; `chancery client add --help` shows how to add one"))
        }
        Client::Show(Named { configured, client_id }) => {
            let (settings, opened) = opened(&configured).await?;
            shown(&*found(&settings, &opened, &client_id).await?, SystemClock.now(), form)
        }
        Client::Secret(ClientSecret::Rotate { named: Named { configured, client_id }, overlap }) => {
            let parsed = duration::parse(&overlap);
            let overlap =
                parsed.map_err(|_| format!("--overlap: {overlap:?}: {}", duration_rule(&overlap)))?;
            let (settings, opened) = opened(&configured).await?;
            rotate(&settings, &opened, &client_id, overlap, form).await
        }
        Client::Update { named, metadata, changed } => {
            let refresh_tokens = changed.refresh_tokens;
            let given = changed.metadata().map_err(|why| why + UNCHANGED)?.map(Given::typed);
            let is_typed = given.is_some();
            let patch = given.map_or_else(|| Given::read(metadata), Ok)?.client()?;
            let what = Change::Metadata { is_typed, refresh_tokens };
            change(named, patch.get().as_bytes(), what, form).await
        }
        Client::Disable(named) => {
            change(named, br#"{"chancery":{"enabled":false}}"#, Change::Disable, form).await
        }
        Client::Enable(named) => {
            change(named, br#"{"chancery":{"enabled":true}}"#, Change::Enable, form).await
        }
        Client::Members { markdown: true, .. } => Ok(members::tables()),
        Client::Members { name, markdown: false } => members::explained(name.as_deref(), form),
        Client::Remove(Named { configured, client_id }) => {
            let (settings, opened) = opened(&configured).await?;
            let client = found(&settings, &opened, &client_id).await?;
            let id = client.id();
            let removed = opened.registry.remove_client(&settings.realm, client.revision(), id).await;
            done(removed)?;
            let said = format!("removed\n{}\n", what_ends(&settings));
            Ok(form.print(said, &json!({ "client_id": id, "done": "removed" })))
        }
    }
}

impl Kind {
    /// What a client is, if its metadata tell. An API that only introspects is none of these, nor is a device.
    fn of(client: &RegisteredClient) -> Option<Self> {
        let flow = &client.metadata().flow;
        let signs_people_in = !flow.response_types.is_empty();
        let is_native = client.application_type() == ApplicationType::Native;
        match (signs_people_in, client.is_public()) {
            (true, _) if is_native => Some(Self::Native),
            (true, true) => Some(Self::Spa),
            (true, false) => Some(Self::Web),
            (false, _) => (flow.grant_types == [GrantType::ClientCredentials]).then_some(Self::Machine),
        }
    }

    /// As `--kind` takes it.
    fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Spa => "spa",
            Self::Native => "native",
            Self::Machine => "machine",
        }
    }
}

/// A change that the store has refused was not made.
fn done(put: Result<Put, Fault>) -> Result<(), String> {
    match put.map_err(|fault| fault.to_string())? {
        Put::Done(_) => Ok(()),
        Put::Stale | Put::Occupied => {
            Err("somebody else changed the client at the same moment; try again".to_owned())
        }
    }
}

/// Makes another secret. The client is stored as it was seen, so that no change of somebody else is lost.
async fn rotate(
    settings: &Settings,
    opened: &Opened,
    client_id: &str,
    overlap: Duration,
    form: Form,
) -> Output {
    let (realm, now) = (&settings.realm, SystemClock.now());
    let client = found(settings, opened, client_id).await?;
    if !client.metadata().has_secret() {
        return Err(format!(
            "{client_id}: has no secret to replace: it authenticates by `token_endpoint_auth_method` {}; `chancery client update` \
             changes that",
            client.metadata().flow.token_endpoint_auth_method.as_str()
        ));
    }
    let keys = KeySet::load(&*opened.keys, realm).await.map_err(|fault| fault.to_string())?;
    let offered = settings.engine.offered_at(&settings.issuer);
    let rules = RegistrationRules { keys: Some(&keys), ..RegistrationRules::new(&offered, &[], now) };
    let session = settings.engine.session.absolute;
    let made = replace_secret(&client, now + overlap, session, &SystemRandom, &rules);
    let made = made.map_err(|fault| fault.to_string())?;
    let former = made.client.good_secrets(now).flatten().max().map(Timestamp::rfc3339);
    done(opened.registry.put_client(realm, Some(client.revision()), Arc::new(made.client)).await)?;
    let secret = made.secret_to_show.ok_or("no secret was made")?;
    if form == Form::Text {
        match &former {
            Some(until) => eprintln!("the former secret is good until {until}; the new one is good at once"),
            None => eprintln!("the former secret is good no longer; the new one is good at once"),
        }
    }
    if added::is_for_people(form) {
        return Ok(added::secret(client.id(), &secret));
    }
    let value =
        json!({ "client_id": client.id(), "client_secret": *secret, "former_secret_good_until": former });
    Ok(format!("{value}\n"))
}

/// What is changed of a client.
#[derive(Clone, Copy)]
enum Change {
    /// By flags, or by JSON.
    Metadata {
        is_typed: bool,
        /// Whether it gets refresh tokens beside what it may ask for already.
        refresh_tokens: bool,
    },
    Disable,
    Enable,
}

impl Change {
    /// What it is called for programs.
    fn done(self) -> &'static str {
        match self {
            Self::Metadata { .. } => "changed",
            Self::Disable => "disabled",
            Self::Enable => "enabled",
        }
    }

    /// What it means for people, which differs where there was nothing to do.
    fn said(self, differences: &Differences, settings: &Settings) -> String {
        match (self, differences.is_empty()) {
            (Self::Metadata { .. }, _) => differences.text(),
            (Self::Disable, true) => "it was disabled already; nothing was changed\n".to_owned(),
            (Self::Enable, true) => "it was enabled already; nothing was changed\n".to_owned(),
            (Self::Enable, false) => {
                "enabled: people agree and sign in to it anew; what it had before does not come back\n"
                    .to_owned()
            }
            (Self::Disable, false) => {
                format!("disabled: from now on it is refused everywhere\n{}\n", what_ends(settings))
            }
        }
    }
}

/// What is over for a client that is disabled or removed, and what is not.
fn what_ends(settings: &Settings) -> String {
    let jwts = longest_jwt(settings).map(|longest| {
        let longest = duration::format(longest);
        format!("\nnot ended: JWT access tokens at APIs that verify them by themselves, for up to {longest}")
    });
    format!(
        "ended for good: its codes, refresh tokens and access tokens, and what people have agreed to{}\n\
         not ended: the sessions of people, here (`chancery session end NAME`) and in the application itself",
        jwts.unwrap_or_default()
    )
}

/// The longest lifetime of an access token that an API verifies without asking.
fn longest_jwt(settings: &Settings) -> Option<Duration> {
    let jwts = settings.resource_servers.iter().filter(|server| server.format == TokenFormat::Jwt);
    jwts.map(|server| server.lifetime.unwrap_or(settings.engine.access_token.jwt)).max()
}

/// Changes the metadata of a client as it was seen, and says what is done. What would change nothing is not stored.
async fn change(named: Named, patch: &[u8], what: Change, form: Form) -> Output {
    let (settings, opened) = opened(&named.configured).await?;
    let (realm, now) = (&settings.realm, SystemClock.now());
    let client = found(&settings, &opened, &named.client_id).await?;
    let algorithms = opened.algorithms(realm).await.map_err(|fault| fault.to_string())?;
    let keys = KeySet::load(&*opened.keys, realm).await.map_err(|fault| fault.to_string())?;
    let offered = settings.engine.offered_at(&settings.issuer);
    let rules = RegistrationRules {
        keys: Some(&keys),
        can_fetch: true,
        // A change is made as a whole or not at all, while metadata of a new client may come from elsewhere.
        are_unused_members_refused: true,
        ..RegistrationRules::new(&offered, &algorithms, now)
    };
    let fetch = fetch::open(&settings.fetch)?;
    let patch = match what {
        Change::Metadata { refresh_tokens: true, .. } => {
            typed::with_refresh_tokens(patch, &client).map_err(|why| why + UNCHANGED)?
        }
        _ => patch.to_vec(),
    };
    let changed = change_fetching(&client, &patch, &SystemRandom, &rules, &*fetch).await;
    let changed = changed.map_err(complaints_of).and_then(|changed| fitting(changed, &settings));
    let Registered { client: changed, secret_to_show, notices } = changed.map_err(|wrong| {
        let explained = wrong.into_iter().map(|complaint| in_flags(complaint, false));
        lines(&explained.collect::<Vec<_>>()) + UNCHANGED
    })?;
    let unused =
        unused_redirects(changed.metadata()).filter(|_| unused_redirects(client.metadata()).is_none());
    if let (Some(_), Change::Metadata { is_typed: true, .. }, Some(Kind::Machine), [uri, ..]) =
        (unused, what, Kind::of(&changed), &*changed.metadata().flow.redirect_uris)
    {
        return Err(typed::unused_by_machine("--redirect-uri", uri.as_str()) + UNCHANGED);
    }
    let former_classes = unreachable_classes(client.metadata());
    let warning = unreachable_classes(changed.metadata()).filter(|now| former_classes.as_ref() != Some(now));
    let has_secret = |client: &RegisteredClient| client.good_secrets(now).next().is_some();
    let differences = Differences::between(&metadata(&client)?, &metadata(&changed)?).with_secret(
        has_secret(&client),
        has_secret(&changed),
        secret_to_show.is_some(),
    );
    if !differences.is_empty() {
        done(opened.registry.put_client(realm, Some(client.revision()), Arc::new(changed)).await)?;
    }
    let id = client.id();
    // What was to be said of the client before does not concern the change.
    let former = match notices.is_empty() {
        true => Vec::new(),
        false => {
            let same = change_fetching(&client, b"{}", &SystemRandom, &rules, &*fetch).await;
            let same = same.ok().and_then(|same| fitting(same, &settings).ok());
            same.map_or_else(Vec::new, |same| same.notices)
        }
    };
    for notice in notices.iter().filter(|notice| !former.contains(notice)) {
        eprintln!("{}: {}", Escaped(id.as_str()), Escaped(notice));
    }
    if let Some(warning) = warning {
        eprintln!("warning: {}: {}", Escaped(id.as_str()), Escaped(&warning));
    }
    if let Some(unused) = unused {
        eprintln!("warning: {}: {unused}", Escaped(id.as_str()));
    }
    let is_unchanged = differences.is_empty() && matches!(what, Change::Metadata { .. });
    let done = if is_unchanged { "unchanged" } else { what.done() };
    let mut value = json!({ "client_id": id, "done": done, "changes": differences.json() });
    let said = what.said(&differences, &settings);
    match (secret_to_show, form) {
        (None, _) => Ok(form.print(said, &value)),
        (Some(secret), Form::Text) if added::is_for_people(form) => Ok(said + &added::secret(id, &secret)),
        (Some(secret), Form::Text) => {
            eprint!("{said}");
            Ok(format!("{}\n", json!({ "client_id": id, "client_secret": *secret })))
        }
        (Some(secret), Form::Json) => {
            if let Some(members) = value.as_object_mut() {
                members.insert("client_secret".to_owned(), secret.as_str().into());
            }
            Ok(printed_json(&value))
        }
    }
}

/// What is wrong. Why something cannot be fetched is told at once.
fn complaints_of(NotRegistered { complaints, cause }: NotRegistered) -> Vec<Complaint> {
    if let Some(cause) = cause {
        eprintln!("{}", Escaped(&cause.to_string()));
    }
    complaints.into()
}

async fn found(
    settings: &Settings,
    opened: &Opened,
    client_id: &str,
) -> Result<Arc<RegisteredClient>, String> {
    let id = ClientId::parse(client_id).map_err(|_| format!("{client_id:?} is not a valid client_id"))?;
    let found = opened.registry.client(&settings.realm, &id).await.map_err(|fault| fault.to_string())?;
    if let Some(client) = found {
        return Ok(client);
    }
    let others = all(settings, opened).await.map_err(|fault| fault.to_string())?;
    let near = did_you_mean(client_id, others.iter().map(|client| client.id().as_str()));
    Err(format!("{id}: there is no such client{near}; `chancery client list` lists all"))
}

/// Adds all clients or none. Each is checked by itself, against the others and against the store; all are
/// stored in one step.
async fn add(
    (settings, opened): (&Settings, &Opened),
    (all, is_list): (Vec<Box<RawValue>>, bool),
    is_typed: bool,
    weak_secret: bool,
    form: Form,
) -> Output {
    let (realm, now) = (&settings.realm, SystemClock.now());
    let algorithms = opened.algorithms(realm).await.map_err(|fault| fault.to_string())?;
    let keys = KeySet::load(&*opened.keys, realm).await.map_err(|fault| fault.to_string())?;
    let offered = settings.engine.offered_at(&settings.issuer);
    let rules = RegistrationRules {
        keys: Some(&keys),
        can_fetch: true,
        are_weak_secrets_allowed: weak_secret,
        ..RegistrationRules::new(&offered, &algorithms, now)
    };
    let fetch = fetch::open(&settings.fetch)?;
    let mut registered: Vec<Registered> = Vec::new();
    let mut complaints = Vec::new();
    for (at, metadata) in all.iter().enumerate() {
        let read = register_fetching(metadata.get().as_bytes(), &SystemRandom, &rules, &*fetch).await;
        let checked = match read.map_err(complaints_of).and_then(|read| fitting(read, settings)) {
            Ok(read) => free(read, &registered, settings, opened).await.map_err(|fault| fault.to_string())?,
            Err(found) => Err(found),
        };
        match checked {
            Ok(new) => registered.push(new),
            Err(found) if is_list => complaints.extend(found.into_iter().map(|complaint| Complaint {
                setting: format!("[{at}].{}", complaint.setting),
                ..complaint
            })),
            Err(found) => complaints.extend(found),
        }
    }
    if !complaints.is_empty() {
        let explained = complaints.into_iter().map(|complaint| in_flags(weak(complaint), is_typed));
        let wrong = lines(&explained.collect::<Vec<_>>());
        // Others of the list may be good.
        return Err(if all.len() > 1 { wrong + "\nNone of the clients was added." } else { wrong });
    }
    let clients: Vec<_> = registered.iter().map(|registered| registered.client.clone()).collect();
    match opened.registry.add_clients(realm, &clients).await.map_err(|fault| fault.to_string())? {
        Put::Done(_) => {}
        Put::Stale | Put::Occupied => {
            return Err(
                "somebody else added a client of the same client_id at the same moment; nothing was stored"
                    .to_owned(),
            );
        }
    }
    let (mut printed, mut summaries) = (Vec::new(), Vec::new());
    for Registered { client, secret_to_show, notices } in registered {
        let id = client.id();
        for notice in notices {
            eprintln!("{}: {}", Escaped(id.as_str()), Escaped(&notice));
        }
        if let Some(warning) = unreachable_classes(client.metadata()) {
            eprintln!("warning: {}: {}", Escaped(id.as_str()), Escaped(&warning));
        }
        if let Some(notice) = unused_redirects(client.metadata()) {
            eprintln!("warning: {}: {notice}", Escaped(id.as_str()));
        }
        if let Some(notice) = nameless(&client).filter(|_| is_typed) {
            eprintln!("{}: {}", Escaped(id.as_str()), Escaped(&notice));
        }
        summaries.push(added::summary(&client, secret_to_show.as_deref().map(String::as_str), settings));
        printed.push(match secret_to_show {
            Some(secret) => json!({ "client_id": id, "client_secret": *secret }),
            None => json!({ "client_id": id }),
        });
    }
    Ok(match form {
        form if added::is_for_people(form) => summaries.join("\n"),
        Form::Json if is_list => format!("{}\n", Value::Array(printed)),
        _ => printed.iter().map(|one| format!("{one}\n")).collect(),
    })
}

/// What is said of redirect URIs to which nobody is ever sent. Flags are refused, while JSON may come from elsewhere.
fn unused_redirects(metadata: &ClientMetadata) -> Option<&'static str> {
    let is_unused = metadata.flow.response_types.is_empty() && !metadata.flow.redirect_uris.is_empty();
    is_unused.then_some(
        "redirect_uris: it has no response_types, so that nobody is sent to a login and back, and these addresses are never used: \
         leave them out, or give it response_types",
    )
}

/// A short secret may be meant.
fn weak(mut complaint: Complaint) -> Complaint {
    if complaint.setting.ends_with("client_secret") && complaint.section == WEAK_SECRET {
        complaint.rule.push_str(
            "; leave it out, and a good one is made; --weak-secret takes this one, for an application that has it already",
        );
    }
    complaint
}

/// Classes of authentication that the client asks for by default and that nobody can reach here.
pub(super) fn unreachable_classes(metadata: &ClientMetadata) -> Option<String> {
    let unreached = metadata.openid.default_acr_values.iter().filter(|acr| acr.0.as_ref() != Acr::PASSWORD);
    let unreached: Vec<String> = unreached.map(|acr| format!("{:?}", acr.0)).collect();
    (!unreached.is_empty()).then(|| {
        format!(
            "default_acr_values: nobody can reach {}: people sign in with a password, which is {:?}: name that, or leave it out",
            unreached.join(", "),
            Acr::PASSWORD
        )
    })
}

/// What people will read in the place of a name that is missing.
fn nameless(client: &RegisteredClient) -> Option<String> {
    let is_shown = !client.metadata().flow.response_types.is_empty();
    (is_shown && client.name().is_none()).then(|| {
        let id = client.id();
        let typed = Word(id.as_str());
        format!(
            "has no name, so that people will read \"to continue to {id}\": `--name` gives it one when it is added, and \
             `chancery client update {typed} --name \"…\"` does now"
        )
    })
}

/// Checks that no client before it in the file and none in the store has its `client_id`, nor an account.
async fn free(
    new: Registered,
    before: &[Registered],
    settings: &Settings,
    opened: &Opened,
) -> Result<Result<Registered, Vec<Complaint>>, Fault> {
    let id = new.client.id();
    let typed = Word(id.as_str());
    let rule = if before.iter().any(|other| other.client.id() == id) {
        format!("{id}: an earlier client in the file has the same client_id")
    } else if opened.registry.client(&settings.realm, id).await?.is_some() {
        format!(
            "{id}: there is a client with this client_id; `chancery client update {typed} JSON` changes it; `chancery client \
             remove {typed}` removes it, which ends its grants and tokens for good"
        )
    } else if is_of_account(id, settings, opened).await? {
        format!("{id}: there is a user with this id (RFC 9068 section 5); `chancery user list` shows the ids")
    } else {
        return Ok(Ok(new));
    };
    Ok(Err(vec![Complaint::new("client_id", rule, "RFC 7591 section 3.2.1")]))
}

/// Whether a person has this id.
async fn is_of_account(id: &ClientId, settings: &Settings, opened: &Opened) -> Result<bool, Fault> {
    match AccountId::parse(id.as_str()) {
        Ok(id) => Ok(opened.accounts.find(&settings.realm, &id).await?.is_some()),
        Err(_) => Ok(false),
    }
}

/// What a client names that is no resource server of the configuration: it can get no token for it.
pub(super) fn unknown_resources(client: &RegisteredClient, settings: &Settings) -> Vec<Complaint> {
    let is_known = |uri: &ResourceUri| settings.resource_servers.iter().any(|server| server.uri == *uri);
    let mut complaints: Vec<Complaint> = Vec::new();
    for (member, _) in unknown_resources_of(client, is_known) {
        let rule = match member {
            "chancery.resources" => "must be uris of a [[resource_server]] in the configuration",
            _ => "must be the uri of a [[resource_server]] in the configuration",
        };
        if complaints.iter().all(|said| said.setting != member) {
            complaints.push(Complaint::new(member, rule, "RFC 8707 section 2"));
        }
    }
    complaints
}

/// Checks a registration against the settings: requests for an unknown resource server are refused; an unknown scope
/// is never granted.
fn fitting(mut registered: Registered, settings: &Settings) -> Result<Registered, Vec<Complaint>> {
    let servers = &settings.resource_servers;
    let wrong = unknown_resources(&registered.client, settings);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let engine = &settings.engine;
    let is_known = |scope: &Scope| {
        [Scope::OPENID, Scope::OFFLINE_ACCESS].contains(&scope.as_str())
            || engine.scopes.extra.contains(scope)
            || engine.claims.scopes.contains_key(scope)
            || servers.iter().any(|server| server.scopes.contains(scope.as_str()))
    };
    let unknown =
        registered.client.scopes().into_iter().flat_map(Scopes::iter).filter(|scope| !is_known(scope));
    let notices: Vec<String> = unknown
        .map(|scope| format!("scope {scope} is not in the configuration and is never granted"))
        .collect();
    registered.notices.extend(notices);
    Ok(registered)
}

pub(super) async fn all(settings: &Settings, opened: &Opened) -> Result<Vec<Arc<RegisteredClient>>, Fault> {
    let mut all: Vec<Arc<RegisteredClient>> = Vec::new();
    loop {
        let page =
            opened.registry.clients(&settings.realm, all.last().map(|client| client.id()), PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

fn list(clients: &[Arc<RegisteredClient>]) -> List<6> {
    let mut list = List::new(["CLIENT_ID", "NAME", "KIND", "AUTHENTICATION", "STATE", "REGISTERED"]);
    for client in clients {
        let kind = Kind::of(client).map(Kind::name);
        let authentication = client.metadata().flow.token_endpoint_auth_method.as_str();
        let state = if client.is_enabled() { "enabled" } else { "disabled" };
        let by = if client.is_dynamic() { "by itself" } else { "by an operator" };
        let at = client.registered_at().rfc3339();
        let value = json!({
            "client_id": client.id(), "client_name": client.name(), "kind": kind, "authentication": authentication,
            "state": state, "registered_at": at, "registered": by,
        });
        let (id, name) = (client.id().as_str(), client.name().unwrap_or_default());
        let registered = format!("{at} {by}");
        let cells = [id, name, kind.unwrap_or_default(), authentication, state, &registered];
        list.push(cells.map(str::to_owned), value);
    }
    list
}

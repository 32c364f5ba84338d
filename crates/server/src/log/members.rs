//! Every event has the members that `docs/events.md` names: a sample of each kind with everything that can be known of it,
//! and one with as little as possible, are written as lines and compared with the table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chancery_core::error::{Fault, Reason};
use chancery_core::event::{
    BackgroundTask, ClientMethods, Endpoint, Event, GrantEnd, LoginAttempt, NotificationFailure, Origins,
    RefusedClient,
};
use chancery_types::iana::{ClientAuthenticationMethod, ErrorCode, GrantType};
use chancery_types::{AccountId, ClientId, Scopes};
use serde_json::Value;

use super::*;

const REASON: Reason = Reason {
    name: "of_a_test",
    code: ErrorCode::InvalidClient,
    description: "",
    section: "RFC 6749 section 5.2",
};

/// What every line has.
const ALWAYS: [&str; 4] = ["time", "level", "event", "request_id"];

#[test]
fn every_event_has_the_members_that_the_page_names() {
    let documented = documented();
    let named: BTreeSet<&str> = documented.keys().copied().collect();
    assert_eq!(named, known(), "docs/events.md has every event");
    for (name, members) in &documented {
        let written = |is_known| samples(is_known).into_iter().filter(|event| event.name() == *name);
        let (known, unknown): (Vec<_>, Vec<_>) = (written(true).collect(), written(false).collect());
        assert!(!known.is_empty(), "{name} has a sample");
        let has = |events: &[Event], peer| {
            let lines = events.iter().map(|event| members_of(event, peer));
            lines.collect::<Vec<BTreeSet<String>>>()
        };
        // What differs between two of a kind, such as a status or a cause, is not known of both.
        let all: BTreeSet<String> = has(&known, Some("192.0.2.1")).into_iter().flatten().collect();
        let mut expected: BTreeSet<String> = members.keys().map(|member| (*member).to_owned()).collect();
        expected.insert("network".to_owned());
        assert_eq!(all, expected, "{name}, with everything that can be known");
        let needed = members.iter().filter(|(_, is_needed)| **is_needed).map(|(member, _)| *member);
        let needed: BTreeSet<String> = needed.map(str::to_owned).collect();
        let fewest = has(&unknown, None).into_iter().reduce(|one, other| &one & &other);
        assert_eq!(fewest, Some(needed), "{name}, with as little as can be known");
    }
}

/// The members of a line, but for those that every line has.
fn members_of(event: &Event, peer: Option<&str>) -> BTreeSet<String> {
    let content = Content::Request {
        request: RequestId("r".into()),
        network: peer.map(|peer| Network::of(peer.parse().unwrap())),
        trace: None,
        event: event.clone(),
    };
    let (at, mut text) = (Timestamp::from_secs(0), String::new());
    line::append(&mut text, Format::Json, &Entry { at, level: Level::Info, dropped_before: 0, content });
    let line: serde_json::Map<String, Value> = serde_json::from_str(&text).unwrap();
    let is_request = !matches!(event, Event::TaskFaulted { .. });
    let has = |member: &str| line.contains_key(member) == (is_request || member != "request_id");
    assert!(ALWAYS.iter().all(|member| has(member)), "{text}");
    line.into_iter().map(|(member, _)| member).filter(|member| !ALWAYS.contains(&&**member)).collect()
}

/// The events of the page, each with its members and whether they are always there.
fn documented() -> BTreeMap<&'static str, BTreeMap<&'static str, bool>> {
    let page = include_str!("../../../../docs/events.md");
    let (table, _) = page.split_once("\n## ").unwrap();
    let (_, table) = table.split_once("| event | when | members | what to do |\n").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row.trim_matches(['|', ' ']).split(" | ").collect::<Vec<_>>());
    let mut events = BTreeMap::new();
    for cells in cells {
        let [names, _, members, _] = cells.as_slice() else { panic!("{cells:?}") };
        let members = members
            .split(", ")
            .map(|member| (member.trim_matches(['(', ')', '`']), !member.starts_with('(')));
        let members: BTreeMap<_, _> = members.collect();
        events.extend(names.split(", ").map(|name| (name.trim_matches('`'), members.clone())));
    }
    events
}

/// The names that the engine knows, read from `Event::name`, because nobody else can list its kinds.
fn known() -> BTreeSet<&'static str> {
    let (_, name) = include_str!("../../../core/src/event.rs").split_once("pub const fn name(").unwrap();
    name.lines()
        .filter(|line| line.trim().starts_with("Self::"))
        .filter_map(|line| line.split('"').nth(1))
        .collect()
}

/// Each kind of event at least once.
fn samples(is_known: bool) -> Vec<Event> {
    let client = || ClientId::parse("web").unwrap();
    let account = || AccountId::parse("alice").unwrap();
    let refused = is_known.then(|| RefusedClient::Claimed(client()));
    let (some_client, some_account) = (is_known.then(client), is_known.then(account));
    let attempt =
        || LoginAttempt { account: is_known.then(account), name_digest: "d".into(), client: client() };
    let fault = || Fault::internal("broken".to_owned());
    let mut events = vec![
        Event::AuthorizationGranted { client: client(), account: account() },
        Event::BackchannelAuthenticationAsked { client: client(), account: account() },
        Event::ClientExpired { client: client() },
        Event::ClientKeysUnavailable { client: client(), fault: fault() },
        Event::ClientRegistered {
            client: client(),
            initial_access_token: is_known.then(|| "partners".into()),
        },
        Event::ClientRemoved { client: client() },
        Event::ClientUpdated { client: client() },
        Event::ConsentGiven { client: client(), account: account() },
        Event::ConsentWithdrawn { client: client(), account: account() },
        Event::Declined { client: client(), account: some_account.clone() },
        Event::DeviceAsked { client: client() },
        Event::Faulted { endpoint: Endpoint::Token, fault: fault(), client: refused.clone() },
        Event::TaskFaulted { task: BackgroundTask::Refresh, fault: fault() },
        Event::GrantEnded { client: client(), account: some_account.clone(), why: GrantEnd::CodeReplayed },
        Event::Introspected { client: client(), active: true },
        Event::LoginBusy { attempt: attempt() },
        Event::LoginFailed { attempt: attempt(), reason: "unknown_name" },
        Event::LoginSucceeded { account: account(), client: client() },
        Event::LoginThrottled { attempt: attempt(), wait: Duration::from_secs(1) },
        Event::MountedElsewhere { advice: "mount it there".to_owned() },
        Event::PasswordChanged { account: account(), keeps_others: false },
        Event::PasswordChangeRefused { account: account(), reason: "stale" },
        Event::PeerUnknown { advice: "insert it" },
        Event::PromptShown { client: client(), prompt: "login".into(), account: some_account.clone() },
        Event::Refused {
            endpoint: Endpoint::Token,
            reason: &REASON,
            client: refused,
            redirect_uri: is_known.then(|| "https://other.example/cb".into()),
            origins: is_known.then(|| Origins::of(Some("https://other.example"), "https://id.example")),
            methods: is_known.then_some(ClientMethods {
                used: Some(ClientAuthenticationMethod::None),
                registered: ClientAuthenticationMethod::ClientSecretBasic,
            }),
        },
        Event::RequestObjectUnavailable { client: client(), fault: fault() },
        Event::RequestPushed { client: client() },
        Event::ScopesIgnored { client: client(), scopes: Scopes::parse("x").unwrap() },
        Event::ScopesWithheld { client: client(), scopes: Scopes::parse("offline_access").unwrap() },
        Event::SectorUnavailable { fault: fault() },
        Event::SessionEnded { account: account(), client: some_client },
        Event::SignUpRefused { client: client(), reason: "name_taken" },
        Event::SignedUp { client: client(), account: account() },
        Event::TokenRevoked { client: client(), account: some_account.clone() },
        Event::TokensIssued { client: client(), grant_type: GrantType::RefreshToken, account: some_account },
        Event::UserInfoServed { client: client(), account: account() },
        Event::ApprovalNotified { client: client(), account: account() },
        Event::DecisionNotified { client: client(), account: account() },
        Event::LogoutNotified { client: client(), account: account() },
    ];
    let whys = [
        NotificationFailure::Status(500),
        NotificationFailure::Unreachable(fault()),
        NotificationFailure::Unsigned(&REASON),
    ];
    for why in whys {
        let (client, account, retry_in) = (client(), account(), None);
        events.extend([
            Event::ApprovalNotificationFailed {
                client: client.clone(),
                account: account.clone(),
                why: why.clone(),
                retry_in,
            },
            Event::DecisionNotificationFailed {
                client: client.clone(),
                account: account.clone(),
                why: why.clone(),
                retry_in,
            },
            Event::LogoutNotificationFailed { client, account, why, retry_in },
        ]);
    }
    events
}

//! Clients that registered themselves and were never used end (`registration.unused_lifetime`).

use chancery_core::endpoint::registration::{RegistrationAccess, RegistrationConfig};
use chancery_testkit::{Answer, TestProvider, TestProviderBuilder, days, minutes};
use chancery_types::iana::GrantType;
use http::Method;
use serde_json::json;

fn builder() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| {
        config.registration = RegistrationConfig {
            access: RegistrationAccess::Open,
            management: true,
            network_quota: 0,
            total_quota: 0,
            ..RegistrationConfig::default()
        };
        config.registration_policy = vec![chancery_core::client::RegistrationPolicy {
            grant_types: GrantType::ALL.to_vec(),
            ..Default::default()
        }];
    })
}

fn register(kit: &TestProvider) -> Answer {
    let metadata = json!({ "redirect_uris": ["https://rp.example/cb"],
        "grant_types": ["authorization_code", "refresh_token"] });
    kit.register(&metadata).expect_status(201)
}

fn is_there(kit: &TestProvider, given: &Answer) -> bool {
    kit.send(kit.management_request(&Method::GET, given, None)).status == 200
}

/// A client ends that nobody has used for the whole time; not a moment earlier, and not one that somebody has allowed
/// something or that got a token, however long ago.
#[test]
fn a_client_that_was_never_used_ends() {
    let kit = builder().build();
    let [unused, allowed, machine] = [register(&kit), register(&kit), {
        let metadata = json!({ "grant_types": ["client_credentials"], "response_types": [] });
        kit.register(&metadata).expect_status(201)
    }];
    let operators = kit.clients() - 3;
    let _ = kit.code("alice", allowed.member("client_id"), "openid");
    let _ = kit.client_credentials_request(machine.member("client_id")).send().expect_status(200);
    kit.clock.advance(days(30) - minutes(1));
    kit.run_once();
    assert_eq!(kit.clients(), operators + 3, "not yet");
    kit.clock.advance(minutes(1));
    kit.run_once();
    assert_eq!(kit.clients(), operators + 3, "looked at once an hour");
    kit.clock.advance(minutes(60));
    let removed = kit.run_once();
    assert!(removed >= 1);
    assert!(!is_there(&kit, &unused) && is_there(&kit, &allowed) && is_there(&kit, &machine));
    let events = kit.events.rest();
    assert_eq!(events.iter().map(|event| event.name()).collect::<Vec<_>>(), ["client_expired"]);
    kit.clock.advance(days(365));
    kit.run_once();
    assert_eq!(kit.clients(), operators + 2, "what was used stays, and what operators registered");
}

/// Pages that were shown, wrong secrets and changes by the client itself are no use; an update loses nothing.
#[test]
fn what_is_no_use_and_what_stays_one() {
    let kit = builder().build();
    let [looked_at, changed, used] = [(); 3].map(|()| register(&kit));
    let ua = kit.user_agent();
    let _ = kit.authorization_request(looked_at.member("client_id")).scope("openid").open(&ua).login("alice");
    let _ = kit.code("alice", used.member("client_id"), "openid");
    let change = |given: &Answer| {
        let change = json!({ "client_id": given["client_id"], "redirect_uris": ["https://rp.example/cb"], "client_name": "x" });
        kit.send(kit.management_request(&Method::PUT, given, Some(&change))).expect_status(200)
    };
    kit.clock.advance(days(29));
    let (changed, used) = (change(&changed), change(&used));
    kit.clock.advance(days(2));
    kit.run_once();
    assert!(!is_there(&kit, &looked_at) && !is_there(&kit, &changed) && is_there(&kit, &used));
}

/// The first use is recorded once; later ones cost nothing, and neither costs a trip to the store of records.
#[test]
fn use_is_recorded_once() {
    let kit = builder().build();
    let given = register(&kit);
    let id = given.member("client_id");
    let revision = || kit.client_revision(id);
    let new = revision();
    let code = kit.code("alice", id, "openid offline_access");
    let used = revision();
    assert_ne!(used, new);
    let (tokens, trips) = kit.trips(|| kit.exchange(&code).expect_status(200));
    assert_eq!(trips, 2);
    let (_, trips) = kit.trips(|| kit.refresh(id, tokens.member("refresh_token")).expect_status(200));
    assert_eq!(trips, 2);
    let _ = kit.code("bob", id, "openid");
    assert_eq!(revision(), used);
}

/// Many clients are looked at page by page; one that is used at the same moment stays.
#[test]
fn many_clients_end_together() {
    let kit = builder().build();
    let before = kit.clients();
    let kept = register(&kit);
    (0..450).for_each(|_| drop(register(&kit)));
    let _ = kit.code("alice", kept.member("client_id"), "openid");
    kit.clock.advance(days(31));
    kit.run_once();
    assert_eq!(kit.clients(), before + 1);
}

/// A provider at which nobody registers does not look; the time has to be one.
#[test]
fn what_is_not_looked_at() {
    let kit = TestProvider::new();
    kit.clock.advance(days(400));
    let clients = kit.clients();
    kit.run_once();
    assert_eq!(kit.clients(), clients);
    let built = builder().configure(|config| config.registration.unused_lifetime = std::time::Duration::ZERO);
    let complaints = built.try_build().err().unwrap_or_default();
    assert!(matches!(complaints.as_slice(), [only] if only.setting == "registration.unused_lifetime"));
}

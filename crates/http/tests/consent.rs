//! OIDC Core sections 3.1.2.4 and 11, RFC 8252 section 8.6: what a person is asked to allow, how long that is
//! remembered, and how it is withdrawn.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bytes::Bytes;
use chancery_core::model::{Client, ConsentAnswer};
use chancery_core::ports::Registry as _;
use chancery_core::records::{Body as _, ConsentBody, GrantBody, consent_key};
use chancery_store::Put;
use chancery_testkit::{
    Code, NegativeTable, Refused, Tab, Task, TestProvider, UserAgent, assert_refused, days, let_others_take,
    race, refusals, seconds, wait,
};
use chancery_types::{AccountId, ClientId, Kind, Scopes};
use http::{Request, Response};

/// What a consent page asks for, in its order.
fn asked(tab: &Tab<'_, '_>) -> Vec<String> {
    let html = tab.answer().text().to_owned();
    let items = html.split("<li><code>").skip(1);
    items.map(|rest| rest.split('<').next().unwrap_or("").to_owned()).collect()
}

/// A link of the client, followed by somebody who is signed in.
fn open<'u, 'k>(ua: &'u UserAgent<'k>, client: &str, scope: &str) -> Tab<'u, 'k> {
    ua.open(&ua.provider().authorization_request(client).scope(scope))
}

/// The scopes that a tab's code is good for.
#[track_caller]
fn granted(kit: &TestProvider, tab: &Tab<'_, '_>) -> String {
    let tokens = kit.exchange(&tab.expect_code()).expect_status(200);
    tokens.member("scope").to_owned()
}

/// POL-19, POL-23: only what was not decided before is asked; what is granted is what was asked for and
/// allowed.
#[test]
fn only_what_is_new_is_asked() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let first = open(&ua, "web", "openid profile").expect_page("consent");
    assert_eq!(asked(&first), ["openid", "profile"]);
    let _ = first.allow().expect_code();
    let wider = open(&ua, "web", "openid profile email").expect_page("consent");
    assert_eq!(asked(&wider), ["email"]);
    assert_eq!(granted(&kit, &wider.allow()), "openid profile email");
    // Less, the same, and another order: no question, and no more than was asked for.
    assert_eq!(granted(&kit, &open(&ua, "web", "openid email")), "openid email");
    assert_eq!(granted(&kit, &open(&ua, "web", "email openid profile")), "email openid profile");
    // Another client and another person are asked anew.
    let _ = open(&ua, "post", "openid").expect_page("consent");
    let other = kit.user_agent();
    other.signed_in("bob");
    assert_eq!(asked(&open(&other, "web", "openid profile email").expect_page("consent")).len(), 3);
}

/// POL-20, CLAIM-06: single claims are asked for by name, and given after the yes.
#[test]
fn single_claims_are_asked_for() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let claims = r#"{"userinfo":{"nickname":null,"unknown":null},"id_token":{"auth_time":null,"sub":null}}"#;
    let request = kit.authorization_request("web").scope("openid").set("claims", claims);
    let _ = request.clone().set("prompt", "none").open(&ua).expect_error("consent_required");
    let consent = request.open(&ua).expect_page("consent");
    assert_eq!(asked(&consent), ["nickname"]);
    let tokens = kit.exchange(&consent.allow().expect_code()).expect_status(200);
    let userinfo = kit.userinfo(tokens.member("access_token")).expect_status(200);
    assert_eq!(userinfo.member_names(), ["sub", "nickname"]);
    let _ = request.open(&ua).expect_code();
}

/// POL-23, GRANT-04: a claim that was declined is allowed when the person is asked for everything again; the
/// others stay as they were.
#[test]
fn a_declined_claim_can_be_allowed_later() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let answer = ConsentAnswer {
        scopes: Scopes::parse("openid").unwrap(),
        claims: vec!["zoneinfo".into()],
        rejected_claims: vec!["nickname".into(), "gender".into()],
        ..ConsentAnswer::default()
    };
    ua.has_answered("alice", "web", answer);
    let claims = |names: [&str; 2]| {
        let members: Vec<String> = names.iter().map(|name| format!(r#""{name}":null"#)).collect();
        format!(r#"{{"userinfo":{{{}}}}}"#, members.join(","))
    };
    let told = |names: [&str; 2], prompt: &str| {
        let request = kit.authorization_request("web").scope("openid").set("claims", &claims(names));
        let tab = request.set("prompt", prompt).open(&ua);
        let tab = if tab.page().name == "consent" { tab.allow() } else { tab };
        let tokens = kit.exchange(&tab.expect_code()).expect_status(200);
        kit.userinfo(tokens.member("access_token")).expect_status(200).member_names()
    };
    assert_eq!(told(["nickname", "zoneinfo"], "none"), ["sub", "zoneinfo"]);
    assert_eq!(told(["nickname", "zoneinfo"], "consent"), ["sub", "nickname", "zoneinfo"]);
    assert_eq!(told(["nickname", "zoneinfo"], "none"), ["sub", "nickname", "zoneinfo"]);
    assert_eq!(told(["gender", "nickname"], "none"), ["sub", "nickname"], "this one was not asked for");
}

/// POL-21: scopes of a resource server are asked for like others.
#[test]
fn scopes_of_a_resource_server_are_asked_for() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "machine", "read");
    let consent = open(&ua, "machine", "read write").expect_page("consent");
    assert_eq!(asked(&consent), ["write"]);
    assert!(consent.page().text.contains("https://api.example"));
    assert_eq!(granted(&kit, &consent.allow()), "read write");
}

/// POL-23, GRANT-03, GRANT-04: what was declined before counts as decided; it is neither asked again nor
/// granted. `openid` is not something that can be declined.
#[test]
fn what_was_declined_is_not_asked_again() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let scopes = |text| Scopes::parse(text).unwrap();
    let answer = ConsentAnswer {
        scopes: scopes("openid email"),
        rejected_scopes: scopes("profile"),
        rejected_claims: vec!["nickname".into()],
        ..ConsentAnswer::default()
    };
    ua.has_answered("alice", "web", answer);
    let silent = |scope| kit.authorization_request("web").scope(scope).set("prompt", "none");
    assert_eq!(granted(&kit, &silent("openid profile email").open(&ua)), "openid email");
    let claims = silent("openid").set("claims", r#"{"userinfo":{"nickname":null}}"#).open(&ua);
    let tokens = kit.exchange(&claims.expect_code()).expect_status(200);
    assert_eq!(kit.userinfo(tokens.member("access_token")).member_names(), ["sub"]);
    // Asked for explicitly, everything is asked again, and a yes takes the place of the former no.
    let all = kit.authorization_request("web").scope("openid profile").set("prompt", "consent").open(&ua);
    assert_eq!(asked(&all.clone().expect_page("consent")), ["openid", "profile"]);
    assert_eq!(granted(&kit, &all.allow()), "openid profile");
    assert_eq!(granted(&kit, &silent("openid profile").open(&ua)), "openid profile");
}

/// GRANT-03: `openid` cannot be declined by itself, and neither can what an ID token says of the login.
#[test]
fn some_things_cannot_be_declined() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let protocol = ["sub", "sid", "auth_time", "acr", "amr", "iss"];
    let answer = ConsentAnswer {
        rejected_scopes: Scopes::parse("openid").unwrap(),
        rejected_claims: protocol.map(Into::into).into(),
        ..ConsentAnswer::default()
    };
    ua.has_answered("alice", "web", answer);
    let claims = r#"{"id_token":{"sub":null,"sid":null,"auth_time":null,"acr":null,"amr":null,"iss":null}}"#;
    let consent = kit.authorization_request("web").scope("openid").set("claims", claims).open(&ua);
    let consent = consent.expect_page("consent");
    assert_eq!(asked(&consent), ["openid"]);
    let tokens = kit.exchange(&consent.allow().expect_code()).expect_status(200);
    let token = kit.id_token(&tokens, "web");
    for name in protocol {
        assert!(!token.claims[name].is_null(), "{name}: {}", token.claims);
    }
}

/// A no is said for this request only, and nothing is kept but that it was answered.
#[test]
fn a_no_leaves_nothing() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let consent = open(&ua, "web", "openid").expect_page("consent");
    kit.counting.reset();
    let denied = consent.deny();
    let _ = denied.expect_error("access_denied");
    assert_eq!((kit.counting.writes(), denied.event_names()), (1, vec!["declined", "refused"]));
    let _ = open(&ua, "web", "openid").expect_page("consent");
}

/// POL-06, AUTHZ-31: `prompt=consent` asks though everything was allowed, and for everything.
#[test]
fn prompt_consent_asks_for_everything() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid profile");
    let request = kit.authorization_request("web").scope("openid profile").set("prompt", "consent");
    let consent = request.open(&ua).expect_page("consent");
    assert_eq!(asked(&consent), ["openid", "profile"]);
    let _ = consent.allow().expect_code();
    let _ = request.open(&ua).expect_page("consent");
    let login = request.set("prompt", "login consent");
    kit.clock.advance(seconds(1));
    let consent = login.open(&ua).expect_page("login").login("alice").expect_page("consent");
    let _ = consent.allow().expect_code();
}

/// AUTHZ-24, INT-29: an operator's own application is not asked about, not even for `offline_access`; a
/// public one is asked about that, each time it was not decided, and about nothing else.
#[test]
fn implied_consent_is_for_an_operators_own_application() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"own-spa","token_endpoint_auth_method":"none","redirect_uris":["https://own.example/cb"],
                "grant_types":["authorization_code","refresh_token"],"chancery":{"consent":"implied"}}"#,
        )
        .client(
            r#"{"client_id":"own-app","application_type":"native","token_endpoint_auth_method":"none",
                "redirect_uris":["http://127.0.0.1/cb"],"chancery":{"consent":"implied"}}"#,
        )
        .build();
    let ua = kit.user_agent();
    let login = open(&ua, "operator", "openid profile offline_access").expect_page("login");
    assert_eq!(granted(&kit, &login.login("alice")), "openid profile offline_access");
    let _ = open(&ua, "own-spa", "openid profile").expect_code();
    let _ = open(&ua, "own-app", "openid").expect_code();
    let consent = open(&ua, "own-spa", "openid offline_access").expect_page("consent");
    assert_eq!(asked(&consent), ["offline_access"]);
    let silent = kit.authorization_request("own-spa").scope("openid offline_access").set("prompt", "none");
    let _ = silent.open(&ua).expect_error("consent_required");
    let _ = consent.allow().expect_code();
    // A person who said no to it before gets the rest.
    let other = kit.user_agent();
    other.signed_in("bob");
    let rejected_scopes = Scopes::parse("offline_access").unwrap();
    other.has_answered("bob", "own-spa", ConsentAnswer { rejected_scopes, ..ConsentAnswer::default() });
    assert_eq!(granted(&kit, &silent.open(&other)), "openid");
}

/// POL-18, RFC 8252 section 8.6: a public native client is asked about each time, because any program of the
/// device could be it; a web client and one with an https redirect are not.
#[test]
fn a_native_client_is_asked_about_each_time() {
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"claimed","application_type":"native","token_endpoint_auth_method":"none",
                "redirect_uris":["https://claimed.example/cb","com.example.claimed:/cb"]}"#,
        )
        .client(&format!(
            r#"{{"client_id":"with-a-secret","application_type":"native","client_secret":"{}",
                "redirect_uris":["http://127.0.0.1/cb"]}}"#,
            chancery_testkit::SECRET
        ))
        .build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for client in ["native", "spa", "claimed", "with-a-secret"] {
        ua.has_consented("alice", client, "openid");
    }
    for _ in 0..2 {
        let consent = open(&ua, "native", "openid").expect_page("consent");
        assert_eq!(asked(&consent), ["openid"]);
        let _ = consent.allow().expect_code();
    }
    let scheme =
        kit.authorization_request("native").scope("openid").set("redirect_uri", "com.example.app:/cb");
    let _ = scheme.open(&ua).expect_page("consent").allow().expect_code();
    let _ = open(&ua, "spa", "openid").expect_code();
    let _ = open(&ua, "claimed", "openid").expect_code();
    let _ = open(&ua, "with-a-secret", "openid").expect_code();
    let scheme =
        kit.authorization_request("claimed").scope("openid").set("redirect_uri", "com.example.claimed:/cb");
    let _ = scheme.clone().set("prompt", "none").open(&ua).expect_error("consent_required");
    let _ = scheme.open(&ua).expect_page("consent");
}

/// FR-21, OIDC Core section 11: whoever cannot get refresh tokens is not given access for the time when the
/// person is away, and nobody is asked for it; the grant ends with the session.
#[test]
fn nobody_is_asked_for_what_cannot_be_given() {
    for (grants, is_asked) in [("", false), ("\"refresh_token\",", true)] {
        for consent in ["ask", "implied"] {
            let kit = TestProvider::builder()
                .client(&format!(
                    "{{\"client_id\":\"plain\",\"token_endpoint_auth_method\":\"none\",\
                     \"redirect_uris\":[\"https://plain.example/cb\"],\
                     \"grant_types\":[{grants}\"authorization_code\"],\"chancery\":{{\"consent\":\"{consent}\"}}}}"
                ))
                .unauthenticated_introspection()
                .build();
            let ua = kit.user_agent();
            ua.signed_in("alice");
            let page = open(&ua, "plain", "openid offline_access");
            let wished = if page.page().name == "consent" { asked(&page) } else { Vec::new() };
            assert_eq!(wished.contains(&"offline_access".to_owned()), is_asked, "{consent} {grants}");
            let done = if wished.is_empty() { page } else { page.allow() };
            let tokens = kit.exchange(&done.expect_code()).expect_status(200);
            assert_eq!(tokens.member("scope").contains("offline_access"), is_asked, "{consent} {grants}");
            ua.ends_session();
            assert_eq!(kit.is_active("plain", tokens.member("access_token")), is_asked, "{consent} {grants}");
            // Alone it is a request for nothing.
            let alone = open(&ua, "plain", "offline_access");
            assert_eq!(alone.page().name.is_empty(), !is_asked);
        }
    }
}

/// A consent is remembered for a year after it was last given, or for as long as configured.
#[test]
fn a_consent_is_remembered_for_a_year() {
    for (configured, lifetime) in [(None, days(365)), (Some(days(30)), days(30))] {
        let builder = TestProvider::builder();
        let kit = match configured {
            Some(lifetime) => builder.configure(|config| config.interaction.consent = lifetime).build(),
            None => builder.build(),
        };
        let ua = kit.user_agent();
        let _ = open(&ua, "web", "openid").login("alice").expect_page("consent").allow().expect_code();
        kit.clock.advance(lifetime - seconds(1));
        ua.signed_in("alice");
        let _ = open(&ua, "web", "openid").expect_code();
        // Widening it renews it.
        let _ = open(&ua, "web", "openid email").expect_page("consent").allow().expect_code();
        kit.clock.advance(lifetime - seconds(1));
        ua.signed_in("alice");
        let _ = open(&ua, "web", "openid").expect_code();
        kit.clock.advance(seconds(1));
        let _ = open(&ua, "web", "openid").expect_page("consent");
    }
}

/// GRANT-09, EVT-05: withdrawn, everything that came of it is dead, offline grants and unexchanged codes
/// included; the person is asked again. Other clients and other people keep theirs.
#[test]
fn a_withdrawn_consent_ends_what_came_of_it() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let scope = "openid offline_access";
    let mine = kit.exchange(&open(&ua, "web", scope).allow().expect_code()).expect_status(200);
    let code = open(&ua, "web", scope).expect_code();
    let (others, bobs) = (kit.tokens("alice", "post", scope), kit.tokens("bob", "web", scope));
    let (ended, events) = kit.withdraw_consent("alice", "web");
    assert_eq!((ended, chancery_testkit::names(&events)), (2, vec!["consent_withdrawn", "grant_ended"]));
    assert!(refusals(&events).is_empty());
    for name in ["access_token", "refresh_token"] {
        assert!(!kit.is_active("web", mine.member(name)), "{name}");
        assert!(
            kit.is_active("post", others.member(name)) && kit.is_active("web", bobs.member(name)),
            "{name}"
        );
    }
    assert_eq!(kit.userinfo(mine.member("access_token")).status, 401);
    assert_refused!(
        kit.refresh("web", mine.member("refresh_token")),
        "invalid_grant",
        "refresh_token_unknown"
    );
    assert_refused!(kit.exchange(&code), "invalid_grant", "code_unknown");
    let _ = open(&ua, "web", "openid").expect_page("consent").allow().expect_code();
    // Withdrawing what is not there is no event.
    let (ended, events) = kit.withdraw_consent("alice", "nobody");
    assert_eq!((ended, events.len()), (0, 0));
}

/// The live grants of alice.
fn grants(kit: &TestProvider) -> Vec<GrantBody> {
    let (env, account) = (kit.env(), AccountId::parse("alice").unwrap());
    let tag = env.records().tags(Some(&account), None, None).account.unwrap();
    let found = wait(env.store.list_tagged(kit.now(), Kind::GRANT, tag, None, 100)).unwrap();
    found.iter().map(|stored| GrantBody::decode(&stored.record.body).unwrap()).collect()
}

/// What stands between alice and `web`.
fn standing(kit: &TestProvider) -> Option<ConsentBody> {
    let (account, client) = (AccountId::parse("alice").unwrap(), ClientId::parse("web").unwrap());
    let key = consent_key(kit.env(), &account, &client);
    wait(kit.env().records().get(kit.now(), key)).unwrap().map(|found| found.body)
}

/// What a race with a withdrawal came to, after both have returned.
enum Ended {
    WithCode,
    WithoutCode,
}

/// A request and a withdrawal at the same moment, in an order that the seed decides at each trip to the
/// store.
fn race_with_withdrawal(kit: &TestProvider, seed: u64, request: Request<Bytes>) -> (Ended, Code) {
    let verified = kit.authorization_request("web");
    let answer: Task<'_, Option<String>> = Box::pin(async {
        let answer = kit.service.handle(request).await;
        answer.headers().get("location").and_then(|to| to.to_str().ok()).map(str::to_owned)
    });
    let withdrawal: Task<'_, Option<String>> = Box::pin(async {
        // A withdrawal has fewer steps: it also begins in the middle of the request.
        let_others_take(seed % 16).await;
        kit.withdrawal("alice", "web").await;
        None
    });
    let mut outcomes = race(seed, vec![answer, withdrawal]);
    let to = outcomes.swap_remove(0).unwrap_or_default();
    let code = to.split("code=").nth(1).map(|rest| rest.split('&').next().unwrap_or_default().to_owned());
    let ended = if code.is_some() { Ended::WithCode } else { Ended::WithoutCode };
    let code = Code {
        code: code.unwrap_or_default(),
        client: "web".to_owned(),
        redirect_uri: verified.value("redirect_uri").map(str::to_owned),
        verifier: None,
    };
    (ended, code)
}

/// GRANT-09: consent withdrawn while an authorization is under way, in every order of their trips to the
/// store: no grant survives the withdrawal, and no code that was answered is worth anything.
#[test]
fn no_grant_survives_a_withdrawal() {
    let (mut codes, mut refused) = (0, 0);
    for (scope, prompt) in [("openid", ""), ("openid offline_access", ""), ("openid", "none")] {
        for seed in 0..250 {
            let kit = TestProvider::new();
            let ua = kit.user_agent();
            ua.signed_in("alice");
            ua.has_consented("alice", "web", "openid offline_access");
            let request = kit.authorization_request("web").scope(scope).set("prompt", prompt);
            let (ended, code) = race_with_withdrawal(&kit, seed, ua.to_http(&request));
            assert!(
                standing(&kit).is_none() && grants(&kit).is_empty(),
                "{scope} {prompt} {seed}: a grant survived"
            );
            match ended {
                Ended::WithCode => {
                    codes += 1;
                    assert_refused!(kit.exchange(&code), "invalid_grant", "code_unknown");
                }
                Ended::WithoutCode => refused += 1,
            }
        }
    }
    assert!(codes > 60 && refused > 60, "both have to happen: {codes}, {refused}");
}

/// GRANT-09: the same while the person allows something more. A yes that comes after the withdrawal counts
/// for what it was said to, and what was withdrawn stays withdrawn.
#[test]
fn a_yes_does_not_bring_back_what_was_withdrawn() {
    for seed in 0..250 {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid offline_access");
        let request = kit.authorization_request("web").scope("openid offline_access email");
        let page = request.open(&ua).expect_page("consent");
        let _ = race_with_withdrawal(&kit, seed, page.to_http(&[], ("action", "allow")));
        let stands = standing(&kit).map(|body| body.answer.scopes).unwrap_or_default();
        for grant in grants(&kit) {
            let beyond: Vec<_> =
                grant.granted.scopes.iter().filter(|scope| !stands.contains(scope.as_str())).collect();
            assert!(beyond.is_empty(), "{seed}: {beyond:?} beside {stands}");
        }
    }
}

/// GRANT-09: the consent is withdrawn and another, smaller one given while an authorization is under way:
/// what rested on the first one does not pass for the second one's.
#[test]
fn another_consent_does_not_stand_in_for_the_one_that_was_withdrawn() {
    let mut smaller = 0;
    for seed in 0..250 {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", "web", "openid email");
        let request = ua.to_http(&kit.authorization_request("web").scope("openid email"));
        let answer: Task<'_, ()> = Box::pin(async { drop(kit.service.handle(request).await) });
        let withdrawal: Task<'_, ()> = Box::pin(async {
            kit.withdrawal("alice", "web").await;
            kit.user_agent().has_consented("alice", "web", "openid");
        });
        let _ = race(seed, vec![answer, withdrawal]);
        for grant in grants(&kit) {
            smaller += 1;
            assert_eq!(grant.granted.scopes.to_string(), "openid", "{seed}");
        }
    }
    assert_eq!(smaller, 0, "the page that asks for more was not answered");
}

/// What a person reads when the consent was withdrawn before the answer was given.
#[test]
fn a_withdrawal_before_the_answer_is_told() {
    let mut told = [0, 0];
    for (at, prompt) in ["", "none"].into_iter().enumerate() {
        for seed in 0..200 {
            let kit = TestProvider::new();
            let ua = kit.user_agent();
            ua.signed_in("alice");
            ua.has_consented("alice", "web", "openid");
            let request = ua.to_http(&kit.authorization_request("web").scope("openid").set("prompt", prompt));
            let answer: Task<'_, Option<Response<_>>> =
                Box::pin(async { Some(kit.service.handle(request).await) });
            let withdrawal: Task<'_, Option<Response<_>>> = Box::pin(async {
                kit.withdrawal("alice", "web").await;
                None
            });
            let answer = race(seed, vec![answer, withdrawal]).swap_remove(0).unwrap();
            let to = answer
                .headers()
                .get("location")
                .map(|to| to.to_str().unwrap().to_owned())
                .unwrap_or_default();
            let expected = if prompt == "none" { "error=consent_required" } else { "error=access_denied" };
            told[at] += usize::from(to.contains(expected));
            assert!(to.is_empty() || to.contains("code=") || to.contains(expected), "{seed}: {to}");
        }
    }
    assert!(told.iter().all(|times| *times > 10), "it has to happen: {told:?}");
}

/// Two tabs that allow different things: both stand. What is allowed is what was shown: the second page has
/// less to ask by now, and comes again with it.
#[test]
fn two_tabs_widen_one_consent() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let one = open(&ua, "web", "openid email").expect_page("consent");
    let two = open(&ua, "web", "openid profile").expect_page("consent");
    assert_eq!(
        (asked(&one), asked(&two)),
        (vec!["openid".into(), "email".into()], vec!["openid".into(), "profile".into()])
    );
    let _ = one.allow().expect_code();
    let two = two.allow().expect_page("consent");
    assert!(!two.event_names().contains(&"consent_given"), "{:?}", two.event_names());
    assert_eq!(asked(&two), ["profile"]);
    let _ = two.allow().expect_code();
    assert_eq!(granted(&kit, &open(&ua, "web", "openid email profile")), "openid email profile");
}

/// INT-29: the page names the client without characters that turn the direction of writing, also a client
/// that came into the registry by another way than registration, which refuses them.
#[test]
fn the_page_names_the_client() {
    let kit = TestProvider::builder()
        .client(&format!(
            "{{\"client_id\":\"odd\",\"client_secret\":\"a-secret-of-forty-three-characters-for-test\",\
             \"redirect_uris\":[\"https://odd.example/cb\"],\"client_name\":\"<b>knaB{}\"}}",
            "x".repeat(100)
        ))
        .build();
    let (realm, id) = (&kit.env().realm, ClientId::parse("odd").unwrap());
    let stored = wait(kit.registry.client(realm, &id)).unwrap().unwrap();
    let text = String::from_utf8(stored.to_stored().unwrap().into()).unwrap();
    let turned =
        Client::from_stored(text.replace("knaB", "\u{202e}knaB").as_bytes(), stored.revision()).unwrap();
    let put = wait(kit.registry.put_client(realm, Some(stored.revision()), Arc::new(turned))).unwrap();
    assert!(matches!(put, Put::Done(_)));
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let page = open(&ua, "odd", "openid").expect_page("consent").page();
    assert!(page.text.contains("<b>knaB") && !page.text.contains('\u{202e}'), "{}", page.text);
    assert!(!page.text.contains(&"x".repeat(80)), "at most 80 characters");
}

/// RFC 6749 section 4.1.2.1: one row per request whose consent nobody can give.
#[test]
fn what_nobody_can_allow() {
    let kit = TestProvider::new();
    let request = |scope: &str| kit.authorization_request("web").scope(scope);
    NegativeTable::new(&kit)
        .row("only unknown scopes", request("unknown"), Refused::Client("invalid_scope"))
        .row("no scope", request("").without("scope"), Refused::Client("invalid_scope"))
        .row("a scope with a quote", request("openid \"x\""), Refused::Client("invalid_scope"))
        .row("two scopes", request("openid").param("scope", "profile"), Refused::Client("invalid_request"))
        .row("silently", request("openid").set("prompt", "none"), Refused::Client("login_required"))
        .run();
}

/// GRANT-09: no first yes at the moment of a withdrawal leaves a consent without its grant, by which the client
/// would get the next code without a question.
#[test]
fn a_withdrawal_that_ended_the_grant_has_ended_the_consent() {
    let mut ended = 0;
    for seed in 0..250 {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let page = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
        let (request, kit) = (page.to_http(&[], ("action", "allow")), &kit);
        let answer: Task<'_, u64> =
            Box::pin(async move { u64::from(kit.service.handle(request).await.status().as_u16()) });
        let withdrawal: Task<'_, u64> = Box::pin(kit.withdrawal("alice", "web"));
        if race(seed, vec![answer, withdrawal])[1] == 1 {
            ended += 1;
            let silent = kit.authorization_request("web").scope("openid").set("prompt", "none");
            let _ = silent.open(&ua).expect_error("consent_required");
        }
    }
    assert!(ended > 15, "it has to happen: {ended}");
}

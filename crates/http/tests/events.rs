//! What an operator reads afterwards: for each endpoint the exact list of events, on success and on a
//! refusal.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use chancery_core::event::{Endpoint, Event, GrantEnd};
use chancery_http::Peer;
use chancery_testkit::{Mood, SECRET, TestProvider, minutes, refusals, seconds};
use chancery_types::iana::GrantType;
use chancery_types::{AccountId, ClientId};

fn client(id: &str) -> ClientId {
    ClientId::parse(id).expect("a client id")
}

fn account(id: &str) -> AccountId {
    AccountId::parse(id).expect("an account id")
}

/// The endpoint and client of the only refusal.
fn refusal(events: &[Event]) -> (Endpoint, Option<&str>) {
    match events {
        [Event::Refused { endpoint, client, .. }] => {
            (*endpoint, client.as_ref().map(|client| client.id().as_str()))
        }
        other => panic!("one refusal, and nothing else: {other:?}"),
    }
}

/// A19, INT-23, EVT-03
#[test]
fn authorization() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = kit.authorization_request("web").scope("openid");
    let granted = request.open(&ua);
    assert_eq!(
        granted.answer().events,
        [Event::AuthorizationGranted { client: client("web"), account: account("alice") }]
    );
    let shown = request.clone().set("prompt", "login");
    kit.clock.advance(seconds(1));
    assert_eq!(
        shown.open(&ua).answer().events,
        [Event::PromptShown {
            client: client("web"),
            prompt: "login".into(),
            account: Some(account("alice"))
        }]
    );
    // Refused to the client, and on a page.
    let to_client = request.clone().set("response_type", "token").open(&ua);
    assert_eq!(refusal(&to_client.answer().events), (Endpoint::Authorization, Some("web")));
    let on_page = request.set("redirect_uri", "https://evil.example/").open(&ua);
    assert_eq!(refusal(&on_page.answer().events), (Endpoint::Authorization, Some("web")));
}

/// An operator reads which redirect URI came, and nothing that may be secret, nor more than a line should have.
#[test]
fn an_unregistered_redirect_uri_is_told() {
    let kit = TestProvider::new();
    let told = |uri: &str| {
        let ua = kit.user_agent();
        let page = kit.authorization_request("web").set("redirect_uri", uri).open(&ua);
        match page.answer().events.as_slice() {
            [Event::Refused { reason, redirect_uri, .. }] => {
                assert_eq!(reason.name, "redirect_uri_unregistered", "{uri}");
                redirect_uri.as_deref().expect("the URI").to_owned()
            }
            other => panic!("one refusal, and nothing else: {other:?}"),
        }
    };
    for (uri, shown) in [
        ("https://web.example:8443/other?code=secret#secret", "https://web.example:8443/other"),
        ("https://me:secret@web.example/a@b", "https://web.example/a@b"),
        ("https://web.example?secret", "https://web.example"),
        ("com.example.app:/cb?secret", "com.example.app:/cb"),
        ("no uri at all\n", "no uri at all\n"),
    ] {
        assert_eq!(told(uri), shown);
    }
    let long = told(&format!("https://web.example/{}", "\u{e4}".repeat(500)));
    assert_eq!(long.chars().count(), 200);
}

/// The same of an address to go to after a logout, with or without anybody signed in.
#[test]
fn an_unregistered_post_logout_uri_is_told() {
    let kit = TestProvider::new();
    for account in [None, Some("alice")] {
        let ua = kit.user_agent();
        if let Some(account) = account {
            ua.signed_in(account);
        }
        let page = ua.get("/logout?client_id=web&post_logout_redirect_uri=https://web.example/bye%3Fsecret");
        match page.answer().events.as_slice() {
            [Event::Refused { reason, redirect_uri, endpoint: Endpoint::EndSession, .. }] => {
                assert_eq!(reason.name, "post_logout_uri_unregistered");
                assert_eq!(redirect_uri.as_deref(), Some("https://web.example/bye"));
            }
            other => panic!("one refusal, and nothing else: {other:?}"),
        }
    }
}

/// A19, INT-23
#[test]
fn interaction() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid");
    let login = request.open(&ua);
    assert_eq!(login.event_names(), ["prompt_shown"]);
    let wrong = login.login_wrongly("alice");
    assert_eq!(wrong.event_names(), ["login_failed", "prompt_shown"]);
    kit.accounts.be(Mood::Busy);
    assert_eq!(wrong.login("alice").event_names(), ["login_busy", "prompt_shown"]);
    kit.accounts.be(Mood::Answering);
    let consent = wrong.login("alice");
    assert_eq!(consent.event_names(), ["login_succeeded", "prompt_shown"]);
    assert_eq!(consent.allow().event_names(), ["consent_given", "authorization_granted"]);
    // Answered already: a page with a way on, and nothing has happened.
    assert_eq!(consent.allow().event_names(), [""; 0]);

    let other = kit.user_agent();
    let cancelled = request.open(&other).cancel();
    assert_eq!(cancelled.event_names(), ["declined", "refused"]);
    let denied = request.open(&other).login("alice");
    // The consent was remembered.
    assert_eq!(denied.event_names(), ["login_succeeded", "authorization_granted"]);
    let more = kit.authorization_request("web").scope("openid email").open(&other);
    assert_eq!(more.event_names(), ["prompt_shown"]);
    assert_eq!(more.deny().event_names(), ["declined", "refused"]);
}

/// A19: the oldest of five sessions ends.
#[test]
fn the_end_of_a_session() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    for id in ["first", "second", "third", "fourth", "fifth"] {
        kit.accounts.add(id);
    }
    for id in ["first", "second", "third", "fourth"] {
        ua.signed_in(id);
    }
    kit.clock.advance(minutes(1));
    let tab =
        kit.authorization_request("operator").scope("openid").set("prompt", "login").open(&ua).login("fifth");
    assert_eq!(
        tab.answer().events,
        [
            Event::LoginSucceeded { account: account("fifth"), client: client("operator") },
            Event::AuthorizationGranted { client: client("operator"), account: account("fifth") },
            Event::SessionEnded { account: account("first"), client: Some(client("operator")) },
        ]
    );
}

/// A19, TOKEN-13, ERR-20, EVT-05
#[test]
fn token() {
    let kit = TestProvider::new();
    let issued = |grant_type, by: &str, whose: Option<&str>| {
        [Event::TokensIssued { client: client(by), grant_type, account: whose.map(account) }]
    };
    let code = kit.code("alice", "web", "openid offline_access");
    let tokens = kit.exchange(&code);
    assert_eq!(tokens.events, issued(GrantType::AuthorizationCode, "web", Some("alice")));
    let refreshed = kit.refresh("web", tokens.member("refresh_token"));
    assert_eq!(refreshed.events, issued(GrantType::RefreshToken, "web", Some("alice")));
    let own = kit.client_credentials_request("web").send();
    assert_eq!(own.events, issued(GrantType::ClientCredentials, "web", None));

    let unknown = kit.token_request("web").param("grant_type", "password").send();
    assert_eq!(refusal(&unknown.events), (Endpoint::Token, Some("web")));
    // FR-13: an operator sees which client fails to authenticate; an id that no client has may be a secret in
    // the wrong place and is not told.
    for request in [
        kit.client_credentials_request("web").secret("a-wrong-secret"),
        kit.client_credentials_request("web").by_method("none"),
        kit.introspection_request("web", "x").secret("a-wrong-secret"),
        kit.revocation_request("web", "x").secret("a-wrong-secret"),
    ] {
        assert_eq!(refusal(&request.send().expect_status(401).events).1, Some("web"));
    }
    let foreign = kit.client_credentials_request("web").header("origin", "https://evil.example").send();
    assert_eq!(refusal(&foreign.events), (Endpoint::Token, Some("web")));
    let swapped =
        kit.anonymous_request("/token").param("client_id", SECRET).param("client_secret", "web").send();
    assert_eq!(refusal(&swapped.events), (Endpoint::Token, None));
    // The end of a grant is one event, whatever hung on it.
    let replayed = kit.exchange(&code);
    assert_eq!(replayed.event_names(), ["grant_ended", "refused"]);
    let ended = |why| Event::GrantEnded { client: client("web"), account: Some(account("alice")), why };
    assert_eq!(replayed.events.first(), Some(&ended(GrantEnd::CodeReplayed)));
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let _ = kit.refresh("web", tokens.member("refresh_token"));
    kit.clock.advance(minutes(1));
    let replayed = kit.refresh("web", tokens.member("refresh_token"));
    assert_eq!(replayed.events.first(), Some(&ended(GrantEnd::RefreshTokenReplayed)));
    assert_eq!(replayed.event_names(), ["grant_ended", "refused"]);
}

/// FR-13: of each refusal an operator learns the client, whether it has proved that it is this client, and
/// the network; never what stood in the place of an id or a secret.
#[test]
fn a_refusal_says_who_it_was_and_from_where() {
    let kit = TestProvider::new();
    kit.put_client(&format!(
        r#"{{"client_id":"off","client_secret":"{SECRET}","redirect_uris":["https://off.example/cb"],
            "grant_types":["authorization_code","client_credentials"],"chancery":{{"enabled":false}}}}"#
    ));
    let typed = "typed-for-a-secret";
    let own = |client: &str| kit.client_credentials_request(client);
    let named = |id: &str| own("web").unauthenticated().param("client_id", id).param("client_secret", typed);
    let broken = |bad: &str| format!("{bad}{}", "x".repeat(255 - bad.chars().count()));
    let redeem = |client: &str| {
        let request =
            kit.token_request(client).param("grant_type", "authorization_code").param("code", typed);
        request.param("redirect_uri", &format!("https://{client}.example/cb"))
    };
    let userinfo = kit.request("/userinfo", "web").unauthenticated().header("authorization", "Bearer at_x");
    let (claimed, proved) = (|id| Some((id, false)), |id| Some((id, true)));
    let wrong = "client_secret_wrong";
    let rows = [
        ("a wrong secret", own("web").secret(typed), wrong, claimed("web")),
        ("a wrong secret in the body", own("post").secret(typed), wrong, claimed("post")),
        (
            "no secret",
            own("web").by_method("none"),
            "client_authentication_method_unregistered",
            claimed("web"),
        ),
        ("a disabled client", own("off"), "client_disabled", claimed("off")),
        ("a disabled client's id", own("off").secret(typed), wrong, claimed("off")),
        (
            "a foreign script",
            own("web").header("origin", "https://evil.example"),
            "origin_not_allowed",
            claimed("web"),
        ),
        ("an unknown id", named("nobody"), "client_unknown", None),
        ("the secret for the id", named(SECRET), "client_unknown", None),
        ("255 letters", named(&broken("")), "client_unknown", None),
        (
            "255 with a line break",
            named(&broken("web\r\n{\"event\":\"login_succeeded\"}\n")),
            "client_unknown",
            None,
        ),
        ("255 with control characters", named(&broken("\u{1b}[2K\u{7}\u{7f}\u{85}")), "client_unknown", None),
        (
            "255 with bidi overrides",
            named(&broken("\u{202e}bew\u{2066}\u{2028}\u{feff}")),
            "client_unknown",
            None,
        ),
        ("a refused code", redeem("web"), "code_unknown", proved("web")),
        ("a refused code of a public client", redeem("spa"), "code_unknown", claimed("spa")),
        (
            "no token",
            kit.introspection_request("web", "x").without("token"),
            "introspected_token_missing",
            proved("web"),
        ),
        ("an unknown token", userinfo, "access_token_unknown", None),
        (
            "a body that is no form",
            own("web").header("content-type", "text/plain"),
            "content_type_unsupported",
            None,
        ),
    ];
    for (name, request, reason, client) in rows {
        let mut request = request.to_http();
        request.extensions_mut().insert(Peer([0x2001, 0xdb8, 1, 2, 3, 4, 5, 6].into()));
        let answer = kit.send(request);
        let (network, events) = (answer.told_network(), answer.events);
        assert_eq!(refusals(&events), [reason], "{name}");
        let [Event::Refused { client: told, .. }] = events.as_slice() else { panic!("{name}: {events:?}") };
        let told = told.as_ref().map(|client| (client.id().as_str(), client.is_authenticated()));
        assert_eq!((told, network.as_deref()), (client, Some("2001:db8:1:2::/64")), "{name}");
        let told = format!("{events:?}");
        assert!([typed, SECRET, "xxxx"].iter().all(|secret| !told.contains(secret)), "{name}: {told}");
    }
    // The brake tells the same as what it spares.
    let braked = (0..12)
        .map(|n| own("machine").secret(&format!("{typed} {n}")).send().events)
        .collect::<Vec<_>>()
        .pop()
        .expect("one");
    assert_eq!((refusals(&braked), refusal(&braked).1), (vec!["client_secrets_throttled"], Some("machine")));

    let ua = kit.user_agent();
    ua.comes_from("192.0.2.7");
    let (ask, ask_off) =
        (kit.authorization_request("web"), kit.authorization_request("web").set("client_id", "off"));
    for (name, request, client) in [
        ("refused to the client", ask.clone().set("response_type", "token"), Some("web")),
        ("a foreign redirect URI", ask.clone().set("redirect_uri", "https://evil.example/"), Some("web")),
        ("two redirect URIs", ask.clone().param("redirect_uri", "https://evil.example/"), Some("web")),
        ("a disabled client", ask_off.set("redirect_uri", "https://off.example/cb"), Some("off")),
        ("an unknown client", ask.clone().set("client_id", &broken("")), None),
        ("a hostile client", ask.clone().set("client_id", &broken("\u{202e}\n")), None),
        ("two clients", ask.clone().param("client_id", "spa"), None),
    ] {
        let answer = request.open(&ua).answer().clone();
        let (network, events) = (answer.told_network(), answer.events);
        let [Event::Refused { client: told, .. }] = events.as_slice() else { panic!("{name}: {events:?}") };
        let told = told.as_ref().map(|client| (client.id().as_str(), client.is_authenticated()));
        assert_eq!((told, network.as_deref()), (client.map(|id| (id, false)), Some("192.0.2.7")), "{name}");
    }
}

/// FR-13: seven wrong passwords are told as one person's, from one network, also the one that was not looked
/// at.
#[test]
fn wrong_passwords_say_who_was_meant_and_from_where() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.comes_from("192.0.2.7");
    let mut tab = kit.authorization_request("web").scope("openid").open(&ua);
    let mut told = Vec::new();
    for n in 0..7 {
        tab = tab.login_wrongly("alice");
        let (attempt, looked_at) = match tab.events() {
            [Event::LoginFailed { attempt, .. }, Event::PromptShown { .. }] => (attempt.clone(), true),
            [Event::LoginThrottled { attempt, .. }, Event::PromptShown { .. }] => (attempt.clone(), false),
            other => panic!("{other:?}"),
        };
        assert_eq!(looked_at, n < 6);
        assert_eq!(attempt.account.as_ref(), looked_at.then_some(&account("alice")));
        let network = tab.answer().told_network();
        assert_eq!((&attempt.client, network.as_deref()), (&client("web"), Some("192.0.2.7")));
        told.push(attempt.name_digest);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "one name");
}

/// EVT-01, EVT-02, EVT-03, A19: from a token to its end, one event each.
#[test]
fn from_a_token_to_its_end() {
    let kit = TestProvider::new();
    let tokens = kit.client_credentials_request("api").send().expect_status(200);
    let api = client("api");
    let issued =
        Event::TokensIssued { client: api.clone(), grant_type: GrantType::ClientCredentials, account: None };
    assert_eq!(tokens.events, [issued]);
    let token = tokens.member("access_token");
    let looked_at = kit.introspect("api", token);
    assert_eq!(looked_at.events, [Event::Introspected { client: api.clone(), active: true }]);
    let revoked = kit.revoke("api", token).expect_status(200);
    assert_eq!(
        (revoked.body.len(), revoked.events),
        (0, vec![Event::TokenRevoked { client: api.clone(), account: None }])
    );
    assert_eq!(kit.introspect("api", token).events, [Event::Introspected { client: api, active: false }]);
}

/// A19, INTRO-10
#[test]
fn introspection() {
    let kit = TestProvider::new();
    let token = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
    assert_eq!(
        kit.introspect("web", &token).events,
        [Event::Introspected { client: client("web"), active: true }]
    );
    assert_eq!(
        kit.introspect("post", &token).events,
        [Event::Introspected { client: client("post"), active: false }]
    );
    let missing = kit.introspection_request("web", &token).without("token").send();
    assert_eq!(refusal(&missing.events), (Endpoint::Introspection, Some("web")));
}

/// A19, REV-08
#[test]
fn revocation() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let access = kit.revoke("web", tokens.member("access_token"));
    let (by, whose) = (client("web"), Some(account("alice")));
    assert_eq!(access.events, [Event::TokenRevoked { client: by.clone(), account: whose.clone() }]);
    let refresh = kit.revoke("web", tokens.member("refresh_token"));
    let ended = Event::GrantEnded { client: by, account: whose, why: GrantEnd::RevokedByClient };
    assert_eq!(refresh.events, [ended]);
    assert_eq!(kit.revoke("web", tokens.member("refresh_token")).events, []);
    let missing = kit.revocation_request("web", "x").without("token").send();
    assert_eq!(refusal(&missing.events), (Endpoint::Revocation, Some("web")));
}

/// A19
#[test]
fn userinfo() {
    let kit = TestProvider::new();
    let token = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
    let served = Event::UserInfoServed { client: client("web"), account: account("alice") };
    assert_eq!(kit.userinfo(&token).events, [served]);
    assert_eq!(refusal(&kit.userinfo("at_unknown").events), (Endpoint::UserInfo, None));
}

/// A19: documents that everybody may have are no news, nor are wrong paths and methods.
#[test]
fn the_rest() {
    let kit = TestProvider::new();
    for path in ["/.well-known/openid-configuration", "/jwks", "/nothing", "/token"] {
        assert_eq!(kit.get(path).events, []);
    }
    let _ = kit.run_once();
    assert_eq!(kit.events.rest(), []);
}

/// EVT-04, ERR-18, ERR-20: what breaks is one event of its own, at every endpoint.
#[test]
fn what_breaks() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let login = kit.authorization_request("web").scope("openid").open(&kit.user_agent()).answer().status;
    assert_eq!(login, 200);
    let code = kit.code("alice", "web", "openid");
    kit.accounts.be(Mood::Broken);
    let answers = [
        (
            Endpoint::Authorization,
            kit.authorization_request("web").scope("openid").open(&ua).answer().clone(),
        ),
        (Endpoint::Token, kit.exchange(&code)),
        (Endpoint::Token, kit.refresh("web", tokens.member("refresh_token"))),
        (Endpoint::Introspection, kit.introspection_request("web", tokens.member("access_token")).send()),
        (Endpoint::UserInfo, kit.userinfo(tokens.member("access_token"))),
    ];
    for (expected, answer) in answers {
        let [Event::Faulted { endpoint, fault, client: from }] = answer.events.as_slice() else {
            panic!("{expected:?}: {:?}", answer.events)
        };
        let is_proved = !matches!(expected, Endpoint::Authorization | Endpoint::UserInfo);
        let known = from.as_ref().map(|from| (from.id().as_str(), from.is_authenticated()));
        assert_eq!(known.unwrap_or(("web", false)), ("web", is_proved), "{expected:?}");
        assert_eq!((*endpoint, answer.status.as_u16()), (expected, 503));
        let said = fault.to_string();
        assert!(said.split(": ").all(|part| !answer.text().contains(part)), "nothing of it reaches the peer");
    }
}

/// A program that forgets to say where requests come from is told so, once, and how it is done.
#[test]
fn a_forgotten_peer_is_told_once() {
    let kit = TestProvider::builder().without_peers().build();
    let first = kit.get("/jwks");
    let [Event::PeerUnknown { advice }] = first.events.as_slice() else { panic!("{:?}", first.events) };
    assert!(advice.contains("Peer(address)"), "{advice}");
    let ua = kit.user_agent();
    let tab = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    assert_eq!(tab.login_wrongly("alice").event_names(), ["login_failed", "prompt_shown"]);
    // Whoever says it is not told.
    assert!(TestProvider::new().get("/jwks").events.is_empty());
}

/// A program whose framework leads requests to a wrong path, or its proxy, is told so: once, and only while no request has
/// found its endpoint, because later such requests are those of strangers who try paths.
#[test]
fn a_wrong_path_is_told_once() {
    for (issuer, path, below) in [
        ("https://id.example", "/auth/.well-known/openid-configuration", "/auth"),
        ("https://id.example", "/a/b/token", "/a/b"),
        ("https://id.example/oidc", "/auth/jwks", "/oidc/auth"),
    ] {
        let kit = TestProvider::builder().issuer(issuer).build();
        assert!(kit.get("/a/b/nothing").events.is_empty(), "no endpoint has this path");
        let first = kit.get(path);
        assert_eq!((first.status.as_u16(), first.text()), (404, "Not Found"));
        let [Event::MountedElsewhere { advice }] = first.events.as_slice() else {
            panic!("{:?}", first.events)
        };
        assert!(
            advice.starts_with(&format!("requests come below {below}, but the issuer {issuer} has ")),
            "{advice}"
        );
        assert!(kit.get(path).events.is_empty(), "{path}: once");
        let kit = TestProvider::builder().issuer(issuer).build();
        assert_eq!(kit.get("/jwks").status, 200);
        assert!(kit.get(path).events.is_empty(), "{path}: the mounting is right");
    }
}

/// Whose mistake it is, a line of the log tells: what was sent, and what the client is registered for. The client itself hears
/// the same as for a wrong secret.
#[test]
fn what_was_used_and_what_is_registered_are_told() {
    let kit = TestProvider::new();
    let own = |client: &str| kit.client_credentials_request(client);
    let assertion = |client: &str, kind: &str| {
        let named = own(client).by_method("none").param("client_assertion", "a.b.c");
        named.param("client_assertion_type", kind)
    };
    for (request, used, registered) in [
        (own("web").by_method("none"), "none", "client_secret_basic"),
        (own("spa").by_method("client_secret_post").secret(SECRET), "client_secret_post", "none"),
        (own("spa").by_method("client_secret_basic").secret(SECRET), "client_secret_basic", "none"),
        (assertion("web", "x"), "another", "client_secret_basic"),
    ] {
        let answer = request.send().expect_status(401);
        assert_eq!(answer["error_description"], "client authentication failed");
        let [Event::Refused { reason, methods: Some(told), origins: None, .. }] = &*answer.events else {
            panic!("{used}: {:?}", answer.events)
        };
        assert_eq!(reason.name, "client_authentication_method_unregistered");
        assert_eq!(told.used.map_or("another", |used| used.as_str()), used);
        assert_eq!(told.registered.as_str(), registered);
    }
    // A wrong secret is no wrong method.
    let answer = own("web").secret("wrong").send().expect_status(401);
    assert!(matches!(&*answer.events, [Event::Refused { methods: None, .. }]), "{:?}", answer.events);
}

/// A script of another page is told with its origin, and with those from which its client may call.
#[test]
fn a_foreign_script_is_told_with_its_origin() {
    let kit = TestProvider::new();
    let told = |client: &str, origin: &str| {
        let request = kit.client_credentials_request("web").unauthenticated().param("client_id", client);
        let answer = request.header("origin", origin).send();
        match &*answer.events {
            [Event::Refused { reason, origins: Some(told), methods: None, .. }] => {
                assert_eq!(reason.name, "origin_not_allowed");
                (told.sent.as_deref().expect("the origin").to_owned(), told.own.to_string())
            }
            other => panic!("one refusal, and nothing else: {other:?}"),
        }
    };
    assert_eq!(
        told("web", "https://evil.example"),
        ("https://evil.example".to_owned(), "https://web.example".to_owned())
    );
    assert_eq!(told("nobody", "https://evil.example").1, "");
    assert_eq!(told("web", &format!("https://{}", "a".repeat(500))).0.len(), 200);
}

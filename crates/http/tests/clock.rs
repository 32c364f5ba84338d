//! What has ended has ended, and what is another's stays another's, whatever the server's clock does in between: it may be
//! ahead, behind, or set right at any moment (OIDC Core section 3.1.2.1, RFC 9700 section 4.14.2).

use chancery_core::policy::{CLIENT_REPLACED, SIGNED_OUT_EVERYWHERE};
use chancery_testkit::{Answer, Code, HandClock, READY_MADE, SECRET, TestProvider, UserAgent, assert_refused, seconds};

/// By how many seconds the clock is ahead: at the login, when something ends, and when what has ended is shown.
const CLOCKS: &[(i64, i64, i64)] = &[
    (0, 0, 0),
    (120, 0, 0),
    (3600, 0, 0),
    (120, 60, 0),
    (0, -120, 0),
    (0, 120, 0),
    (0, 120, -120),
    (-30, 0, 0),
    (0, 0, -3600),
    (86_400, -3600, 0),
];

fn set(kit: &TestProvider, ahead: i64) {
    let by = seconds(ahead.unsigned_abs());
    kit.clock.set(if ahead < 0 { HandClock::START - by } else { HandClock::START + by });
}

/// Everything that a login can yield.
struct Held<'k> {
    kit: &'k TestProvider,
    ua: UserAgent<'k>,
    code: Code,
    /// With an opaque access token, good at UserInfo.
    tokens: Answer,
    /// With an opaque access token for a resource server.
    opaque: Answer,
    /// With a JWT for a resource server.
    jwt: Answer,
}

impl<'k> Held<'k> {
    fn by_login(kit: &'k TestProvider) -> Self {
        let ua = kit.user_agent();
        for (client, scopes) in
            [("web", "openid offline_access"), ("operator", "openid"), ("machine", "read"), ("jwt", "read")]
        {
            ua.has_consented("alice", client, scopes);
        }
        let request = |client, scope: &str| kit.authorization_request(client).scope(scope);
        let first = request("web", "openid offline_access").open(&ua).expect_page("login").login("alice").expect_code();
        let code = |client, scope: &str| request(client, scope).open(&ua).expect_code();
        let exchanged = |code: &Code| kit.exchange(code).expect_status(200);
        Self {
            kit,
            code: code("web", "openid"),
            tokens: exchanged(&first),
            opaque: exchanged(&code("machine", "read")),
            jwt: exchanged(&code("jwt", "read")),
            ua,
        }
    }

    /// Whether each thing is still good for anything.
    fn what_counts(&self) -> Vec<(&'static str, bool)> {
        let Self { kit, ua, code, tokens, opaque, jwt } = self;
        let silent = |client: &str| {
            let request = kit.authorization_request(client).scope("openid").set("prompt", "none");
            request.open(ua).is_answered_with("code")
        };
        let access = tokens.member("access_token");
        vec![
            ("the session", silent("operator")),
            ("the session and the consent", silent("web")),
            ("an access token at UserInfo", kit.userinfo(access).status == 200),
            ("an access token at introspection", kit.is_active("web", access)),
            ("a refresh token at introspection", kit.is_active("web", tokens.member("refresh_token"))),
            ("an opaque token of a resource server", kit.is_active("api", opaque.member("access_token"))),
            ("a JWT of a resource server", kit.is_active("api", jwt.member("access_token"))),
            ("a code", kit.exchange(code).status == 200),
            ("a refresh token", kit.refresh("web", tokens.member("refresh_token")).status == 200),
            ("another refresh token", kit.refresh("jwt", jwt.member("refresh_token")).status == 200),
        ]
    }
}

/// FR-01: another password, or "sign out everywhere", ends sessions, codes, refresh families and access tokens of every
/// kind, wherever they are shown, also when the clock stood otherwise at the login. Without it nothing has ended.
#[test]
fn what_a_person_ended_has_ended() {
    for clock @ (login, end, shown) in CLOCKS.iter().copied() {
        for is_ended in [false, true] {
            let kit = TestProvider::new();
            set(&kit, login);
            let held = Held::by_login(&kit);
            set(&kit, end);
            if is_ended {
                kit.accounts.sign_out_everywhere("alice");
            }
            set(&kit, shown);
            for (what, counts) in held.what_counts() {
                assert_eq!(counts, !is_ended, "{what}, clock {clock:?}, ended {is_ended}");
            }
            if is_ended {
                let page = kit.authorization_request("web").scope("openid").open(&held.ua).expect_page("login");
                let _ = kit.exchange(&page.login("alice").expect_code()).expect_status(200);
            }
        }
    }
}

/// FR-01: the reasons of the gate, with every clock.
#[test]
fn the_reason_is_told_to_the_operator() {
    for (login, end, shown) in CLOCKS.iter().copied() {
        let kit = TestProvider::new();
        set(&kit, login);
        let held = Held::by_login(&kit);
        set(&kit, end);
        kit.accounts.sign_out_everywhere("alice");
        set(&kit, shown);
        assert_refused!(kit.exchange(&held.code), SIGNED_OUT_EVERYWHERE);
        assert_refused!(kit.refresh("web", held.tokens.member("refresh_token")), SIGNED_OUT_EVERYWHERE);
        kit.replace_client(READY_MADE[0]);
        assert_refused!(kit.exchange(&held.code), CLIENT_REPLACED);
        assert_refused!(kit.refresh("web", held.tokens.member("refresh_token")), CLIENT_REPLACED);
    }
}

/// FR-01: an old password that was looked at while it was changed lets nobody in.
#[test]
fn a_change_of_the_password_overtakes_a_login() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.has_consented("alice", "web", "openid");
    let page = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    kit.accounts.meanwhile(|people| people.sign_out_everywhere("alice"));
    let again = page.login("alice").expect_page("login");
    assert_eq!((again.answer().status.as_u16(), ua.session_cookie()), (200, None));
    kit.accounts.meanwhile(|people| people.disable("alice"));
    let again = again.login("alice").expect_page("login");
    assert_eq!((again.answer().status.as_u16(), ua.session_cookie()), (200, None));
    kit.accounts.add("alice");
    let _ = again.login("alice").expect_code();
}

/// FR-01: a client that was removed and registered again under its id is another one. Consents, codes, refresh families and
/// access tokens of every kind are not the next one's, however the clock stood. One that is only changed keeps all.
#[test]
fn another_client_of_the_same_id_inherits_nothing() {
    for clock @ (granted, registered, shown) in CLOCKS.iter().copied() {
        for is_replaced in [false, true] {
            let kit = TestProvider::new();
            set(&kit, granted);
            let held = Held::by_login(&kit);
            let own = |client| kit.client_credentials_request(client).param("scope", "read").send().expect_status(200);
            let (own_opaque, own_jwt) = (own("machine"), own("jwt"));
            set(&kit, registered);
            for metadata in READY_MADE {
                if is_replaced {
                    kit.replace_client(metadata);
                } else {
                    kit.put_client(metadata);
                }
            }
            set(&kit, shown);
            for (what, counts) in held.what_counts() {
                // The person is signed in at the provider, not at the client.
                assert_eq!(counts, !is_replaced || what == "the session", "{what}, clock {clock:?}");
            }
            for (client, lifetime, token) in [("machine", 600, &own_opaque), ("jwt", 300, &own_jwt)] {
                let is_over = shown - granted >= lifetime;
                let is_active = kit.is_active("api", token.member("access_token"));
                assert_eq!(is_active, !is_replaced && !is_over, "{client}, clock {clock:?}");
                assert!(kit.is_active("api", own(client).member("access_token")));
            }
        }
    }
}

/// FR-01: a consent to the next client of an id takes nothing over from the consent to the one before it.
#[test]
fn a_new_consent_does_not_revive_the_old_one() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid email phone offline_access");
    let request = |scope: &str| kit.authorization_request("web").scope(scope);
    let _ = request("openid email phone offline_access").open(&ua).expect_code();
    let metadata = format!(
        r#"{{"client_id":"web","client_name":"Somebody Else","client_secret":"{SECRET}",
            "redirect_uris":["https://else.example/cb"],"grant_types":["authorization_code","refresh_token"]}}"#
    );
    kit.replace_client(&metadata);
    let _ = request("openid").set("prompt", "none").open(&ua).expect_error("consent_required");
    let _ = request("openid").open(&ua).expect_page("consent").allow().expect_code();
    let _ = request("openid").open(&ua).expect_code();
    for more in ["openid email", "openid phone", "openid offline_access"] {
        let _ = request(more).set("prompt", "none").open(&ua).expect_error("consent_required");
    }
    // A withdrawal ends what the next one has got.
    assert_eq!(kit.withdraw_consent("alice", "web").0, 3);
    let _ = request("openid").set("prompt", "none").open(&ua).expect_error("consent_required");
}

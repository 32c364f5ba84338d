//! What has ended has ended, and what is another's stays another's, whatever the server's clock does in
//! between: it may be ahead, behind, or set right at any moment (OIDC Core section 3.1.2.1, RFC 9700 section
//! 4.14.2).

use chancery_core::endpoint::token::refresh_token::REFRESH_TOKEN_USED;
use chancery_core::interaction::form_token::FORM_TOO_OLD;
use chancery_core::policy::{CLIENT_REPLACED, SIGNED_OUT_EVERYWHERE};
use chancery_core::rotation::KeyEnd;
use chancery_jose::SigningAlgorithm::{Es256, Rs256};
use chancery_testkit::{
    Answer, Code, HandClock, READY_MADE, SECRET, TestProvider, UserAgent, assert_refused, hours, minutes,
    seconds,
};

/// By how many seconds the clock is ahead: at the login, when something ends, and when what has ended is
/// shown.
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
        let first = request("web", "openid offline_access")
            .open(&ua)
            .expect_page("login")
            .login("alice")
            .expect_code();
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

/// FR-01: another password, or "sign out everywhere", ends sessions, codes, refresh families and access
/// tokens of every kind, wherever they are shown, also when the clock stood otherwise at the login. Without
/// it nothing has ended.
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
                let page =
                    kit.authorization_request("web").scope("openid").open(&held.ua).expect_page("login");
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

/// FR-01: a person whose id somebody had before has agreed to nothing, and what they agree to is theirs
/// alone; a person who ended everything of theirs is still the same one.
#[test]
fn a_consent_is_the_person_s_who_gave_it() {
    let kit = TestProvider::new();
    let silent = kit.authorization_request("web").scope("openid email").set("prompt", "none");
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid email");
    kit.accounts.sign_out_everywhere("alice");
    ua.signed_in("alice");
    let earlier = silent.open(&ua).expect_code();

    kit.accounts.replace("alice");
    let _ = silent.open(&ua).expect_error("login_required");
    assert_eq!(kit.exchange(&earlier).expect_status(400)["error"], "invalid_grant");
    let new = kit.user_agent();
    new.signed_in("alice");
    let _ = silent.open(&new).expect_error("consent_required");
    let own = kit.authorization_request("web").scope("openid");
    let _ = own.open(&new).expect_page("consent").allow().expect_code();
    let _ = silent.open(&new).expect_error("consent_required");
    let _ = silent.clone().scope("openid").open(&new).expect_code();
    // The earlier person's consent does not come back, either.
    kit.accounts.replace("alice");
    let third = kit.user_agent();
    third.signed_in("alice");
    let _ = silent.scope("openid").open(&third).expect_error("consent_required");
}

/// FR-01: a client that was removed and registered again under its id is another one. Consents, codes,
/// refresh families and access tokens of every kind are not the next one's, however the clock stood. One that
/// is only changed keeps all.
#[test]
fn another_client_of_the_same_id_inherits_nothing() {
    for clock @ (granted, registered, shown) in CLOCKS.iter().copied() {
        for is_replaced in [false, true] {
            let kit = TestProvider::new();
            set(&kit, granted);
            let held = Held::by_login(&kit);
            let own = |client| {
                kit.client_credentials_request(client).param("scope", "read").send().expect_status(200)
            };
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

/// FR-01, RFC 9700 section 4.14.2: for half a minute after its use a refresh token can be shown again; one
/// that was used while the clock was far ahead is not one that was used a moment ago.
#[test]
fn a_stolen_refresh_token_is_noticed() {
    for (ahead, is_recent) in [(0, true), (5, true), (30, true), (31, false), (3600, false), (86_400, false)]
    {
        let kit = TestProvider::new();
        set(&kit, ahead);
        let tokens = kit.tokens("alice", "web", "openid offline_access");
        let stolen = tokens.member("refresh_token");
        let successor = kit.refresh("web", stolen).expect_status(200);
        set(&kit, 0);
        let again = kit.refresh("web", stolen);
        if is_recent {
            assert_eq!(
                again.expect_status(200)["refresh_token"],
                successor["refresh_token"],
                "ahead {ahead}"
            );
        } else {
            assert_refused!(again, REFRESH_TOKEN_USED);
            let _ = kit.refresh("web", successor.member("refresh_token")).expect_status(400);
        }
    }
}

/// FR-01: the cookie from before a login opens the session for half a minute more, for parallel tabs. One
/// that was replaced while the clock was far ahead does not.
#[test]
fn a_former_session_cookie_is_no_session() {
    for (ahead, is_recent) in [(0, true), (30, true), (31, false), (3600, false)] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.has_consented("alice", "web", "openid");
        set(&kit, ahead);
        let request = kit.authorization_request("web").scope("openid");
        let _ = request.open(&ua).login("alice").expect_code();
        let former = ua.with_the_same_cookies();
        let _ = request.clone().set("prompt", "login").open(&ua).login("alice").expect_code();
        set(&kit, 0);
        let is_signed_in =
            |ua: &UserAgent<'_>| request.clone().set("prompt", "none").open(ua).is_answered_with("code");
        assert_eq!((is_signed_in(&former), is_signed_in(&ua)), (is_recent, true), "ahead {ahead}");
    }
}

/// FR-01: a form of a time that is still to come is as foreign as one that is too old, and a step that was
/// answered then is not one that was answered a moment ago.
#[test]
fn a_form_of_a_time_to_come() {
    for (ahead, is_young) in [(0, true), (3600, true), (3601, false), (86_400, false)] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.has_consented("alice", "web", "openid");
        set(&kit, ahead);
        let page = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
        set(&kit, 0);
        if is_young {
            let _ = page.login("alice").expect_code();
        } else {
            page.login("alice").expect_refused_form(&FORM_TOO_OLD);
        }
    }
    for (ahead, leads_on) in [(0, true), (10, true), (11, false), (1800, false)] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.has_consented("alice", "web", "openid");
        set(&kit, ahead);
        let page = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
        let code = page.login("alice").expect_code();
        set(&kit, 0);
        let again = page.login("alice");
        assert_eq!(again.is_answered_with("code"), leads_on, "ahead {ahead}");
        assert!(!leads_on || again.expect_code().code == code.code);
    }
}

/// FR-01: a clock that is ahead for a while sweeps nothing away that says no: a JWT that was revoked stays
/// so.
#[test]
fn what_was_revoked_stays_revoked() {
    for ahead in [0, 301, 3600, 86_000] {
        let kit = TestProvider::new();
        let own = kit.client_credentials_request("jwt").param("scope", "read").send().expect_status(200);
        let of_alice = kit.tokens("alice", "jwt", "read");
        let tokens = [own.member("access_token"), of_alice.member("access_token")];
        for token in tokens {
            assert!(kit.is_active("api", token));
            let _ = kit.revoke("jwt", token).expect_status(200);
        }
        set(&kit, ahead);
        let _ = kit.run_once();
        set(&kit, 0);
        for token in tokens {
            assert!(!kit.is_active("api", token), "ahead {ahead}");
        }
    }
}

/// FR-01: once the clock was set right, the key set is that of the time it is, not of a time to come.
#[test]
fn the_key_set_is_of_the_present() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let keys = || kit.get("/jwks").json()["keys"].as_array().map_or(0, Vec::len);
    let kid = kit.keys.add(Es256, kit.now(), kit.now()).unwrap_or_default();
    kit.keys.end(&kid, KeyEnd::new(kit.now() + minutes(10), minutes(5)));
    kit.clock.advance(seconds(2));
    assert_eq!(keys(), 3);
    kit.clock.advance(hours(1));
    assert_eq!(keys(), 2);
    kit.clock.set(HandClock::START + seconds(4));
    assert_eq!(keys(), 3, "it signs again, and everybody has to know it");
}

//! RFC 6749 section 6, refreshing an access token; RFC 9700 section 4.14.2; OpenID Connect Core 1.0 section
//! 12.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod sqlite_file;

use std::time::Duration;

use chancery_core::endpoint::token::refresh_token::{
    REFRESH_TOKEN_FOREIGN, REFRESH_TOKEN_MISSING, REFRESH_TOKEN_UNKNOWN, REFRESH_TOKEN_USED,
    SCOPE_EXCEEDS_GRANT,
};
use chancery_core::model::{Client, Entitlement};
use chancery_core::policy::{ACCOUNT_DISABLED, ACCOUNT_GONE, SIGNED_OUT_EVERYWHERE, TokenKind, TokenPolicy};
use chancery_testkit::{
    Answer, NegativeTable, Refused, SeededRandom, TestProvider, assert_refused, days, millis, minutes,
    seconds,
};
use chancery_types::Timestamp;
use sqlite_file::sqlite_file;

/// How many records there are, found out by letting all of them expire.
fn records_left(kit: &TestProvider) -> u64 {
    let _ = kit.run_once();
    kit.clock.advance(days(1000));
    kit.run_once()
}

/// 64 refreshes with one token at once: the same successor for all; again 29 s later; refused 31 s later.
fn one_successor(kit: &TestProvider, rounds: u64) {
    for round in 0..rounds {
        let tokens = kit.tokens("alice", "machine", "read");
        let old = tokens.member("refresh_token");
        let request = kit.refresh_request("machine", old).to_http();
        let answers = kit.send_at_once(round, vec![request; 64]);
        assert!(answers.iter().all(|answer| answer.status == 200), "round {round}");
        let successor = answers[0].member("refresh_token");
        assert_ne!(successor, old);
        assert!(answers.iter().all(|answer| answer["refresh_token"] == successor), "round {round}");
        let mut access: Vec<&str> = answers.iter().map(|answer| answer.member("access_token")).collect();
        access.sort_unstable();
        access.dedup();
        assert_eq!(access.len(), 64, "each has its own access token");

        kit.clock.advance(seconds(29));
        assert_eq!(kit.refresh("machine", old).expect_status(200)["refresh_token"], successor);
        kit.clock.advance(seconds(2));
        let refused = kit.refresh("machine", old);
        assert_refused!(refused, REFRESH_TOKEN_USED);
        assert_eq!(refused.event_names(), ["grant_ended", "refused"]);
        assert!(
            !kit.is_active("machine", successor) && !kit.is_active("machine", access[0]),
            "round {round}"
        );
        assert_refused!(kit.refresh("machine", successor), REFRESH_TOKEN_UNKNOWN);
    }
}

/// A5, GAP-06, GAP-10, RT-05
#[test]
fn of_64_refreshes_at_once_all_get_one_successor_on_memory() {
    one_successor(&TestProvider::new(), 200);
}

/// A5, GAP-06, GAP-10, RT-05
#[test]
fn of_64_refreshes_at_once_all_get_one_successor_on_sqlite() {
    one_successor(&TestProvider::builder().store(sqlite_file("refreshes")).build(), 200);
}

/// A5, GAP-06: the same by threads that really run at once.
#[test]
fn of_many_threads_all_get_one_successor() {
    for _ in 0..20 {
        let kit = TestProvider::new();
        let tokens = kit.tokens("alice", "spa", "openid offline_access");
        let request = kit.refresh_request("spa", tokens.member("refresh_token")).to_http();
        let mut given: Vec<String> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(|| kit.send(request.clone()))).collect();
            let answers = all.into_iter().map(|one| one.join().expect("it does not panic"));
            answers.map(|answer| answer.member("refresh_token").to_owned()).collect()
        });
        given.dedup();
        assert_eq!(given.len(), 1);
        let _ = kit.refresh("spa", &given[0]).expect_status(200);
    }
}

/// RT-01, RT-08, GAP-10: two trips; the former token gives the same successor for 30 s and another access
/// token, later it ends the grant.
#[test]
fn rotation_takes_two_trips() {
    let kit = TestProvider::builder().unauthenticated_introspection().build();
    let tokens = kit.tokens("alice", "spa", "openid email offline_access");
    let old = tokens.member("refresh_token");
    let (first, trips) = kit.trips(|| kit.refresh("spa", old).expect_status(200));
    assert_eq!(trips, 2);
    assert_ne!(first["refresh_token"], tokens["refresh_token"]);
    kit.clock.advance(seconds(29));
    let (again, trips) = kit.trips(|| kit.refresh("spa", old).expect_status(200));
    assert_eq!((trips, &again["refresh_token"]), (2, &first["refresh_token"]));
    assert_ne!(again["access_token"], first["access_token"]);
    kit.clock.advance(seconds(2));
    let refused = kit.refresh("spa", old);
    assert_refused!(refused, REFRESH_TOKEN_USED);
    assert_eq!(refused.event_names(), ["grant_ended", "refused"]);
    assert_refused!(kit.refresh("spa", first.member("refresh_token")), REFRESH_TOKEN_UNKNOWN);
    assert!(!kit.is_active("spa", again.member("access_token")));
}

/// What a family is, said without digests: its tokens in order, when the newest came into force, and its
/// ends.
struct Model {
    tokens: Vec<String>,
    rotated_at: Timestamp,
    idle_end: Timestamp,
    absolute_end: Timestamp,
    is_alive: bool,
}

#[derive(Debug, PartialEq)]
enum Expected {
    New,
    Newest,
    Refused,
}

impl Model {
    /// What showing this token should yield: a successor that is known already, a new one, or nothing.
    fn show(&mut self, at: usize, now: Timestamp) -> Expected {
        let newest = self.tokens.len() - 1;
        if !self.is_alive || now >= self.idle_end {
            return Expected::Refused;
        }
        if at == newest {
            self.rotated_at = now;
            self.idle_end = (now + days(14)).min(self.absolute_end);
            return Expected::New;
        }
        if at + 1 == newest && now.since(self.rotated_at) <= seconds(30) {
            return Expected::Newest;
        }
        self.is_alive = false;
        Expected::Refused
    }
}

/// RT-02, RT-08: 100 random walks of 60 steps over one family each, against the model.
#[test]
fn a_family_is_its_model() {
    let random = SeededRandom::new(20_260_101);
    let (mut new, mut same, mut refusals) = (0, 0, 0);
    let kit = TestProvider::new();
    for _ in 0..100 {
        let born = kit.now();
        let first =
            kit.tokens("alice", "spa", "openid email offline_access").member("refresh_token").to_owned();
        let mut model = Model {
            tokens: vec![first],
            rotated_at: born,
            idle_end: born + days(14),
            absolute_end: born + days(90),
            is_alive: true,
        };
        for _ in 0..60 {
            let below = |n: usize| u64::try_from(random.below(n)).expect("a small number");
            kit.clock.advance(match below(20) {
                0 => days(below(15)),
                1..=4 => millis(below(40_000)),
                _ => millis(below(3_000)),
            });
            let newest = model.tokens.len() - 1;
            let back = if below(25) == 0 { 2 } else { usize::from(below(4) == 0) };
            let at = newest.saturating_sub(back);
            let expected = model.show(at, kit.now());
            let answer = kit.refresh("spa", &model.tokens[at]);
            let given = answer["refresh_token"].as_str().map(str::to_owned);
            match (expected, given) {
                (Expected::New, Some(token)) if !model.tokens.contains(&token) => {
                    model.tokens.push(token);
                    new += 1;
                }
                (Expected::Newest, Some(token)) if token == model.tokens[newest] => same += 1,
                (Expected::Refused, None) if answer["error"] == "invalid_grant" => refusals += 1,
                (expected, _) => panic!("{expected:?}, and got {}", answer.text()),
            }
        }
    }
    assert!(new > 300 && same > 50 && refusals > 100, "{new} {same} {refusals}: the walk shows too little");
}

/// A5: one record, however many came at once.
#[test]
fn a_family_is_one_record() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "machine", "read");
    let request = kit.refresh_request("machine", tokens.member("refresh_token")).to_http();
    let _ = kit.send_at_once(1, vec![request; 64]);
    // Session, consent, grant, code, family; and the access tokens: the first, and those of the 64.
    assert_eq!(records_left(&kit), 5 + 1 + 64);
}

/// A6, GAP-11: 10,000 refreshes of one family over 69 days.
#[test]
fn a_long_life_leaves_one_family() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let mut token = tokens.member("refresh_token").to_owned();
    for n in 0..10_000 {
        kit.clock.advance(minutes(10));
        let answer = kit.refresh_request("web", &token).param("scope", "offline_access").send();
        assert_eq!(answer.status, 200, "{n}: {}", answer.text());
        token = answer.member("refresh_token").to_owned();
        if n % 100 == 0 {
            let _ = kit.run_once();
        }
    }
    // Consent, grant, family, and the access tokens of the last hour.
    assert_eq!(records_left(&kit), 3 + 6);
}

/// RT-01, RT-08, TOKEN-05
#[test]
fn a_refresh_gives_a_new_pair() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid email offline_access");
    kit.clock.advance(minutes(5));
    let refreshed = kit.refresh("web", tokens.member("refresh_token")).expect_status(200);
    assert_ne!(refreshed["refresh_token"], tokens["refresh_token"]);
    assert_ne!(refreshed["access_token"], tokens["access_token"]);
    assert_eq!(refreshed["scope"], "openid email offline_access");
    assert_eq!(kit.userinfo(refreshed.member("access_token"))["email"], "alice@example.org");
    assert!(kit.is_active("web", tokens.member("access_token")), "the older access token lives out its time");
}

/// RT-08, RT-11, oidcc-refresh-token: `auth_time`, `acr`, `sid` and claims go on; `nonce` does not (OIDC Core
/// section 12.2: it SHOULD NOT be there).
#[test]
fn the_refreshed_id_token_says_the_same() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let request = kit
        .authorization_request("web")
        .scope("openid offline_access")
        .set("nonce", "a nonce")
        .set("claims", r#"{"id_token":{"email":null,"sid":null}}"#);
    let code = request.open(&ua).login("alice").allow().expect_code();
    let tokens = kit.exchange(&code).expect_status(200);
    let first = kit.id_token(&tokens, "web");
    kit.clock.advance(minutes(5));
    let refreshed = kit.refresh("web", tokens.member("refresh_token")).expect_status(200);
    let second = kit.id_token(&refreshed, "web");
    for claim in ["iss", "sub", "aud", "auth_time", "acr", "amr", "sid", "email"] {
        assert!(!first.claims[claim].is_null(), "{claim}");
        assert_eq!(first.claims[claim], second.claims[claim], "{claim}");
    }
    assert_eq!(
        (&first.claims["nonce"], &second.claims["nonce"]),
        (&"a nonce".into(), &serde_json::Value::Null)
    );
    assert_eq!(second.claims["iat"], kit.now().secs());
    assert_ne!(first.claims["at_hash"], second.claims["at_hash"]);
}

/// RT-04
#[test]
fn a_narrower_scope_is_for_one_response() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid email offline_access");
    let narrowed = kit.refresh_request("web", tokens.member("refresh_token")).param("scope", "email").send();
    let narrowed = narrowed.expect_status(200);
    assert_eq!((&narrowed["scope"], narrowed.json().get("id_token")), (&"email".into(), None));
    assert_eq!(kit.userinfo(narrowed.member("access_token")).status, 403);
    let whole = kit.refresh("web", narrowed.member("refresh_token")).expect_status(200);
    assert_eq!(whole["scope"], "openid email offline_access");
    let _ = kit.id_token(&whole, "web");
}

/// RT-03, RT-02
#[test]
fn more_than_was_granted_is_refused_and_burns_nothing() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let token = tokens.member("refresh_token");
    let wider = kit.refresh_request("web", token).param("scope", "openid email").send();
    assert_refused!(wider, SCOPE_EXCEEDS_GRANT);
    assert!(wider["scope"].is_null(), "nothing of a request is reflected");
    assert_refused!(kit.refresh("post", token), REFRESH_TOKEN_FOREIGN);
    let _ = kit.refresh("web", token).expect_status(200);
}

/// RT-06: whose token it is is asked before its secret is compared, so that nobody else can end a family.
#[test]
fn a_foreign_client_ends_nothing() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let old = tokens.member("refresh_token");
    let current = kit.refresh("web", old).expect_status(200);
    kit.clock.advance(minutes(1));
    let refused = kit.refresh("post", old);
    assert_refused!(refused, REFRESH_TOKEN_FOREIGN);
    assert_eq!(refused.event_names(), ["refused"]);
    assert_refused!(kit.refresh("post", current.member("refresh_token")), REFRESH_TOKEN_FOREIGN);
    assert_refused!(kit.refresh("web", "rt_"), REFRESH_TOKEN_UNKNOWN);
    let _ = kit.refresh("web", current.member("refresh_token")).expect_status(200);
}

/// RT-05, RT-06: whoever knows the family's id but no generation of its secret ends it, because only a holder
/// of some generation knows the id.
#[test]
fn an_old_generation_ends_the_grant() {
    let kit = TestProvider::new();
    let first = kit.tokens("alice", "web", "openid offline_access").member("refresh_token").to_owned();
    let second = kit.refresh("web", &first).expect_status(200).member("refresh_token").to_owned();
    let third = kit.refresh("web", &second).expect_status(200);
    // Two generations back, also within the 30 s.
    assert_refused!(kit.refresh("web", &first), REFRESH_TOKEN_USED);
    assert_refused!(kit.refresh("web", third.member("refresh_token")), REFRESH_TOKEN_UNKNOWN);
    assert!(!kit.is_active("web", third.member("access_token")));
}

/// RT-07, RT-09, TOKEN-10: idle end after 14 days, absolute end after 90.
#[test]
fn the_idle_end_moves_and_the_absolute_end_does_not() {
    let kit = TestProvider::new();
    let mut token = kit.tokens("alice", "web", "openid offline_access").member("refresh_token").to_owned();
    for _ in 0..6 {
        kit.clock.advance(days(14) - millis(1));
        token = kit.refresh("web", &token).expect_status(200).member("refresh_token").to_owned();
    }
    // 84 days less 6 ms have gone; on the 90th day it is over, used or not.
    kit.clock.advance(days(6));
    token = kit.refresh("web", &token).expect_status(200).member("refresh_token").to_owned();
    kit.clock.advance(millis(6));
    assert_refused!(kit.refresh("web", &token), REFRESH_TOKEN_UNKNOWN);

    let idle = kit.tokens("alice", "web", "openid offline_access");
    kit.clock.advance(days(14));
    assert_refused!(kit.refresh("web", idle.member("refresh_token")), REFRESH_TOKEN_UNKNOWN);
}

/// RT-02, TOKEN-11, GRANT-09: the gate; what it stops is not used up.
#[test]
fn the_account_is_asked() {
    let kit = TestProvider::new();
    for (id, end, reason) in [
        ("carol", &(|id: &str| kit.accounts.remove(id)) as &dyn Fn(&str), &ACCOUNT_GONE),
        ("dave", &|id: &str| kit.accounts.disable(id), &ACCOUNT_DISABLED),
        ("erin", &|id: &str| kit.accounts.sign_out_everywhere(id), &SIGNED_OUT_EVERYWHERE),
    ] {
        kit.accounts.add(id);
        let tokens = kit.tokens(id, "web", "openid offline_access");
        end(id);
        assert_refused!(kit.refresh("web", tokens.member("refresh_token")), *reason);
        kit.accounts.add(id);
        let _ = kit.refresh("web", tokens.member("refresh_token")).expect_status(200);
    }
}

/// RT-02, SESS-21, SESS-22
#[test]
fn only_an_offline_family_survives_its_session() {
    let kit = TestProvider::new();
    let refreshed = |client: &str, scope: &str| -> Answer {
        let ua = kit.user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", client, scope);
        let code = kit.authorization_request(client).scope(scope).open(&ua).expect_code();
        let tokens = kit.exchange(&code).expect_status(200);
        ua.ends_session();
        kit.refresh(client, tokens.member("refresh_token"))
    };
    assert_refused!(refreshed("machine", "read"), REFRESH_TOKEN_UNKNOWN);
    let _ = refreshed("web", "openid offline_access").expect_status(200);
}

/// A17: a rotated root secret does not change the successor that was handed out.
#[test]
fn the_successor_is_the_same_after_the_root_secret_was_rotated() {
    use chancery_jose::SigningAlgorithm::{Es256, Rs256};
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let old = tokens.member("refresh_token");
    let first = kit.refresh("web", old).expect_status(200);
    kit.keys.add_secret();
    kit.clock.advance(seconds(5));
    let again = kit.refresh("web", old).expect_status(200);
    assert_eq!(first["refresh_token"], again["refresh_token"]);
    let _ = kit.refresh("web", first.member("refresh_token")).expect_status(200);
}

/// RT-01, RT-02, ERR-16
#[test]
fn what_must_not_be_refreshed() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let token = tokens.member("refresh_token");
    let request = || kit.refresh_request("web", token);
    let grant = Refused::Json(400, "invalid_grant");
    let malformed = Refused::Json(400, "invalid_request");
    let code = kit.code("alice", "web", "openid");
    assert_refused!(request().without("refresh_token").send(), REFRESH_TOKEN_MISSING);
    NegativeTable::new(&kit)
        .row("an empty token", request().set("refresh_token", ""), malformed)
        .row("two tokens", request().param("refresh_token", "x"), malformed)
        .row("two scopes", request().param("scope", "openid").param("scope", "email"), malformed)
        .row("an access token", request().set("refresh_token", tokens.member("access_token")), grant)
        .row("a code", request().set("refresh_token", &code.code), grant)
        .row("one letter more", request().set("refresh_token", &format!("{token}A")), grant)
        .row("another client's", kit.refresh_request("post", token), grant)
        .row("a public client's name", kit.refresh_request("spa", token), grant)
        .row(
            "a scope with a quote",
            request().param("scope", "openid\""),
            Refused::Json(400, "invalid_scope"),
        )
        .row(
            "a scope that was not granted",
            request().param("scope", "email"),
            Refused::Json(400, "invalid_scope"),
        )
        .row(
            "by a client without the grant type",
            kit.refresh_request("api", token),
            Refused::Json(400, "unauthorized_client"),
        )
        .run();
    let _ = request().send().expect_status(200);
}

/// A code that nobody redeems leaves nothing for long; only where a refresh token can come of it the grant
/// has to wait.
#[test]
fn unredeemed_codes_leave_nothing_for_long() {
    for (client, scope, left) in [("spa", "openid", 0), ("spa", "openid offline_access", 100)] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        ua.signed_in("alice");
        ua.has_consented("alice", client, scope);
        let request = kit.authorization_request(client).scope(scope).param("prompt", "none");
        for _ in 0..100 {
            let _ = request.open(&ua).expect_code();
        }
        kit.clock.advance(days(2));
        // The session and the consent are there anyway.
        assert_eq!(records_left(&kit), left + 2, "{client} {scope}");
    }
}

/// The grant of a code without a refresh token lives as long as the access token of a last-minute exchange.
#[test]
fn a_short_grant_outlives_its_access_token() {
    struct ThreeHours;
    impl TokenPolicy for ThreeHours {
        fn lifetime(&self, _: TokenKind, _: &Entitlement, _: &Client, _: Duration) -> Duration {
            minutes(180)
        }
    }
    let kit = TestProvider::builder().token_policy(ThreeHours).unauthenticated_introspection().build();
    let code = kit.code("alice", "spa", "openid");
    kit.clock.advance(seconds(59));
    let tokens = kit.exchange(&code).expect_status(200);
    kit.clock.advance(minutes(180) - millis(1));
    assert!(kit.is_active("spa", tokens.member("access_token")));
}

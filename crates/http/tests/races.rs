//! What is taken away while a request is on its way, in every order of the steps: client, account, key.
//! Nothing that comes of such a request is worth more than what came before the loss (RFC 6749 section 10.3),
//! and what was refused was not used up.

#![expect(clippy::expect_used, reason = "tests")]

use bytes::Bytes;
use chancery_core::policy::ACCOUNT_DISABLED;
use chancery_core::rotation::KeyEnd;
use chancery_jose::SigningAlgorithm::{Es256, Rs256};
use chancery_testkit::{Answer, SECRET, TestProvider, assert_refused, minutes, seconds};
use http::{HeaderValue, Request};

const SEEDS: u64 = 200;

/// How many answers were given, and how many refused, in all orders. A race in which one side always wins
/// shows nothing.
#[derive(Debug, Default)]
struct Seen {
    given: u64,
    refused: u64,
}

impl Seen {
    fn count(&mut self, answer: &Answer) -> bool {
        let is_given = answer.status == 200;
        if is_given {
            self.given += 1;
        } else {
            self.refused += 1;
        }
        is_given
    }

    fn expect_both(&self) {
        assert!(self.given > SEEDS / 20 && self.refused > SEEDS / 20, "both have to happen: {self:?}");
    }
}

fn registration(is_enabled: bool) -> String {
    format!(
        r#"{{"client_id":"c","client_secret":"{SECRET}","redirect_uris":["https://c.example/cb"],
            "id_token_signed_response_alg":"ES256","grant_types":["authorization_code","refresh_token"],
            "chancery":{{"enabled":{is_enabled}}}}}"#
    )
}

/// CAUTH-21, TOKEN-11: a client is disabled while it exchanges a code.
#[test]
fn a_client_is_disabled_while_it_exchanges_a_code() {
    let mut seen = Seen::default();
    for seed in 0..SEEDS {
        let kit = TestProvider::builder().client(&registration(true)).build();
        let code = kit.code("alice", "c", "openid offline_access");
        let answer = kit.send_while(seed, kit.code_request(&code), || kit.put_client(&registration(false)));
        let tokens = if seen.count(&answer) {
            assert_eq!(kit.userinfo(answer.member("access_token")).status, 401, "{seed}");
            assert_eq!(
                kit.refresh("c", answer.member("refresh_token")).expect_status(401)["error"],
                "invalid_client"
            );
            answer
        } else {
            assert!(!answer.event_names().contains(&"tokens_issued"), "{seed}: {:?}", answer.event_names());
            assert_eq!(kit.exchange(&code).expect_status(401)["error"], "invalid_client");
            kit.put_client(&registration(true));
            kit.exchange(&code).expect_status(200)
        };
        kit.put_client(&registration(true));
        assert_eq!(kit.userinfo(tokens.member("access_token")).status, 200, "{seed}");
    }
    seen.expect_both();
}

/// CAUTH-21, TOKEN-11: a client is removed while it exchanges a code; the next one of its id inherits
/// nothing.
#[test]
fn a_client_is_removed_while_it_exchanges_a_code() {
    let mut seen = Seen::default();
    for seed in 0..SEEDS {
        let kit = TestProvider::builder().client(&registration(true)).build();
        let code = kit.code("alice", "c", "openid offline_access");
        let answer = kit.send_while(seed, kit.code_request(&code), || kit.remove_client("c"));
        if seen.count(&answer) {
            assert_eq!(kit.userinfo(answer.member("access_token")).status, 401, "{seed}");
            assert_eq!(
                kit.refresh("c", answer.member("refresh_token")).expect_status(401)["error"],
                "invalid_client"
            );
        } else {
            assert!(!answer.event_names().contains(&"tokens_issued"), "{seed}: {:?}", answer.event_names());
        }
        assert_eq!(kit.exchange(&code).expect_status(401)["error"], "invalid_client", "{seed}");
    }
    seen.expect_both();
}

/// What this browser says after an answer: its cookies, in a request without a person.
fn without_a_person(kit: &TestProvider, answer: &Answer) -> Answer {
    let mut request: Request<Bytes> =
        kit.authorization_request("operator").scope("openid").set("prompt", "none").to_http();
    let lines = answer.headers.get_all("set-cookie").iter().filter_map(|line| line.to_str().ok());
    let cookies: Vec<&str> = lines.filter_map(|line| line.split(';').next()).collect();
    let cookies = HeaderValue::from_str(&cookies.join("; ")).expect("cookies are ASCII");
    request.headers_mut().insert("cookie", cookies);
    kit.send(request)
}

/// What comes of a login while something else happens: the answer, and the exchange of its code if it has
/// one.
fn login_while(kit: &TestProvider, seed: u64, change: impl FnOnce() + Send) -> (Answer, Option<Answer>) {
    let verifier = "a-verifier-of-more-than-forty-three-characters";
    let ua = kit.user_agent();
    let request = kit.authorization_request("operator").scope("openid").pkce(verifier);
    let page = request.open(&ua).expect_page("login");
    let typed = [("username", "alice"), ("password", "correct horse alice")];
    let typed = typed.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let answer = kit.send_while(seed, page.to_http(&typed, ("action", "login")), change);
    let to = answer.header("location").unwrap_or_default();
    let code = to.split("code=").nth(1).and_then(|rest| rest.split('&').next());
    let exchanged = code.map(|code| {
        let request =
            kit.token_request("operator").param("grant_type", "authorization_code").param("code", code);
        request.param("redirect_uri", "https://operator.example/cb").param("code_verifier", verifier).send()
    });
    (answer, exchanged)
}

/// GAP-02, TOKEN-11: an account is disabled while the person signs in: no session and no code of it is worth
/// anything.
#[test]
fn an_account_is_disabled_while_the_person_signs_in() {
    let kit = TestProvider::new();
    let (answer, exchanged) = login_while(&kit, 0, || ());
    assert_eq!(exchanged.map(|answer| answer.status.as_u16()), Some(200), "nothing happened");
    assert!(without_a_person(&kit, &answer).header("location").is_some_and(|to| to.contains("code=")));
    let (mut codes, mut pages) = (0, 0);
    for seed in 0..SEEDS {
        let kit = TestProvider::new();
        let (answer, exchanged) = login_while(&kit, seed, || kit.accounts.disable("alice"));
        if let Some(exchanged) = exchanged {
            codes += 1;
            assert_refused!(exchanged, ACCOUNT_DISABLED);
        } else {
            pages += 1;
            assert_eq!(answer.status, 200, "{seed}: the login page again");
        }
        let again = without_a_person(&kit, &answer);
        let to = again.header("location").unwrap_or_default();
        assert!(to.contains("error=login_required&"), "{seed}: {to}");
    }
    assert!(codes > SEEDS / 20 && pages > SEEDS / 20, "both have to happen: {codes}, {pages}");
}

/// The key that has signed a JWT.
fn kid(jwt: &str) -> String {
    let compact = chancery_jose::Compact::parse(jwt).expect("a JWT");
    compact.header().kid.clone().expect("it names its key")
}

/// JOSE-06, A17: keys are rotated while a token is signed: it verifies, whichever key has signed it.
#[test]
fn keys_are_rotated_while_a_token_is_signed() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    for seed in 0..SEEDS {
        let before = kit.client_credentials_request("jwt").send().expect_status(200);
        let old = kid(before.member("access_token"));
        // The keys are looked at once a second.
        kit.clock.advance(seconds(1));
        let rotate = || {
            let _ = kit.keys.add(Es256, kit.now(), kit.now()).expect("a key");
            kit.keys.end(&old, KeyEnd::new(kit.now(), minutes(5)));
        };
        let tokens = kit.send_while(seed, kit.client_credentials_request("jwt"), rotate).expect_status(200);
        let jwt = tokens.member("access_token");
        kit.clock.advance(seconds(1));
        let verified = kit.try_verify(jwt, "jwt").expect("it verifies by the published keys");
        assert!(kit.is_active("api", jwt), "{seed}: signed by {:?}", verified.header.kid);
        assert!(kit.is_active("api", before.member("access_token")), "{seed}");
        kit.keys.remove(&old);
        kit.clock.advance(seconds(1));
    }
}

/// A key is no secret any more and removed while a code is exchanged. Whoever is refused has used nothing up,
/// and nothing that the removed key has signed is worth anything a second later.
#[test]
fn a_key_is_removed_while_a_token_is_signed() {
    let mut seen = Seen::default();
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    for seed in 0..SEEDS {
        let code = kit.code("alice", "jwt", "read");
        let old = kid(kit.client_credentials_request("jwt").send().member("access_token"));
        let replace = || {
            let _ = kit.keys.add(Es256, kit.now(), kit.now()).expect("a key");
            kit.keys.remove(&old);
        };
        let answer = kit.send_while(seed, kit.code_request(&code), replace);
        kit.clock.advance(seconds(1));
        let answer = if seen.count(&answer) {
            answer
        } else {
            assert!(
                answer.status.is_server_error() && answer["error"] == "server_error",
                "{seed}: {}",
                answer.text()
            );
            kit.exchange(&code).expect_status(200)
        };
        let jwt = answer.member("access_token");
        let is_of_the_new_key = kid(jwt) != old;
        assert_eq!(kit.is_active("api", jwt), is_of_the_new_key, "{seed}");
        assert_eq!(kit.try_verify(jwt, "jwt").is_ok(), is_of_the_new_key, "{seed}");
    }
    seen.expect_both();
}

//! Calls of the store per request (ARCHITECTURE.md, "An authorization request" and "A token request"). They
//! do not depend on the machine, so a test can fix them.

use std::cell::Cell;

use chancery_jose::SigningAlgorithm;
use chancery_testkit::{ClientKey, ClientRequest, DpopKey, SECRET, TestProvider, days, password_of};
use serde_json::json;

/// Introspection: 1, of a JWT 2.
#[test]
fn introspection() {
    let kit = TestProvider::new();
    let trips = |client: &str, token: &str| {
        let (answer, trips) = kit.trips(|| kit.introspect(client, token));
        (answer["active"] == true, trips)
    };
    let web = kit.tokens("alice", "web", "openid offline_access");
    assert_eq!(trips("web", web.member("access_token")), (true, 1));
    assert_eq!(trips("web", web.member("refresh_token")), (true, 1));
    assert_eq!(trips("post", web.member("access_token")), (false, 1), "a foreign one");
    assert_eq!(trips("web", "nonsense"), (false, 0));

    let jwt = kit.tokens("alice", "jwt", "read");
    assert_eq!(trips("api", jwt.member("access_token")), (true, 2));
    let own = kit.client_credentials_request("jwt").send().expect_status(200);
    assert_eq!(trips("api", own.member("access_token")), (true, 1), "a JWT without a grant");
    let own = kit.client_credentials_request("machine").send().expect_status(200);
    assert_eq!(trips("api", own.member("access_token")), (true, 1));
}

/// Code exchange: 2. Refresh: 2, and 2 again within the grace.
#[test]
fn token() {
    let kit = TestProvider::new();
    let code = kit.code("alice", "web", "openid offline_access");
    let (tokens, trips) = kit.trips(|| kit.exchange(&code).expect_status(200));
    assert_eq!(trips, 2);
    let (_, trips) = kit.trips(|| kit.refresh("web", tokens.member("refresh_token")).expect_status(200));
    assert_eq!(trips, 2);
    let (_, trips) = kit.trips(|| kit.refresh("web", tokens.member("refresh_token")).expect_status(200));
    assert_eq!(trips, 2, "the former token once more");
    // A JWT is good by its signature.
    let jwt = kit.tokens("alice", "jwt", "read");
    let (_, trips) = kit.trips(|| kit.refresh("jwt", jwt.member("refresh_token")).expect_status(200));
    assert_eq!(trips, 2);
}

/// client_credentials: 1, for a JWT none.
#[test]
fn client_credentials() {
    let kit = TestProvider::new();
    let trips = |client| kit.trips(|| kit.client_credentials_request(client).send().expect_status(200)).1;
    assert_eq!((trips("machine"), trips("jwt")), (1, 0));
}

/// An assertion costs one trip more than a secret, whichever method it is of, at every endpoint; one that is
/// refused for anything but its use costs none.
#[test]
fn client_assertions() {
    let key = ClientKey::generate(SigningAlgorithm::Es256);
    let shared = ClientKey::of_secret(SigningAlgorithm::Hs256, SECRET);
    let metadata = |client: &str, method: &str| {
        json!({"client_id": client, "client_secret": SECRET, "response_types": [], "jwks": key.jwks(),
            "grant_types": ["client_credentials"], "token_endpoint_auth_method": method})
    };
    let kit = TestProvider::new();
    kit.put_client(&metadata("secret", "client_secret_basic").to_string());
    kit.put_client(&metadata("signs", "private_key_jwt").to_string());
    kit.put_client(&metadata("shares", "client_secret_jwt").to_string());
    let endpoints = |client| {
        [
            kit.client_credentials_request(client),
            kit.introspection_request(client, "x"),
            kit.revocation_request(client, "x"),
        ]
    };
    let with_secret = endpoints("secret").map(|request| kit.trips(|| request.send().expect_status(200)).1);
    for (client, key) in [("signs", &key), ("shares", &shared)] {
        let mut jti = 0;
        let trips = endpoints("secret").map(|request| {
            jti += 1;
            let assertion = key.assertion(client, kit.issuer().as_str(), &jti.to_string(), kit.now());
            kit.trips(|| request.assertion(&assertion).send().expect_status(200)).1
        });
        assert_eq!(trips, with_secret.map(|trips| trips + 1), "{client}");
        let wrong = key.assertion(client, "https://evil.example", "wrong", kit.now());
        let [request, ..] = endpoints("secret");
        assert_eq!(kit.trips(|| request.assertion(&wrong).send().expect_status(401)).1, 0);
    }
}

/// A proof of possession costs one trip (RFC 9449 section 11.1), so that a code exchange with it and an assertion costs
/// 4, `client_credentials` with both 3 and UserInfo 2; a proof that is refused for anything but its use costs none.
#[test]
fn proofs_of_possession() {
    let key = ClientKey::generate(SigningAlgorithm::Es256);
    let metadata = json!({"client_id": "signs", "redirect_uris": ["https://signs.example/cb"], "jwks": key.jwks(),
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256"});
    let kit = TestProvider::builder().configure(|config| config.dpop.offered = true).build();
    kit.put_client(&metadata.to_string());
    let dpop = DpopKey::generate(SigningAlgorithm::Es256);
    let jti = Cell::new(0);
    let both = |request: ClientRequest<'_>| {
        jti.set(jti.get() + 1);
        let assertion = key.assertion("signs", kit.issuer().as_str(), &jti.get().to_string(), kit.now());
        let request = dpop.prove(request.assertion(&assertion)).to_http();
        kit.trips(|| kit.send(request).expect_status(200))
    };
    let code = kit.code("alice", "signs", "openid offline_access");
    let exchange = kit.anonymous_request("/token").param("grant_type", "authorization_code");
    let exchange = exchange.param("code", &code.code).param("redirect_uri", "https://signs.example/cb");
    let (tokens, trips) = both(exchange.param("code_verifier", code.verifier.as_deref().unwrap_or_default()));
    assert_eq!(trips, 4);
    let anonymous = || kit.anonymous_request("/token");
    let refresh = anonymous().param("grant_type", "refresh_token");
    assert_eq!(both(refresh.param("refresh_token", tokens.member("refresh_token"))).1, 4);
    assert_eq!(both(anonymous().param("grant_type", "client_credentials")).1, 3);
    let userinfo = dpop.userinfo(&kit, tokens.member("access_token")).to_http();
    assert_eq!(kit.trips(|| kit.send(userinfo).expect_status(200)).1, 2);
    let wrong = kit.client_credentials_request("web").header("dpop", "wrong");
    assert_eq!(kit.trips(|| wrong.send().expect_status(400)).1, 0);
}

/// UserInfo: 1.
#[test]
fn userinfo() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid");
    assert_eq!(kit.trips(|| kit.userinfo(tokens.member("access_token")).expect_status(200)).1, 1);
}

/// Authorization with session and consent: 4, the last of which sees whether the consent still stands. Also
/// when the client is new to the session or the idle end moves, because the change of the session carries
/// grant and code.
#[test]
fn authorization() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = kit.authorization_request("web").scope("openid");
    let trips = || kit.trips(|| request.open(&ua).expect_code()).1;
    assert_eq!(trips(), 4, "the client is new to the session");
    assert_eq!(trips(), 4);
    assert_eq!(trips(), 4);
    kit.clock.advance(days(2));
    assert_eq!(trips(), 4, "the idle end moves");
    assert_eq!(trips(), 4);
}

/// RFC 9126: a push costs 1, with an assertion 2. The authorization that refers to it costs 2 more than any other: what
/// was pushed is read, and used up before anything is sent. That is 6 with a standing consent, which is looked at
/// once more after the grant was written, and 5 where no consent can be withdrawn. The first page costs 2, and 1 when it
/// is shown again; a push that is refused, also for a request that was used up, costs nothing of its own.
#[test]
fn pushed_requests() {
    let key = ClientKey::generate(SigningAlgorithm::Es256);
    let metadata = json!({"client_id": "signs", "redirect_uris": ["https://signs.example/cb"], "jwks": key.jwks(),
        "token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256"});
    let kit = TestProvider::builder().configure(|config| config.pushed_requests.offered = true).build();
    kit.put_client(&metadata.to_string());
    let asked = |client| kit.authorization_request(client).scope("openid");
    let push = |request: ClientRequest<'_>, status| kit.trips(|| request.send().expect_status(status)).1;
    assert_eq!(push(kit.push_request(&asked("web")), 201), 1);
    assert_eq!(push(kit.push_request(&asked("web").without_pkce()), 400), 0);
    let signed = |jti| key.assertion("signs", kit.issuer().as_str(), jti, kit.now());
    let by_assertion =
        |request, jti| kit.push_request(&request).param("client_id", "signs").assertion(&signed(jti));
    assert_eq!(push(by_assertion(asked("signs"), "1"), 201), 2);
    assert_eq!(push(by_assertion(asked("signs").without_pkce(), "2"), 400), 1);

    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let answered = |client| {
        let pushed = kit.push(&asked(client));
        let trips = kit.trips(|| pushed.open(&ua).expect_code()).1;
        assert_eq!(kit.trips(|| pushed.open(&ua).expect_page("error")).1, 1, "{client}, once more");
        trips
    };
    assert_eq!((answered("web"), answered("operator")), (6, 5));
    let pushed = kit.push(&asked("web"));
    let stranger = kit.user_agent();
    let shown = || kit.trips(|| pushed.open(&stranger).expect_page("login")).1;
    assert_eq!((shown(), shown()), (2, 1));
}

/// A login: what guessing is counted by costs 5, in a browser that is known for this name 3; whether the
/// request was answered before, consent and session cost 3.
#[test]
fn login() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let login = |ua| {
        let tab = kit.authorization_request("web").scope("openid").open(ua).expect_page("login");
        let request = tab.to_http(&credentials(), ("action", "login"));
        kit.trips(|| kit.send(request)).1
    };
    assert_eq!(login(&ua), 8);
    let _ = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login").login("alice");
    ua.comes_back_later();
    assert_eq!(login(&ua), 6);
}

fn credentials() -> [(String, String); 2] {
    [("username".to_owned(), "alice".to_owned()), ("password".to_owned(), password_of("alice"))]
}

/// Anonymous: 0, whatever page it is; also the form of a first page, until a password is looked at.
#[test]
fn anonymous() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let (tab, trips) =
        kit.trips(|| kit.authorization_request("web").scope("openid").open(&ua).expect_page("login"));
    assert_eq!(trips, 0);
    assert_eq!(kit.trips(|| tab.reload().expect_page("login")).1, 0);
    let silent = kit.authorization_request("web").scope("openid").set("prompt", "none");
    assert_eq!(kit.trips(|| silent.open(&ua).expect_error("login_required")).1, 0);
    assert_eq!(kit.trips(|| kit.authorization_request("web").set("client_id", "nobody").open(&ua)).1, 0);
    assert_eq!(kit.trips(|| tab.cancel().expect_error("access_denied")).1, 0);
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        assert_eq!(kit.trips(|| kit.get(path).expect_status(200)).1, 0);
    }
}

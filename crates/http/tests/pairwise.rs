//! Subject identifier types: OIDC Core sections 8 and 8.1, OIDC Registration section 5.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use chancery_core::endpoint::registration::{RegistrationAccess, RegistrationConfig};
use chancery_core::error::Complaint;
use chancery_core::model::{Sector, Subject};
use chancery_core::policy::ClientPolicy;
use chancery_jose::SigningAlgorithm;
use chancery_testkit::{Answer, AuthorizationRequest, TestProvider, seconds};
use chancery_types::AccountId;
use chancery_types::iana::SubjectType;
use http::Method;
use serde_json::{Value, json};

const SECTOR: &str = "https://sector.example/uris.json";

/// RFC 7591 metadata of a pairwise client with JWT access tokens, and more.
fn pairwise(id: &str, redirect_uris: &[&str], more: Value) -> String {
    let mut metadata = json!({
        "client_id": id, "client_secret": chancery_testkit::SECRET, "redirect_uris": redirect_uris,
        "id_token_signed_response_alg": "ES256", "subject_type": "pairwise",
        "grant_types": ["authorization_code", "refresh_token"],
        "chancery": {"default_resource": "https://jwt-api.example", "refresh_tokens": "always"},
    });
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

/// A provider with two pairwise clients of their own sectors.
fn kit() -> TestProvider {
    TestProvider::builder()
        .client(&pairwise("one", &["https://one.example/cb"], json!({})))
        .client(&pairwise("two", &["https://two.example/cb"], json!({})))
        .build()
}

/// The `sub` of a person in the client's ID tokens.
fn sub(kit: &TestProvider, account: &str, client: &str) -> String {
    let token = kit.id_token(&kit.tokens(account, client, "openid"), client);
    token.claims["sub"].as_str().unwrap().to_owned()
}

/// The payload of a JWT access token.
fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&chancery_jose::base64url::decode(part).unwrap()).unwrap()
}

/// PPID-01: one subject for all that a client sees of a person, another one for each client, and the account id in
/// none of it.
#[test]
fn one_subject_everywhere() {
    let kit = kit();
    for client in ["one", "two"] {
        let signed = pairwise(
            client,
            &[&format!("https://{client}.example/cb")],
            json!({"userinfo_signed_response_alg": "ES256"}),
        );
        let known = sub(&kit, "alice", client);
        assert_eq!((known.len(), known.contains("alice")), (43, false), "{known}");

        let code = kit.code("alice", client, "openid read");
        let (tokens, trips) = kit.trips(|| kit.exchange(&code));
        assert_eq!(trips, 2, "as many as for a public subject");
        let access_token = tokens.member("access_token");
        assert_eq!(kit.id_token(&tokens, client).claims["sub"], *known);
        assert_eq!(payload(access_token)["sub"], *known);
        assert_eq!(kit.userinfo(access_token)["sub"], *known);
        for token in [access_token, tokens.member("refresh_token")] {
            let seen = kit.introspect(client, token);
            assert_eq!((&seen["active"], &seen["sub"]), (&json!(true), &json!(known)));
        }
        assert_eq!(kit.introspect("api", access_token)["sub"], *known, "as its client sees it");
        let refreshed = kit.refresh(client, tokens.member("refresh_token")).expect_status(200);
        assert_eq!(kit.id_token(&refreshed, client).claims["sub"], *known);

        kit.put_client(&signed);
        let jwt = kit.userinfo(refreshed.member("access_token")).expect_status(200);
        assert_eq!(payload(jwt.text())["sub"], *known, "a signed response");
    }
    let all = [
        ("alice", "one"),
        ("alice", "two"),
        ("bob", "one"),
        ("bob", "two"),
        ("alice", "web"),
        ("bob", "web"),
    ];
    let subjects: BTreeSet<String> = all.iter().map(|(account, client)| sub(&kit, account, client)).collect();
    assert_eq!(subjects.len(), 6, "{subjects:?}");
    assert!(subjects.contains("alice") && subjects.contains("bob"), "public ones are account ids");
}

/// PPID-01, AUTHZ-39: whom a client means by `id_token_hint` and by `claims`, it says with its own subject.
#[test]
fn a_client_names_people_by_its_own_subjects() {
    let kit = kit();
    let hint = kit.tokens("alice", "one", "openid").member("id_token").to_owned();
    let (of_one, of_two) = (sub(&kit, "alice", "one"), sub(&kit, "alice", "two"));
    let wanted = |sub: &str| json!({"id_token": {"sub": {"value": sub}}}).to_string();
    let request = || kit.authorization_request("one").scope("openid").set("prompt", "none");
    let asked = |request: AuthorizationRequest, account: &str| {
        let ua = kit.user_agent();
        ua.signed_in("bob");
        ua.signed_in(account);
        ua.has_consented(account, "one", "openid");
        ua.has_consented("bob", "one", "openid");
        request.open(&ua).answer().header("location").unwrap_or_default().to_owned()
    };
    for expected in [request().set("id_token_hint", &hint), request().set("claims", &wanted(&of_one))] {
        let answer = asked(expected.clone(), "alice");
        assert!(answer.contains("code="), "{answer}");
        let ua = kit.user_agent();
        ua.signed_in("bob");
        let _ = expected.open(&ua).expect_error("login_required");
    }
    for other in ["alice", &of_two, "no such person"] {
        let answer = asked(request().set("claims", &wanted(other)), "alice");
        assert!(answer.contains("error="), "{other}: {answer}");
    }
}

/// PPID-01, OUT-12: a logout token names the person as the ID tokens do, and whom a hint means at the logout endpoint
/// is said by the same subject.
#[test]
fn a_logout_is_about_the_same_subject() {
    let more = json!({"backchannel_logout_uri": "https://one.example/logout"});
    let kit = TestProvider::builder().client(&pairwise("one", &["https://one.example/cb"], more)).build();
    kit.fetch.answers("https://one.example/logout", 200, "");
    let ua = kit.user_agent();
    let sign_in = |account: &str| {
        ua.signed_in(account);
        ua.has_consented(account, "one", "openid");
        let code = kit.authorization_request("one").scope("openid").open(&ua).expect_code();
        kit.exchange(&code).member("id_token").to_owned()
    };
    let [of_alice, of_bob] = ["alice", "bob"].map(sign_in);
    let subject = sub(&kit, "alice", "one");
    let asked = |hint: &str| {
        let page = ua.follow_from_another_site(&format!("/logout?client_id=one&logout_hint={hint}"));
        page.expect_page("logout-confirm").page().text
    };
    assert!(asked(&subject).contains("here as  alice"), "{}", asked(&subject));
    assert!(asked(&sub(&kit, "bob", "one")).contains("here as  bob"));
    for (hint, subject) in [(of_alice, subject), (of_bob, sub(&kit, "bob", "one"))] {
        let _ =
            ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}")).expect_page("logout-done");
        kit.clock.advance(seconds(1));
        assert_eq!(kit.deliver().len(), 1);
        let sent = kit.fetch.asked();
        let token = sent[0].form.as_deref().unwrap().strip_prefix("logout_token=").unwrap();
        assert_eq!(kit.try_verify(token, "one").unwrap().claims["sub"], *subject);
    }
}

/// A subject is for ever: neither another root secret nor a start of the server changes it.
#[test]
fn a_subject_never_changes() {
    let one = || pairwise("one", &["https://one.example/cb"], json!({}));
    let kit = TestProvider::builder()
        .own_keys(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256])
        .client(&one())
        .build();
    let before = sub(&kit, "alice", "one");
    kit.keys.add_secret();
    kit.clock.advance(seconds(2));
    assert_eq!(sub(&kit, "alice", "one"), before);
    let restarted = TestProvider::builder().keys_of(&kit).seed(7).client(&one()).build();
    assert_eq!(sub(&restarted, "alice", "one"), before);
    let realm = TestProvider::builder().keys_of(&kit).realm("other").client(&one()).build();
    assert_ne!(sub(&realm, "alice", "one"), before, "another realm has other people");
    let elsewhere = TestProvider::builder()
        .own_keys(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256])
        .client(&one())
        .build();
    assert_ne!(sub(&elsewhere, "alice", "one"), before, "nobody else can compute it");
}

/// PPID-03: clients of one sector get the same subjects, however their redirect URIs are spelled; others do not.
#[test]
fn a_sector_shares_its_subjects() {
    let kit = TestProvider::new();
    let uris = ["https://a.example/cb", "https://b.example/cb", "com.example.app:/cb", "http://127.0.0.1/cb"];
    kit.fetch.answers(SECTOR, 200, json!(uris).to_string());
    let of = |id: &str, uris: &[&str], more: Value| {
        kit.put_client_fetching(&pairwise(id, uris, more)).unwrap();
        sub(&kit, "alice", id)
    };
    let sector = json!({"sector_identifier_uri": SECTOR});
    let native = json!({"sector_identifier_uri": SECTOR, "application_type": "native"});
    let subjects = [
        of("both", &uris[..2], sector.clone()),
        of("b", &uris[1..2], sector),
        of("app", &uris[2..], native),
        of("host", &["https://sector.example/cb", "https://SECTOR.example:8443/other?x=1"], json!({})),
    ];
    assert!(subjects.iter().all(|sub| *sub == subjects[0]), "{subjects:?}");
    for other in
        ["https://www.sector.example/cb", "https://sector.example.org/cb", "https://sector.exampl/cb"]
    {
        assert_ne!(of("other", &[other], json!({})), subjects[0], "{other}");
    }
}

/// PPID-02, PPID-05, PPID-06, oidcc-registration-sector-uri: the list is fetched once, when the client is registered,
/// also for public subjects; other URIs of the client need not be in it.
#[test]
fn the_list_is_looked_at_when_the_client_is_registered() {
    let kit = TestProvider::new();
    kit.fetch.answers(SECTOR, 200, r#"["https://other.example/","https://one.example/cb"]"#);
    let more = json!({
        "sector_identifier_uri": SECTOR, "post_logout_redirect_uris": ["https://bye.example/"],
        "initiate_login_uri": "https://begin.example/",
    });
    for subject_type in ["public", "pairwise"] {
        let mut more = more.clone();
        more["subject_type"] = json!(subject_type);
        kit.put_client_fetching(&pairwise("one", &["https://one.example/cb"], more)).unwrap();
        assert_eq!(kit.fetch.asked().len(), 1, "{subject_type}");
        assert_eq!(sub(&kit, "alice", "one") == "alice", subject_type == "public");
        assert!(kit.fetch.asked().is_empty());
    }
}

/// An application with subjects of its own: those that it gave out before it moved here.
struct Moved;

impl ClientPolicy for Moved {
    fn pairwise(&self, sector: &Sector, account: &AccountId) -> Option<Subject<'static>> {
        match (sector.as_str(), account.as_str()) {
            ("one.example", "alice") => Subject::parse("old:alice-at-one").ok(),
            _ => None,
        }
    }
}

/// PPID-01: the algorithm can be replaced, for all people or for those who were there before.
#[test]
fn an_application_chooses_the_subjects() {
    let kit = TestProvider::builder()
        .client_policy(Moved)
        .client(&pairwise("one", &["https://one.example/cb"], json!({})))
        .client(&pairwise("two", &["https://two.example/cb"], json!({})))
        .build();
    let tokens = kit.tokens("alice", "one", "openid read");
    assert_eq!(kit.id_token(&tokens, "one").claims["sub"], "old:alice-at-one");
    assert_eq!(
        kit.userinfo(tokens.member("access_token"))["sub"],
        "old:alice-at-one",
        "its JWT is known again"
    );
    assert_eq!([sub(&kit, "bob", "one").len(), sub(&kit, "alice", "two").len()], [43, 43]);
    assert_eq!(sub(&kit, "alice", "web"), "alice", "public ones are not chosen");
    let is_one = |text: &str| Subject::parse(text).is_ok();
    assert!(
        is_one(&"x".repeat(255))
            && !is_one(&"x".repeat(256))
            && !is_one("")
            && !is_one("\u{e4}")
            && !is_one("a\n")
    );
}

/// META-29, CMETA-17: what is offered, announced and given to clients that do not say.
#[test]
fn the_server_says_which_types_there_are() {
    use SubjectType::{Pairwise, Public};
    for (types, default) in [
        (vec![Public, Pairwise], Public),
        (vec![Pairwise, Public], Pairwise),
        (vec![Pairwise], Pairwise),
        (vec![Public], Public),
    ] {
        let kit = TestProvider::builder()
            .without_clients()
            .configure(|config| config.subjects.types.clone_from(&types))
            .build();
        let announced = &kit.get("/.well-known/openid-configuration")["subject_types_supported"];
        assert_eq!(*announced, json!(types));
        kit.put_client_fetching(r#"{"client_id":"plain","token_endpoint_auth_method":"none","redirect_uris":["https://plain.example/cb"]}"#)
            .unwrap();
        assert_eq!(sub(&kit, "alice", "plain") == "alice", default == Public, "{types:?}");
        for asked in SubjectType::ALL {
            let asked_for = pairwise("one", &["https://one.example/cb"], json!({"subject_type": asked}));
            assert_eq!(
                kit.put_client_fetching(&asked_for).is_ok(),
                types.contains(asked),
                "{asked} of {types:?}"
            );
        }
    }
}

/// The complaints about a registration, and whether there is a cause for our own log.
fn refused(kit: &TestProvider, metadata: &str) -> (Vec<String>, bool) {
    let refused = kit.put_client_fetching(metadata).unwrap_err();
    let settings = refused.complaints.into_iter().map(|Complaint { setting, .. }| setting).collect();
    (settings, refused.cause.is_some())
}

/// PPID-03, PPID-04, META-29, META-30: a pairwise client has one host that is its own.
#[test]
fn clients_without_a_sector_are_refused() {
    let kit = TestProvider::new();
    kit.fetch.answers(SECTOR, 200, r#"["https://one.example/cb"]"#);
    let native = json!({"application_type": "native"});
    for (uris, more, setting) in [
        (&["https://one.example/cb", "https://two.example/cb"][..], json!({}), "sector_identifier_uri"),
        (&["https://one.example/cb", "https://www.one.example/cb"], json!({}), "sector_identifier_uri"),
        (&["https://one.example/cb", "com.example.app:/cb"], native.clone(), "sector_identifier_uri"),
        (&["com.example.app:/cb"], native.clone(), "sector_identifier_uri"),
        (&["http://127.0.0.1/cb"], native.clone(), "sector_identifier_uri"),
        (&["http://localhost/cb"], native, "sector_identifier_uri"),
        (&["https://one.example/cb"], json!({"subject_type": "Pairwise"}), "subject_type"),
        (&["https://one.example/cb"], json!({"subject_type": "ephemeral"}), "subject_type"),
        (&["https://one.example/cb"], json!({"subject_type": ["pairwise"]}), "subject_type"),
    ] {
        assert_eq!(refused(&kit, &pairwise("one", uris, more)).0, [setting], "{uris:?}");
    }
    for uri in [
        "http://sector.example/uris.json",
        "https://user@sector.example/uris.json",
        "https://sector.example/uris.json#x",
        "https:///uris.json",
        "sector.example/uris.json",
        "javascript:alert(1)",
        "data:application/json,[]",
        "file:///etc/passwd",
        "",
    ] {
        let metadata = pairwise("one", &["https://one.example/cb"], json!({"sector_identifier_uri": uri}));
        assert_eq!(refused(&kit, &metadata).0, ["sector_identifier_uri"], "{uri}");
    }
    assert!(kit.fetch.asked().is_empty(), "nobody is asked on behalf of such a client");
}

/// PPID-05, oidcc-registration-sector-bad: the list has to be there, and to have every redirect URI as it is
/// registered. Why it cannot be fetched is for our own log.
#[test]
fn lists_that_do_not_do_are_refused() {
    let kit = TestProvider::new();
    let uris = ["https://one.example/cb", "https://two.example/cb"];
    let metadata = pairwise("one", &uris, json!({"sector_identifier_uri": SECTOR}));
    let named = vec!["sector_identifier_uri".to_owned()];
    assert_eq!(refused(&kit, &metadata), (named.clone(), true), "nobody answers");
    let good = json!(uris).to_string();
    for status in [201, 204, 301, 302, 307, 400, 401, 404, 500, 503] {
        kit.fetch.answers(SECTOR, status, good.clone());
        assert_eq!(refused(&kit, &metadata), (named.clone(), true), "{status}");
    }
    kit.fetch.answers(SECTOR, 200, format!("{}{good}", " ".repeat(256 * 1024)));
    assert_eq!(refused(&kit, &metadata), (named.clone(), true), "more than is read");
    for list in [
        "",
        "[]",
        "{}",
        "null",
        "<html>",
        r#"{"redirect_uris":["https://one.example/cb","https://two.example/cb"]}"#,
        r#""https://one.example/cb https://two.example/cb""#,
        r#"["https://one.example/cb"]"#,
        r#"["https://one.example/cb","https://two.example/cb",7]"#,
        r#"["https://one.example/cb","https://two.example/cb"]["#,
        r#"["https://one.example/cb","https://two.example/cb/"]"#,
        r#"["https://one.example/cb","https://TWO.example/cb"]"#,
        r#"["https://one.example/cb","https://two.example:443/cb"]"#,
        r#"["https://one.example/cb","https://two.example/"]"#,
        r#"["https://one.example/cb","https://two.example/*"]"#,
        r#"["https://one.example/cb https://two.example/cb"]"#,
    ] {
        kit.fetch.answers(SECTOR, 200, list);
        assert_eq!(refused(&kit, &metadata), (named.clone(), false), "{list}");
    }
    kit.fetch.answers(SECTOR, 200, good);
    kit.put_client_fetching(&metadata).unwrap();
}

/// META-30: where nothing is fetched, what would have to be looked at is refused.
#[test]
fn nothing_is_taken_unseen() {
    let kit = TestProvider::new();
    kit.fetch.answers(SECTOR, 200, r#"["https://one.example/cb"]"#);
    for subject_type in ["public", "pairwise"] {
        let more = json!({"sector_identifier_uri": SECTOR, "subject_type": subject_type});
        let metadata = pairwise("one", &["https://one.example/cb"], more);
        let complaints = kit.registry.put(&metadata).err().unwrap_or_default();
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(kit.fetch.asked().is_empty());
    }
}

/// A provider at which clients register and manage themselves.
fn open_registration() -> TestProvider {
    TestProvider::builder()
        .configure(|config| {
            let (access, management) = (RegistrationAccess::Open, true);
            config.registration =
                RegistrationConfig { access, management, network_quota: 0, ..RegistrationConfig::default() };
        })
        .build()
}

/// PPID-05, META-29, META-30, REGM-06, oidcc-registration-sector-uri: at the registration endpoint as by a command.
/// The list is fetched again when the client has redirect URIs that were not looked for.
#[test]
fn a_client_registers_itself_with_its_sector() {
    let kit = open_registration();
    kit.fetch.answers(SECTOR, 200, r#"["https://one.example/cb","https://two.example/cb"]"#);
    let uris = |uris: &[&str]| json!({"redirect_uris": uris, "sector_identifier_uri": SECTOR, "subject_type": "pairwise"});
    let given = kit.register(&uris(&["https://one.example/cb"])).expect_status(201);
    assert_eq!(
        (&given["subject_type"], &given["sector_identifier_uri"]),
        (&json!("pairwise"), &json!(SECTOR))
    );
    let change = |given: &Answer, mut metadata: Value| {
        metadata["client_id"] = given["client_id"].clone();
        kit.send(kit.management_request(&Method::PUT, given, Some(&metadata)))
    };
    assert_eq!(kit.fetch.asked().len(), 1);
    let given = change(&given, uris(&["https://one.example/cb"])).expect_status(200);
    assert!(kit.fetch.asked().is_empty(), "nothing new");
    let given =
        change(&given, uris(&["https://one.example/cb", "https://two.example/cb"])).expect_status(200);
    assert_eq!(kit.fetch.asked().len(), 1);
    kit.fetch.answers(SECTOR, 200, r#"["https://one.example/cb"]"#);
    let given = change(&given, uris(&["https://two.example/cb"])).expect_status(200);
    let refused = change(&given, uris(&["https://three.example/cb"])).expect_status(400);
    assert_eq!(refused["error"], "invalid_client_metadata");
    let mut omitted = uris(&["https://two.example/cb"]);
    omitted.as_object_mut().unwrap().remove("subject_type");
    assert_eq!(
        change(&given, omitted).expect_status(200)["subject_type"],
        "pairwise",
        "it keeps what it has"
    );
}

/// META-29, REGM-06: the one thing that a client cannot change is how it knows people. It would learn the subjects of
/// another sector, with grants that it has already.
#[test]
fn a_client_cannot_move_to_another_sector() {
    let kit = open_registration();
    let (one, two) = ("https://one.example/cb", "https://two.example/cb");
    let other = "https://two.example/uris.json";
    for list in [SECTOR, other] {
        kit.fetch.answers(list, 200, json!([one, two]).to_string());
    }
    let of = |subject_type: &str, uri: &str, sector: Option<&str>| {
        let mut metadata = json!({"redirect_uris": [uri], "subject_type": subject_type});
        if let Some(sector) = sector {
            metadata["sector_identifier_uri"] = json!(sector);
        }
        metadata
    };
    for (before, after, is_taken) in [
        (of("pairwise", one, None), of("pairwise", "https://ONE.example/other", None), true),
        (of("pairwise", one, None), of("pairwise", two, None), false),
        (of("pairwise", one, None), of("pairwise", one, Some(SECTOR)), false),
        (of("pairwise", one, Some(SECTOR)), of("pairwise", one, None), false),
        (of("pairwise", one, Some(SECTOR)), of("pairwise", one, Some(other)), false),
        (of("pairwise", one, None), of("public", one, None), false),
        (of("public", one, None), of("pairwise", one, None), false),
        (of("public", one, None), of("public", two, None), true),
        (of("public", one, None), of("public", one, Some(SECTOR)), true),
    ] {
        let given = kit.register(&before).expect_status(201);
        let mut change = after.clone();
        change["client_id"] = given["client_id"].clone();
        let answer = kit.send(kit.management_request(&Method::PUT, &given, Some(&change)));
        assert_eq!(answer.status == 200, is_taken, "{before} to {after}: {}", answer.text());
        if !is_taken {
            assert_eq!(answer["error"], "invalid_client_metadata");
        }
    }
}

/// PPID-04, PPID-05, oidcc-registration-sector-bad: nothing is stored, and who registers learns nothing about why
/// another server does not answer.
#[test]
fn registrations_with_a_wrong_sector_are_refused() {
    let kit = open_registration();
    let clients = kit.clients();
    let mixed = json!({"redirect_uris": ["https://one.example/cb", "https://two.example/cb"], "subject_type": "pairwise"});
    let listed = json!({"redirect_uris": ["https://one.example/cb"], "sector_identifier_uri": SECTOR});
    let refused = |metadata: &Value| {
        let answer = kit.register(metadata).expect_status(400);
        assert_eq!(answer["error"], "invalid_client_metadata");
        (answer["error_description"].clone(), answer.event_names().contains(&"sector_unavailable"))
    };
    let _ = refused(&mixed);
    let unavailable = refused(&listed);
    assert!(unavailable.1, "the cause is in the log");
    for status in [302, 404, 500] {
        kit.fetch.answers(SECTOR, status, "[]");
        assert_eq!(refused(&listed), unavailable, "{status}");
    }
    kit.fetch.answers(SECTOR, 200, r#"["https://other.example/cb"]"#);
    assert!(!refused(&listed).1);
    kit.fetch.asked();
    for host in ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "localhost"] {
        let mut metadata = listed.clone();
        metadata["sector_identifier_uri"] = json!(format!("https://{host}/uris.json"));
        let _ = refused(&metadata);
        assert!(kit.fetch.asked().is_empty(), "{host}");
    }
    assert_eq!(kit.clients(), clients);
}

/// OIDC Core section 8.1: a logout token names the person as the whole sector knows them. Whoever registers a client
/// with the redirect URIs of somebody else's sector would learn these subjects at a back-channel URI of their own.
#[test]
fn only_the_sector_is_told_of_a_logout() {
    let kit = open_registration();
    kit.fetch.answers(SECTOR, 200, r#"["https://one.example/cb","https://two.example/cb"]"#);
    let of = |subject_type: &str, sector: Option<&str>, told: &str| {
        let mut metadata = json!({"redirect_uris": ["https://one.example/cb"], "subject_type": subject_type,
            "backchannel_logout_uri": told});
        if let Some(sector) = sector {
            metadata["sector_identifier_uri"] = json!(sector);
        }
        metadata
    };
    let plain = of("pairwise", None, "https://one.example/bye");
    let given = kit.register(&plain).expect_status(201);
    for (metadata, is_taken) in [
        (of("pairwise", None, "https://ONE.example:8443/bye"), true),
        (of("pairwise", Some(SECTOR), "https://one.example/bye"), true),
        (of("pairwise", Some(SECTOR), "https://sector.example/bye"), true),
        (of("public", None, "https://evil.example/bye"), true),
        (of("pairwise", None, "https://evil.example/bye"), false),
        (of("pairwise", None, "https://one.example.evil.example/bye"), false),
        (of("pairwise", None, "https://bye.one.example/"), false),
        (of("pairwise", None, "https://sector.example/bye"), false),
        (of("pairwise", Some(SECTOR), "https://evil.example/bye"), false),
        (of("pairwise", Some(SECTOR), "https://two.example/bye"), false),
    ] {
        let answer = kit.register(&metadata);
        assert_eq!(answer.status == 201, is_taken, "{metadata}: {}", answer.text());
        if !is_taken {
            assert_eq!(answer["error"], "invalid_client_metadata", "{metadata}");
        }
    }
    // Nor by a change.
    let mut change = of("pairwise", None, "https://evil.example/bye");
    change["client_id"] = given["client_id"].clone();
    let refused = kit.send(kit.management_request(&Method::PUT, &given, Some(&change))).expect_status(400);
    assert_eq!(refused["error"], "invalid_client_metadata");
    // An operator knows whose both hosts are.
    let told = json!({"backchannel_logout_uri": "https://logout.example/bye"});
    assert!(kit.put_client_fetching(&pairwise("ours", &["https://one.example/cb"], told)).is_ok());
}

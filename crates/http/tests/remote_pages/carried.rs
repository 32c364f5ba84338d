//! What is carried to the pages and back with a request: who vouches for it, and since when it waits.

use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::ClientKey;

use super::*;

/// RFC 9101 section 10.5, JAR-23: what a client has signed counts as signed at the pages, too; what it has not
/// does not, as soon as it has to be.
#[test]
fn a_signature_counts_at_the_pages() {
    let kit = builder().build();
    let key = ClientKey::generate(Es256);
    let sets_required = |required: bool| {
        let metadata = json!({"client_id": "web", "token_endpoint_auth_method": "none", "jwks": key.jwks(),
            "redirect_uris": ["https://web.example/cb"], "require_signed_request_object": required,
            "chancery": {"consent": "implied"}});
        kit.put_client(&metadata.to_string());
        kit.clock.advance(seconds(2));
    };
    sets_required(true);
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid");
    let object = key.request_object(&request.encode(), "https://id.example", kit.now());
    let login = pages(&ua).view(&interaction_of(&request.clone().by_value(&object).open(&ua)));
    assert_eq!(login["prompt"], "login", "{}", login.text());
    expect_code(&pages(&ua).post("login", &login, credentials("alice")));

    sets_required(false);
    let other = kit.user_agent();
    let interaction = interaction_of(&request.open(&other));
    assert_eq!(pages(&other).view(&interaction)["prompt"], "login");
    sets_required(true);
    let refused = arrival(&pages(&other).view(&interaction)).one("error").unwrap().map(str::to_owned);
    assert_eq!(refused.as_deref(), Some("invalid_request"));
}

/// A view that is asked for again and again does not keep its request young.
#[test]
fn time_begins_with_the_request() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let interaction = interaction_of(&kit.authorization_request("web").scope("openid").open(&ua));
    kit.clock.advance(minutes(50));
    let login = pages(&ua).view(&interaction);
    kit.clock.advance(minutes(15));
    let stale = pages(&ua).post("login", &login, credentials("alice"));
    assert_eq!(stale["problem"], "stale", "{}", stale.text());
    assert_eq!(refusals(&stale.events), [FORM_TOO_OLD.name]);
}

/// FR-03: whichever page comes again because its form was not looked at says so; the first time it says nothing.
#[test]
fn every_page_that_comes_again_has_its_problem() {
    let kit = builder().build();
    for (prompt, page, answer) in [
        ("consent", "consent", json!({"allow": true})),
        ("select_account", "account", json!({"another": true})),
    ] {
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let request = kit.authorization_request("web").scope("openid").set("prompt", prompt);
        let view = pages(&ua).view(&interaction_of(&request.open(&ua)));
        assert_eq!((&view["prompt"], &view["problem"]), (&json!(prompt), &Value::Null));
        ua.signed_in("bob");
        let again = pages(&ua).post(page, &view, answer);
        assert_eq!(
            (&again["prompt"], &again["problem"]),
            (&json!(prompt), &json!("stale")),
            "{}",
            again.text()
        );
    }
}

/// What no page helps with is told to the client at once.
#[test]
fn nobody_is_sent_to_a_page_for_nothing() {
    let kit = builder().build();
    let claims = json!({"id_token": {"acr": {"essential": true, "value": "urn:example:unknown"}}});
    let request = kit.authorization_request("web").scope("openid").set("claims", &claims.to_string());
    let ua = kit.user_agent();
    let _ = request.open(&ua).expect_error("unmet_authentication_requirements");
}

/// A request that begins again does so at an address that fits into a URL; a longer one does not begin again.
#[test]
fn a_long_request_does_not_begin_again() {
    let kit = builder().build();
    for (length, can_restart) in [(1_000, true), (9_000, false)] {
        let ua = kit.user_agent();
        let request = kit.authorization_request("web").scope("openid").set("ui_locales", &"x".repeat(length));
        let posted = ua.post(&request);
        let interaction = interaction_of(&posted);
        let thief = kit.user_agent();
        let over = pages(&thief).view(&interaction);
        assert_eq!(over["over"]["restart"].is_string(), can_restart, "{length}: {}", over.text());
    }
}

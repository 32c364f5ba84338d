//! RFC 9101 section 4: what a client has encrypted stays so on our pages.

use super::*;

/// RFC 9101 section 4: what the client has encrypted is in none of our pages, on no way to them, and in no
/// link with which a request is started again; the forms work all the same.
#[test]
fn no_page_shows_what_was_encrypted() {
    let more = json!({"chancery": {"consent": "ask"}, "initiate_login_uri": "https://app.example/start"});
    let (kit, key) = with_app(&[EncryptionKeyType::P256], |_| {}, &more);
    let request = asked(&kit).set("claims", r#"{"id_token":{"acr":{"value":"confidential"}}}"#);
    let object = sealed(&kit, &key, &request);
    let secrets =
        ["nobody else", "nobody+else", "nobody%20else", "confidential", request.value("state").unwrap()];
    let shows_none = |text: &str| assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");

    let ua = kit.user_agent();
    let tab = request.clone().by_value(&object).open(&ua).expect_page("login");
    shows_none(tab.answer().text());
    let again = tab.login_wrongly("alice").expect_page("login");
    shows_none(again.answer().text());
    let consent = again.login("alice").expect_page("consent");
    shows_none(consent.answer().text());
    shows_none(consent.address());
    assert!(!kit.interleaved.has_written("confidential"), "nor does a record");
    let code = consent.allow().expect_code();
    let tokens = kit.exchange(&code).expect_status(200);
    assert_eq!(kit.id_token(&tokens, "app").claims["nonce"], "a nonce of nobody else");

    // The request was answered: there is a way on, and no link that would start it again.
    kit.clock.advance(minutes(1));
    let over = consent.reload().expect_way_on();
    shows_none(over.answer().text());
    let other = kit.user_agent();
    shows_none(other.get(consent.address()).answer().text());
    // The record is gone.
    kit.clock.advance(hours(48));
    shows_none(consent.allow().answer().text());
}

/// The same for pages on another origin: neither the URL nor the view shows it.
#[test]
fn nor_do_pages_elsewhere() {
    let set = |to: &mut Config| {
        to.interaction.location = Some("https://login.id.example/".to_owned().try_into().unwrap());
    };
    let (kit, key) = with_app(&[EncryptionKeyType::P256], set, &json!({}));
    let (ua, request) = (kit.user_agent(), asked(&kit));
    let state = request.value("state").unwrap();
    let sent = request.clone().by_value(&sealed(&kit, &key, &request)).open(&ua).expect_arrival();
    let pages = ua.front_end("https://login.id.example");
    let view = pages.view(sent.value("interaction").unwrap()).expect_status(200);
    assert!(!view.text().contains("nobody") && !view.text().contains(state), "{}", view.text());
    let typed = json!({"username": "alice", "password": password_of("alice")});
    let next = pages.post("login", &view, typed).expect_status(200);
    assert!(next.member("redirect_to").starts_with("https://app.example/cb?code="), "{}", next.text());
}

/// The sealed request of a form belongs to its form, and cannot be made by anybody else.
#[test]
fn what_a_form_carries_is_sealed() {
    let (kit, key) = with_app(&[EncryptionKeyType::P256], |_| {}, &json!({}));
    let request = asked(&kit);
    let ua = kit.user_agent();
    let object = sealed(&kit, &key, &request);
    let tab = request.clone().by_value(&object).open(&ua).expect_page("login");
    let form = tab.form();
    let carried = form.fields.iter().find(|(name, _)| name == "request").unwrap().1.clone();
    let with = |request: &str| {
        let mut fields: Vec<_> = form.fields.clone();
        for (name, value) in &mut fields {
            if name == "request" {
                request.clone_into(value);
            }
        }
        tab.post(&form.action, &fields)
    };
    let (name, value) = carried.split_once('=').unwrap();
    assert_eq!(name, "sealed");
    for wrong in [
        "sealed=",
        "sealed=x",
        &format!("sealed={}", value.to_ascii_lowercase()),
        &format!("{carried}&{carried}"),
    ] {
        assert_eq!(with(wrong).answer().status, 400, "{wrong}");
    }
    // The token of the form is no request, and the other way round.
    let token = form.fields.iter().find(|(name, _)| name == "token").unwrap().1.clone();
    assert_eq!(with(&format!("sealed={token}")).answer().status, 400);
    // Another sealed request is not what the token was made for: nobody vouches for it, and it begins anew.
    let other = asked(&kit).scope("openid email");
    let another = other.clone().by_value(&sealed(&kit, &key, &other)).open(&ua).form();
    let another = another.fields.iter().find(|(name, _)| name == "request").unwrap().1.clone();
    let _ = with(&another).expect_page("login");
    // Across a change of the root secret.
    kit.keys.add_secret();
    kit.clock.advance(minutes(1));
    let _ = tab.login("alice").expect_code();
}

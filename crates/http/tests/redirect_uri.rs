//! Where an authorization response may go: RFC 6749 section 3.1.2, RFC 8252 sections 7 and 8, RFC 9700
//! section 2.1.

#![expect(clippy::panic, reason = "tests")]

use chancery_testkit::{NegativeTable, Refused, TestProvider};

const PAGE: Refused = Refused::Page(400, "invalid_request");

/// A native client with every kind of redirect URI that RFC 8252 section 7 knows, and a web client with
/// loopback ones.
fn kit() -> TestProvider {
    TestProvider::builder()
        .client(
            r#"{"client_id":"device","application_type":"native","token_endpoint_auth_method":"none",
                "redirect_uris":["http://127.0.0.1/cb?x=1","http://[::1]/cb","http://localhost:3000/cb",
                    "com.example.app:/cb","https://app.example/cb"]}"#,
        )
        .client(
            r#"{"client_id":"developer","token_endpoint_auth_method":"none",
                "redirect_uris":["https://127.0.0.1:3000/cb","https://localhost:3000/cb"]}"#,
        )
        .client(
            r#"{"client_id":"odd","token_endpoint_auth_method":"none",
                "redirect_uris":["https://ODD.example:443/%63b/../b?x=%c3%A4&y=1+2"]}"#,
        )
        .build()
}

/// Opens a request with this redirect URI and says whether the person may go on.
fn goes_on(kit: &TestProvider, client: &str, uri: &str) -> bool {
    let ua = kit.user_agent();
    let tab = kit.authorization_request(client).scope("openid").set("redirect_uri", uri).open(&ua);
    match tab.page().name.as_str() {
        "login" => true,
        "error" => false,
        other => panic!("{other} for {uri}"),
    }
}

/// AUTHZ-10: byte for byte, and the response goes exactly there (RFC 9700 section 2.1).
#[test]
fn a_registered_uri_is_used_as_it_was_registered() {
    let kit = kit();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "odd", "openid");
    let request = kit.authorization_request("odd").scope("openid");
    let location = request.open(&ua).answer().header("location").unwrap_or_default().to_owned();
    assert!(location.starts_with("https://ODD.example:443/%63b/../b?x=%c3%A4&y=1+2&code="), "{location}");
}

/// AUTHZ-11, RFC 8252 section 7.3: any port of a loopback IP, chosen at the time of the request.
#[test]
fn a_native_client_chooses_its_loopback_port() {
    let kit = kit();
    for uri in [
        "http://127.0.0.1/cb?x=1",
        "http://127.0.0.1:1/cb?x=1",
        "http://127.0.0.1:65535/cb?x=1",
        "http://[::1]:50000/cb",
        "http://localhost:3000/cb",
        "com.example.app:/cb",
        "https://app.example/cb",
    ] {
        assert!(goes_on(&kit, "device", uri), "{uri}");
    }
}

/// The port that was chosen is the one of the response, and the exchange has to name it again (RFC 6749
/// section 4.1.3).
#[test]
fn the_chosen_port_is_part_of_the_code() {
    let kit = kit();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request =
        kit.authorization_request("native").scope("openid").set("redirect_uri", "http://127.0.0.1:5001/cb");
    let tab = request.open(&ua).expect_page("consent").allow();
    assert_eq!(tab.expect_arrival().uri, "http://127.0.0.1:5001/cb");
    let code = tab.expect_code();
    let elsewhere = kit.code_request(&code).set("redirect_uri", "http://127.0.0.1:5002/cb").send();
    assert_eq!(elsewhere.expect_status(400)["error"], "invalid_grant");
    assert_eq!(kit.exchange(&code).status, 200);
}

/// AUTHZ-12: a web client has no port to choose.
#[test]
fn a_web_client_has_the_ports_that_it_registered() {
    let kit = kit();
    for uri in ["https://127.0.0.1:3000/cb", "https://localhost:3000/cb"] {
        assert!(goes_on(&kit, "developer", uri), "{uri}");
    }
    for uri in [
        "https://127.0.0.1:3001/cb",
        "https://127.0.0.1/cb",
        "http://127.0.0.1:3000/cb",
        "https://[::1]:3000/cb",
    ] {
        assert!(!goes_on(&kit, "developer", uri), "{uri}");
    }
}

/// AUTHZ-13, ERR-14: without `redirect_uri` the only registered one is meant, for codes and for errors.
#[test]
fn the_only_registered_uri_can_be_left_out() {
    let kit = kit();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = kit.authorization_request("web").scope("openid").without("redirect_uri");
    let tab = request.open(&ua);
    assert_eq!(tab.expect_arrival().uri, "https://web.example/cb");
    let code = tab.expect_code();
    assert_eq!(kit.exchange(&code).status, 200);
    let refused = request.clone().set("prompt", "nonsense").open(&ua).expect_error("invalid_request");
    assert_eq!(refused.uri, "https://web.example/cb");
    let emptied = request.set("redirect_uri", "").open(&ua);
    assert_eq!(emptied.expect_arrival().uri, "https://web.example/cb", "PARM-08");
    let _ = emptied.expect_code();
}

/// The page of a refused URI has no way to it: neither a link, nor a form, nor a redirect (RFC 9700 section
/// 4.11.2). The only way on is the page that the client is registered with.
#[test]
fn nobody_is_led_to_an_unregistered_uri() {
    let kit = kit();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request =
        kit.authorization_request("web").set("redirect_uri", "https://evil.example/\"><script>h0st1le");
    let tab = request.open(&ua).expect_page("error");
    let (page, answer) = (tab.page(), tab.answer());
    assert!(page.forms.is_empty());
    assert_eq!(page.links, ["https://web.example/"]);
    assert!(
        !answer.text().contains("evil.example") && !answer.text().contains("h0st1le"),
        "{}",
        answer.text()
    );
    assert_eq!(answer.header("location"), None);
}

/// AUTHZ-10, AUTHZ-12, AUTHZ-14, ERR-11, PARM-10
#[test]
fn redirect_uris_that_must_not_match() {
    let kit = kit();
    let web = || kit.authorization_request("web").scope("openid");
    let mut table = NegativeTable::new(&kit)
        .row("none, and two are registered", kit.authorization_request("post").without("redirect_uri"), PAGE)
        .row("empty, and two are registered", kit.authorization_request("post").set("redirect_uri", ""), PAGE)
        .row("the registered one twice", web().param("redirect_uri", "https://web.example/cb"), PAGE)
        .row("a second one beside the registered", web().param("redirect_uri", "https://evil.example/"), PAGE)
        .row("none, and none is registered", kit.authorization_request("api"), PAGE)
        .row("one of another client", web().set("redirect_uri", "https://post.example/cb"), PAGE);
    for uri in [
        "https://evil.example/",
        "https://web.example",
        "https://web.example/",
        "https://web.example/cb/",
        "https://web.example/cb?",
        "https://web.example/cb?x=1",
        "https://web.example/cb;x",
        "https://web.example/cb#",
        "https://web.example/cb#fragment",
        "https://web.example/CB",
        "https://WEB.example/cb",
        "HTTPS://web.example/cb",
        "http://web.example/cb",
        "https://web.example:443/cb",
        "https://web.example:8443/cb",
        "https://web.example./cb",
        "https://web.example/%63b",
        "https://web.example/./cb",
        "https://web.example/x/../cb",
        "https://web.example//cb",
        "https://web.example/cb/../evil",
        "https://web.example/cb%00",
        "https://web.example/cb%0d%0aSet-Cookie:x=y",
        "https://web.example/cb\r\nSet-Cookie: x=y",
        "https://web.example/cb\t",
        " https://web.example/cb",
        "https://web.example/cb ",
        "https://web.example/\u{e4}",
        "https://web.\u{435}xample/cb",
        "https://user@web.example/cb",
        "https://web.example@evil.example/cb",
        "https://web.example:pass@evil.example/cb",
        "https://evil.example\\@web.example/cb",
        "https://web.example\\.evil.example/cb",
        "https:\\\\web.example\\cb",
        "https://web.example/cb\\..\\evil",
        "https://web.example.evil.example/cb",
        "https://evil.example/https://web.example/cb",
        "//web.example/cb",
        "/cb",
        "cb",
        "javascript:alert(1)",
        "data:text/html,x",
    ] {
        table = table.row(format!("{uri:?}"), web().set("redirect_uri", uri), PAGE);
    }
    for uri in [
        "http://localhost:3001/cb",
        "http://localhost/cb",
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:1/cb?x=2",
        "http://127.0.0.1:1/cb/?x=1",
        "http://127.0.0.2:1/cb?x=1",
        "http://127.1:1/cb?x=1",
        "http://2130706433:1/cb?x=1",
        "http://127.0.0.1.evil.example:1/cb?x=1",
        "http://127.0.0.1:1@evil.example/cb?x=1",
        "http://127.0.0.1:@evil.example/cb?x=1",
        "http://127.0.0.1:1:2/cb?x=1",
        "http://127.0.0.1:x/cb?x=1",
        "http://127.0.0.1:-1/cb?x=1",
        "http://127.0.0.1:99999/cb?x=1",
        "http://127.0.0.1:/cb?x=1",
        "https://127.0.0.1:1/cb?x=1",
        "HTTP://127.0.0.1:1/cb?x=1",
        "http://[0:0:0:0:0:0:0:1]:1/cb",
        "http://[::ffff:127.0.0.1]:1/cb",
        "http://[::1]:1/cb?x=1",
        "https://app.example:8443/cb",
        "com.example.app:/cb/",
        "com.example.app://cb",
        "COM.example.app:/cb",
        "com.example.app:/cb?x",
    ] {
        let request = kit.authorization_request("device").scope("openid").set("redirect_uri", uri);
        table = table.row(format!("native: {uri:?}"), request, PAGE);
    }
    table.run();
}

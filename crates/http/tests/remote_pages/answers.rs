//! What the interface answers beside its views: members that are there or not, status, header fields.

use chancery_core::event::{Event, Origins};

use super::*;

/// A member without a value is left out; the challenge is there, for a key of the person; what scripts need of
/// the header they may read.
#[test]
fn what_a_view_has() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let view = first_view(&ua, "openid");
    for absent in ["problem", "username", "retry_after", "account"] {
        assert!(!view.member_names().contains(&absent.to_owned()), "{absent}: {}", view.text());
    }
    assert_eq!(view.member("challenge").len(), 43);
    assert_ne!(first_view(&ua, "openid").member("challenge"), view.member("challenge"));
    assert_eq!(view.header("access-control-expose-headers"), Some("Retry-After, X-Request-Id"));
}

/// Of what nothing is known nothing is shared, and the consent page can say so.
#[test]
fn what_is_not_known_is_named() {
    let kit = builder().build();
    for (claims, unknown) in [(&[][..], json!([])), (&["email", "email_verified"], json!(["email"]))] {
        for claim in claims {
            kit.accounts.set_claim("alice", claim, Value::Null);
        }
        let ua = kit.user_agent();
        let login = first_view(&ua, "openid profile email");
        let signed_in = pages(&ua).post("login", &login, credentials("alice"));
        let consent = pages(&ua).view(&next_interaction(&signed_in));
        assert_eq!(consent["unknown"], unknown, "{}", consent.text());
        assert!(consent.text().contains("preferred_username"));
        assert_eq!(consent.text().contains("alice@example.org"), claims.is_empty());
    }
}

/// A client that is gone meanwhile is an error that the pages can show; 401 would challenge the browser.
#[test]
fn a_client_that_is_gone() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let interaction = interaction_of(&kit.authorization_request("web").scope("openid").open(&ua));
    kit.remove_client("web");
    kit.clock.advance(seconds(2));
    let gone = pages(&ua).view(&interaction).expect_status(400);
    assert_eq!((&gone["error"], gone.header("www-authenticate")), (&json!("invalid_client"), None));
    assert_eq!(gone.header("access-control-allow-origin"), Some(ORIGIN_OF_PAGES));
}

/// Where pages call from another origin than `interaction.location` says, the log has both.
#[test]
fn the_origin_of_other_pages_is_logged() {
    let kit = builder().build();
    let ua = kit.user_agent();
    for (sent, told) in [
        (&["http://localhost:5173"][..], Some("http://localhost:5173")),
        (
            &[ORIGIN_OF_PAGES, "https://evil.example"],
            Some(&*format!("{ORIGIN_OF_PAGES}, https://evil.example")),
        ),
        (&[], None),
    ] {
        let mut request = pages(&ua).to_http(&Method::GET, "/interaction?interaction=x", None);
        request.headers_mut().remove(ORIGIN);
        for origin in sent {
            request.headers_mut().append(ORIGIN, http::HeaderValue::from_str(origin).unwrap());
        }
        let answer = kit.send(request).expect_status(403);
        let expected = Some(Origins::of(told, ORIGIN_OF_PAGES));
        assert!(
            matches!(&*answer.events, [Event::Refused { origins, .. }] if *origins == expected),
            "{:?}",
            answer.events
        );
        assert!(!answer.text().contains("localhost"), "{}", answer.text());
    }
}

/// Fetch, section "CORS protocol": what is no preflight, comes from two origins, or is longer than a URL.
#[test]
fn what_no_page_sends() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let login = first_view(&ua, "openid");
    let get = |path: &str| pages(&ua).to_http(&Method::GET, path, None);
    let two = |mut request: Request<Bytes>, order: [&'static str; 2]| {
        request.headers_mut().remove(ORIGIN);
        for origin in order {
            request.headers_mut().append(ORIGIN, http::HeaderValue::from_static(origin));
        }
        request
    };
    let sent = || pages(&ua).to_post("login", &login, credentials("alice"));
    let foreign = Refused::Json(403, "invalid_request");
    let own_first = [ORIGIN_OF_PAGES, "https://evil.example"];
    let own_last = ["https://evil.example", ORIGIN_OF_PAGES];
    NegativeTable::new(&kit)
        .row("two origins, ours first", two(sent(), own_first), foreign)
        .row("two origins, ours last", two(sent(), own_last), foreign)
        .row("our origin twice", two(sent(), [ORIGIN_OF_PAGES; 2]), foreign)
        .row(
            "a long URL",
            get(&format!("/interaction?interaction={}", "x".repeat(9_000))),
            Refused::Json(414, "invalid_request"),
        )
        .row(
            "OPTIONS that is no preflight",
            pages(&ua).to_http(&Method::OPTIONS, "/interaction/login", None),
            Refused::Status(405),
        )
        .run();
}

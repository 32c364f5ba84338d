//! RFC 8628 sections 3.3 and 5: the page on which a person enters the code of a device, the one that says
//! which device asks, and those who guess.

use chancery_core::config::Config;
use chancery_core::interaction::form_token::{
    FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_TOO_OLD, FORM_WITHOUT_COOKIE,
};
use chancery_core::interaction::user_code::{USER_CODE_GUESSED, USER_CODE_MALFORMED, USER_CODE_UNKNOWN};
use chancery_http::Peer;
use chancery_testkit::{
    Device, HtmlPage, NegativeTable, Refused, SECRET, Tab, TestProvider, UserAgent, days, minutes, refusals,
    seconds,
};
use chancery_types::UserCodeAlphabet;
use http::{HeaderValue, Method};
use serde_json::json;

/// No device of these tests has it.
const WRONG: &str = "BBBB-BBBB";

fn provider(change: impl FnOnce(&mut Config)) -> TestProvider {
    let offered = |config: &mut Config| config.device_authorization.offered = true;
    let kit = TestProvider::builder().configure(offered).configure(change).build();
    kit.put_device_client("tv", json!({"token_endpoint_auth_method": "none"}));
    kit.put_device_client("box", json!({"client_secret": SECRET}));
    kit
}

fn typed(tab: &Tab<'_, '_>) -> String {
    let fields = tab.form().fields;
    fields.into_iter().find(|(name, _)| name == "user_code").map(|(_, value)| value).unwrap_or_default()
}

/// Enters a code on a new page, which has to come again for this reason.
#[track_caller]
fn expect_refused(ua: &UserAgent<'_>, code: &str, why: &chancery_core::error::Reason) {
    let tab = ua.enter_user_code(code).expect_page("user-code");
    assert_eq!(refusals(tab.events()), [why.name], "{code}: {}", tab.page().text);
    assert!(tab.page().text.contains("code") && tab.answer().text().contains("role=\"alert\""));
}

/// DEV-07, DEV-08: the link with the code fills it in and looks at nothing; whatever it brings is text. The
/// page runs no script, nobody can frame it, and it is told whoever wants to read it aloud what is wrong.
#[test]
fn a_link_fills_the_code_in() {
    let kit = provider(|_| {});
    let device = kit.device("tv", "openid");
    let link = device.answer.member("verification_uri_complete").to_owned();
    let ua = kit.user_agent();
    let (tab, trips) = kit.trips(|| ua.follow_from_another_site(&link));
    assert_eq!((trips, typed(&tab)), (0, device.user_code().to_owned()));
    assert!(tab.event_names().is_empty());
    let policy = tab.answer().header("content-security-policy").unwrap_or_default();
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"), "{policy}");
    assert_eq!(tab.answer().header("x-frame-options"), Some("DENY"));
    let _ = tab.enter_user_code(&typed(&tab)).expect_page("confirm-device");
    for (brought, filled_in) in [
        ("wdjbmjht", "WDJB-MJHT"),
        ("12345", "12345"),
        ("%22%3E%3Cscript%3E", "SCRIPT"),
        ("WDJ%D0%92MJHT", ""),
        ("", ""),
    ] {
        let tab = ua.follow_from_another_site(&format!("/device?user_code={brought}"));
        assert_eq!(typed(&tab.expect_page("user-code")), filled_in, "{brought}");
    }
    let numeric = provider(|config| {
        config.device_authorization.user_code_alphabet = UserCodeAlphabet::Digits;
        config.device_authorization.user_code_mask =
            chancery_types::UserCodeMask::parse("*** *** ***").unwrap_or_default();
    });
    let device = numeric.device("tv", "openid");
    assert!(device.user_code().bytes().all(|byte| byte.is_ascii_digit() || byte == b' '));
    assert_eq!(device.user_code().len(), 11);
    assert!(numeric.get("/device").text().contains("inputmode=\"numeric\""));
    let ua = numeric.user_agent();
    let _ = ua.enter_user_code(&device.user_code().replace(' ', "-")).expect_page("confirm-device");
}

/// DEV-05, DEV-10: what people type for a code is the code; what only looks like it is not, and counts as no
/// guess.
#[test]
fn codes_as_people_type_them() {
    let kit = provider(|config| config.device_authorization.network_guesses = 1);
    let device = kit.device("tv", "openid");
    let (ua, code) = (kit.user_agent(), device.user_code());
    let plain = code.replace('-', "");
    for good in [
        code.to_owned(),
        plain.clone(),
        code.to_lowercase(),
        format!("  {} {} ", &plain[..3], &plain[3..]),
        code.replace('-', "\u{2013}"),
        plain.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap_or(c)).collect(),
    ] {
        let _ = ua.enter_user_code(&good).expect_page("confirm-device");
    }
    for bad in ["", "BCD", "\u{412}\u{421}DF-GHJK", "BCDF-GHJ\u{212a}", &"B".repeat(64)] {
        expect_refused(&ua, bad, &USER_CODE_MALFORMED);
    }
    expect_refused(&ua, &format!("{code}B"), &USER_CODE_UNKNOWN);
    expect_refused(&ua, code, &USER_CODE_GUESSED);
}

/// DEV-11, DEV-19, RFC 8628 section 5.4, RFC 10027 section 6.1.16: who asks, from where and when; what a
/// device says of itself is text.
#[test]
fn the_page_says_which_device_asks() {
    let kit = provider(|_| {});
    let mut asked = kit.device_request("tv").param("scope", "openid").to_http();
    asked.extensions_mut().insert(Peer([198, 51, 100, 7].into()));
    let agent = HeaderValue::from_static("Television/3.1 <b>\"trusted by your bank\"</b>");
    asked.headers_mut().insert("user-agent", agent);
    let answer = kit.send(asked).expect_status(200);
    kit.clock.advance(minutes(3));
    let ua = kit.user_agent();
    let tab = ua.enter_user_code(answer.member("user_code")).expect_page("confirm-device");
    let text = tab.page().text;
    for shown in [
        "The tv",
        answer.member("user_code"),
        "3 minutes ago",
        "198.51.100.7",
        "not that of this browser",
        "Television/3.1 <b>\"trusted by your bank\"</b>",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(!tab.answer().text().contains("<b>"));
    // RFC 10027 section 6.1.14: a no is the first button.
    let buttons = tab.form().buttons;
    assert_eq!(buttons.iter().map(|button| &*button.value).collect::<Vec<_>>(), ["deny", "confirm"]);
    // Nobody has typed a password before that.
    assert_eq!(tab.confirm_device().expect_page("login").page().name, "login");

    let nameless = TestProvider::builder().without_peers().configure(|config| {
        config.device_authorization.offered = true;
    });
    let nameless = nameless.build();
    nameless.put_device_client("tv", json!({"token_endpoint_auth_method": "none"}));
    let device = nameless.device("tv", "openid");
    let ua = nameless.user_agent();
    let tab = ua.enter_user_code(device.user_code()).expect_page("confirm-device");
    assert!(tab.page().text.contains("not known"), "{}", tab.page().text);
}

/// DEV-09: a form that was not made for this browser, or too long ago, is not looked at; what was typed
/// stays.
#[test]
fn a_form_belongs_to_its_browser() {
    let kit = provider(|_| {});
    let device = kit.device("tv", "openid");
    let code = device.user_code();
    let ua = kit.user_agent();
    let page = ua.get("/device").expect_page("user-code");

    let stale = |tab: Tab<'_, '_>, why: &chancery_core::error::Reason| {
        let tab = tab.expect_page("user-code");
        assert_eq!(refusals(tab.events()), [why.name]);
        assert_eq!(typed(&tab), code, "what was typed is there");
    };
    let elsewhere = kit.user_agent();
    let fields: Vec<(String, String)> = page.form().fields;
    let with_code = |fields: &[(String, String)]| -> Vec<(String, String)> {
        let other = fields.iter().filter(|(name, _)| name != "user_code").cloned();
        other.chain([("user_code".to_owned(), code.to_owned())]).collect()
    };
    let theirs = elsewhere.get("/device");
    stale(theirs.post("/device", &with_code(&fields)), &FORM_OF_ANOTHER_BROWSER);
    stale(theirs.post("/device", &with_code(&[])), &FORM_FOREIGN);
    elsewhere.lose_browser_cookie();
    stale(theirs.post("/device", &with_code(&fields)), &FORM_WITHOUT_COOKIE);
    kit.clock.advance(minutes(61));
    stale(page.enter_user_code(code), &FORM_TOO_OLD);
    // Another tab of the same browser is as good as the first.
    let device = kit.device("tv", "openid");
    let (one, two) = (ua.get("/device"), ua.get("/device"));
    for tab in [two, one] {
        let _ = tab.enter_user_code(device.user_code()).expect_page("confirm-device");
    }
}

/// The page that says which device asks belongs to its browser, too, and its form cannot be made without a
/// right code.
#[test]
fn a_confirmation_belongs_to_its_browser() {
    let kit = provider(|_| {});
    let device = kit.device("tv", "openid");
    let (ua, elsewhere) = (kit.user_agent(), kit.user_agent());
    let tab = ua.enter_user_code(device.user_code()).expect_page("confirm-device");
    let mut fields = tab.form().fields;
    fields.push(("action".to_owned(), "confirm".to_owned()));
    let _ = elsewhere.get("/device").post("/interaction", &fields).expect_page("confirm-device");
    let carried = fields.iter().find(|(name, _)| name == "request").map(|(_, value)| value.clone());
    assert!(!carried.unwrap_or_default().contains(device.user_code()), "it is sealed");
    for made in ["approval=x", "user_code=WDJB-MJHT", "approval=", "approval=x&approval=y"] {
        let fields = [("request".to_owned(), made.to_owned()), ("action".to_owned(), "confirm".to_owned())];
        let (tab, trips) = kit.trips(|| ua.get("/device").post("/interaction", &fields));
        let _ = tab.expect_page("error");
        assert_eq!(trips, 0, "{made}");
    }
    let _ = device.expect_error("authorization_pending");
    // In another session, the page comes again.
    ua.signed_in("alice");
    let tab = tab.confirm_device().expect_page("confirm-device");
    let _ = tab.confirm_device().expect_page("consent");
}

/// DEV-09, RFC 8628 section 5.7, RFC 9700 section 4.16: nobody frames any of the pages, nothing that is posted from
/// another site is looked at, and nothing is decided by it.
#[test]
fn other_sites_decide_nothing() {
    let kit = provider(|_| {});
    let (device, ua) = (kit.device("box", "openid"), kit.user_agent());
    ua.signed_in("alice");
    ua.has_consented("alice", "box", "openid");
    let page = ua.get("/device");
    let confirm = page.enter_user_code(device.user_code()).expect_page("confirm-device");
    for action in ["confirm", "deny"] {
        for site in ["cross-site", "same-site"] {
            let mut request = confirm.to_http(&[], ("action", action));
            request.headers_mut().insert("sec-fetch-site", HeaderValue::from_static(site));
            let answer = kit.send(request).expect_status(400);
            assert_eq!(HtmlPage::read(answer.text()).name, "error", "{action} {site}");
        }
    }
    let mut fields = confirm.form().fields;
    fields.push(("action".to_owned(), "confirm".to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    let posted = ua.post_from_another_site("/interaction", &fields);
    assert_ne!(HtmlPage::read(posted.answer().text()).name, "device-done");
    let _ = device.expect_error("authorization_pending");

    let done = confirm.confirm_device().expect_page("device-done");
    let wrong = page.enter_user_code(WRONG).expect_page("user-code");
    for tab in [&page, &confirm, &wrong, &done] {
        let policy = tab.answer().header("content-security-policy").unwrap_or_default();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script-src"), "{policy}");
        assert_eq!(tab.answer().header("x-frame-options"), Some("DENY"));
        assert_eq!(tab.answer().header("cache-control"), Some("no-store"));
        assert_eq!(tab.answer().header("referrer-policy"), Some("no-referrer"));
    }
    let _ = device.poll().expect_status(200);
}

/// A repeated click shows once more what came of the first; from another page the code was used.
#[test]
fn a_double_click_shows_the_same() {
    let kit = provider(|_| {});
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "box", "openid");
    for refuses in [false, true] {
        let device = kit.device("box", "openid");
        let tab = ua.enter_user_code(device.user_code()).expect_page("confirm-device");
        let other = ua.enter_user_code(device.user_code()).expect_page("confirm-device");
        let press = |tab: &Tab<'_, '_>| if refuses { tab.deny() } else { tab.confirm_device() }.page();
        let first = press(&tab);
        assert_eq!(first.name, "device-done");
        for again in [press(&tab), tab.deny().page(), tab.confirm_device().page()] {
            assert_eq!(again.text, first.text);
        }
        assert!(press(&other).text.contains("used already"));
        let told = device.poll();
        assert_eq!(told.status.as_u16(), if refuses { 400 } else { 200 }, "{}", told.text());
    }
    // At the same moment, in whatever order the calls of the store happen.
    for seed in 0..100 {
        let device = kit.device("box", "openid");
        let tab = ua.enter_user_code(device.user_code()).expect_page("confirm-device");
        let answers = kit.send_at_once(seed, vec![tab.to_http(&[], ("action", "confirm")); 2]);
        assert!(answers.iter().all(|answer| answer.text().contains("is connected")), "{seed}");
        let _ = device.poll().expect_status(200);
    }
}

/// RFC 8628 section 5.1, GAP-07: of 1,000 codes that a stranger guesses at once 50 are looked at. Whoever is
/// signed in, or comes from elsewhere, goes on; after a quarter of an hour everybody does.
#[test]
fn guesses_come_to_an_end() {
    let kit = provider(|_| {});
    let guesser = kit.user_agent();
    guesser.comes_from("198.51.100.7");
    let page = guesser.get("/device");
    let guess = |n: usize| {
        let letters = b"BCDFGHJKLMNPQRSTVWXZ";
        let digit = |at: u32| char::from(letters.get(n / 20_usize.pow(at) % 20).copied().unwrap_or(b'B'));
        let code: String = (0..3_u32).map(digit).chain("BBBBB".chars()).collect();
        page.to_http(&[("user_code".to_owned(), code)], ("action", "continue"))
    };
    // Meanwhile others enter right codes: from elsewhere, and from the same network, signed in.
    let right = |n: usize| {
        let ua = kit.user_agent();
        if n.is_multiple_of(2) {
            ua.comes_from("198.51.100.7");
            ua.signed_in(if n.is_multiple_of(4) { "alice" } else { "bob" });
        }
        let code = kit.device("box", "openid").user_code().to_owned();
        ua.get("/device").to_http(&[("user_code".to_owned(), code)], ("action", "continue"))
    };
    let all = (0..1000).flat_map(|n| [Some(guess(n)), n.is_multiple_of(25).then(|| right(n / 25))]);
    let answers = kit.send_at_once(1, all.flatten().collect());
    let (goes_on, answers): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| HtmlPage::read(answer.text()).name == "confirm-device");
    assert_eq!((goes_on.len(), answers.len()), (40, 1000));
    let reasons: Vec<&str> = answers.iter().flat_map(|answer| refusals(&answer.events)).collect();
    let of = |name: &str| reasons.iter().filter(|reason| **reason == name).count();
    assert_eq!((of("user_code_unknown"), of("user_code_guessed")), (50, 950));
    let waits = answers.iter().filter(|answer| answer.status == 429);
    assert!(waits.clone().all(|answer| answer.headers.contains_key("retry-after")));
    assert_eq!(waits.count(), 950);

    let device = kit.device("tv", "openid");
    let neighbour = kit.user_agent();
    neighbour.comes_from("198.51.100.7");
    expect_refused(&neighbour, device.user_code(), &USER_CODE_GUESSED);
    neighbour.signed_in("alice");
    let _ = neighbour.enter_user_code(device.user_code()).expect_page("confirm-device");
    let _ = kit.user_agent().enter_user_code(device.user_code()).expect_page("confirm-device");
    guesser.lose_browser_cookie();
    expect_refused(&guesser, device.user_code(), &USER_CODE_GUESSED);
    kit.clock.advance(minutes(15));
    let device = kit.device("tv", "openid");
    let _ = guesser.enter_user_code(device.user_code()).expect_page("confirm-device");
}

/// RFC 8628 section 5.1: a person who is signed in has a budget of their own, whatever browser and network
/// they use; and what they get wrong counts for the network, too. Without a network, all who have none share
/// one budget.
#[test]
fn a_person_has_a_budget() {
    let kit = provider(|config| {
        config.device_authorization.account_guesses = 3;
        config.device_authorization.network_guesses = 5;
    });
    let device = kit.device("tv", "openid");
    for (at, address) in ["198.51.100.1", "198.51.100.2", "198.51.100.1"].into_iter().enumerate() {
        let ua = kit.user_agent();
        ua.comes_from(address);
        ua.signed_in("alice");
        expect_refused(&ua, WRONG, &USER_CODE_UNKNOWN);
        if at == 2 {
            expect_refused(&ua, device.user_code(), &USER_CODE_GUESSED);
        }
    }
    let bob = kit.user_agent();
    bob.comes_from("198.51.100.1");
    bob.signed_in("bob");
    expect_refused(&bob, WRONG, &USER_CODE_UNKNOWN);
    let _ = bob.enter_user_code(device.user_code()).expect_page("confirm-device");
    let stranger = kit.user_agent();
    stranger.comes_from("198.51.100.1");
    for _ in 0..2 {
        expect_refused(&stranger, WRONG, &USER_CODE_UNKNOWN);
    }
    expect_refused(&stranger, device.user_code(), &USER_CODE_GUESSED);

    let nameless = TestProvider::builder().without_peers().configure(|config| {
        config.device_authorization.offered = true;
        config.device_authorization.network_guesses = 2;
    });
    let nameless = nameless.build();
    for _ in 0..2 {
        expect_refused(&nameless.user_agent(), WRONG, &USER_CODE_UNKNOWN);
    }
    expect_refused(&nameless.user_agent(), WRONG, &USER_CODE_GUESSED);
}

/// FR-01: what was counted while the clock was ahead keeps nobody out once it is right again, and what is counted then is
/// counted as ever.
#[test]
fn a_clock_that_was_ahead_keeps_nobody_out() {
    for ahead in [minutes(16), days(1), days(366)] {
        let kit = provider(|config| config.device_authorization.network_guesses = 2);
        let (ua, right) = (kit.user_agent(), kit.now());
        kit.clock.advance(ahead);
        expect_refused(&ua, WRONG, &USER_CODE_UNKNOWN);
        expect_refused(&ua, WRONG, &USER_CODE_UNKNOWN);
        expect_refused(&ua, WRONG, &USER_CODE_GUESSED);
        kit.clock.set(right);
        let device = kit.device("tv", "openid");
        let _ = ua.enter_user_code(device.user_code()).expect_page("confirm-device");
        expect_refused(&ua, WRONG, &USER_CODE_UNKNOWN);
        expect_refused(&ua, WRONG, &USER_CODE_UNKNOWN);
        expect_refused(&ua, WRONG, &USER_CODE_GUESSED);
        kit.clock.advance(minutes(15));
        expect_refused(&ua, WRONG, &USER_CODE_UNKNOWN);
    }
}

/// DEV-10: codes that were right once say so, and count as no guess.
#[test]
fn former_codes_say_so() {
    let kit = provider(|config| config.device_authorization.network_guesses = 1);
    let ua = kit.user_agent();
    let says = |device: &Device<'_>, text: &str| {
        let tab = ua.enter_user_code(device.user_code()).expect_page("user-code");
        assert!(tab.page().text.contains(text), "{}", tab.page().text);
    };
    let (used, ended, gone) =
        (kit.device("tv", "openid"), kit.device("tv", "openid"), kit.device("box", "openid"));
    let _ = ua.enter_user_code(used.user_code()).deny();
    says(&used, "used already");
    kit.remove_client("box");
    says(&gone, "time of this code is over");
    kit.clock.advance(minutes(10) + seconds(1));
    says(&ended, "time of this code is over");
    expect_refused(&ua, WRONG, &USER_CODE_UNKNOWN);
}

/// DEV-09: what comes from another site, or by other ways, is refused.
#[test]
fn what_is_refused() {
    let kit = provider(|_| {});
    let device = kit.device("tv", "openid");
    let ua = kit.user_agent();
    let page = ua.get("/device");
    let from = |site: &'static str| {
        let typed = [("user_code".to_owned(), device.user_code().to_owned())];
        let mut request = page.to_http(&typed, ("action", "continue"));
        request.headers_mut().insert("sec-fetch-site", HeaderValue::from_static(site));
        request
    };
    let mut put = from("same-origin");
    *put.method_mut() = Method::PUT;
    NegativeTable::new(&kit)
        .row("from another site", from("cross-site"), Refused::Page(400, "invalid_request"))
        .row("from another origin of the site", from("same-site"), Refused::Page(400, "invalid_request"))
        .row("by PUT", put, Refused::Status(405))
        .row(
            "two codes in a link",
            kit.anonymous_request("/device?user_code=A&user_code=B").get(),
            Refused::Page(400, "invalid_request"),
        )
        .row(
            "two codes in a form",
            kit.anonymous_request("/device").param("user_code", "A").param("user_code", "B"),
            Refused::Page(400, "invalid_request"),
        )
        .run();
    let posted = ua.post_from_another_site("/device", &[("user_code", device.user_code())]);
    assert_ne!(HtmlPage::read(posted.answer().text()).name, "confirm-device");
}

//! Modules about sessions: what is asked again, and what is not.

use chancery_testkit::{minutes, seconds};

use crate::suite::{in_each_flow, through};

/// oidcc-prompt-login
#[test]
fn prompt_login() {
    in_each_flow(|suite| {
        let ua = suite.kit.user_agent();
        let first = suite.outcome(&ua, &suite.request());
        suite.kit.clock.advance(seconds(2));
        let again = suite.request().set("prompt", "login");
        let login = again.open(&ua).expect_page("login");
        let second = suite.answered(&again, &through(login));
        assert!(second.auth_time() > first.auth_time());
        assert_eq!(second.id_token.claims["sub"], first.id_token.claims["sub"]);
    });
}

/// oidcc-prompt-none-not-logged-in
#[test]
fn prompt_none_not_logged_in() {
    in_each_flow(|suite| {
        let ua = suite.kit.user_agent();
        let tab = suite.request().set("prompt", "none").open(&ua);
        suite.check_error(&tab, &["login_required"]);
    });
}

/// oidcc-prompt-none-logged-in
#[test]
fn prompt_none_logged_in() {
    in_each_flow(|suite| {
        let ua = suite.kit.user_agent();
        let first = suite.outcome(&ua, &suite.request());
        suite.kit.clock.advance(seconds(2));
        let silent = suite.request().set("prompt", "none");
        let second = suite.answered(&silent, &silent.open(&ua).expect_arrival());
        for name in ["sub", "auth_time"] {
            assert_eq!(second.id_token.claims[name], first.id_token.claims[name], "{name}");
        }
    });
}

/// oidcc-max-age-1
#[test]
fn max_age_1() {
    in_each_flow(|suite| {
        let ua = suite.kit.user_agent();
        let first = suite.outcome(&ua, &suite.request());
        suite.kit.clock.advance(seconds(2));
        let again = suite.request().set("max_age", "1");
        let second = suite.answered(&again, &through(again.open(&ua).expect_page("login")));
        assert_eq!(second.auth_time(), first.auth_time().map(|time| time + 2));
    });
}

/// oidcc-max-age-10000
#[test]
fn max_age_10000() {
    in_each_flow(|suite| {
        let ua = suite.kit.user_agent();
        let first = suite.outcome(&ua, &suite.request().set("max_age", "15000"));
        suite.kit.clock.advance(minutes(1));
        let again = suite.request().set("max_age", "10000");
        let second = suite.answered(&again, &again.open(&ua).expect_arrival());
        assert_eq!(second.auth_time(), first.auth_time());
    });
}

/// oidcc-id-token-hint
#[test]
fn id_token_hint() {
    in_each_flow(|suite| {
        let ua = suite.kit.user_agent();
        let first = suite.outcome(&ua, &suite.request());
        let hinted = suite.request().set("prompt", "none");
        let hinted = hinted.set("id_token_hint", &first.id_token_text);
        let second = suite.answered(&hinted, &hinted.open(&ua).expect_arrival());
        assert_eq!(second.id_token.claims["sub"], first.id_token.claims["sub"]);
    });
}

//! RFC 9396 section 7.1: what the provider adds to what a client asks for is what the person reads and what is granted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chancery_core::error::Fault;
use chancery_core::model::{Account, AuthorizationDetail, Client};
use chancery_core::policy::{DetailFault, DetailType};
use chancery_testkit::TestProvider;
use serde_json::{Value, json};

use super::{asked, builder};

/// Statements of bank accounts: the client asks for them, and the provider adds which ones the person has.
#[derive(Clone, Default)]
struct Statements {
    /// How many accounts everybody has besides the first.
    more: Arc<AtomicUsize>,
}

impl DetailType for Statements {
    fn name(&self) -> &str {
        "statements"
    }

    fn check(&self, detail: &AuthorizationDetail, _: &Client) -> Result<(), DetailFault> {
        match detail.members().find(|(name, _)| !matches!(*name, "actions" | "accounts")) {
            Some(_) => Err(DetailFault::MemberUnknown),
            None if detail.strings("accounts").count() > 3 => Err(DetailFault::MemberValue),
            None => Ok(()),
        }
    }

    async fn enriched(
        &self,
        detail: &AuthorizationDetail,
        _: &Client,
        account: &Account,
    ) -> Result<AuthorizationDetail, Fault> {
        let all = 0..=self.more.load(Ordering::Relaxed);
        let accounts: Vec<Value> = all.map(|n| format!("{}-{n}", account.id.as_str()).into()).collect();
        Ok(detail.clone().with("accounts", accounts.into()))
    }
}

fn provider() -> (TestProvider, Statements) {
    let statements = Statements::default();
    (
        builder().configure(|config| config.ciba.offered = true).detail_type(statements.clone()).build(),
        statements,
    )
}

fn wanted() -> Value {
    json!([{"type": "statements", "actions": ["read"]}])
}

fn of(accounts: &[&str]) -> Value {
    json!([{"type": "statements", "actions": ["read"], "accounts": accounts}])
}

/// Each person reads what is theirs, and that is granted, told and introspected.
#[test]
fn what_is_added_is_shown_and_granted() {
    let (kit, statements) = provider();
    statements.more.store(1, Ordering::Relaxed);
    for person in ["alice", "bob"] {
        let ua = kit.user_agent();
        let page = asked(&kit, &wanted()).open(&ua).login(person).expect_page("consent");
        let accounts = [format!("{person}-0"), format!("{person}-1")];
        let accounts = accounts.each_ref().map(String::as_str);
        assert!(accounts.iter().all(|account| page.page().text.contains(account)), "{}", page.page().text);
        let tokens = kit.exchange(&page.allow().expect_code()).expect_status(200);
        assert_eq!(tokens["authorization_details"], of(&accounts));
        let seen = kit.introspect("app", tokens.member("access_token"));
        assert_eq!(seen["authorization_details"], of(&accounts));
        let refreshed = kit.refresh("app", tokens.member("refresh_token")).expect_status(200);
        assert_eq!(refreshed["authorization_details"], of(&accounts));
    }
}

/// A yes is for what was shown: if something else would be granted now, the person is asked about that.
#[test]
fn what_has_changed_is_asked_again() {
    let (kit, statements) = provider();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let page = asked(&kit, &wanted()).open(&ua).expect_page("consent");
    statements.more.store(2, Ordering::Relaxed);
    let again = page.allow().expect_page("consent");
    assert!(again.page().text.contains("alice-2"), "{}", again.page().text);
    let tokens = kit.exchange(&again.allow().expect_code()).expect_status(200);
    assert_eq!(tokens["authorization_details"], of(&["alice-0", "alice-1", "alice-2"]));
}

/// On the page for approvals, too (CIBA Core section 8).
#[test]
fn at_another_device() {
    let (kit, _) = provider();
    kit.put_ciba_client("till", "poll", json!({}));
    let request = kit.backchannel_request("till", "openid");
    let till = kit.backchannel_by("till", request.param("authorization_details", &wanted().to_string()));
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let page = ua.get(&till.link()).expect_page("approve");
    assert!(page.page().text.contains("alice-0"), "{}", page.page().text);
    let _ = page.allow().expect_page("approval-done");
    assert_eq!(till.poll().expect_status(200)["authorization_details"], of(&["alice-0"]));
}

/// A type that adds what it would refuse is broken: nothing is shown, and nothing is granted.
#[test]
fn what_a_type_must_not_add() {
    let (kit, statements) = provider();
    statements.more.store(3, Ordering::Relaxed);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let _ = asked(&kit, &wanted()).open(&ua).expect_page("error");
}

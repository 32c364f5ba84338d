use chancery_core::error::{Fault, Reason};
use chancery_core::event::{GrantEnd, LoginAttempt, RefusedClient};
use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{AccountId, ClientId};

use http::StatusCode;

use super::*;

const REASON: Reason = Reason {
    name: "of_a_test",
    code: ErrorCode::InvalidClient,
    description: "",
    section: "RFC 6749 section 5.2",
};

fn metrics() -> Metrics {
    Metrics::new(&StoreTimes::default())
}

fn attempt(n: u32) -> LoginAttempt {
    LoginAttempt {
        account: None,
        name_digest: format!("digest {n}").into(),
        client: ClientId::parse(&format!("client-{n}")).unwrap(),
    }
}

/// One of each sort that is counted apart, by the n-th client, person and network.
fn events(n: u32) -> Vec<Event> {
    let client = ClientId::parse(&format!("client-{n}")).unwrap();
    let account = AccountId::parse(&format!("account-{n}")).unwrap();
    vec![
        Event::LoginSucceeded { account: account.clone(), client: client.clone() },
        Event::LoginFailed { attempt: attempt(n), reason: "wrong_password" },
        Event::LoginThrottled { attempt: attempt(n), wait: Duration::from_secs(1) },
        Event::LoginBusy { attempt: attempt(n) },
        Event::TokensIssued {
            client: client.clone(),
            grant_type: GrantType::parse(&format!("urn:example:{n}")).unwrap(),
            account: None,
        },
        Event::TokensIssued {
            client: client.clone(),
            grant_type: GrantType::RefreshToken,
            account: Some(account.clone()),
        },
        Event::GrantEnded {
            client: client.clone(),
            account: Some(account.clone()),
            why: GrantEnd::RefreshTokenReplayed,
        },
        Event::Refused {
            endpoint: Endpoint::Token,
            reason: &REASON,
            client: Some(RefusedClient::Claimed(client.clone())),
            redirect_uri: None,
            origins: None,
            methods: None,
        },
        Event::Faulted {
            endpoint: Endpoint::Token,
            fault: Fault::internal(format!("fault {n}")),
            client: Some(RefusedClient::Claimed(client.clone())),
        },
        Event::LogoutNotified { client: client.clone(), account },
        Event::PromptShown { client, prompt: format!("prompt {n}").into(), account: None },
    ]
}

fn text(metrics: &Metrics) -> String {
    metrics.text(&Reading::default())
}

/// LD-14: however many clients, people and networks there are, there are no more series.
#[test]
fn what_others_send_is_no_label() {
    let metrics = metrics();
    let count = |n: u32| {
        for event in events(n) {
            metrics.hear(&event);
        }
        metrics.request(Some(Endpoint::Token)).answered(StatusCode::OK);
        text(&metrics).lines().filter(|line| !line.starts_with('#')).count()
    };
    let after_one = count(0);
    for n in 1..200 {
        assert_eq!(count(n), after_one);
    }
    let text = text(&metrics);
    for sent in ["client-", "account-", "192.0.2", "digest", "urn:example", "fault 1", "prompt 1"] {
        assert!(!text.contains(sent), "{sent}");
    }
    for counted in [
        r#"chancery_logins_total{outcome="succeeded"} 200"#,
        r#"chancery_logins_total{outcome="wrong_password"} 200"#,
        r#"chancery_logins_total{outcome="throttled"} 200"#,
        r#"chancery_logins_total{outcome="busy"} 200"#,
        r#"chancery_logins_total{outcome="unknown_name"} 0"#,
        r#"chancery_tokens_issued_total{grant_type="extension"} 200"#,
        r#"chancery_tokens_issued_total{grant_type="refresh_token"} 200"#,
        r#"chancery_tokens_issued_total{grant_type="authorization_code"} 0"#,
        r#"chancery_grants_ended_total{why="refresh_token_replayed"} 200"#,
        r#"chancery_refusals_total{endpoint="token",reason="of_a_test"} 200"#,
        r#"chancery_faults_total{endpoint="token",fault="internal"} 200"#,
        r#"chancery_notices_total{about="logout",outcome="delivered"} 200"#,
        r#"chancery_events_total{event="tokens_issued"} 400"#,
        r#"chancery_requests_total{endpoint="token",status="200"} 200"#,
        r#"chancery_request_duration_seconds_count{endpoint="token"} 200"#,
        "chancery_requests_in_flight 0",
    ] {
        assert!(text.lines().any(|line| line == counted), "{counted}\n{text}");
    }
}

/// A request whose client goes before the answer is counted, too, and is in flight no more.
#[test]
fn a_request_that_nobody_waits_for_is_counted() {
    let metrics = metrics();
    let request = metrics.request(None);
    assert!(text(&metrics).contains("chancery_requests_in_flight 1\n"));
    drop(request);
    let text = text(&metrics);
    assert!(text.contains("chancery_requests_in_flight 0\n"));
    assert!(text.contains("chancery_requests_total{endpoint=\"none\",status=\"499\"} 1\n"), "{text}");
}

#[test]
fn sweeps_are_counted_by_their_outcome() {
    let metrics = metrics();
    metrics.swept(Instant::now(), Some(3));
    metrics.swept(Instant::now(), None);
    metrics.rejected(2);
    let text = text(&metrics);
    for counted in [
        "chancery_sweep_removed_total 3",
        "chancery_sweep_failures_total 1",
        "chancery_connections_rejected_total 2",
    ] {
        assert!(text.lines().any(|line| line == counted), "{counted}\n{text}");
    }
}

/// What is counted again takes no memory.
#[test]
fn counting_allocates_nothing() {
    let metrics = metrics();
    let (events, status) = (events(0), StatusCode::OK);
    let count = || {
        events.iter().for_each(|event| metrics.hear(event));
        metrics.request(Some(Endpoint::Token)).answered(status);
    };
    count();
    assert_eq!(allocation_counter::measure(count).count_total, 0);
}

/// What is at hand for an endpoint is its own, for what is ordinary and for what is not.
#[test]
fn each_endpoint_is_counted_under_its_name() {
    let metrics = metrics();
    for status in [StatusCode::OK, StatusCode::SEE_OTHER, StatusCode::BAD_REQUEST] {
        for endpoint in Endpoint::ALL {
            metrics.request(Some(*endpoint)).answered(status);
        }
    }
    let text = text(&metrics);
    for endpoint in Endpoint::ALL {
        for status in [200, 303, 400] {
            let counted = format!("chancery_requests_total{{endpoint=\"{endpoint}\",status=\"{status}\"}} 1");
            assert!(text.lines().any(|line| line == counted), "{counted}\n{text}");
        }
        let timed = format!("chancery_request_duration_seconds_count{{endpoint=\"{endpoint}\"}} 3");
        assert!(text.lines().any(|line| line == timed), "{timed}\n{text}");
    }
}

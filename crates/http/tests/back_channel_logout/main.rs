//! OpenID Connect Back-Channel Logout 1.0: who is told that a session has ended, what, when, and how often.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Waker};
use std::time::Duration;

use chancery_core::event::{Event, NotificationFailure};
use chancery_store_memory::MemoryStore;
use chancery_testkit::{
    Fetched, Task, TestProvider, UserAgent, days, hours, let_others_take, millis, minutes, race, seconds,
    wait,
};
use chancery_types::{AccountId, ClientId, Params};
use serde_json::json;

mod lanes;

const SECRET: &str = "a-secret-of-forty-three-characters-for-test";

/// A client that is told at `https://{id}.example/logout`.
fn client(id: &str) -> String {
    format!(
        r#"{{"client_id":"{id}","client_secret":"{SECRET}","redirect_uris":["https://{id}.example/cb"],
            "id_token_signed_response_alg":"ES256","backchannel_logout_uri":"https://{id}.example/logout",
            "post_logout_redirect_uris":["https://{id}.example/bye"],"chancery":{{"consent":"implied"}}}}"#
    )
}

fn url(id: &str) -> String {
    format!("https://{id}.example/logout")
}

fn provider(clients: &[&str]) -> TestProvider {
    let builder = clients.iter().fold(TestProvider::builder(), |builder, id| builder.client(&client(id)));
    let kit = builder.build();
    clients.iter().for_each(|id| kit.fetch.answers(&url(id), 200, ""));
    kit
}

/// The account signs in to the client in this browser; returns the ID token.
fn sign_in(ua: &UserAgent<'_>, account: &str, client: &str) -> String {
    let kit = ua.provider();
    let tab = kit.authorization_request(client).scope("openid").open(ua);
    let tab = if tab.is_answered_with("code") { tab } else { tab.login(account) };
    kit.exchange(&tab.expect_code()).expect_status(200).member("id_token").to_owned()
}

/// Signs out of this browser by a hint.
fn sign_out(ua: &UserAgent<'_>, hint: &str) {
    let tab = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}"));
    let _ = tab.expect_page("logout-done");
}

/// The one parameter of a notice.
fn logout_token(sent: &Fetched) -> String {
    let form = Params::parse(sent.form.as_deref().expect("a POST")).expect("a form");
    let fields: Vec<_> = form.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let [(name, token)] = fields.as_slice() else { panic!("only the logout token: {fields:?}") };
    assert_eq!(name, "logout_token");
    token.clone()
}

/// The addresses that were asked since this was asked last, each once.
fn told(kit: &TestProvider) -> BTreeSet<String> {
    kit.fetch.asked().into_iter().map(|sent| sent.url).collect()
}

fn claims(kit: &TestProvider, token: &str, client: &str) -> serde_json::Value {
    kit.try_verify(token, client).expect("a token that verifies").claims
}

/// oidcc-backchannel-logout-discovery-endpoint-verification
#[test]
fn it_is_announced() {
    let metadata = TestProvider::new().get("/.well-known/openid-configuration");
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
    assert!(metadata["end_session_endpoint"].is_string());
}

/// oidcc-backchannel-rp-initiated-logout, OUT-12: the logout token, sections 2.4 to 2.6.
#[test]
fn the_logout_token() {
    let kit = provider(&["rp"]);
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    let id_token = claims(&kit, &hint, "rp");
    kit.clock.advance(minutes(5));
    sign_out(&ua, &hint);
    kit.clock.advance(millis(20));
    assert_eq!(kit.deliver(), [notified("rp", "alice")]);
    let sent = kit.fetch.asked();
    let [sent] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(sent.url, url("rp"));
    let verified = kit.try_verify(&logout_token(sent), "rp").expect("a token that verifies");
    assert_eq!(verified.header.typ.as_deref(), Some("logout+jwt"));
    assert_eq!(verified.header.alg.name(), "ES256");
    assert_eq!(verified.names, ["iss", "sub", "aud", "iat", "exp", "jti", "events", "sid"]);
    let now = kit.now().secs();
    for (name, expected) in [
        ("iss", json!("https://id.example")),
        ("sub", id_token["sub"].clone()),
        ("aud", json!("rp")),
        ("sid", id_token["sid"].clone()),
        ("iat", json!(now)),
        ("exp", json!(now + 120)),
        ("events", json!({"http://schemas.openid.net/event/backchannel-logout": {}})),
    ] {
        assert_eq!(verified.claims[name], expected, "{name}");
    }
    assert!(kit.deliver().is_empty() && kit.fetch.asked().is_empty(), "told once");
}

fn notified(client: &str, account: &str) -> Event {
    let client = ClientId::parse(client).expect("a client id");
    Event::LogoutNotified { client, account: AccountId::parse(account).expect("an account id") }
}

/// A client with an HMAC is told under its own secret.
#[test]
fn a_secret_signs_as_for_id_tokens() {
    let kit = provider(&[]);
    kit.put_client(&client("shared").replace("ES256", "HS256"));
    kit.fetch.answers(&url("shared"), 204, "");
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "shared");
    sign_out(&ua, &hint);
    assert_eq!(kit.deliver(), [notified("shared", "alice")]);
    let token = logout_token(&kit.fetch.asked()[0]);
    let verified = kit.try_verify(&token, "shared").expect("a token that verifies");
    assert_eq!((verified.header.alg.name(), verified.header.typ.as_deref()), ("HS256", Some("logout+jwt")));
}

/// OUT-08, OUT-14: everybody who took part is told, the client that asked included; nobody else, and nobody who is
/// no longer the same.
#[test]
fn who_took_part_is_told() {
    let kit = provider(&["a", "b", "elsewhere", "gone", "replaced", "disabled", "moved", "quiet"]);
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "a");
    for id in ["b", "gone", "replaced", "disabled", "moved", "quiet"] {
        sign_in(&ua, "alice", id);
    }
    ua.has_visited("web");
    sign_in(&kit.user_agent(), "alice", "elsewhere");
    kit.remove_client("gone");
    kit.replace_client(&client("replaced"));
    sign_out(&ua, &hint);
    kit.put_client(&client("disabled").replace(r#""consent""#, r#""enabled":false,"consent""#));
    kit.put_client(&client("moved").replace("example/logout", "example/new"));
    kit.put_client(
        &client("quiet").replace(r#""backchannel_logout_uri":"https://quiet.example/logout","#, ""),
    );
    kit.fetch.answers("https://moved.example/new", 200, "");
    let events = kit.deliver();
    assert_eq!(told(&kit), BTreeSet::from([url("a"), url("b"), "https://moved.example/new".to_owned()]));
    assert_eq!(events.len(), 3, "{events:?}");
    kit.clock.advance(days(1));
    assert!(kit.deliver().is_empty() && kit.fetch.asked().is_empty());
}

/// Whoever was disabled, or registered anew, before the session ended: a client that was disabled is not written to
/// when it is enabled again; one that takes part under its new registration is told.
#[test]
fn who_was_changed_before_the_end() {
    let kit = provider(&["a", "disabled", "replaced"]);
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "a");
    for id in ["disabled", "replaced"] {
        sign_in(&ua, "alice", id);
    }
    let enabled =
        |is: bool| client("disabled").replace(r#""consent""#, &format!(r#""enabled":{is},"consent""#));
    kit.put_client(&enabled(false));
    kit.replace_client(&client("replaced"));
    sign_in(&ua, "alice", "replaced");
    sign_out(&ua, &hint);
    kit.put_client(&enabled(true));
    kit.clock.advance(seconds(2));
    kit.deliver();
    assert_eq!(told(&kit), BTreeSet::from([url("a"), url("replaced")]));
}

/// Every session of a person ends, however many there are.
#[test]
fn more_sessions_than_are_read_at_once() {
    let kit = TestProvider::new();
    for _ in 0..205 {
        kit.user_agent().signed_in("alice");
    }
    assert_eq!(kit.end_sessions("alice").0, 205);
}

/// Logout: two calls of the store with 200 clients.
#[test]
fn two_trips_with_any_number_of_clients() {
    let ids: Vec<String> = (0..199).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let kit = provider(&[&["rp"], ids.as_slice()].concat());
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    ids.iter().for_each(|id| ua.has_visited(id));
    let ((), trips) = kit.trips(|| sign_out(&ua, &hint));
    assert_eq!(trips, 2);
    assert_eq!(kit.deliver().len(), 200);
    assert_eq!(told(&kit).len(), 200);
}

/// However a session ends, its clients are told: by a page or a command, as the oldest of a full list, in favour of
/// another login, or because it is full.
#[test]
fn whatever_ends_a_session_tells() {
    let kit = provider(&["rp"]);
    let (one, other) = (kit.user_agent(), kit.user_agent());
    sign_in(&one, "alice", "rp");
    sign_in(&other, "alice", "rp");
    sign_in(&kit.user_agent(), "bob", "rp");
    let (ended, events) = kit.end_sessions("alice");
    assert_eq!((ended, events.len()), (2, 2));
    assert_eq!(kit.deliver(), [notified("rp", "alice"), notified("rp", "alice")]);
    assert_eq!(kit.end_sessions("alice").0, 0);

    // The password was changed before: the sessions are worth nothing, but their clients do not know yet.
    sign_in(&one, "alice", "rp");
    kit.accounts.sign_out_everywhere("alice");
    assert_eq!(kit.end_sessions("alice").0, 1);
    assert_eq!(kit.deliver(), [notified("rp", "alice")]);

    let ua = kit.user_agent();
    sign_in(&ua, "bob", "rp");
    for n in 0..4 {
        let account = format!("person-{n}");
        kit.accounts.add(&account);
        let chooser =
            kit.authorization_request("rp").scope("openid").set("prompt", "select_account").open(&ua);
        let _ = chooser.choose_another().login(&account).expect_code();
    }
    assert_eq!(kit.deliver(), [notified("rp", "bob")], "a fifth login ends the oldest");
}

/// OUT-13: 2xx, 3xx and 4xx end it, everything else is tried again; also 408 and 429, which ask for that. Redirects are not
/// followed.
#[test]
fn what_an_answer_means() {
    for (status, is_told, is_over) in [
        (200, true, true),
        (204, true, true),
        (299, true, true),
        (400, false, true),
        (404, false, true),
        (408, false, false),
        (429, false, false),
        (301, false, true),
        (303, false, true),
        (307, false, true),
        (500, false, false),
        (503, false, false),
        (199, false, false),
    ] {
        let kit = provider(&["rp"]);
        kit.fetch.answers(&url("rp"), status, "whatever");
        let ua = kit.user_agent();
        let hint = sign_in(&ua, "alice", "rp");
        sign_out(&ua, &hint);
        let events = kit.deliver();
        let [event] = events.as_slice() else { panic!("{events:?}") };
        match event {
            Event::LogoutNotified { .. } => assert!(is_told, "{status}"),
            Event::LogoutNotificationFailed { why, retry_in, .. } => {
                assert_eq!(
                    (why, retry_in.is_none(), false),
                    (&NotificationFailure::Status(status), is_over, is_told)
                )
            }
            other => panic!("{other:?}"),
        }
        kit.fetch.asked();
        kit.clock.advance(minutes(1));
        kit.deliver();
        assert_eq!(kit.fetch.asked().is_empty(), is_over, "{status}");
    }
}

/// A client that is down is tried again after about 1 s, 2 s, 4 s … 10 min, for a day, each time with another `jti`;
/// then an event says that it was given up.
#[test]
fn a_client_that_is_down_is_tried_for_a_day() {
    let kit = provider(&["rp"]);
    kit.fetch.answers(&url("rp"), 503, "");
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    let begun = kit.now();
    sign_out(&ua, &hint);
    let (mut waits, mut tokens) = (Vec::new(), BTreeSet::new());
    loop {
        let events = kit.deliver();
        let [Event::LogoutNotificationFailed { retry_in, .. }] = events.as_slice() else {
            panic!("{events:?}")
        };
        let token = logout_token(&kit.fetch.asked()[0]);
        let token = claims(&kit, &token, "rp");
        assert_eq!(token["iat"], kit.now().secs());
        assert!(tokens.insert(token["jti"].to_string()), "a new jti");
        let Some(wait) = retry_in else { break };
        waits.push(*wait);
        kit.clock.advance(*wait - millis(1));
        assert!(kit.deliver().is_empty() && kit.fetch.asked().is_empty(), "not earlier");
        kit.clock.advance(millis(1));
    }
    for (n, wait) in waits.iter().enumerate() {
        let planned = seconds(600).min(seconds(1 << n.min(12)));
        assert!(*wait >= planned * 4 / 5 && *wait <= planned * 6 / 5, "{n}: {wait:?}");
    }
    assert!(waits.iter().collect::<BTreeSet<_>>().len() > waits.len() / 2, "with jitter");
    let tried_for = kit.now().since(begun);
    assert!(tried_for > hours(23) && tried_for <= hours(24), "{tried_for:?}");
    kit.clock.advance(hours(1));
    assert!(kit.deliver().is_empty() && kit.fetch.asked().is_empty());
}

/// The clock was ahead and is set right: the time of a notice is that of now, because a client refuses one of the future
/// (section 2.6), and a wait lasts as long as it says.
#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    for ahead in [seconds(2), minutes(2), days(1)] {
        let kit = provider(&["rp"]);
        let right = kit.now();
        kit.clock.advance(ahead);
        assert!(kit.deliver().is_empty(), "the worker has run in the meantime");
        kit.clock.set(right + seconds(1));
        kit.fetch.answers(&url("rp"), 503, "");
        let ua = kit.user_agent();
        let hint = sign_in(&ua, "alice", "rp");
        sign_out(&ua, &hint);
        assert_eq!(kit.deliver().len(), 1, "{ahead:?}");
        let token = claims(&kit, &logout_token(&kit.fetch.asked()[0]), "rp");
        assert_eq!(token["iat"], kit.now().secs(), "{ahead:?}");
        kit.fetch.answers(&url("rp"), 200, "");
        kit.clock.advance(seconds(2));
        assert_eq!(kit.deliver(), [notified("rp", "alice")], "{ahead:?}");
    }
}

/// A client whose tokens are signed with its secret cannot be told while it has none that is good: it is asked nothing,
/// tried for as long as one that is down, and told as soon as it has another.
#[test]
fn a_client_whose_secret_has_expired_is_told_with_the_next_one() {
    let by_secret = |secret: &str, ends: u64| {
        client("rp")
            .replace("\"ES256\"", "\"HS256\"")
            .replace(SECRET, secret)
            .replace("\"redirect_uris\"", &format!("\"client_secret_expires_at\":{ends},\"redirect_uris\""))
    };
    for is_renewed in [true, false] {
        let kit = TestProvider::builder().build();
        kit.fetch.answers(&url("rp"), 200, "");
        let ends = kit.now() + minutes(10);
        kit.put_client(&by_secret(SECRET, ends.secs().unsigned_abs()));
        let ua = kit.user_agent();
        sign_in(&ua, "alice", "rp");
        kit.clock.advance(minutes(11));
        kit.end_sessions("alice");
        let events = kit.deliver();
        let [
            Event::LogoutNotificationFailed {
                why: NotificationFailure::Unsigned(_),
                retry_in: Some(wait),
                ..
            },
        ] = events.as_slice()
        else {
            panic!("{events:?}")
        };
        assert!(kit.fetch.asked().is_empty(), "there is nothing to send");
        kit.clock.advance(*wait);
        if is_renewed {
            let next = "another-secret-of-forty-three-characters-xx";
            kit.put_client(&by_secret(next, (kit.now() + days(1)).secs().unsigned_abs()));
            assert_eq!(kit.deliver(), [notified("rp", "alice")]);
            assert_eq!(kit.fetch.asked().len(), 1);
            continue;
        }
        let mut last = Vec::new();
        while kit.now() < ends + hours(25) {
            last.extend(kit.deliver());
            kit.clock.advance(minutes(10));
        }
        assert!(
            matches!(last.last(), Some(Event::LogoutNotificationFailed { retry_in: None, .. })),
            "{last:?}"
        );
        assert!(kit.fetch.asked().is_empty() && kit.deliver().is_empty());
    }
}

async fn deliver(kit: &TestProvider) -> usize {
    kit.provider.deliver(kit.now()).await.expect("the store")
}

/// Whether it ends, if everything that it waits for does.
fn ends(what: &mut (impl Future + Unpin)) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    (0..500).any(|_| Pin::new(&mut *what).poll(&mut context).is_ready())
}

/// A key service that never answers: the attempt is given up after ten seconds, nothing is sent, and it is made again as
/// after any other failure. Later runs go on meanwhile.
#[test]
fn a_signature_that_never_comes_is_given_up() {
    let kit = provider(&["rp"]);
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    sign_out(&ua, &hint);
    kit.key_service.hang();
    let begun = kit.now();
    let mut hanging = Box::pin(deliver(&kit));
    while !ends(&mut hanging) {
        assert!(kit.now().since(begun) < seconds(10), "it is not given up");
        kit.clock.advance(seconds(1));
        assert!(ends(&mut Box::pin(deliver(&kit))), "nothing else is due");
    }
    assert_eq!(kit.now().since(begun), seconds(10));
    assert!(kit.fetch.asked().is_empty());
    let events = kit.delivered();
    let [
        Event::LogoutNotificationFailed {
            why: NotificationFailure::Unreachable(fault),
            retry_in: Some(wait),
            ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert!(fault.to_string().contains("longer than 10 s"), "{fault}");
    kit.key_service.answer_again();
    kit.clock.advance(*wait);
    assert_eq!(kit.deliver(), [notified("rp", "alice")]);
}

/// A worker runs each second for so long, and time goes on until all of them have ended.
fn while_time_passes(kit: &TestProvider, duration: Duration) {
    let begun = kit.now();
    let at_work = AtomicU64::new(duration.as_secs());
    let clock: Task<'_, ()> = Box::pin(async {
        while at_work.load(Ordering::Relaxed) > 0 {
            let_others_take(1).await;
            kit.clock.advance(millis(20));
        }
    });
    let workers = (0..duration.as_secs()).map(|n| -> Task<'_, ()> {
        let (begins, at_work) = (begun + seconds(n), &at_work);
        Box::pin(async move {
            while kit.now() < begins {
                let_others_take(1).await;
            }
            deliver(kit).await;
            at_work.fetch_sub(1, Ordering::Relaxed);
        })
    });
    race(1, std::iter::once(clock).chain(workers).collect());
}

/// A worker that is killed loses nothing: what it had leased comes back, and is sent with another `jti`.
#[test]
fn a_crash_loses_nothing() {
    let kit = provider(&["a", "b"]);
    kit.fetch.hangs(&url("a"));
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "a");
    sign_in(&ua, "alice", "b");
    sign_out(&ua, &hint);
    // It is polled a few times, and then dropped.
    let cut: Task<'_, ()> = Box::pin(async {
        let mut delivery = Box::pin(kit.provider.deliver(kit.now()));
        for _ in 0..200 {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(delivery.as_mut().poll(&mut context).is_pending());
        }
    });
    wait(cut);
    let before: Vec<_> =
        kit.fetch.asked().iter().map(|sent| (sent.url.clone(), logout_token(sent))).collect();
    kit.clock.advance(seconds(59));
    kit.deliver();
    assert!(kit.fetch.asked().is_empty(), "still leased");
    kit.clock.advance(seconds(1));
    while_time_passes(&kit, seconds(1));
    let after: Vec<_> = kit.fetch.asked().iter().map(|sent| (sent.url.clone(), logout_token(sent))).collect();
    assert_eq!(after.len(), 1, "the other one was told: {after:?}");
    let first = before.iter().find(|(url, _)| *url == after[0].0).expect("it was tried before");
    let jti = |token: &str| claims(&kit, token, "a")["jti"].to_string();
    assert_ne!(jti(&first.1), jti(&after[0].1));
}

/// Workers of several nodes at the same time send each notice once.
#[test]
fn many_workers_send_once() {
    let store = Arc::new(MemoryStore::new());
    let ids: Vec<String> = (0..20).map(|n| format!("c{n}")).collect();
    let builder = || TestProvider::builder().store(store.clone());
    let one = ids.iter().fold(builder(), |builder, id| builder.client(&client(id))).build();
    let other = ids.iter().fold(builder().keys_of(&one), |builder, id| builder.client(&client(id))).build();
    let ua = one.user_agent();
    for kit in [&one, &other] {
        ids.iter().for_each(|id| kit.fetch.answers(&url(id), 200, ""));
    }
    for seed in 0..20 {
        let hint = sign_in(&ua, "alice", "c0");
        ids.iter().skip(1).for_each(|id| ua.has_visited(id));
        sign_out(&ua, &hint);
        let worker = |kit| -> Task<'_, usize> { Box::pin(deliver(kit)) };
        let sent = race(seed, vec![worker(&one), worker(&other), worker(&one)]);
        assert_eq!(sent.iter().sum::<usize>(), 20, "{sent:?}");
        assert_eq!(one.fetch.asked().len() + other.fetch.asked().len(), 20);
    }
}

/// Of two realms in one store, each sends its own notices.
#[test]
fn realms_send_their_own() {
    let store = Arc::new(MemoryStore::new());
    let realm = |name: &str| {
        let kit = TestProvider::builder().store(store.clone()).realm(name).client(&client("rp")).build();
        kit.fetch.answers(&url("rp"), 200, "");
        kit
    };
    let (one, other) = (realm("one"), realm("other"));
    let ua = one.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    sign_out(&ua, &hint);
    assert!(other.deliver().is_empty() && other.fetch.asked().is_empty());
    one.clock.advance(seconds(2));
    assert_eq!(one.deliver(), [notified("rp", "alice")]);
}

/// A client that joins the session while it ends is told, or gets no code that is worth anything.
#[test]
fn a_client_that_joins_meanwhile_is_told() {
    let mut met = BTreeMap::<(bool, bool), u32>::new();
    for seed in 0..60 {
        let kit = provider(&["rp", "late"]);
        let ua = kit.user_agent();
        let hint = sign_in(&ua, "alice", "rp");
        let logout = ua.to_http_get(&format!("/logout?id_token_hint={hint}"));
        let join = ua.to_http(&kit.authorization_request("late").scope("openid"));
        let answers = kit.send_at_once(seed, vec![logout, join]);
        let has_code = answers[1].header("location").is_some_and(|to| to.contains("code="));
        kit.deliver();
        let told = told(&kit);
        assert!(told.contains(&url("rp")));
        let late = told.contains(&url("late"));
        assert!(late || !has_code, "seed {seed}");
        *met.entry((has_code, late)).or_default() += 1;
    }
    assert!(met.len() > 1, "both orders were met: {met:?}");
}

/// The worker is woken when there is something to send, and only then.
#[test]
fn the_worker_is_woken() {
    use std::sync::atomic::{AtomicU32, Ordering};
    struct Count(AtomicU32);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let count = Arc::new(Count(AtomicU32::new(0)));
    let kit = TestProvider::builder().client(&client("rp")).worker(Arc::clone(&count).into()).build();
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "rp");
    assert_eq!(count.0.load(Ordering::SeqCst), 0);
    sign_out(&ua, &hint);
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    sign_out(&ua, &hint);
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
}

/// OUT-15: bad input: sessions that merely expire tell nobody, and without a way to reach others a notice waits.
#[test]
fn what_must_not_be() {
    let kit = provider(&["rp"]);
    let ua = kit.user_agent();
    sign_in(&ua, "alice", "rp");
    kit.clock.advance(days(15));
    assert!(kit.run_once() > 0 && kit.fetch.asked().is_empty());
    let _ = ua.follow_from_another_site("/logout").expect_page("logout-done");
    assert!(kit.deliver().is_empty());
}

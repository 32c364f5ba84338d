//! How often the hot paths allocate: a figure that does not depend on the machine. Each bound is what was
//! counted, with a tenth to spare; the test kit's own part (recording the answer and its events) is in it.

use chancery_testkit::{SECRET, TestProvider, seconds};
use serde_json::json;

/// Allocations of one request, after a first one has filled what is filled once.
fn allocations(mut request: impl FnMut()) -> u64 {
    request();
    allocation_counter::measure(request).count_total
}

#[test]
fn hot_paths_allocate_little() {
    let kit = TestProvider::builder().configure(|config| config.device_authorization.offered = true).build();
    let tokens = kit.tokens("alice", "web", "openid offline_access");
    let access_token = tokens.member("access_token");
    let introspection = kit.introspection_request("web", access_token).to_http();
    let userinfo =
        kit.anonymous_request("/userinfo").header("authorization", &format!("Bearer {access_token}")).get();
    let userinfo = userinfo.to_http();
    let machine = kit.client_credentials_request("machine").to_http();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_visited("web");
    ua.has_consented("alice", "web", "openid");
    let authorization = kit.authorization_request("web").scope("openid");
    kit.put_device_client("box", json!({"client_secret": SECRET}));
    let device = kit.device("box", "openid").poll_request().to_http();
    let poll = || {
        kit.clock.advance(seconds(5));
        drop(kit.send(device.clone()));
    };

    let counted = [
        ("introspection", 67, allocations(|| drop(kit.send(introspection.clone())))),
        ("userinfo", 56, allocations(|| drop(kit.send(userinfo.clone())))),
        ("client_credentials", 53, allocations(|| drop(kit.send(machine.clone())))),
        ("a device's poll", 44, allocations(poll)),
        ("authorization", 172, allocations(|| drop(authorization.open(&ua)))),
    ];
    // What the engine itself does for a document.
    let documents = allocations(|| {
        let snapshot = kit.provider.snapshot();
        drop((snapshot.discovery.body.clone(), snapshot.jwks.body.clone()));
    });
    assert!(documents <= 2, "{documents}");

    let over: Vec<_> = counted.iter().filter(|(_, bound, count)| count > bound).collect();
    assert!(over.is_empty(), "more allocations than before (request, bound, counted): {over:?}");
}

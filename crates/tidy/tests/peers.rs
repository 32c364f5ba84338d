//! Who mounts a provider as we show it has to be as safe as the server is: guessing is slowed down by
//! network, which only the program around the service knows.

use chancery_tidy::Repository;

/// What a program does that answers requests of the network with a provider.
const SERVES: &[&str] = &["axum::serve(", "chancery::service(", "demo.service()"];

/// How a program tells the provider who calls: by itself, or by the helper for axum.
const TELLS: &[&str] = &["Peer(", "chancery::axum::serve("];

/// Whether a text shows how to serve, and leaves out the address of the peer.
fn forgets_the_peer(text: &str) -> bool {
    // An API whose tokens are those of a provider elsewhere asks nobody for a password.
    let has_no_provider = text.contains("ProtectedResource::trusting(") && !text.contains("Provider");
    let tells = TELLS.iter().any(|part| text.contains(part));
    SERVES.iter().any(|call| text.contains(call)) && !tells && !has_no_provider
}

#[test]
fn every_program_that_serves_says_where_a_request_comes_from() {
    let repository = Repository::open();
    let is_shown = |file: &String| {
        file.ends_with(".md")
            || file.starts_with("examples/")
            || file.starts_with("bench/src/")
            || file == "crates/chancery/src/lib.rs"
    };
    let files: Vec<String> = repository.files().into_iter().filter(is_shown).collect();
    assert!(
        files.iter().any(|file| file == "README.md")
            && files.iter().any(|file| file == "examples/minimal.rs")
    );
    let forgetful: Vec<_> = files.iter().filter(|file| forgets_the_peer(&repository.read(file))).collect();
    assert!(forgetful.is_empty(), "they serve and insert no `Peer`: {forgetful:#?}");
}

#[test]
fn what_is_left_out_is_seen() {
    assert!(forgets_the_peer("axum::serve(listener, app)"));
    assert!(!forgets_the_peer("request.extensions_mut().insert(Peer(ip)); axum::serve(listener, app)"));
    assert!(!forgets_the_peer("ProtectedResource::trusting(issuer, network); axum::serve(listener, app)"));
    assert!(forgets_the_peer(
        "Provider::new(); ProtectedResource::trusting(issuer); axum::serve(listener, app)"
    ));
    assert!(!forgets_the_peer(
        "let service = chancery::service(provider); chancery::axum::serve(listener, app, service)"
    ));
    assert!(!forgets_the_peer("a page about something else"));
}

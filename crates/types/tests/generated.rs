//! Parsers of the vocabulary under generated input: never a panic, and nothing is read that would not be
//! written so.

use chancery_seeded::Seeded;
use chancery_types::handle::{
    AccessToken, AuthorizationCode, Handle, Interaction, RefreshToken, RotatingHandle, Session,
};
use chancery_types::{Issuer, Params, RedirectUri, Scopes};

const ROUNDS: usize = 100_000;

/// PARM-08, PARM-15
#[test]
fn parameters_are_read_back_as_they_were_written() {
    let alphabet = [
        "a", "state", "=", "&", "%", "%4", "%41", "%00", "%ff", "%C3%A4", "+", " ", "ä", "\u{0}", "code",
        ";", "%2",
    ];
    let mut seeded = Seeded::new(1);
    let mut read = 0;
    for _ in 0..ROUNDS {
        let text = seeded.text(&alphabet, 12);
        let Ok(params) = Params::parse(&text) else { continue };
        read += 1;
        let written = params.encode();
        assert!(params.encodes_within(written.len()), "{text:?}");
        let one_less = written.len().checked_sub(1);
        assert!(!one_less.is_some_and(|one_less| params.encodes_within(one_less)), "{text:?}");
        let again = Params::parse(&written).unwrap();
        assert!(params == again, "{text:?} {written:?}");
        assert!(params.iter().all(|(name, value)| !name.contains('\0') && !value.contains('\0')), "{text:?}");
        for (name, _) in params.iter() {
            let sent = params.iter().filter(|(have, _)| *have == name).count();
            assert_eq!(params.one(name).is_err(), sent > 1, "{text:?}");
        }
    }
    assert!(read > ROUNDS / 10, "the generator makes too little that can be read: {read}");
}

/// AUTHZ-10, AUTHZ-15: whatever is read as a redirect URI is the text itself, and only a loopback port may be
/// taken off.
#[test]
fn redirect_uris_are_kept_byte_for_byte() {
    let alphabet = [
        "http://",
        "https://",
        "127.0.0.1",
        "[::1]",
        "localhost",
        "a.example",
        ":80",
        ":",
        "/cb",
        "/",
        "\\",
        "@",
        "#",
        "?x=1",
        "%2F",
        "%",
        "\n",
        "\t",
        "..",
        "com.example.app:/",
        "javascript:",
        "ä",
        " ",
        "A",
    ];
    let mut seeded = Seeded::new(2);
    let mut read = 0;
    for _ in 0..ROUNDS {
        let text = seeded.text(&alphabet, 5);
        let Ok(uri) = RedirectUri::parse(&text) else { continue };
        read += 1;
        assert_eq!(uri.as_str(), text);
        assert!(text.is_ascii() && !text.contains(['#', '\\', '\n', '\t', ' ']), "{text:?}");
        if let Some(bare) = uri.without_loopback_port() {
            assert!(text.starts_with("http://127.0.0.1") || text.starts_with("http://[::1]"), "{text:?}");
            assert!(bare.len() <= text.len());
        }
    }
    assert!(read > ROUNDS / 100, "the generator makes too little that can be read: {read}");
}

/// HTTP-23: a handle is what was revealed, to the last bit, and of one kind only.
#[test]
fn handles_are_read_exactly() {
    let mut seeded = Seeded::new(3);
    let mut secret = [0; 32];
    for round in 0..ROUNDS {
        secret[round % 32] = u8::try_from(seeded.number() & 0xff).unwrap();
        let handle =
            Handle::<AccessToken>::new(chancery_types::Partition([7, 7]), zeroize::Zeroizing::new(secret));
        let mut text = handle.reveal().into_bytes();
        // Behind the prefix, which is what tells the kinds apart.
        let (at, byte) = (2 + seeded.below(text.len() - 2), u8::try_from(seeded.number() & 0x7f).unwrap());
        text[at] = byte;
        let text = String::from_utf8(text).unwrap();
        if let Ok(read) = Handle::<AccessToken>::parse(&text) {
            assert_eq!(read.reveal(), text, "two texts of one handle");
        }
        assert!(Handle::<AuthorizationCode>::parse(&text).is_err());
        assert!(Handle::<Interaction>::parse(&text).is_err());
        assert!(RotatingHandle::<RefreshToken>::parse(&text).is_err());
        assert!(RotatingHandle::<Session>::parse(&text).is_err());
    }
}

#[test]
fn scopes_and_issuers_are_written_as_they_were_read() {
    let alphabet = [
        "openid",
        " ",
        "  ",
        "\"",
        "\\",
        "ä",
        "\u{7f}",
        "https://",
        "a",
        ":443",
        "/",
        "?",
        "#",
        "@",
        "http://localhost",
    ];
    let mut seeded = Seeded::new(4);
    for _ in 0..ROUNDS {
        let text = seeded.text(&alphabet, 8);
        if let Ok(scopes) = Scopes::parse(&text) {
            assert_eq!(Scopes::parse(&scopes.to_string()).unwrap(), scopes);
        }
        if let Ok(issuer) = Issuer::parse(&text) {
            assert_eq!(format!("{}{}", issuer.origin(), issuer.path()), text);
            assert!(!text.contains(['?', '#']) && !issuer.origin().contains('@') && !text.ends_with('/'));
        }
    }
}

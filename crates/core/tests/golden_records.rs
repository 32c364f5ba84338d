//! What was once stored can be read for ever: one file per record body, version and case,
//! `golden/<body>.v<version>.<case>.json`.
//!
//! A file of the newest version is also what is written today, byte for byte. When a body changes so that
//! this fails, its `VERSION` grows, it gets a new file, and the old ones stay as they are.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chancery_core::error::Fault;
use chancery_core::records::{
    AccessTokenBody, AnswerBody, ApprovalBody, AuthorizationCodeBody, BackchannelAuthenticationBody, Body,
    ConsentBody, DeliveryBody, DeviceCodeBody, GrantBody, InitialAccessTokenBody, InteractionBody,
    PushedRequestBody, RefreshFamilyBody, ReplayBody, RevocationBody, SessionBody, ThrottleBody,
};

/// Reads a stored form; what is written for it today, and with which version.
type Reader = fn(&[u8]) -> Result<(u8, Box<[u8]>), Fault>;

fn reader<B: Body>() -> Reader {
    |stored| Ok((B::VERSION, B::decode(stored)?.encode()?))
}

fn readers() -> BTreeMap<&'static str, Reader> {
    BTreeMap::from([
        ("access_token", reader::<AccessTokenBody>()),
        ("answer", reader::<AnswerBody>()),
        ("approval", reader::<ApprovalBody>()),
        ("authorization_code", reader::<AuthorizationCodeBody>()),
        ("backchannel_authentication", reader::<BackchannelAuthenticationBody>()),
        ("consent", reader::<ConsentBody>()),
        ("delivery", reader::<DeliveryBody>()),
        ("device_code", reader::<DeviceCodeBody>()),
        ("grant", reader::<GrantBody>()),
        ("initial_access_token", reader::<InitialAccessTokenBody>()),
        ("interaction", reader::<InteractionBody>()),
        ("pushed_request", reader::<PushedRequestBody>()),
        ("refresh_family", reader::<RefreshFamilyBody>()),
        ("replay", reader::<ReplayBody>()),
        ("revocation", reader::<RevocationBody>()),
        ("session", reader::<SessionBody>()),
        ("throttle", reader::<ThrottleBody>()),
    ])
}

/// The golden files: body, version, stored form.
fn golden() -> Vec<(String, u8, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let read = |path: &Path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let (body, rest) = name.split_once(".v").unwrap();
        let version = rest.split_once('.').unwrap().0.parse().unwrap();
        let json = fs::read_to_string(path).unwrap();
        (body.to_owned(), version, [&[version], json.trim_end().as_bytes()].concat())
    };
    fs::read_dir(folder).unwrap().map(|entry| read(&entry.unwrap().path())).collect()
}

#[test]
fn every_version_can_be_read() {
    for (body, version, stored) in golden() {
        let (newest, written) = readers()[&*body](&stored).unwrap();
        assert!(version <= newest, "{body}");
        if version == newest {
            assert_eq!(String::from_utf8_lossy(&written), String::from_utf8_lossy(&stored), "{body}");
        }
    }
}

#[test]
fn every_version_has_a_file() {
    let golden = golden();
    for (body, reader) in readers() {
        let of_body = || golden.iter().filter(|(name, ..)| name == body);
        let (_, _, any) = of_body().next().unwrap_or_else(|| panic!("{body} has no golden file"));
        for version in 1..=reader(any).unwrap().0 {
            assert!(
                of_body().any(|(_, have, _)| *have == version),
                "{body} has no golden file of version {version}"
            );
        }
    }
}

/// Whoever adds a record body adds it here.
#[test]
fn every_body_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/records");
    let sources =
        fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let bodies: usize = sources.map(|source| source.matches("\nimpl Body for ").count()).sum();
    assert_eq!(bodies, readers().len());
}

#[test]
fn what_is_not_a_record_is_a_fault() {
    for (body, reader) in readers() {
        let (_, _, stored) = golden().into_iter().find(|(name, ..)| name == body).unwrap();
        assert!(reader(&stored).is_ok(), "{body}");
        let next = [&[stored[0] + 1], &stored[1..]].concat();
        let cut = stored[..stored.len() - 1].to_vec();
        for damaged in [Vec::new(), vec![1], next, cut, b"\x01[1]".to_vec(), b"\x01null".to_vec()] {
            assert!(reader(&damaged).is_err(), "{body}: {damaged:?}");
        }
    }
}

//! The form token under generated input: only what we sealed is opened, for as long as it may be, and it says
//! what it said.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use chancery_core::interaction::form_token::{FORM_FOREIGN, FORM_TOO_OLD, FormToken, LIFETIME};
use chancery_core::keys::KeySet;
use chancery_core::model::{PromptName, Source};
use chancery_core::records::InteractionId;
use chancery_testkit::{SeededRandom, TestProvider, wait};
use chancery_types::{Key, Kind, Partition, RealmId};

const ROUNDS: u64 = 100_000;

fn token(kit: &TestProvider, session: bool) -> FormToken {
    let realm = RealmId::parse("main").unwrap();
    FormToken {
        prompt: PromptName::Consent,
        interaction: InteractionId::from_bytes([9; 16]),
        subject: [1; 32],
        source: Source::Browser,
        browser: [2; 32],
        session: session.then(|| Key::derive(&realm, Kind::SESSION, Partition([3, 4]), b"session")),
        first_seen: kit.now(),
        issued_at: kit.now(),
        done: [PromptName::Login, PromptName::SelectAccount].into_iter().collect(),
        shown: [5; 32],
    }
}

#[test]
fn what_was_sealed_is_opened_until_its_end() {
    let kit = TestProvider::new();
    let keys = wait(KeySet::load(&*kit.env().private_keys, &kit.env().realm)).unwrap();
    for session in [true, false] {
        let made = token(&kit, session);
        let text = made.seal(kit.env(), &keys).unwrap();
        let opened = |after| FormToken::open(kit.env(), &keys, kit.now() + after, LIFETIME, &text);
        assert_eq!(opened(Duration::ZERO).as_ref(), Ok(&made));
        assert_eq!(opened(LIFETIME).as_ref(), Ok(&made));
        assert_eq!(opened(LIFETIME + Duration::from_millis(1)), Err(&FORM_TOO_OLD));
        // A page that is shown again and again does not keep its request young.
        let old = FormToken { issued_at: kit.now() + LIFETIME, ..made };
        let text = old.seal(kit.env(), &keys).unwrap();
        let later = kit.now() + LIFETIME + Duration::from_millis(1);
        assert_eq!(FormToken::open(kit.env(), &keys, later, LIFETIME, &text), Err(&FORM_TOO_OLD));
    }
    // Another realm's token is not ours.
    let other = TestProvider::builder().realm("other").build();
    let text = token(&kit, true).seal(other.env(), &keys).unwrap();
    assert_eq!(FormToken::open(kit.env(), &keys, kit.now(), LIFETIME, &text), Err(&FORM_FOREIGN));
}

#[test]
fn nothing_else_is_opened() {
    let kit = TestProvider::new();
    let keys = wait(KeySet::load(&*kit.env().private_keys, &kit.env().realm)).unwrap();
    let good = token(&kit, true).seal(kit.env(), &keys).unwrap();
    let alphabet = b"ABCDEFabcdef0123456789-_+/=. \x00\x7f";
    let random = SeededRandom::new(1);
    for round in 0..ROUNDS {
        let mut text = good.clone().into_bytes();
        for _ in 0..=random.below(3) {
            let at = random.below(text.len());
            let byte = *random.one_of(alphabet);
            match random.below(4) {
                0 if text.len() > 1 => {
                    text.remove(at);
                }
                1 => text.insert(at, byte),
                2 => text.truncate(at.max(1)),
                _ => text[at] = byte,
            }
        }
        let text = String::from_utf8(text).unwrap();
        let opened = FormToken::open(kit.env(), &keys, kit.now(), LIFETIME, &text);
        assert_eq!(opened.is_ok(), text == good, "{round}: {text:?}");
    }
}

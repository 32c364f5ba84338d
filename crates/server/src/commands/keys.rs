//! `chancery keys`.

use std::time::Duration;

use chancery_core::documents::{Rotated, RotatedEncryption};
use chancery_core::duration;
use chancery_core::error::Fault;
use chancery_core::model::TokenFormat;
use chancery_core::ports::{Clock as _, EncryptionKeyEntry, KeyEntry, PrivateKeys as _, SystemClock};
use chancery_core::rotation::{KeyEnd, KeyTimes, before_their_time};
use chancery_jose::{EncryptionKeyType, SigningAlgorithm};
use chancery_types::Timestamp;
use chancery_types::nearest::{did_you_mean, nearest};
use serde_json::json;

use super::printed::{Form, List};
use super::{Output, opened};
use crate::arguments::{Group, Keys};
use crate::parts::{Opened, encryption_types};
use crate::settings::{Settings, duration_rule};
use crate::terminal::{Escaped, counted};

mod replacement;

/// The `max-age` of the key set, for which a client may not have seen a new key.
const CACHES: Duration = Duration::from_secs(600);

/// How much longer a key stays valid than the longest token of these settings: an earlier configuration may
/// have allowed longer ones, and clients' clocks differ.
const MARGIN: Duration = Duration::from_secs(86_400);

/// How long a key is kept at least after it has become invalid. For as long as a session may live
/// (`session.absolute`), its ID token is accepted as `id_token_hint` (OIDC Core section 3.1.2.1).
const REMEMBERED: Duration = Duration::from_secs(90 * 86_400);

pub(crate) async fn keys(Group { json, command }: Group<Keys>) -> Output {
    let form = Form::of(json);
    match command {
        Keys::List(configured) => {
            let (settings, opened) = opened(&configured).await?;
            let keys = opened.keys.list(&settings.realm).await.map_err(said)?;
            let encryption = opened.keys.encryption_keys(&settings.realm).await.map_err(said)?;
            let (now, wanted) = (SystemClock.now(), encryption_types(&settings));
            let mut list = listed();
            keys.iter().for_each(|key| row(&mut list, key, now));
            encryption.iter().for_each(|key| encryption_row(&mut list, key, &wanted, now));
            Ok(list.print(form, "there are no keys; `chancery init` makes the first ones"))
        }
        Keys::Add { configured, alg } => {
            let (settings, opened) = opened(&configured).await?;
            add(&settings, &opened, &alg, form).await
        }
        Keys::Rotate { configured, clock_is_right: true, .. } => {
            let (settings, opened) = opened(&configured).await?;
            begin_anew(&settings, &opened, form).await
        }
        Keys::Rotate { configured, sign_after, .. } => {
            let (settings, opened) = opened(&configured).await?;
            let after = duration::parse(&sign_after)
                .map_err(|_| format!("--sign-after: {sign_after:?}: {}", duration_rule(&sign_after)))?;
            warn_of_caches(after);
            rotate(&settings, &opened, after, form).await
        }
        Keys::Remove { configured, kid } => {
            let (settings, opened) = opened(&configured).await?;
            remove(&settings, &opened, &kid, form).await
        }
        Keys::Replace { configured, lost_wrapping_key: _, yes } => {
            Box::pin(replacement::replace(&configured, yes, form)).await
        }
    }
}

/// Makes successors, and says what is new and what has become of the others.
async fn rotate(settings: &Settings, opened: &Opened, after: Duration, form: Form) -> Output {
    let (now, realm) = (SystemClock.now(), &settings.realm);
    let keys = opened.keys.list(realm).await.map_err(said)?;
    check_clock(&keys, now)?;
    let encryption = opened.keys.encryption_keys(realm).await.map_err(said)?;
    let remembered = REMEMBERED.max(settings.engine.session.absolute);
    let forgotten = opened.keys.forget(realm, now - remembered).await.map_err(said)?;
    if forgotten > 0 {
        eprintln!("{} removed that ended long ago", counted(forgotten, "key was", "keys were"));
    }
    let algorithms = opened.algorithms(realm).await.map_err(said)?;
    let longest = longest_token(settings) + MARGIN;
    opened.keys.rotate(realm, &algorithms, now, now + after, longest).await.map_err(said)?;
    let types = encryption_types(settings);
    opened.keys.rotate_encryption(realm, &types, now, now + after, MARGIN).await.map_err(said)?;
    let mut list = listed();
    for key in opened.keys.list(realm).await.map_err(said)? {
        let is_same = |old: &KeyEntry| old.jwk.kid() == key.jwk.kid() && old.times == key.times;
        if !keys.iter().any(is_same) {
            row(&mut list, &key, now);
        }
    }
    for key in &opened.keys.encryption_keys(realm).await.map_err(said)? {
        let is_same = |old: &EncryptionKeyEntry| old.jwk.kid() == key.jwk.kid() && old.times == key.times;
        if !encryption.iter().any(is_same) {
            encryption_row(&mut list, key, &types, now);
        }
    }
    let signing = keys.iter().filter(|key| key.times.end.is_none()).map(|key| key.times.sign_from);
    let published = encryption.iter().filter_map(|key| Some(key.times.end?.sign_until()));
    let hint = match signing.chain(published).filter(|at| *at > now).max() {
        None => "there are no keys to rotate; `chancery keys add` makes one".to_owned(),
        Some(until) => {
            format!(
                "a rotation is under way until {}; nothing was changed. A shorter --sign-after ends it sooner, and `chancery keys \
                 remove KID` ends a key at once that others may know",
                until.rfc3339()
            )
        }
    };
    Ok(list.print(form, &hint))
}

/// Makes a key that signs at once for each algorithm whose keys all begin later, which then never sign: the clock was ahead when they
/// were made, or nothing would have ended before they begin. Nothing was signed since, so nobody waits for what they would sign.
async fn begin_anew(settings: &Settings, opened: &Opened, form: Form) -> Output {
    let (now, realm) = (SystemClock.now(), &settings.realm);
    let keys = opened.keys.list(realm).await.map_err(said)?;
    let mut algorithms = SigningAlgorithm::ALL.to_vec();
    algorithms.retain(|alg| begins_later(&keys, *alg, now).is_some());
    if algorithms.is_empty() {
        return Err("every algorithm that has keys has one that signs now, and no key was changed; `chancery keys rotate` without \
                    --clock-is-right makes new ones"
            .to_owned());
    }
    warn_of_caches(Duration::ZERO);
    let longest = longest_token(settings) + MARGIN;
    opened.keys.rotate(realm, &algorithms, now, now, longest).await.map_err(said)?;
    let mut list = listed();
    for key in opened.keys.list(realm).await.map_err(said)? {
        if !keys.iter().any(|old| old.jwk.kid() == key.jwk.kid() && old.times == key.times) {
            row(&mut list, &key, now);
        }
    }
    Ok(list.print(form, ""))
}

/// Says who may not know keys that sign so soon.
fn warn_of_caches(after: Duration) {
    if after < CACHES {
        eprintln!(
            "warning: clients' caches of the key set may be 10 minutes old; clients that do not reload it for an unknown kid will \
             refuse tokens for up to {} after the new keys begin to sign",
            duration::format(CACHES - after)
        );
    }
}

/// Makes the first key of an algorithm.
async fn add(settings: &Settings, opened: &Opened, alg: &str, form: Form) -> Output {
    let (now, realm) = (SystemClock.now(), &settings.realm);
    let asymmetric = || SigningAlgorithm::ALL.into_iter().filter(|alg| !alg.is_symmetric());
    let Some(alg) = asymmetric().find(|known| known.name() == alg) else {
        let names: Vec<&str> = asymmetric().map(SigningAlgorithm::name).collect();
        let near = nearest(&alg.to_uppercase(), names.iter().copied());
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        return Err(format!("the algorithm must be one of {}, not {alg:?}{near}", names.join(", ")));
    };
    let goes_on = |key: &KeyEntry| key.jwk.fits(alg) && key.times.end.is_none();
    let keys = opened.keys.list(realm).await.map_err(said)?;
    check_clock(&keys, now)?;
    if keys.iter().any(goes_on) {
        return Err(format!(
            "{alg}: there is a key for it already; `chancery keys rotate` replaces all keys"
        ));
    }
    opened.keys.begin(realm, &[alg], now).await.map_err(said)?;
    let keys = opened.keys.list(realm).await.map_err(said)?;
    let mut list = listed();
    keys.iter().filter(|key| goes_on(key)).for_each(|key| row(&mut list, key, now));
    Ok(list.print(form, "no key was made"))
}

/// Checks that no keys are waiting for a time that was already: with a clock that is behind, others would be made that end
/// when those begin.
fn check_clock(keys: &[KeyEntry], now: Timestamp) -> Result<(), String> {
    match SigningAlgorithm::ALL.into_iter().find_map(|alg| begins_later(keys, alg, now)) {
        Some(why) => Err(format!("{why}; no key was changed")),
        None => Ok(()),
    }
}

/// Why no key of this algorithm signs, if one begins later.
fn begins_later(keys: &[KeyEntry], alg: SigningAlgorithm, now: Timestamp) -> Option<String> {
    let fitting = keys.iter().filter(|key| key.jwk.fits(alg)).map(|key| &key.times);
    before_their_time(fitting, alg.name(), now)
}

/// Ends a key at once, and begins its successor before, so that there is no moment in which nothing signs.
async fn remove(settings: &Settings, opened: &Opened, kid: &str, form: Form) -> Output {
    let (now, realm) = (SystemClock.now(), &settings.realm);
    let encryption = opened.keys.encryption_keys(realm).await.map_err(said)?;
    if let Some(key) = encryption.iter().find(|key| key.jwk.kid() == Some(kid)) {
        return remove_encryption(settings, opened, &encryption, key, form).await;
    }
    let keys = opened.keys.list(realm).await.map_err(said)?;
    check_clock(&keys, now)?;
    let named = |key: &&KeyEntry| key.jwk.kid() == Some(kid);
    let all = || keys.iter().filter_map(|key| key.jwk.kid());
    let unknown =
        || format!("there is no key {kid}{}; `chancery keys list` names all", did_you_mean(kid, all()));
    let alg = keys.iter().find(named).ok_or_else(unknown)?.jwk.alg();
    let alg = alg.ok_or_else(|| format!("the key {} has no algorithm", Escaped(kid)))?;
    let others = || keys.iter().filter(|key| key.jwk.alg() == Some(alg) && key.jwk.kid() != Some(kid));
    let mut list = listed();
    // One has to sign now, and one has to go on signing: the key may be the one that takes over soon.
    if !others().any(|key| key.times.signs(now)) || !others().any(|key| key.times.end.is_none()) {
        let longest = longest_token(settings) + MARGIN;
        let rotated = opened.keys.rotate(realm, &[alg], now, now, longest).await.map_err(said)?;
        rotated.iter().for_each(|new| begun(&mut list, new));
    }
    opened.keys.remove(realm, kid).await.map_err(said)?;
    // What a rotation had prepared has made way for the new one.
    for key in opened.keys.list(realm).await.map_err(said)? {
        if keys.iter().any(|old| old.jwk.kid() == key.jwk.kid() && old.times != key.times) {
            row(&mut list, &key, now);
        }
    }
    eprintln!(
        "warning: nothing that {} signed is valid any more: ID tokens, also as proof of a past login, and JWT access tokens. \
         Whoever keeps the key set takes them for up to {} more. Sessions, refresh tokens and opaque access tokens go on",
        Escaped(kid),
        duration::format(CACHES)
    );
    removed(&mut list, kid, alg.name(), "signing");
    Ok(list.print(form, "nothing was removed"))
}

/// Ends a key for encryption at once; its successor is published before, if the settings still need one.
async fn remove_encryption(
    settings: &Settings,
    opened: &Opened,
    all: &[EncryptionKeyEntry],
    key: &EncryptionKeyEntry,
    form: Form,
) -> Output {
    let (now, realm) = (SystemClock.now(), &settings.realm);
    let (key_type, kid) = (key.jwk.key_type(), key.jwk.kid().unwrap_or_default());
    let lasts = |other: &&EncryptionKeyEntry| {
        other.jwk.key_type() == key_type && other.jwk.kid() != Some(kid) && other.times.end.is_none()
    };
    let mut list = listed();
    if encryption_types(settings).contains(&key_type) && !all.iter().any(|other| lasts(&other)) {
        let rotated = opened.keys.rotate_encryption(realm, &[key_type], now, now, MARGIN).await;
        rotated.map_err(said)?.iter().for_each(|new| encryption_begun(&mut list, new));
    }
    opened.keys.remove(realm, kid).await.map_err(said)?;
    eprintln!(
        "warning: nothing that is encrypted for {} can be read any more. Clients that keep the key set use it for up to {} more",
        Escaped(kid),
        duration::format(CACHES)
    );
    removed(&mut list, kid, key_type.name(), "encryption");
    Ok(list.print(form, "nothing was removed"))
}

/// A list of keys.
fn listed() -> List<5> {
    List::new(["KID", "ALGORITHM", "USE", "STATE", "VALID"])
}

fn encryption_begun(list: &mut List<5>, RotatedEncryption { key_type, kid, alone_from }: &RotatedEncryption) {
    let (name, at) = (key_type.name(), alone_from.rfc3339());
    let value =
        json!({ "kid": kid, "alg": name, "use": "encryption", "state": "published", "alone_from": at });
    list.push(
        [
            kid.to_string(),
            name.into(),
            "encryption".into(),
            format!("published, alone from {at}"),
            OPEN.into(),
        ],
        value,
    );
}

fn begun(list: &mut List<5>, Rotated { alg, kid, sign_from }: &Rotated) {
    let (name, at) = (alg.name(), sign_from.rfc3339());
    let value = json!({ "kid": kid, "alg": name, "use": "signing", "state": "next", "sign_from": at });
    let state = format!("signs from {at}");
    list.push([kid.to_string(), name.into(), "signing".into(), state, OPEN.into()], value);
}

fn removed(list: &mut List<5>, kid: &str, alg: &str, usage: &str) {
    let value = json!({ "kid": kid, "alg": alg, "use": usage, "state": "removed" });
    list.push([kid.into(), alg.into(), usage.into(), "removed".into(), "ended".into()], value);
}

fn said(fault: Fault) -> String {
    fault.to_string()
}

/// The longest lifetime of anything that a key signs.
fn longest_token(settings: &Settings) -> Duration {
    let signed = settings.resource_servers.iter().filter(|server| server.format == TokenFormat::Jwt);
    let lifetimes = signed.filter_map(|server| server.lifetime);
    lifetimes.fold(settings.engine.id_token.lifetime.max(settings.engine.access_token.jwt), Duration::max)
}

/// Of a key that nothing is due to replace.
const OPEN: &str = "without an end";

/// Until when what a key has signed is valid, or what was encrypted for it can be read.
fn valid(end: Option<KeyEnd>, now: Timestamp) -> String {
    match end.map(KeyEnd::count_until) {
        None => OPEN.to_owned(),
        Some(until) if until <= now => format!("ended {}", until.rfc3339()),
        Some(until) => format!("until {}", until.rfc3339()),
    }
}

fn row(list: &mut List<5>, key: &KeyEntry, now: Timestamp) {
    let KeyTimes { sign_from, end, .. } = key.times;
    let since = key.times.signs_since().map(Timestamp::rfc3339);
    let (state, text) = match end {
        Some(end) if end.count_until() <= now => ("ended", "ended".to_owned()),
        // Another one was made before its time came.
        Some(end) if end.sign_until() <= sign_from => ("unused", "never signed".to_owned()),
        Some(end) if end.sign_until() <= now => ("verifies", "no longer signs".to_owned()),
        Some(end) if sign_from > now => {
            ("next", format!("signs from {} until {}", sign_from.rfc3339(), end.sign_until().rfc3339()))
        }
        Some(end) => ("signs", format!("signs until {}", end.sign_until().rfc3339())),
        None if sign_from > now => ("next", format!("signs from {}", sign_from.rfc3339())),
        None => ("signs", since.as_ref().map_or("signs".to_owned(), |since| format!("signs since {since}"))),
    };
    let (kid, alg) = (key.jwk.kid().unwrap_or("-"), key.jwk.alg().map_or("-", SigningAlgorithm::name));
    let value = json!({
        "kid": kid, "alg": alg, "use": "signing", "state": state, "sign_from": since,
        "published_from": key.times.published_since().map(Timestamp::rfc3339),
        "sign_until": end.map(|end| end.sign_until().rfc3339()),
        "valid_until": end.map(|end| end.count_until().rfc3339()),
    });
    list.push([kid.into(), alg.into(), "signing".into(), text, valid(end, now)], value);
}

fn encryption_row(
    list: &mut List<5>,
    key: &EncryptionKeyEntry,
    wanted: &[EncryptionKeyType],
    now: Timestamp,
) {
    let end = key.times.end;
    let (state, text) = match end {
        Some(end) if end.count_until() <= now => ("ended", "ended".to_owned()),
        Some(end) if end.sign_until() <= now => ("decrypts", "decrypts, published no longer".to_owned()),
        Some(end) => ("published", format!("published until {}", end.sign_until().rfc3339())),
        None if wanted.contains(&key.jwk.key_type()) => ("published", "published".to_owned()),
        None => {
            let unused = "published, but request_objects.encryption_algorithms has no algorithm for it";
            ("unused", unused.to_owned())
        }
    };
    let (kid, alg) = (key.jwk.kid().unwrap_or("-"), key.jwk.key_type().name());
    let value = json!({
        "kid": kid, "alg": alg, "use": "encryption", "state": state,
        "published_from": key.times.published_since().map(Timestamp::rfc3339),
        "published_until": end.map(|end| end.sign_until().rfc3339()),
        "valid_until": end.map(|end| end.count_until().rfc3339()),
    });
    list.push([kid.into(), alg.into(), "encryption".into(), text, valid(end, now)], value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use chancery_types::{Issuer, RealmId};

    #[test]
    fn a_key_counts_for_as_long_as_anything_that_it_signed() {
        let (issuer, realm) = (Issuer::parse("https://id.example").unwrap(), RealmId::parse("main").unwrap());
        let mut settings = Settings::on(issuer, realm, Vec::new());
        let days = |days: u64| Duration::from_secs(days * 86_400);
        settings.engine.id_token.lifetime = days(2);
        assert_eq!(longest_token(&settings), days(2));
        settings.engine.access_token.jwt = days(3);
        assert_eq!(longest_token(&settings), days(3));
        let server = |json: &str| serde_json::from_str(json).unwrap();
        settings.resource_servers = vec![
            server(r#"{"uri":"https://a.example","format":"jwt","lifetime":"4d"}"#),
            server(r#"{"uri":"https://b.example","format":"opaque","lifetime":"5d"}"#),
            server(r#"{"uri":"https://c.example","format":"jwt"}"#),
        ];
        assert_eq!(longest_token(&settings), days(4), "nobody signs an opaque token");
    }

    /// A clock that is behind makes no keys: those that are there sign again once it is right.
    #[tokio::test]
    async fn keys_that_begin_later_are_not_replaced() {
        let (issuer, realm) = (Issuer::parse("https://id.example").unwrap(), RealmId::parse("main").unwrap());
        let settings = Settings::on(issuer, realm, Vec::new());
        let (opened, realm) = (crate::parts::open(&settings).unwrap(), &settings.realm);
        opened.first_keys(&settings).await.unwrap();
        let first = opened.keys.list(realm).await.unwrap();
        let algorithms = opened.algorithms(realm).await.unwrap();
        let ahead = |hours: u64| SystemClock.now() + Duration::from_secs(hours * 3_600);
        for hours in [5, 9] {
            opened.keys.rotate(realm, &algorithms, ahead(hours), ahead(hours), MARGIN).await.unwrap();
        }
        for key in &first {
            opened.keys.remove(realm, key.jwk.kid().unwrap()).await.unwrap();
        }
        let keys = opened.keys.list(realm).await.unwrap();
        let mut list = listed();
        keys.iter().for_each(|key| row(&mut list, key, SystemClock.now()));
        let shown = list.print(Form::Text, "");
        assert_eq!(shown.matches("  signs from ").count(), 6, "{shown}");
        assert_eq!(shown.matches(" until ").count(), 6, "{shown}");
        let kid = keys[0].jwk.kid().unwrap();
        for said in [
            rotate(&settings, &opened, Duration::ZERO, Form::Text).await,
            add(&settings, &opened, "RS256", Form::Text).await,
            add(&settings, &opened, "EdDSA", Form::Text).await,
            remove(&settings, &opened, kid, Form::Text).await,
        ] {
            let why = said.unwrap_err();
            assert!(
                why.contains("`chancery keys rotate --clock-is-right`")
                    && why.ends_with("no key was changed"),
                "{why}"
            );
        }
        let times = |keys: &[KeyEntry]| keys.iter().map(|key| key.times).collect::<Vec<_>>();
        assert_eq!(times(&keys), times(&opened.keys.list(realm).await.unwrap()));

        // If the clock is right, it was ahead before: whoever says so gets keys that sign now.
        let said = begin_anew(&settings, &opened, Form::Text).await.unwrap();
        assert_eq!(said.matches("  signs since ").count(), 3, "{said}");
        assert_eq!(said.matches("  never signed  ").count(), 6, "{said}");
        let keys = opened.keys.list(realm).await.unwrap();
        let now = SystemClock.now();
        for at in [now, ahead(6), ahead(10)] {
            assert_eq!(keys.iter().filter(|key| key.times.signs(at)).count(), 3, "{at:?}");
        }
        let again = begin_anew(&settings, &opened, Form::Text).await.unwrap_err();
        assert!(again.contains("`chancery keys rotate` without --clock-is-right"), "{again}");
        rotate(&settings, &opened, Duration::ZERO, Form::Text).await.unwrap();
    }

    /// JOSE-06: a key for encryption is shown with its type, rotated like the others, and when it is removed
    /// another one is there.
    #[tokio::test]
    async fn keys_for_encryption() {
        use chancery_jose::{EncryptionKeyType::P256, KeyManagementAlgorithm};

        let (issuer, realm) = (Issuer::parse("https://id.example").unwrap(), RealmId::parse("main").unwrap());
        let mut settings = Settings::on(issuer, realm, Vec::new());
        settings.engine.request_objects.encryption_algorithms = vec![KeyManagementAlgorithm::EcdhEs];
        let (opened, realm) = (crate::parts::open(&settings).unwrap(), &settings.realm);
        opened.encryption_keys(&settings).await.unwrap();
        let all = || async { opened.keys.encryption_keys(realm).await.unwrap() };
        let lines = |now| async move {
            let mut list = listed();
            all().await.iter().for_each(|key| encryption_row(&mut list, key, &[P256], now));
            list.print(Form::Text, "").lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        let kid = all().await[0].jwk.kid().unwrap().to_owned();
        let at = |secs| SystemClock.now() + Duration::from_secs(secs);
        assert_eq!(lines(at(0)).await, [format!("{kid}  P-256      encryption  published  without an end")]);

        opened.keys.rotate_encryption(realm, &[P256], at(0), at(600), MARGIN).await.unwrap();
        for (now, want) in
            [(at(0), "  published until "), (at(700), "  decrypts, "), (at(200_000), "  ended 2")]
        {
            let lines = lines(now).await;
            assert!(lines[0].contains(want) && lines[1].ends_with("  without an end"), "{lines:?}");
        }
        let said = remove(&settings, &opened, &kid, Form::Text).await.unwrap();
        let is_only_removed = |said: &str| said.lines().count() == 2 && said.contains("  removed  ended");
        assert!(is_only_removed(&said), "its successor is there already: {said}");
        let last = all().await[0].jwk.kid().unwrap().to_owned();
        let said = remove(&settings, &opened, &last, Form::Text).await.unwrap();
        let removed = said.lines().last().unwrap();
        assert!(said.contains("alone from") && removed.starts_with(&last), "{said}");
        assert_eq!(all().await.len(), 1);

        // Where the settings need none any more, the last one has no successor.
        settings.engine.request_objects.encryption_algorithms.clear();
        let key = all().await.remove(0);
        let mut list = listed();
        encryption_row(&mut list, &key, &encryption_types(&settings), at(0));
        assert!(list.print(Form::Text, "").contains("has no algorithm for it"));
        let kid = key.jwk.kid().unwrap();
        assert!(is_only_removed(&remove(&settings, &opened, kid, Form::Text).await.unwrap()));
        assert!(all().await.is_empty());
    }
}

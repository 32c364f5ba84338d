//! People over the memory store.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use chancery_accounts::{
    AccountError, NewPerson, Password, PasswordPool, Person, SignedOut, StoredAccounts, Username,
};
use chancery_core::documents::Documents;
use chancery_core::model::{Claims, Hint, LoginForm, PasswordChange, SignUpForm};
use chancery_core::ports::{
    Accounts, ClaimsQuery, LoginOutcome, LoginRefusal, PasswordChangeOutcome, PasswordRefusal, Random, Room,
    SignUpOutcome, SignUpRefusal,
};
use chancery_store::{Document, DocumentKind, DocumentStore as _, Revision};
use chancery_store_memory::MemoryStore;
use chancery_types::{AccountId, ClientId, RealmId, Timestamp};
use zeroize::Zeroizing;

const LATER: Timestamp = Timestamp::from_secs(2_000);

/// What was ended is told apart from every change of the person, and until the next one only.
#[tokio::test]
async fn what_was_ended_is_no_change_of_the_person() {
    let accounts = accounts();
    let id = add(&accounts, "alice").await.unwrap().id;
    let (realm, alice) = (realm(), name("alice"));
    let now = async || accounts.of_id(&realm, &id).await.unwrap().unwrap();
    let before = now().await;
    assert_eq!(before.signed_out, None);
    accounts.note_ended_sessions(&realm, &alice).await.unwrap();
    let noted = now().await;
    assert_eq!((noted.signed_out, noted.epoch), (Some(SignedOut::Sessions), before.epoch));
    accounts.sign_out_everywhere(&realm, &alice).await.unwrap();
    let ended = now().await;
    assert_eq!((ended.signed_out, ended.epoch == before.epoch), (Some(SignedOut::Everything), false));
    accounts.set_claims(&realm, &alice, Claims::default()).await.unwrap();
    assert_eq!(now().await.signed_out, None);
    accounts.sign_out_everywhere(&realm, &alice).await.unwrap();
    accounts.set_password(&realm, &alice, password("battery staple")).await.unwrap();
    assert_eq!(now().await.signed_out, None);
    accounts.remove(&realm, &alice).await.unwrap();
    assert!(accounts.of_id(&realm, &id).await.unwrap().is_none());
}

/// 1, 2, 3 …: two salts or ids are never the same.
#[derive(Default)]
struct Counting(AtomicU8);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn accounts() -> StoredAccounts {
    let pool = PasswordPool::start(NonZeroUsize::MIN, 8).unwrap();
    StoredAccounts::new(Documents::new(Arc::new(MemoryStore::new())), pool, Arc::new(Counting::default()))
}

fn realm() -> RealmId {
    RealmId::parse("main").unwrap()
}

fn name(typed: &str) -> Username {
    Username::parse(typed).unwrap()
}

fn password(text: &str) -> Password {
    Password::new(Zeroizing::new(text.to_owned()))
}

async fn add(accounts: &StoredAccounts, username: &str) -> Result<Person, AccountError> {
    let claims: Claims =
        serde_json::from_str(r#"{"name":"Alice A.","email":"a@example.org","name#de":"Alis"}"#).unwrap();
    let new = NewPerson { username: name(username), password: password("correct horse"), claims, id: None };
    accounts.add(&realm(), new).await
}

fn refused(why: LoginRefusal) -> LoginOutcome {
    LoginOutcome::Refused(why)
}

async fn log_in(accounts: &StoredAccounts, username: &str, password: &str) -> LoginOutcome {
    let form = LoginForm::new(username, password);
    accounts.authenticate(&realm(), LATER, form, Room::default()).await.unwrap()
}

#[tokio::test]
async fn a_person_logs_in_with_name_in_any_case_and_the_right_password() {
    let accounts = accounts();
    let alice = add(&accounts, "Alice").await.unwrap();
    let LoginOutcome::Authenticated(authentication) = log_in(&accounts, " aLICE ", "correct horse").await
    else {
        panic!("refused")
    };
    assert_eq!((authentication.time(), &authentication.account), (LATER, &alice.id));
    assert_eq!(
        log_in(&accounts, "alice", "Correct horse").await,
        refused(LoginRefusal::WrongPassword(alice.id))
    );
    assert_eq!(log_in(&accounts, "bob", "correct horse").await, refused(LoginRefusal::UnknownName));
    assert_eq!(log_in(&accounts, "", "correct horse").await, refused(LoginRefusal::UnknownName));
}

#[tokio::test]
async fn a_name_belongs_to_one_person_of_a_realm() {
    let accounts = accounts();
    let alice = add(&accounts, "Alice").await.unwrap();
    assert!(matches!(add(&accounts, "ALICE").await, Err(AccountError::Taken)));
    let elsewhere = RealmId::parse("other").unwrap();
    assert!(accounts.find(&elsewhere, &alice.id).await.unwrap().is_none());
    assert!(matches!(accounts.person(&elsewhere, &name("alice")).await, Err(AccountError::Unknown)));
}

/// A22: one name and one id in two realms are two people, each with a password and a life of their own.
#[tokio::test]
async fn realms_do_not_meet() {
    let accounts = accounts();
    let (here, there, id) = (realm(), RealmId::parse("other").unwrap(), AccountId::parse("1").unwrap());
    for (realm, text) in [(&here, "correct horse"), (&there, "battery staple")] {
        let (username, claims) = (name("alice"), Claims::default());
        let new = NewPerson { username, password: password(text), claims, id: Some(id.clone()) };
        accounts.add(realm, new).await.unwrap();
    }
    for (realm, text, is_good) in [
        (&here, "correct horse", true),
        (&here, "battery staple", false),
        (&there, "battery staple", true),
        (&there, "correct horse", false),
    ] {
        let form = LoginForm::new("alice", text);
        let outcome = accounts.authenticate(realm, LATER, form, Room::default()).await.unwrap();
        assert_eq!(matches!(outcome, LoginOutcome::Authenticated(_)), is_good, "{realm:?} {text}");
    }
    accounts.disable(&there, &name("alice")).await.unwrap();
    let active = async |realm| accounts.find(realm, &id).await.unwrap().expect("is there").active;
    assert_eq!((active(&here).await, active(&there).await), (true, false));
}

#[tokio::test]
async fn another_password_ends_what_was_there_before() {
    let accounts = accounts();
    let alice = add(&accounts, "alice").await.unwrap();
    accounts.set_password(&realm(), &name("alice"), password("battery staple")).await.unwrap();
    assert_eq!(
        log_in(&accounts, "alice", "correct horse").await,
        refused(LoginRefusal::WrongPassword(alice.id.clone()))
    );
    assert!(matches!(log_in(&accounts, "alice", "battery staple").await, LoginOutcome::Authenticated(_)));
    let account = accounts.find(&realm(), &alice.id).await.unwrap().expect("is still there");
    assert!(account.active);
}

/// OIDC Core section 5.2: claims can be replaced, also in several languages; nothing ends by it.
#[tokio::test]
async fn other_claims_leave_everything_else() {
    let accounts = accounts();
    let alice = add(&accounts, "alice").await.unwrap();
    let claims = |json| serde_json::from_str::<Claims>(json).unwrap();
    let other = claims(r##"{"name":"Alice B.","name#ja-Kana-JP":"アリス"}"##);
    let changed = accounts.set_claims(&realm(), &name("alice"), other).await.unwrap();
    assert_eq!((changed.epoch, changed.registration), (alice.epoch, alice.registration));
    let id = &alice.id;
    let client = &ClientId::parse("app").unwrap();
    let query = ClaimsQuery { account: id, client, names: &["name", "email"], locales: None };
    let told = accounts.claims(&realm(), query).await.unwrap();
    assert_eq!(serde_json::to_string(&told).unwrap(), r##"{"name":"Alice B.","name#ja-Kana-JP":"アリス"}"##);
    assert!(matches!(log_in(&accounts, "alice", "correct horse").await, LoginOutcome::Authenticated(_)));
    for bad in [r#"{"sub":"root"}"#, r#"{"email":1}"#, r##"{"name#":"x"}"##, r#"{"_claim_sources":{}}"#] {
        let refused = accounts.set_claims(&realm(), &name("alice"), claims(bad)).await;
        assert!(matches!(refused, Err(AccountError::Unacceptable(_))), "{bad}");
    }
    let unknown = accounts.set_claims(&realm(), &name("bob"), claims("{}")).await;
    assert!(matches!(unknown, Err(AccountError::Unknown)));
}

/// FR-01: each change that ends everything gives the account an epoch that it never had, as does adding a
/// person again under the id of one who was removed; any other change leaves it. A login has the epoch of the
/// account whose password was read.
#[tokio::test]
async fn what_ends_everything_moves_the_epoch() {
    let accounts = accounts();
    let alice = add(&accounts, "alice").await.unwrap();
    let epoch = async || accounts.find(&realm(), &alice.id).await.unwrap().expect("is there").epoch;
    let mut had = vec![epoch().await];
    for text in ["battery staple", "battery staple"] {
        accounts.set_password(&realm(), &name("alice"), password(text)).await.unwrap();
        had.push(epoch().await);
    }
    let LoginOutcome::Authenticated(who) = log_in(&accounts, "alice", "battery staple").await else {
        panic!("let in")
    };
    assert_eq!(who.epoch, epoch().await);
    accounts.sign_out_everywhere(&realm(), &name("alice")).await.unwrap();
    had.push(epoch().await);
    let again = log_in(&accounts, "alice", "battery staple").await;
    assert!(matches!(again, LoginOutcome::Authenticated(_)), "the password is the same");
    accounts.disable(&realm(), &name("alice")).await.unwrap();
    had.push(epoch().await);
    accounts.enable(&realm(), &name("alice")).await.unwrap();
    assert_eq!(
        epoch().await,
        *had.last().unwrap(),
        "what was there before stays ended, and nothing else ends"
    );
    let registration =
        async || accounts.find(&realm(), &alice.id).await.unwrap().expect("is there").registration;
    assert_eq!(registration().await, alice.registration, "it is still the same person");
    accounts.remove(&realm(), &name("alice")).await.unwrap();
    let new = NewPerson {
        username: name("alice"),
        password: password("correct horse"),
        claims: Claims::default(),
        id: Some(alice.id.clone()),
    };
    accounts.add(&realm(), new).await.unwrap();
    had.push(epoch().await);
    assert_ne!(registration().await, alice.registration, "it is another person");
    let distinct: std::collections::HashSet<_> = had.iter().collect();
    assert_eq!(distinct.len(), had.len(), "{had:?}");
}

#[tokio::test]
async fn who_is_disabled_or_removed_is_let_in_no_more() {
    let accounts = accounts();
    let alice = add(&accounts, "alice").await.unwrap();
    accounts.disable(&realm(), &name("alice")).await.unwrap();
    assert_eq!(
        log_in(&accounts, "alice", "correct horse").await,
        refused(LoginRefusal::Disabled(alice.id.clone()))
    );
    accounts.enable(&realm(), &name("alice")).await.unwrap();
    let account = accounts.find(&realm(), &alice.id).await.unwrap().expect("is still there");
    assert!(account.active);
    accounts.remove(&realm(), &name("alice")).await.unwrap();
    assert!(accounts.find(&realm(), &alice.id).await.unwrap().is_none());
    assert!(matches!(accounts.remove(&realm(), &name("alice")).await, Err(AccountError::Unknown)));
}

#[tokio::test]
async fn a_short_password_and_wrong_claims_are_refused() {
    let accounts = accounts();
    let claims: Claims = serde_json::from_str(r#"{"sub":"root","email_verified":1}"#).unwrap();
    let new = NewPerson { username: name("a"), password: password("correct horse"), claims, id: None };
    let Err(AccountError::Unacceptable(complaints)) = accounts.add(&realm(), new).await else {
        panic!("taken")
    };
    assert_eq!(complaints.len(), 2);
    add(&accounts, "alice").await.unwrap();
    for weak in ["1234567", "password123", "zzzzzzzzz", "         "] {
        let refused = accounts.set_password(&realm(), &name("alice"), password(weak)).await;
        assert!(matches!(refused, Err(AccountError::Unacceptable(_))), "{weak:?}");
        let new =
            NewPerson { username: name("b"), password: password(weak), claims: Claims::default(), id: None };
        assert!(matches!(accounts.add(&realm(), new).await, Err(AccountError::Unacceptable(_))), "{weak:?}");
    }
    assert!(matches!(log_in(&accounts, "alice", "correct horse").await, LoginOutcome::Authenticated(_)));
}

#[tokio::test]
async fn only_what_is_asked_for_is_told() {
    let accounts = accounts();
    let alice = add(&accounts, "alice").await.unwrap();
    let client = ClientId::parse("c").unwrap();
    let ask = |names| ClaimsQuery { account: &alice.id, client: &client, names, locales: None };
    let told = accounts.claims(&realm(), ask(&["name", "preferred_username"])).await.unwrap();
    assert_eq!(
        serde_json::to_string(&told).unwrap(),
        r##"{"name":"Alice A.","name#de":"Alis","preferred_username":"alice"}"##
    );
}

#[tokio::test]
async fn a_hint_is_a_user_name() {
    let accounts = accounts();
    let alice = add(&accounts, "alice").await.unwrap();
    let hinted = accounts.hint(&realm(), Hint::Login("ALICE".into())).await.unwrap();
    assert_eq!(hinted, Some(alice.id));
    assert_eq!(accounts.hint(&realm(), Hint::Login("bob".into())).await.unwrap(), None);
}

#[tokio::test]
async fn everybody_is_listed() {
    let accounts = accounts();
    let mut added = Vec::new();
    for username in ["a", "b", "c"] {
        added.push(add(&accounts, username).await.unwrap().id);
    }
    let listed: Vec<_> = accounts.list(&realm()).await.unwrap().into_iter().map(|person| person.id).collect();
    added.sort();
    assert_eq!(listed, added);
}

/// FR-08: name and password are the same however the device composes them, where they are set and where they
/// are typed.
#[tokio::test]
async fn composed_or_not_it_is_the_same_person() {
    let composed = ("J\u{fc}rgen", "Gr\u{fc}\u{df}e aus K\u{f6}ln");
    let decomposed = ("Ju\u{308}rgen", "Gru\u{308}\u{df}e aus Ko\u{308}ln");
    for (set, typed) in [(composed, decomposed), (decomposed, composed)] {
        let accounts = accounts();
        let claims = Claims::default();
        let new = NewPerson { username: name(set.0), password: password(set.1), claims, id: None };
        let person = accounts.add(&realm(), new).await.unwrap();
        for typed in [set, typed, ("\u{ff2a}\u{dc}RGEN", typed.1)] {
            let outcome = log_in(&accounts, typed.0, typed.1).await;
            assert!(matches!(outcome, LoginOutcome::Authenticated(_)), "{typed:?}");
            assert_eq!(
                accounts.hint(&realm(), Hint::Login(typed.0.into())).await.unwrap(),
                Some(person.id.clone())
            );
            assert_eq!(accounts.folded(typed.0), "j\u{fc}rgen", "attempts are counted together");
        }
        accounts.set_password(&realm(), &name(typed.0), password("K\u{e4}sefondue")).await.unwrap();
        let changed = log_in(&accounts, set.0, "Ka\u{308}sefondue").await;
        assert!(matches!(changed, LoginOutcome::Authenticated(_)));
    }
}

/// Nobody gets a name that is taken for another person's, nor one of several scripts.
#[tokio::test]
async fn names_that_look_alike_are_refused() {
    let accounts = accounts();
    add(&accounts, "alice").await.unwrap();
    add(&accounts, "\u{440}\u{430}\u{443}\u{440}\u{430}\u{4cf}").await.unwrap();
    for taken in ["alice", "ALICE", "a1ice", "A1ice", "\u{ff41}lice", "paypal", "payp1l"] {
        let is_taken = matches!(add(&accounts, taken).await, Err(AccountError::Taken));
        assert_eq!(is_taken, taken != "payp1l", "{taken:?}");
    }
    let mixed = add(&accounts, "\u{430}lice").await;
    assert!(matches!(mixed, Err(AccountError::Unacceptable(_))), "letters of two scripts");
    // Who looks like somebody is nobody.
    assert_eq!(log_in(&accounts, "a1ice", "correct horse").await, refused(LoginRefusal::UnknownName));
    // The name is free with the person.
    accounts.remove(&realm(), &name("alice")).await.unwrap();
    add(&accounts, "a1ice").await.unwrap();
    assert!(matches!(add(&accounts, "alice").await, Err(AccountError::Taken)));
}

/// Of many who are added at the same moment under names that look alike, one is.
#[tokio::test]
async fn of_many_names_that_look_alike_one_is_taken() {
    let accounts = accounts();
    let (a, b, c, d, e) = tokio::join!(
        add(&accounts, "robert"),
        add(&accounts, "r0bert"),
        add(&accounts, "R0BERT"),
        add(&accounts, "Robert"),
        add(&accounts, "\u{ff52}obert"),
    );
    let outcomes = [a, b, c, d, e];
    let (added, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(added.len(), 1);
    assert!(refused.iter().all(|outcome| matches!(outcome, Err(AccountError::Taken))));
    assert_eq!(accounts.list(&realm()).await.unwrap().len(), 1);
}

/// What is no user name is nobody, also where somebody has the oddest of names.
#[tokio::test]
async fn what_is_no_name_is_nobody() {
    let accounts = accounts();
    for username in ["?", "-", "!", "name", "looks"] {
        add(&accounts, username).await.unwrap();
    }
    for typed in ["", " ", "a\nb", "\0", "\u{1}", &"x".repeat(256)] {
        let outcome = log_in(&accounts, typed, "correct horse").await;
        assert_eq!(outcome, refused(LoginRefusal::UnknownName), "{typed:?}");
    }
}

/// People are read and parsed once, until they are written again: what another node changes is seen when it
/// looks.
#[tokio::test]
async fn what_another_node_changes_is_seen() {
    let store = Arc::new(MemoryStore::new());
    let over = |store: &Arc<MemoryStore>| {
        let pool = PasswordPool::start(NonZeroUsize::MIN, 8).unwrap();
        StoredAccounts::new(Documents::new(store.clone()), pool, Arc::new(Counting::default()))
    };
    let (here, there) = (over(&store), over(&store));
    let alice = add(&there, "alice").await.unwrap();
    let mut time = 0;
    let mut look = async || {
        time += 1;
        here.watcher().unwrap().look(Timestamp::from_secs(time)).await.unwrap()
    };
    look().await;
    let is_active =
        async || here.find(&realm(), &alice.id).await.unwrap().is_some_and(|account| account.active);
    assert!(is_active().await);
    there.disable(&realm(), &name("alice")).await.unwrap();
    assert!(is_active().await, "nobody has looked");
    look().await;
    assert!(!is_active().await);
    // What it changes itself it knows at once.
    here.enable(&realm(), &name("alice")).await.unwrap();
    assert!(is_active().await);
    here.remove(&realm(), &name("alice")).await.unwrap();
    assert!(!is_active().await);
}

/// RFC 9068 section 5: an account cannot take the id of a client, in this realm.
#[tokio::test]
async fn an_account_cannot_have_the_id_of_a_client() {
    let store = Arc::new(MemoryStore::new());
    let pool = PasswordPool::start(NonZeroUsize::MIN, 8).unwrap();
    let accounts = StoredAccounts::new(Documents::new(store.clone()), pool, Arc::new(Counting::default()));
    let client =
        Document { id: "app".into(), aliases: Vec::new(), body: [1].into(), revision: Revision::NONE };
    store.put(&realm(), DocumentKind::CLIENT, None, client).await.unwrap();
    let new = |username: &str, id: &str| NewPerson {
        username: name(username),
        password: password("correct horse"),
        claims: Claims::default(),
        id: Some(AccountId::parse(id).unwrap()),
    };
    let refused = accounts.add(&realm(), new("alice", "app")).await;
    assert!(matches!(refused, Err(AccountError::Taken)));
    assert!(accounts.person(&realm(), &name("alice")).await.is_err(), "nothing was written");
    accounts.add(&realm(), new("app", "another")).await.unwrap();
    accounts.add(&RealmId::parse("two").unwrap(), new("alice", "app")).await.unwrap();
}

/// Initiating User Registration via OpenID Connect: who makes an account for themselves is held to the rules of an
/// operator, and learns which one is broken.
#[tokio::test]
async fn people_make_accounts_by_the_same_rules() {
    let (accounts, realm) = (accounts(), realm());
    let form = |username: &str, password: &str| SignUpForm::new(username, password);
    let sign_up = async |username: &str, password: &str| {
        accounts.sign_up(&realm, LATER, form(username, password), Room::default()).await.unwrap()
    };
    let made = sign_up("Ada", "analytical engine").await;
    let SignUpOutcome::SignedUp(who) = &made else { panic!("{made:?}") };
    assert_eq!(who.factors.first().map(|factor| factor.method.as_str()), Some("pwd"));
    for (username, password, why) in [
        ("ada", "another password", SignUpRefusal::NameTaken),
        ("\u{430}da", "another password", SignUpRefusal::NameUnacceptable),
        ("", "another password", SignUpRefusal::NameUnacceptable),
        ("a\u{0}b", "another password", SignUpRefusal::NameUnacceptable),
        ("byron", "1234567", SignUpRefusal::PasswordTooShort(8)),
        ("byron", "password123", SignUpRefusal::PasswordTooCommon),
        ("byron", "kkkkkkkkkkkk", SignUpRefusal::PasswordTooCommon),
        ("wolfeschlegel", "Wolfeschlegel", SignUpRefusal::PasswordIsName),
        ("byron", "correct\u{7}horse", SignUpRefusal::PasswordUnacceptable),
    ] {
        assert_eq!(
            sign_up(username, password).await,
            SignUpOutcome::Refused(why),
            "{username:?} {password:?}"
        );
        // What can be said without looking for the name is said without counting the attempt.
        let fit = accounts.may_sign_up(&realm, &form(username, password));
        assert_eq!(fit, if why == SignUpRefusal::NameTaken { Ok(()) } else { Err(why) });
    }
}

/// A person changes their password by the current one and by the rules of an operator, and learns which one is broken.
/// Everything else that they have ends, or goes on.
#[tokio::test]
async fn people_change_their_passwords() {
    let (accounts, realm) = (accounts(), realm());
    let alice = add(&accounts, "Alice").await.unwrap();
    let typed = |text: &str| Zeroizing::new(text.to_owned());
    let change = async |current: &str, new: &str, keeps_others: bool| {
        let (current, new) = (typed(current), typed(new));
        let change = PasswordChange { account: alice.id.clone(), current, new, keeps_others };
        accounts.change_password(&realm, LATER, change, Room::default()).await.unwrap()
    };
    let epoch = async || accounts.find(&realm, &alice.id).await.unwrap().unwrap().epoch;
    let before = epoch().await;
    for (current, new, outcome) in [
        ("Correct horse", "battery staple", PasswordChangeOutcome::WrongPassword),
        ("", "battery staple", PasswordChangeOutcome::WrongPassword),
        ("correct horse", "1234567", PasswordChangeOutcome::Refused(PasswordRefusal::TooShort(8))),
        ("correct horse", "password123", PasswordChangeOutcome::Refused(PasswordRefusal::TooCommon)),
        ("correct horse", "kkkkkkkkkkkk", PasswordChangeOutcome::Refused(PasswordRefusal::TooCommon)),
        (
            "correct horse",
            "battery\u{7}staple",
            PasswordChangeOutcome::Refused(PasswordRefusal::Unacceptable),
        ),
        ("correct horse", "correct\u{a0}horse", PasswordChangeOutcome::Refused(PasswordRefusal::Unchanged)),
        // What is wrong with the new one is said first, and tells nothing of the current one.
        ("wrong", "1234567", PasswordChangeOutcome::Refused(PasswordRefusal::TooShort(8))),
    ] {
        assert_eq!(change(current, new, false).await, outcome, "{current:?} {new:?}");
        assert_eq!(epoch().await, before);
    }
    let PasswordChangeOutcome::Changed(who) = change("correct horse", "battery staple", true).await else {
        panic!("not changed")
    };
    assert_eq!((who.epoch, who.time(), epoch().await), (before, LATER, before));
    assert_eq!(log_in(&accounts, "alice", "battery staple").await, LoginOutcome::Authenticated(who));
    let PasswordChangeOutcome::Changed(who) = change("battery staple", "wolfeschlegel", false).await else {
        panic!("not changed")
    };
    assert_ne!(who.epoch, before);
    assert_eq!(who.epoch, epoch().await);
    assert_eq!(
        log_in(&accounts, "alice", "battery staple").await,
        refused(LoginRefusal::WrongPassword(alice.id.clone()))
    );

    accounts.disable(&realm, &name("alice")).await.unwrap();
    assert_eq!(change("wolfeschlegel", "battery staple", false).await, PasswordChangeOutcome::Overtaken);
    accounts.remove(&realm, &name("alice")).await.unwrap();
    assert_eq!(change("wolfeschlegel", "battery staple", false).await, PasswordChangeOutcome::Overtaken);
}

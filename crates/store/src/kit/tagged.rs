//! What works over all partitions: tags and leases.
#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_types::{Key, Kind, Partition, RealmId, Tag, Timestamp};

use super::States;
use super::sample::{T0, key, key_in, later, lives, lives_at, record, record_of, tag, under};
use super::taking_turns::taking_turns;
use super::wait::done;
use crate::{Change, Record, Revoked, StateStore, Tags, Updated};

fn of(account: &str, client: &str, record: Record) -> Record {
    let tags =
        Tags { account: Some(tag("account", account)), client: Some(tag("client", client)), session: None };
    Record { tags, ..record }
}

/// It takes the records of this kind with this tag in any of the three places and any partition, and nothing
/// else.
pub fn revocation_by_tag_takes_only_its_own(handles: &States) {
    let s = taking_turns(handles);
    let elsewhere = of("alice", "a", record_of(key_in(Partition([200, 1]), Kind::GRANT, 5), 5));
    let session = Record {
        tags: Tags { session: Some(tag("session", "1")), ..Tags::default() },
        ..record(Kind::GRANT, 6)
    };
    done(s.insert(T0, &[of("alice", "a", record(Kind::GRANT, 1)), of("alice", "b", record(Kind::GRANT, 2))]));
    done(s.insert(
        T0,
        &[of("bob", "a", record(Kind::GRANT, 3)), of("alice", "a", record(Kind::SESSION, 4)), session],
    ));
    done(s.insert(T0, std::slice::from_ref(&elsewhere)));
    done(s.insert(
        T0,
        &[under(elsewhere.key, record_of(key_in(Partition([200, 1]), Kind::ACCESS_TOKEN, 7), 7))],
    ));
    let other_realm = Tag::derive(&RealmId::parse("other").unwrap(), "account", b"alice");
    for stranger in [other_realm, tag("client", "alice"), tag("account", "carol")] {
        assert_eq!(done(s.revoke_tagged(Kind::GRANT, stranger)), 0);
    }
    assert_eq!(done(s.revoke_tagged(Kind::GRANT, tag("account", "alice"))), 3);
    let left: Vec<bool> = (1..=3).map(|n| lives(&s, key(Kind::GRANT, n))).collect();
    assert_eq!(left, [false, false, true]);
    assert!(lives(&s, key(Kind::SESSION, 4)), "another kind");
    assert!(!lives(&s, elsewhere.key));
    assert!(!lives(&s, key_in(Partition([200, 1]), Kind::ACCESS_TOKEN, 7)), "its child ended with it");
    assert_eq!(done(s.revoke_tagged(Kind::GRANT, tag("client", "a"))), 1);
    assert_eq!(done(s.revoke_tagged(Kind::GRANT, tag("session", "1"))), 1);
}

/// A page covers all partitions, and dead records do not count.
pub fn listing_pages_in_the_order_of_keys(handles: &States) {
    let s = taking_turns(handles);
    let mut keys = Vec::new();
    for n in 0..20_u8 {
        let partition = Partition([n.wrapping_mul(97), n]);
        let grant = of("alice", "a", record_of(key_in(partition, Kind::GRANT, u32::from(n)), 1));
        match n % 4 {
            0 => done(s.insert(T0, &[Record { expires_at: T0, ..grant }])),
            1 => done(s.insert(T0, &[under(key_in(partition, Kind::SESSION, 1), grant)])),
            _ => {
                keys.push(grant.key);
                done(s.insert(T0, &[grant]));
            }
        }
        done(s.insert(T0, &[of("bob", "a", record(Kind::GRANT, 100 + u32::from(n)))]));
        done(s.insert(T0, &[of("alice", "a", record(Kind::SESSION, u32::from(n)))]));
    }
    keys.sort();
    for limit in [1, 3, 7, 100] {
        let mut listed: Vec<Key> = Vec::new();
        loop {
            let page =
                done(s.list_tagged(T0, Kind::GRANT, tag("account", "alice"), listed.last().copied(), limit));
            assert!(page.len() <= limit);
            let full = page.len() == limit;
            listed.extend(page.iter().map(|stored| stored.record.key));
            if !full {
                break;
            }
        }
        assert_eq!(listed, keys, "pages of {limit}");
    }
    assert_eq!(done(s.list_tagged(T0, Kind::GRANT, tag("account", "alice"), None, 0)), []);
    let all = done(s.list_tagged(T0, Kind::GRANT, tag("client", "a"), None, 100));
    assert_eq!(all.len(), keys.len() + 20, "by the other tag");
}

fn due(n: u32, at: Timestamp) -> Record {
    Record { due_at: Some(at), ..record(Kind::DELIVERY, n) }
}

/// A worker holds it until the lease ends; then it can be leased again, and its new revision ends the work.
pub fn a_lease_is_held_by_one_worker(handles: &States) {
    let s = taking_turns(handles);
    done(s.insert(T0, &[due(1, T0), due(2, later(1))]));
    let lease = |now, until| done(s.lease(now, Kind::DELIVERY, until, 9));
    let held = lease(T0, later(30));
    assert_eq!(held.iter().map(|stored| stored.record.clone()).collect::<Vec<_>>(), [due(1, later(30))]);
    assert_eq!(lease(T0, later(30)), [], "held by the one who has it");
    assert_eq!(lease(later(1), later(31)).len(), 1, "the other one is due now");
    assert_eq!(lease(later(29), later(60)), []);
    let again = lease(later(30), later(60));
    assert_eq!(again.len(), 1, "an abandoned lease comes back");
    let (old, new) = (held.first().unwrap(), again.first().unwrap());
    let k = old.record.key;
    assert_eq!(
        done(s.revoke(later(30), k, Some(old.revision), &[])),
        Revoked::Stale,
        "the first worker is late"
    );
    let change = Change { body: Box::new([1]), expires_at: later(600), due_at: Some(later(90)) };
    let Updated::Done(revision) = done(s.update(later(30), k, new.revision, change, &[])) else {
        unreachable!()
    };
    assert_eq!(done(s.revoke(later(30), k, Some(revision), &[])), Revoked::Ended);
    assert!(!lives_at(&s, later(30), k));
}

/// It takes at most as many as asked, of this kind, from every partition, but no dead record and none that is
/// never due.
pub fn a_lease_takes_only_what_is_live_and_due(handles: &States) {
    let s = taking_turns(handles);
    let far = Record { due_at: Some(T0), ..record_of(key_in(Partition([250, 0]), Kind::DELIVERY, 1), 1) };
    let expired = Record { expires_at: later(5), ..due(2, T0) };
    let orphan = under(key(Kind::SESSION, 9), due(3, T0));
    let other_kind = Record { due_at: Some(T0), ..record(Kind::GRANT, 4) };
    done(s.insert(T0, std::slice::from_ref(&far)));
    done(
        s.insert(T0, &[expired, orphan, other_kind, record(Kind::DELIVERY, 5), due(6, later(9)), due(7, T0)]),
    );
    assert_eq!(done(s.lease(later(5), Kind::DELIVERY, later(5), 0)), []);
    let mut held = Vec::new();
    for _ in 0..2 {
        let page = done(s.lease(later(5), Kind::DELIVERY, later(60), 1));
        held.extend(page.into_iter().map(|stored| stored.record.key));
    }
    held.sort();
    let mut wanted = [far.key, key(Kind::DELIVERY, 7)];
    wanted.sort();
    assert_eq!(held, wanted);
    assert_eq!(done(s.lease(later(5), Kind::DELIVERY, later(60), 9)), []);
}

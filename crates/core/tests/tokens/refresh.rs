//! RFC 6749 section 6 and RFC 9700 section 4.14.2: refresh families.

use std::time::Duration;

use chancery_types::Timestamp;

use crate::world::{World, refused};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

fn family(world: &World) -> String {
    let code = world.code("app", "openid email offline_access");
    world.exchange("app", &code).unwrap().refresh_token.unwrap()
}

/// RT-01, RT-08, GAP-10: two trips; the former token gives the same successor for 30 s, later it ends the grant.
#[test]
fn rotation_and_grace() {
    let mut world = World::new();
    let first = family(&world);
    let (tokens, trips) = world.trips(|| world.refresh("app", &first).unwrap());
    assert_eq!(trips, 2);
    let second = tokens.refresh_token.unwrap();
    assert_ne!(first, second);
    world.wait(29 * SECOND);
    let (again, trips) = world.trips(|| world.refresh("app", &first).unwrap());
    assert_eq!((again.refresh_token.unwrap(), trips), (second.clone(), 2));
    assert_ne!(again.access_token, tokens.access_token);
    world.wait(2 * SECOND);
    world.heard();
    let (name, wire) = refused(world.refresh("app", &first));
    assert_eq!((name, &*wire), ("refresh_token_used", "invalid_grant grant request is invalid"));
    assert_eq!(world.heard(), ["grant_ended"]);
    assert_eq!(refused(world.refresh("app", &second)).0, "refresh_token_unknown");
    assert!(!world.is_active(&again.access_token) && world.heard() == ["introspected"]);
}

/// RT-02: whose it is comes first, and ends nothing.
#[test]
fn a_foreign_client_ends_nothing() {
    let mut world = World::new();
    let first = family(&world);
    let second = world.refresh("app", &first).unwrap().refresh_token.unwrap();
    world.wait(DAY);
    assert_eq!(refused(world.refresh("native", &first)).0, "refresh_token_foreign");
    assert_eq!(refused(world.refresh("native", &second)).0, "refresh_token_foreign");
    assert_eq!(refused(world.refresh("app", "rt_")).0, "refresh_token_unknown");
    assert!(world.refresh("app", &second).is_ok());
}

/// RT-04, RT-11: less scope for one response; without `openid` no ID token; the next has everything again. A refreshed ID
/// token has the time of the login and no nonce (OIDC Core section 12.2).
#[test]
fn narrowing() {
    let mut world = World::new();
    let first = family(&world);
    world.wait(100 * SECOND);
    let form = |token: &str, scope: &str| {
        format!("grant_type=refresh_token&client_id=app&refresh_token={token}&scope={scope}")
    };
    assert_eq!(refused(world.tokens(&form(&first, "openid+profile"))).0, "scope_exceeds_grant");
    assert_eq!(refused(world.tokens(&form(&first, "%22"))).0, "scope_malformed");
    let narrow = world.tokens(&form(&first, "email")).unwrap();
    assert_eq!(narrow.scope.unwrap().to_string(), "email");
    assert!(narrow.id_token.is_none());
    let wide = world.refresh("app", &narrow.refresh_token.unwrap()).unwrap();
    assert_eq!(wide.scope.unwrap().to_string(), "openid email offline_access");
    let claims = world.verified(&wide.id_token.unwrap()).claims().unwrap();
    assert_eq!((claims.iat.unwrap().secs(), claims.nonce.as_deref()), (1_800_000_100, None));
    assert_eq!(claims.raw("auth_time").unwrap().get(), "1800000000");
}

/// GAP-11: idle end 14 days, absolute end 90 days, and nothing else caps the chain.
#[test]
fn idle_and_absolute_end() {
    let mut world = World::new();
    let mut token = family(&world);
    for _ in 0..6 {
        world.wait(14 * DAY - SECOND);
        token = world.refresh("app", &token).unwrap().refresh_token.unwrap();
    }
    world.wait(6 * DAY);
    token = world.refresh("app", &token).unwrap().refresh_token.unwrap();
    world.wait(6 * SECOND);
    assert_eq!(refused(world.refresh("app", &token)).0, "refresh_token_unknown");

    let token = family(&world);
    world.wait(14 * DAY);
    assert_eq!(refused(world.refresh("app", &token)).0, "refresh_token_unknown");
}

/// GAP-06, A5: whoever shows one token at the same time is handed one successor.
#[test]
fn of_many_refreshes_all_get_the_same_successor() {
    for _ in 0..20 {
        let world = World::new();
        let token = family(&world);
        let mut given: Vec<String> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..16).map(|_| scope.spawn(|| world.refresh("app", &token).unwrap())).collect();
            all.into_iter().map(|one| one.join().unwrap().refresh_token.unwrap()).collect()
        });
        given.dedup();
        assert_eq!(given.len(), 1);
        assert!(world.refresh("app", &given[0]).is_ok());
    }
}

/// What a family is, said without digests: its tokens in order, when the newest came into force, and its ends.
struct Model {
    tokens: Vec<String>,
    rotated_at: Timestamp,
    idle_end: Timestamp,
    absolute_end: Timestamp,
    is_alive: bool,
}

impl Model {
    /// What showing this token should yield: a successor that is known already, a new one, or nothing.
    fn show(&mut self, at: usize, now: Timestamp) -> Expected {
        let newest = self.tokens.len() - 1;
        if !self.is_alive || now >= self.idle_end {
            return Expected::Refused;
        }
        if at == newest {
            self.rotated_at = now;
            self.idle_end = (now + 14 * DAY).min(self.absolute_end);
            return Expected::New;
        }
        if at + 1 == newest && now.since(self.rotated_at) <= 30 * SECOND {
            return Expected::Newest;
        }
        self.is_alive = false;
        Expected::Refused
    }
}

#[derive(Debug, PartialEq)]
enum Expected {
    New,
    Newest,
    Refused,
}

/// RT-02, RT-08: 100 random walks of 60 steps over one family each, against the model.
#[test]
fn a_family_is_its_model() {
    let mut seed: u64 = 20_260_101;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let (mut new, mut same, mut refusals) = (0, 0, 0);
    let mut world = World::new();
    for _ in 0..100 {
        let born = world.now;
        let first = family(&world);
        let mut model = Model {
            tokens: vec![first],
            rotated_at: born,
            idle_end: born + 14 * DAY,
            absolute_end: born + 90 * DAY,
            is_alive: true,
        };
        for _ in 0..60 {
            world.wait(match random(20) {
                0 => DAY * u32::try_from(random(15)).unwrap(),
                1..=4 => Duration::from_millis(random(40_000)),
                _ => Duration::from_millis(random(3_000)),
            });
            let newest = model.tokens.len() - 1;
            let back = if random(25) == 0 { 2 } else { usize::from(random(4) == 0) };
            let at = newest.saturating_sub(back);
            let expected = model.show(at, world.now);
            let outcome = world.refresh("app", &model.tokens[at]);
            match (expected, outcome.ok().and_then(|tokens| tokens.refresh_token)) {
                (Expected::New, Some(token)) if !model.tokens.contains(&token) => {
                    model.tokens.push(token);
                    new += 1;
                }
                (Expected::Newest, Some(token)) if token == model.tokens[newest] => same += 1,
                (Expected::Refused, None) => refusals += 1,
                (expected, got) => panic!("{expected:?}, and got {}", got.is_some()),
            }
        }
    }
    assert!(new > 300 && same > 50 && refusals > 100, "{new} {same} {refusals}: the walk shows too little");
}

//! A provider, a browser and a client without a socket: what Chancery's tests speak through.
//!
//! ```
//! use chancery_core::endpoint::token::authorization_code::CODE_USED;
//! use chancery_testkit::{TestProvider, assert_refused, minutes};
//!
//! let kit = TestProvider::new();                       // https://id.example, on memory, clock in hand
//! let ua = kit.user_agent();                           // a browser: cookies, redirects, forms
//!
//! // A client's link is followed; the person signs in, allows, and the client gets a code.
//! let request = kit.authorization_request("web").scope("openid profile");
//! let code = request.open(&ua).expect_page("login").login("alice").expect_page("consent").allow().expect_code();
//!
//! // Its program exchanges the code; the kit knows how the client authenticates and what PKCE needs.
//! let tokens = kit.exchange(&code).expect_status(200);
//! assert_eq!(kit.id_token(&tokens, "web").claims["sub"], "alice");
//! assert_eq!(kit.userinfo(tokens.member("access_token"))["name"], "alice Example");
//!
//! // A refusal: code and text on the wire, and exactly one event with the name of the reason.
//! assert_refused!(kit.exchange(&code), CODE_USED);
//!
//! kit.clock.advance(minutes(10));                      // nothing sleeps
//! ```
//!
//! # What is there
//!
//! | in hand | what for |
//! |---|---|
//! | [`kit.clock`](HandClock) | `advance(minutes(10))`; starts at [`HandClock::START`] |
//! | [`kit.accounts`](TestAccounts) | alice and bob; `add`, `remove`, `disable`, `sign_out_everywhere`, `meanwhile`, `set_claim`, `be(Mood::Busy)` |
//! | [`kit.put_client`](TestProvider::put_client) | registers or changes a client by RFC 7591 metadata; `replace_client` registers another one of the same id |
//! | [`kit.keys`](chancery_core::documents::MemoryKeys) | rotation; needs [`own_keys`](TestProviderBuilder::own_keys) |
//! | [`kit.key_service`](TestKeys) | the way to the keys: `fall_silent()`, `answer_again()` |
//! | [`TestRegistry`] | what several realms share, each with clients of its own: [`registry`](TestProviderBuilder::registry) |
//! | [`Realms`] | several realms behind one Service: [`behind`](TestProviderBuilder::behind); `ua.at(&other)` is the same browser there |
//! | [`kit.fetch`](ScriptedFetch) | other servers: `answers(url, status, body)`, `asked()` |
//! | [`kit.counting`](chancery_store::kit::Counting) | trips and writes: `reset()`, `total()`, `writes()`; [`trips`](TestProvider::trips) |
//! | [`kit.failing`](chancery_store::kit::Failing) | `fail_at(n)`: the n-th call of the store from now on fails |
//! | [`kit.interleaved`](Interleaved) | `has_written(text)`: whether a text stands in any body that was stored |
//! | [`Answer::events`] | what happened in that request: `answer.event_names()`, `tab.event_names()` |
//!
//! Ready-made clients; each that has a secret has [`SECRET`]:
//!
//! | client | what it is |
//! |---|---|
//! | `web` | confidential, `client_secret_basic`, all grant types; has a name and a home page |
//! | `post` | confidential, `client_secret_post`, all grant types, two redirect URIs |
//! | `native` | public, a loopback and a private-use redirect URI |
//! | `spa` | public, one https redirect URI |
//! | `operator` | confidential, `consent = "implied"`, `refresh_tokens = "always"` |
//! | `api` | confidential; names the resource servers' introspector, may do nothing but client_credentials |
//! | `machine` | confidential; plain OAuth for `https://api.example` (opaque tokens; `read`, `write`) |
//! | `jwt` | confidential; plain OAuth for `https://jwt-api.example` (JWTs; `read`, `write`) |
//!
//! # What a test can say
//!
//! *The browser* ([`UserAgent`], [`Tab`]). `ua.signed_in("alice")`, `ua.has_visited("web")` and
//! `ua.has_consented("alice", "web", "openid")` write what happened before the test. Each navigation gives a
//! tab: `request.open(&ua)`, `request.post(&ua)` (from the client's site), `ua.get(address)`,
//! `ua.post_from_another_site(address, fields)`. On it: `login`, `login_wrongly`, `allow`, `deny`, `cancel`,
//! `choose`, `choose_another`, `reload`, `submit(typed, button)`; then `expect_page`, `expect_code`,
//! `expect_error`, `expect_arrival`. Acting on an older value of a tab is the back button. A [`Stranger`]
//! guesses passwords from ever new browsers and networks.
//!
//! *The client* ([`ClientRequest`]). `kit.token_request("web").param("grant_type", "…").send()`; for what is
//! usual `exchange`, `refresh`, `introspect`, `is_active`, `revoke`, `userinfo`, and their `…_request` forms
//! to be changed before they are sent: `.set`, `.without`, `.secret("wrong")`, `.by_method("none")`,
//! `.unauthenticated()`, `.header`. In one go: `kit.code("alice", "web", "openid")`,
//! `kit.tokens("alice", "web", "openid")`.
//!
//! *Refusals*. [`assert_refused!`] for one; [`NegativeTable`] for the table at the end of each file: it also
//! checks that nothing was written or issued. [`Hostile`] makes hostile requests out of good ones, from a
//! seed.
//!
//! *What a client signs* ([`ClientKey`]): assertions, request objects, and proofs that it has the key. A [`DpopKey`]
//! makes a new proof for each request.
//!
//! *Devices* ([`Device`]): `kit.put_device_client("tv", json!({…}))`, then `kit.device("tv", "openid")` waits,
//! `ua.enter_user_code(device.user_code())` leads its person to the page `confirm-device`, and `device.poll()` asks what
//! was decided.
//!
//! *Certificates* ([`TestAuthority`], [`TestCertificate`]): `request.certificate(&authority.client("app"))` comes over
//! a connection on which the client has shown one.
//!
//! *Races*. [`TestProvider::send_at_once`] interleaves requests at every question to the store, the registry,
//! the accounts and the keys, in an order of a seed; [`TestProvider::send_while`] changes something
//! meanwhile.
//!
//! *Another store*: `TestProvider::builder().store(Arc::new(SqliteStore::open(path)?)).build()`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a kit for tests fails by panicking"
)]

mod clock;
pub use clock::{HandClock, days, hours, millis, minutes, seconds};

mod random;
pub use random::SeededRandom;

mod people;
pub use people::{Mood, TestAccounts, claims_of_scope, password_of};

mod keys;
pub use keys::TestKeys;

mod client_key;
pub use client_key::ClientKey;

mod certificates;
pub use certificates::{CertificateContent, TestAuthority, TestCertificate};

mod registry;
pub use registry::TestRegistry;

mod realms;
pub use realms::Realms;

mod fetch;
pub use fetch::{Fetched, ScriptedFetch};

mod events;
pub use events::{RecordedEvents, names, refusals};

mod interleaved;
pub use interleaved::{Interleaved, Task, let_others_take, race, wait};

mod clients;
pub use clients::{READY_MADE, SECRET};

mod answer;
pub use answer::{Answer, MayRefuse, check_refused, check_refused_by_name};

mod ciba;
pub use ciba::{Backchannel, CIBA_GRANT, notification_endpoint, notification_token};

mod device;
pub use device::{DEVICE_GRANT, Device};

mod dpop;
pub use dpop::DpopKey;

mod client_request;
pub use client_request::{ClientRequest, basic};

mod authorization_request;
pub use authorization_request::{Arrival, AuthorizationRequest, Code};

mod user_agent;
pub use user_agent::{Button, FrontEnd, HtmlForm, HtmlPage, Tab, UserAgent};

mod stranger;
pub use stranger::Stranger;

mod provider;
mod provider_builder;
pub use provider::{Application, TestProvider};
pub use provider_builder::TestProviderBuilder;

mod shortcuts;

mod ending;
mod registrant;
pub use registrant::json_request;

mod jwt;
pub use jwt::VerifiedJwt;

mod negative_table;
pub use negative_table::{NegativeTable, Refused};

mod hostile;
pub use hostile::{Hostile, MARK};

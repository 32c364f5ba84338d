//! Every error that an application can meet reads like a sentence, also where `main` returns it or `unwrap` prints it.

#![cfg(all(feature = "axum", feature = "development", feature = "fetch"))]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::error::Error;
use std::num::NonZeroUsize;
use std::sync::Arc;

use chancery::accounts::{AccountError, Full, PasswordPool, StoredAccounts, Username};
use chancery::client::{NotRegistered, RedirectUri};
use chancery::development::DevelopmentError;
use chancery::fetch::{AllowedHost, HttpsFetch, NotFetched, Options, Roots};
use chancery::mutual_tls::{Authorities, CertificateError, CertificateSubject, NameError, Untrusted};
use chancery::pages::{Accent, Templates};
use chancery::resource::ProtectedResource;
use chancery::store::{BackendError, StoreError};
use chancery::types::ErrorCode;
use chancery::{
    AccountId, Client, ClientId, Complaints, Config, Documents, Failure, Fault, Issuer, MemoryKeys,
    MemoryRegistry, MemoryStore, NoFetch, PageError, Parts, Provider, RealmId, Reason, Refusal, Registry,
    ResourceServer, ResourceUri, Scopes, SealedKeys, SigningAlgorithm, StoredRegistry, Timestamp,
    TokenFormat, TrustedProxies, jose,
};
use chancery_tidy::Repository;

const WRONG_BADGE: Reason = Reason {
    name: "wrong_badge",
    code: ErrorCode::InvalidGrant,
    description: "grant request is invalid",
    section: "RFC 6749 section 5.2",
};

/// Errors of one type, by its name.
type Samples = (&'static str, Vec<Box<dyn Error>>);

fn samples<E: Error + 'static>(name: &'static str, errors: impl IntoIterator<Item = E>) -> Samples {
    (name, errors.into_iter().map(|error| Box::new(error) as Box<dyn Error>).collect())
}

fn of_configuration() -> Vec<Samples> {
    let shop = Client::web("shop").secret("too short").redirect("http://shop.example/callback");
    let complaints = MemoryRegistry::new().put(&shop).unwrap_err();
    let folder = Templates::from_folder("/nowhere/at/all".as_ref()).err().unwrap();
    let messages = Templates::built_in().with_messages("/nowhere/at/all".as_ref()).err().unwrap();
    let unfetched = NotRegistered {
        cause: Some(Fault::unavailable("https://client.example/sector does not answer")),
        ..NotRegistered::from(complaints.clone())
    };
    vec![
        samples("Complaint", complaints.clone()),
        samples("NotRegistered", [NotRegistered::from(complaints.clone()), unfetched]),
        samples(
            "DevelopmentError",
            [
                DevelopmentError::NotLoopback,
                DevelopmentError::Unfit(complaints.clone()),
                DevelopmentError::Account(AccountError::Taken),
                DevelopmentError::Broken(Fault::internal("a thread could not be started")),
            ],
        ),
        samples(
            "AccountError",
            [
                AccountError::Taken,
                AccountError::Unknown,
                AccountError::Changed,
                AccountError::Unacceptable(complaints.clone()),
                AccountError::Busy,
                AccountError::Broken(Fault::unavailable("the store is busy")),
            ],
        ),
        samples("Full", [Full]),
        samples(
            "NotProtected",
            [
                ProtectedResource::trusting("https://id.example/", Arc::new(NoFetch))
                    .at("urn:api")
                    .err()
                    .unwrap(),
                ProtectedResource::trusting("https://id.example", Arc::new(NoFetch)).at("#").err().unwrap(),
            ],
        ),
        samples("Complaints", [complaints, folder, messages]),
    ]
}

fn of_values() -> Vec<Samples> {
    let [dn, dns, uri, ip, email] = CertificateSubject::MEMBERS;
    let subjects =
        [dn, dns, uri, ip, email, "tls_client_auth_x"].map(|name| CertificateSubject::read(name, " "));
    vec![
        samples(
            "Malformed",
            [
                AccountId::parse("").unwrap_err(),
                ClientId::parse("").unwrap_err(),
                Issuer::parse("http://id.example").unwrap_err(),
                RealmId::parse("Main").unwrap_err(),
                RedirectUri::parse("callback").unwrap_err(),
                ResourceUri::parse("api").unwrap_err(),
                Scopes::parse("a  b").unwrap_err(),
                Username::parse(" ").unwrap_err(),
            ],
        ),
        samples("NotANetwork", [TrustedProxies::parse(["10.0.0.0/33"]).unwrap_err()]),
        samples("NotAColour", [Accent::parse("blue").unwrap_err()]),
        samples("NotAHost", ["*.example".parse::<AllowedHost>().unwrap_err()]),
        samples("BadRoots", [Roots::default().and(b"").err().unwrap()]),
        samples("BadAuthorities", [Authorities::default().and(b"").err().unwrap()]),
        samples("SubjectError", subjects.into_iter().map(Result::unwrap_err)),
        samples(
            "CertificateError",
            [CertificateError::Empty, CertificateError::TooLong, CertificateError::Malformed],
        ),
        samples(
            "NameError",
            [
                NameError::Empty,
                NameError::TooLong,
                NameError::Syntax,
                NameError::UnknownAttribute,
                NameError::Characters,
            ],
        ),
        samples(
            "Untrusted",
            [
                Untrusted::Malformed,
                Untrusted::Expired,
                Untrusted::NotYetValid,
                Untrusted::NotForClients,
                Untrusted::Unknown,
            ],
        ),
        samples(
            "Error",
            [
                jose::PrivateKey::from_jwk(b"{}").err().unwrap(),
                jose::Error::TooLong,
                jose::Error::Base64,
                jose::Error::Json,
                jose::Error::UnknownAlgorithm,
                jose::Error::ModulusSize,
                jose::Error::SecretTooShort,
                jose::Error::Signature,
                jose::Error::Decryption,
                jose::Error::Library,
            ],
        ),
    ]
}

fn of_work() -> Vec<Samples> {
    let fault = || Fault::unavailable("the key service").because("no route to host");
    vec![
        samples("Fault", [fault(), Fault::internal("a damaged record")]),
        samples("Refusal", [Refusal::from(&WRONG_BADGE)]),
        samples("Failure", [Failure::from(&WRONG_BADGE), Failure::from(fault())]),
        samples("PageError", [PageError::from(&WRONG_BADGE), PageError::from(fault())]),
        samples("BackendError", [BackendError::new("the disk is full")]),
        samples(
            "StoreError",
            [
                StoreError::Busy,
                StoreError::Occupied,
                StoreError::Misused("a step in two partitions"),
                StoreError::Backend(BackendError::new("the disk is full")),
            ],
        ),
        samples(
            "NotFetched",
            [
                NotFetched::Address("the host is not a DNS name"),
                NotFetched::Forbidden([127, 0, 0, 1].into()),
                NotFetched::Busy,
                NotFetched::TooSlow,
                NotFetched::Unresolved(None),
                NotFetched::Unreachable(std::io::ErrorKind::ConnectionRefused.into()),
                NotFetched::TooLong(65_536),
                NotFetched::MediaType(Some("text/html".into())),
                NotFetched::Encoded,
            ],
        ),
    ]
}

fn all() -> impl Iterator<Item = Samples> {
    of_configuration().into_iter().chain(of_values()).chain(of_work())
}

/// What Rust prints of its own types, which nobody should have to read.
const OF_DEBUG: [&str; 6] = ["\\\"", "\\n", "Some(", "None", " { ", "Error("];

#[test]
fn each_is_a_sentence_however_it_is_printed() {
    for (name, errors) in all() {
        assert!(!errors.is_empty(), "{name}");
        for error in errors {
            let (shown, returned) = (error.to_string(), format!("{error:?}"));
            for line in shown.lines().chain(returned.lines()) {
                assert!(line.split_whitespace().count() >= 3, "{name} is too short: {line}");
                let odd = OF_DEBUG.iter().find(|odd| line.contains(**odd));
                assert_eq!(odd, None, "{name}: {line}");
            }
            assert!(returned.starts_with(&shown), "{name}: {returned} instead of {shown}");
        }
    }
}

/// What stands where an error does, and is none that a developer reads.
const OTHERS: [(&str, &str); 6] = [
    ("DetailFault", "a list of a standard: why a detail is refused; the engine puts it into words"),
    ("E", "a type parameter"),
    ("RegistrationError", "of the HTTP layer"),
    ("Response", "the answer to a request"),
    ("SignUpRefusal", "told to the person by the page"),
    ("String", "a sentence"),
];

/// The last argument of each `Result<…>` of a text that has two.
fn errors_of(text: &str) -> BTreeSet<String> {
    text.split("Result<").skip(1).filter_map(error_of).collect()
}

fn error_of(arguments: &str) -> Option<String> {
    let (mut depth, mut all) = (0_u32, vec![String::new()]);
    for character in arguments.chars() {
        match character {
            '>' if depth == 0 => break,
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => all.push(String::new()),
            _ if depth == 0 && (character.is_alphanumeric() || character == ':') => {
                all.last_mut()?.push(character)
            }
            _ => {}
        }
    }
    let error = all.get(1..)?.iter().rev().find(|name| !name.is_empty())?;
    error.rsplit(':').next().map(str::to_owned)
}

#[test]
fn no_error_is_forgotten() {
    let have: BTreeSet<_> = all().map(|(name, _)| name.to_owned()).collect();
    let others: BTreeSet<_> = OTHERS.into_iter().map(|(name, _)| name.to_owned()).collect();
    let api = Repository::open().read("docs/public-api.txt");
    let missing: Vec<_> =
        errors_of(&api).into_iter().filter(|name| !have.contains(name) && !others.contains(name)).collect();
    assert!(missing.is_empty(), "give these their samples: {missing:?}");
}

/// What the library would take and what would never work is refused when the provider is built.
async fn built(registry: impl Registry + 'static) -> Result<Arc<Provider>, Complaints> {
    let store = Arc::new(MemoryStore::new());
    let pool = PasswordPool::start(NonZeroUsize::MIN, 1).unwrap();
    let accounts = StoredAccounts::new(Documents::new(store.clone()), pool, Arc::new(jose::SystemRandom));
    let parts = Parts {
        realm: RealmId::parse("main").unwrap(),
        issuer: Issuer::parse("https://id.example").unwrap(),
        store,
        registry: Arc::new(registry),
        accounts: Arc::new(accounts),
        keys: Arc::new(MemoryKeys::generate(&[jose::SigningAlgorithm::Rs256]).unwrap()),
    };
    Provider::new(parts, Config::default()).await
}

fn api(uri: &str, scopes: &str) -> ResourceServer {
    ResourceServer::new(ResourceUri::parse(uri).unwrap(), Scopes::parse(scopes).unwrap())
}

#[tokio::test]
async fn clients_and_resource_servers_fit_each_other() {
    let app = |api: &str| Client::spa("w").redirect("https://w.example/").api(api);
    let with = |client: &str| {
        let registry = MemoryRegistry::new().with_resource_server(api("https://api.example", "read"));
        registry.with_client(client).unwrap()
    };
    assert!(built(with(&app("https://api.example"))).await.is_ok());
    let wrong = built(with(&app("https://nobody.example"))).await.err().unwrap();
    assert_eq!(
        wrong.to_string(),
        "client \"w\": chancery.resources: https://nobody.example is no resource server of this provider: add it with \
         `MemoryRegistry::with_resource_server`, or do not name it (RFC 8707 section 2)"
    );
    let reserved = MemoryRegistry::new().with_resource_server(api("https://api.example", "openid read"));
    let wrong = built(reserved).await.err().unwrap();
    assert_eq!(
        wrong.to_string(),
        "resource_server: https://api.example: scope openid belongs to the authorization server itself: take it out here, or \
         out of scopes.extra or claims.scopes (RFC 9068 section 5)"
    );
    let issuer = MemoryRegistry::new().with_resource_server(api("https://id.example", "read"));
    let wrong = built(issuer).await.err().unwrap().to_string();
    assert!(wrong.contains("https://id.example: uri must not be the issuer"), "{wrong}");
}

/// The first one is not replaced without a word, in whichever registry: by their numbers, in the order of the program.
#[tokio::test]
async fn no_two_resource_servers_have_one_uri() {
    let all = || {
        ["https://a.example", "https://b.example", "https://c.example", "https://b.example"]
            .map(|uri| api(uri, "read"))
    };
    let expected = "resource_server: https://b.example: is the uri of two resource servers, number 2 and number 4: put them \
        together, or take one of them out (docs/configuration.md)";
    let registry = all().into_iter().fold(MemoryRegistry::new(), MemoryRegistry::with_resource_server);
    assert_eq!(built(registry).await.err().unwrap().to_string(), expected);
    let documents = Documents::new(Arc::new(MemoryStore::new()));
    let stored = StoredRegistry::new(documents).with_resource_servers(all());
    assert_eq!(built(stored).await.err().unwrap().to_string(), expected);
}

/// What signs with a client's secret has no key here.
#[tokio::test]
async fn an_algorithm_without_a_key_pair_is_named() {
    let store = Arc::new(MemoryStore::new());
    let sealed = SealedKeys::new(
        Documents::new(store),
        &jose::RootSecret::new([7; 32].into()),
        Arc::new(jose::SystemRandom),
    );
    let (sealed, realm) = (sealed.unwrap(), RealmId::parse("main").unwrap());
    let begun = sealed.begin(&realm, &[SigningAlgorithm::Hs512], Timestamp::from_millis(0)).await;
    let made = MemoryKeys::generate(&[SigningAlgorithm::Rs256, SigningAlgorithm::Hs512]).err().unwrap();
    for wrong in [made, begun.unwrap_err()] {
        let said = "there is no key for HS512: it signs with the secret of a client, without a key of the provider. Name an \
                    algorithm with a key pair, such as RS256 or ES256";
        assert!(wrong.to_string().contains(said), "{wrong}");
    }
}

/// What no key could sign would be a fault with every token.
#[tokio::test]
async fn there_is_a_key_for_whatever_is_signed() {
    let jwt = |alg| ResourceServer { format: TokenFormat::Jwt, alg, ..api("https://api.example", "read") };
    let with = |alg| built(MemoryRegistry::new().with_resource_server(jwt(alg)));
    assert!(with(SigningAlgorithm::Rs256).await.is_ok());
    let wrong = with(SigningAlgorithm::Ps256).await.err().unwrap();
    assert_eq!(
        wrong.to_string(),
        "resource_server: https://api.example: there is no key for PS256: `chancery keys add PS256` makes one, as \
         `MemoryKeys::generate` and `SealedKeys::begin` do in a program; or name another algorithm (RFC 9068 section 2.1)"
    );
    for member in ["id_token_signed_response_alg", "userinfo_signed_response_alg"] {
        let client = Client::spa("w").redirect("https://w.example/").set(member, "ES256");
        let wrong = built(MemoryRegistry::new().with_client(&client).unwrap()).await.err().unwrap();
        let begun = format!("client \"w\": {member}: there is no key for ES256: ");
        assert!(wrong.len() == 1 && wrong.to_string().starts_with(&begun), "{wrong}");
    }
}

/// A scope that nothing knows is never granted.
#[tokio::test]
async fn scopes_of_clients_are_known() {
    let with = |scope: &str| {
        let registry = MemoryRegistry::new().with_resource_server(api("https://api.example", "me:read"));
        let client = Client::spa("w").redirect("https://w.example/").set("scope", scope);
        built(registry.with_client(&client).unwrap())
    };
    assert!(with("openid offline_access email me:read").await.is_ok());
    let wrong = with("openid me:raed").await.err().unwrap();
    assert_eq!(
        wrong.to_string(),
        "client \"w\": scope: me:raed is no scope of this provider or of one of its resource servers, and would never be \
         granted: add it to the resource server or to `Config::scopes`, or leave it out; did you mean me:read? (RFC 7591 \
         section 2)"
    );
}

/// An issuer that is never asked would have every request answered with 503.
#[tokio::test]
async fn an_issuer_on_this_machine_has_to_be_permitted() {
    let trusting = |http_on_this_machine| {
        let fetch = HttpsFetch::new(Options { http_on_this_machine, ..Options::default() }).unwrap();
        ProtectedResource::trusting("http://localhost:3000", Arc::new(fetch)).at("https://api.example")
    };
    assert!(trusting(true).is_ok());
    assert_eq!(
        trusting(false).err().unwrap().to_string(),
        "the issuer could never be asked for its keys: http://localhost:3000 is not fetched: the URL is not https: \
         `Options::http_on_this_machine` permits http on this machine, for development"
    );
}

/// Whoever gives a secret expects it to be asked for.
#[test]
fn a_secret_that_is_never_used_is_refused() {
    let secret = "0123456789abcdef0123456789abcdef";
    for client in [
        Client::spa("w").redirect("https://w.example/").secret(secret),
        Client::native("w").redirect("com.example.w:/cb").secret(secret),
    ] {
        let wrong = MemoryRegistry::new().put(&client).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "client \"w\": client_secret: is not used by a client whose token_endpoint_auth_method is none: leave the \
             secret out, or register a client that has one (`Client::web`) (RFC 7591 section 2)"
        );
    }
}

#[tokio::test]
async fn an_api_in_the_program_is_one_of_the_provider() {
    let registry = MemoryRegistry::new().with_resource_server(api("https://api.example", "me:read me:write"));
    let provider = built(registry).await.unwrap();
    let other = ProtectedResource::of_provider(provider.clone()).at("https://api.example/").err().unwrap();
    assert_eq!(
        other.to_string(),
        "the resource https://api.example/ is no resource server of the provider, so that no token could be for it: add \
         it with `MemoryRegistry::with_resource_server`, or name it as it is there; did you mean https://api.example?"
    );
    let api = ProtectedResource::of_provider(provider).at("https://api.example").unwrap();
    assert!(api.requires("me:read me:write").is_ok());
    let unknown = api.requires("me:reed").err().unwrap();
    assert_eq!(
        unknown.to_string(),
        "requires(\"me:reed\"): me:reed is no scope of the resource server https://api.example, so that no token could \
         have it: add it to its scopes (\"me:read me:write\"), or demand another one; did you mean me:read?"
    );
    assert!(api.requires("a  b").is_err());
}

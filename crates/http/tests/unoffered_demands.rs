//! RFC 7591 section 3.2.2: what a profile demands and the server does not offer. A client that is held to it would be
//! refused at every request; so it is not registered, and a server that is held to it does not start.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use chancery_core::client::RegistrationPolicy;
use chancery_core::config::Config;
use chancery_core::documents::MemoryRegistry;
use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::error::{Complaint, Fault, Refusal};
use chancery_core::model::ClientMetadata;
use chancery_core::policy::{ClientPolicy, Registrant};
use chancery_core::profile::Profile::{self, Baseline, Fapi1Advanced, Fapi2MessageSigning, Fapi2Security};
use chancery_jose::SigningAlgorithm::{Es256, Es384, Rs256};
use chancery_testkit::{Answer, ClientKey, TestProvider};
use chancery_types::iana::GrantType;
use http::Method;
use serde_json::{Value, json};

/// Holds every client whose name is that of a profile to it.
struct ByName;

impl ClientPolicy for ByName {
    async fn register(
        &self,
        asked: &mut ClientMetadata,
        _: Registrant<'_>,
    ) -> Result<Result<(), Refusal>, Fault> {
        let name = asked.description.client_name.as_deref();
        if let Some(profile) = Profile::ALL.into_iter().find(|profile| Some(profile.as_str()) == name) {
            asked.own.profile = profile;
        }
        Ok(Ok(()))
    }
}

/// Everything that any profile can demand, changed like this.
fn configured(to: &mut Config, change: fn(&mut Config)) {
    to.compatibility.hybrid = true;
    to.dpop.offered = true;
    to.mtls.certificate_bound_access_tokens = true;
    to.pushed_requests.offered = true;
    to.response_modes.jwt = true;
    to.registration.access = RegistrationAccess::Open;
    to.registration.management = true;
    to.registration_policy =
        vec![RegistrationPolicy { grant_types: GrantType::ALL.to_vec(), ..RegistrationPolicy::default() }];
    change(to);
}

fn server(change: fn(&mut Config)) -> TestProvider {
    let builder = TestProvider::builder().without_clients().client_policy(ByName);
    builder.configure(|to| configured(to, change)).build()
}

fn config(change: fn(&mut Config)) -> Config {
    let mut config = Config::default();
    configured(&mut config, change);
    config
}

/// A client that every profile permits, with these members changed.
fn client(key: &ClientKey, changes: &Value) -> Value {
    let mut metadata = json!({"jwks": key.jwks(), "token_endpoint_auth_method": "private_key_jwt",
        "id_token_signed_response_alg": "ES256", "authorization_signed_response_alg": "ES256",
        "redirect_uris": ["https://bank.example/cb"]});
    metadata.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    metadata
}

fn with_id(metadata: &Value, profile: Profile) -> String {
    let mut metadata = metadata.clone();
    metadata["client_id"] = "bank".into();
    metadata["chancery"] = json!({ "profile": profile.as_str() });
    metadata.to_string()
}

fn posted(kit: &TestProvider, metadata: &Value, name: &str) -> Answer {
    let mut metadata = metadata.clone();
    metadata["client_name"] = name.into();
    let request = http::Request::post("/register").header("content-type", "application/json");
    kit.send(request.body(bytes::Bytes::from(metadata.to_string())).unwrap())
}

fn put(kit: &TestProvider, given: &Answer, metadata: &Value, name: &str) -> Answer {
    let mut metadata = metadata.clone();
    metadata["client_name"] = name.into();
    metadata["client_id"] = given["client_id"].clone();
    kit.send(kit.management_request(&Method::PUT, given, Some(&metadata)))
}

type Change = fn(&mut Config);

/// A member or setting that is complained about, and what the complaint ends with.
type Told = Option<(&'static str, &'static str)>;

const CODE: &str = r#"{"response_types":["code"]}"#;
const CODE_ID_TOKEN: &str = r#"{"response_types":["code id_token"]}"#;
const MACHINE: &str = r#"{"response_types":[],"grant_types":["client_credentials"],"redirect_uris":[]}"#;

/// What is demanded and missing: the profile, what the client asks for, what the server does not offer, the member that is
/// complained about, the settings that the sentence names, and the section.
const MISSING: [(Profile, &str, Change, &str, &str, &str); 10] = [
    (
        Fapi2Security,
        CODE,
        |to| to.pushed_requests.offered = false,
        "chancery.profile",
        "set pushed_requests.offered",
        "FAPI 2.0 Security Profile section 5.3.2.2-3",
    ),
    (
        Fapi2Security,
        CODE,
        |to| (to.dpop.offered, to.mtls.certificate_bound_access_tokens) = (false, false),
        "chancery.profile",
        "set dpop.offered or mtls.certificate_bound_access_tokens",
        "FAPI 2.0 Security Profile section 5.3.2.1-4",
    ),
    (
        Fapi2Security,
        MACHINE,
        |to| (to.dpop.offered, to.mtls.certificate_bound_access_tokens) = (false, false),
        "chancery.profile",
        "set dpop.offered or mtls.certificate_bound_access_tokens",
        "FAPI 2.0 Security Profile section 5.3.2.1-4",
    ),
    (
        Fapi2Security,
        CODE,
        |to| (to.dpop.algorithms, to.mtls.certificate_bound_access_tokens) = (vec![Es384], false),
        "chancery.profile",
        "set dpop.algorithms or mtls.certificate_bound_access_tokens",
        "FAPI 2.0 Security Profile section 5.3.2.1-4",
    ),
    (
        Fapi1Advanced,
        CODE_ID_TOKEN,
        |to| to.mtls.certificate_bound_access_tokens = false,
        "chancery.profile",
        "set mtls.certificate_bound_access_tokens",
        "FAPI 1.0 part 2 section 5.2.2-5",
    ),
    (
        Fapi2MessageSigning,
        CODE,
        |to| to.response_modes.jwt = false,
        "response_types",
        "set response_modes.jwt",
        "FAPI 2.0 Message Signing section 5.4.1-1",
    ),
    (
        Fapi1Advanced,
        CODE,
        |to| to.response_modes.jwt = false,
        "response_types",
        "set response_modes.jwt",
        "FAPI 1.0 part 2 section 5.2.2-2",
    ),
    (
        Fapi1Advanced,
        CODE_ID_TOKEN,
        |to| to.request_objects.algorithms = vec![Rs256],
        "chancery.profile",
        "set request_objects.algorithms",
        "FAPI 1.0 part 2 section 8.6",
    ),
    (
        Fapi2MessageSigning,
        CODE,
        |to| to.request_objects.algorithms = vec![Rs256, Es384],
        "chancery.profile",
        "set request_objects.algorithms",
        "FAPI 2.0 Security Profile section 5.4.1-1",
    ),
    (
        Fapi2Security,
        MACHINE,
        |to| to.client_authentication.assertion_algorithms = vec![Es384],
        "chancery.profile",
        "set client_authentication.assertion_algorithms",
        "FAPI 2.0 Security Profile section 5.4.1-1",
    ),
];

/// FAPI-06: by whichever door it comes, a client is not stored if its own profile demands what is not offered. The
/// sentence names the setting.
#[test]
fn a_demand_that_nobody_can_meet_is_told_at_once() {
    for (profile, changes, change, member, settings, section) in MISSING {
        let (kit, key) = (server(change), ClientKey::generate(Es256));
        let metadata = client(&key, &serde_json::from_str(changes).unwrap());
        let check = |found: &[Complaint], door: &str| {
            let [only] = found else { panic!("{door} {profile:?} {settings}: {found:?}") };
            // A registry of a program names the client before the member.
            assert!(only.setting.ends_with(member) && only.section == section, "{door}: {only}");
            assert!(only.rule.ends_with(settings), "{door}: {only}");
        };
        let own = with_id(&metadata, profile);
        // An operator's command, a library's registry, and a change by an operator.
        check(&kit.put_client_fetching(&own).unwrap_err().complaints, "added");
        let registry = MemoryRegistry::new().offering(config(change).offered());
        check(&registry.with_client(&own).err().unwrap(), "library");
        kit.put_client_fetching(&with_id(&metadata, Baseline)).unwrap();
        let patch = json!({"chancery": {"profile": profile.as_str()}}).to_string();
        check(&kit.change_client("bank", &patch).unwrap_err().complaints, "changed");
        // The registration endpoint, where an application decides about the profile.
        let given = posted(&kit, &metadata, "plain").expect_status(201);
        for answer in
            [posted(&kit, &metadata, profile.as_str()), put(&kit, &given, &metadata, profile.as_str())]
        {
            let answer = answer.expect_status(400);
            assert_eq!(answer["error"], "invalid_client_metadata");
            assert!(answer.member("error_description").contains(settings), "{}", answer.text());
        }
        // With everything on, nothing is wrong with any of them.
        let kit = server(|_| {});
        kit.put_client_fetching(&own).unwrap();
        let given = posted(&kit, &metadata, profile.as_str()).expect_status(201);
        let _ = put(&kit, &given, &metadata, profile.as_str()).expect_status(200);
    }
}

/// What the client does not ask for need not be offered, and of several ways one is enough.
#[test]
fn what_is_not_needed_need_not_be_offered() {
    let introspecting = r#"{"response_types":[],"grant_types":[],"redirect_uris":[]}"#;
    let rows: [(Profile, &str, Change); 6] = [
        (Fapi2Security, CODE, |to| to.dpop.offered = false),
        (Fapi2Security, CODE, |to| to.mtls.certificate_bound_access_tokens = false),
        (Fapi2Security, CODE, |to| to.response_modes.jwt = false),
        (Fapi2MessageSigning, MACHINE, |to| {
            (to.pushed_requests.offered, to.response_modes.jwt) = (false, false);
            to.request_objects.algorithms = vec![Rs256];
        }),
        (Fapi1Advanced, CODE_ID_TOKEN, |to| {
            (to.pushed_requests.offered, to.response_modes.jwt, to.dpop.offered) = (false, false, false);
        }),
        (Fapi2MessageSigning, introspecting, |to| {
            (to.dpop.offered, to.mtls.certificate_bound_access_tokens) = (false, false);
        }),
    ];
    for (profile, changes, change) in rows {
        let metadata = client(&ClientKey::generate(Es256), &serde_json::from_str(changes).unwrap());
        let put = server(change).put_client_fetching(&with_id(&metadata, profile));
        assert_eq!(put, Ok(()), "{profile:?} {changes}");
    }
}

/// FAPI-06: a server whose own profile demands it does not start; pushed requests it offers by itself.
#[test]
fn a_server_that_offers_less_than_it_demands_does_not_start() {
    let rows: [(Profile, Change, Told); 7] = [
        (Fapi2Security, |to| to.pushed_requests.offered = false, None),
        (
            Fapi2Security,
            |to| (to.dpop.offered, to.mtls.certificate_bound_access_tokens) = (false, false),
            Some(("profile", "set dpop.offered or mtls.certificate_bound_access_tokens")),
        ),
        (
            Fapi2Security,
            |to| (to.dpop.algorithms, to.mtls.certificate_bound_access_tokens) = (vec![Es384], false),
            Some(("profile", "set dpop.algorithms or mtls.certificate_bound_access_tokens")),
        ),
        (
            Fapi1Advanced,
            |to| to.mtls.certificate_bound_access_tokens = false,
            Some(("profile", "set mtls.certificate_bound_access_tokens")),
        ),
        (
            Fapi2MessageSigning,
            |to| to.response_modes.jwt = false,
            Some(("response_modes.jwt", "profile is fapi2-message-signing")),
        ),
        (
            Fapi2MessageSigning,
            |to| to.request_objects.algorithms = vec![Rs256],
            Some(("profile", "set request_objects.algorithms")),
        ),
        (
            Fapi2Security,
            |to| to.client_authentication.assertion_algorithms = vec![Rs256],
            Some((
                "profile",
                "set client_authentication.assertion_algorithms, mtls.tls_client_auth or \
                 mtls.self_signed_tls_client_auth",
            )),
        ),
    ];
    for (profile, change, missing) in rows {
        let mut config = config(change);
        config.profile = profile;
        config.compatibility.hybrid = profile == Fapi1Advanced;
        let found = config.complaints();
        let found: Vec<_> = found.iter().map(|complaint| (&*complaint.setting, &*complaint.rule)).collect();
        match missing {
            None => assert_eq!(found, [], "{profile:?}"),
            Some((setting, rule)) => {
                assert_eq!(found.len(), 1, "{found:?}");
                assert!(found[0].0 == setting && found[0].1.ends_with(rule), "{found:?}");
            }
        }
    }
}

/// A client whose tokens would be bound in a way that its profile does not permit gets none, whatever it sends.
#[test]
fn a_binding_that_the_profile_forbids_is_not_registered() {
    let key = ClientKey::generate(Es256);
    for (profile, types, bound, expected) in [
        (Fapi1Advanced, "code id_token", "dpop_bound_access_tokens", Some("FAPI 1.0 part 2 section 5.2.2-5")),
        (Fapi1Advanced, "code id_token", "tls_client_certificate_bound_access_tokens", None),
        (Fapi2Security, "code", "dpop_bound_access_tokens", None),
        (Fapi2Security, "code", "tls_client_certificate_bound_access_tokens", None),
    ] {
        let metadata = client(&key, &json!({"response_types": [types], bound: true}));
        let put = server(|_| {}).put_client_fetching(&with_id(&metadata, profile));
        let found: Vec<Complaint> = put.map_or_else(|refused| refused.complaints.into(), |()| Vec::new());
        let found: Vec<_> = found.iter().map(|complaint| (&*complaint.setting, complaint.section)).collect();
        assert_eq!(found, expected.map(|section| (bound, section)).into_iter().collect::<Vec<_>>());
    }
}

//! RFC 8176, OIDC Core sections 2, 3.1.2.1 and 5.5.1.1: an application's own page signs people in, by a
//! password and a key of theirs, and the client learns how.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use chancery_core::error::Fault;
use chancery_core::event::Event;
use chancery_core::interaction::prompt::{ACR_NOT_MET, ACR_UNREACHABLE};
use chancery_core::interaction::view::LoginProblem;
use chancery_core::interaction::{Next, Step};
use chancery_core::model::{Acr, Amr, CustomPromptName, PromptName};
use chancery_core::policy::{AuthorizationPolicy, CustomPrompt, PersonView, RequestView};
use chancery_core::ports::BoxFuture;
use chancery_core::request::PageError;
use chancery_http::{Content, Html, ImageOrigin, Locale, OwnForm, Page, Pages, PlainPages, Service};
use chancery_jose::{PrivateKey, SigningAlgorithm, Verifier as _, base64url};
use chancery_store::StateStore;
use chancery_store_memory::MemoryStore;
use chancery_testkit::{
    AuthorizationRequest, Tab, TestProvider, UserAgent, assert_refused, hours, minutes, password_of,
};
use http::{Request, Response};
use http_body_util::Full;
use serde_json::{Value, json};

const PASSWORD: &str = "urn:chancery:acr:password";

/// What a password and a key reach together.
const KEY: &str = "urn:example:key";

const ALGORITHM: SigningAlgorithm = SigningAlgorithm::Ed25519;

/// alice's authenticator, and one that the application does not know.
static AUTHENTICATOR: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(ALGORITHM).unwrap());
static ANOTHER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(ALGORITHM).unwrap());

/// The application's login page and its question, which post to the application.
struct OwnPages;

impl Pages for OwnPages {
    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        let (view, form) = match page.content {
            Content::Login(view, form) => (view, form),
            Content::Custom(_, form) => return rules_page(&form.hidden_inputs().to_string()),
            _ => return PlainPages.page(page, locale),
        };
        let wanted: Vec<&str> = view.acr_values.iter().map(|acr| &*acr.0).collect();
        let problem = if view.problem.is_some() { "<p role=alert>No.</p>" } else { "" };
        let page = format!(
            r#"<!doctype html><html lang="en"><title>Sign in</title><main data-page="login">{problem}
            <form method="post" action="/sign-in">{}<input name="username"><input name="password" type="password">
            <input type="hidden" name="wanted" value="{}"><input type="hidden" name="challenge" value="{}">
            <input name="signature"><button name="action" value="login">Sign in</button>
            <button name="action" value="cancel">Cancel</button></form></main>
            <script nonce="{}">/* navigator.credentials.get */</script></html>"#,
            form.hidden_inputs(),
            Html::escape(&wanted.join(" ")),
            view.challenge,
            page.nonce
        );
        Html::new(page).with_script()
    }
}

fn rules_page(hidden_inputs: &str) -> Html {
    Html::new(format!(
        r#"<!doctype html><html lang="en"><title>Rules</title><main data-page="rules">
        <form method="post" action="/sign-in">{hidden_inputs}<button name="action" value="accept">Accept</button>
        </form></main></html>"#
    ))
}

/// Everybody is asked to accept the rules of the house, before or after what else is needed.
struct Rules(&'static [&'static str]);

impl AuthorizationPolicy for Rules {
    fn prompts(&self) -> Vec<PromptName> {
        self.0.iter().map(|name| PromptName::parse(name).unwrap()).collect()
    }

    async fn custom_prompt(
        &self,
        _: &CustomPromptName,
        _: RequestView<'_>,
        _: PersonView<'_>,
    ) -> Result<Option<CustomPrompt>, Fault> {
        Ok(Some(CustomPrompt::new(json!("No shoes."))))
    }
}

/// Pages that show the logo of the client that asks.
struct PagesWithLogos;

impl Pages for PagesWithLogos {
    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        let html = PlainPages.page(page, locale);
        let Content::Login(view, _) = page.content else { return html };
        match view.client.logo_uri.as_deref().and_then(ImageOrigin::of) {
            Some(origin) => html.with_images(origin),
            None => html,
        }
    }
}

/// FR-04: the browser may load the client's logo from where it is, and nothing else from there; from a host
/// that would mean something else in the policy nothing is loaded.
#[test]
fn a_page_loads_a_logo_and_nothing_else() {
    for (logo, images) in [
        ("https://cdn.example:8443/logo.png?v=2#dark", "'self' https://cdn.example:8443"),
        ("http://cdn.example/logo.png", "'self'"),
        ("https://*/logo.png", "'self'"),
        ("https://cdn.example;script-src/logo.png", "'self'"),
    ] {
        let metadata = json!({"client_id": "shop", "redirect_uris": ["https://shop.example/cb"], "logo_uri": logo,
            "token_endpoint_auth_method": "none"});
        let kit = TestProvider::builder().client(&metadata.to_string()).pages(PagesWithLogos).build();
        let ua = kit.user_agent();
        let login = kit.authorization_request("shop").scope("openid").open(&ua).expect_page("login");
        let policy = login.answer().header("content-security-policy").unwrap_or_default();
        let of_images = policy.split("; ").find_map(|directive| directive.strip_prefix("img-src "));
        assert_eq!(of_images, Some(images), "{policy}");
        assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("script-src"), "{policy}");
    }
}

/// What the application does with the form of its page.
async fn sign_in(form: &OwnForm) -> Result<Next, PageError> {
    let step = match form.step().await? {
        ControlFlow::Continue(Step::Login(step)) => step,
        ControlFlow::Continue(Step::Custom(step)) => return Ok(step.done().await?),
        ControlFlow::Continue(other) => return form.press(other).await,
        ControlFlow::Break(next) => return Ok(next),
    };
    if form.field("action") == Some("cancel") {
        return Ok(step.abort().await?);
    }
    let (step, who) = match step.password(form.login()).await? {
        ControlFlow::Continue(right) => right,
        ControlFlow::Break(next) => return Ok(next),
    };
    let Some(signature) = form.field("signature") else { return Ok(step.authenticated(who).await?) };
    let is_right = match step.take_challenge().await? {
        Some(challenge) => {
            let signature = base64url::decode(signature).unwrap_or_default();
            let key = AUTHENTICATOR.public_jwk().verifying_key().unwrap();
            key.verify(ALGORITHM, challenge.as_bytes(), &signature).is_ok()
        }
        None => false,
    };
    if !is_right {
        return Ok(step.refused(LoginProblem::Refused, None).await?);
    }
    let now = step.now();
    let who = who.and(Amr::HARDWARE_KEY, now).and(Amr::USER_PRESENCE, now).reaching(Acr(KEY.into()));
    Ok(step.authenticated(who).await?)
}

fn application(service: &Service, request: Request<Bytes>) -> BoxFuture<'_, Response<Full<Bytes>>> {
    Box::pin(async move {
        match service.own_form(request.map(Full::new)).await {
            Ok(form) => form.respond(sign_in(&form)).await,
            Err(page) => page,
        }
    })
}

fn provider() -> TestProvider {
    TestProvider::builder().acr(KEY).pages(OwnPages).application("/sign-in", application).build()
}

fn openid(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("web").scope("openid")
}

/// A request that cannot do without this class.
fn essential(kit: &TestProvider, acr: &str) -> AuthorizationRequest {
    let claims = json!({ "id_token": { "acr": { "essential": true, "value": acr } } });
    openid(kit).set("claims", &claims.to_string())
}

fn field(tab: &Tab<'_, '_>, name: &str) -> String {
    let fields = tab.form().fields;
    fields.into_iter().find(|(have, _)| have == name).map(|(_, value)| value).unwrap_or_default()
}

fn signed(by: &PrivateKey, challenge: &str) -> String {
    base64url::encode(by.sign(ALGORITHM, challenge.as_bytes()).unwrap())
}

/// Name, password and this signature.
fn typed(signature: &str) -> [(String, String); 3] {
    let typed = [("username", "alice"), ("password", &password_of("alice")), ("signature", signature)];
    typed.map(|(name, value)| (name.to_owned(), value.to_owned()))
}

/// What a person does with an authenticator: it signs the challenge of the page.
#[track_caller]
fn with_key<'u, 'k>(tab: &Tab<'u, 'k>) -> Tab<'u, 'k> {
    tab.submit(&typed(&signed(&AUTHENTICATOR, &field(tab, "challenge"))), ("action", "login"))
}

#[track_caller]
fn id_token(kit: &TestProvider, tab: &Tab<'_, '_>) -> Value {
    kit.id_token(&kit.exchange(&tab.expect_code()).expect_status(200), "web").claims
}

/// The login page says no, and nobody is signed in.
#[track_caller]
fn expect_no(what: &str, tab: Tab<'_, '_>, ua: &UserAgent<'_>, session: Option<&str>) {
    let tab = tab.expect_page("login");
    assert!(tab.answer().text().contains("alert"), "{what}");
    assert_eq!(ua.session_cookie().as_deref(), session, "{what}");
    assert!(!tab.event_names().contains(&"login_succeeded"), "{what}");
}

/// CLAIM-13: a password and a key reach a class of the application's own, and both stand in the ID token,
/// also in that of a later request.
#[test]
fn the_client_learns_how_a_person_signed_in() {
    let kit = provider();
    let ua = kit.user_agent();
    let login = essential(&kit, KEY).open(&ua).expect_page("login");
    assert!(
        login.answer().header("content-security-policy").unwrap_or_default().contains("script-src 'nonce-")
    );
    let done = with_key(&login).expect_page("consent").allow();
    let expected = json!([KEY, ["pwd", "hwk", "user"]]);
    let told = |tab: &Tab<'_, '_>| {
        let claims = id_token(&kit, tab);
        json!([claims["acr"], claims["amr"]])
    };
    assert_eq!(told(&done), expected);
    assert_eq!(told(&openid(&kit).open(&ua)), expected);
    // A password alone is told as such.
    let other = kit.user_agent();
    let done = openid(&kit).open(&other).expect_page("login").submit(&typed(""), ("action", "login"));
    assert_eq!(told(&done), json!([PASSWORD, ["pwd"]]));
}

/// The rules are accepted.
#[track_caller]
fn accept<'u, 'k>(tab: Tab<'u, 'k>) -> Tab<'u, 'k> {
    tab.expect_page("rules").submit(&[], ("action", "accept"))
}

/// CLAIM-13, POL-01: a question of the application's own changes nothing about how a person has signed in,
/// wherever it stands: neither what was proved, nor when. In a session of a password alone, the key that is asked
/// for after the question counts, too.
#[test]
fn a_question_after_the_key_changes_nothing() {
    for order in
        [&["login", "rules", "consent"][..], &["login", "consent", "rules"], &["rules", "login", "consent"]]
    {
        let kit = TestProvider::builder().acr(KEY).pages(OwnPages).application("/sign-in", application);
        let kit = kit.authorization_policy(Rules(order)).build();
        let ua = kit.user_agent();
        let told = |tab: &Tab<'_, '_>| {
            let claims = id_token(&kit, tab);
            json!([claims["acr"], claims["amr"], claims["auth_time"]])
        };
        let at = kit.now().secs();
        let tab = openid(&kit).open(&ua).submit(&typed(""), ("action", "login"));
        kit.clock.advance(minutes(1));
        let tab = match order {
            [.., "consent"] => accept(tab).expect_page("consent").allow(),
            _ => accept(tab.expect_page("consent").allow()),
        };
        assert_eq!(told(&tab), json!([PASSWORD, ["pwd"], at]), "{order:?}");

        let at = kit.now().secs();
        let tab = essential(&kit, KEY).open(&ua);
        let tab = match order {
            ["rules", ..] => with_key(&accept(tab).expect_page("login")),
            _ => {
                let tab = with_key(&tab.expect_page("login"));
                kit.clock.advance(minutes(1));
                accept(tab)
            }
        };
        let both = json!([KEY, ["pwd", "hwk", "user"], at]);
        assert_eq!(told(&tab), both, "{order:?}");
        kit.clock.advance(minutes(5));
        assert_eq!(told(&accept(openid(&kit).open(&ua))), both, "{order:?}");
    }
}

/// DISC-01: what the accounts can reach is announced, and nothing else.
#[test]
fn what_can_be_reached_is_announced() {
    let announced = |kit: &TestProvider| {
        let metadata = kit.get("/.well-known/openid-configuration").expect_status(200);
        metadata.json()["acr_values_supported"].clone()
    };
    assert_eq!(announced(&provider()), json!([PASSWORD, KEY]));
    assert_eq!(announced(&TestProvider::new()), json!([PASSWORD]));
}

/// POL-14, POL-15: a session that has not reached an essential class signs in once more; with `prompt=none`,
/// and when a login did not reach it either, the client is told.
#[test]
fn a_session_steps_up() {
    let kit = provider();
    let ua = kit.user_agent();
    let _ = openid(&kit)
        .open(&ua)
        .submit(&typed(""), ("action", "login"))
        .expect_page("consent")
        .allow()
        .expect_code();
    let silent = essential(&kit, KEY).set("prompt", "none").open(&ua);
    let _ = silent.expect_error("login_required");
    assert_refused!(silent, ACR_NOT_MET);
    let without = essential(&kit, KEY).open(&ua).expect_page("login").submit(&typed(""), ("action", "login"));
    let _ = without.expect_error("unmet_authentication_requirements");
    assert_refused!(without, ACR_UNREACHABLE);
    let done = with_key(&essential(&kit, KEY).open(&ua).expect_page("login"));
    assert_eq!(id_token(&kit, &done)["acr"], KEY);
    let _ = essential(&kit, KEY).set("prompt", "none").open(&ua).expect_code();
}

/// POL-14, CLAIM-05: an essential `acr` with a value that no class can have, such as null, is met by nobody; without a
/// value, or if it is voluntary, everybody does (OIDC Core sections 5.5.1 and 5.5.1.1).
#[test]
fn a_value_that_no_class_has_is_met_by_nobody() {
    let kit = provider();
    let ua = kit.user_agent();
    for (wish, is_possible) in [
        (json!(null), true),
        (json!({}), true),
        (json!({"essential": true}), true),
        (json!({"essential": true, "values": []}), true),
        (json!({"essential": true, "value": KEY}), true),
        (json!({"essential": true, "values": [null, KEY]}), true),
        (json!({"essential": true, "values": [KEY], "value": null}), true),
        (json!({"essential": false, "value": null}), true),
        (json!({"value": null}), true),
        (json!({"value": 5}), true),
        (json!({"value": "urn:x"}), true),
        (json!({"essential": true, "value": null}), false),
        (json!({"essential": true, "values": [null]}), false),
        (json!({"essential": true, "values": [null, 0, false, {}]}), false),
        (json!({"essential": true, "value": 5}), false),
        (json!({"essential": true, "value": [KEY]}), false),
        (json!({"essential": true, "value": {"value": KEY}}), false),
        (json!({"essential": true, "value": ""}), false),
        (json!({"essential": true, "value": "null"}), false),
        (json!({"essential": true, "value": KEY.to_uppercase()}), false),
        (json!({"essential": true, "value": format!("{KEY} ")}), false),
    ] {
        let claims = json!({ "id_token": { "acr": wish } }).to_string();
        let request = openid(&kit).set("claims", &claims);
        if is_possible {
            let _ = request.open(&ua).expect_page("login");
        } else {
            let _ = request.open(&ua).expect_error("unmet_authentication_requirements");
        }
    }
}

/// What a session has reached counts, also where a login no longer reaches it.
#[test]
fn a_class_that_a_session_has_is_enough() {
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let before = TestProvider::builder().store(Arc::clone(&store)).acr(KEY).pages(OwnPages);
    let before = before.application("/sign-in", application).build();
    let ua = before.user_agent();
    let _ = with_key(&openid(&before).open(&ua)).expect_page("consent").allow().expect_code();
    let after = TestProvider::builder().store(store).keys_of(&before).build();
    let there = ua.at(&after);
    assert_eq!(id_token(&after, &essential(&after, KEY).open(&there))["acr"], KEY);
    let stranger = after.user_agent();
    let _ = essential(&after, KEY).open(&stranger).expect_error("unmet_authentication_requirements");
}

/// POL-16, AUTHZ-38: a voluntary class makes no login necessary; where there is one, the page knows what is
/// wanted.
#[test]
fn a_page_knows_what_is_wanted() {
    let kit = provider();
    let ua = kit.user_agent();
    let wanted = |request: AuthorizationRequest| field(&request.open(&ua).expect_page("login"), "wanted");
    assert_eq!(wanted(openid(&kit)), "");
    assert_eq!(wanted(essential(&kit, KEY)), KEY);
    assert_eq!(
        wanted(openid(&kit).set("acr_values", &format!("{KEY} {PASSWORD}"))),
        format!("{KEY} {PASSWORD}")
    );
    for values in [PASSWORD, &format!("{PASSWORD} {KEY}"), &format!("{KEY} {PASSWORD} {PASSWORD}")] {
        assert_eq!(wanted(essential(&kit, KEY).set("acr_values", values)), format!("{KEY} {PASSWORD}"));
    }
    let _ = openid(&kit)
        .open(&ua)
        .submit(&typed(""), ("action", "login"))
        .expect_page("consent")
        .allow()
        .expect_code();
    let _ = openid(&kit).set("acr_values", KEY).open(&ua).expect_code();
}

/// The page of a stored interaction posts to the application like the first one.
#[test]
fn a_stored_request_goes_on_at_the_application() {
    let kit = provider();
    let ua = kit.user_agent();
    let claims = r#"{"id_token":{"sub":{"value":"alice"}}}"#;
    let login = openid(&kit).set("claims", claims).set("prompt", "login").open(&ua).expect_page("login");
    let bob = [("username".to_owned(), "bob".to_owned()), ("password".to_owned(), password_of("bob"))];
    let chooser = login.submit(&bob, ("action", "login")).expect_page("accounts");
    let stored = chooser.submit(&[], ("action", "another")).expect_page("login");
    assert_ne!(field(&stored, "interaction"), "");
    let done = with_key(&stored).expect_page("consent").allow();
    let claims = id_token(&kit, &done);
    assert_eq!((&claims["sub"], &claims["acr"]), (&json!("alice"), &json!(KEY)));
    let _ = openid(&kit).open(&ua).expect_code();
}

/// What else is pressed there means what it says.
#[test]
fn a_person_can_go_back_to_the_client() {
    let kit = provider();
    let _ = openid(&kit).open(&kit.user_agent()).expect_page("login").cancel().expect_error("access_denied");
}

/// A challenge is of one page and counts once; nothing that was signed for another is taken.
#[test]
fn no_other_signature_is_taken() {
    type Signature<'a> = &'a dyn Fn(&Tab<'_, '_>) -> String;
    let kit = provider();
    let ua = kit.user_agent();
    let page = || essential(&kit, KEY).open(&ua).expect_page("login");
    let other_ua = kit.user_agent();
    let (other_page, other_browser) = (page(), essential(&kit, KEY).open(&other_ua).expect_page("login"));
    let shown = |tab: &Tab<'_, '_>| field(tab, "challenge");
    let table: [(&str, Signature<'_>); 8] = [
        ("another key", &|tab| signed(&ANOTHER, &shown(tab))),
        ("another page", &|_| signed(&AUTHENTICATOR, &shown(&other_page))),
        ("another browser", &|_| signed(&AUTHENTICATOR, &shown(&other_browser))),
        ("another text", &|tab| signed(&AUTHENTICATOR, &shown(tab).to_uppercase())),
        ("nothing", &|_| signed(&AUTHENTICATOR, "")),
        ("the challenge itself", &|tab| shown(tab)),
        ("cut off", &|tab| signed(&AUTHENTICATOR, &shown(tab))[..80].to_owned()),
        ("no base64", &|_| "%=".to_owned()),
    ];
    for (what, signature) in table {
        let tab = page();
        let answered = tab.submit(&typed(&signature(&tab)), ("action", "login"));
        expect_no(what, answered, &ua, None);
    }
    // The same answer once more, before the request is answered.
    let tab = page();
    let form = typed(&signed(&AUTHENTICATOR, &shown(&tab)));
    let _ = tab.submit(&form, ("action", "login")).expect_page("consent");
    let session = ua.session_cookie();
    expect_no("once more", tab.submit(&form, ("action", "login")), &ua, session.as_deref());
    // A wrong answer has used its challenge up.
    let again = || essential(&kit, KEY).set("prompt", "login").open(&ua).expect_page("login");
    let tab = again();
    let right = typed(&signed(&AUTHENTICATOR, &shown(&tab)));
    expect_no("wrong", tab.submit(&typed("AAAA"), ("action", "login")), &ua, session.as_deref());
    expect_no("then right", tab.submit(&right, ("action", "login")), &ua, session.as_deref());
    // A right signature is of no use without the password, nor after the page's time.
    let tab = again();
    let mut without = typed(&signed(&AUTHENTICATOR, &shown(&tab)));
    without[1].1 = "wrong".to_owned();
    expect_no("without the password", tab.submit(&without, ("action", "login")), &ua, session.as_deref());
    let tab = again();
    let late = typed(&signed(&AUTHENTICATOR, &shown(&tab)));
    kit.clock.advance(hours(2));
    expect_no("too late", tab.submit(&late, ("action", "login")), &ua, session.as_deref());
}

/// Forms that another site posts, that are none of ours or that carry nothing are answered as at the built-in
/// address.
#[test]
fn no_other_form_is_looked_at() {
    let kit = provider();
    let ua = kit.user_agent();
    let tab = essential(&kit, KEY).open(&ua).expect_page("login");
    let good = typed(&signed(&AUTHENTICATOR, &field(&tab, "challenge")));
    let mut fields: Vec<(String, String)> = tab.form().fields;
    fields.retain(|(name, _)| good.iter().all(|(typed, _)| typed != name));
    fields.extend(good);
    let with = |name: &str, value: &str| {
        let others = fields.iter().filter(|(have, _)| have != name).cloned();
        others.chain([(name.to_owned(), value.to_owned())]).collect::<Vec<_>>()
    };
    let borrowed: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let _ = ua.post_from_another_site("/sign-in", &borrowed).expect_page("error");
    for (what, fields, page) in [
        ("nothing", Vec::new(), "error"),
        ("no token", with("token", ""), "login"),
        ("another token", with("token", "AAAA"), "login"),
        ("no request", with("request", ""), "error"),
        ("no such interaction", with("interaction", "AAAA"), "signed-in"),
    ] {
        let answered = tab.post("/sign-in", &fields);
        assert_eq!(answered.page().name, page, "{what}: {:?}", answered.events());
        assert_eq!(ua.session_cookie(), None, "{what}");
    }
}

/// Pages of an application that cannot write the one for consent.
struct WithoutConsent;

impl Pages for WithoutConsent {
    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        assert!(!matches!(page.content, Content::Consent(..)), "no template");
        OwnPages.page(page, locale)
    }
}

/// What answers the form of an own page is code of the application, too: a panic there, or in its pages, is answered and is a
/// fault, and the same form can be sent again.
#[test]
fn a_panic_on_the_way_costs_the_one_request() {
    fn panicking(service: &Service, request: Request<Bytes>) -> BoxFuture<'_, Response<Full<Bytes>>> {
        Box::pin(async move {
            match service.own_form(request.map(Full::new)).await {
                Ok(form) => {
                    let answer = async {
                        assert!(form.field("signature") != Some("x"), "no key");
                        sign_in(&form).await
                    };
                    form.respond(answer).await
                }
                Err(page) => page,
            }
        })
    }
    #[track_caller]
    fn expect_fault(tab: Tab<'_, '_>, message: &str) {
        let tab = tab.expect_page("error");
        assert_eq!(tab.answer().status, 500);
        let [.., Event::Faulted { fault, .. }] = tab.answer().events.as_slice() else {
            panic!("{:?}", tab.event_names())
        };
        assert_eq!(fault.to_string(), format!("panicked: {message}"));
        assert!(!tab.answer().text().contains(message));
    }
    let kit = TestProvider::builder().pages(OwnPages).application("/sign-in", panicking).build();
    let ua = kit.user_agent();
    let login = openid(&kit).open(&ua).expect_page("login");
    expect_fault(login.submit(&typed("x"), ("action", "login")), "no key");
    let _ = login.submit(&typed(""), ("action", "login")).expect_page("consent");
    let kit = TestProvider::builder().pages(WithoutConsent).application("/sign-in", application).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let login = openid(&kit).set("prompt", "login consent").open(&ua).expect_page("login");
    expect_fault(login.submit(&typed(""), ("action", "login")), "no template");
}

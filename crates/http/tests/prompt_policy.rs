//! OIDC Core sections 3.1.2.1 and 3.1.2.6: an application's own prompts, their order, and its own parameters of
//! authorization requests (RFC 6749 section 8.2).

#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::ControlFlow;
use std::sync::Mutex;

use bytes::Bytes;
use chancery_core::error::{Fault, Reason, Refusal};
use chancery_core::interaction::form_token::{
    FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_REQUEST, FORM_OF_ANOTHER_SESSION, FORM_OUTDATED,
};
use chancery_core::interaction::{Next, Step};
use chancery_core::model::{CustomPromptName, PromptName};
use chancery_core::policy::{AuthorizationPolicy, CustomPrompt, PersonView, RequestView};
use chancery_core::ports::BoxFuture;
use chancery_core::request::PageError;
use chancery_http::{Content, Html, Locale, OwnForm, Page, Pages, PlainPages, Service};
use chancery_testkit::{AuthorizationRequest, NegativeTable, Refused, SeededRandom, Tab, TestProvider};
use chancery_types::iana::ErrorCode;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::json;

const UNKNOWN_TENANT: Reason = reason("unknown_tenant", ErrorCode::InvalidRequest, "no such tenant");
const TERMS_MISSING: Reason =
    reason("terms_missing", ErrorCode::ConsentRequired, "the terms are not accepted");
const LOCKED: Reason = reason("locked", ErrorCode::AccessDenied, "the account is locked");

const fn reason(name: &'static str, code: ErrorCode, description: &'static str) -> Reason {
    Reason { name, code, description, section: "the application" }
}

/// Who has accepted the terms for good.
static KEPT: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The version of the terms that erin is shown.
static VERSION: Mutex<u64> = Mutex::new(1);

/// Everybody has to accept the terms; whoever asks for a tenant has to choose one.
struct Shop(Vec<PromptName>);

fn named(name: &str) -> PromptName {
    PromptName::parse(name).unwrap()
}

/// A shop with these prompts.
fn shop(prompts: &[&str]) -> Shop {
    Shop(prompts.iter().map(|name| named(name)).collect())
}

impl AuthorizationPolicy for Shop {
    fn prompts(&self) -> Vec<PromptName> {
        self.0.clone()
    }

    async fn custom_prompt(
        &self,
        prompt: &CustomPromptName,
        request: RequestView<'_>,
        person: PersonView<'_>,
    ) -> Result<Option<CustomPrompt>, Fault> {
        let account = person.account.id.as_str();
        Ok(match prompt.as_str() {
            "terms" if KEPT.lock().unwrap().iter().any(|kept| kept == account) => None,
            "terms" => {
                let version = if account == "erin" { *VERSION.lock().unwrap() } else { 7 };
                let data = json!({"version": version, "account": account});
                Some(CustomPrompt::new(data).because(&TERMS_MISSING))
            }
            "organisation" => {
                let chosen = request.parameters.get("tenant");
                (chosen == Some("any")).then(|| CustomPrompt::new(json!(["north", "south"])))
            }
            _ => None,
        })
    }

    fn parameters(&self) -> &[&str] {
        &["tenant", "colour"]
    }

    fn check(&self, request: RequestView<'_>) -> Result<(), Refusal> {
        match request.parameters.get("tenant") {
            None | Some("any" | "north" | "south") => Ok(()),
            Some(_) => UNKNOWN_TENANT.refused(),
        }
    }
}

struct OwnPages;

impl Pages for OwnPages {
    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        let (name, body, form) = match page.content {
            Content::Custom(view, form) => {
                let problem = view.problem.as_deref().unwrap_or("");
                let text = format!("{} {} {problem}", view.account.label, view.data);
                let again = view.form.not_looked_at.map_or("", |_| r#"<p role="alert">Once more.</p>"#);
                (view.prompt.as_str().to_owned(), Html::escape(&text).to_string() + again, form)
            }
            Content::Login(view, _) => {
                let colour = Html::escape(view.form.parameters.get("colour").unwrap_or("grey"));
                let page = PlainPages.page(page, locale);
                return Html::new(page.as_str().replace("</main>", &format!("{colour}</main>")));
            }
            _ => return PlainPages.page(page, locale),
        };
        Html::new(format!(
            r#"<!doctype html><html lang="en"><title>{name}</title><main data-page="{name}">{body}
            <form method="post" action="/answer">{}<button name="action" value="accept">Accept</button>
            <button name="action" value="keep">Accept for good</button><button name="action" value="deny">No</button>
            <button name="action" value="nothing">?</button><button name="action" value="lock">Lock</button>
            </form></main></html>"#,
            form.hidden_inputs()
        ))
    }
}

/// What the application does with the form of its page.
async fn answer(form: &OwnForm) -> Result<Next, PageError> {
    let step = match form.step().await? {
        ControlFlow::Continue(Step::Custom(step)) => step,
        ControlFlow::Continue(other) => return form.press(other).await,
        ControlFlow::Break(next) => return Ok(next),
    };
    Ok(match form.field("action") {
        Some("accept") => step.done().await?,
        Some("keep") => {
            KEPT.lock().unwrap().push(step.account().as_str().to_owned());
            step.done().await?
        }
        Some("deny") => step.denied().await?,
        Some("lock") => step.refused(&LOCKED).await?,
        Some("echo") => {
            let colour = step.parameters().get("colour").unwrap_or("grey");
            let client = step.request().client.id().clone();
            let known =
                format!("{} {} {} {colour} {client}", step.prompt().as_str(), step.account(), step.data());
            step.again(known).await?
        }
        _ => step.again("Accept them, or not.").await?,
    })
}

fn application(service: &Service, request: Request<Bytes>) -> BoxFuture<'_, Response<Full<Bytes>>> {
    Box::pin(async move {
        match service.own_form(request.map(Full::new)).await {
            Ok(form) => form.respond(answer(&form)).await,
            Err(page) => page,
        }
    })
}

/// A provider with these prompts, and alice, bob, carol, dave and erin.
fn provider(prompts: &[&str]) -> TestProvider {
    let kit = TestProvider::builder()
        .authorization_policy(shop(prompts))
        .pages(OwnPages)
        .application("/answer", application)
        .build();
    for account in ["carol", "dave", "erin"] {
        kit.accounts.add(account);
    }
    kit
}

const TERMS_LAST: [&str; 4] = ["login", "select_account", "consent", "terms"];
const TERMS_FIRST: [&str; 5] = ["login", "select_account", "terms", "organisation", "consent"];

fn openid(kit: &TestProvider) -> AuthorizationRequest {
    kit.authorization_request("web").scope("openid")
}

fn press<'u, 'k>(tab: &Tab<'u, 'k>, button: &str) -> Tab<'u, 'k> {
    tab.submit(&[], ("action", button))
}

/// POL-01, POL-24: the application's prompts stand where it wants them; each is answered once in a request, and
/// asked again in the next one.
#[test]
fn prompts_are_asked_in_the_order_of_the_policy() {
    for (order, pages) in [
        (&TERMS_FIRST[..], ["terms", "organisation", "consent"]),
        (&["consent", "organisation", "login", "terms"], ["consent", "organisation", "terms"]),
        (&["organisation", "terms", "consent", "login"], ["organisation", "terms", "consent"]),
    ] {
        let kit = provider(order);
        let ua = kit.user_agent();
        let mut tab = openid(&kit).param("tenant", "any").open(&ua).login("alice");
        for page in pages {
            tab = tab.expect_page(page);
            tab = if page == "consent" { tab.allow() } else { press(&tab, "accept") };
        }
        let _ = tab.expect_code();
        let next = openid(&kit).open(&ua).expect_page("terms");
        let _ = press(&next, "accept").expect_code();
    }
}

/// What the page shows comes from the policy, and the application can show it again and say why.
#[test]
fn the_page_shows_what_the_policy_says() {
    let kit = provider(&TERMS_FIRST);
    let ua = kit.user_agent();
    let terms = openid(&kit).open(&ua).login("bob").expect_page("terms");
    assert!(terms.page().text.contains(r#"{"account":"bob","version":7}"#), "{}", terms.page().text);
    assert_eq!(terms.event_names(), ["login_succeeded", "prompt_shown"]);
    let again = press(&terms, "nothing").expect_page("terms");
    assert!(again.page().text.contains("Accept them, or not."));
    // The page can be reloaded, like every page after a login.
    let _ = press(&terms.reload().expect_page("terms"), "accept").expect_page("consent");
}

/// The application's step knows what was asked, of whom, for which request, and what the page has shown.
#[test]
fn the_step_knows_what_was_asked() {
    let kit = provider(&TERMS_FIRST);
    let ua = kit.user_agent();
    let request = openid(&kit).param("colour", "teal").param("tenant", "any");
    let terms = request.open(&ua).login("bob").expect_page("terms");
    for tab in [terms.reload(), terms] {
        let mut fields = tab.form().fields;
        fields.push(("action".to_owned(), "echo".to_owned()));
        let again = tab.post("/answer", &fields).expect_page("terms");
        let expected = r#"terms bob {"account":"bob","version":7} teal web"#;
        assert!(again.page().text.contains(expected), "{}", again.page().text);
    }
}

/// INT-16: whoever does not agree goes back to the client, with the error that the application names.
#[test]
fn an_application_can_refuse() {
    let kit = provider(&TERMS_FIRST);
    let (ua, another) = (kit.user_agent(), kit.user_agent());
    let terms = |ua| openid(&kit).open(ua).login("bob").expect_page("terms");
    let _ = press(&terms(&ua), "deny").expect_error("access_denied");
    let locked = press(&terms(&another), "lock").expect_error("access_denied");
    assert_eq!(locked.value("error_description"), Some("the account is locked"));
}

/// The answer counts for this request, unless the application keeps it.
#[test]
fn an_application_keeps_what_is_to_last() {
    let kit = provider(&TERMS_FIRST);
    let ua = kit.user_agent();
    let terms = openid(&kit).open(&ua).login("carol").expect_page("terms");
    let _ = press(&terms, "keep").expect_page("consent").allow().expect_code();
    let _ = openid(&kit).open(&ua).expect_code();
    let _ = openid(&kit).set("prompt", "none").open(&ua).expect_code();
}

/// POL-04, POL-05: without a page the client hears what the check names, by default `interaction_required`.
#[test]
fn a_silent_request_is_told_what_is_missing() {
    let kit = provider(&TERMS_FIRST);
    let ua = kit.user_agent();
    let terms = openid(&kit).open(&ua).login("bob").expect_page("terms");
    let _ = press(&terms, "accept").allow().expect_code();
    let missing = openid(&kit).set("prompt", "none").open(&ua).expect_error("consent_required");
    assert_eq!(missing.value("error_description"), Some("the terms are not accepted"));

    let kit = provider(&["login", "organisation", "consent"]);
    let ua = kit.user_agent();
    let _ = openid(&kit).open(&ua).login("bob").allow().expect_code();
    let silent = openid(&kit).set("prompt", "none");
    let _ = silent.clone().param("tenant", "any").open(&ua).expect_error("interaction_required");
    let _ = silent.open(&ua).expect_code();
}

/// POL-06, POL-07: a client can demand a prompt of the application, also one that is not needed, and once.
#[test]
fn a_client_can_demand_a_prompt_by_its_name() {
    let kit = provider(&TERMS_FIRST);
    let ua = kit.user_agent();
    let login = openid(&kit).set("prompt", "organisation consent").open(&ua).login("bob");
    let organisation = press(&login.expect_page("terms"), "accept").expect_page("organisation");
    assert!(organisation.page().text.contains("null"), "{}", organisation.page().text);
    let _ = press(&organisation, "accept").expect_page("consent").allow().expect_code();
}

/// POL-08, POL-25: what can be asked for is announced, and nothing else can be.
#[test]
fn prompts_are_announced() {
    for (order, asked, is_known) in [
        (&TERMS_FIRST[..], "terms", true),
        (&TERMS_FIRST[..], "select_account", true),
        (&["login", "consent"], "terms", false),
        (&["login", "consent"], "select_account", false),
        (&["login", "consent"], "create", false),
    ] {
        let kit = provider(order);
        let document = kit.get("/.well-known/openid-configuration").expect_status(200);
        let metadata = document.json();
        let announced: Vec<&str> = std::iter::once("none").chain(order.iter().copied()).collect();
        assert_eq!(metadata["prompt_values_supported"], json!(announced));
        let ua = kit.user_agent();
        let tab = openid(&kit).set("prompt", asked).open(&ua);
        if is_known {
            let _ = tab.expect_page("login");
        } else {
            let _ = tab.expect_error("invalid_request");
        }
    }
}

/// CONF: an order without a way to sign in or to agree is refused when the provider is built, as are names that
/// mean something else.
#[test]
fn an_order_that_cannot_work_is_not_built() {
    struct Named(&'static [&'static str]);
    impl AuthorizationPolicy for Named {
        fn parameters(&self) -> &[&str] {
            self.0
        }
    }
    for prompts in
        [&["login", "select_account"][..], &["consent"], &[], &["login", "consent", "terms", "terms"]]
    {
        let built = TestProvider::builder().authorization_policy(shop(prompts)).try_build();
        let complaints = built.map(|_| ()).unwrap_err();
        assert!(complaints.iter().all(|one| one.setting == "AuthorizationPolicy::prompts"), "{complaints:?}");
    }
    for name in ["state", "claims", "request", "client_secret", "iss", "exp", "", "two words", "ü"] {
        let names = Box::leak(Box::new([name]));
        let built = TestProvider::builder().authorization_policy(Named(names)).try_build();
        assert_eq!(built.map(|_| ()).unwrap_err().len(), 1, "{name}");
    }
    for name in ["none", "create", "login", "consent", "", "two words", &"x".repeat(65)] {
        assert!(CustomPromptName::parse(name).is_err(), "{name}");
    }
}

/// CLAIM-13: how a person has signed in is not changed by what they are asked besides.
#[test]
fn what_is_asked_besides_is_no_login() {
    let kit = provider(&TERMS_LAST);
    let ua = kit.user_agent();
    let signed_in_at = kit.now();
    let terms = openid(&kit).open(&ua).login("bob").allow().expect_page("terms");
    kit.clock.advance(std::time::Duration::from_secs(60));
    let code = press(&terms, "accept").expect_code();
    let claims = kit.id_token(&kit.exchange(&code).expect_status(200), "web").claims;
    assert_eq!(claims["amr"], json!(["pwd"]));
    assert_eq!(claims["acr"], json!("urn:chancery:acr:password"));
    assert_eq!(claims["auth_time"], json!(signed_in_at.millis() / 1000));
    // Nor is it one where the client demands a login.
    let login = openid(&kit).set("prompt", "login").open(&ua).expect_page("login");
    let _ = press(&login.login("bob").expect_page("terms"), "accept").expect_code();
}

/// A withdrawal of the consent at the same moment, or a consent that was given before the terms, changes nothing:
/// what was agreed to is remembered when it was agreed to.
#[test]
fn a_consent_before_the_terms_is_remembered() {
    let kit = provider(&TERMS_LAST);
    let ua = kit.user_agent();
    let terms = openid(&kit).open(&ua).login("dave").allow().expect_page("terms");
    let _ = press(&terms, "deny").expect_error("access_denied");
    let _ = press(&openid(&kit).open(&ua).expect_page("terms"), "accept").expect_code();
}

/// AUTHZ-40: the application's own parameters reach its pages and its checks, on the first page as on stored
/// ones; without a policy that names them they mean nothing.
#[test]
fn own_parameters_come_along() {
    let kit = provider(&TERMS_FIRST);
    let request = openid(&kit).param("tenant", "any").param("colour", "teal").param("other", "1");
    let ua = kit.user_agent();
    let login = request.open(&ua).expect_page("login");
    assert!(login.answer().text().contains("teal"));
    let again = login.login_wrongly("bob").expect_page("login");
    assert!(again.answer().text().contains("teal"));
    let terms = again.login("bob").expect_page("terms");
    let organisation = press(&terms, "accept").expect_page("organisation");
    assert!(organisation.page().text.contains(r#"["north","south"]"#));
    let _ = press(&organisation.reload(), "accept").expect_page("consent").allow().expect_code();
    // Checked with everything else, and only where the application names it.
    let _ = openid(&kit).param("tenant", "west").open(&kit.user_agent()).expect_error("invalid_request");
    let plain = TestProvider::new();
    let ua = plain.user_agent();
    let _ = openid(&plain).param("tenant", "west").param("tenant", "east").open(&ua).expect_page("login");
}

/// INT-06, POL-07: with whatever order of the prompts and whatever answers, an interaction ends with an answer to
/// the client.
#[test]
fn every_interaction_ends_at_the_client() {
    let names = ["login", "select_account", "consent", "terms", "organisation"];
    let answers = ["accept", "deny", "nothing", "lock", "reload", "cancel"];
    let random = SeededRandom::new(20_261_127);
    let next = |limit: usize| random.below(limit);
    for order in permutations(&names) {
        let kit = provider(&order);
        for round in 0..2 {
            let ua = kit.user_agent();
            let prompts =
                ["login", "select_account", "terms organisation consent", "login consent", "organisation"];
            let mut request = openid(&kit).param("tenant", "any");
            if round > 0 {
                request = request.set("prompt", prompts[next(prompts.len())]);
                let signed_in = openid(&kit).open(&ua).login(["alice", "bob"][next(2)]);
                drop(signed_in);
            }
            let mut tab = request.open(&ua);
            let mut way = Vec::new();
            // Every prompt once, and as many times nothing was said.
            for _ in 0..24 {
                let page = tab.page().name;
                way.push(page.clone());
                let answer = answers[if way.len() > 12 { 0 } else { next(answers.len()) }];
                tab = match page.as_str() {
                    "login" if answer == "cancel" => tab.cancel(),
                    "login" => tab.login(["alice", "bob"][next(2)]),
                    "accounts" if answer == "nothing" => tab.choose_another(),
                    "accounts" if answer == "deny" => tab.cancel(),
                    "accounts" => {
                        let button =
                            tab.form().buttons.into_iter().find(|button| button.name == "account").unwrap();
                        tab.submit(&[], (&button.name, &button.value))
                    }
                    "consent" if answer == "deny" => tab.deny(),
                    "consent" => tab.allow(),
                    "terms" | "organisation"
                        if answer == "reload" && tab.address().contains("/interaction/") =>
                    {
                        tab.reload()
                    }
                    "terms" | "organisation" if matches!(answer, "reload" | "cancel") => {
                        press(&tab, "accept")
                    }
                    "terms" | "organisation" => press(&tab, answer),
                    _ => break,
                };
            }
            let arrival = tab.expect_arrival();
            let is_answer = arrival.value("code").is_some() || arrival.value("error").is_some();
            assert!(is_answer, "{order:?} {way:?}");
        }
    }
}

/// Every order of these names.
fn permutations<'n>(names: &[&'n str]) -> Vec<Vec<&'n str>> {
    let Some((first, rest)) = names.split_first() else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for shorter in permutations(rest) {
        for at in 0..=shorter.len() {
            let mut longer = shorter.clone();
            longer.insert(at, *first);
            all.push(longer);
        }
    }
    all
}

/// What a person answered counts for nobody else, no other request and no other browser.
#[test]
fn an_answer_cannot_be_taken_elsewhere() {
    let kit = provider(&TERMS_FIRST);
    let ua = kit.user_agent();
    let terms = openid(&kit).open(&ua).login("bob").expect_page("terms");
    let fields = || {
        let mut fields = terms.form().fields;
        fields.push(("action".to_owned(), "accept".to_owned()));
        fields
    };
    let with = |name: &str, value: String| {
        let mut fields = fields();
        fields.iter_mut().find(|(have, _)| have == name).unwrap().1 = value;
        fields
    };
    let field = |tab: &Tab<'_, '_>, name: &str| {
        tab.form().fields.into_iter().find(|(have, _)| have == name).unwrap().1
    };
    // Another request of the same person: its page's form with this one's token.
    let other = openid(&kit).param("colour", "red").open(&ua).expect_page("terms");
    let mut swapped = other.form().fields;
    swapped.iter_mut().find(|(have, _)| have == "token").unwrap().1 = field(&terms, "token");
    swapped.push(("action".to_owned(), "accept".to_owned()));
    let refused = other.post("/answer", &swapped);
    refused.expect_refused_form(&FORM_OF_ANOTHER_REQUEST);
    let _ = refused.expect_page("terms");
    // A forged token.
    let forged = terms.post("/answer", &with("token", "x".repeat(80)));
    forged.expect_refused_form(&FORM_FOREIGN);
    // Another browser.
    let thief = kit.user_agent();
    let _ = openid(&kit).open(&thief).login("alice").expect_page("terms");
    let stolen = openid(&kit).open(&thief).post("/answer", &fields());
    assert_ne!(stolen.page().name, "consent");
    stolen.expect_refused_form(&FORM_OF_ANOTHER_BROWSER);
    // Another person in the same browser: the page of a session that is not the request's.
    let both = openid(&kit).open(&ua).expect_page("terms");
    let _ = openid(&kit).set("prompt", "login").open(&ua).login("alice").expect_page("terms");
    let mut first = both.form().fields;
    first.push(("action".to_owned(), "accept".to_owned()));
    let refused = both.post("/answer", &first);
    refused.expect_refused_form(&FORM_OF_ANOTHER_SESSION);
    assert!(refused.expect_page("terms").page().text.contains("alice"));
    // The first one is still as it was.
    let _ = terms.post("/answer", &fields()).expect_page("consent");
}

/// Only the application closes its prompt, and only what was shown.
#[test]
fn nobody_else_closes_the_prompt() {
    let kit = provider(&TERMS_FIRST);
    let ua = kit.user_agent();
    let terms = openid(&kit).open(&ua).login("erin").expect_page("terms");
    for action in ["accept", "allow", "login", "another", "keep"] {
        let mut fields = terms.form().fields;
        fields.push(("action".to_owned(), action.to_owned()));
        let address = terms.address().to_owned();
        let _ = terms.post(&address, &fields).expect_page("terms");
        let _ = terms.post("/interaction", &fields);
        let _ = openid(&kit).set("prompt", "none").open(&ua).expect_error("consent_required");
    }
    // The terms have changed since.
    *VERSION.lock().unwrap() = 2;
    let refused = press(&terms, "accept");
    refused.expect_refused_form(&FORM_OUTDATED);
    assert!(refused.clone().expect_page("terms").page().text.contains(r#""version":2"#));
    let consent = press(&refused, "accept").expect_page("consent");
    // A page that is not due is not answered.
    let _ = press(&refused, "accept").expect_page("consent");
    let _ = consent.allow().expect_code();
    // Whoever cancels needs no application.
    let terms = openid(&kit).open(&ua).expect_page("terms");
    let mut fields = terms.form().fields;
    fields.push(("action".to_owned(), "cancel".to_owned()));
    let _ = terms.post("/interaction", &fields).expect_error("access_denied");
}

/// What one person has answered, another has not.
#[test]
fn an_answer_does_not_pass_to_another_person() {
    let kit = provider(&["login", "terms", "select_account", "consent"]);
    let ua = kit.user_agent();
    let _ = openid(&kit).open(&ua).login("alice").expect_page("terms");
    let terms = openid(&kit).set("prompt", "select_account").open(&ua).expect_page("terms");
    let chooser = press(&terms, "accept").expect_page("accounts");
    let login = chooser.choose_another().expect_page("login");
    let _ = login.login("bob").expect_page("terms");
}

/// AUTHZ-40: what is refused of own parameters.
#[test]
fn what_is_wrong_with_own_parameters() {
    let kit = provider(&TERMS_FIRST);
    let request = || openid(&kit);
    NegativeTable::new(&kit)
        .row("an unknown value", request().param("tenant", "west"), Refused::Client("invalid_request"))
        .row(
            "sent twice",
            request().param("tenant", "any").param("tenant", "any"),
            Refused::Client("invalid_request"),
        )
        .row("an unknown prompt", request().set("prompt", "Terms"), Refused::Client("invalid_request"))
        .row(
            "none and a prompt of ours",
            request().set("prompt", "none terms"),
            Refused::Client("invalid_request"),
        )
        .run();
}

//! People and pages of the application: `cargo run -p chancery-examples --example own_accounts`, then
//! `cargo run -- try` and sign in as `ada` with the password that is printed.
//!
//! Whoever also has a badge, which signs what the page shows, has signed in more strongly: the client learns
//! it from `acr` and `amr` of the ID token, and can ask for it. A passkey is such a badge; its page runs a
//! script ([`Html::with_script`]), and its answer is checked by a WebAuthn library.
//!
//! Everybody accepts the house rules once, and again when there are new ones: a prompt of the application's own.

use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::response::IntoResponse;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery::interaction::{CustomStep, LoginProblem, LoginStep, LoginView, Next, Step};
use chancery::jose::{PrivateKey, PublicJwk, Verifier as _};
use chancery::model::{Acr, Amr, CustomPromptName, PromptName};
use chancery::policy::{CustomPrompt, PersonView, RequestView};
use chancery::{
    Account, AccountId, Accounts, Authentication, AuthorizationPolicy, Builder, Claims, ClaimsQuery, Client,
    Config, Content, Fault, FormMarkup, Hint, Html, Issuer, LoginForm, LoginOutcome, LoginRefusal,
    MemoryKeys, MemoryRegistry, MemoryStore, OwnForm, Page, PageError, Parts, RealmId, Room, Service,
    SigningAlgorithm, Timestamp,
};

/// One row of the application's own table of people.
struct Employee {
    number: AccountId,
    login: &'static str,
    name: &'static str,
    password: String,
    badge: PublicJwk,
}

impl Employee {
    /// The account that the provider sees. "Sign out everywhere" or a new password would change its `epoch`.
    fn account(&self) -> Account {
        Account::new(self.number.clone(), self.name)
    }
}

/// What a password and a badge reach together.
const BADGE: &str = "urn:example:house:badge";

/// The present version of the house rules.
const RULES: u64 = 2;

/// The application's people. A real application asks its database, and stores hashes of passwords (Argon2id)
/// only.
struct Staff {
    people: Vec<Employee>,
    /// The name of the prompt with the house rules.
    rules: CustomPromptName,
    /// Which version of them somebody has accepted.
    accepted: Mutex<BTreeMap<AccountId, u64>>,
}

impl Staff {
    fn accepted(&self) -> MutexGuard<'_, BTreeMap<AccountId, u64>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn by_number(&self, number: &AccountId) -> Option<&Employee> {
        self.people.iter().find(|employee| employee.number == *number)
    }
}

impl Accounts for Staff {
    async fn find(&self, _: &RealmId, id: &AccountId) -> Result<Option<Account>, Fault> {
        Ok(self.by_number(id).map(Employee::account))
    }

    async fn claims(&self, _: &RealmId, ask: ClaimsQuery<'_>) -> Result<Claims, Fault> {
        let mut claims = Claims::default();
        if let Some(employee) = self.by_number(ask.account) {
            claims.set("name", employee.name).set("preferred_username", employee.login);
        }
        Ok(claims)
    }

    fn levels(&self, _: &RealmId) -> Vec<Acr> {
        vec![Acr(Acr::PASSWORD.into()), Acr(BADGE.into())]
    }

    async fn hint(&self, _: &RealmId, hint: Hint) -> Result<Option<AccountId>, Fault> {
        let is_meant =
            |employee: &&Employee| matches!(&hint, Hint::Login(login) if *employee.login == **login);
        Ok(self.people.iter().find(is_meant).map(|employee| employee.number.clone()))
    }

    async fn authenticate(
        &self,
        _: &RealmId,
        now: Timestamp,
        form: LoginForm,
        _: Room, // what `Accounts::room` gave: it can bound how many passwords are looked at at once
    ) -> Result<LoginOutcome, Fault> {
        // The reason of a refusal is for the log; the person sees the same message for each.
        let named = self.people.iter().find(|employee| employee.login == form.username);
        Ok(match named {
            None => LoginOutcome::Refused(LoginRefusal::UnknownName),
            Some(employee) if employee.password != *form.password => {
                LoginOutcome::Refused(LoginRefusal::WrongPassword(employee.number.clone()))
            }
            Some(employee) => {
                LoginOutcome::Authenticated(Authentication::by_password(&employee.account(), now))
            }
        })
    }
}

impl AuthorizationPolicy for Staff {
    fn prompts(&self) -> Vec<PromptName> {
        let rules = PromptName::Custom(self.rules.clone());
        vec![PromptName::Login, PromptName::SelectAccount, rules, PromptName::Consent]
    }

    async fn custom_prompt(
        &self,
        _: &CustomPromptName,
        _: RequestView<'_>,
        person: PersonView<'_>,
    ) -> Result<Option<CustomPrompt>, Fault> {
        let is_accepted = self.accepted().get(&person.account.id) == Some(&RULES);
        Ok((!is_accepted).then(|| CustomPrompt::new(RULES.into())))
    }
}

/// The application's own pages for login and house rules, which post to the application; the others are the designed
/// ones. The addresses of their forms lie below the issuer's path, here `/`, so that the provider's cookies come along.
fn own_page(page: Page<'_>) -> Option<Html> {
    match page.content {
        Content::Login(view, form) => Some(login(page.nonce, view, form)),
        Content::Custom(_, form) => Some(rules(form)),
        _ => None,
    }
}

fn login(nonce: &str, view: &LoginView, form: &FormMarkup) -> Html {
    let (client, challenge) = (Html::escape(&view.client.name), &view.challenge);
    let hidden = form.hidden_inputs();
    Html::new(format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>The House</title>
<style nonce="{nonce}">body {{ font: 1.2rem/1.5 serif; margin: 10vh auto; max-width: 24rem }}</style>
<main data-page="login"><h1>The House</h1><p>{client} wants to know who you are.</p>
<form method="post" action="/sign-in">{hidden}
<p><label>Name <input name="username" autocomplete="username" required autofocus></label>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<p>Your badge, if you have it with you: <label>what it is shown <input name="challenge" value="{challenge}" readonly></label>
<label>and what it says <input name="badge" autocomplete="off"></label>
<p><button name="action" value="login">Sign in</button>
<button name="action" value="cancel" formnovalidate>Cancel</button></form></main></html>"#
    ))
}

fn rules(form: &FormMarkup) -> Html {
    let hidden = form.hidden_inputs();
    Html::new(format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>The House: rules</title>
<main data-page="rules"><h1>The rules of the house</h1><p>Lend your badge to nobody. (Version {RULES})</p>
<form method="post" action="/rules">{hidden}
<p><button name="action" value="accept">I accept them</button>
<button name="action" value="cancel">Cancel</button></form></main></html>"#
    ))
}

/// What is done with the forms of these pages.
async fn answer(staff: &Staff, form: &OwnForm) -> Result<Next, PageError> {
    match form.step().await? {
        ControlFlow::Continue(Step::Login(step)) => sign_in(staff, form, step).await,
        ControlFlow::Continue(Step::Custom(step)) if form.field("action") == Some("accept") => {
            accept(staff, step).await
        }
        ControlFlow::Continue(other) => form.press(other).await,
        ControlFlow::Break(next) => Ok(next),
    }
}

/// The person has accepted the rules that the page showed.
async fn accept(staff: &Staff, step: CustomStep<'_>) -> Result<Next, PageError> {
    if let Some(version) = step.data().as_u64() {
        staff.accepted().insert(step.account().clone(), version);
    }
    Ok(step.done().await?)
}

async fn sign_in(staff: &Staff, form: &OwnForm, step: LoginStep<'_>) -> Result<Next, PageError> {
    if form.field("action") == Some("cancel") {
        return Ok(step.abort().await?);
    }
    // The built-in page's way, with its protection against guessing.
    let (step, who) = match step.password(form.login()).await? {
        ControlFlow::Continue(right) => right,
        ControlFlow::Break(next) => return Ok(next),
    };
    let Some(answer) = form.field("badge") else { return Ok(step.authenticated(who).await?) };
    // A challenge can be taken once: what a badge has said to it proves this login, and no other.
    let (challenge, employee) = (step.take_challenge().await?, staff.by_number(&who.account));
    let is_right =
        challenge.zip(employee).is_some_and(|(challenge, employee)| says(&employee.badge, challenge, answer));
    if !is_right {
        return Ok(step.refused(LoginProblem::Refused, None).await?);
    }
    let now = step.now();
    let who = who.and(Amr::HARDWARE_KEY, now).and(Amr::USER_PRESENCE, now).reaching(Acr(BADGE.into()));
    Ok(step.authenticated(who).await?)
}

/// Whether this badge signed the challenge.
fn says(badge: &PublicJwk, challenge: &str, answer: &str) -> bool {
    let (Ok(key), Ok(answer)) = (badge.verifying_key(), URL_SAFE_NO_PAD.decode(answer)) else { return false };
    key.verify(SigningAlgorithm::Ed25519, challenge.as_bytes(), &answer).is_ok()
}

async fn posted(
    State((service, staff)): State<(Service, Arc<Staff>)>,
    request: Request,
) -> impl IntoResponse {
    match service.own_form(request).await {
        Ok(form) => form.respond(answer(&staff, &form)).await,
        Err(page) => page,
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let password = std::env::var("PASSWORD").unwrap_or_else(|_| "analytical engine".to_owned());
    println!("sign in as   ada\npassword     {password}");
    // A real badge keeps its key to itself, and the application learns the public half when it is handed out.
    let key = PrivateKey::generate(SigningAlgorithm::Ed25519)?;
    println!("badge        {}", *key.to_jwk()?);
    let number = AccountId::parse("employee-1")?;
    let badge = key.public_jwk().clone();
    let staff = Arc::new(Staff {
        people: vec![Employee { number, login: "ada", name: "Ada Lovelace", password, badge }],
        rules: CustomPromptName::parse("house_rules")?,
        accepted: Mutex::default(),
    });
    let demo = Client::native("demo").name("Demo").redirect("http://127.0.0.1/callback");
    let registry = MemoryRegistry::new().with_client(&demo)?;
    let parts = Parts {
        realm: RealmId::parse("house")?,
        issuer: Issuer::parse(&format!("http://localhost:{port}"))?,
        store: Arc::new(MemoryStore::new()),
        registry: Arc::new(registry),
        accounts: staff.clone(),
        keys: Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Rs256])?),
    };
    let builder = Builder::new(parts, Config::default()).with_authorization_policy(staff.clone());
    let provider = builder.build().await?;
    let service = chancery::service(provider).with_own_pages(|page, _| own_page(page));
    let app = axum::Router::new().route("/sign-in", post(posted)).route("/rules", post(posted));
    let app = app.with_state((service.clone(), staff));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(chancery::axum::serve(listener, app, service).await?)
}

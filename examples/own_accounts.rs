//! People and pages of the application: `cargo run -p chancery-examples --example own_accounts`, then
//! `cargo run --example try` and sign in as `ada` with the password that is printed.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::middleware::map_request;
use chancery::{
    Account, AccountId, Accounts, Authentication, Claims, ClaimsQuery, Config, Content, Hint, Html, Issuer, Locale,
    LoginForm, LoginOutcome, LoginRefusal, MemoryKeys, MemoryRegistry, MemoryStore, Page, Pages, Parts, PlainPages,
    PortFuture, Provider, RealmId, Room, SigningAlgorithm, Timestamp,
};

/// One row of the application's own table of people.
struct Employee {
    number: AccountId,
    login: &'static str,
    name: &'static str,
    password: String,
}

impl Employee {
    /// The account that the provider sees. "Sign out everywhere" or a new password would change its `epoch`.
    fn account(&self) -> Account {
        Account::new(self.number.clone(), self.name)
    }
}

/// The application's people. A real application asks its database, and stores hashes of passwords (Argon2id)
/// only.
struct Staff(Vec<Employee>);

impl Staff {
    fn by_number(&self, number: &AccountId) -> Option<&Employee> {
        self.0.iter().find(|employee| employee.number == *number)
    }
}

impl Accounts for Staff {
    fn find<'a>(&'a self, _: &'a RealmId, id: &'a AccountId) -> PortFuture<'a, Option<Account>> {
        Box::pin(async move { Ok(self.by_number(id).map(Employee::account)) })
    }

    fn claims<'a>(&'a self, _: &'a RealmId, ask: ClaimsQuery<'a>) -> PortFuture<'a, Claims> {
        Box::pin(async move {
            let mut claims = Claims::default();
            if let Some(employee) = self.by_number(ask.account) {
                claims.set("name", employee.name).set("preferred_username", employee.login);
            }
            Ok(claims)
        })
    }

    fn hint<'a>(&'a self, _: &'a RealmId, Hint::Login(login): Hint) -> PortFuture<'a, Option<AccountId>> {
        let found = self.0.iter().find(move |employee| *employee.login == *login);
        Box::pin(async move { Ok(found.map(|employee| employee.number.clone())) })
    }

    fn authenticate<'a>(
        &'a self,
        _: &'a RealmId,
        now: Timestamp,
        form: LoginForm,
        _: Room,
    ) -> PortFuture<'a, LoginOutcome> {
        Box::pin(async move {
            // The reason of a refusal is for the log; the person sees the same message for each.
            let named = self.0.iter().find(|employee| employee.login == form.username);
            Ok(match named {
                None => LoginOutcome::Refused(LoginRefusal::UnknownName),
                Some(employee) if employee.password != *form.password => {
                    LoginOutcome::Refused(LoginRefusal::WrongPassword(employee.number.clone()))
                }
                Some(employee) => LoginOutcome::Authenticated(Authentication::by_password(&employee.account(), now)),
            })
        })
    }
}

/// The application's own login page; the other pages are the plain ones.
struct House;

impl Pages for House {
    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        let Content::Login(view, form) = page.content else { return PlainPages.page(page, locale) };
        let (client, action) = (Html::escape(&view.client.name), Html::escape(&form.action));
        let (nonce, hidden) = (page.nonce, form.hidden_inputs());
        Html::new(format!(
            r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>The House</title>
<style nonce="{nonce}">body {{ font: 1.2rem/1.5 serif; margin: 10vh auto; max-width: 24rem }}</style>
<main data-page="login"><h1>The House</h1><p>{client} wants to know who you are.</p>
<form method="post" action="{action}">{hidden}
<p><label>Name <input name="username" autocomplete="username" required autofocus></label>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<p><button name="action" value="login">Sign in</button>
<button name="action" value="cancel" formnovalidate>Cancel</button></form></main></html>"#
        ))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let password = std::env::var("PASSWORD").unwrap_or_else(|_| "analytical engine".to_owned());
    println!("sign in as   ada\npassword     {password}");
    let number = AccountId::parse("employee-1")?;
    let staff = Staff(vec![Employee { number, login: "ada", name: "Ada Lovelace", password }]);
    let registry = MemoryRegistry::new();
    let client = r#"{
        "client_id": "demo", "client_name": "Demo", "application_type": "native",
        "token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"]
    }"#;
    registry.put(client).map_err(|complaints| format!("{complaints:?}"))?;
    let parts = Parts {
        realm: RealmId::parse("house")?,
        issuer: Issuer::parse(&format!("http://localhost:{port}"))?,
        store: Arc::new(MemoryStore::new()),
        registry: Arc::new(registry),
        accounts: Arc::new(staff),
        keys: Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Rs256])?),
    };
    let provider = Provider::new(parts, Config::default()).await.map_err(|complaints| format!("{complaints:?}"))?;
    let service = chancery::service(provider).with_pages(Arc::new(House));
    let app = axum::Router::new().fallback_service(service).layer(map_request(peer));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
}

/// Tells the provider the client's address, because it limits guesses at passwords by network.
async fn peer(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(chancery::Peer(address.ip()));
    request
}

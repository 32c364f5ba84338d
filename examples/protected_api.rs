//! A login with people and a login page of the application's own, and an API that takes its tokens, in one program:
//! `cargo run -p chancery-examples --example protected_api`, then `cargo run -- try` signs in.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use chancery::axum::Token;
use chancery::interaction::LoginView;
use chancery::resource::{ProtectedResource, Refused};
use chancery::{
    Account, AccountId, Accounts, Authentication, Client, Config, Content, Fault, FormMarkup, Html, Issuer,
    LoginForm, LoginOutcome, LoginRefusal, MemoryKeys, MemoryRegistry, MemoryStore, Parts, Provider, RealmId,
    ResourceServer, ResourceUri, Room, Scopes, SigningAlgorithm, Timestamp, TokenFormat,
};

/// The application's people. A real application asks its database, and stores hashes of passwords (Argon2id) only.
struct People {
    password: String,
}

impl Accounts for People {
    async fn find(&self, _: &RealmId, id: &AccountId) -> Result<Option<Account>, Fault> {
        Ok((id.as_str() == "ada").then(|| Account::new(id.clone(), "Ada Lovelace")))
    }

    async fn authenticate(
        &self,
        realm: &RealmId,
        now: Timestamp,
        form: LoginForm,
        _: Room, // what `Accounts::room` gave: it can bound how many passwords are looked at at once
    ) -> Result<LoginOutcome, Fault> {
        if let Ok(id) = AccountId::parse(&form.username)
            && *form.password == self.password
            && let Some(ada) = self.find(realm, &id).await?
        {
            return Ok(LoginOutcome::Authenticated(Authentication::by_password(&ada, now)));
        }
        // For a person who exists, `WrongPassword(id)` says the same on the page, and the log names the account.
        Ok(LoginOutcome::Refused(LoginRefusal::UnknownName))
    }
}

/// The login page. All other pages are the designed ones.
fn login(view: &LoginView, form: &FormMarkup, nonce: &str) -> Html {
    let (client, action, hidden) =
        (Html::escape(&view.client.name), Html::escape(&form.action), form.hidden_inputs());
    let problem = if view.problem.is_some() { "<p role=\"alert\">That did not work.</p>" } else { "" };
    Html::new(format!(
        r#"<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<style nonce="{nonce}">body {{ font: 1.2rem/1.5 sans-serif; margin: 10vh auto; max-width: 24rem }}</style>
<main data-page="login"><h1>Notes</h1><p>{client} wants to know who you are.</p>{problem}
<form method="post" action="{action}">{hidden}
<p><label>Name <input name="username" autocomplete="username" required></label>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<p><button name="action" value="login">Sign in</button></form></main></html>"#
    ))
}

async fn read(Token(token): Token) -> String {
    format!("the notes of {}, for {}\n", token.subject, token.client)
}

async fn write(Token(token): Token) -> String {
    format!("{} has written a note\n", token.subject)
}

/// Why a token was refused, which its client is not told. It is read outside of all layers.
async fn logged(answer: Response) -> Response {
    answer.extensions().get::<Refused>().inspect(|Refused(why)| eprintln!("refused: {why}"));
    answer
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let from_environment = |name, or: &str| std::env::var(name).unwrap_or_else(|_| or.to_owned());
    let port = from_environment("PORT", "3000");
    let (origin, here) = (format!("http://localhost:{port}"), format!("http://localhost:{port}/api"));
    let apart = from_environment("APART", "http://localhost:3001"); // the example `protected_api_apart`
    let password = from_environment("PASSWORD", "analytical engine");
    let secret = from_environment("SECRET", "a secret of at least 32 characters, for this example");
    println!("sign in as   ada\npassword     {password}\nsecret       {secret}");

    let scopes = Scopes::parse("notes:read notes:write")?;
    let own = ResourceServer::new(ResourceUri::parse(&here)?, scopes.clone());
    let other = ResourceServer::new(ResourceUri::parse(&apart)?, scopes);
    let registry = MemoryRegistry::new()
        .with_resource_server(ResourceServer { name: Some("Notes".into()), ..own }) // what people read
        .with_resource_server(ResourceServer { format: TokenFormat::Jwt, ..other })
        .with_client(&Client::native("demo").redirect("http://127.0.0.1/callback").api(&here))?
        .with_client(&Client::spa("app").redirect("http://localhost:5173/").on_loopback().api(&here))?
        .with_client(&Client::machine("demo-api").secret(&secret).api(&here).api(&apart))?;
    let parts = Parts {
        realm: RealmId::parse("notes")?,
        issuer: Issuer::parse(&origin)?,
        store: Arc::new(MemoryStore::new()),
        registry: Arc::new(registry),
        accounts: Arc::new(People { password }),
        keys: Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256])?),
    };
    let provider = Provider::new(parts, Config::default()).await?;
    let service = chancery::service(provider.clone()).with_own_pages(|page, _| match page.content {
        Content::Login(view, form) => Some(login(view, form, page.nonce)),
        _ => None,
    });

    let api = ProtectedResource::of_provider(provider).at(&here)?;
    let app = Router::new()
        .route("/api/notes", get(read).layer(api.requires("notes:read")?))
        .route("/api/notes", post(write).layer(api.requires("notes:write")?))
        .merge(chancery::axum::metadata(&api))
        .layer(axum::middleware::map_response(logged))
        .with_state(api);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    Ok(chancery::axum::serve(listener, app, service).await?)
}

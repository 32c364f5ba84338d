//! The crate openidconnect, unmodified, against the issuer of a fixture (see ../openid_client.mjs): it registers itself, signs
//! a person in and refreshes. (It revokes over HTTPS only.)
//!
//! ```text
//! chancery-e2e-openidconnect FIXTURE.json
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::process::Command;

use openidconnect::core::{
    CoreApplicationType, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod,
    CoreClientRegistrationRequest, CoreGrantType, CoreProviderMetadata, CoreUserInfoClaims,
};
use openidconnect::registration::EmptyAdditionalClientMetadata;
use openidconnect::url::Url;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse,
};
use serde_json::Value;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// What the tests are told.
struct Fixture {
    path: String,
    value: Value,
}

impl Fixture {
    fn text(&self, pointer: &str) -> &str {
        self.value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The person signs in and allows; the parameters that the client gets.
    fn answer(&self, url: &Url) -> Outcome<HashMap<String, String>> {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
        let done =
            Command::new(python).args(["-B", self.text("/person"), &self.path, url.as_str()]).output()?;
        let address = Url::parse(String::from_utf8(done.stdout)?.trim())?;
        Ok(address.query_pairs().into_owned().collect())
    }
}

/// The crate's HTTP client: plain HTTP without redirects, whatever the status.
fn http(request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let mut response = agent.run(request)?;
    let body = response.body_mut().read_to_vec()?;
    Ok(response.map(|_| body))
}

fn assure(good: bool, what: &str) -> Outcome {
    if good { Ok(()) } else { Err(format!("not so: {what}").into()) }
}

fn login(fixture: &Fixture, method: CoreClientAuthMethod) -> Outcome {
    let issuer = IssuerUrl::new(fixture.text("/issuer").to_owned())?;
    let provider = CoreProviderMetadata::discover(&issuer, &http)?;
    let redirect_uri = RedirectUrl::new(fixture.text("/app/redirect_uri").to_owned())?;
    let registered =
        CoreClientRegistrationRequest::new(vec![redirect_uri.clone()], EmptyAdditionalClientMetadata {})
            .set_application_type(Some(CoreApplicationType::Native))
            .set_grant_types(Some(vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken]))
            .set_token_endpoint_auth_method(Some(method))
            .register(provider.registration_endpoint().ok_or("no registration endpoint")?, &http)?;
    let client = CoreClient::from_provider_metadata(
        provider,
        registered.client_id().clone(),
        registered.client_secret().cloned(),
    )
    .set_redirect_uri(redirect_uri);

    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["profile", "email", "offline_access"].map(|name| Scope::new(name.to_owned())))
        .set_pkce_challenge(challenge)
        .url();
    let answer = fixture.answer(&url)?;
    assure(answer.get("state") == Some(state.secret()), "the answer is of this request")?;
    assure(answer.get("iss").map(String::as_str) == Some(issuer.as_str()), "the answer names its issuer")?;

    let code = AuthorizationCode::new(answer.get("code").ok_or("no code")?.clone());
    let tokens = client.exchange_code(code)?.set_pkce_verifier(verifier).request(&http)?;
    let id_token = tokens.id_token().ok_or("no ID token")?;
    let id_token_verifier = client.id_token_verifier();
    let claims = id_token.claims(&id_token_verifier, &nonce)?;
    if let Some(expected) = claims.access_token_hash() {
        let alg = id_token.signing_alg()?;
        let hash = AccessTokenHash::from_token(
            tokens.access_token(),
            alg,
            id_token.signing_key(&id_token_verifier)?,
        )?;
        assure(hash == *expected, "at_hash is that of the access token")?;
    }
    let userinfo: CoreUserInfoClaims =
        client.user_info(tokens.access_token().clone(), Some(claims.subject().clone()))?.request(&http)?;
    assure(userinfo.subject() == claims.subject(), "UserInfo is of the same person")?;

    let fresh =
        client.exchange_refresh_token(tokens.refresh_token().ok_or("no refresh token")?)?.request(&http)?;
    assure(fresh.access_token().secret() != tokens.access_token().secret(), "another access token")?;
    assure(fresh.refresh_token().is_some(), "a successor")
}

fn main() -> Outcome {
    let path = std::env::args().nth(1).ok_or("which fixture?")?;
    let value = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
    let fixture = Fixture { path, value };
    let (mut passed, mut failed) = (0, 0);
    for (name, method) in [
        ("client_secret_basic", CoreClientAuthMethod::ClientSecretBasic),
        ("none", CoreClientAuthMethod::None),
    ] {
        let name =
            format!("{}, openidconnect: registration with {name}, login, refresh", fixture.text("/name"));
        match login(&fixture, method) {
            Ok(()) => {
                passed += 1;
                println!("ok     {name}");
            }
            Err(error) => {
                failed += 1;
                println!("FAILED {name}: {error}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    std::process::exit(i32::from(failed > 0));
}

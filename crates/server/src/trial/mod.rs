//! `chancery try`: a small client, which signs a person in with the authorization code flow and PKCE and shows the
//! tokens. It is a native application: it listens on the loopback interface (RFC 8252 section 7.3) and prints an
//! address to open in a browser.

mod browser;
mod message;
mod page;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_core::ports::Random;
use chancery_jose::{SystemRandom, sha256};
use serde_json::Value;

use self::browser::Browser;
use self::message::{Request, form, parse_form};
use crate::arguments::{Configured, Trial};
use crate::log::push_inert;
use crate::settings::{Source, load};
use crate::terminal::Escaped;

const CLIENT_ID: &str = "demo";
const SCOPE: &str = "openid profile email offline_access";

/// How long a connection may be silent: browsers open some that they do not use.
const SILENCE: Duration = Duration::from_secs(2);

/// Why it did not work.
type Error = Box<dyn std::error::Error>;

/// Signs a person in and prints the tokens.
pub(crate) async fn sign_in(wanted: Trial) -> Result<(), String> {
    let issuer = wanted.issuer.unwrap_or_else(|| issuer_here(wanted.dev));
    // Clients put a slash at the end that no issuer has.
    let issuer = issuer.trim_end_matches('/').to_owned();
    let done =
        tokio::task::spawn_blocking(move || run(&issuer, wanted.headless).map_err(|why| why.to_string()));
    done.await.map_err(|error| error.to_string())?
}

/// The issuer of the development provider that is named or in this folder, or the one that it would have.
fn issuer_here(dev: Option<PathBuf>) -> String {
    let configured = Configured { config: None, dev, set: Vec::new() };
    let found = Source::of(&configured).is_development.then(|| load(&configured).ok()).flatten();
    found.map_or_else(|| "http://localhost:3000".to_owned(), |settings| settings.issuer.to_string())
}

fn run(issuer: &str, is_headless: bool) -> Result<(), Error> {
    // What the provider says about itself (OIDC Discovery section 4).
    let found = Request::get(&format!("{issuer}/.well-known/openid-configuration")).send()?.json()?;
    let provider = Provider { found };
    if provider.text("issuer")? != issuer {
        return Err(
            format!("the provider at {issuer} calls itself {}: use that", provider.text("issuer")?).into()
        );
    }

    // Secrets of this request bind the answer to this client (RFC 7636, RFC 9700 section 4.7).
    let (verifier, state, nonce) = (random(), random(), random());
    let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let redirect_uri = format!("http://127.0.0.1:{}/callback", listener.local_addr()?.port());
    let request = form(&[
        ("client_id", CLIENT_ID),
        ("redirect_uri", &redirect_uri),
        ("response_type", "code"),
        ("scope", SCOPE),
        ("state", &state),
        ("nonce", &nonce),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]);
    let asked = Asked { redirect_uri, verifier, state, nonce };
    let start = format!("{}?{request}", provider.text("authorization_endpoint")?);
    if is_headless {
        let mut lines = std::io::stdin().lines();
        let mut line =
            || lines.next().ok_or("the user name and the password are read from the standard input");
        let answer = Browser::default().sign_in(&start, &asked.redirect_uri, &line()??, &line()??)?;
        return told(&provider.answered(&asked, &answer)?);
    }
    println!("Open this address in a browser:\n\n  {}\n", Escaped(&start));
    let (mut stream, answer) = await_answer(&listener, &asked.state)?;
    let outcome = provider.answered(&asked, &answer);
    page::send(&mut stream, &outcome)?;
    told(&outcome?)
}

/// What this client has asked for.
struct Asked {
    redirect_uri: String,
    verifier: String,
    state: String,
    nonce: String,
}

/// What the person has decided.
enum Outcome {
    SignedIn { tokens: Value, claims: Value, userinfo: Value },
    Declined,
}

/// Prints the tokens.
fn told(outcome: &Outcome) -> Result<(), Error> {
    let Outcome::SignedIn { tokens, claims, userinfo } = outcome else {
        return Err("You did not allow it, so there are no tokens. The provider has told the application \
            access_denied, as it should."
            .into());
    };
    print!("{}", said(tokens, claims, userinfo));
    Ok(())
}

/// What the provider has given. Whatever it has written there, nothing acts on the terminal.
fn said(tokens: &Value, claims: &Value, userinfo: &Value) -> String {
    let mut said = String::new();
    for name in ["access_token", "refresh_token", "id_token"] {
        let token = text(tokens, name).unwrap_or_else(|| "none".to_owned());
        said.push_str(&format!("{name:13}  {}\n", Escaped(&token)));
    }
    for (who, values) in [("The ID token", claims), ("UserInfo", userinfo)] {
        said.push_str(&format!("\n{who} says:\n"));
        for line in format!("{values:#}").lines() {
            push_inert(&mut said, line);
            said.push('\n');
        }
    }
    said
}

/// The provider, by its metadata.
struct Provider {
    found: Value,
}

impl Provider {
    fn text(&self, name: &str) -> Result<String, Error> {
        text(&self.found, name).ok_or_else(|| format!("the metadata has no {name}").into())
    }

    /// Exchanges the code of an answer for tokens.
    fn answered(&self, asked: &Asked, answer: &BTreeMap<String, String>) -> Result<Outcome, Error> {
        // The answer must be for this request and from this provider (RFC 6749 section 10.12, RFC 9207 section
        // 2.4).
        if answer.get("state") != Some(&asked.state) || answer.get("iss") != Some(&self.text("issuer")?) {
            return Err("the answer is not for this request".into());
        }
        match answer.get("error").map(String::as_str) {
            None => {}
            Some("access_denied") => return Ok(Outcome::Declined),
            Some(error) => {
                let description = answer.get("error_description").map(String::as_str).unwrap_or_default();
                return Err(format!("the provider answered {error}: {description}").into());
            }
        }
        let code = answer.get("code").ok_or("the answer has no code")?;
        let tokens = Request::post(
            &self.text("token_endpoint")?,
            &[
                ("grant_type", "authorization_code"),
                ("code", code),
                ("redirect_uri", &asked.redirect_uri),
                ("client_id", CLIENT_ID),
                ("code_verifier", &asked.verifier),
            ],
        );
        let tokens = tokens.send()?.json()?;
        let token = |name: &str| text(&tokens, name).ok_or(format!("the provider gave no {name}"));
        let claims = claims(&token("id_token")?)?;
        let is_ours = text(&claims, "nonce").as_ref() == Some(&asked.nonce)
            && text(&claims, "aud").as_deref() == Some(CLIENT_ID);
        if !is_ours {
            return Err("the ID token is not for this request".into());
        }
        let mut userinfo = Request::get(&self.text("userinfo_endpoint")?);
        userinfo.headers.push(("Authorization", format!("Bearer {}", token("access_token")?)));
        Ok(Outcome::SignedIn { userinfo: userinfo.send()?.json()?, tokens, claims })
    }
}

/// A member that is a string.
fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(str::to_owned)
}

fn random() -> String {
    let mut bytes = [0; 32];
    Random::fill(&SystemRandom, &mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The payload of a JWT that came straight from the token endpoint (OIDC Core section 3.1.3.7, item 6). A
/// client that gets it any other way must verify the signature.
fn claims(jwt: &str) -> Result<Value, Error> {
    let payload = jwt.split('.').nth(1).ok_or("not a JWT")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).map_err(|_| "not a JWT")?)?)
}

/// Waits for the browser to come back with the answer to this request, and leaves it waiting for a page.
fn await_answer(listener: &TcpListener, state: &str) -> Result<(TcpStream, BTreeMap<String, String>), Error> {
    loop {
        let (mut stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(SILENCE))?;
        let mut line = String::new();
        if BufReader::new(stream.try_clone()?).take(8192).read_line(&mut line).is_err() {
            continue;
        }
        let target = line.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let answer = parse_form(query);
        if path == "/callback" && answer.get("state").is_some_and(|sent| sent == state) {
            return Ok((stream, answer));
        }
        let _gone =
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A provider cannot draw on the terminal of whoever tries it.
    #[test]
    fn nothing_that_a_provider_says_acts_on_the_terminal() {
        for bad in ["\u{1b}[2J", "\u{9b}2J", "a\r\nb", "\u{202e}nimda", "\u{7}"] {
            let tokens = json!({ "access_token": bad, "id_token": bad });
            let said = said(&tokens, &json!({ "name": bad }), &json!({ bad: bad }));
            assert!(!said.chars().any(|c| c != '\n' && chancery_types::is_misleading(c)), "{said:?}");
            assert!(!said.contains("a\nb"), "{said:?}");
        }
    }
}

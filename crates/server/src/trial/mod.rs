//! A small client, which signs a person in with the authorization code flow and PKCE and prints the tokens.
//!
//! ```sh
//! cargo run --release                  # in one terminal: a development provider
//! cargo run --release --example try    # in another: this client
//! ```
//!
//! It listens on the loopback interface (RFC 8252 section 7.3) and prints an address to open in a browser.
//! With `--headless` it is its own browser: the user name and the password are the first two lines of the
//! standard input. `--issuer URL` names another provider than `http://localhost:3000`, which must be plain
//! HTTP on loopback.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

const CLIENT_ID: &str = "demo";
const SCOPE: &str = "openid profile email offline_access";

const HELP: &str = "\
Signs a person in at a provider and prints the tokens.

  --issuer URL   the provider, by default http://localhost:3000 (plain HTTP on loopback only)
  --headless     without a browser: user name and password are the first two lines of the standard input
";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let (mut issuer, mut is_headless) = ("http://localhost:3000".to_owned(), false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--headless" => is_headless = true,
            "--issuer" => issuer = arguments.next().ok_or("--issuer needs a URL")?,
            "--help" => {
                print!("{HELP}");
                return Ok(());
            }
            other => return Err(format!("unknown argument {other}; see --help").into()),
        }
    }

    // What the provider says about itself (OIDC Discovery section 4).
    let found = Request::get(&format!("{issuer}/.well-known/openid-configuration")).send()?.json()?;
    let endpoint = |name: &str| text(&found, name).ok_or(format!("the metadata has no {name}"));

    // Secrets of this request bind the answer to this client (RFC 7636, RFC 9700 section 4.7).
    let (verifier, state, nonce) = (random()?, random()?, random()?);
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
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
    let start = format!("{}?{request}", endpoint("authorization_endpoint")?);
    let answer = if is_headless {
        let mut lines = std::io::stdin().lines();
        let mut line =
            || lines.next().ok_or("the user name and the password are read from the standard input");
        Browser::default().sign_in(&start, &redirect_uri, &line()??, &line()??)?
    } else {
        println!("Open this address in a browser:\n\n  {start}\n");
        await_answer(&listener)?
    };

    // The answer must be for this request and from this provider (RFC 6749 section 10.12, RFC 9207 section
    // 2.4).
    if let Some(error) = answer.get("error") {
        let description = answer.get("error_description").map(String::as_str).unwrap_or_default();
        return Err(format!("the provider answered {error}: {description}").into());
    }
    if answer.get("state") != Some(&state) || answer.get("iss") != Some(&issuer) {
        return Err("the answer is not for this request".into());
    }
    let code = answer.get("code").ok_or("the answer has no code")?;

    let tokens = Request::post(
        &endpoint("token_endpoint")?,
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &redirect_uri),
            ("client_id", CLIENT_ID),
            ("code_verifier", &verifier),
        ],
    );
    let tokens = tokens.send()?.json()?;
    let token = |name: &str| text(&tokens, name).ok_or(format!("no {name}: {tokens}"));
    let claims = claims(&token("id_token")?)?;
    if text(&claims, "nonce") != Some(nonce) || text(&claims, "aud").as_deref() != Some(CLIENT_ID) {
        return Err("the ID token is not for this request".into());
    }
    println!("access_token   {}", token("access_token")?);
    println!("refresh_token  {}", text(&tokens, "refresh_token").as_deref().unwrap_or("none"));
    println!("id_token       {}", token("id_token")?);
    println!("\nThe ID token says:\n{claims:#}");

    let mut userinfo = Request::get(&endpoint("userinfo_endpoint")?);
    userinfo.headers.push(("Authorization", format!("Bearer {}", token("access_token")?)));
    println!("\nUserInfo says:\n{:#}", userinfo.send()?.json()?);
    Ok(())
}

/// A member that is a string.
fn text(object: &Value, name: &str) -> Option<String> {
    object.get(name)?.as_str().map(str::to_owned)
}

fn random() -> Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The payload of a JWT that came straight from the token endpoint (OIDC Core section 3.1.3.7, item 6). A
/// client that gets it any other way must verify the signature.
fn claims(jwt: &str) -> Result<Value> {
    let payload = jwt.split('.').nth(1).ok_or("not a JWT")?;
    Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).map_err(|_| "not a JWT")?)?)
}

/// Waits for the browser to come back.
fn await_answer(listener: &TcpListener) -> Result<BTreeMap<String, String>> {
    loop {
        let (mut stream, _) = listener.accept()?;
        let mut line = String::new();
        BufReader::new(stream.try_clone()?).read_line(&mut line)?;
        let target = line.split(' ').nth(1).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (status, text) = match path {
            "/callback" => ("200 OK", "You are signed in. Go back to the terminal."),
            _ => ("404 Not Found", "Nothing here."),
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
            text.len()
        )?;
        if path == "/callback" {
            return Ok(parse_form(query));
        }
    }
}

/// Fills in the provider's forms like a person: cookies, hidden fields, redirects.
#[derive(Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    fn sign_in(
        &mut self,
        start: &str,
        redirect_uri: &str,
        name: &str,
        password: &str,
    ) -> Result<BTreeMap<String, String>> {
        let (mut url, mut response) = (start.to_owned(), self.send(Request::get(start))?);
        // Sign in, allow, and a redirect after each; more means that something is wrong.
        for _ in 0..8 {
            if let Some(location) = response.header("location").map(|location| resolve(&url, location)) {
                if let Some(query) = location.strip_prefix(redirect_uri) {
                    return Ok(parse_form(query.trim_start_matches('?')));
                }
                (url, response) = (location.clone(), self.send(Request::get(&location))?);
                continue;
            }
            let page = response.body;
            let shown = attribute(&page, "data-page").unwrap_or_default();
            let mut fields = hidden_fields(&page);
            let mut fill = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
            match shown.as_str() {
                "login" => {
                    fill("username", name);
                    fill("password", password);
                    fill("action", "login");
                }
                "consent" => fill("action", "allow"),
                // Of the example own_accounts.
                "rules" => fill("action", "accept"),
                other => return Err(format!("the provider shows the page {other:?}:\n{page}").into()),
            }
            let form = page.get(page.find("<form").ok_or("the page has no form")?..).unwrap_or_default();
            let action = resolve(&url, &attribute(form, "action").ok_or("the form has no action")?);
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            (url, response) = (action.clone(), self.send(Request::post(&action, &fields))?);
        }
        Err("the provider does not let us in: is the password right?".into())
    }

    fn send(&mut self, mut request: Request) -> Result<Response> {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        request.headers.push(("Cookie", cookies.join("; ")));
        let response = request.send()?;
        for (_, cookie) in response.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
        Ok(response)
    }
}

/// Names and values of the page's hidden inputs.
fn hidden_fields(page: &str) -> Vec<(String, String)> {
    let inputs = page.split("<input").skip(1).filter_map(|rest| rest.split('>').next());
    let hidden = inputs.filter(|input| attribute(input, "type").as_deref() == Some("hidden"));
    hidden
        .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())))
        .collect()
}

/// The first attribute of this name, unescaped.
fn attribute(html: &str, name: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    let plain =
        value.replace("&quot;", "\"").replace("&#39;", "'").replace("&#x27;", "'").replace("&#x2f;", "/");
    Some(plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// A reference as a browser resolves it (RFC 3986 section 5.2), as far as these pages need it.
fn resolve(base: &str, reference: &str) -> String {
    if reference.starts_with("http") {
        return reference.to_owned();
    }
    let origin: Vec<&str> = base.splitn(4, '/').take(3).collect();
    format!("{}{reference}", origin.join("/"))
}

/// One HTTP/1.1 request on a connection of its own.
struct Request {
    url: String,
    headers: Vec<(&'static str, String)>,
    /// `None` for a GET.
    form: Option<String>,
}

struct Response {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn get(url: &str) -> Self {
        Self { url: url.to_owned(), headers: Vec::new(), form: None }
    }

    fn post(url: &str, fields: &[(&str, &str)]) -> Self {
        Self { url: url.to_owned(), headers: Vec::new(), form: Some(form(fields)) }
    }

    fn send(self) -> Result<Response> {
        let rest = self.url.strip_prefix("http://").ok_or("this example speaks only http")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let mut stream = TcpStream::connect(authority).map_err(|error| format!("{authority}: {error}"))?;
        let method = if self.form.is_some() { "POST" } else { "GET" };
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n");
        for (name, value) in self.headers.iter().filter(|(_, value)| !value.is_empty()) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(form) = &self.form {
            text.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
            text.push_str(&format!("Content-Length: {}\r\n", form.len()));
        }
        write!(stream, "{text}\r\n{}", self.form.unwrap_or_default())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("not an HTTP response")?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status")?.parse()?;
        let pairs = lines.filter_map(|line| line.split_once(':'));
        let headers = pairs.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
        Ok(Response { status, headers, body: body.to_owned() })
    }
}

impl Response {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    fn json(&self) -> Result<Value> {
        if self.status != 200 {
            return Err(format!("the provider answered {}: {}", self.status, self.body).into());
        }
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// `application/x-www-form-urlencoded`.
fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes()
            .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect()
    };
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

fn parse_form(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.push(u8::from_str_radix(&digits, 16).unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

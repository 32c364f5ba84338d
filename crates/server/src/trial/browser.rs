//! A browser for where there is none.

use std::collections::BTreeMap;

use super::Error;
use super::message::{Request, Response, parse_form};

/// Fills in the provider's forms like a person: cookies, hidden fields, redirects.
#[derive(Default)]
pub(super) struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(super) fn sign_in(
        &mut self,
        start: &str,
        redirect_uri: &str,
        name: &str,
        password: &str,
    ) -> Result<BTreeMap<String, String>, Error> {
        let (mut url, mut response) = (start.to_owned(), self.send(Request::get(start))?);
        let mut has_signed_in = false;
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
                // The same again would count as one more guess.
                "login" if has_signed_in => {
                    return Err(
                        format!("the provider does not let {name:?} in: is the password right?").into()
                    );
                }
                "login" => {
                    has_signed_in = true;
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
        Err("the provider shows one page after another, and none of them leads back".into())
    }

    fn send(&mut self, mut request: Request) -> Result<Response, Error> {
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

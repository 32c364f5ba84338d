//! A browser for where there is none.

use std::collections::BTreeMap;

use super::message::{Request, Response, parse_form};
use super::{CLIENT_ID, Error};

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
            let shown = name_of(&page);
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
                other => return Err(unexpected(other, &page).into()),
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

/// Which page it is. One of an application's own need not say so, but asks for the password all the same.
fn name_of(page: &str) -> String {
    let asks = || page.contains("name=\"password\"").then(|| "login".to_owned());
    attribute(page, "data-page").or_else(asks).unwrap_or_default()
}

/// What to say of a page that leads no further.
fn unexpected(shown: &str, page: &str) -> String {
    format!(
        "the provider shows the page {shown:?}: {}\n\n`chancery try` comes as the client {CLIENT_ID}: at a provider of your own \
         that has to be a public client with the redirect URI http://127.0.0.1/callback, in Rust \
         `Client::native(\"{CLIENT_ID}\").redirect(\"http://127.0.0.1/callback\")`",
        words(page)
    )
}

/// What a person reads on a page: neither its head nor its scripts.
fn words(page: &str) -> String {
    let body = page.split_once("</head>").map_or(page, |(_, body)| body);
    let mut words = Vec::new();
    for part in body.split('<') {
        let (tag, text) = part.split_once('>').unwrap_or(("", part));
        if !tag.starts_with("script") && !tag.starts_with("style") {
            words.extend(text.split_whitespace());
        }
    }
    unescaped(&words.join(" "))
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
    rest.split('"').next().map(unescaped)
}

fn unescaped(html: &str) -> String {
    let plain =
        html.replace("&quot;", "\"").replace("&#39;", "'").replace("&#x27;", "'").replace("&#x2f;", "/");
    plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A reference as a browser resolves it (RFC 3986 section 5.2), as far as these pages need it.
fn resolve(base: &str, reference: &str) -> String {
    if reference.starts_with("http") {
        return reference.to_owned();
    }
    let origin: Vec<&str> = base.splitn(4, '/').take(3).collect();
    format!("{}{reference}", origin.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever tries a provider of their own reads what the page says, not its style sheet.
    #[test]
    fn a_page_that_leads_no_further_is_told_in_words() {
        let page = "<!doctype html><html><head><style>p { color: red }</style></head><body><main data-page=\"error\">\
            <h1>That did\n not work</h1><p>client &amp; all</p><script>alert(1)</script></main></html>";
        let said = unexpected(&name_of(page), page);
        assert!(
            said.starts_with("the provider shows the page \"error\": That did not work client & all\n"),
            "{said}"
        );
        assert!(said.contains("client demo"), "{said}");
        let own = "<html><form method=post><input name=\"username\"><input name=\"password\" type=\"password\"></form></html>";
        assert_eq!(name_of(own), "login");
        assert_eq!(name_of("<html>"), "");
    }
}

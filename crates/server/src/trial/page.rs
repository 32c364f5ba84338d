//! The page on which the browser ends.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;

use chancery_http::Html;
use serde_json::Value;

use super::{Error, Outcome, text};

const PAGE: &str = include_str!("page.html");

/// What the page shows of the person.
const CLAIMS: [(&str, &str); 4] =
    [("Name", "name"), ("Email", "email"), ("Username", "preferred_username"), ("Subject", "sub")];

/// Sends the page that fits what the person has done.
pub(super) fn send(stream: &mut TcpStream, outcome: &Result<Outcome, Error>) -> std::io::Result<()> {
    let page = page(outcome);
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\
         Content-Security-Policy: default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n\
         Referrer-Policy: no-referrer\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    )
}

fn page(outcome: &Result<Outcome, Error>) -> String {
    let (mark, title, text, facts) = match outcome {
        Ok(Outcome::SignedIn { userinfo, .. }) => (
            "✓",
            "You are signed in",
            "The application now knows who you are. Its tokens are in the terminal, and you can close this window."
                .to_owned(),
            facts(userinfo),
        ),
        Ok(Outcome::Declined) => (
            "–",
            "You did not allow it",
            "The application was told so and got nothing. You can close this window; to try again, start the command \
             in the terminal once more."
                .to_owned(),
            String::new(),
        ),
        Err(why) => (
            "!",
            "That did not work",
            format!("{}. The terminal says the same.", Html::escape(why.to_string().trim_end_matches('.'))),
            String::new(),
        ),
    };
    PAGE.replace("{mark}", mark).replace("{title}", title).replace("{text}", &text).replace("{facts}", &facts)
}

/// What UserInfo has said, as a list.
fn facts(userinfo: &Value) -> String {
    let mut list = String::new();
    for (label, claim) in CLAIMS {
        if let Some(value) = text(userinfo, claim) {
            let _ = write!(list, "<dt>{label}</dt><dd>{}</dd>", Html::escape(&value));
        }
    }
    format!("<dl>{list}</dl>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_page_fits_what_was_pressed_and_escapes_what_it_quotes() {
        let signed_in = |userinfo| Outcome::SignedIn { tokens: json!({}), claims: json!({}), userinfo };
        for (outcome, title, part) in [
            (
                Ok(signed_in(json!({ "sub": "1", "name": "<b>J" }))),
                "You are signed in",
                "<dd>&lt;b&gt;J</dd>",
            ),
            (Ok(Outcome::Declined), "You did not allow it", "got nothing"),
            (Err("the provider answered <x>".into()), "That did not work", "answered &lt;x&gt;."),
        ] {
            let page = page(&outcome);
            assert!(page.contains(&format!("<h1>{title}</h1>")) && page.contains(part), "{page}");
            assert!(!page.contains(['{']) || !page.contains("{text}"), "{page}");
        }
    }
}

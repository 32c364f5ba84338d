//! A page as a browser without scripts sees it: marker, form, fields, buttons.

use serde_json::Value;

use crate::Arrival;

/// A page of HTML, as far as a person can act on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtmlPage {
    /// `data-page` of `<main>`.
    pub name: String,
    /// The language of `<html>`.
    pub lang: String,
    /// Forms in the order of the page.
    pub forms: Vec<HtmlForm>,
    /// Where links lead.
    pub links: Vec<String>,
    /// What can be read, without markup.
    pub text: String,
    /// The authorization response that its script sends to another window.
    pub(super) message: Option<Arrival>,
}

/// A form of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HtmlForm {
    /// `get` or `post`.
    pub method: String,
    /// Where it goes.
    pub action: String,
    /// Name and value of its inputs, hidden ones included.
    pub fields: Vec<(String, String)>,
    /// Its buttons.
    pub buttons: Vec<Button>,
}

/// A button of a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Button {
    /// `name`; empty when it has none.
    pub name: String,
    /// `value`.
    pub value: String,
    /// What it says.
    pub label: String,
}

struct Tag<'h> {
    name: String,
    attributes: Vec<(String, String)>,
    is_end: bool,
    /// The text up to the next tag.
    text: &'h str,
}

impl HtmlPage {
    /// Reads a page; it is not a validator.
    #[must_use]
    pub fn read(html: &str) -> Self {
        let mut page = Self::default();
        let mut skipping = false;
        for tag in tags(html) {
            let attribute = |name: &str| {
                tag.attributes.iter().find(|(have, _)| have == name).map(|(_, value)| value.clone())
            };
            let text = |name: &str| attribute(name).unwrap_or_default();
            match (tag.name.as_str(), tag.is_end) {
                ("html", false) => page.lang = text("lang"),
                ("main", false) => page.name = text("data-page"),
                ("p", false) if text("id") == "message" => {
                    page.message = message(&text("data-origin"), &text("data-json"));
                }
                ("a", false) => page.links.extend(attribute("href")),
                ("form", false) => page.forms.push(HtmlForm {
                    method: attribute("method").unwrap_or_else(|| "get".to_owned()).to_ascii_lowercase(),
                    action: text("action"),
                    ..HtmlForm::default()
                }),
                // What is not ticked is not sent.
                ("input", false) if text("type") == "checkbox" && attribute("checked").is_none() => {}
                ("input", false) => {
                    if let Some(form) = page.forms.last_mut() {
                        form.fields.push((text("name"), text("value")));
                    }
                }
                ("button", false) => {
                    let label = unescape(tag.text).trim().to_owned();
                    if let Some(form) = page.forms.last_mut() {
                        form.buttons.push(Button { name: text("name"), value: text("value"), label });
                    }
                }
                // What stands in further elements of a button belongs to its label.
                (_, _) if !skipping => {
                    let button = page.forms.last_mut().and_then(|form| form.buttons.last_mut());
                    if let Some(button) = button.filter(|button| button.label.is_empty()) {
                        button.label = unescape(tag.text).trim().to_owned();
                    }
                }
                _ => {}
            }
            if matches!(tag.name.as_str(), "style" | "script" | "title") {
                skipping = !tag.is_end;
            }
            if !skipping {
                page.text.push_str(&unescape(tag.text));
                page.text.push(' ');
            }
        }
        page
    }
}

/// What the message says, if it is an authorization response.
fn message(origin: &str, json: &str) -> Option<Arrival> {
    let message: Value = serde_json::from_str(json).ok()?;
    let is_response = message["type"] == "authorization_response" && message.as_object()?.len() == 2;
    let text = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    let parameters = message["response"].as_object()?.iter().map(text).collect::<Option<_>>()?;
    is_response.then(|| Arrival { mode: "web_message", uri: origin.to_owned(), parameters })
}

/// Every tag with the text behind it.
fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut found: Vec<Tag<'_>> = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        if let Some(last) = found.last_mut() {
            last.text = &rest[..start];
        }
        rest = &rest[start + 1..];
        let mut quote = None;
        let end = rest.find(|c: char| {
            match (quote, c) {
                (Some(open), _) if c == open => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, '>') => return true,
                _ => {}
            }
            false
        });
        let Some(end) = end else { break };
        found.push(tag(&rest[..end]));
        rest = &rest[end + 1..];
        if let Some(last) = found.last_mut() {
            last.text = rest;
            // Nothing in these is markup.
            if !last.is_end && matches!(last.name.as_str(), "style" | "script") {
                rest = &rest[rest.find("</").unwrap_or(rest.len())..];
            }
        }
    }
    found
}

fn tag(inside: &str) -> Tag<'static> {
    let (is_end, inside) = inside.strip_prefix('/').map_or((false, inside), |name| (true, name));
    let (name, mut rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() || rest == "/" {
            break;
        }
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        let Some(value) = rest.strip_prefix('=') else {
            attributes.push((name, String::new()));
            continue;
        };
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_once(char::is_whitespace).unwrap_or((value, "")),
        };
        attributes.push((name, unescape(value)));
        rest = after;
    }
    Tag { name: name.trim_end_matches('/').to_ascii_lowercase(), attributes, is_end, text: "" }
}

/// Text without character references.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some((name, after)) = rest.split_once(';').filter(|(name, _)| name.len() <= 8) else {
            out.push('&');
            continue;
        };
        let number = name.strip_prefix("#x").and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let number = number.or_else(|| name.strip_prefix('#').and_then(|digits| digits.parse().ok()));
        let character = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some('\u{a0}'),
            _ => number.and_then(char::from_u32),
        };
        match character {
            Some(character) => {
                out.push(character);
                rest = after;
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read() {
        let page = HtmlPage::read(
            "<!doctype html><html lang=de><head><title>T</title><style>a>b{}</style></head><body>\
             <main data-page=\"login\"><h1>Hi &amp; welcome</h1><form method=\"POST\" action='/x?a=1&amp;b=2'>\
             <input type=hidden name=token value=\"a&quot;b\"><input name=\"username\" required>\
             <button name=\"action\" value=\"login\"><span>Sign</span> in</button>\
             <button>Go</button></form><a href=\"/on\">on</a></main></body></html>",
        );
        assert_eq!((page.name.as_str(), page.lang.as_str()), ("login", "de"));
        assert!(page.text.contains("Hi & welcome") && !page.text.contains("a>b"), "{}", page.text);
        assert_eq!(page.links, ["/on"]);
        let form = &page.forms[0];
        assert_eq!((form.method.as_str(), form.action.as_str()), ("post", "/x?a=1&b=2"));
        assert_eq!(form.fields, [("token".into(), "a\"b".into()), ("username".into(), String::new())]);
        assert_eq!(
            form.buttons[0],
            Button { name: "action".into(), value: "login".into(), label: "Sign".into() }
        );
        assert_eq!(form.buttons[1].label, "Go");
    }
}

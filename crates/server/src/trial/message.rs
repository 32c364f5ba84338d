//! HTTP as far as a client on this machine needs it.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use chancery_types::{Params, params};
use serde_json::Value;

use super::Error;

/// One HTTP/1.1 request on a connection of its own.
pub(super) struct Request {
    pub(super) url: String,
    pub(super) headers: Vec<(&'static str, String)>,
    /// `None` for a GET.
    pub(super) form: Option<String>,
}

pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Request {
    pub(super) fn get(url: &str) -> Self {
        Self { url: url.to_owned(), headers: Vec::new(), form: None }
    }

    pub(super) fn post(url: &str, fields: &[(&str, &str)]) -> Self {
        Self { url: url.to_owned(), headers: Vec::new(), form: Some(form(fields)) }
    }

    pub(super) fn send(self) -> Result<Response, Error> {
        let rest = self
            .url
            .strip_prefix("http://")
            .ok_or("only http is spoken here: the issuer has to be an http address of this machine")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let mut stream = TcpStream::connect(authority).map_err(|error| {
            format!(
                "{authority}: {error}; is a provider running there? In another terminal `chancery` starts one"
            )
        })?;
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
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn json(&self) -> Result<Value, Error> {
        if self.status != 200 {
            return Err(format!("the provider answered {}: {}", self.status, self.body).into());
        }
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// `application/x-www-form-urlencoded`.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    params::encode(fields.iter().copied())
}

/// The fields of a form; none if it is not one.
pub(super) fn parse_form(text: &str) -> BTreeMap<String, String> {
    let params = Params::parse(text).unwrap_or_default();
    params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

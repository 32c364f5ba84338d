//! An authorization request of the FAPI plans, on whichever way the variant wants: in an object or not,
//! pushed or not, answered by JARM or not.

use std::collections::BTreeMap;

use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{Answer, Arrival, AuthorizationRequest, Tab, UserAgent};
use chancery_types::params;
use serde_json::{Map, Value, json};

use super::suite::{CLIENTS, End, Plan, Shown, Suite};

/// A request, and how it is sent.
pub(crate) struct Sent<'s> {
    suite: &'s Suite,
    n: usize,
    /// Its parameters, and whatever else is in a request object.
    pub(crate) inside: Map<String, Value>,
    /// What stands beside it at the authorization endpoint.
    pub(crate) outside: Vec<(&'static str, String)>,
    /// What the client shows where it pushes the request.
    pub(crate) shown: Shown,
    /// The object itself, if it is not one of the client with all that is inside.
    pub(crate) object: Option<String>,
}

impl<'s> Sent<'s> {
    pub(crate) fn new(suite: &'s Suite, n: usize, request: &AuthorizationRequest) -> Self {
        let query = request.encode();
        let parameters = params::Params::parse(&query).expect("a query");
        let mut inside: Map<String, Value> =
            parameters.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        // RFC 9101 section 5.2 and OIDC Core section 6.1 want some of them outside as well. The second client has
        // nothing there that need not be.
        let outside = ["redirect_uri", "response_type", "scope"].into_iter();
        let outside = outside.filter(|_| n == 0 || !suite.variant.is_pushed());
        let outside = outside.filter_map(|name| Some((name, request.value(name)?.to_owned()))).collect();
        if suite.variant.is_signed() {
            let now = suite.kit.now().secs();
            let claims = json!({"iss": CLIENTS[n], "aud": suite.issuer(), "nbf": now, "exp": now + 300});
            inside.extend(claims.as_object().cloned().into_iter().flatten());
        }
        let shown = suite.authenticated(n);
        Self { suite, n, inside, outside, shown, object: None }
    }

    /// With another value inside.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.inside.insert(name.to_owned(), value.into());
        self
    }

    /// Without this inside.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.inside.remove(name);
        self
    }

    /// With this beside it at the authorization endpoint.
    pub(crate) fn beside(mut self, name: &'static str, value: &str) -> Self {
        self.outside.retain(|(have, _)| *have != name);
        self.outside.push((name, value.to_owned()));
        self
    }

    /// With the object that this makes of header and claims.
    pub(crate) fn object(mut self, make: impl FnOnce(&Value, &Value) -> String) -> Self {
        self.object = Some(make(&json!({"kid": self.suite.keys[self.n].kid()}), &self.inside.clone().into()));
        self
    }

    /// What the form at the PAR endpoint holds, beside what the client shows.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        match self.signed() {
            Some(object) => vec![("request".to_owned(), object)],
            None => self.inside.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
        }
    }

    fn signed(&self) -> Option<String> {
        if let Some(object) = &self.object {
            return Some(object.clone());
        }
        let key = &self.suite.keys[self.n];
        let claims = self.inside.clone().into();
        // One of the two clients says what the object is (RFC 9101 section 4).
        let header = [json!({"kid": key.kid()}), json!({"kid": key.kid(), "typ": "oauth-authz-req+jwt"})];
        self.suite.variant.is_signed().then(|| key.sign(&header[self.n], &claims))
    }

    /// Pushes it.
    pub(crate) fn push(&self) -> Answer {
        let mut form = self.form();
        // `client_id` is in the form once, whether it authenticates the client or not (RFC 9126 section 2.1).
        let client_id = self.shown.client_id.as_deref().unwrap_or(CLIENTS[self.n]).to_owned();
        form.retain(|(name, _)| name != "client_id");
        form.push(("client_id".to_owned(), client_id));
        let form: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.suite.post("/par", &form, &Shown { client_id: None, ..self.shown.clone() })
    }

    /// The address to which the client sends the person.
    pub(crate) fn address(&self) -> Result<String, Box<Answer>> {
        let by = match self.suite.variant.is_pushed() {
            true => {
                let pushed = self.push();
                if pushed.status != 201 {
                    return Err(Box::new(pushed));
                }
                assert!(pushed["expires_in"].as_u64().is_some_and(|seconds| seconds > 0));
                assert_eq!(pushed.header("cache-control"), Some("no-store"));
                ("request_uri", pushed.member("request_uri").to_owned())
            }
            false => ("request", self.signed().expect("a request object")),
        };
        Ok(self.suite.authorize(CLIENTS[self.n], &by, &self.outside))
    }

    /// Sends it, and goes through whatever pages come.
    pub(crate) fn end(&self) -> End {
        match self.address() {
            Ok(address) => self.end_of(&self.suite.kit.user_agent().follow_from_another_site(&address)),
            Err(answer) => End::NotPushed(*answer),
        }
    }

    /// Goes through whatever pages come in this tab.
    pub(crate) fn end_of(&self, tab: &Tab<'_, '_>) -> End {
        let mut tab = tab.clone();
        let mut pages = 0;
        loop {
            if tab.is_answered_with("code")
                || tab.is_answered_with("error")
                || tab.is_answered_with("response")
            {
                return End::Client(self.response(&tab.expect_arrival()));
            }
            pages += 1;
            assert!(pages < 5, "no end: {}", tab.answer().text());
            tab = match tab.page().name.as_str() {
                "login" => tab.login("alice"),
                "consent" => tab.allow(),
                _ => return End::Page,
            };
        }
    }

    /// What arrived at the client, as it has to look at it.
    fn response(&self, arrival: &Arrival) -> BTreeMap<String, String> {
        let (suite, client) = (self.suite, CLIENTS[self.n]);
        assert_eq!(arrival.mode, if suite.is_hybrid() { "fragment" } else { "query" });
        let query = arrival.parameters.iter().filter(|(name, _)| !name.starts_with("dummy"));
        let mut response: BTreeMap<String, String> = query.cloned().collect();
        if suite.variant.has_jarm() {
            assert_eq!(response.keys().collect::<Vec<_>>(), ["response"]);
            let jwt = suite.kit.try_verify(&response["response"], client).expect("a signed response");
            assert_eq!((jwt.header.alg, jwt.header.kid.is_some()), (Es256, true));
            assert_eq!(jwt.claims["aud"], client);
            let lives = jwt.claims["exp"].as_i64().map(|exp| exp - suite.kit.now().secs());
            assert!(lives.is_some_and(|seconds| (10..=600).contains(&seconds)), "{lives:?}");
            let members = jwt.claims.as_object().into_iter().flatten();
            response = members.map(|(name, value)| (name.clone(), text(value))).collect();
        }
        let iss = response.get("iss").map(String::as_str);
        assert!(iss == Some(suite.issuer()) || (suite.variant.plan() == Plan::Advanced && iss.is_none()));
        let state = response.get("state").map(String::as_str);
        let error = response.get("error").map_or("", String::as_str);
        // It cannot be known if it stands in what does not count.
        let may_lack = state.is_none() && ["invalid_request_object", "invalid_request_uri"].contains(&error);
        assert!(may_lack || state == self.inside.get("state").and_then(Value::as_str), "{response:?}");
        response
    }
}

/// A claim as a parameter.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Suite {
    /// An address of the authorization endpoint.
    pub(crate) fn authorize(
        &self,
        client: &str,
        (name, value): &(&'static str, String),
        outside: &[(&'static str, String)],
    ) -> String {
        let first = [("client_id", client), (*name, value.as_str())];
        let outside = outside.iter().map(|(name, value)| (*name, value.as_str()));
        format!("{}?{}", self.kit.path("/authorize"), params::encode(first.into_iter().chain(outside)))
    }

    /// Opens an address of the authorization endpoint in a browser.
    pub(crate) fn open<'u, 'k>(ua: &'u UserAgent<'k>, address: &str) -> Tab<'u, 'k> {
        ua.follow_from_another_site(address)
    }
}

//! OIDC Core sections 5.4, scope values that stand for claims, and 5.5, the `claims` parameter.
//! Config     `[claims]`
//! Discovery  claim_types_supported claims_supported claims_locales_supported claims_parameter_supported

use std::collections::{BTreeMap, BTreeSet};

use chancery_jose::ClaimsWriter;
use chancery_jose::json::{self, Object};
use chancery_types::iana::{ErrorCode, ResponseType};
use chancery_types::{AccountId, ClientId, Scope, Scopes, Timestamp, is_language_tag};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::context::Env;
use crate::error::{Complaint, Fault, Reason, Refusal};
use crate::model::{ClaimAsk, ClaimName, ClaimType, Claims, ClaimsRequest, Client, ConsentAnswer};
use crate::offered::Component;
use crate::ports::ClaimsQuery;
use crate::rule::claims_locales::preferred;

reasons! {
    /// The `claims` parameter is not a JSON object of the form that OIDC Core section 5.5 defines.
    pub MALFORMED = Reason {
        name: "claims_malformed",
        code: ErrorCode::InvalidRequest,
        description: "claims must be a JSON object whose members userinfo and id_token are requests for claims",
        section: "OIDC Core section 5.5",
    };
    /// The request has `claims` with the response type `none`.
    pub WITHOUT_TOKENS = nowhere("claims_without_tokens", "claims must not be used with response_type none");
    /// `claims` requests something of UserInfo, for which the response type gives no access token.
    pub WITHOUT_ACCESS_TOKEN = nowhere(
        "claims_without_access_token",
        "claims for userinfo must not be used with response_type id_token",
    );
}

/// What `claims` requests has no place in an answer of this response type.
const fn nowhere(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidRequest, description, section: "OIDC Core section 5.5" }
}

/// Claims about the authentication and the token rather than the person, which need no consent.
const WITHOUT_CONSENT: &[&str] = &["sub", "sid", "auth_time", "acr", "amr", "iss"];

/// The most single claims that one request may name; no honest client needs more.
const LIMIT: usize = 100;

/// `[claims]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimsConfig {
    /// The claims that each scope stands for. By default those of OIDC Core section 5.4.
    pub scopes: BTreeMap<Scope, Vec<String>>,
    /// Claims that can only be requested individually.
    pub extra: Vec<String>,
    /// The languages in which claims are there (RFC 5646), which are announced.
    pub locales: Vec<String>,
}

impl ClaimsConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        let is_wrong = |locale: &&String| !is_language_tag(locale);
        let complaint = |_| Complaint::new("claims.locales", "must be language tags", "RFC 5646 section 2.1");
        let locales = self.locales.iter().find(is_wrong).map(complaint);
        let of_scopes = self.scopes.values().flatten();
        let names = [
            ("claims.extra", self.extra.iter().collect::<Vec<_>>()),
            ("claims.scopes", of_scopes.collect::<Vec<_>>()),
        ];
        let of_names = names.into_iter().flat_map(|(setting, names)| {
            let empty = names.iter().any(|name| name.is_empty());
            let empty = empty.then(|| "must have no empty names: leave them out".to_owned());
            let own: BTreeSet<_> =
                names.into_iter().filter(|name| ClaimName::of(name).is_of_protocol()).collect();
            let own = own.into_iter().map(|name| {
                format!(
                    "\"{name}\" is a claim of the protocol, which the provider sets by itself: leave it out"
                )
            });
            let rules: Vec<String> = empty.into_iter().chain(own).collect();
            rules.into_iter().map(move |rule| Complaint::new(setting, rule, "RFC 7519 section 4"))
        });
        locales.into_iter().chain(of_names).collect()
    }
}

impl Default for ClaimsConfig {
    fn default() -> Self {
        let of = |scope: &str, claims: &[&str]| {
            Some((Scope::parse(scope).ok()?, claims.iter().map(|claim| (*claim).to_owned()).collect()))
        };
        let profile = [
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ];
        let scopes = [
            of("profile", &profile),
            of("email", &["email", "email_verified"]),
            of("address", &["address"]),
            of("phone", &["phone_number", "phone_number_verified"]),
        ];
        Self { scopes: scopes.into_iter().flatten().collect(), extra: Vec::new(), locales: Vec::new() }
    }
}

/// The known claims, and what a request means by them.
#[derive(Clone, Debug)]
pub struct ClaimsRule {
    config: ClaimsConfig,
    types: Vec<ClaimType>,
}

impl ClaimsRule {
    /// Built from the configuration.
    #[must_use]
    pub fn new(config: ClaimsConfig) -> Self {
        Self { config, types: vec![ClaimType::Normal] }
    }

    /// Besides normal claims, there are those of these types.
    #[must_use]
    pub fn with_types(mut self, types: impl IntoIterator<Item = ClaimType>) -> Self {
        for claim_type in types {
            if !self.types.contains(&claim_type) {
                self.types.push(claim_type);
            }
        }
        self
    }

    /// The scopes that stand for claims.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        self.config.scopes.keys().cloned()
    }

    /// `claims_supported`: first the claims about the authentication, then those about the person, each once.
    pub fn supported(&self) -> impl Iterator<Item = &str> {
        let of_scopes = self.config.scopes.values().flatten();
        let all =
            WITHOUT_CONSENT.iter().copied().chain(of_scopes.chain(&self.config.extra).map(String::as_str));
        let mut said = BTreeSet::new();
        all.filter(move |name| said.insert(*name))
    }

    /// Reads the `claims` parameter (OIDC Core section 5.5). Both members are optional; unknown members and
    /// unknown claims are ignored, whatever their values.
    ///
    /// # Errors
    /// [`MALFORMED`].
    pub fn parse(&self, text: &str) -> Result<ClaimsRequest, Refusal> {
        let read = || {
            json::check(text.as_bytes()).ok()?;
            let object = Object::parse(text.as_bytes()).ok()?;
            let member = |name| object.raw(name).map_or(Some(Vec::new()), |raw| self.asks(raw));
            Some(ClaimsRequest {
                userinfo: member("userinfo")?,
                id_token: member("id_token")?,
                locales: None,
            })
        };
        read().ok_or_else(|| (&MALFORMED).into())
    }

    fn asks(&self, raw: &RawValue) -> Option<Vec<ClaimAsk>> {
        let mut asks = Vec::new();
        for (name, wish) in Object::parse(raw.get().as_bytes()).ok()?.iter() {
            if self.supported().any(|known| ClaimName::of(known).claim == ClaimName::of(name).claim) {
                asks.push(ask(name, wish)?);
            }
        }
        (asks.len() <= LIMIT).then_some(asks)
    }

    /// Whether an answer of this response type leads to the claims that are requested (OIDC Core section 5.5).
    ///
    /// # Errors
    /// [`WITHOUT_TOKENS`], [`WITHOUT_ACCESS_TOKEN`].
    pub fn have_a_place(&self, request: &ClaimsRequest, of: ResponseType) -> Result<(), Refusal> {
        match of {
            ResponseType::None => WITHOUT_TOKENS.refused(),
            ResponseType::IdToken if !request.userinfo.is_empty() => WITHOUT_ACCESS_TOKEN.refused(),
            _ => Ok(()),
        }
    }

    /// The names of the claims that scopes and single requests stand for, each once.
    #[must_use]
    pub fn names<'a>(&'a self, scopes: &Scopes, asks: &'a [ClaimAsk]) -> Vec<&'a str> {
        let mut names: Vec<&str> = Vec::new();
        let of_scopes =
            scopes.iter().filter_map(|scope| self.config.scopes.get(scope)).flatten().map(String::as_str);
        for name in of_scopes.chain(asks.iter().map(|ask| &*ask.name)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// What this client may see about a person: the claims that these scopes stand for and those that are
    /// requested individually, except for what the protocol sets.
    ///
    /// An individually requested claim that has another value than requested is left out (OIDC Core section
    /// 5.5.1).
    ///
    /// # Errors
    /// A fault of the accounts.
    pub async fn about(
        &self,
        env: &Env,
        client: &ClientId,
        account: &AccountId,
        scopes: &Scopes,
        (asks, locales): (&[ClaimAsk], Option<&str>),
    ) -> Result<Claims, Fault> {
        let mut names = self.names(scopes, asks);
        // This also removes `auth_time`, which every ID token has, so that a signed UserInfo response cannot
        // pass for one.
        names.retain(|name| !ClaimName::of(name).is_of_protocol());
        if names.is_empty() {
            return Ok(Claims::default());
        }
        let query = ClaimsQuery { account, client, names: &names, locales };
        let mut claims = env.accounts.claims(&env.realm, query).await?.said(&names);
        if let Some(locales) = locales {
            claims = preferred(claims, &names, locales);
        }
        let by_scope = self.names(scopes, &[]);
        claims.retain(|name, value| {
            let covers = |asked: &str| ClaimName::of(asked).covers(ClaimName::of(name));
            by_scope.iter().any(|asked| covers(asked))
                || asks.iter().any(|ask| covers(&ask.name) && ask.is_met_by(value))
        });
        Ok(claims)
    }

    /// The individually requested claims about the person that are still undecided. A scope that includes the
    /// claim decides it, and a decision about a claim covers all its languages.
    #[must_use]
    pub fn undecided(&self, request: &ClaimsRequest, scopes: &Scopes, answer: &ConsentAnswer) -> Vec<String> {
        let by_scope = self.names(scopes, &[]);
        let mut undecided: Vec<String> = Vec::new();
        for ask in request.userinfo.iter().chain(&request.id_token) {
            let by_answer = answer.claims.iter().chain(&answer.rejected_claims).map(|name| &**name);
            let claim = ClaimName::of(&ask.name).claim;
            let is_decided =
                needs_no_consent(ask) || is_covered(ask, by_scope.iter().copied().chain(by_answer));
            if !is_decided && !undecided.iter().any(|have| have == claim) {
                undecided.push(claim.to_owned());
            }
        }
        undecided
    }

    /// Keeps only what the client is registered for: if its registration lists scopes, a single claim that
    /// belongs to a scope needs one of these scopes.
    #[must_use]
    pub fn registered(&self, mut request: ClaimsRequest, client: &Client) -> ClaimsRequest {
        let Some(scopes) = client.scopes() else { return request };
        let of_scopes = self.names(scopes, &[]);
        let is_allowed = |ask: &ClaimAsk| {
            let extra = self.config.extra.iter().map(String::as_str);
            needs_no_consent(ask) || is_covered(ask, of_scopes.iter().copied().chain(extra))
        };
        request.userinfo.retain(is_allowed);
        request.id_token.retain(is_allowed);
        request
    }

    /// Keeps only what was consented to or needs no consent.
    #[must_use]
    pub fn consented(
        &self,
        mut request: ClaimsRequest,
        scopes: &Scopes,
        answer: &ConsentAnswer,
    ) -> ClaimsRequest {
        let by_scope = self.names(scopes, &[]);
        let is_allowed = |ask: &ClaimAsk| {
            let allowed = answer.claims.iter().map(|name| &**name);
            needs_no_consent(ask) || is_covered(ask, by_scope.iter().copied().chain(allowed))
        };
        request.userinfo.retain(is_allowed);
        request.id_token.retain(is_allowed);
        request
    }
}

impl Component for ClaimsRule {
    fn announce(&self, _now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata
            .strings("claim_types_supported", self.types.iter().map(|claim_type| claim_type.as_str()))
            .strings("claims_supported", self.supported());
        if !self.config.locales.is_empty() {
            metadata.strings("claims_locales_supported", self.config.locales.iter().map(String::as_str));
        }
        metadata.boolean("claims_parameter_supported", true);
    }
}

/// Whether the claim is about the authentication or the token.
fn needs_no_consent(ask: &ClaimAsk) -> bool {
    WITHOUT_CONSENT.contains(&ClaimName::of(&ask.name).claim)
}

/// Whether one of these names covers the requested claim.
fn is_covered<'a>(ask: &ClaimAsk, mut by: impl Iterator<Item = &'a str>) -> bool {
    by.any(|name| ClaimName::of(name).covers(ClaimName::of(&ask.name)))
}

/// One member: `null`, or an object with `essential`, `value`, `values` (OIDC Core section 5.5.1).
fn ask(name: &str, wish: &RawValue) -> Option<ClaimAsk> {
    let mut ask = ClaimAsk { name: name.into(), ..ClaimAsk::default() };
    if wish.get() == "null" {
        return Some(ask);
    }
    let object = Object::parse(wish.get().as_bytes()).ok()?;
    if let Some(essential) = object.raw("essential") {
        ask.essential = serde_json::from_str(essential.get()).ok()?;
    }
    if let Some(values) = object.raw("values") {
        ask.values = serde_json::from_str(values.get()).ok()?;
    }
    if let Some(value) = object.raw("value") {
        ask.values.push(value.to_owned());
    }
    Some(ask)
}

#[cfg(test)]
mod tests {
    use chancery_seeded::Seeded;

    use super::*;

    fn rule() -> ClaimsRule {
        ClaimsRule::new(ClaimsConfig::default())
    }

    /// CLAIM-02, CLAIM-22, CLAIM-23
    #[test]
    fn the_parameter_is_read_strictly() {
        for bad in [
            "",
            "[]",
            "null",
            "{\"userinfo\":1}",
            "{\"id_token\":[]}",
            "{\"userinfo\":{\"email\":1}}",
            "{\"userinfo\":{\"email\":{\"essential\":\"yes\"}}}",
            "{\"userinfo\":{},\"userinfo\":{}}",
            "{\"id_token\":{\"acr\":{\"values\":\"x\"}}}",
        ] {
            assert_eq!(rule().parse(bad).unwrap_err().reason, &MALFORMED, "{bad}");
        }
        let odd = rule().parse("{\"userinfo\":{\"__proto__\":null,\"constructor\":{}}}").unwrap();
        assert!(odd.is_empty());
    }

    /// CLAIM-02: however many members there are, they are read once, and only so many known ones are taken.
    #[test]
    fn ten_thousand_members_are_read_or_refused() {
        let asking = |name: &dyn Fn(usize) -> String| {
            let members: Vec<String> = (0..10_000).map(|n| format!("\"{}\":null", name(n))).collect();
            format!("{{\"userinfo\":{{{}}}}}", members.join(","))
        };
        assert!(rule().parse(&asking(&|n| format!("unknown{n}"))).unwrap().is_empty());
        assert!(rule().parse(&asking(&|n| format!("email#x{n}"))).is_err());
        assert!(rule().parse(&asking(&|_| "unknown".to_owned())).is_err(), "the same one");
        let text = format!("{{\"userinfo\":{{\"x\":{}1{}}}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(rule().parse(&text).is_err(), "deeper than anybody reads");
    }

    /// 100,000 generated texts: what is read has only known claims, and their wishes are those of the text; damaged texts
    /// break nothing.
    #[test]
    fn every_request_is_read() {
        let rule = rule();
        let mut seeded = Seeded::new(1);
        let mut below = |limit: usize| seeded.below(limit);
        let names =
            ["email", "name#de", "sub", "acr", "address", "iss", "aud", "_claim_sources", "x", "", "\u{e4}"];
        let good = [
            "null",
            "{}",
            r#"{"essential":true}"#,
            r#"{"value":1}"#,
            r#"{"values":["a",null]}"#,
            r#"{"y":[]}"#,
        ];
        let bad = [
            "1",
            "[]",
            "\"a\"",
            r#"{"essential":1}"#,
            r#"{"values":{}}"#,
            r#"{"value":1,"value":2}"#,
            "{",
            "",
        ];
        let (mut read, mut refused) = (0, 0);
        for _ in 0..100_000 {
            let mut chosen: Vec<&str> = (0..below(5)).map(|_| names[below(names.len())]).collect();
            let is_repeated = below(8) == 0;
            if !is_repeated {
                chosen.sort_unstable();
                chosen.dedup();
            }
            let is_bad = below(8) == 0;
            let bad_one = below(chosen.len().max(1));
            let members: Vec<String> = chosen
                .iter()
                .enumerate()
                .map(|(at, name)| {
                    let values = if is_bad && at == bad_one { &bad[..] } else { &good[..] };
                    format!("{}:{}", serde_json::to_string(name).unwrap(), values[below(values.len())])
                })
                .collect();
            let member = ["userinfo", "id_token"][below(2)];
            let mut text = format!("{{\"{member}\":{{{}}}}}", members.join(",")).into_bytes();
            let known = |name: &str| rule.supported().any(|known| known == name.split('#').next().unwrap());
            match rule.parse(str::from_utf8(&text).unwrap()) {
                Ok(request) => {
                    let asks: Vec<&str> =
                        request.userinfo.iter().chain(&request.id_token).map(|ask| &*ask.name).collect();
                    let mut expected: Vec<&str> = chosen.iter().copied().filter(|name| known(name)).collect();
                    expected.sort_unstable();
                    assert_eq!(asks, expected, "{}", String::from_utf8_lossy(&text));
                    read += 1;
                }
                Err(_) => {
                    assert!(is_bad || is_repeated, "{}", String::from_utf8_lossy(&text));
                    refused += 1;
                }
            }
            let at = below(text.len());
            text[at] = u8::try_from(below(256)).unwrap();
            let _ = rule.parse(&String::from_utf8_lossy(&text));
        }
        assert!(read > 50_000 && refused > 5_000, "{read} {refused}");
    }

    /// CLAIM-04, CLAIM-05
    #[test]
    fn known_claims_are_kept_with_their_wishes() {
        let text = "{\"userinfo\":{\"email\":null,\"x\":null},\"id_token\":{\"acr\":{\"essential\":true,\"values\":[\"a\",\"b\"]}}}";
        let request = rule().parse(text).unwrap();
        assert_eq!(rule().names(&Scopes::default(), &request.userinfo), ["email"]);
        let acr = request.of_id_token("acr").unwrap();
        assert!(acr.essential);
        assert_eq!(acr.strings().collect::<Vec<_>>(), ["a", "b"]);
    }

    /// CLAIM-06, POL-20
    #[test]
    fn only_claims_about_the_person_need_consent() {
        let text =
            "{\"userinfo\":{\"email\":null,\"sub\":null,\"name\":null},\"id_token\":{\"auth_time\":null}}";
        let request = rule().parse(text).unwrap();
        let scopes = Scopes::parse("openid email").unwrap();
        let mut answer = ConsentAnswer::default();
        assert_eq!(rule().undecided(&request, &scopes, &answer), ["name"]);
        assert!(
            !rule()
                .consented(request.clone(), &scopes, &answer)
                .userinfo
                .iter()
                .any(|ask| &*ask.name == "name")
        );
        answer.claims.push("name".into());
        assert!(rule().undecided(&request, &scopes, &answer).is_empty());
        assert_eq!(rule().consented(request, &scopes, &answer).userinfo.len(), 3);
    }
}

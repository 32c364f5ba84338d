//! What is asked for: the list of checks that every request passes, by whatever door it comes.

use chancery_types::iana::ResponseType;
use chancery_types::{Params, Scope, Scopes};

use super::response::Carried;
use super::validated::{
    DPOP_JKT_MALFORMED, ID_TOKEN_HINT_INVALID, MAX_AGE_MALFORMED, NONCE_MISSING, OPENID_MISSING,
    OPENID_MISSING_FOR_ID_TOKEN, PROMPT_NONE_COMBINED, PROMPT_UNSUPPORTED, REGISTRATION_UNSUPPORTED,
    REQUEST_TOO_LONG, REQUEST_UNSUPPORTED, REQUEST_URI_UNSUPPORTED, RESPONSE_TYPE_MISSING,
    RESPONSE_TYPE_UNREGISTERED, RESPONSE_TYPE_UNSUPPORTED, RESPONSE_UNSIGNED, Rules, STATE_MISSING,
    SUBJECT_IMPOSSIBLE, TOO_LONG,
};
use crate::error::{MALFORMED_PARAMETER, Refusal};
use crate::model::{
    Access, Acr, AuthorizationDetail, ClaimsRequest, Client, OwnParameters, PromptName, Thumbprint,
    TokenBinding,
};
use crate::offered::Offered;
use crate::past_login::PastLogin;
use crate::policy::{PromptOrder, RequestView};
use crate::rule::authorization_details::AUTHORIZATION_DETAILS;
use crate::rule::pkce::CodeChallenge;
use crate::rule::resource::{RESOURCE, RESOURCE_AMBIGUOUS, Requested};

/// By which door a request comes: the columns of the list of checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The authorization endpoint (RFC 6749 section 3.1).
    Authorization,
    /// The authorization endpoint, for a request that was pushed before (RFC 9126 section 4).
    Pushed,
    /// The device authorization endpoint (RFC 8628 section 3.1).
    Device,
    /// The backchannel authentication endpoint (CIBA Core section 7.1).
    Backchannel,
}

impl Door {
    /// Whether a browser carries the answer to a redirect URI.
    fn is_redirected(self) -> bool {
        matches!(self, Self::Authorization | Self::Pushed)
    }
}

/// The checks, in this order, and which doors ask for them; cheap before dear, pure over the snapshot and
/// what `address` has loaded. Their reasons stand in `validated.rs`.
pub(super) fn asked(
    params: &Params<'_>,
    client: &Client,
    resources: &Result<Requested, Refusal>,
    door: Door,
    rules: &Rules,
) -> Result<Asked, Refusal> {
    let demands = client.demands(&rules.offered.floor);
    sent_once(params)?;
    supported(params)?;
    // Its own error code goes before that of a request which is too long because of it.
    let details = params.one(AUTHORIZATION_DETAILS)?;
    rules.details.is_short(details)?;
    if !params.encodes_within(LONGEST_REQUEST) {
        return REQUEST_TOO_LONG.refused();
    }
    let response_type = match door {
        // The answer goes to a redirect URI, so that the request says of which type it is, and how it goes.
        Door::Authorization | Door::Pushed => {
            let carried = Carried::asked(params, client, &rules.offered)?;
            // A client that pushes its requests authenticates, unless it is public. A provider on loopback is in development.
            let is_told = door == Door::Pushed && !client.is_public() || !rules.issuer.is_https();
            response_type(params, client, carried, &rules.offered, is_told)?
        }
        // What the client gets is exchanged for tokens, as a code is.
        Door::Device | Door::Backchannel => ResponseType::Code,
    };
    let prompts = prompts(params, &rules.prompts)?;
    let (state, nonce) = (params.one("state")?, params.one("nonce")?);
    if state.into_iter().chain(nonce).any(|text| text.len() > LONGEST) {
        return TOO_LONG.refused();
    }
    if response_type.has_id_token() && nonce.is_none() {
        return NONCE_MISSING.refused();
    }
    let resources = resources.as_ref().map_err(Clone::clone)?;
    // RFC 8707 section 2.1: what the request names is applicable to the access token of its response.
    if response_type.has_token() && resources.servers.len() > 1 {
        return RESOURCE_AMBIGUOUS.refused();
    }
    let mut scopes = rules.scope.asked(params.one("scope")?, client, &resources.servers)?;
    if !response_type.has_code() {
        // OIDC Core section 11: nothing else leads to a refresh token, so that nobody is asked about it.
        scopes = scopes.withholding(|scope| scope.as_str() == Scope::OFFLINE_ACCESS);
    }
    let is_openid = scopes.known.contains(Scope::OPENID);
    // These tie an answer to the browser that brings it.
    if door.is_redirected() && is_openid && nonce.is_none() && demands.nonce.is_some() {
        return NONCE_MISSING.refused();
    }
    if door.is_redirected() && !is_openid && state.is_none() && demands.state.is_some() {
        return STATE_MISSING.refused();
    }
    if response_type.has_id_token() && !is_openid {
        return OPENID_MISSING_FOR_ID_TOKEN.refused();
    }
    if !is_openid && OPENID_ONLY.iter().any(|name| params.has(name)) {
        return OPENID_MISSING.refused();
    }
    let details = rules.details.asked_for(response_type, details, client)?;
    let resources = resources.clone().meant_by(&scopes.known);
    // Access to a resource server can be asked for without a scope, but not with a misspelt one.
    let is_for_resource_alone = !resources.servers.is_empty() && scopes.unknown.is_empty();
    if scopes.known.is_empty() && !is_for_resource_alone && details.is_empty() {
        return scopes.why_nothing().refused();
    }
    let (challenge, method) = (params.one("code_challenge")?, params.one("code_challenge_method")?);
    let code_challenge = match response_type.has_code() && door.is_redirected() {
        true => {
            let demanded = demands.pkce.or(demands.pkce_if_pushed.filter(|_| door == Door::Pushed));
            rules.pkce.challenge(challenge, method, client, demanded)?
        }
        // There is nothing to protect.
        false => None,
    };
    let code_binding = match params.one("dpop_jkt")?.filter(|_| rules.offered.has_dpop()) {
        Some(text) => TokenBinding::Key(Thumbprint::parse(text).ok_or(&DPOP_JKT_MALFORMED)?),
        None => TokenBinding::None,
    };
    let max_age =
        max_age(params.one("max_age")?)?.or(client.metadata().openid.default_max_age.filter(|_| is_openid));
    let claims =
        params.one("claims")?.map_or(Ok(ClaimsRequest::default()), |text| rules.claims.parse(text))?;
    if params.has("claims") {
        rules.claims.have_a_place(&claims, response_type)?;
    }
    let mut claims = rules.claims.registered(claims, client);
    rules.policy.claims_request(&claims, client)?;
    claims.locales = params.one("claims_locales")?.map(Box::from);
    let acr_values = acr_values(params.one("acr_values")?, client, is_openid);
    let hinted =
        params.one("id_token_hint")?.map(|token| hinted_subject(token, client, rules)).transpose()?;

    let nonce = nonce.map(Box::from);
    let login_hint = params.one("login_hint")?.map(Box::from);
    let ui_locales = params.one("ui_locales")?.map(Box::from);
    let expected = expected_subjects(hinted, &claims)?;
    let asked = Asked {
        response_type,
        scopes: scopes.known,
        ignored: scopes.unknown,
        withheld: scopes.withheld,
        resources,
        details,
        claims,
        prompts,
        max_age,
        acr_values,
        nonce,
        code_challenge,
        code_binding,
        expected,
        login_hint,
        ui_locales,
        own: rules.resolver.recognised().own(params),
    };
    rules.policy.check(asked.view(client))?;
    Ok(asked)
}

/// What `prompt` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prompts {
    /// Show these pages. Often empty.
    Asked(Vec<PromptName>),
    /// Show no page: `none`, which cannot be combined.
    Silent,
}

/// What an authorization request asks for.
pub struct Asked {
    /// What the answer consists of.
    pub response_type: ResponseType,
    /// Scopes that are known here, in the order asked for.
    pub scopes: Scopes,
    /// Scopes that nobody knows.
    pub ignored: Scopes,
    /// Scopes that are known here, and of which the client can have no use.
    pub withheld: Scopes,
    /// The resource servers that access is asked for; none when all scopes are this server's own.
    pub resources: Requested,
    /// The authorization details, each as its type allows it (RFC 9396 section 3).
    pub details: Vec<AuthorizationDetail>,
    /// Single claims (OIDC Core section 5.5).
    pub claims: ClaimsRequest,
    /// Which pages to show.
    pub prompts: Prompts,
    /// How old the authentication may be, in seconds: the request's, else the client's.
    pub max_age: Option<u64>,
    /// Authentication context classes, best first: the request's, else the client's.
    pub acr_values: Vec<Acr>,
    /// To be repeated in the ID token.
    pub nonce: Option<Box<str>>,
    /// PKCE.
    pub code_challenge: Option<CodeChallenge>,
    /// Who may exchange the code (RFC 9449 section 10).
    pub code_binding: TokenBinding,
    /// Whom the client expects, any of these: `sub` of `id_token_hint`, or of `claims`. Empty where it may be
    /// anybody.
    pub expected: Vec<Box<str>>,
    /// What the person may have typed at the client.
    pub login_hint: Option<Box<str>>,
    /// In which languages to show pages, best first.
    pub ui_locales: Option<Box<str>>,
    /// The parameters that mean something to the application.
    pub own: OwnParameters,
}

impl Asked {
    /// The scopes, told apart by who gives them their meaning.
    #[must_use]
    pub fn access(&self) -> Access {
        Access::of(&self.scopes, &self.resources.servers)
    }

    /// As an application's policy sees it.
    #[must_use]
    pub fn view<'a>(&'a self, client: &'a Client) -> RequestView<'a> {
        RequestView {
            client,
            scopes: &self.scopes,
            resources: &self.resources.servers,
            details: &self.details,
            claims: &self.claims,
            acr_values: &self.acr_values,
            prompts: match &self.prompts {
                Prompts::Asked(prompts) => prompts,
                Prompts::Silent => &[],
            },
            parameters: &self.own,
        }
    }
}

/// Parameters that mean something only in an OpenID Connect request (OIDC Core section 3.1.2.1).
const OPENID_ONLY: &[&str] = &["acr_values", "claims", "claims_locales", "id_token_hint", "max_age", "nonce"];

/// The value of `prompt` that wants no page.
pub(crate) const NO_PROMPT: &str = "none";

/// Longest `nonce`, in bytes; the same as for `state`.
const LONGEST: usize = super::addressed::LONGEST_STATE;

/// Longest request, form-encoded, in bytes: its page's form has to fit the limit of a body even when it is
/// encoded again.
const LONGEST_REQUEST: usize = 16 * 1024;

/// RFC 6749 section 3.1: parameters must not be included more than once, but for `resource` (RFC 8707 section 2).
fn sent_once(params: &Params<'_>) -> Result<(), Refusal> {
    let mut names: Vec<&str> = Vec::with_capacity(16);
    for (name, _) in params.iter().filter(|(name, _)| *name != RESOURCE) {
        if names.contains(&name) {
            return MALFORMED_PARAMETER.refused();
        }
        names.push(name);
    }
    Ok(())
}

/// OIDC Core sections 6.1, 6.2 and 7.2.1: what is not supported is refused by name.
fn supported(params: &Params<'_>) -> Result<(), Refusal> {
    let refused = [
        ("request", &REQUEST_UNSUPPORTED),
        ("request_uri", &REQUEST_URI_UNSUPPORTED),
        ("registration", &REGISTRATION_UNSUPPORTED),
    ];
    refused.into_iter().find(|(name, _)| params.has(name)).map_or(Ok(()), |(_, reason)| Err(reason.into()))
}

/// The response type, if the client is registered for it. Who `is_told` gets to know for which it is otherwise.
fn response_type(
    params: &Params<'_>,
    client: &Client,
    carried: Carried,
    offered: &Offered,
    is_told: bool,
) -> Result<ResponseType, Refusal> {
    let asked = params.one("response_type")?.ok_or(&RESPONSE_TYPE_MISSING)?;
    let names = |types: &[ResponseType]| types.iter().map(|value| value.as_str()).collect::<Vec<_>>();
    let response_type = offered
        .response_type(asked)
        .ok_or_else(|| RESPONSE_TYPE_UNSUPPORTED.unlike(names(&offered.response_types).into_iter()))?;
    let registered = &client.metadata().flow.response_types;
    // What no client may have is refused as such, whatever this one is registered for.
    match client.demands(&offered.floor).forbids_response(response_type, carried.is_jwt) {
        _ if registered.contains(&response_type) => Ok(response_type),
        Some(_) => RESPONSE_UNSIGNED.refused(),
        None if is_told => Err(RESPONSE_TYPE_UNREGISTERED.unlike_registered(names(registered).into_iter())),
        None => RESPONSE_TYPE_UNREGISTERED.refused(),
    }
}

fn prompts(params: &Params<'_>, known: &PromptOrder) -> Result<Prompts, Refusal> {
    let (mut asked, mut is_silent) = (Vec::new(), false);
    for word in params.one("prompt")?.unwrap_or("").split(' ').filter(|word| !word.is_empty()) {
        if word == NO_PROMPT {
            is_silent = true;
            continue;
        }
        let prompt = known.named(word).ok_or(&PROMPT_UNSUPPORTED)?;
        if !asked.contains(prompt) {
            asked.push(prompt.clone());
        }
    }
    match (is_silent, asked.is_empty()) {
        (true, true) => Ok(Prompts::Silent),
        (true, false) => PROMPT_NONE_COMBINED.refused(),
        (false, _) => Ok(Prompts::Asked(asked)),
    }
}

/// A non-negative number of seconds in decimal digits.
fn max_age(text: Option<&str>) -> Result<Option<u64>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let is_decimal = text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_decimal).map(Some).ok_or_else(|| (&MAX_AGE_MALFORMED).into())
}

fn acr_values(text: Option<&str>, client: &Client, is_openid: bool) -> Vec<Acr> {
    match text {
        Some(text) => text.split(' ').filter(|word| !word.is_empty()).map(|word| Acr(word.into())).collect(),
        None if is_openid => client.metadata().openid.default_acr_values.clone(),
        None => Vec::new(),
    }
}

/// Whom the client expects. When `claims` asks for certain values of `sub`, nobody else may be the answer (OIDC
/// Core section 5.5.1), so a request that nobody can meet is refused.
fn expected_subjects(hinted: Option<Box<str>>, claims: &ClaimsRequest) -> Result<Vec<Box<str>>, Refusal> {
    let mut expected = hinted.map(|subject| vec![subject]);
    let asks = claims.id_token.iter().chain(&claims.userinfo);
    for ask in asks.filter(|ask| &*ask.name == "sub" && !ask.values.is_empty()) {
        let mut named: Vec<_> = ask.strings().map(String::into_boxed_str).collect();
        named.retain(|subject| expected.as_ref().is_none_or(|some| some.contains(subject)));
        expected = Some(named);
    }
    match expected {
        Some(nobody) if nobody.is_empty() => SUBJECT_IMPOSSIBLE.refused(),
        expected => Ok(expected.unwrap_or_default()),
    }
}

/// Whom an ID token names that this server issued to the client.
fn hinted_subject(token: &str, client: &Client, rules: &Rules) -> Result<Box<str>, Refusal> {
    let login = PastLogin::read(token, client, &rules.keys, &rules.issuer);
    login.map(|login| login.subject).ok_or_else(|| (&ID_TOKEN_HINT_INVALID).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::DefaultAuthorizationPolicy;

    /// AUTHZ-33: unlike the reference, decimal digits only.
    #[test]
    fn max_age_is_decimal_digits() {
        assert_eq!(max_age(Some("0")), Ok(Some(0)));
        assert_eq!(max_age(Some("3600")), Ok(Some(3600)));
        for bad in ["-1", "+1", "1.5", "0x10", " 1", "1e3", "9999999999999999"] {
            assert!(max_age(Some(bad)).is_err(), "{bad}");
        }
    }

    /// AUTHZ-31, AUTHZ-32
    #[test]
    fn none_stands_alone() {
        let known = PromptOrder::of(&DefaultAuthorizationPolicy, false);
        let prompts = |text| prompts(&Params::parse(text).unwrap(), &known);
        assert_eq!(prompts("prompt=none"), Ok(Prompts::Silent));
        assert_eq!(prompts("prompt=login+login"), Ok(Prompts::Asked(vec![PromptName::Login])));
        assert_eq!(prompts("prompt=none+login").unwrap_err().reason, &PROMPT_NONE_COMBINED);
        assert_eq!(prompts("prompt=create").unwrap_err().reason, &PROMPT_UNSUPPORTED);
    }
}

//! The authorization response (RFC 6749 section 4.1.2, OAuth 2.0 Multiple Response Types section 2.1, OAuth
//! 2.0 Form Post Response Mode section 2, draft-sakimura-oauth-wmrm section 5.2).

use chancery_core::interaction::PostLogoutTarget;
use chancery_core::request::AuthorizationResponse;
use chancery_types::iana::ResponseEncoding;
use chancery_types::params;

use crate::pages::{FormMarkup, MessageMarkup};

/// How the response reaches the client.
pub(crate) enum Encoded {
    /// 303 to this address.
    Redirect(String),
    /// A page whose form the browser posts to the client.
    FormPost(FormMarkup),
    /// A page that sends a message to the window of the client.
    WebMessage(MessageMarkup),
}

/// Writes the response in its mode.
pub(crate) fn authorization_response(response: &AuthorizationResponse) -> Encoded {
    let uri = response.uri().as_str();
    let in_fragment = |parameters: Vec<(&str, &str)>| {
        Encoded::Redirect(format!("{uri}#{}", params::encode(parameters.into_iter())))
    };
    let parameters: Vec<(&str, &str)> = response.parameters().collect();
    match response.encoding() {
        ResponseEncoding::Query => Encoded::Redirect(in_query(uri, &parameters)),
        // A redirect URI has no fragment of its own (RFC 6749 section 3.1.2).
        ResponseEncoding::Fragment => in_fragment(parameters),
        ResponseEncoding::FormPost => Encoded::FormPost(FormMarkup {
            action: uri.to_owned(),
            fields: parameters.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }),
        ResponseEncoding::WebMessage => match response.uri().origin() {
            Some(origin) => Encoded::WebMessage(MessageMarkup::new(origin, &parameters)),
            None => in_fragment(parameters),
        },
    }
}

/// The address of a client after a logout, with nothing but the `state` of the request (OIDC RP-Initiated
/// Logout section 3).
pub(crate) fn post_logout_address(target: &PostLogoutTarget) -> String {
    let uri = target.uri.as_str();
    target.state.as_deref().map_or_else(|| uri.to_owned(), |state| in_query(uri, &[("state", state)]))
}

/// The redirect URI keeps its query (RFC 6749 section 3.1.2), except for parameters that the response has,
/// too, because a client must not get a parameter twice.
pub(crate) fn in_query(uri: &str, parameters: &[(&str, &str)]) -> String {
    let (base, query) = uri.split_once('?').unwrap_or((uri, ""));
    let is_ours = |pair: &str| {
        let name = params::Params::parse(pair).ok();
        name.is_some_and(|pair| pair.iter().any(|(have, _)| parameters.iter().any(|(name, _)| *name == have)))
    };
    let mut address = format!("{base}?");
    for pair in query.split('&').filter(|pair| !pair.is_empty() && !is_ours(pair)) {
        address.push_str(pair);
        address.push('&');
    }
    address.push_str(&params::encode(parameters.iter().copied()));
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RMODE-06
    #[test]
    fn the_query_of_the_redirect_uri_is_kept_byte_for_byte() {
        let response = [("code", "a b"), ("iss", "https://id.example")];
        let expect = "code=a+b&iss=https%3A%2F%2Fid.example";
        assert_eq!(in_query("https://c.example/cb", &response), format!("https://c.example/cb?{expect}"));
        assert_eq!(
            in_query("https://c.example/cb?x=%c3%a4&y", &response),
            format!("https://c.example/cb?x=%c3%a4&y&{expect}")
        );
        assert_eq!(in_query("https://c.example/cb?", &response), format!("https://c.example/cb?{expect}"));
        assert_eq!(in_query("app.example:/cb", &response), format!("app.example:/cb?{expect}"));
    }

    #[test]
    fn a_parameter_of_the_response_is_there_once() {
        let response = [("code", "1")];
        assert_eq!(
            in_query("https://c.example/?code=0&c%6fde=2&x=1", &response),
            "https://c.example/?x=1&code=1"
        );
    }
}

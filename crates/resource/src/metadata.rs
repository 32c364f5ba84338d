//! RFC 9728, OAuth 2.0 Protected Resource Metadata: sections 2 and 3.
//! Config     none
//! Discovery  none

use bytes::Bytes;
use chancery_core::rule::dpop::DpopConfig;
use chancery_jose::ClaimsWriter;
use chancery_types::{Issuer, ResourceUri, Scopes};
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};

use crate::NotProtected;

/// Where metadata is, before the path of the resource (section 3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata of a resource, made once.
pub(crate) struct Metadata {
    /// Scheme, host and port of the resource.
    pub(crate) origin: Box<str>,
    /// The path of the metadata.
    pub(crate) path: Box<str>,
    /// Its URL.
    pub(crate) url: Box<str>,
    body: Bytes,
}

/// What stands in it, beside the identifier.
pub(crate) struct Told<'a> {
    pub(crate) issuer: &'a Issuer,
    pub(crate) scopes: &'a Scopes,
    pub(crate) name: Option<&'a str>,
    pub(crate) dpop: &'a DpopConfig,
}

impl Metadata {
    /// The metadata of this resource.
    ///
    /// # Errors
    /// If it has no address that a client could derive from its identifier (section 1.2).
    pub(crate) fn new(resource: &ResourceUri, told: &Told<'_>) -> Result<Self, NotProtected> {
        let uri = resource.as_str();
        let without_slash = uri.strip_suffix('/').unwrap_or(uri);
        // An address of the same kind as an issuer's: https, or http on this machine, without query and fragment.
        let base = NotProtected::unless_address("the resource", without_slash)?;
        // Section 3.1: a slash that terminates the identifier behind the host is removed; any other stays.
        let path = match base.path() {
            "" => WELL_KNOWN.to_owned(),
            _ => format!("{WELL_KNOWN}{}", uri.strip_prefix(base.origin()).unwrap_or_default()),
        };
        let mut members = ClaimsWriter::new();
        members
            .string("resource", uri)
            .strings("authorization_servers", [told.issuer.as_str()])
            .strings("bearer_methods_supported", ["header"])
            .string_if("resource_name", told.name);
        if !told.scopes.is_empty() {
            members.strings("scopes_supported", told.scopes.iter().map(|scope| scope.as_str()));
        }
        if told.dpop.offered {
            let names = told.dpop.algorithms.iter().map(|alg| alg.name());
            members.strings("dpop_signing_alg_values_supported", names);
        }
        Ok(Self {
            origin: base.origin().into(),
            url: format!("{}{path}", base.origin()).into(),
            path: path.into(),
            body: members.finish().into(),
        })
    }

    /// The answer to a request for it. Scripts of every origin may read it, because anybody may.
    pub(crate) fn answer<B: From<Bytes>>(&self, method: &Method) -> Response<B> {
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let body = if *method == Method::GET { self.body.clone() } else { Bytes::new() };
        let mut answer = Response::new(B::from(body));
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if is_read {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
        } else {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            *answer.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        answer
    }
}

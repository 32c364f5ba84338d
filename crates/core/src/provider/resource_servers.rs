//! What may be said about resource servers by themselves, whoever has configured them.

use std::borrow::Borrow;
use std::time::Duration;

use chancery_jose::SigningAlgorithm;
use chancery_types::Issuer;

use crate::config::Config;
use crate::duration;
use crate::error::Complaint;
use crate::model::{ResourceServer, TokenFormat};
use crate::rule::claims::ClaimsRule;
use crate::rule::scope::ScopeRule;

const SECTION: &str = "resource_server";

/// Complains about scopes that also belong to the authorization server, so that a scope decides whom a token
/// is for.
#[must_use]
pub fn ambiguous<S: Borrow<ResourceServer>>(servers: &[S], engine: &Config) -> Vec<Complaint> {
    let rule = ScopeRule::new(&engine.scopes, ClaimsRule::new(engine.claims.clone()).scopes());
    let mut complaints = Vec::new();
    for server in servers.iter().map(Borrow::borrow) {
        for scope in server.scopes.iter().filter(|scope| rule.supported().contains(scope.as_str())) {
            let rule = format!(
                "{}: scope {scope} belongs to the authorization server itself: take it out here, or out of scopes.extra or claims.scopes",
                server.uri.as_str()
            );
            complaints.push(Complaint::new(SECTION, rule, "RFC 9068 section 5"));
        }
    }
    complaints
}

/// Complains about JWTs that the profile of the server does not permit to sign like that.
#[must_use]
pub fn forbidden<S: Borrow<ResourceServer>>(servers: &[S], engine: &Config) -> Vec<Complaint> {
    let demands = engine.profile.demands();
    let jwts = servers
        .iter()
        .map(Borrow::borrow)
        .filter(|server: &&ResourceServer| server.format == TokenFormat::Jwt);
    let complaint = |server: &ResourceServer| {
        let section = demands.algorithms.forbids(&server.alg)?;
        let rule = format!("{}: alg must not be {}", server.uri.as_str(), server.alg.name());
        Some(Complaint::new(SECTION, rule, section))
    };
    jwts.filter_map(complaint).collect()
}

/// Complains about JWTs that no key can sign.
#[must_use]
pub fn unsigned<S: Borrow<ResourceServer>>(
    servers: &[S],
    has_key: impl Fn(SigningAlgorithm) -> bool,
) -> Vec<Complaint> {
    let is_signed =
        |server: &&ResourceServer| server.format == TokenFormat::Jwt && !server.alg.is_symmetric();
    let jwts = servers.iter().map(Borrow::borrow).filter(is_signed);
    let complaint = |server: &ResourceServer| {
        let rule = format!("{}: {}", server.uri.as_str(), no_key(server.alg));
        Complaint::new(SECTION, rule, "RFC 9068 section 2.1")
    };
    jwts.filter(|server| !has_key(server.alg)).map(complaint).collect()
}

/// What is said of an algorithm that something is to be signed with and that has no key.
pub(super) fn no_key(alg: SigningAlgorithm) -> String {
    format!(
        "there is no key for {alg}: `chancery keys add {alg}` makes one, as `MemoryKeys::generate` and `SealedKeys::begin` do in \
         a program; or name another algorithm"
    )
}

/// Complains about everything else that can be said without the rest of the configuration.
#[must_use]
pub fn complaints<S: Borrow<ResourceServer>>(servers: &[S], issuer: Option<&Issuer>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (at, server) in servers.iter().map(Borrow::borrow).enumerate() {
        let mut complain = |rule: String, section: &'static str| {
            complaints.push(Complaint::new(SECTION, format!("{}: {rule}", server.uri.as_str()), section));
        };
        let mut before = servers.iter().map(Borrow::borrow).take(at);
        if let Some(first) = before.position(|before: &ResourceServer| before.uri == server.uri) {
            let rule = format!(
                "is the uri of two resource servers, number {} and number {}: put them together, or take one of them out",
                first + 1,
                at + 1
            );
            complain(rule, "docs/configuration.md");
        }
        if issuer.is_some_and(|issuer| issuer.as_str() == server.uri.as_str()) {
            let rule = "uri must not be the issuer, which stands for UserInfo: give it one of its own";
            complain(rule.to_owned(), "RFC 9068 section 5");
        }
        if let Some(name) = server.name.as_deref().filter(|name| name.trim().is_empty()) {
            complain(
                format!("name must not be empty; it is {name:?}: leave it out for none"),
                "docs/configuration.md",
            );
        }
        if let Some(lifetime) = server.lifetime.filter(|lifetime| *lifetime < Duration::from_secs(1)) {
            let rule = format!("lifetime must be at least 1s; it is \"{}\"", duration::format(lifetime));
            complain(rule, "RFC 6749 section 5.1");
        }
        if server.format == TokenFormat::Opaque && server.encryption.is_some() {
            let rule = "encryption needs format = \"jwt\": nobody can read an opaque token";
            complain(rule.to_owned(), "RFC 9068");
        }
        if server.format == TokenFormat::Jwt && server.alg.is_symmetric() {
            let rule = format!(
                "alg must be one with a public key, such as RS256, PS256, ES256 or EdDSA, because those who verify must not be able to \
                 sign; it is {}",
                server.alg
            );
            complain(rule, "RFC 9068 section 4");
        }
    }
    complaints
}

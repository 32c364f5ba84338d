//! Which path is which endpoint. Paths match byte for byte.

use chancery_core::discovery::Routes;
use chancery_core::event::Endpoint;
use chancery_types::Issuer;
use http::Method;

/// An endpoint as a path names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'p> {
    /// The authorization endpoint.
    Authorization,
    /// Where the form of a first page is posted.
    FirstForm,
    /// A stored interaction, by its handle.
    Interaction(&'p str),
    /// The token endpoint.
    Token,
    /// UserInfo.
    UserInfo,
    /// The introspection endpoint.
    Introspection,
    /// The revocation endpoint.
    Revocation,
    /// The JWK set.
    Jwks,
    /// The metadata, under any of its well-known paths.
    Discovery,
}

impl Route<'_> {
    /// Methods in the order of `Allow`. HEAD is there only where GET changes nothing; OPTIONS only where another origin's
    /// script may ask (CORS).
    pub(crate) const fn methods(self) -> &'static [Method] {
        match self {
            Self::Authorization => &[Method::GET, Method::POST],
            Self::Interaction(_) => &[Method::GET, Method::POST],
            Self::FirstForm => &[Method::POST],
            Self::Token | Self::Introspection | Self::Revocation => &[Method::POST, Method::OPTIONS],
            Self::UserInfo => &[Method::GET, Method::HEAD, Method::POST, Method::OPTIONS],
            Self::Jwks | Self::Discovery => &[Method::GET, Method::HEAD, Method::OPTIONS],
        }
    }

    /// As events name it.
    pub(crate) const fn endpoint(self) -> Endpoint {
        match self {
            Self::Authorization => Endpoint::Authorization,
            Self::FirstForm | Self::Interaction(_) => Endpoint::Interaction,
            Self::Token => Endpoint::Token,
            Self::UserInfo => Endpoint::UserInfo,
            Self::Introspection => Endpoint::Introspection,
            Self::Revocation => Endpoint::Revocation,
            Self::Jwks | Self::Discovery => Endpoint::Metadata,
        }
    }
}

/// The paths of this provider.
pub(crate) struct RouteTable {
    /// What may stand before a route: the issuer's path, the mount path, and nothing, because some frameworks strip the
    /// prefix and some do not.
    prefixes: Vec<Box<str>>,
    paths: Vec<(Box<str>, Route<'static>)>,
    interaction: Box<str>,
    /// Paths that are matched whole: the issuer's path inserted behind the well-known one (RFC 8414 section 3.1).
    inserted: Vec<Box<str>>,
}

/// OIDC Discovery section 4, RFC 8414 section 3.
const WELL_KNOWN: [&str; 2] = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

impl RouteTable {
    /// The paths of an issuer as configured, each below the issuer's path or the mount path.
    pub(crate) fn new(issuer: &Issuer, mount: &str, configured: &Routes) -> Self {
        let mut prefixes: Vec<Box<str>> = vec![mount.trim_end_matches('/').into(), issuer.path().into(), "".into()];
        prefixes.dedup();
        let well_known = WELL_KNOWN.iter().map(|path| ((*path).into(), Route::Discovery));
        let configured_paths = [
            (&configured.authorization, Route::Authorization),
            (&configured.token, Route::Token),
            (&configured.userinfo, Route::UserInfo),
            (&configured.introspection, Route::Introspection),
            (&configured.revocation, Route::Revocation),
            (&configured.jwks, Route::Jwks),
        ];
        let paths = configured_paths.into_iter().map(|(path, route)| (path.as_str().into(), route));
        let inserted = WELL_KNOWN.iter().map(|path| format!("{path}{}", issuer.path()).into()).collect();
        Self {
            prefixes,
            paths: paths.chain(well_known).collect(),
            interaction: configured.interaction.as_str().into(),
            inserted,
        }
    }

    /// The endpoint of a request's path.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Option<Route<'p>> {
        if self.inserted.iter().any(|whole| **whole == *path) {
            return Some(Route::Discovery);
        }
        self.prefixes.iter().find_map(|prefix| self.below(path.strip_prefix(&**prefix)?))
    }

    fn below<'p>(&self, path: &'p str) -> Option<Route<'p>> {
        if let Some((_, route)) = self.paths.iter().find(|(have, _)| **have == *path) {
            return Some(*route);
        }
        let rest = path.strip_prefix(&*self.interaction)?;
        match rest.strip_prefix('/') {
            None => rest.is_empty().then_some(Route::FirstForm),
            Some(handle) => (!handle.is_empty() && !handle.contains('/')).then_some(Route::Interaction(handle)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(issuer: &str, mount: &str) -> RouteTable {
        RouteTable::new(&Issuer::parse(issuer).unwrap(), mount, &Routes::default())
    }

    /// HTTP-01, HTTP-03, HTTP-04, HTTP-06
    #[test]
    fn paths_match_byte_for_byte() {
        let table = table("https://id.example", "");
        assert_eq!(table.find("/token"), Some(Route::Token));
        assert_eq!(table.find("/interaction"), Some(Route::FirstForm));
        assert_eq!(table.find("/interaction/in_x"), Some(Route::Interaction("in_x")));
        for other in
            ["", "/", "/TOKEN", "/token/", "//token", "/to%6ben", "/to\u{212a}en", "/interaction/", "/interactions"]
        {
            assert_eq!(table.find(other), None, "{other}");
        }
        assert_eq!(table.find("/interaction/a/b"), None);
    }

    /// HTTP-12, PROXY-05
    #[test]
    fn an_issuer_with_a_path_is_found_with_and_without_it() {
        let table = table("https://id.example/oidc", "/oidc");
        for path in ["/token", "/oidc/token"] {
            assert_eq!(table.find(path), Some(Route::Token), "{path}");
        }
        for path in [
            "/oidc/.well-known/openid-configuration",
            "/oidc/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/oidc",
            "/.well-known/openid-configuration",
        ] {
            assert_eq!(table.find(path), Some(Route::Discovery), "{path}");
        }
        assert_eq!(table.find("/oidcx/token"), None);
        assert_eq!(table.find("/.well-known/oauth-authorization-server/other"), None);
    }

    /// PROXY-06
    #[test]
    fn the_mount_path_may_differ_from_the_issuer() {
        let table = table("https://id.example/a", "/b/");
        for path in ["/a/token", "/b/token", "/token"] {
            assert_eq!(table.find(path), Some(Route::Token), "{path}");
        }
        assert_eq!(table.find("/.well-known/oauth-authorization-server/a"), Some(Route::Discovery));
    }
}

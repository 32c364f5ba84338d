//! The paths of the endpoints. They match byte for byte.

use chancery_core::offered::{Caller, Endpoint, EndpointSet, Routes, Verb};
use chancery_types::Issuer;
use http::Method;

/// An endpoint by its own path, or by that of a segment below it, such as a stored interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route<'p> {
    pub(crate) endpoint: Endpoint,
    pub(crate) below: Option<&'p str>,
}

impl<'p> Route<'p> {
    /// The endpoint's own path.
    pub(crate) const fn at(endpoint: Endpoint) -> Self {
        Self { endpoint, below: None }
    }

    /// The path of this segment below it.
    pub(crate) const fn below(endpoint: Endpoint, segment: &'p str) -> Self {
        Self { endpoint, below: Some(segment) }
    }

    pub(crate) const fn caller(self) -> Caller {
        self.endpoint.describe().caller
    }

    fn verbs(self) -> &'static [Verb] {
        let description = self.endpoint.describe();
        if self.below.is_some() { description.below } else { description.methods }
    }

    /// Whether the method is one of [`Route::methods`].
    pub(crate) fn allows(self, method: &Method) -> bool {
        let has = |verb| self.verbs().contains(&verb);
        let is_of_browser = self.caller() == Caller::Browser;
        let is_for_scripts = !matches!(self.caller(), Caller::Browser | Caller::Registrant);
        match *method {
            Method::GET => has(Verb::Get),
            Method::POST => has(Verb::Post),
            Method::PUT => has(Verb::Put),
            Method::DELETE => has(Verb::Delete),
            // In a browser, GET changes state; but not on the page that is the same for everybody.
            Method::HEAD => has(Verb::Get) && (!is_of_browser || self.endpoint == Endpoint::FrontPage),
            // A preflight (CORS).
            Method::OPTIONS => is_for_scripts,
            _ => false,
        }
    }

    /// The methods in the order of `Allow`.
    pub(crate) fn methods(self) -> Vec<Method> {
        let all = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];
        all.into_iter().filter(|method| self.allows(method)).collect()
    }
}

/// The paths of this provider.
pub(crate) struct RouteTable {
    /// The prefixes of the paths: the issuer's path, the mount path, and the empty one, because some
    /// frameworks strip the prefix.
    prefixes: Vec<Box<str>>,
    paths: Vec<(Box<str>, Endpoint)>,
    /// Paths without a prefix: the well-known paths followed by the issuer's path (RFC 8414 section 3.1).
    inserted: Vec<Box<str>>,
}

/// OIDC Discovery section 4, RFC 8414 section 3.
const WELL_KNOWN: [&str; 2] =
    ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"];

impl RouteTable {
    /// The paths of the endpoints that are on.
    pub(crate) fn new(issuer: &Issuer, mount: &str, configured: &Routes, on: &EndpointSet) -> Self {
        let mut prefixes: Vec<Box<str>> =
            vec![mount.trim_end_matches('/').into(), issuer.path().into(), "".into()];
        prefixes.dedup();
        let enabled = Endpoint::ALL.iter().copied().filter(|endpoint| on.has(*endpoint));
        let paths = enabled.filter_map(|endpoint| Some((configured.path(endpoint)?.into(), endpoint)));
        // The issuer's own address, also with the slash that clients put at its end.
        let front_page = on.has(Endpoint::FrontPage).then_some(("/".into(), Endpoint::FrontPage));
        let well_known = WELL_KNOWN.iter().map(|path| ((*path).into(), Endpoint::Metadata));
        let inserted = WELL_KNOWN.iter().map(|path| format!("{path}{}", issuer.path()).into()).collect();
        Self { prefixes, paths: paths.chain(front_page).chain(well_known).collect(), inserted }
    }

    /// The endpoint of a request's path.
    pub(crate) fn find<'p>(&self, path: &'p str) -> Option<Route<'p>> {
        if self.inserted.iter().any(|whole| **whole == *path) {
            return Some(Route::at(Endpoint::Metadata));
        }
        self.prefixes.iter().find_map(|prefix| match path.strip_prefix(&**prefix)? {
            // The prefix itself.
            "" => self.route("/"),
            below => self.route(below),
        })
    }

    /// The paths that nobody else can have where the service is, as routers write them: `{below}` stands for one segment.
    /// The address of the issuer itself and the icon are not among them.
    pub(crate) fn claimed(&self, issuer: &Issuer) -> Vec<(String, Endpoint)> {
        let is_shared = |endpoint: Endpoint| matches!(endpoint, Endpoint::FrontPage | Endpoint::Icon);
        let of_endpoint = |(path, endpoint): &(Box<str>, Endpoint)| {
            let (description, path) = (endpoint.describe(), format!("{}{path}", issuer.path()));
            let below = (!description.below.is_empty()).then(|| format!("{path}/{{below}}"));
            let own = (!description.methods.is_empty()).then_some(path);
            let endpoint = *endpoint;
            own.into_iter().chain(below).map(move |path| (path, endpoint))
        };
        let own = self.paths.iter().filter(|(_, endpoint)| !is_shared(*endpoint)).flat_map(of_endpoint);
        let inserted = self.inserted.iter().map(|path| (path.to_string(), Endpoint::Metadata));
        let outside = inserted.filter(|_| !issuer.path().is_empty());
        own.chain(outside).collect()
    }

    /// Whether an endpoint has this path, behind whatever prefix; the root of a site is everybody's.
    pub(crate) fn is_endpoint(&self, path: &str) -> bool {
        path != "/" && self.route(path).is_some_and(|route| route.below.is_none())
    }

    fn route<'p>(&self, path: &'p str) -> Option<Route<'p>> {
        let has_own = |endpoint: Endpoint| !endpoint.describe().methods.is_empty();
        if let Some((_, endpoint)) = self.paths.iter().find(|(have, at)| **have == *path && has_own(*at)) {
            return Some(Route::at(*endpoint));
        }
        let (above, segment) = path.rsplit_once('/')?;
        let has_below = |endpoint: Endpoint| !endpoint.describe().below.is_empty();
        let (_, endpoint) =
            self.paths.iter().find(|(have, endpoint)| **have == *above && has_below(*endpoint))?;
        // Whatever is called so has a name in ASCII, and no header could say another one.
        (!segment.is_empty() && segment.is_ascii()).then_some(Route::below(*endpoint, segment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(issuer: &str, mount: &str) -> RouteTable {
        RouteTable::new(&Issuer::parse(issuer).unwrap(), mount, &Routes::default(), &EndpointSet::default())
    }

    const TOKEN: Option<Route<'static>> = Some(Route::at(Endpoint::Token));
    const METADATA: Option<Route<'static>> = Some(Route::at(Endpoint::Metadata));

    /// HTTP-01, HTTP-03, HTTP-04, HTTP-06
    #[test]
    fn paths_match_byte_for_byte() {
        let table = table("https://id.example", "");
        assert_eq!(table.find("/token"), TOKEN);
        assert_eq!(table.find("/interaction"), Some(Route::at(Endpoint::Interaction)));
        assert_eq!(table.find("/interaction/in_x"), Some(Route::below(Endpoint::Interaction, "in_x")));
        for other in [
            "//",
            "/TOKEN",
            "/token/",
            "//token",
            "/to%6ben",
            "/to\u{212a}en",
            "/interaction/",
            "/interactions",
            "/interaction/\u{e9}",
        ] {
            assert_eq!(table.find(other), None, "{other}");
        }
        assert_eq!(table.find("/interaction/a/b"), None);
    }

    /// HTTP-12, PROXY-05
    #[test]
    fn an_issuer_with_a_path_is_found_with_and_without_it() {
        let table = table("https://id.example/oidc", "/oidc");
        for path in ["/token", "/oidc/token"] {
            assert_eq!(table.find(path), TOKEN, "{path}");
        }
        for path in [
            "/oidc/.well-known/openid-configuration",
            "/oidc/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/oidc",
            "/.well-known/openid-configuration",
        ] {
            assert_eq!(table.find(path), METADATA, "{path}");
        }
        for path in ["/oidc", "/oidc/", "/"] {
            assert_eq!(table.find(path), Some(Route::at(Endpoint::FrontPage)), "{path}");
        }
        assert_eq!(table.find("/oidcx/token"), None);
        assert_eq!(table.find("/oidc//"), None);
        assert_eq!(table.find("/.well-known/oauth-authorization-server/other"), None);
    }

    /// PROXY-06
    #[test]
    fn the_mount_path_may_differ_from_the_issuer() {
        let table = table("https://id.example/a", "/b/");
        for path in ["/a/token", "/b/token", "/token"] {
            assert_eq!(table.find(path), TOKEN, "{path}");
        }
        assert_eq!(table.find("/.well-known/oauth-authorization-server/a"), METADATA);
    }
    #[test]
    fn an_endpoint_that_is_off_has_no_path() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let mut on = EndpointSet::default();
        on.switch(Endpoint::Introspection, false);
        let table = RouteTable::new(&issuer, "", &Routes::default(), &on);
        on.switch(Endpoint::FrontPage, false);
        let without = RouteTable::new(&issuer, "", &Routes::default(), &on);
        assert_eq!(without.find("/"), None);
        assert_eq!(table.find("/introspect"), None);
        assert_eq!(table.find("/revoke"), Some(Route::at(Endpoint::Revocation)));
    }

    #[test]
    fn what_is_claimed_is_found() {
        for issuer in ["https://id.example", "https://id.example/oidc"] {
            let table = table(issuer, "");
            let claimed = table.claimed(&Issuer::parse(issuer).unwrap());
            for (path, endpoint) in &claimed {
                let found = table.find(path).unwrap();
                assert_eq!((found.endpoint, found.below.is_some()), (*endpoint, path.ends_with("/{below}")));
            }
            let paths: std::collections::BTreeSet<&String> = claimed.iter().map(|(path, _)| path).collect();
            assert_eq!(paths.len(), claimed.len(), "each once: {claimed:?}");
            let path = issuer.trim_start_matches("https://id.example");
            let outside = format!("/.well-known/openid-configuration{path}");
            for part in [format!("{path}/token"), format!("{path}/interaction/{{below}}"), outside] {
                assert!(paths.contains(&part), "{part}: {paths:?}");
            }
            for shared in ["/", "/favicon.ico", "/oidc", "/oidc/", "/oidc/favicon.ico", "/pages"] {
                assert!(!paths.contains(&shared.to_owned()), "{shared}");
            }
        }
    }

    /// HTTP-02: HEAD only where GET changes nothing, OPTIONS only where scripts of other origins may ask.
    #[test]
    fn methods_follow_from_the_description() {
        let names =
            |route: Route<'_>| route.methods().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(names(Route::at(Endpoint::Authorization)), "GET POST");
        assert_eq!(names(Route::at(Endpoint::Interaction)), "POST");
        assert_eq!(names(Route::below(Endpoint::Interaction, "in_x")), "GET POST");
        assert_eq!(names(Route::at(Endpoint::Token)), "POST OPTIONS");
        assert_eq!(names(Route::at(Endpoint::UserInfo)), "GET HEAD POST OPTIONS");
        assert_eq!(names(Route::at(Endpoint::Jwks)), "GET HEAD OPTIONS");
        assert_eq!(names(Route::at(Endpoint::FrontPage)), "GET HEAD");
        assert_eq!(names(Route::at(Endpoint::Registration)), "POST");
        assert_eq!(names(Route::below(Endpoint::ClientConfiguration, "c")), "GET HEAD PUT DELETE");
        assert!(!Route::at(Endpoint::Token).allows(&Method::PUT));
    }
}

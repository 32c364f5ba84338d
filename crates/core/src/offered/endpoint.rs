//! The endpoints, each described once. Routing, CORS, discovery, configuration and events all read this
//! table.

use std::fmt;

/// Who calls an endpoint. It decides how the request is read, how an error looks, and whose scripts may read
/// the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A person's browser: cookies, pages, redirects.
    Browser,
    /// A client that authenticates itself: JSON, errors of RFC 6749 section 5.2.
    Client,
    /// A holder of an access token: errors of RFC 6750 section 3.
    Bearer,
    /// Whoever registers or manages a client: JSON in both directions, errors of RFC 7591 section 3.2.2.
    Registrant,
    /// Anybody: the answer is public.
    Anybody,
}

/// An HTTP method that an endpoint accepts. HEAD and OPTIONS follow from the others and from the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// DELETE.
    Delete,
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
}

/// What switches an endpoint on and off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Nothing: it is always on.
    None,
    /// `[endpoints]`; without a setting it is on.
    Endpoints,
    /// A section of its own; without a setting it is off.
    OwnSection,
}

/// Everything that the rest of the provider needs to know about an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name in `[routes]`, in `[endpoints]` and in events.
    pub name: &'static str,
    /// What it is for, as the reference of the settings says.
    pub purpose: &'static str,
    /// Its default path below the issuer's own path; `None` for well-known paths.
    pub path: Option<&'static str>,
    /// Its member in the metadata (RFC 8414 section 2).
    pub member: Option<&'static str>,
    /// The metadata members that list by which methods clients authenticate here, and what their assertions
    /// may be signed with, if RFC 8414 registers any.
    pub authentication_members: Option<[&'static str; 2]>,
    /// Who calls it.
    pub caller: Caller,
    /// The methods of its path; empty if only the paths below it are answered.
    pub methods: &'static [Verb],
    /// The methods of the paths one segment below it; empty if there are none.
    pub below: &'static [Verb],
    /// What switches it on and off.
    pub switch: Switch,
}

impl Description {
    const fn new(
        caller: Caller,
        name: &'static str,
        path: Option<&'static str>,
        methods: &'static [Verb],
    ) -> Self {
        let (member, authentication_members, purpose, below) = (None, None, "", &[] as &[Verb]);
        Self {
            name,
            purpose,
            path,
            member,
            authentication_members,
            caller,
            methods,
            below,
            switch: Switch::None,
        }
    }

    const fn announced_as(self, member: &'static str) -> Self {
        Self { member: Some(member), ..self }
    }

    const fn authenticates_as(self, methods: &'static str, algorithms: &'static str) -> Self {
        Self { authentication_members: Some([methods, algorithms]), ..self }
    }

    const fn with_below(self, below: &'static [Verb]) -> Self {
        Self { below, ..self }
    }

    const fn optional(self) -> Self {
        Self { switch: Switch::Endpoints, ..self }
    }

    const fn on_demand(self) -> Self {
        Self { switch: Switch::OwnSection, ..self }
    }
}

const fn browser(name: &'static str, path: &'static str, methods: &'static [Verb]) -> Description {
    Description::new(Caller::Browser, name, Some(path), methods)
}

const fn client(name: &'static str, path: &'static str) -> Description {
    Description::new(Caller::Client, name, Some(path), &[Verb::Post])
}

macro_rules! endpoints {
    ($($variant:ident: $purpose:literal, $description:expr;)*) => {
        /// An endpoint of the provider, in the order of the metadata.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Endpoint {
            $(#[doc = $purpose] $variant,)*
        }

        impl Endpoint {
            /// Every endpoint that this build has.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its description.
            #[must_use]
            pub const fn describe(self) -> &'static Description {
                match self {
                    $(Self::$variant => const { &Description { purpose: $purpose, ..$description } },)*
                }
            }
        }
    };
}

const fn registrant(name: &'static str, path: &'static str, methods: &'static [Verb]) -> Description {
    Description::new(Caller::Registrant, name, Some(path), methods).on_demand()
}

use Verb::{Delete, Get, Post, Put};

endpoints! {
    Authorization: "The authorization endpoint.",
        browser("authorization", "/authorize", &[Get, Post]).announced_as("authorization_endpoint");
    Interaction: "The pages on the way: here forms are posted, below it are stored interactions.",
        browser("interaction", "/interaction", &[Post]).with_below(&[Get, Post]);
    PushedAuthorizationRequest: "The pushed authorization request endpoint. `pushed_requests.offered` switches it on.",
        client("pushed_authorization_request", "/par").on_demand()
            .announced_as("pushed_authorization_request_endpoint");
    BackchannelAuthentication: "The backchannel authentication endpoint. `ciba.offered` switches it on.",
        client("backchannel_authentication", "/backchannel").on_demand()
            .announced_as("backchannel_authentication_endpoint");
    DeviceAuthorization: "The device authorization endpoint. `device_authorization.offered` switches it on.",
        client("device_authorization", "/device_authorization").on_demand()
            .announced_as("device_authorization_endpoint");
    UserCode: "The page on which a person enters the code that a device shows. `device_authorization.offered` switches it on.",
        browser("user_code", "/device", &[Get, Post]).on_demand();
    Approvals: "The page of what clients have asked a person for in the background, with a page below it for each. `ciba.offered` switches it on.",
        browser("approvals", "/approvals", &[Get]).on_demand().with_below(&[Get]);
    Account: "The page on which a person sees their sessions and applications and ends them, with pages below it. It is off while `interaction.location` is set.",
        browser("account", "/account", &[Get, Post]).optional().with_below(&[Get]);
    Token: "The token endpoint.",
        client("token", "/token").announced_as("token_endpoint")
            .authenticates_as(
                "token_endpoint_auth_methods_supported",
                "token_endpoint_auth_signing_alg_values_supported",
            );
    UserInfo: "UserInfo.",
        Description::new(Caller::Bearer, "userinfo", Some("/userinfo"), &[Get, Post]).announced_as("userinfo_endpoint");
    Jwks: "The JWK Set.",
        Description::new(Caller::Anybody, "jwks", Some("/jwks"), &[Get]).announced_as("jwks_uri");
    Introspection: "The introspection endpoint.",
        client("introspection", "/introspect").optional().announced_as("introspection_endpoint")
            .authenticates_as(
                "introspection_endpoint_auth_methods_supported",
                "introspection_endpoint_auth_signing_alg_values_supported",
            );
    Revocation: "The revocation endpoint.",
        client("revocation", "/revoke").optional().announced_as("revocation_endpoint")
            .authenticates_as(
                "revocation_endpoint_auth_methods_supported",
                "revocation_endpoint_auth_signing_alg_values_supported",
            );
    EndSession: "The logout endpoint.",
        browser("end_session", "/logout", &[Get, Post]).optional().announced_as("end_session_endpoint");
    LogoutConfirmation: "Where the page that asks whether to sign out posts its form.",
        browser("logout_confirmation", "/logout/confirm", &[Post]);
    CheckSession: "The frame in which a client's page asks whether the person is still signed in. `session.management` switches it on.",
        browser("check_session", "/check-session", &[Get]).on_demand().announced_as("check_session_iframe");
    Registration: "The client registration endpoint. `[registration]` switches it on.",
        registrant("registration", "/register", &[Post]).announced_as("registration_endpoint");
    ClientConfiguration: "The client configuration endpoint, with a path below it for each client. `registration.management` switches it on.",
        registrant("client_configuration", "/clients", &[]).with_below(&[Get, Put, Delete]);
    PageFile: "The files of the pages: below it are their logo and script.",
        Description::new(Caller::Anybody, "page_file", Some("/pages"), &[]).with_below(&[Get]);
    FrontPage: "The page at the issuer's own address.",
        Description::new(Caller::Browser, "front_page", None, &[Get]).optional();
    Icon: "The icon of the pages.",
        Description::new(Caller::Anybody, "icon", Some("/favicon.ico"), &[Get]).optional();
    Metadata: "The metadata, under its well-known paths.", Description::new(Caller::Anybody, "metadata", None, &[Get]);
}

impl Endpoint {
    /// Its name in events, logs and settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.describe().name
    }

    /// The endpoint with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|endpoint| endpoint.as_str() == name)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_default_paths_are_taken_once() {
        for (at, endpoint) in Endpoint::ALL.iter().enumerate() {
            let description = endpoint.describe();
            assert_eq!(Endpoint::named(description.name), Some(*endpoint));
            for other in Endpoint::ALL.iter().skip(at + 1).map(|other| other.describe()) {
                assert_ne!(description.name, other.name);
                assert!(description.path.is_none() || description.path != other.path, "{endpoint}");
            }
        }
    }
}

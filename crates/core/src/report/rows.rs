//! The demands in the order in which they are reported, each with the check of what the registrations and the
//! compatibility settings do not show.

use std::time::Duration;

use chancery_jose::{PublicJwk, SigningAlgorithm};
use chancery_types::iana::{ClientAuthenticationMethod, GrantType};

use super::{Breach, Standard, Subject};
use crate::error::listed;
use crate::model::{Client, TokenFormat};
use crate::profile::{BindingMethod, Demand, Demands, Section};

/// What is asked about a demand.
pub(super) struct Asked<'d> {
    /// The standard.
    pub(super) of: Standard,
    /// The section that demands it.
    pub(super) section: Section,
    /// Everything that the standard demands.
    pub(super) demands: &'d Demands,
}

/// A kind of demand.
pub(super) struct Row {
    /// What is demanded.
    pub(super) demand: &'static str,
    /// The sections of a standard that demand it.
    pub(super) sections: fn(&Demands) -> Vec<Section>,
    /// The clients whose requests nothing holds to it, although their registration breaks no demand.
    pub(super) by_requests: fn(&Subject<'_>, &Asked<'_>) -> Vec<Breach>,
}

pub(super) const ALL: &[Row] = &[
    Row {
        demand: "Clients authenticate with a key of their own",
        sections: |demands| demands.authentication.sections().collect(),
        by_requests: nobody,
    },
    Row {
        demand: "The audience of a client's assertion is the issuer, as a string",
        sections: |demands| demands.sole_audience.into_iter().collect(),
        by_requests: |subject, asked| {
            let has_assertions = |client: &Client| {
                matches!(
                    client.metadata().flow.token_endpoint_auth_method,
                    ClientAuthenticationMethod::PrivateKeyJwt | ClientAuthenticationMethod::ClientSecretJwt
                )
            };
            subject.unheld(asked, has_assertions, |_, held| held.sole_audience.is_some(), None)
        },
    },
    Row {
        demand: "JWTs are signed with strong algorithms",
        sections: |demands| demands.algorithms.sections().collect(),
        by_requests: weak_signatures,
    },
    Row {
        demand: "RSA keys are long enough",
        sections: |demands| demands.rsa_bits.into_iter().map(|demand| demand.section).collect(),
        by_requests: |_, asked| short_keys(PublicJwk::LEAST_RSA_BITS, asked.demands.rsa_bits),
    },
    Row {
        demand: "Keys of elliptic curves are long enough",
        sections: |demands| demands.curve_bits.into_iter().map(|demand| demand.section).collect(),
        by_requests: |_, asked| short_keys(PublicJwk::LEAST_CURVE_BITS, asked.demands.curve_bits),
    },
    Row {
        demand: "Authorization requests are pushed",
        sections: |demands| demands.pushed.into_iter().collect(),
        by_requests: |subject, asked| {
            subject.unheld(asked, asks_people, |_, held| held.pushed.is_some(), None)
        },
    },
    Row {
        demand: "Pushed requests are short-lived",
        sections: |demands| demands.pushed_lifetime.into_iter().map(|demand| demand.section).collect(),
        by_requests: |subject, asked| {
            let configured = ("pushed_requests.lifetime", subject.config.pushed_requests.lifetime);
            lives_too_long(subject, asked, configured, |demands| demands.pushed_lifetime)
        },
    },
    Row {
        demand: "Authorization requests are signed by their client",
        sections: |demands| demands.signed.into_iter().collect(),
        by_requests: |subject, asked| {
            let is_required = subject.config.request_objects.required;
            let is_signed = |client: &Client, held: &Demands| {
                is_required
                    || client.metadata().request_objects.require_signed_request_object
                    || held.signed.is_some()
            };
            subject.unheld(asked, asks_people, is_signed, Some("require_signed_request_object"))
        },
    },
    Row {
        demand: "Parameters outside of a request object do not count",
        sections: |demands| demands.object_alone.into_iter().collect(),
        by_requests: nobody,
    },
    Row {
        demand: "Request objects are valid for an hour at most",
        sections: |demands| demands.object_lifetime.into_iter().map(|demand| demand.section).collect(),
        by_requests: |subject, asked| {
            subject.unheld(asked, asks_people, |_, held| held.object_lifetime.is_some(), None)
        },
    },
    Row {
        demand: "Background requests are signed by their client",
        sections: |demands| demands.signed_backchannel.into_iter().collect(),
        by_requests: |subject, asked| {
            let asks_in_background =
                |client: &Client| client.metadata().ciba.backchannel_token_delivery_mode.is_some();
            let is_signed = |client: &Client, held: &Demands| {
                client.metadata().ciba.backchannel_authentication_request_signing_alg.is_some()
                    || held.signed_backchannel.is_some()
            };
            let member = "backchannel_authentication_request_signing_alg";
            subject.unheld(asked, asks_in_background, is_signed, Some(member))
        },
    },
    Row {
        demand: "Clients fetch their tokens",
        sections: |demands| demands.no_push.into_iter().collect(),
        by_requests: |subject, asked| {
            let is_push = |client: &Client| client.metadata().ciba.is_push();
            let member = "backchannel_token_delivery_mode";
            subject.unheld(asked, is_push, |_, held| held.no_push.is_some(), Some(member))
        },
    },
    Row {
        demand: "Only permitted responses can be asked for",
        sections: |demands| demands.responses.sections().collect(),
        by_requests: unsigned_responses,
    },
    Row {
        demand: "PKCE with S256 is required",
        sections: |demands| demands.pkce.into_iter().collect(),
        by_requests: nobody,
    },
    Row {
        demand: "PKCE with S256 is required of pushed requests",
        sections: |demands| demands.pkce_if_pushed.into_iter().collect(),
        by_requests: |subject, asked| {
            let is_held = |client: &Client, held: &Demands| {
                held.pkce.or(held.pkce_if_pushed).is_some() || !subject.may_omit_pkce(client)
            };
            subject.unheld(asked, asks_people, is_held, None)
        },
    },
    Row {
        demand: "An OpenID request has a nonce",
        sections: |demands| demands.nonce.into_iter().collect(),
        by_requests: |subject, asked| {
            subject.unheld(asked, asks_people, |_, held| held.nonce.is_some(), None)
        },
    },
    Row {
        demand: "A request without OpenID has a state",
        sections: |demands| demands.state.into_iter().collect(),
        by_requests: |subject, asked| {
            subject.unheld(asked, asks_people, |_, held| held.state.is_some(), None)
        },
    },
    Row {
        demand: "A request names its redirect URI",
        sections: |demands| demands.redirect_uri_sent.into_iter().collect(),
        by_requests: |subject, asked| {
            // Of several, a request has to name one in any case.
            let has_one = |client: &Client| asks_people(client) && client.redirect_uris().len() == 1;
            subject.unheld(asked, has_one, |_, held| held.redirect_uri_sent.is_some(), None)
        },
    },
    Row {
        demand: "Redirect URIs lead over encrypted connections",
        sections: |demands| demands.redirects.sections().collect(),
        by_requests: nobody,
    },
    Row {
        demand: "Redirect URIs are compared as they are written",
        sections: |demands| demands.exact_redirects.into_iter().collect(),
        by_requests: nobody,
    },
    Row {
        demand: "Responses of the authorization endpoint name the issuer",
        sections: |demands| demands.response_iss.into_iter().collect(),
        // All do, also errors: nothing can be configured.
        by_requests: nobody,
    },
    Row {
        demand: "An ID token of the authorization endpoint has the hash of the state",
        sections: |demands| demands.s_hash.into_iter().collect(),
        by_requests: |subject, asked| {
            let has_id_token = |client: &Client| {
                client.metadata().flow.response_types.iter().any(|value| value.has_id_token())
            };
            subject.unheld(asked, has_id_token, |_, held| held.s_hash.is_some(), None)
        },
    },
    Row {
        demand: "Authorization codes are short-lived",
        sections: |demands| demands.code_lifetime.into_iter().map(|demand| demand.section).collect(),
        by_requests: |subject, asked| {
            let configured = ("authorization_code.lifetime", subject.config.authorization_code.lifetime);
            lives_too_long(subject, asked, configured, |demands| demands.code_lifetime)
        },
    },
    Row {
        demand: "Access tokens are bound to their sender",
        sections: |demands| demands.bindings.sections().collect(),
        by_requests: |subject, asked| {
            let permitted = &asked.demands.bindings;
            let is_bound = |client: &Client, held: &Demands| {
                let registered = client.metadata().sender_constraint;
                let is_held = held.bound_tokens().is_some()
                    && BindingMethod::ALL.iter().all(|way| !held.bindings.has(way) || permitted.has(way));
                is_held
                    || (registered.dpop_bound_access_tokens && permitted.has(&BindingMethod::Key))
                    || (registered.tls_client_certificate_bound_access_tokens
                        && permitted.has(&BindingMethod::Certificate))
            };
            let or = match permitted.has(&BindingMethod::Key) {
                true => "dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens",
                false => "tls_client_certificate_bound_access_tokens",
            };
            subject.unheld(asked, |_| true, is_bound, Some(or))
        },
    },
    Row {
        demand: "A refresh token stays the same when it is used",
        sections: |demands| demands.no_rotation.into_iter().collect(),
        by_requests: |subject, asked| {
            let refreshes = |client: &Client| client.has_grant_type(&GrantType::RefreshToken);
            subject.unheld(asked, refreshes, |_, held| held.no_rotation.is_some(), None)
        },
    },
    Row {
        demand: "No access token is accepted in a query",
        sections: |demands| demands.header_tokens.into_iter().collect(),
        by_requests: nobody,
    },
];

/// What is registered and configured decides alone.
fn nobody(_: &Subject<'_>, _: &Asked<'_>) -> Vec<Breach> {
    Vec::new()
}

/// Whether people can be asked for it.
pub(super) fn asks_people(client: &Client) -> bool {
    !client.metadata().flow.response_types.is_empty()
}

/// What clients sign themselves, and need not have registered an algorithm for.
fn weak_signatures(subject: &Subject<'_>, asked: &Asked<'_>) -> Vec<Breach> {
    let demands = asked.demands;
    let weak = |alg: &SigningAlgorithm| !demands.algorithms.has(alg);
    let jwts = subject.resource_servers.iter().filter(|server| server.format == TokenFormat::Jwt);
    let mut breaches: Vec<Breach> = jwts
        .filter(|server| weak(&server.alg))
        .map(|server| {
            let remedy = format!("{} is not permitted: choose another algorithm", server.alg.name());
            Breach::of_server(format!("resource_server.alg of {}", server.uri.as_str()), remedy)
        })
        .collect();
    for client in &subject.clients {
        let (metadata, held) = (client.metadata(), subject.demands(client));
        let (flow, objects) = (&metadata.flow, &metadata.request_objects);
        let may_use = |alg: &SigningAlgorithm| weak(alg) && held.algorithms.has(alg);
        let assertions = subject.offered.assertion_algorithms.iter();
        let signs_assertions = assertions.filter(|alg| may_use(alg)).any(|alg| flow.signs_assertions(*alg));
        let requests = subject.offered.request_object_algorithms.iter();
        let signs_requests = requests.filter(|alg| may_use(alg)).any(|alg| objects.signs_with(*alg));
        // What is registered for such an algorithm is said already.
        let of_members = [
            (
                "token_endpoint_auth_signing_alg",
                signs_assertions && flow.token_endpoint_auth_signing_alg.is_none(),
            ),
            (
                "request_object_signing_alg",
                signs_requests && asks_people(client) && objects.request_object_signing_alg.is_none(),
            ),
        ];
        for (member, _) in of_members.into_iter().filter(|(_, is_weak)| *is_weak) {
            let names = listed(demands.algorithms.permitted().map(|alg| alg.name()));
            breaches.push(Breach::of_client(client, member, format!("must be {names}")));
        }
    }
    breaches
}

/// Clients that can ask for a permitted response in a mode that is not permitted.
fn unsigned_responses(subject: &Subject<'_>, asked: &Asked<'_>) -> Vec<Breach> {
    let demands = asked.demands;
    let may_be_unsigned = |client: &Client| {
        let types = client.metadata().flow.response_types.iter();
        types
            .filter(|value| demands.forbids_type(**value).is_none())
            .any(|value| demands.forbids_response(*value, false) == Some(asked.section))
    };
    let is_held = |client: &Client, held: &Demands| {
        let modes = client.metadata().flow.response_modes.as_deref();
        let types = client.metadata().flow.response_types.iter();
        modes.is_some_and(|modes| modes.iter().all(|mode| mode.is_jwt()))
            || types
                .filter(|value| demands.forbids_response(**value, false).is_some())
                .all(|value| held.forbids_response(*value, false).is_some())
    };
    subject.unheld(asked, may_be_unsigned, is_held, Some("response_modes"))
}

/// A setting that lets something of clients live longer than is demanded, unless each of them is held to the demand.
fn lives_too_long(
    subject: &Subject<'_>,
    asked: &Asked<'_>,
    (setting, configured): (&str, Duration),
    demanded: impl Fn(&Demands) -> Option<Demand<Duration>>,
) -> Vec<Breach> {
    let Some(Demand { what: longest, .. }) = demanded(asked.demands) else { return Vec::new() };
    if configured <= longest {
        return Vec::new();
    }
    let is_short = |_: &Client, held: &Demands| demanded(held).is_some_and(|demand| demand.what <= longest);
    let free = subject.unheld(asked, asks_people, is_short, None);
    let remedy = format!("must be at most {}s", longest.as_secs());
    if free.is_empty() { free } else { vec![Breach::of_server(setting, remedy)] }
}

/// Every key that is made, registered or fetched has at least so many bits.
fn short_keys(least: usize, demanded: Option<Demand<usize>>) -> Vec<Breach> {
    let too_short = demanded.filter(|demand| least < demand.what);
    too_short
        .map(|demand| Breach::of_server("keys", format!("must have at least {} bits", demand.what)))
        .into_iter()
        .collect()
}

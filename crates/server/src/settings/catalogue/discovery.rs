//! `[userinfo]` and `[discovery]`: what UserInfo demands, and what the metadata say besides.

use super::{Form, Setting, setting};

pub(super) const DISCOVERY: &[Setting] = &[
    setting(
        "userinfo.acr_values",
        Form::Texts,
        "[]",
        "The authentication context classes of which the person's authentication has to reach one, the best first; none are demanded if empty.",
    ),
    setting(
        "userinfo.max_age",
        Form::Duration,
        "\"0s\"",
        "How long ago the authentication may be, in whole seconds; `0s` for any time.",
    ),
    setting(
        "discovery.extra",
        Form::TextByName,
        "{}",
        "Members to add to the metadata, such as `service_documentation`, `op_policy_uri` or `op_tos_uri`. A member that the server writes itself is refused.",
    ),
    setting(
        "discovery.protected_resources",
        Form::Texts,
        "[]",
        "Which of the `[[resource_server]]` clients are told of in the metadata, by their `uri` (`protected_resources`, RFC 9728 section 4).",
    ),
    setting(
        "discovery.signed",
        Form::Switch,
        "false",
        "Whether the metadata are also there as a JWT, `signed_metadata`, signed with a key of the provider (RFC 8414 section 2.1).",
    ),
];

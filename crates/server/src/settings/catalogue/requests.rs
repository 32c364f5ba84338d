//! `[request_objects]` and `[pushed_requests]`: on which ways authorization requests come.

use super::{Form, Setting, setting};

pub(super) const REQUESTS: &[Setting] = &[
    setting(
        "request_objects.algorithms",
        Form::Texts,
        "[\"RS256\", \"RS384\", \"RS512\", \"PS256\", \"PS384\", \"PS512\", \"ES256\", \"ES384\", \"ES512\", \"EdDSA\", \"Ed25519\", \"HS256\", \"HS384\", \"HS512\"]",
        "What clients may sign their request objects with. A client that is registered for one of them (`request_object_signing_alg`) uses that one alone; an HS algorithm needs such a registration.",
    ),
    setting(
        "request_objects.by_reference",
        Form::Switch,
        "true",
        "Whether an authorization request may refer to a request object (`request_uri`), at one of the client's `request_uris`.",
    ),
    setting(
        "request_objects.by_value",
        Form::Switch,
        "true",
        "Whether an authorization request may contain a request object (`request`).",
    ),
    setting(
        "request_objects.encryption_algorithms",
        Form::Texts,
        "[]",
        "By which algorithms clients may encrypt their request objects, for example `[\"RSA-OAEP-256\", \"ECDH-ES+A256KW\", \"dir\"]`. The server makes the keys for them, of RSA and P-256, and publishes them (`chancery keys list`). The symmetric ones (`dir`, `A256KW`, `A256GCMKW` and the like) need a client that is registered for one of them (`request_object_encryption_alg`), because their key comes from its secret.",
    ),
    setting(
        "request_objects.required",
        Form::Switch,
        "false",
        "Whether every authorization request has to be a signed request object. A client can demand it for itself (`require_signed_request_object`).",
    ),
    setting(
        "pushed_requests.offered",
        Form::Switch,
        "false",
        "Whether clients may push their authorization requests.",
    ),
    setting(
        "pushed_requests.required",
        Form::Switch,
        "false",
        "Whether the authorization requests of every client are refused unless they were pushed. A single client can be registered so (`require_pushed_authorization_requests`).",
    ),
    setting(
        "pushed_requests.lifetime",
        Form::Duration,
        "\"1m\"",
        "How long a pushed request waits for its person, at most 10 minutes, and no longer than its request object is valid. From its first page on, it waits for `interaction.lifetime`.",
    ),
    setting(
        "pushed_requests.open_limit",
        Form::Number,
        "1000",
        "How many pushed requests of one client may wait for their persons at the same time, in each process; those of a client without authentication that come from one network, a quarter of it.",
    ),
    setting(
        "authorization_details.types",
        Form::TextByName,
        "{}",
        "The types of `authorization_details` (RFC 9396), each with the file of the JSON Schema (2020-12) that describes it. Without any, the parameter is ignored. See [authorization-details.md](authorization-details.md).",
    ),
];

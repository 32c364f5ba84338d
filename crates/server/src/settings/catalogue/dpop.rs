//! `[dpop]`: tokens that are bound to a key of the client.

use super::{Form, Setting, setting};

pub(super) const DPOP: &[Setting] = &[
    setting(
        "dpop.offered",
        Form::Switch,
        "false",
        "Whether clients can bind their tokens to a key by proofs of possession. Clients that send none get bearer tokens as before, unless they are registered with `dpop_bound_access_tokens`.",
    ),
    setting(
        "dpop.algorithms",
        Form::Texts,
        "[\"ES256\", \"ES384\", \"PS256\", \"EdDSA\", \"Ed25519\"]",
        "What proofs may be signed with. An HMAC is refused.",
    ),
    setting(
        "dpop.proof_lifetime",
        Form::Duration,
        "\"1m\"",
        "How long after it was made a proof can be used, once; at most `5m`.",
    ),
    setting(
        "dpop.clock_tolerance",
        Form::Duration,
        "\"1m\"",
        "How far the clock of a client may be ahead of the server's; at most `5m`.",
    ),
    setting(
        "dpop.require_nonce",
        Form::Switch,
        "false",
        "Whether every proof has to contain a nonce of this server, which lives for at most five minutes. Then no proof can be made in advance, and the clocks of clients do not matter. Clients that have none are told by `use_dpop_nonce`, so that their first request costs one more.",
    ),
];

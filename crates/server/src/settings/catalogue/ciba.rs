//! `[ciba]`: clients that ask a person at another device.

use super::{Form, Setting, setting};

pub(super) const CIBA: &[Setting] = &[
    setting(
        "ciba.offered",
        Form::Switch,
        "false",
        "Whether clients can ask a person at another device. They need `backchannel_token_delivery_mode` and, unless that is `push`, the grant type `urn:openid:params:grant-type:ciba`; strangers cannot register it unless a `[[registration_policy]]` names it.",
    ),
    setting(
        "ciba.delivery_modes",
        Form::Texts,
        "[\"poll\"]",
        "How clients may get the answer: they poll for it, are told when they can fetch it, or get the tokens sent. A FAPI profile does not permit `push`.",
    ),
    setting(
        "ciba.lifetime",
        Form::Duration,
        "\"10m\"",
        "How long a request waits for its person, at most 30 minutes; a client may ask for less (`requested_expiry`). Whoever decides at the last moment leaves the client `authorization_code.lifetime` to learn of it.",
    ),
    setting(
        "ciba.interval",
        Form::Duration,
        "\"5s\"",
        "How long a client has to wait between two polls, at most 1 minute. A client that polls too early hears `slow_down`, and its interval grows by 5 seconds.",
    ),
    setting(
        "ciba.open_limit",
        Form::Number,
        "1000",
        "How many requests of one client may wait at the same time, in each process.",
    ),
    setting(
        "ciba.person_limit",
        Form::Number,
        "10",
        "How many requests may wait for one person, in each process. Those that the person has refused count until their time is over, so that a client which asks again and again is not heard again and again.",
    ),
    setting(
        "ciba.binding_message_length",
        Form::Number,
        "60",
        "How many characters a binding message may have, at most 200. They are printable ASCII.",
    ),
    setting(
        "ciba.binding_message_required",
        Form::Switch,
        "false",
        "Whether each request needs a binding message, which the person compares with what the client shows.",
    ),
    setting(
        "ciba.notify.url",
        Form::Text,
        "\"\"",
        "The `https` URL of a web hook that tells people what waits for them, by push, mail or short message. A signed notice of each request is posted there and tried again until it is taken (see ciba.md).",
    ),
];

//! `[device_authorization]`: devices whose person decides in another place.

use super::{Form, Setting, setting};

pub(super) const DEVICE_AUTHORIZATION: &[Setting] = &[
    setting(
        "device_authorization.offered",
        Form::Switch,
        "false",
        "Whether devices without a browser can ask for their person. Clients need the grant type `urn:ietf:params:oauth:grant-type:device_code`; strangers cannot register it unless a `[[registration_policy]]` names it.",
    ),
    setting(
        "device_authorization.lifetime",
        Form::Duration,
        "\"10m\"",
        "How long a device waits for its person, at most 30 minutes. Whoever decides at the last moment leaves it `authorization_code.lifetime` to learn of it.",
    ),
    setting(
        "device_authorization.interval",
        Form::Duration,
        "\"5s\"",
        "How long a device has to wait between two polls, at most 1 minute. A device that polls too early hears `slow_down`, and its interval grows by 5 seconds.",
    ),
    setting(
        "device_authorization.open_limit",
        Form::Number,
        "1000",
        "How many devices of one client may wait at the same time, in each process; those of a client without authentication that come from one network, a quarter of it.",
    ),
    setting(
        "device_authorization.user_code_alphabet",
        Form::Choice(&["base-20", "digits"]),
        "\"base-20\"",
        "The characters of user codes: twenty consonants that cannot be taken for one another, or digits. People may type them in lower case.",
    ),
    setting(
        "device_authorization.user_code_mask",
        Form::Text,
        "\"****-****\"",
        "How user codes are written: `*` for each character, `-` and blanks between them. At least 7 characters, or 9 digits.",
    ),
    setting(
        "device_authorization.account_guesses",
        Form::Number,
        "10",
        "How many user codes a person who is signed in can get wrong within 15 minutes.",
    ),
    setting(
        "device_authorization.network_guesses",
        Form::Number,
        "50",
        "How many user codes those who are not signed in can get wrong within 15 minutes, all of one network together. Whoever is signed in is not kept waiting by them.",
    ),
];

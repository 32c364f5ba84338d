//! `[throttle]`: limits for guesses at passwords.

use super::{Form, Setting, setting};

pub(super) const THROTTLE: &[Setting] = &[
    setting(
        "throttle.failures",
        Form::Number,
        "5",
        "Failures of one name from one network, or from a browser that has signed in with it before, after which the next attempt from there must wait.",
    ),
    setting(
        "throttle.name_failures",
        Form::Number,
        "100",
        "Failures of one name from anywhere, after which one attempt per `first_wait` is checked, and one more, drawn by lot among those who come back, while too many wait. Browsers that have signed in with the name before do not count.",
    ),
    setting(
        "throttle.network_failures",
        Form::Number,
        "50",
        "Failures from one network, after which one attempt per `first_wait` is checked, and one more, drawn by lot among those who come back, while too many wait. Browsers that have signed in with the typed name before do not count.",
    ),
    setting(
        "throttle.first_wait",
        Form::Duration,
        "\"1s\"",
        "The first wait; each further failure doubles it.",
    ),
    setting(
        "throttle.longest_wait",
        Form::Duration,
        "\"15m\"",
        "The longest wait for a name from a network, and how long failures are remembered after a wait. Strangers can cause a wait of at most 30s.",
    ),
];

//! What is to be done about each reason. The line's `client_id` says which client it is.

mod clients;
mod requests;

pub(super) use clients::of_methods;

/// What is to be done, and the reasons for which that fits.
pub(super) type Remedy = (&'static str, &'static [&'static str]);

/// What is to be done about the reason of this name.
pub(super) fn of(name: &str) -> Option<&'static str> {
    let all = DEVELOPERS.into_iter().chain([OPERATORS, NOBODYS]).flatten();
    all.copied().find(|(_, reasons)| reasons.contains(&name)).map(|(what, _)| what)
}

/// Whether it is the developer of the client who has to mend it.
pub(super) fn is_developers(name: &str) -> bool {
    DEVELOPERS.into_iter().flatten().any(|(_, reasons)| reasons.contains(&name))
}

/// What the developer of the client compares with what.
pub(super) const DEVELOPERS: [&[Remedy]; 2] = [clients::CLIENTS, requests::REQUESTS];

/// What whoever runs the server does.
pub(super) const OPERATORS: &[Remedy] = &[
    (
        "nothing, if it is to stay out; `chancery client enable ID` (ID from the line's client_id) lets it in again",
        &[
            "client_disabled",
            "authorization_client_disabled",
            "logout_client_disabled",
            "logout_hint_client_disabled",
            "managed_client_disabled",
            "access_token_client_disabled",
            "gate_client_disabled",
        ],
    ),
    (
        "find the program that sends wrong secrets by the line's network; if it is your own, give it the right one, and it is let in \
         within minutes",
        &["client_secrets_throttled"],
    ),
    (
        "let `chancery check` name what the client's registration breaks, and mend it by `chancery client update ID` (ID from the \
         line's client_id), or its `resource_server.alg`",
        &["client_profile_broken", "access_token_algorithm_forbidden"],
    ),
    (
        "look at the line `client_keys_unavailable` or `request_object_unavailable` for the cause, and ask on this machine for the \
         address, as with `curl -v`; a host in your own network must be in `fetch.allow_hosts`",
        &[
            "client_keys_unavailable",
            "encryption_keys_unavailable",
            "request_object_keys_unavailable",
            "request_uri_unavailable",
        ],
    ),
    (
        "look at `chancery keys list`: no key signs at this moment by the algorithm for which this client is registered; `chancery keys \
         add ALGORITHM` makes one",
        &["nothing_signs"],
    ),
    (
        "look whether the client's people are so many, or one client asks again and again; `ciba.open_limit`, `ciba.person_limit`, \
         `device_authorization.open_limit` and `pushed_requests.open_limit` say how many requests may wait",
        &[
            "too_many_backchannel_requests",
            "person_asked_too_often",
            "too_many_devices_wait",
            "too_many_pushed_requests",
        ],
    ),
    (
        "look who registers so many by the line's network; `registration.network_quota` and `registration.total_quota` say how many may",
        &["too_many_registrations"],
    ),
    (
        "look whether the resource server or the type was to go from the configuration, or the scope, resource or type from the client \
         (`chancery client show ID`): what is granted for them is worth nothing until they are back, or people agree anew",
        &["gate_scopes_withdrawn", "gate_audience_withdrawn", "gate_details_withdrawn"],
    ),
    (
        "rename one of the two: the same id is in `chancery user list` and in `chancery client list`",
        &["gate_subject_is_a_client"],
    ),
    (
        "look at your proxy: it removes the header field that clients send and sets its own, in the form of `http.client_certificate`, \
         and its address is in `http.client_certificate_proxies`",
        &[
            "certificate_header_from_stranger",
            "certificate_header_not_alone",
            "certificate_header_malformed",
            "certificate_header_too_long",
        ],
    ),
    (
        "compare the line's origin with its own_origin. null: if it happens to everybody, people see the pages at another address than \
         the issuer's: a proxy that changes scheme, host or port is to be mended, or the issuer. An address of yours: the page there has \
         to be at the issuer's. Otherwise nothing: another site has sent a form here",
        &["form_of_another_origin"],
    ),
    (
        "look at pages of your own: they need the hidden fields of the form as the server gives them (docs/own-pages.md, or \
         `form.hidden_inputs()`). From a stranger, nothing",
        &["form_foreign", "form_incomplete", "form_without_action", "front_end_body", "front_end_page"],
    ),
    (
        "compare the line's origin with its own_origin, which is that of interaction.location: if it is an address of your own pages, \
         that setting is to name it; otherwise nothing: another site has called",
        &["not_of_front_end"],
    ),
    (
        "one person: their browser blocks cookies. Everybody: the address that people see is not the issuer's, or a proxy drops \
         `Cookie` or `Set-Cookie`",
        &["form_without_cookie"],
    ),
];

/// What goes on by itself, unless it is said of one client again and again.
pub(super) const NOBODYS: &[Remedy] = &[
    (
        "nothing: the page says so, and the person opens the application and begins again",
        &[
            "form_too_old",
            "form_of_another_browser",
            "form_of_another_request",
            "form_of_another_session",
            "form_of_former_session",
            "form_outdated",
            "form_answered",
            "form_of_nothing",
        ],
    ),
    (
        "nothing: the client polls again, and waits for `interval` seconds before, five more after each slow_down; if one never stops, its \
         developer looks at how it handles this error",
        &["authorization_pending", "polled_too_early"],
    ),
    (
        "nothing: nobody has decided in time, and the client begins again; `device_authorization.lifetime` and `ciba.lifetime` say how \
         long a request waits",
        &["device_code_expired", "auth_req_id_expired", "decision_too_late"],
    ),
    (
        "nothing: a person has said no, and the client is told so",
        &["declined", "nothing_granted", "consent_withdrawn"],
    ),
    (
        "nothing: the client has asked with `prompt=none`, or a page comes first; it is told so and asks again, with the person at hand. \
         If one client never stops, its developer looks at how it handles this error",
        &[
            "login_no_session",
            "select_session_ended",
            "login_requested",
            "login_too_old",
            "login_acr_not_met",
            "login_session_full",
            "select_other_person",
            "select_account_requested",
            "consent_requested",
            "consent_missing",
            "consent_native",
            "consent_details",
            "sign_up_requested",
            "custom_requested",
            "interaction_required",
            "confirmation_missing",
            "approval_missing",
        ],
    ),
    (
        "nothing: the client sends its person to sign in again, as the challenge in the answer says",
        &["access_token_authentication_too_weak", "access_token_authentication_too_old"],
    ),
    (
        "nothing: what was granted has ended, and the client has its person sign in and agree again",
        &[
            "gate_client_replaced",
            "gate_account_gone",
            "gate_account_disabled",
            "gate_signed_out_everywhere",
            "access_token_withdrawn",
        ],
    ),
    (
        "nothing: the answer has a nonce, and the client repeats its request with that; if one never stops, its developer looks at how it \
         handles this error",
        &["dpop_nonce_missing", "dpop_nonce_old"],
    ),
    (
        "nothing: the person types the code again, as the device shows it; many wrong ones from one network are somebody who guesses",
        &["user_code_malformed", "user_code_unknown", "user_code_guessed"],
    ),
    ("nothing: the connection broke, and whoever called does it again", &["body_broken_off"]),
];

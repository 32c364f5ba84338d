//! What is to be done about reasons that lie in the request of a client.

use super::Remedy;

/// What the developer of the client compares: what it asks for, and what it sends.
pub(crate) const REQUESTS: &[Remedy] = &[
    // What may it ask for?
    (
        "compare the request's `grant_type` with the client's grant_types (`chancery client show ID`). A program that acts for itself \
         is added by `chancery client add --kind machine`, and refresh tokens are for clients that were added with --refresh-tokens, \
         as `chancery client update ID --refresh-tokens` does later",
        &["grant_type_unregistered"],
    ),
    (
        "compare the client's token_endpoint_auth_method (`chancery client show ID`) with `none`: without a secret it cannot act for \
         itself; `chancery client add --kind machine` adds a client that can",
        &["client_credentials_of_a_public_client"],
    ),
    (
        "compare the client's grant_types (`chancery client show ID`) with urn:ietf:params:oauth:grant-type:device_code, which has to be \
         among them: `chancery client update ID JSON` changes that",
        &["device_grant_unregistered"],
    ),
    (
        "compare the client's grant_types and backchannel_token_delivery_mode (`chancery client show ID`) with docs/ciba.md and \
         `ciba.delivery_modes`",
        &["ciba_unregistered", "backchannel_tokens_are_pushed"],
    ),
    (
        "compare the request's `response_type` with the client's response_types (`chancery client show ID`): `code` is what to use. A \
         machine has none; `chancery client add` with --redirect-uri and --kind web, spa or native adds a client that signs people in",
        &["response_type_unregistered"],
    ),
    (
        "compare the request's `response_mode` with the client's response_modes (`chancery client show ID`) and with the metadata: \
         without that parameter, it is the one that fits",
        &[
            "response_mode_unregistered",
            "response_mode_unsafe",
            "response_mode_unencrypted",
            "response_unsigned",
        ],
    ),
    (
        "compare the line's redirect_uri with `chancery client show ID`; if it is the client's own, `chancery client update ID` with \
         --redirect-uri for each of all its addresses registers it; otherwise somebody has made a link of their own",
        &["redirect_uri_unregistered"],
    ),
    (
        "compare the line's redirect_uri with the post_logout_redirect_uris in `chancery client show ID`; if it is the client's own, \
         `chancery client update ID` with --post-logout-redirect-uri for each of all its addresses registers it",
        &["post_logout_uri_unregistered"],
    ),
    (
        "compare the request with the client's redirect_uris (`chancery client show ID`): one of them has to be in it as \
         `redirect_uri`",
        &["redirect_uri_missing"],
    ),
    (
        "compare the request's `scope` with the client's scope (`chancery client show ID`), and with what the server knows: \
         `scopes.extra`, `[claims.scopes]` and scopes of a [[resource_server]]",
        &["scope_not_allowed", "scope_unknown", "scope_nothing", "scope_malformed"],
    ),
    (
        "compare the request's `scope` with what a client that acts for itself can have: scopes of a [[resource_server]], or of `scopes.extra`; \
         not `openid`, nor what stands for claims of a person (`[claims.scopes]`). `offline_access` needs refresh tokens (`chancery \
         client update ID --refresh-tokens`)",
        &["scope_nothing_of_use"],
    ),
    (
        "compare the `scope` of the token request with what the person has agreed to, which the first token response tells",
        &["scope_exceeds_grant"],
    ),
    (
        "compare the request's `scope` with the scopes of the [[resource_server]] that it names by `resource`, or that is the client's \
         default_resource (`chancery client show ID`)",
        &["scope_nothing_for_audience"],
    ),
    (
        "compare the request's `resource` with the uri of each [[resource_server]], letter by letter, and with the client's resources \
         and default_resource (`chancery client show ID`)",
        &["resource_unknown", "resource_not_allowed", "resource_malformed", "resources_too_many"],
    ),
    (
        "compare the `resource` of the token request with those of the authorization request: one of them, and the token is for that \
         alone",
        &["resource_not_granted", "resource_ambiguous"],
    ),
    (
        "compare the request's `scope` with the `openid` that it needs",
        &[
            "openid_scope_missing",
            "openid_missing",
            "openid_missing_for_id_token",
            "backchannel_openid_missing",
            "backchannel_scope_missing",
        ],
    ),
    (
        "compare the request's `authorization_details` with the schema of its type ([authorization_details] of the configuration) and \
         with the client's authorization_details_types (`chancery client show ID`)",
        &[
            "authorization_details_unsupported",
            "details_malformed",
            "details_too_long",
            "detail_type_missing",
            "detail_type_unknown",
            "detail_type_not_allowed",
            "detail_member_unknown",
            "detail_member_type",
            "detail_member_value",
            "detail_member_missing",
        ],
    ),
    (
        "compare the `authorization_details` of the token request with those that the person has allowed, which the token response \
         tells: these or less",
        &["details_exceed_grant"],
    ),
    (
        "compare the request with docs/authorization-details.md: `authorization_details` are for `response_type=code`, where a person \
         is asked",
        &["details_without_person", "details_without_code"],
    ),
    // What does it send for a token?
    (
        "compare the token request's `redirect_uri` with that of the authorization request: it is the same, letter by letter, also the \
         last `/`, or in neither of them",
        &["code_redirect_uri"],
    ),
    (
        "compare the token request's `code_verifier` with the one of which the authorization request's code_challenge was made \
         (base64url of its SHA-256, without =): a page that begins again, or a second tab, has made another one; who sends no \
         code_challenge sends no verifier either",
        &["code_verifier"],
    ),
    (
        "compare the time between the redirect and the token request with `authorization_code.lifetime`: the client is to redeem a code \
         at once",
        &["code_expired"],
    ),
    (
        "compare the `code` with the one of the redirect, whole and decoded once, and the issuer with the one that gave it; a code \
         whose grant was ended is unknown, too: look for `grant_ended` before",
        &["code_unknown"],
    ),
    (
        "compare how often a page or a server sends the same `code`: once is right; a reload of the redirect's page sends it again",
        &["code_used"],
    ),
    (
        "compare the client_id of the token request with that of the request that gave this code or token: it is another one",
        &[
            "code_foreign",
            "refresh_token_foreign",
            "device_code_foreign",
            "auth_req_id_foreign",
            "pushed_request_foreign",
            "interaction_of_another_client",
        ],
    ),
    (
        "compare the key of the DPoP proof, or the certificate, with the one of the request that gave this code or token: it is the same \
         for as long as they live",
        &[
            "code_bound_to_another_key",
            "refresh_token_bound_to_another_key",
            "access_token_bound_to_another_key",
            "pushed_key_mismatch",
        ],
    ),
    (
        "compare what the client stores with the newest answer: it has to keep the `refresh_token` of each response, in one place for \
         all its threads and tabs; ChanceryReplay in docs/operate.md says what if it was stolen",
        &["refresh_token_used"],
    ),
    (
        "compare the `refresh_token` with the newest that the client got from this issuer; if it is that, it has been unused for longer \
         than `refresh_token.idle` or lives no longer (`refresh_token.absolute`), or its grant was ended: look for `grant_ended` before",
        &["refresh_token_unknown"],
    ),
    (
        "compare the `device_code` or `auth_req_id` with the one that the client got from this issuer: it is polled for until there are \
         tokens, and never after",
        &["device_code_unknown", "device_code_used", "auth_req_id_unknown", "auth_req_id_used"],
    ),
    (
        "compare the access token with the one that the client got from this issuer, and its age with `expires_in`; if it is that, its \
         grant was ended: look for `grant_ended` before",
        &["access_token_unknown"],
    ),
    (
        "compare the `aud` of the access token with the API that it is sent to; `resource` of the request chooses it",
        &["access_token_for_another_audience"],
    ),
    (
        "compare the request with RFC 6750 section 2.1: one header `Authorization: Bearer TOKEN`, and the token nowhere else",
        &[
            "access_token_missing",
            "access_token_in_query",
            "access_token_in_several_places",
            "authorization_scheme_unsupported",
            "bearer_header_malformed",
        ],
    ),
    (
        "compare the registration access token with the newest that the client got, and its address with `registration_client_uri`",
        &["registration_access_token_unknown"],
    ),
    (
        "compare the initial access token with `chancery registration-token list`; `chancery registration-token add` makes another one",
        &["initial_access_token_missing", "initial_access_token_unknown"],
    ),
    // Proofs of possession
    (
        "compare the request with RFC 9449 section 7.1: the header `DPoP` with a proof, and `Authorization: DPoP TOKEN`, go together",
        &["access_token_without_proof", "proof_without_dpop_scheme"],
    ),
    (
        "compare the request with dpop_bound_access_tokens and tls_client_certificate_bound_access_tokens of the client (`chancery \
         client show ID`): by what its tokens are bound it has to show, and nothing else",
        &["dpop_proof_missing", "several_proofs_of_possession", "token_binding_demanded"],
    ),
    (
        "compare the DPoP proof with RFC 9449 section 4.2: one header, one signed JWT with `typ`, `alg` and `jwk` in its header, and \
         `jti`, `htm`, `htu`, `iat` and, beside an access token, `ath`; `dpop.algorithms` has what may sign it",
        &[
            "dpop_header_repeated",
            "dpop_proof_malformed",
            "dpop_proof_incomplete",
            "dpop_type_wrong",
            "dpop_algorithm_wrong",
            "dpop_key_wrong",
            "dpop_signature_wrong",
            "dpop_jkt_malformed",
        ],
    ),
    (
        "compare `htm` and `htu` of the DPoP proof with the method and the address of the request, without query: the address has to \
         begin with the issuer",
        &["dpop_method_wrong", "dpop_target_wrong"],
    ),
    (
        "compare `iat` of the DPoP proof with the clocks of both machines, with `dpop.proof_lifetime` and with `dpop.clock_tolerance`",
        &["dpop_proof_expired", "dpop_proof_not_yet_valid"],
    ),
    ("compare `ath` of the DPoP proof with the SHA-256 of the access token beside it", &["dpop_token_wrong"]),
    (
        "compare the `nonce` of the DPoP proof with the header DPoP-Nonce of this server's last answer, and of no other server's",
        &["dpop_nonce_unknown"],
    ),
    // PKCE
    (
        "compare the request with RFC 7636 section 4.3: `code_challenge`, 43 characters of base64url, and `code_challenge_method=S256`; \
         in most libraries that is one setting, called PKCE. `chancery.pkce_optional` of a client that cannot permits to leave it out",
        &[
            "pkce_missing",
            "pkce_challenge_malformed",
            "pkce_plain_challenge_malformed",
            "pkce_method_without_challenge",
            "pkce_method_unsupported",
            "pkce_method_unknown",
        ],
    ),
    (
        "compare the `code_verifier` with RFC 7636 section 4.1: 43 to 128 letters, digits and - . _ ~",
        &["pkce_verifier_malformed"],
    ),
    // Request objects and pushed requests
    (
        "compare the request object with RFC 9101 section 4: a JWT whose `iss` and `client_id` are the client, whose \
         `aud` is the issuer, with the parameters as claims of the right type",
        &[
            "request_object_malformed",
            "request_object_type_wrong",
            "request_object_nested",
            "request_object_client_wrong",
            "request_object_response_type_different",
            "request_object_issuer_wrong",
            "request_object_audience_wrong",
            "request_object_without_iat",
            "request_object_without_jti",
            "request_object_value_malformed",
            "parameters_beside_signed_request",
        ],
    ),
    (
        "compare `exp`, `nbf` and `iat` of the request object with the clocks of both machines: it is made for one request",
        &[
            "request_object_expired",
            "request_object_not_yet_valid",
            "request_object_without_time",
            "request_object_lifetime_too_long",
        ],
    ),
    (
        "compare `alg` and `enc` of the request object with the client's request_object_ members (`chancery client show ID`), and with \
         the algorithms in the metadata",
        &["request_object_algorithm_wrong", "request_object_encryption_wrong"],
    ),
    (
        "compare the key for which the request object is encrypted with those at `jwks_uri` of the metadata, and the key that signs it \
         with the client's own (`chancery client show ID`)",
        &["request_object_not_opened"],
    ),
    (
        "compare the request with the client's require_signed_request_object, request_object_signing_alg and \
         backchannel_authentication_request_signing_alg (`chancery client show ID`), which say whether it is signed",
        &["request_unsigned", "backchannel_request_unsigned", "backchannel_signing_unregistered"],
    ),
    (
        "compare the request with the client's require_pushed_authorization_requests (`chancery client show ID`) and with \
         `pushed_requests`: it is pushed first, and the browser comes with the `request_uri` that this gives, once and soon",
        &["request_not_pushed", "pushed_request_unknown", "pushed_request_used", "request_uri_pushed"],
    ),
    (
        "compare the request's `request_uri` with the client's request_uris (`chancery client show ID`), letter by letter; what is \
         behind it must not stand beside it",
        &["request_uri_unregistered", "request_and_request_uri"],
    ),
    // A request at another device
    (
        "compare the request with CIBA Core section 7.1: exactly one of `login_hint`, `id_token_hint` and `login_hint_token`, of a person \
         of this server (`chancery user list`)",
        &[
            "backchannel_hint_missing",
            "backchannel_hints_several",
            "backchannel_person_unknown",
            "login_hint_token_unsupported",
            "login_hint_token_expired",
            "login_hint_token_invalid",
        ],
    ),
    (
        "compare the request's `user_code` with what the person has chosen; the client asks them again",
        &["backchannel_user_code_missing", "backchannel_user_code_wrong"],
    ),
    (
        "compare the request with CIBA Core section 7.1, and with docs/ciba.md: error_description, which the client got, names the \
         parameter",
        &[
            "client_notification_token_missing",
            "client_notification_token_malformed",
            "requested_expiry_malformed",
            "auth_req_id_missing",
        ],
    ),
    (
        "compare the request's `binding_message` with `ciba.binding_message_length` and `ciba.binding_message_required`",
        &["binding_message_unfit", "binding_message_missing"],
    ),
    // Who is meant?
    (
        "compare the `id_token_hint` with the last ID token that this issuer has given to this client: whole, and not encrypted",
        &["id_token_hint_invalid", "logout_hint_invalid", "backchannel_id_token_hint_foreign"],
    ),
    (
        "compare the `sub` that `claims` demands with the one in `id_token_hint`: both name the same person",
        &["subject_impossible"],
    ),
    (
        "compare the `acr` that the client demands, in `acr_values` or `claims`, with `acr_values_supported` in the metadata: no login \
         here reaches another one",
        &["acr_unreachable"],
    ),
    (
        "compare the request's `claims` with OIDC Core section 5.5, and with the response_type, which has to give the token that they \
         are for",
        &["claims_malformed", "claims_without_tokens", "claims_without_access_token"],
    ),
    // What a request must look like
    (
        "compare the request with what the server offers, in /.well-known/openid-configuration; if it is wanted, docs/configuration.md \
         says how it is switched on",
        &[
            "grant_type_unsupported",
            "response_mode_unsupported",
            "response_type_unsupported",
            "prompt_unsupported",
            "request_unsupported",
            "request_uri_unsupported",
            "registration_unsupported",
            "web_message_relay",
            "id_token_unsigned",
        ],
    ),
    (
        "compare the request with the section named above: error_description, which the client got, says what is wrong with it",
        &[
            "malformed_parameter",
            "grant_type_missing",
            "code_missing",
            "refresh_token_missing",
            "device_code_missing",
            "response_type_missing",
            "prompt_none_combined",
            "nonce_missing",
            "state_missing",
            "max_age_malformed",
            "parameter_too_long",
            "request_too_long",
            "logout_state_too_long",
            "introspected_token_missing",
            "revoked_token_missing",
            "body_too_long",
            "header_doubled",
            "url_too_long",
        ],
    ),
    (
        "compare the `Content-Type` of the request with what it has to be: application/x-www-form-urlencoded, or application/json where \
         a client registers itself",
        &["content_type_unsupported", "content_type_not_json"],
    ),
    (
        "compare the request with docs/resource-servers.md: an API is a client of its own that proves itself when it introspects, and \
         admits the media type that it is registered for",
        &["introspection_without_authentication", "introspection_jwt_not_accepted"],
    ),
];

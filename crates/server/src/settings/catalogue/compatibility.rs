//! `[compatibility]`: what can be loosened, and which section each setting leaves.

use super::{Form, Setting, setting};

pub(super) const COMPATIBILITY: &[Setting] = &[
    setting(
        "compatibility.any_redirect_scheme",
        Form::Switch,
        "false",
        "Whether clients may be registered with redirect URIs of any scheme (OIDC Registration section 2), such as `http` on a remote host, where everybody on the way reads the code, or `app:`, which any application on a device can claim. Schemes that a browser runs or opens itself, such as `javascript` and `data`, are refused all the same, and so is everything but `https` for web clients with tokens from the authorization endpoint. A client that registers itself may not. A single client can be permitted it by itself (`any_redirect_scheme` below `chancery` in its metadata).",
    ),
    setting(
        "compatibility.assertion_audience",
        Form::Choice(&["issuer", "endpoints"]),
        "\"issuer\"",
        "Whom the assertions of clients may be for. With `endpoints`, their `aud` may also be the URL of the token endpoint or of the endpoint that is called, which leaves draft-ietf-oauth-rfc7523bis section 4: another server that the client uses can have it sign an assertion that is good here. The drafts of FAPI 2.0 want this; with `profile`, it leaves section 5.3.2.1-8 of the final version. A client can be permitted it by itself (`assertion_audience` below `chancery` in its metadata), if it is not held to FAPI 2.0.",
    ),
    setting(
        "compatibility.empty_scope_members",
        Form::Switch,
        "false",
        "Whether token responses, introspection and JWT access tokens have `\"scope\": \"\"` where nothing was granted, instead of no `scope` (RFC 6749 section 3.3). A single client can get it by itself (`empty_scope_members`).",
    ),
    setting(
        "compatibility.hybrid",
        Form::Switch,
        "false",
        "Whether clients may be registered for the response types `code id_token`, `code token` and `code id_token token`, whose tokens go through the browser (RFC 9700 section 2.1.2).",
    ),
    setting(
        "compatibility.implicit",
        Form::Switch,
        "false",
        "Whether clients may be registered for the response types `id_token` and `id_token token`, whose tokens go through the browser and nowhere else (RFC 9700 section 2.1.2). The response type `token` does not exist.",
    ),
    setting(
        "compatibility.normalised_redirect_match",
        Form::Switch,
        "false",
        "Whether `redirect_uri` may be spelled differently from the registered one, if both are equivalent (RFC 3986 sections 6.2.2 and 6.2.3): the case of scheme and host, a default port, dot segments, needless encoding, a missing `/` behind the host. This leaves exact string matching (RFC 9700 section 2.1). A single client can be permitted it by itself (`normalised_redirect_match`).",
    ),
    setting(
        "compatibility.pkce_optional",
        Form::Choice(&["never", "confidential", "always"]),
        "\"never\"",
        "Which clients may omit PKCE (RFC 9700 section 2.1.1): `confidential` ones, which authenticate, or `always`, also public ones, whose codes anybody can redeem who intercepts them. A single client can be exempted by itself (`pkce_optional` below `chancery` in its metadata).",
    ),
    setting(
        "compatibility.pkce_plain",
        Form::Switch,
        "false",
        "Whether every client may use the code challenge method `plain` (RFC 9700 section 2.1.1), which does not help against somebody who reads the authorization request. A single client can be allowed it (`pkce_plain`).",
    ),
    setting(
        "compatibility.query_access_token",
        Form::Switch,
        "false",
        "Whether UserInfo accepts an access token in the query (RFC 6750 section 2.3), which ends up in logs and histories (RFC 9700 section 4.3.2).",
    ),
    setting(
        "compatibility.request_object_merging",
        Form::Switch,
        "false",
        "Whether parameters that stand outside of a request object, and not in it, count as well (OIDC Core section 6.1), although nobody has signed them (RFC 9101 section 6.3). Only for requests with the scope `openid` outside, and never for a client that has to sign its requests.",
    ),
    setting(
        "compatibility.stored_interactions_by_client",
        Form::TextByName,
        "{}",
        "For front ends of Logto's fork whose pages carry no handle: a table with `parameter`, `header` or both (Logto's are `app_id` and `Logto-App-Id`), where the pages of `interaction.location` name the client that they are about. The browser then gets a cookie for each client, at most 8, by which its sign-in is found, and without a name the newest (OIDC Core section 3.1.2.3): two tabs of one client are one. Every request is stored, so that `interaction.anonymous_limit` bounds how many people can sign in within `interaction.lifetime`.",
    ),
    setting(
        "compatibility.unauthenticated_introspection",
        Form::Switch,
        "false",
        "Whether a client that does not authenticate may introspect its own tokens, in plain text (RFC 7662 section 4). Whoever has found such a token learns from it whose it is and what it is good for.",
    ),
    setting(
        "compatibility.unregistered_redirect_uris",
        Form::Switch,
        "false",
        "Whether clients that authenticate may push authorization requests with redirect URIs that they have not registered, but could register (RFC 9126 section 2.4). Not for clients whose redirect URIs say to which sector they belong (OIDC Core section 8.1).",
    ),
    setting(
        "compatibility.unsigned_id_token",
        Form::Switch,
        "false",
        "Whether clients may be registered for ID tokens without a signature (`id_token_signed_response_alg` is `none`; RFC 8725 section 3.2). They come from the token endpoint alone, where TLS protects them (OIDC Core section 3.1.3.7).",
    ),
    setting(
        "compatibility.unsigned_request_object",
        Form::Switch,
        "false",
        "Whether request objects without a signature (`none`; RFC 9101 section 10.5) are accepted from clients that are registered for them, or for no algorithm (`request_object_signing_alg`).",
    ),
    setting(
        "compatibility.wildcard_redirect_uris",
        Form::Switch,
        "false",
        "Whether `*` in a registered redirect URI is a wildcard (RFC 9700 section 2.1): for one or more letters, digits, `-` and `_` within a label of the host, but not within the last two, and for anything in the path. Whoever controls any page that the pattern admits gets the codes. Without it no redirect URI may have a `*`. A client that registers itself may not. A single client can be permitted it by itself (`wildcard_redirect_uris`).",
    ),
];

#!/usr/bin/env python3
"""The PyPI package Authlib, unmodified, against the issuer of a fixture (see openid_client.mjs):

    authlib_client.py FIXTURE.json
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

import requests  # noqa: E402
from authlib.common.security import generate_token  # noqa: E402
from authlib.integrations.base_client import OAuthError  # noqa: E402
from authlib.integrations.requests_client import OAuth2Session  # noqa: E402
from authlib.oidc.core import CodeIDToken  # noqa: E402
from joserfc import jwk, jwt  # noqa: E402

from checks import Checks  # noqa: E402
from person import Person  # noqa: E402


def session(client, server, **more):
    """A session of a client, as Authlib's documentation sets it up."""
    method = "client_secret_basic" if "client_secret" in client else "none"
    return OAuth2Session(client["client_id"], client.get("client_secret"), token_endpoint_auth_method=method,
                         revocation_endpoint_auth_method=method, **more)


def id_token_claims(text, server, **expected):
    """Signature by the published keys, and all that OpenID Connect Core 3.1.3.7 demands."""
    keys = jwk.KeySet.import_key_set(requests.get(server["jwks_uri"], timeout=10).json())
    token = jwt.decode(text, keys, algorithms=["RS256", "ES256", "PS256", "EdDSA"])
    params = {key: value for key, value in expected.items() if key != "aud"}
    claims = CodeIDToken(token.claims, token.header, {"iss": {"value": server["issuer"]},
                                                      "aud": {"value": expected["aud"]}}, params)
    claims.validate(leeway=5)
    return claims


def main():
    fixture = json.load(open(sys.argv[1], encoding="utf-8"))
    app, api, issuer = fixture["app"], fixture["api"], fixture["issuer"]
    checks = Checks(f"{fixture['name']}, Authlib: ")
    server, client, machine, token = {}, None, None, {}

    def introspect(text):
        return machine.introspect_token(server["introspection_endpoint"], token=text).json()

    with checks.case("discovery"):
        server = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
        assert server["issuer"] == issuer
        client = session(app, server, scope=app["scope"], redirect_uri=app["redirect_uri"],
                         code_challenge_method="S256")
        machine = session(api, server, scope=api.get("scope"))

    with checks.case("code with PKCE"):
        verifier, nonce = generate_token(48), generate_token(32)
        url, state = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier,
                                                     nonce=nonce, **app.get("parameters", {}))
        answer = Person(fixture["username"], fixture["password"]).authorize(url)
        token = client.fetch_token(server["token_endpoint"], authorization_response=answer, code_verifier=verifier,
                                   state=state)
        claims = id_token_claims(token["id_token"], server, nonce=nonce, aud=app["client_id"],
                                 client_id=app["client_id"], access_token=token["access_token"])
        assert claims["sub"]

    with checks.case("UserInfo"):
        userinfo = client.get(server["userinfo_endpoint"]).json()
        assert userinfo["sub"] == claims["sub"]

    with checks.case("refresh"):
        before = dict(token)
        token = client.refresh_token(server["token_endpoint"], refresh_token=token["refresh_token"])
        assert token["access_token"] != before["access_token"]
        assert client.get(server["userinfo_endpoint"]).json()["sub"] == claims["sub"]

    with checks.case("introspection"):
        seen = introspect(token["access_token"])
        assert seen["active"] and seen["client_id"] == app["client_id"] and seen["sub"] == claims["sub"]

    with checks.case("revocation"):
        answer = client.revoke_token(server["revocation_endpoint"], token=token["access_token"],
                                     token_type_hint="access_token")
        assert answer.status_code == 200 and answer.content == b"" and "Content-Type" not in answer.headers
        assert introspect(token["access_token"]) == {"active": False}
        assert client.get(server["userinfo_endpoint"], withhold_token=True, headers={
            "Authorization": f"Bearer {token['access_token']}"}).status_code == 401

    with checks.case("revocation of the refresh token"):
        client.revoke_token(server["revocation_endpoint"], token=token["refresh_token"], token_type_hint="refresh_token")
        try:
            client.refresh_token(server["token_endpoint"], refresh_token=token["refresh_token"])
            raise AssertionError("a revoked refresh token works")
        except OAuthError as error:
            assert error.error == "invalid_grant"

    with checks.case("client credentials"):
        own = machine.fetch_token(server["token_endpoint"], grant_type="client_credentials")
        seen = introspect(own["access_token"])
        assert seen["active"] and seen["client_id"] == api["client_id"]
    checks.close()


if __name__ == "__main__":
    main()

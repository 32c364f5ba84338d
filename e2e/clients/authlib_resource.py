#!/usr/bin/env python3
"""The resource protector of the PyPI package Authlib, unmodified, before APIs that take the tokens of a fixture's provider: one by
JWTs (RFC 9068), one by introspection (RFC 7662).

    authlib_resource.py FIXTURE.json
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

import requests  # noqa: E402
from authlib.oauth2.base import OAuth2Error  # noqa: E402
from authlib.oauth2.rfc6749.resource_protector import ResourceProtector  # noqa: E402
from authlib.oauth2.rfc7662 import IntrospectTokenValidator  # noqa: E402
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator  # noqa: E402

from checks import Checks  # noqa: E402


def main():
    fixture = json.load(open(sys.argv[1], encoding="utf-8"))
    app, api, resources = fixture["app"], fixture["introspecting"][0], fixture["resources"]
    server = requests.get(f"{fixture['issuer']}/.well-known/openid-configuration", timeout=10).json()
    checks = Checks(f"{fixture['name']}, Authlib: ")

    class OfJwts(JWTBearerTokenValidator):
        def get_jwks(self):
            return requests.get(server["jwks_uri"], timeout=10).json()

    class Introspecting(IntrospectTokenValidator):
        def introspect_token(self, token_string):
            answer = requests.post(server["introspection_endpoint"], data={"token": token_string}, timeout=10,
                                   auth=(api["client_id"], api["client_secret"]))
            answer.raise_for_status()
            return answer.json()

    def protected(validator):
        protector = ResourceProtector()
        protector.register_token_validator(validator)

        def asked(token, scope):
            """What the API learns, or the error that it answers."""
            request = SimpleNamespace(headers={"Authorization": f"Bearer {token}"})
            try:
                return dict(protector.validate_request([scope], request))
            except OAuth2Error as error:
                return error.error
        return asked

    def token(name):
        of = resources[name]
        form = {"grant_type": "client_credentials", "resource": of["uri"], "scope": of["scope"]}
        answer = requests.post(server["token_endpoint"], data=form, timeout=10, auth=(app["client_id"], app["client_secret"]))
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    jwt_api, opaque_api = "photos", next(name for name in resources if name != "photos")
    of_jwts = protected(OfJwts(fixture["issuer"], resources[jwt_api]["uri"]))
    with checks.case("a JWT access token"):
        told = of_jwts(token(jwt_api), resources[jwt_api]["scope"])
        assert told["client_id"] == told["sub"] == app["client_id"] and told["aud"] == resources[jwt_api]["uri"], told
    with checks.case("a JWT without the scope, a changed one, and an opaque one"):
        jwt = token(jwt_api)
        assert of_jwts(jwt, "another") == "insufficient_scope"
        assert of_jwts(jwt[:-4] + "AAAA", resources[jwt_api]["scope"]) == "invalid_token"
        assert of_jwts(token(opaque_api), resources[jwt_api]["scope"]) == "invalid_token"
    introspecting = protected(Introspecting())
    with checks.case("an opaque token by introspection, and a JWT"):
        for name in (opaque_api, jwt_api):
            told = introspecting(token(name), resources[name]["scope"])
            assert told["active"] and told["client_id"] == app["client_id"], told
            assert told["aud"] == resources[name]["uri"], told
    with checks.case("revoked, without the scope, and nonsense"):
        opaque = token(opaque_api)
        assert introspecting(opaque, "another") == "insufficient_scope"
        requests.post(server["revocation_endpoint"], data={"token": opaque}, timeout=10,
                      auth=(app["client_id"], app["client_secret"])).raise_for_status()
        assert introspecting(opaque, resources[opaque_api]["scope"]) == "invalid_token"
        assert introspecting("nonsense", resources[opaque_api]["scope"]) == "invalid_token"
    checks.close()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The PyPI package idpyoidc, unmodified: it registers itself at the issuer of a fixture, and signs in.

    idpyoidc_client.py FIXTURE.json
"""

import copy
import json
import logging
import sys
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from idpyoidc.client.defaults import DEFAULT_CLIENT_CONFIGS, DEFAULT_KEY_DEFS  # noqa: E402
from idpyoidc.client.rp_handler import RPHandler  # noqa: E402

from checks import Checks  # noqa: E402
from person import Person  # noqa: E402


def handler(fixture, method):
    """One that registers for a way of client authentication (version 5.0.0 writes assertions without `iss`). It also names
    an algorithm for assertions, of which it sends none."""
    app = fixture["app"]
    of_issuer = copy.deepcopy(DEFAULT_CLIENT_CONFIGS[""])
    of_issuer |= {"issuer": fixture["issuer"], "redirect_uris": [app["redirect_uri"]],
                  "client_authn_methods": [method]}
    of_issuer["preference"] |= {"response_types": ["code"], "token_endpoint_auth_methods_supported": [method],
                                **app["metadata"]}
    del of_issuer["preference"]["token_endpoint_auth_method"]
    return RPHandler(base_url=app["redirect_uri"].rsplit("/", 1)[0], client_configs={"provider": of_issuer},
                     key_conf={"key_defs": DEFAULT_KEY_DEFS})


def login(fixture, relying_party, **more):
    """What the package makes of the answer."""
    url = relying_party.begin("provider", req_args=more)
    answer = Person(fixture["username"], fixture["password"]).authorize(url)
    response = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer).query))
    return relying_party.finalize(fixture["issuer"], response)


def main():
    fixture = json.load(open(sys.argv[1], encoding="utf-8"))
    logging.disable()  # it reports what it was asked to do as warnings
    checks = Checks(f"{fixture['name']}, idpyoidc: ")
    for method in ("client_secret_basic", "client_secret_post"):
        with checks.case(f"registration with {method}, login, UserInfo"):
            relying_party = handler(fixture, method)
            seen = login(fixture, relying_party)
            assert "error" not in seen, seen
            registered = relying_party.issuer2rp[fixture["issuer"]].get_context().registration_response
            assert registered["token_endpoint_auth_method"] == method
            assert seen["userinfo"]["sub"] == seen["id_token"]["sub"]
    checks.close()


if __name__ == "__main__":
    main()

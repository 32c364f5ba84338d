#!/usr/bin/env python3
"""The PyPI package Authlib, unmodified, as a device without a browser (RFC 8628), against the issuer of a fixture that names
clients for devices:

    authlib_device.py FIXTURE.json
"""

import json
import sys
import time

from authlib_client import id_token_claims, session

import requests
from authlib.integrations.base_client import OAuthError

from checks import Checks
from person import Person

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def main():
    fixture = json.load(open(sys.argv[1], encoding="utf-8"))
    checks = Checks(f"{fixture['name']}, Authlib: ")
    server = requests.get(f"{fixture['issuer']}/.well-known/openid-configuration", timeout=10).json()
    for of in fixture["clients"]:
        device = session(of, server, scope=fixture["scope"])

        def ask():
            """What the device shows and polls with. Authlib sends no such request by itself."""
            auth = (of["client_id"], of["client_secret"]) if "client_secret" in of else None
            form = {"scope": fixture["scope"]} | ({} if auth else {"client_id": of["client_id"]})
            return requests.post(server["device_authorization_endpoint"], data=form, auth=auth, timeout=10).json()

        def poll(asked):
            return device.fetch_token(server["token_endpoint"], grant_type=GRANT, device_code=asked["device_code"])

        def refusal(asked):
            try:
                poll(asked)
                return None
            except OAuthError as error:
                return error.error

        def person(asked, action):
            return Person(fixture["username"], fixture["password"]).decide(asked["verification_uri_complete"], action)

        with checks.case(f"{of['client_id']}: a device gets what its person allows"):
            asked = ask()
            assert refusal(asked) == "authorization_pending"
            assert person(asked, "confirm") == "device-done"
            time.sleep(asked["interval"])
            token = poll(asked)
            claims = id_token_claims(token["id_token"], server, aud=of["client_id"], client_id=of["client_id"],
                                     access_token=token["access_token"])
            assert device.get(server["userinfo_endpoint"]).json()["sub"] == claims["sub"]
            fresh = device.refresh_token(server["token_endpoint"], refresh_token=token["refresh_token"])
            assert fresh["access_token"] != token["access_token"]
            assert refusal(asked) == "invalid_grant"

        with checks.case(f"{of['client_id']}: a no is told"):
            asked = ask()
            assert person(asked, "deny") == "device-done"
            assert refusal(asked) == "access_denied"
    checks.close()


if __name__ == "__main__":
    main()

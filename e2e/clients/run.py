"""npm `openid-client` 6 and PyPI `Authlib`, unmodified, over sockets: A8, and A15 with the provider under /oidc."""

import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

import requests  # noqa: E402

from checks import Checks  # noqa: E402
from example import Example  # noqa: E402
from provider import PERSON, Provider, free_port, known_secret  # noqa: E402

HERE = Path(__file__).resolve().parent
CALLBACK = "http://127.0.0.1:4999/callback"
SCOPE = "openid profile email offline_access"


def judge(checks, fixture):
    """Both libraries on one fixture."""
    for command in (["node", "openid_client.mjs"], [sys.executable, "-B", "authlib_client.py"]):
        done = subprocess.run([*command, str(fixture)], cwd=HERE, text=True, stdout=subprocess.PIPE,
                              timeout=120)
        *lines, last = done.stdout.rstrip("\n").split("\n")
        print("\n".join(lines), flush=True)
        if not checks.absorb(last):
            print(last, flush=True)
            checks.check(f"{command[-1]} runs to its end", False)


def standalone(checks):
    """The server binary, with a confidential and with a public client."""
    with Provider("clients") as provider:
        flow = {"redirect_uris": [CALLBACK], "application_type": "native", "response_types": ["code"], "scope": SCOPE,
                "grant_types": ["authorization_code", "refresh_token"]}
        web = provider.add_client(client_id="web", client_name="Web", **flow,
                                  token_endpoint_auth_method="client_secret_basic")
        app = provider.add_client(client_id="app", client_name="App", **flow,
                                  token_endpoint_auth_method="none")
        api = provider.add_client(client_id="api", client_name="API", redirect_uris=[], response_types=[],
                                  grant_types=["client_credentials"], chancery={"introspects": ["web", "app"]},
                                  token_endpoint_auth_method="client_secret_basic")
        provider.serve()
        for client in (web, app):
            of_client = {key: client[key] for key in ("client_id", "client_secret") if key in client}
            judge(checks, provider.fixture(f"standalone, {client['client_name']}",
                                           {**of_client, "redirect_uri": CALLBACK, "scope": SCOPE},
                                           {key: api[key] for key in ("client_id", "client_secret")}))
        command_is_seen(checks, provider, api)


def command_is_seen(checks, provider, api):
    """What a command changes, the server has noticed a second later (A22)."""
    def token():
        return requests.post(f"{provider.issuer}/token", data={"grant_type": "client_credentials"}, timeout=5,
                             auth=(api["client_id"], api["client_secret"])).status_code

    before = token()
    provider.command("client", "remove", api["client_id"])
    time.sleep(1)
    after = token()
    checks.check("A22 a command's change is seen within 1 s", (before, after) == (200, 401), f"{before}, then {after}")


def mounted(checks):
    """The example that mounts the provider under /oidc of an axum application."""
    with Example("examples/mounted", free_port(), "/oidc") as example:
        fixture = Path(example.folder.name) / "fixture.json"
        fixture.write_text(json.dumps({
            "name": "mounted under /oidc (A15)", "issuer": example.issuer, "person": str(PERSON),
            "username": example.told("sign in as"), "password": example.told("password"),
            "app": {"client_id": "demo", "redirect_uri": CALLBACK, "scope": SCOPE},
            "api": {"client_id": "demo-api", "client_secret": known_secret(example.told("secret"))}}))
        judge(checks, fixture)


def main():
    checks = Checks()
    standalone(checks)
    mounted(checks)
    checks.close()


main()

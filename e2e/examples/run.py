"""Each example and the development provider log a person in, with `chancery try` as the client: A16."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from checks import Checks  # noqa: E402
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402
from example import Example  # noqa: E402
from person import Person  # noqa: E402
from provider import REPOSITORY, free_port, release  # noqa: E402


def logs_in(example):
    """The client gets its tokens; what it prints, which are tokens, is not shown."""
    who = f"{example.told('sign in as')}\n{example.told('password')}\n"
    done = subprocess.run([release("chancery"), "try", "--headless", "--issuer", example.issuer], input=who, text=True,
                          capture_output=True, timeout=30)
    if done.returncode:
        raise RuntimeError(f"the client ended with {done.returncode}: {done.stderr}")
    assert "at_" in done.stdout, "the client prints its access token"


def with_badge(example):
    """Signs in with password and badge, for a client that cannot do without; answers the claims of the ID token, and
    the pages on the way."""
    verifier = base64url(os.urandom(32))
    wanted = json.dumps({"id_token": {"acr": {"essential": True, "value": "urn:example:house:badge"}}})
    request = {"client_id": "demo", "response_type": "code", "scope": "openid", "claims": wanted,
               "redirect_uri": "http://127.0.0.1:1/callback", "code_challenge_method": "S256",
               "code_challenge": base64url(hashlib.sha256(verifier.encode()).digest())}
    person = Badge(example)
    back = person.authorize(f"{example.issuer}/authorize?{urllib.parse.urlencode(request)}")
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))["code"]
    form = {"grant_type": "authorization_code", "code": code, "client_id": "demo", "code_verifier": verifier,
            "redirect_uri": request["redirect_uri"]}
    tokens = urllib.request.urlopen(f"{example.issuer}/token", urllib.parse.urlencode(form).encode(), timeout=5)
    payload = json.load(tokens)["id_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))), person.seen


def refuses_the_rules(example):
    """Signs in, and does not accept the rules; answers what the client is told, and the pages on the way."""
    request = {"client_id": "demo", "response_type": "code", "scope": "openid", "code_challenge_method": "S256",
               "redirect_uri": "http://127.0.0.1:1/callback", "code_challenge": base64url(os.urandom(32))}
    person = Reluctant(example.told("sign in as"), example.told("password"))
    back = person.authorize(f"{example.issuer}/authorize?{urllib.parse.urlencode(request)}")
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query)), person.seen


class Reluctant(Person):
    """A person who accepts no rules."""

    def fill_in(self, form):
        fields = super().fill_in(form)
        return fields | {"action": "cancel"} if fields["action"] == "accept" else fields


class Badge(Person):
    """A person whose badge signs what the page shows."""

    def __init__(self, example):
        super().__init__(example.told("sign in as"), example.told("password"))
        secret = json.loads(example.told("badge"))["d"]
        self.key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(secret + "="))

    def fill_in(self, form):
        fields = super().fill_in(form)
        if "badge" in fields:
            fields["badge"] = base64url(self.key.sign(fields["challenge"].encode()))
        return fields


def ask(url, token=None):
    """Status, headers and text of an answer of an API."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        answer = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


def token_for(example, resource, scope):
    """A token of the client `demo-api` itself."""
    secret = base64.b64encode(f"demo-api:{example.told('secret')}".encode()).decode()
    form = {"grant_type": "client_credentials", "resource": resource, "scope": scope}
    request = urllib.request.Request(f"{example.issuer}/token", urllib.parse.urlencode(form).encode(),
                                     {"Authorization": f"Basic {secret}"})
    return json.load(urllib.request.urlopen(request, timeout=5))["access_token"]


def protects(example, resource, notes):
    """An API that a client can use which knows nothing but its address (RFC 9728 section 5)."""
    status, headers, _ = ask(notes)
    assert status == 401, status
    challenge = headers["WWW-Authenticate"]
    metadata = json.loads(ask(challenge.split('resource_metadata="')[1].split('"')[0])[2])
    assert metadata["resource"] == resource and metadata["authorization_servers"] == [example.issuer], metadata
    status, _, text = ask(notes, token_for(example, resource, "notes:read notes:write"))
    assert (status, text) == (200, "the notes of demo-api, for demo-api\n"), (status, text)
    status, headers, _ = ask(notes, token_for(example, resource, "notes:write"))
    assert status == 403 and 'scope="notes:read"' in headers["WWW-Authenticate"], status
    status, headers, _ = ask(notes, "nonsense")
    assert status == 401 and 'error="invalid_token"' in headers["WWW-Authenticate"], status


def base64url(data):
    """Without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def main():
    checks = Checks()
    with checks.case("the binary without arguments"), Example("chancery") as example:
        logs_in(example)
        credentials = Path(example.folder.name) / "chancery-dev" / "credentials"
        assert credentials.stat().st_mode & 0o777 == 0o600
    with checks.case("examples/minimal"), Example("examples/minimal") as example:
        logs_in(example)
    port = free_port()
    with checks.case("examples/mounted"), Example("examples/mounted", port, "/oidc") as example:
        logs_in(example)
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=5) as answer:
            assert b"own page" in answer.read(), "the application's own route"
    with checks.case("examples/own_accounts (A16)"), Example("examples/own_accounts", free_port()) as example:
        told, seen = refuses_the_rules(example)
        assert told.get("error") == "access_denied" and seen == ["login", "rules"], (told.keys(), seen)
        logs_in(example)
        claims, seen = with_badge(example)
        assert seen[0] == "login" and "rules" not in seen, "rules that were accepted are not shown again"
        assert claims["acr"] == "urn:example:house:badge" and claims["amr"] == ["pwd", "hwk", "user"], claims
    port, apart = free_port(), free_port()
    here, elsewhere = f"http://localhost:{port}/api", f"http://localhost:{apart}"
    os.environ["APART"] = elsewhere
    with checks.case("examples/protected_api and protected_api_apart"), Example("examples/protected_api", port) as example:
        logs_in(example)
        protects(example, here, f"{here}/notes")
        wanted = {**os.environ, "PORT": str(apart), "ISSUER": example.issuer}
        with subprocess.Popen([release("examples/protected_api_apart")], env=wanted, stdout=subprocess.PIPE) as api:
            try:
                api.stdout.readline()
                protects(example, elsewhere, f"{elsewhere}/notes")
                status, _, _ = ask(f"{elsewhere}/notes", token_for(example, here, "notes:read"))
                assert status == 401, "a token for the other one"
            finally:
                api.kill()
    checks.close()


main()

"""The path of an operator, with the blocks of docs/operate.md as they stand there: behind each proxy a person signs in at an issuer
with a path; then a backup of the running server, a client edited, and the restore; then the wrapping key is lost."""

import base64
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

import requests  # noqa: E402

from certificate import issued_certificate  # noqa: E402
from checks import Checks  # noqa: E402
from person import Person  # noqa: E402
from provider import LOGS, REPOSITORY, Provider, free_port  # noqa: E402

GUIDE = (REPOSITORY / "docs" / "operate.md").read_text()
CALLBACK = "http://127.0.0.1:4999/callback"
ADDRESS = "203.0.113.7"  # which a client claims to have


def block(language):
    """The block of this language in the guide."""
    return re.search(rf"^```{language}\n(.*?)^```", GUIDE, re.S | re.M)[1]


def nginx(folder, port, behind):
    """nginx with the guide's block; the command that runs it."""
    server = block("nginx").replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace("id.example.org", "localhost")
    server = server.replace("127.0.0.1:8080", f"127.0.0.1:{behind}").replace("/etc/ssl/localhost", f"{folder}/tls")
    user = "user www-data;" if os.geteuid() == 0 else ""
    temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(f"daemon off;\n{user}\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log off;\n"
                                       f"{temporary}{server}}}\n")
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    return [program, "-c", folder / "nginx.conf", "-e", LOGS / "operate-nginx-proxy.log"]


def caddy(folder, port, behind):
    """Caddy with the guide's block and a certificate of ours; `None` if it is not at hand."""
    program = shutil.which("caddy")
    if not program:
        return None
    site = block("caddy").replace("id.example.org {", f"https://localhost:{port} {{\n    tls {folder}/tls.crt {folder}/tls.key")
    site = site.replace("127.0.0.1:8080", f"127.0.0.1:{behind}")
    (folder / "Caddyfile").write_text(f"{{\n    admin off\n    auto_https disable_redirects\n}}\n{site}")
    return [program, "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"]


class Proxy:
    """A proxy as a process."""

    def __init__(self, name, command, port):
        self.log = open(LOGS / f"operate-{name}-proxy.log", "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=os.environ | {"XDG_DATA_HOME": "/nonexistent", "HOME": tempfile.gettempdir()})
        begin = time.monotonic()
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() - begin > 15:
                    raise RuntimeError(f"{name} did not start; see {LOGS}/operate-{name}-proxy.log") from None
                time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def sign_in(provider, authority, username, password):
    """From the button at the client to the claims of the person."""
    with requests.Session() as client:
        client.trust_env, client.verify = False, authority
        metadata = client.get(f"{provider.issuer}/.well-known/openid-configuration").json()
        verifier = base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urllib.parse.urlencode({"client_id": "app", "response_type": "code", "redirect_uri": CALLBACK,
                                        "scope": "openid", "state": "s" * 3500, "code_challenge": challenge,
                                        "code_challenge_method": "S256"})
        back = Person(username, password, authority).authorize(f"{metadata['authorization_endpoint']}?{query}")
        answer = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)
        assert answer["state"] == ["s" * 3500] and answer["iss"] == [provider.issuer]
        tokens = client.post(metadata["token_endpoint"], data={
            "grant_type": "authorization_code", "client_id": "app", "code": answer["code"][0],
            "redirect_uri": CALLBACK, "code_verifier": verifier}).json()
        claims = client.get(metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {tokens['access_token']}"})
        return claims.json()["sub"]


def behind(checks, name, configure):
    """One proxy in front of an issuer with a path."""
    with tempfile.TemporaryDirectory(prefix=f"chancery-{name}-") as folder:
        folder, port = Path(folder), free_port()
        folder.chmod(0o755)  # a proxy's workers act as a user of their own
        issued_certificate(folder, "localhost")
        authority = str(folder / "ca.crt")
        with Provider(f"operate-{name}", address=("localhost", port), path="/auth", proxied=True) as provider:
            command = configure(folder, port, provider.port)
            if command is None:
                print(f"{name} is not at hand: its block was not tried", flush=True)
                return
            provider.add_client(client_id="app", redirect_uris=[CALLBACK], application_type="native",
                                token_endpoint_auth_method="none")
            provider.serve()
            with Proxy(name, command, port):
                operate(checks, name, provider, authority)


def operate(checks, name, provider, authority):
    """What the guide says of a server behind a proxy, and of its backups."""
    origin = provider.issuer.removesuffix("/auth")
    for path in ("/auth/.well-known/openid-configuration", "/auth/.well-known/oauth-authorization-server",
                 "/.well-known/oauth-authorization-server/auth"):
        with checks.case(f"{name}: {path}"):
            answer = requests.get(origin + path, verify=authority, timeout=10)
            assert answer.json()["issuer"] == provider.issuer, answer.text
    with checks.case(f"{name}: nothing else is reached, /metrics neither"):
        for path in ("/metrics", "/auth/metrics", "/readyz", "/auth/readyz"):
            answer = requests.get(origin + path, verify=authority, timeout=10)
            assert answer.status_code == 404 or not answer.text, (path, answer.text)  # Caddy answers with nothing
    with checks.case(f"{name}: a person signs in, with a long state"):
        person = sign_in(provider, authority, provider.username, provider.password)
    with checks.case(f"{name}: nobody chooses the address by which guesses are counted"):
        requests.get(f"{provider.issuer}/authorize?client_id=nobody", verify=authority, timeout=10,
                     headers={"X-Forwarded-For": ADDRESS})
        time.sleep(0.1)
        assert provider.has_said("authorization_client_unknown") and not provider.has_said(ADDRESS)
        assert not provider.has_said("forwarded_for_ignored")

    with checks.case(f"{name}: a backup of the running server, a client edited, and the restore"):
        backup = provider.folder / "backup.sqlite"
        said = provider.run("backup", "--config", provider.config, backup)
        assert "wrapping.key" in said and backup.stat().st_mode & 0o777 == 0o600, said
        change = provider.folder / "change.json"
        change.write_text(json.dumps({"client_name": "Edited"}))
        provider.command("client", "set", "app", "--file", change)
        assert "Edited" in provider.command("client", "list")
        assert provider.terminate() == 0
        said = provider.run("restore", "--config", provider.config, backup, "--replace")
        assert "Everybody signs in again" in said, said
        assert "Edited" not in provider.command("client", "list")
        assert "the configuration is good" in provider.command("check")
        try:  # The binary was built without that feature.
            provider.command("check", "--set", "traces.endpoint=http://127.0.0.1:4318/v1/traces")
            raise AssertionError("traces without the feature are good")
        except RuntimeError as refused:
            assert "traces.endpoint" in str(refused) and "--features opentelemetry" in str(refused), refused
        provider.serve()
        assert sign_in(provider, authority, provider.username, provider.password) == person

    with checks.case(f"{name}: the wrapping key is lost, and the person signs in with the same password, as the same one"):
        (provider.folder / "wrapping.key").unlink()
        assert provider.terminate() == 0
        commands = re.search(r"^### Without the wrapping key$.*?^```sh\n(.*?)^```", GUIDE, re.S | re.M)[1]
        commands = [line.split()[1:] for line in commands.splitlines() if line.startswith("chancery ")]
        assert [command[0] for command in commands] == ["keys", "check"], commands
        for command in commands:
            said = provider.command(*command, *(["--yes"] if command[0] == "keys" else []))
        assert "the configuration is good" in said, said
        provider.serve()
        assert sign_in(provider, authority, provider.username, provider.password) == person


def main():
    checks = Checks()
    for name, configure in {"nginx": nginx, "caddy": caddy}.items():
        behind(checks, name, configure)
    checks.close()


main()

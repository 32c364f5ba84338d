"""Debian's `curl`, with and without a certificate of the client, and what it has to get (RFC 8705)."""

import base64
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from joserfc import jwk  # noqa: E402

from certificate import Authority, client_certificate, issued_certificate  # noqa: E402
from person import Person  # noqa: E402
from provider import Provider, free_port  # noqa: E402

CALLBACK = "http://127.0.0.1:4999/callback"
METHODS = {"mtls.tls_client_auth": "true", "mtls.self_signed_tls_client_auth": "true",
           "mtls.certificate_bound_access_tokens": "true"}


class Curl:
    """The program, with the authority that it trusts."""

    def __init__(self, authority):
        self.authority = authority

    def __call__(self, url, *options, certificate=None, form=None, token=None):
        """One request; status, body as JSON, and the version of HTTP that was spoken."""
        command = ["curl", "--silent", "--show-error", "--max-time", "20", "--noproxy", "*", "--cacert", self.authority,
                   "--write-out", "\n%{http_code} %{http_version}", *options]
        if certificate:
            command += ["--cert", f"{certificate}.crt", "--key", f"{certificate}.key"]
        if token:
            command += ["--header", f"Authorization: Bearer {token}"]
        for name, value in (form or {}).items():
            command += ["--data-urlencode", f"{name}={value}"]
        done = subprocess.run([*command, url], text=True, capture_output=True, timeout=30, check=True)
        body, last = done.stdout.rsplit("\n", 1)
        status, version = last.split()
        return int(status), json.loads(body) if body.startswith("{") else body, version


class Certificates:
    """The certificates of clients as files, by their name; the file of the authority of one of them."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="chancery-certificates-"))
        authority, stranger = Authority(), Authority()
        self.authority = self.folder / "clients.crt"
        self.authority.write_bytes(authority.pem())
        for name, issuer in {"named": authority, "named-by-a-stranger": stranger, "own": None, "other": None}.items():
            client_certificate(self.folder, name, "app", issuer)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        shutil.rmtree(self.folder, ignore_errors=True)

    def __getitem__(self, name):
        return str(self.folder / name)

    def jwks(self, name):
        """A JWK Set with the key of one, and with the certificate."""
        text = Path(f"{self[name]}.crt").read_text()
        key = jwk.ECKey.import_key(Path(f"{self[name]}.key").read_text()).as_dict(private=False)
        return {"keys": [{**key, "x5c": ["".join(text.split("-----")[2].split())]}]}


def at_the_listener(checks):
    """The server's own TLS: one port for everybody, and one that asks for certificates."""
    asking = free_port()
    with tempfile.TemporaryDirectory() as folder, Certificates() as certificates:
        issued_certificate(Path(folder), "localhost")
        settings = {**METHODS, "http.trusted_proxies": "", "tls.mtls_listen": f"127.0.0.1:{asking}",
                    "tls.client_authorities": str(certificates.authority), "tls.certificate": f"{folder}/tls.crt",
                    "tls.key": f"{folder}/tls.key", "mtls.endpoint_aliases": f"https://localhost:{asking}"}
        with Provider("clients-curl", (f"{folder}/tls.crt", f"{folder}/tls.key"), settings=settings) as provider:
            judge(checks, "curl", provider, certificates, f"{folder}/ca.crt", provider.serve)


def behind_nginx(checks, nginx):
    """nginx ends TLS and hands certificates on."""
    with Certificates() as certificates:
        settings = {**METHODS, **nginx.settings, "tls.client_authorities": str(certificates.authority),
                    "mtls.endpoint_aliases": f"https://localhost:{nginx.mtls_port}"}
        with Provider("clients-nginx", address=("localhost", nginx.port), proxied=True, settings=settings) as provider:
            def serve():
                provider.serve()
                nginx.serve(provider.port)

            call, aliases = judge(checks, "curl and nginx", provider, certificates, nginx.authority, serve)
            forged_headers(checks, call, certificates, (aliases["token_endpoint"], f"{provider.issuer}/token"))


def forged_headers(checks, call, certificates, urls):
    """What a client writes into the header field of the proxy, or into one that is named nearly like it."""
    forged = urllib.parse.quote(Path(f"{certificates['own']}.crt").read_text(), safe="")
    for name in ("X-SSL-Client-Cert", "x-ssl-client-cert", "X_SSL_Client_Cert", "X-SSL_Client-Cert"):
        with checks.case(f"curl and nginx: a forged {name} authenticates nobody"):
            for url in urls:
                status, answer, _ = call(url, "--header", f"{name}: {forged}", form=credentials("own"))
                assert (status, answer["error"]) == (401, "invalid_client"), (status, answer)


def credentials(client):
    """A request for a token of the client's own."""
    return {"grant_type": "client_credentials", "client_id": client}


def judge(checks, name, provider, certificates, authority, serve):
    """What holds wherever TLS ends; how to call, and where."""
    own = {"redirect_uris": [], "response_types": [], "grant_types": ["client_credentials"]}
    provider.add_client(client_id="named", **own, token_endpoint_auth_method="tls_client_auth",
                        tls_client_auth_subject_dn="CN=app")
    provider.add_client(client_id="own", **own, token_endpoint_auth_method="self_signed_tls_client_auth",
                        jwks=certificates.jwks("own"))
    provider.add_client(client_id="bank", redirect_uris=[CALLBACK], application_type="native",
                        token_endpoint_auth_method="self_signed_tls_client_auth", jwks=certificates.jwks("own"),
                        tls_client_certificate_bound_access_tokens=True)
    password = provider.add_user("ada", name="Ada", email="ada@example.com", email_verified=True)
    serve()
    call = Curl(authority)
    status, metadata, version = call(f"{provider.issuer}/.well-known/openid-configuration")
    aliases = metadata["mtls_endpoint_aliases"]
    checks.check(f"{name}: aliases are announced, over HTTP/2", (status, version) == (200, "2"), f"{status} {version}")

    rows = [("named", "named", 200), ("own", "own", 200), ("named", "named-by-a-stranger", 401), ("named", "own", 401),
            ("own", "other", 401), ("own", "named", 401), ("named", None, 401), ("own", None, 401)]
    for version in ("1.2", "1.3"):
        for client, certificate, expected in rows:
            with checks.case(f"{name}: TLS {version}, {client} with the certificate {certificate}: {expected}"):
                path = certificate and certificates[certificate]
                status, answer, _ = call(aliases["token_endpoint"], f"--tlsv{version}", "--tls-max", version,
                                         certificate=path, form=credentials(client))
                assert status == expected, (status, answer)
                assert answer.get("error") == (None if expected == 200 else "invalid_client"), answer
    with checks.case(f"{name}: where no certificate is asked for, none counts"):
        status, answer, _ = call(metadata["token_endpoint"], certificate=certificates["own"], form=credentials("own"))
        assert (status, answer["error"]) == (401, "invalid_client"), (status, answer)

    with checks.case(f"{name}: a token that is bound to the certificate"):
        verifier = "a verifier of at least forty-three characters".replace(" ", "-")
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urllib.parse.urlencode({"client_id": "bank", "response_type": "code", "redirect_uri": CALLBACK,
                                        "scope": "openid email", "code_challenge": challenge,
                                        "code_challenge_method": "S256"})
        back = Person("ada", password, authority).authorize(f"{metadata['authorization_endpoint']}?{query}")
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
        status, answer, _ = call(aliases["token_endpoint"], certificate=certificates["own"],
                                 form={"grant_type": "authorization_code", "client_id": "bank", "code": code,
                                       "redirect_uri": CALLBACK, "code_verifier": verifier})
        assert (status, answer["token_type"]) == (200, "Bearer"), (status, answer)
        for url, certificate, expected in [
                (aliases["userinfo_endpoint"], "own", 200), (aliases["userinfo_endpoint"], "other", 401),
                (aliases["userinfo_endpoint"], None, 401), (metadata["userinfo_endpoint"], "own", 401)]:
            status, person, _ = call(url, certificate=certificate and certificates[certificate],
                                     token=answer["access_token"])
            assert status == expected, (url, certificate, status)
            assert expected != 200 or person["email"] == "ada@example.com", person
    return call, aliases

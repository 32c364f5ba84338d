"""Clients that others have written, unmodified, over sockets: npm `openid-client` 6 and PyPI `Authlib`, with the server
and with a provider under /oidc (A8, A15); clients that authenticate by what they sign, and the other response types, with
`openid-client`; clients of FAPI 2.0 Message Signing, and resource servers, with it and npm `oauth4webapi`; clients with
certificates and encrypted responses, with `oauth2-oidc-sdk` from Maven Central; devices without a browser, with `openid-client`,
`oauth4webapi`, `Authlib`, `oauth2-oidc-sdk` and the Go module `golang.org/x/oauth2`; clients that ask a person at another device
(CIBA), with `openid-client` and `oauth2-oidc-sdk`; clients that register themselves, with `openid-client`, PyPI `idpyoidc` and
the crate `openidconnect`; npm `oidc-client-ts` in Chromium; Spring Security; Debian's Apache with `mod_auth_openidc`; `curl` with
certificates of its own, also through nginx.

    run [PART…]
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

import requests  # noqa: E402
from joserfc import jwk  # noqa: E402

import curl  # noqa: E402
import nimbus  # noqa: E402
import page_lines  # noqa: E402
from apache import Apache  # noqa: E402
from certificate import certificate  # noqa: E402
from checks import Checks  # noqa: E402
from example import Example  # noqa: E402
from nginx import Nginx  # noqa: E402
from person import Person  # noqa: E402
from published import Published  # noqa: E402
from provider import PERSON, REPOSITORY, Provider, free_port, known_secret, release  # noqa: E402

HERE = Path(__file__).resolve().parent
CALLBACK = "http://127.0.0.1:4999/callback"
SCOPE = "openid profile email offline_access"

# How the responses for one client are encrypted, and its key: the one of RFC 7520 section 5.5.1.
ENCRYPTED = {"id_token_encrypted_response_alg": "ECDH-ES+A256KW", "id_token_encrypted_response_enc": "A256GCM",
             "userinfo_encrypted_response_alg": "ECDH-ES", "userinfo_signed_response_alg": "RS256"}
PUBLIC_KEY = {"kty": "EC", "kid": "meriadoc.brandybuck@buckland.example", "use": "enc", "crv": "P-256",
              "x": "Ze2loSV3wrroKUN_4zhwGhCqo3Xhu1td4QjeQ5wIVR0", "y": "HlLtdXARY_f55A3fnzQbPcm6hgr34Mp8p-nuzQCE0Zw"}
PRIVATE_NUMBER = "r_kHyZ-a06rmxM3yESK84r1otSg-aQcVStkRhA-iCM8"


def judge(checks, fixture, *programs):
    """Programs that use a library, on one fixture."""
    for program in programs or ("openid_client.mjs", "authlib_client.py"):
        by = {".mjs": ["node"], ".py": [sys.executable, "-B"], ".jar": ["java", "-jar"]}
        command = [*by.get(Path(program).suffix, []), program]
        done = subprocess.run([*command, str(fixture)], cwd=HERE, text=True, stdout=subprocess.PIPE,
                              timeout=120)
        *lines, last = done.stdout.rstrip("\n").split("\n")
        print("\n".join(lines), flush=True)
        if not checks.absorb(last):
            print(last, flush=True)
            checks.check(f"{Path(program).name} runs to its end", False)


def standalone(checks):
    """The server binary, with a confidential and with a public client."""
    with Provider("clients") as provider:
        flow = {"redirect_uris": [CALLBACK], "application_type": "native", "response_types": ["code"], "scope": SCOPE,
                "grant_types": ["authorization_code", "refresh_token"]}
        web = provider.add_client(client_id="web", client_name="Web", **flow,
                                  token_endpoint_auth_method="client_secret_basic")
        app = provider.add_client(client_id="app", client_name="App", **flow,
                                  token_endpoint_auth_method="none")
        sealed = provider.add_client(client_id="sealed", client_name="Sealed", **flow, jwks={"keys": [PUBLIC_KEY]},
                                     token_endpoint_auth_method="client_secret_basic", **ENCRYPTED)
        api = provider.add_client(client_id="api", client_name="API", redirect_uris=[], response_types=[],
                                  grant_types=["client_credentials"], chancery={"introspects": ["web", "app", "sealed"]},
                                  token_endpoint_auth_method="client_secret_basic")
        provider.serve()
        for client in (web, app):
            of_client = {key: client[key] for key in ("client_id", "client_secret") if key in client}
            judge(checks, provider.fixture(f"standalone, {client['client_name']}",
                                           {**of_client, "redirect_uri": CALLBACK, "scope": SCOPE},
                                           {key: api[key] for key in ("client_id", "client_secret")}))
        # Its responses are encrypted, which openid-client can read.
        of_client = {key: sealed[key] for key in ("client_id", "client_secret")}
        judge(checks, provider.fixture("standalone, Sealed",
                                       {**of_client, "redirect_uri": CALLBACK, "scope": SCOPE,
                                        "decrypts": {**PUBLIC_KEY, "d": PRIVATE_NUMBER}},
                                       {key: api[key] for key in ("client_id", "client_secret")}),
              "openid_client.mjs")
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


def signing_key(name, algorithm, key):
    """A private key for the client in the form of the Web Cryptography API, and its public part for the provider."""
    return {"name": name, "algorithm": algorithm, "jwk": key.as_dict(private=True)}, key.as_dict(private=False)


def signed(checks):
    """Clients that authenticate by what they sign, and answers that do not come in the query."""
    flow = {"redirect_uris": [CALLBACK], "application_type": "native",
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"], "response_types": ["code"]}
    keys = [signing_key("ES256", {"name": "ECDSA", "namedCurve": "P-256"}, jwk.ECKey.generate_key("P-256", {"kid": "e"})),
            signing_key("RS256", {"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256"},
                        jwk.RSAKey.generate_key(2048, {"kid": "r"})),
            signing_key("PS256", {"name": "RSA-PSS", "hash": "SHA-256"}, jwk.RSAKey.generate_key(2048, {"kid": "p"})),
            signing_key("Ed25519", {"name": "Ed25519"}, jwk.OKPKey.generate_key("Ed25519", {"kid": "o"}))]
    with Published() as published:
        with Provider("clients-signed", settings={"compatibility.hybrid": "true", "compatibility.implicit": "true",
                                                  "request_objects.encryption_algorithms":
                                                      "RSA-OAEP-256,ECDH-ES,ECDH-ES+A256KW,dir,A256GCMKW",
                                                  **published.settings}) as provider:
            clients = {"private_key_jwt": []}
            for at, (private, public) in enumerate(keys):
                name = private["name"]
                provider.add_client(
                    client_id=name, client_name=name, **flow, token_endpoint_auth_method="private_key_jwt",
                    token_endpoint_auth_signing_alg=name,
                    **({"jwks": {"keys": [public]}} if at else {"jwks_uri": published.publish("/jwks", {"keys": [public]})}))
                clients["private_key_jwt"].append({"client_id": name, "key": private})
            clients["client_secret_jwt"] = provider.add_client(
                client_id="by-secret", client_name="Secret", **flow, token_endpoint_auth_method="client_secret_jwt",
                token_endpoint_auth_signing_alg="HS256")
            clients["encrypting"] = provider.add_client(
                client_id="encrypts", client_name="Encrypts", **flow, token_endpoint_auth_method="client_secret_basic",
                request_object_signing_alg="HS256", request_object_encryption_alg="dir",
                require_signed_request_object=True)
            clients["hybrid"] = provider.add_client(
                client_id="hybrid", client_name="Hybrid", token_endpoint_auth_method="client_secret_basic",
                **{**flow, "grant_types": ["authorization_code", "implicit"], "response_types": ["code id_token"]})
            clients["implicit"] = provider.add_client(
                client_id="implicit", client_name="Implicit", token_endpoint_auth_method="none",
                **{**flow, "grant_types": ["implicit"], "response_types": ["id_token"]})
            provider.serve()
            judge(checks, provider.fixture("signed", {"redirect_uri": CALLBACK}, clients=clients), "openid_client_signed.mjs")
            checks.check("jwks_uri is asked once", published.asked == ["/jwks"], " ".join(published.asked))


# A provider that demands nonces in proofs, and what it has besides for clients of the FAPI 2.0 profiles.
FAPI = {"dpop.offered": "true", "dpop.require_nonce": "true", "pushed_requests.offered": "true", "response_modes.jwt": "true"}


def fapi(checks):
    """Clients of FAPI 2.0 Message Signing, on a provider that holds them alone to it and on one that holds all to it."""
    flow = {"redirect_uris": [CALLBACK], "application_type": "native", "response_types": ["code"],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"], "scope": SCOPE,
            "token_endpoint_auth_method": "private_key_jwt", "dpop_bound_access_tokens": True}
    keys = [signing_key("ES256", {"name": "ECDSA", "namedCurve": "P-256"}, jwk.ECKey.generate_key("P-256", {"kid": "e"})),
            signing_key("PS256", {"name": "RSA-PSS", "hash": "SHA-256"}, jwk.RSAKey.generate_key(2048, {"kid": "p"})),
            signing_key("Ed25519", {"name": "Ed25519"}, jwk.OKPKey.generate_key("Ed25519", {"kid": "o"}))]
    profile = "fapi2-message-signing"
    for who, of_server, of_client in (("a client's profile", {}, {"chancery": {"profile": profile}}),
                                      ("the server's profile", {"profile": profile}, {})):
        with Provider(f"clients-fapi-{'server' if of_server else 'client'}", settings=FAPI | of_server) as provider:
            clients = []
            for private, public in keys:
                name = private["name"]
                clients.append({"key": private, **provider.add_client(
                    client_id=name, client_name=name, **flow, **of_client, jwks={"keys": [public]},
                    **{f"{what}_alg": "ES256" for what in ("id_token_signed_response", "authorization_signed_response")},
                    **{f"{what}_signing_alg": name for what in ("token_endpoint_auth", "request_object")})})
            provider.serve()
            judge(checks, provider.fixture(f"FAPI 2.0, {who}", {"redirect_uri": CALLBACK}, clients=clients),
                  "openid_client_fapi.mjs", "oauth4webapi.mjs")


# Two APIs, one that verifies JWTs and one that introspects.
RESOURCES = {"photos": {"uri": "https://api.photos.example", "scope": "photos.read"},
             "prints": {"uri": "https://prints.example/v2", "scope": "prints.order"}}


def resources(checks):
    """Resource servers: several in one grant, one for each token, and introspection that answers by JWTs."""
    with Provider("clients-resources") as provider:
        with provider.config.open("a", encoding="utf-8") as file:
            for name, of in RESOURCES.items():
                file.write(f'\n[[resource_server]]\nuri = "{of["uri"]}"\nname = "{name}"\nscopes = ["{of["scope"]}"]\n'
                           f'format = "{"jwt" if name == "photos" else "opaque"}"\n'
                           'introspected_by = ["plain", "signed", "encrypted"]\n')
        app = provider.add_client(
            client_id="app", client_name="App", redirect_uris=[CALLBACK], application_type="native", response_types=["code"],
            grant_types=["authorization_code", "refresh_token", "client_credentials"],
            token_endpoint_auth_method="client_secret_basic",
            chancery={"resources": [of["uri"] for of in RESOURCES.values()], "refresh_tokens": "always"})
        of_signed = {"introspection_signed_response_alg": "ES256"}
        of_encrypted = of_signed | {"introspection_encrypted_response_alg": "ECDH-ES+A256KW",
                                    "introspection_encrypted_response_enc": "A256GCM"}
        introspecting = []
        for name, metadata in (("plain", {}), ("signed", of_signed), ("encrypted", of_encrypted)):
            keys = {"jwks": {"keys": [PUBLIC_KEY]}} if name == "encrypted" else {}
            client = provider.add_client(client_id=name, client_name=name, response_types=[], redirect_uris=[],
                                         grant_types=["client_credentials"], token_endpoint_auth_method="client_secret_basic",
                                         **metadata, **keys)
            introspecting.append({key: client[key] for key in ("client_id", "client_secret")}
                                 | ({"metadata": metadata} if metadata else {})
                                 | ({"decrypts": PUBLIC_KEY | {"d": PRIVATE_NUMBER}} if keys else {}))
        provider.command("check", "--strict")
        provider.serve()
        of_app = {key: app[key] for key in ("client_id", "client_secret")} | {"redirect_uri": CALLBACK}
        judge(checks, provider.fixture("resources", of_app, introspecting=introspecting, resources=RESOURCES),
              "openid_client_resources.mjs", "oauth4webapi_introspection.mjs", "authlib_resource.py")


def ciba(checks):
    """Clients that ask a person who is at another device, and poll."""
    with Provider("clients-ciba", settings={"ciba.offered": "true"}) as provider:
        clients = [provider.add_client(
            client_id=name, client_name=name, redirect_uris=[], response_types=[], scope=SCOPE,
            grant_types=["urn:openid:params:grant-type:ciba", "refresh_token"],
            token_endpoint_auth_method="client_secret_basic", backchannel_token_delivery_mode="poll")
            for name in ("call-centre", "another")]
        provider.serve()
        judge(checks, provider.fixture("CIBA", clients=clients), "openid_client_ciba.mjs")


def java(checks):
    """Clients with certificates and encrypted responses, of both versions of FAPI, and devices."""
    with tempfile.TemporaryDirectory() as folder:
        certificates = nimbus.Certificates(Path(folder))
        settings = FAPI | certificates.settings | {"device_authorization.offered": "true", "ciba.offered": "true"}
        with Provider("clients-nimbus", certificates.tls, settings=settings) as provider:
            nimbus.add_payments(provider)
            clients = [nimbus.client(name, certificates) for name in nimbus.CLIENTS]
            devices = [nimbus.device(name, certificates) for name in nimbus.DEVICES]
            for client in clients + devices:
                provider.add_client(**client["metadata"])
            provider.serve()
            judge(checks, provider.fixture("FAPI", clients=clients, devices=devices, authority=f"{folder}/ca.crt",
                                           passphrase=certificates.passphrase,
                                           authorization_details=nimbus.PAYMENTS), built_by_maven("nimbus"))


def dynamic(checks):
    """Clients that register themselves."""
    with Provider("clients-dynamic", settings={"registration.access": "open",
                                               "registration.management": "true"}) as provider:
        provider.serve()
        app = {"redirect_uri": CALLBACK, "metadata": {"application_type": "native"}}
        judge(checks, provider.fixture("dynamic", app), "openid_client_dynamic.mjs", "idpyoidc_client.py",
              built("openidconnect"))


def devices(checks):
    """Devices without a browser, whose person decides at another one: public and confidential."""
    with Provider("clients-devices", settings={"device_authorization.offered": "true", "device_authorization.interval": "1s",
                                               "dpop.offered": "true"}) as provider:
        grants = {"response_types": [], "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]}
        clients = [provider.add_client(client_id=method, client_name=f"Device, {method}", **grants, scope=SCOPE,
                                       token_endpoint_auth_method=method)
                   for method in ("none", "client_secret_basic", "client_secret_post")]
        provider.serve()
        public, basic, post = ({key: client[key] for key in ("client_id", "client_secret") if key in client}
                               for client in clients)
        judge(checks, provider.fixture("devices", scope=SCOPE, clients=[public, basic]),
              "openid_client_device.mjs", "oauth4webapi_device.mjs", "authlib_device.py")
        judge(checks, provider.fixture("devices of Go", scope=SCOPE, clients=[public, post]), built_by_go("xoauth2"))


def built_by_maven(project):
    """The program of a Maven project in a folder here, made of it and of what Maven Central has for it."""
    goals = ["compiler:compile", "jar:jar", "dependency:copy-dependencies"]
    done = subprocess.run(["mvn", "--quiet", "--batch-mode", "--file", HERE / project / "pom.xml", *goals], text=True,
                          capture_output=True)
    if done.returncode:
        raise RuntimeError(f"Maven ended with {done.returncode}: {done.stdout or done.stderr}")
    return str(REPOSITORY / "target" / project / f"{project}.jar")


def built_by_go(module):
    """The program of a Go module in a folder here."""
    program = REPOSITORY / "target" / module
    subprocess.run(["go", "build", "-C", HERE / module, "-o", program], check=True)
    return str(program)


def built(crate):
    """The program of a crate in a folder here, which is no part of the server's workspace."""
    target = REPOSITORY / "target" / crate
    subprocess.run(["cargo", "build", "--quiet", "--locked", "--manifest-path", HERE / crate / "Cargo.toml",
                    "--target-dir", target], check=True)
    return str(target / "debug" / f"chancery-e2e-{crate}")


def in_browser(checks):
    """An application without a server, on the issuer's own site and on another one; the names lead to this machine."""
    with tempfile.TemporaryDirectory() as folder:
        certificate(Path(folder), "localhost")
        tls = (f"{folder}/tls.crt", f"{folder}/tls.key")
        with Provider("clients-browser", tls, address=("id.example.org", free_port()),
                      settings={"session.management": "true"}) as provider:
            sites = {"same": f"https://app.example.org:{free_port()}", "other": f"https://app.example.net:{free_port()}"}
            app = provider.add_client(
                client_id="app", client_name="App", token_endpoint_auth_method="none",
                redirect_uris=[f"{site}/{page}" for site in sites.values() for page in ("callback", "silent")],
                post_logout_redirect_uris=[f"{site}/goodbye" for site in sites.values()],
                grant_types=["authorization_code", "refresh_token"], response_types=["code"])
            password = provider.add_user("ada", name="Ada", email="ada@example.com", email_verified=True)
            provider.serve()
            judge(checks, provider.fixture("browser", app, sites=sites, username="ada", password=password, tls=tls),
                  "oidc_client_ts.mjs")


def web_server(checks):
    """Debian's Apache with mod_auth_openidc in front of a members' area."""
    with Apache() as apache, Provider("clients-apache", settings=apache.settings) as provider:
        client = provider.add_client(
            client_id="apache", client_name="Members", token_endpoint_auth_method="client_secret_basic",
            redirect_uris=[f"{apache.origin}/members/redirect"], response_types=["code"],
            grant_types=["authorization_code", "refresh_token"],
            post_logout_redirect_uris=[f"{apache.origin}/goodbye.html"],
            backchannel_logout_uri=f"{apache.origin}/members/redirect?logout=backchannel")
        password = provider.add_user("ada", name="Ada", email="ada@example.com", email_verified=True)
        provider.serve()
        apache.serve(provider.issuer, client)
        members_area(checks, provider, apache, lambda: Person("ada", password, apache.authority))


def members_area(checks, provider, apache, person):
    """Login, refresh, and logout from either side."""
    members, redirect = f"{apache.origin}/members/", f"{apache.origin}/members/redirect"

    def sign_in(someone):
        asked = someone.browser.get(members, allow_redirects=False)
        return someone.browser.get(someone.authorize(asked.headers["Location"]))

    def info(someone):
        return someone.browser.get(redirect, params={"info": "json"}).json()

    def is_signed_in(someone):
        return someone.browser.get(members, allow_redirects=False).status_code == 200

    ada = person()
    with checks.case("mod_auth_openidc: login"):
        assert sign_in(ada).text == "Hello ada@example.com"

    with checks.case("mod_auth_openidc: refresh"):
        before = info(ada)
        ada.browser.get(redirect, params={"refresh": members, "access_token": before["access_token"]})
        after = info(ada)
        assert after["access_token"] != before["access_token"] and after["refresh_token"] != before["refresh_token"]
        assert after["userinfo"]["sub"] == before["userinfo"]["sub"]

    with checks.case("mod_auth_openidc: logout from the members' area"):
        leaves = ada.browser.get(redirect, params={"logout": f"{apache.origin}/goodbye.html"}, allow_redirects=False)
        assert ada.authorize(leaves.headers["Location"]).startswith(f"{apache.origin}/goodbye.html")
        assert not is_signed_in(ada)

    with checks.case("mod_auth_openidc: back-channel logout, when the session is ended by command"):
        here, elsewhere = person(), person()
        assert "Hello" in sign_in(here).text and "Hello" in sign_in(elsewhere).text
        provider.command("session", "end", "ada")
        begin = time.monotonic()
        while is_signed_in(here) or is_signed_in(elsewhere):
            assert time.monotonic() - begin < 10, "still signed in"
            time.sleep(0.1)


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


def front_page(checks):
    """The lines that the development provider's own page has: for oidc-client-ts in a page on another port, and for Spring
    Security in an application of Spring Boot."""
    application = built_by_maven("spring")
    with Example("chancery") as example:
        fixture = Path(example.folder.name) / "fixture.json"
        password = example.told("password")
        # Somebody of whom nothing is known but how they sign in.
        subprocess.run([release("chancery"), "user", "add", "nameless"], cwd=example.folder.name, input=password, text=True,
                       check=True, stdout=subprocess.DEVNULL)
        fixture.write_text(json.dumps({
            "name": "development provider", "issuer": example.issuer,
            "username": example.told("sign in as"), "password": password, "nameless": "nameless"}))
        judge(checks, fixture, "front_page.mjs")
        page_lines.with_spring(checks, example, application)


def with_certificates(checks):
    """curl with certificates of its own, at the server's listener and through nginx."""
    curl.at_the_listener(checks)
    with Nginx() as nginx:
        curl.behind_nginx(checks, nginx)


PARTS = {"standalone": standalone, "signed": signed, "fapi": fapi, "resources": resources, "ciba": ciba,
         "java": java, "devices": devices, "dynamic": dynamic, "in_browser": in_browser, "web_server": web_server,
         "with_certificates": with_certificates, "mounted": mounted, "front_page": front_page}


def main():
    checks = Checks()
    for name in sys.argv[1:] or PARTS:
        PARTS[name](checks)
    checks.close()


main()

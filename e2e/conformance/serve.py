#!/usr/bin/env python3
"""Starts the provider under test: the release binary on its TLS listener, with the clients that keygen.py has made.

    serve.py [SERVER] [--config conformance-config] [--stand conformance-stand]

SERVER names one of the configurations below. Its certificate is the stand's `op.crt`, its issuer that of the profile.
It ends with SIGINT or SIGTERM.
"""

import argparse
import contextlib
import json
import shlex
import signal
import sys
import urllib.parse
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))

import automation  # noqa: E402
from provider import Provider, new_secret  # noqa: E402

PROFILE = HERE / "provider.chancery.json"

# The suite registers clients. Each module registers one or two, from one network, some 3,000 in a run.
REGISTRATION = {
    "registration.access": "open",
    "registration.management": "true",
    "registration.network_quota": "0",
    "registration.total_quota": "0",
}

# What the provider calls is the suite, on loopback.
FETCH = {
    "fetch.extra_roots": "{stand}/ca.crt",
    "fetch.allow_hosts": "localhost.emobix.co.uk:8443",
    "fetch.allow_hosts_for": "everybody",
}

# What the plans of OpenID Connect need besides the defaults.
OPENID = {
    "compatibility.implicit": "true",
    "compatibility.hybrid": "true",
    "compatibility.pkce_optional": "confidential",  # no plan sends a `code_challenge`, but one module
    "compatibility.assertion_audience": "endpoints",
    "pages.client_logos": "true",
} | REGISTRATION | FETCH

# What the FAPI plans need: certificates of clients, which no authority has issued, on a second listener (RFC 8705 section
# 5), so that no browser is asked for one; and every response signed that a client wants signed.
FAPI = {
    "scopes.extra": "accounts",  # the scope of the plans without OpenID
    "pushed_requests.offered": "true",
    "response_modes.jwt": "true",
    "dpop.offered": "true",
    "mtls.self_signed_tls_client_auth": "true",
    "mtls.certificate_bound_access_tokens": "true",
    "http.trusted_proxies": "",  # `init` trusts loopback, and the certificate of a proxy is nobody's
    "tls.certificate": "{stand}/op.crt",
    "tls.key": "{stand}/op.key",
    "tls.mtls_listen": "127.0.0.1:{mtls_port}",
    "mtls.endpoint_aliases": "{mtls}",
}

# The configurations of the server: the instance whose issuer and clients each has, and its settings besides those that
# `chancery init` writes.
SERVERS = {
    "oidc": {"instance": "oidc", "settings": OPENID},
    "session": {"instance": "session", "settings": OPENID | {"session.management": "true"}},
    # With what is not signed, so that the modules about it are not skipped.
    "unsigned": {
        "instance": "oidc",
        "settings": OPENID
        | {"compatibility.unsigned_id_token": "true", "compatibility.unsigned_request_object": "true"},
    },
    # No compatibility setting at all; only its clients have `pkce_optional`.
    "strict": {"instance": "oidc", "settings": {}},
    # A response without JARM is `code id_token` there.
    "fapi1": {
        "instance": "fapi1",
        "settings": FAPI
        | {
            "profile": "fapi1-advanced",
            "compatibility.hybrid": "true",
            "compatibility.pkce_optional": "confidential",  # only pushed requests have a `code_challenge`
            "compatibility.assertion_audience": "endpoints",
        },
    },
    "fapi2": {
        "instance": "fapi2",
        "settings": FAPI | {"profile": "fapi2-security"},
        # What clients ask for in the plans with rich authorization requests.
        "tables": f"""
[authorization_details.types]
account_information = "{HERE / 'account_information.json'}"
""",
    },
    # The drafts' plans send assertions to endpoints, too.
    "fapi2-id2": {
        "instance": "fapi2-id2",
        "settings": FAPI | {"profile": "fapi2-security", "compatibility.assertion_audience": "endpoints"},
    },
    # FAPI-CIBA builds on FAPI 1.0 (its section 5.2.2); clients are registered or register themselves, and are pinged.
    "ciba": {
        "instance": "ciba",
        "settings": FAPI
        | REGISTRATION
        | FETCH
        | {
            "profile": "fapi1-advanced",
            "compatibility.assertion_audience": "endpoints",
            "ciba.offered": "true",
            "ciba.delivery_modes": "poll,ping",
        },
        # Strangers may not register this grant type unless a policy says so.
        "tables": """
[[registration_policy]]
grant_types = ["urn:openid:params:grant-type:ciba", "refresh_token"]
""",
    },
}


def own_settings(server, client):
    """What a client has below `chancery` in its metadata, besides what the suite needs of any provider."""
    if server == "strict":
        return {"pkce_optional": True}
    own = {}
    if "authorization_code" in client.get("grant_types", []) and "offline_access" not in client.get("scope", ""):
        own["refresh_tokens"] = "always"  # so that the module about them is not skipped
    # Signed requests and signed responses; with signed requests alone it is held to what the server demands. A profile of
    # its own demands the issuer as audience of assertions, where the drafts' plans send others.
    if server == "fapi2" and "authorization_signed_response_alg" in client:
        own["profile"] = "fapi2-message-signing"
    return own if server.startswith("fapi") else {}


@contextlib.contextmanager
def serving(name, config, stand):
    """The provider with the configuration `name`, ready, and the protected resource beside it; gone afterwards."""
    server, profile = SERVERS[name], json.loads(PROFILE.read_text())
    issuer = urllib.parse.urlsplit(profile["instances"][server["instance"]])
    tls = tuple(str((stand / file).resolve()) for file in ("op.crt", "op.key"))
    places = {"stand": str(stand.resolve()), "mtls": profile["mtls"] + issuer.path,
              "mtls_port": str(urllib.parse.urlsplit(profile["mtls"]).port)}
    settings = automation.fill(server["settings"], places)
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(Provider(
            f"conformance-{name}", tls, (issuer.hostname, issuer.port), ("first", new_secret("words")),
            path=issuer.path, settings=settings))
        with provider.config.open("a", encoding="utf-8") as file:
            file.write(server.get("tables", ""))
        clients = json.loads((config / "clients.json").read_text())["instances"].get(server["instance"], [])
        for client in clients:
            if own := own_settings(name, client):
                client["chancery"] = own
        if name.startswith("fapi"):
            import protected_resource  # needs `cryptography`, of which `all` has something to say first

            asks = protected_resource.Introspection(provider.issuer)
            clients.append(asks.metadata([client["client_id"] for client in clients]))
            stack.enter_context(protected_resource.serving(
                profile["paths"]["resource_oauth"], tls, certificates(config), asks))
        if clients:
            file = provider.folder / "clients.json"
            file.write_text(json.dumps(clients))
            provider.command("client", "add", "--file", file)
        for person in people(config, profile["user"]):
            provider.command("user", "add", person, "--claims", HERE / "claims.jane.json", stdin=profile["password"])
        print(f"{provider.issuer} ready after {provider.serve():.2f} s; log {provider.log.name}; new keys: "
              f"{rotation(provider)}", flush=True)
        if name == "ciba":
            import approver  # needs `requests`

            stack.enter_context(approver.serving(
                profile["paths"]["ciba_approval"], f"{provider.issuer}/approvals", people(config, profile["user"]),
                profile["password"], str((stand / "ca.crt").resolve())))
        yield provider


def configurations(config):
    """What the suite is told for each plan."""
    return [json.loads(file.read_text())["config"] for file in config.glob("*.json") if file.name != "clients.json"]


def people(config, user):
    """The person who signs in, and those who are asked by CIBA."""
    asked = {client["hint_value"].replace("{user}", user) for configuration in configurations(config)
             for client in (configuration.get("client", {}),) if "hint_value" in client}
    return [user, *sorted(asked)]


def certificates(config):
    """The certificates that the suite has for its clients."""
    return sorted({configuration[member]["cert"] for configuration in configurations(config)
                   for member in ("mtls", "mtls2") if member in configuration})


def rotation(provider):
    """The shell command that gives this provider new keys, which sign at once: before the former ones sign, another
    rotation would make none, and the next module wants to see some."""
    variables = [f"{name}={value}" for name, value in provider.variables.items()]
    return shlex.join(["env", *variables, str(provider.binary), "keys", "rotate", "--config", str(provider.config),
                       "--sign-after", "0s"])


def main():
    """Command line."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    cli.add_argument("server", nargs="?", default="oidc", choices=SERVERS)
    cli.add_argument("--config", type=Path, default=Path("conformance-config"))
    cli.add_argument("--stand", type=Path, default=Path("conformance-stand"))
    options = cli.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))  # ends the provider and its folder, too
    with serving(options.server, options.config, options.stand) as provider:
        sys.exit(provider.process.wait())


if __name__ == "__main__":
    main()

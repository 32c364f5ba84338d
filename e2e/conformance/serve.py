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

from provider import Provider, new_secret  # noqa: E402

PROFILE = HERE / "provider.chancery.json"

# What the plans of OpenID Connect need besides the defaults.
OPENID = {
    "compatibility.implicit": "true",
    "compatibility.hybrid": "true",
    "compatibility.pkce_optional": "confidential",  # no plan sends a `code_challenge`, but one module
    "compatibility.assertion_audience": "endpoints",
    "registration.access": "open",
    "registration.management": "true",
    # Each module registers one client or two, from one network, some 3,000 in a run.
    "registration.network_quota": "0",
    "registration.total_quota": "0",
    "pages.client_logos": "true",
    "fetch.extra_roots": "{stand}/ca.crt",
    "fetch.allow_hosts": "localhost.emobix.co.uk:8443",  # the suite, on loopback
    "fetch.allow_hosts_for": "everybody",
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
}


@contextlib.contextmanager
def serving(name, config, stand):
    """The provider with the configuration `name`, ready; gone afterwards."""
    server, profile = SERVERS[name], json.loads(PROFILE.read_text())
    issuer = urllib.parse.urlsplit(profile["instances"][server["instance"]])
    tls = tuple(str((stand / file).resolve()) for file in ("op.crt", "op.key"))
    folder = str(stand.resolve())
    settings = {setting: value.replace("{stand}", folder) for setting, value in server["settings"].items()}
    with Provider(f"conformance-{name}", tls, (issuer.hostname, issuer.port), ("first", new_secret("words")),
                  path=issuer.path, settings=settings) as provider:
        instances = json.loads((config / "clients.json").read_text())["instances"]
        clients = instances.get(server["instance"], [])
        for client in clients:
            if name == "strict":
                client["chancery"] = {"pkce_optional": True}
        if clients:
            file = provider.folder / "clients.json"
            file.write_text(json.dumps(clients))
            provider.command("client", "add", "--file", file)
        provider.command("user", "add", profile["user"], "--claims", HERE / "claims.jane.json",
                         stdin=profile["password"])
        print(f"{provider.issuer} ready after {provider.serve():.2f} s; log {provider.log.name}; new keys: "
              f"{rotation(provider)}", flush=True)
        yield provider


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

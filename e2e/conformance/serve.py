#!/usr/bin/env python3
"""Starts the provider under test: the release binary on its TLS listener, with the clients that keygen.py has made.

    serve.py [--config conformance-config] [--stand conformance-stand]

Its certificate is the stand's `op.crt`, its issuer that of the profile. It ends with SIGINT or SIGTERM.
"""

import argparse
import json
import signal
import sys
import urllib.parse
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "harness"))

from provider import Provider, new_secret  # noqa: E402


def main():
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    cli.add_argument("--config", type=Path, default=Path("conformance-config"))
    cli.add_argument("--stand", type=Path, default=Path("conformance-stand"))
    options = cli.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))  # ends the provider and its folder, too
    profile = json.loads((HERE / "provider.chancery.json").read_text())
    issuer = urllib.parse.urlsplit(profile["instances"]["oidc"])
    tls = tuple(str((options.stand / name).resolve()) for name in ("op.crt", "op.key"))
    with Provider("conformance", tls, (issuer.hostname, issuer.port), ("first", new_secret("words"))) as provider:
        clients = json.loads((options.config / "clients.json").read_text())["instances"]["oidc"]
        for client in clients:
            client["chancery"] = {"pkce_optional": True}  # the Basic plan sends no code_challenge
        file = provider.folder / "clients.json"
        file.write_text(json.dumps(clients))
        provider.command("client", "add", "--file", file)
        provider.command("user", "add", profile["user"], "--claims", HERE / "claims.jane.json",
                         stdin=profile["password"])
        print(f"{provider.issuer} ready after {provider.serve():.2f} s; log {provider.log.name}", flush=True)
        sys.exit(provider.process.wait())


if __name__ == "__main__":
    main()

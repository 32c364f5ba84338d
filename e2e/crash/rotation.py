"""A17: keys rotate under load, and nobody who looks up unknown key ids ever fails to verify."""

import asyncio
import json
import time
import urllib.request

from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from load import Caller, Ledger, add_clients, sign_in, until
from provider import Provider

CALLERS = 8


class Verifier:
    """A client's cache of the key set: fetched again only for a key id that it does not know."""

    def __init__(self, provider):
        self.url, self.keys, self.fetched = provider.issuer + "/jwks", {}, 0

    def fetch(self):
        """The published keys by their id."""
        with urllib.request.urlopen(self.url, timeout=5) as answer:
            self.keys = {key["kid"]: jwk.import_key(key) for key in json.load(answer)["keys"]}
        self.fetched += 1

    def verify(self, token):
        """The key id, if the signature is good."""
        kid = jws.extract_compact(token.encode()).protected["kid"]
        if kid not in self.keys:
            self.fetch()
        jwt.decode(token, self.keys[kid], algorithms=["RS256"])
        return kid


async def run(checks):
    """Load until the old key has signed, through the rotation, and on until the new key has."""
    with Provider("rotation") as provider:
        clients = add_clients(provider)
        provider.serve()
        ledger, verifier, seen, failures = Ledger(), Verifier(provider), [], []
        cookies = await sign_in(provider, clients[0], CALLERS)
        callers = [Caller(provider, clients, cookie, ledger, n) for n, cookie in enumerate(cookies)]
        end = float("inf")

        async def call(caller):
            while time.monotonic() < end:
                await caller.code_flow()

        async def verify():
            done = 0
            while time.monotonic() < end or done < len(ledger.id_tokens):
                for token in ledger.id_tokens[done:]:
                    done += 1
                    try:
                        kid = await asyncio.to_thread(verifier.verify, token)
                        if kid not in seen:
                            seen.append(kid)
                    except (KeyError, JoseError) as error:
                        failures.append(f"{type(error).__name__}: {error}")
                await asyncio.sleep(0.02)

        async def rotate():
            nonlocal end
            await until(lambda: seen, 60)
            said = await asyncio.to_thread(provider.command, "keys", "rotate", "--sign-after", "2s")
            checks.check("A17 the command warns that caches may lag", "cache" in said.lower())
            await until(lambda: len(seen) == 2, 60)
            end = time.monotonic() + 2

        await asyncio.gather(rotate(), verify(), *(call(caller) for caller in callers))
        checks.check("A17 no failed verification", not failures and not ledger.wrong,
                     f"{len(ledger.id_tokens)} ID tokens, {verifier.fetched} fetches" + "".join(sorted({*failures, *ledger.wrong})[:3]))
        checks.check("A17 the new key took over", len(seen) == 2, f"{len(seen)} keys have signed")
        fresh = Verifier(provider)
        with checks.case("A17 tokens of the old key still verify"):
            assert fresh.verify(ledger.id_tokens[0]) == seen[0] != fresh.verify(ledger.id_tokens[-1])

"""The mixed load: callers that sign in once, each on a connection of its own, and a ledger of what was acknowledged."""

import asyncio
import base64
import hashlib
import json
import random
import secrets
import ssl
import time
import urllib.parse

from http_connection import Connection, Cut, basic
from person import Person

CALLBACK = "http://127.0.0.1:4999/callback"
SCOPE = "openid offline_access"


def pkce():
    """A verifier and its S256 challenge (RFC 7636 section 4)."""
    verifier = secrets.token_urlsafe(32)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorization_request(client, challenge, **more):
    """Path and query of an authorization request."""
    return "/authorize?" + urllib.parse.urlencode({
        "response_type": "code", "client_id": client["client_id"], "redirect_uri": CALLBACK, "scope": SCOPE,
        "code_challenge": challenge, "code_challenge_method": "S256", **more})


def add_clients(provider):
    """The clients of the load: `web` for people, `api` for itself and for introspection."""
    web = provider.add_client(client_id="web", client_name="Load", redirect_uris=[CALLBACK], application_type="native",
                              grant_types=["authorization_code", "refresh_token"], response_types=["code"],
                              scope=SCOPE, token_endpoint_auth_method="client_secret_basic")
    api = provider.add_client(client_id="api", client_name="API", redirect_uris=[], response_types=[],
                              grant_types=["client_credentials"], token_endpoint_auth_method="client_secret_basic",
                              chancery={"introspects": ["web"]})
    return web, api


def connect(provider, certificate=None):
    """A connection to the provider."""
    tls = None
    if provider.tls:
        tls = ssl.create_default_context(cafile=certificate or provider.tls[0])
    return Connection("localhost", provider.port, tls, provider.error_body)


async def sign_in(provider, client, count):
    """So many browsers in which the person has signed in and allowed the client; their Cookie headers.

    One after another: who signs in many times at the same moment is throttled.
    """

    def one():
        person = Person(provider.username, provider.password)
        if provider.tls:
            person.browser.verify = provider.tls[0]
        person.authorize(provider.issuer + authorization_request(client, pkce()[1]))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.browser.cookies)

    return [await asyncio.to_thread(one) for _ in range(count)]


async def until(good, patience):
    """Waits until it is so; whether it is."""
    end = time.monotonic() + patience
    while not good() and time.monotonic() < end:
        await asyncio.sleep(0.02)
    return good()


class Ledger:
    """What the server has acknowledged, and what was asked of it without an answer."""

    def __init__(self):
        self.codes = {}  # code → (state, verifier); states: issued, asked, exchanged
        self.access = set()  # acknowledged, and nobody has asked for their revocation
        self.revoked = set()  # their revocation is acknowledged
        self.families = []  # each a list with one item: the newest acknowledged refresh token
        self.id_tokens = []
        self.done = 0
        self.wrong = []  # answers that should not have come

    def wrong_answer(self, what, answer):
        """Remembers an answer of which nothing was asked wrongly."""
        self.wrong.append(f"{what}: {answer.status} {answer.body[:80].decode(errors='replace')}")


class Caller:
    """One connection with one signed-in browser; each call is one act of the mix."""

    def __init__(self, provider, clients, cookie, ledger, seed):
        self.web, self.api = clients
        self.connection, self.cookie, self.ledger = connect(provider), cookie, ledger
        self.random, self.family, self.tokens = random.Random(seed), None, []

    async def until_cut(self):
        """Acts until the server is gone; how the connection ended."""
        try:
            while True:
                await self.act()
        except Cut as cut:
            return cut
        except OSError:
            return Cut(False)

    async def act(self):
        """One act: 40 % code flow, 30 % refresh, 10 % client credentials, 15 % introspection, 5 % revocation."""
        draw = self.random.random()
        if draw < 0.4 or not self.family:
            await self.code_flow()
        elif draw < 0.7:
            await self.refresh()
        elif draw < 0.8:
            await self.client_credentials()
        elif draw < 0.95:
            await self.introspect()
        else:
            await self.revoke()
        self.ledger.done += 1

    async def code_flow(self):
        """Authorization with a session and a standing consent, then the exchange."""
        verifier, challenge = pkce()
        answer = await self.connection.get(authorization_request(self.web, challenge), {"cookie": self.cookie})
        code = answer.query.get("code")
        if not code:
            return self.ledger.wrong_answer("authorization", answer)
        self.ledger.codes[code] = ("issued", verifier)
        if self.random.random() < 0.1:
            return None  # a client that takes its time
        self.ledger.codes[code] = ("asked", verifier)
        answer = await self.exchange(code, verifier)
        if answer.status != 200:
            return self.ledger.wrong_answer("exchange", answer)
        self.ledger.codes[code] = ("exchanged", verifier)
        tokens = json.loads(answer.body)
        self.family = [tokens["refresh_token"]]
        self.ledger.families.append(self.family)
        self.ledger.id_tokens.append(tokens["id_token"])
        self.keep(tokens["access_token"])
        return None

    async def exchange(self, code, verifier):
        """The token request with a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
        return await self.connection.post("/token", form, basic(self.web))

    async def refresh(self):
        """The token request with the newest refresh token of this caller."""
        family = self.family
        answer = await self.refresh_with(family[0])
        if answer.status != 200:
            return self.ledger.wrong_answer("refresh", answer)
        tokens = json.loads(answer.body)
        family[0] = tokens["refresh_token"]
        self.keep(tokens["access_token"])
        return None

    async def refresh_with(self, token):
        """The token request with a refresh token."""
        form = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.connection.post("/token", form, basic(self.web))

    async def client_credentials(self):
        """A token for the client itself."""
        answer = await self.connection.post("/token", {"grant_type": "client_credentials"}, basic(self.api))
        if answer.status != 200:
            return self.ledger.wrong_answer("client_credentials", answer)
        self.ledger.access.add(json.loads(answer.body)["access_token"])
        return None

    def keep(self, token):
        """An access token of a person was acknowledged."""
        self.ledger.access.add(token)
        self.tokens.append(token)

    async def is_active(self, token):
        """What introspection says."""
        answer = await self.connection.post("/introspect", {"token": token}, basic(self.api))
        return answer.status == 200 and json.loads(answer.body)["active"]

    async def introspect(self):
        """A token of this caller has to be active."""
        if self.tokens and not await self.is_active(self.random.choice(self.tokens)):
            self.ledger.wrong.append("introspection: a live token is inactive")

    async def revoke(self):
        """Revokes one access token of a person; the refresh token lives on."""
        if not self.tokens:
            return None
        token = self.tokens.pop()
        self.ledger.access.discard(token)
        answer = await self.connection.post("/revoke", {"token": token}, basic(self.web))
        if answer.status != 200:
            return self.ledger.wrong_answer("revocation", answer)
        self.ledger.revoked.add(token)
        return None

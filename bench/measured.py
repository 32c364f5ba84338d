"""A running server and what is asked of it: the rows of the table that `bench/compare` prints."""

import asyncio
import contextlib
import html.parser
import json
import os
import sys
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e" / "harness"))

from http_connection import Connection, basic  # noqa: E402

CONNECTIONS = 8
CALLBACK = "https://client.example/callback"
RESOURCE = "https://api.example"
CHALLENGE, VERIFIER = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def clients():
    """One of people for each algorithm and one that refreshes; and two for themselves, of which one gets JWTs."""
    def person(client, alg, *grant_types):
        return {"client_id": client, "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", *grant_types],
                "response_types": ["code"], "token_endpoint_auth_method": "client_secret_basic",
                "id_token_signed_response_alg": alg}

    def machine(client):
        return {"client_id": client, "redirect_uris": [], "response_types": [], "grant_types": ["client_credentials"],
                "token_endpoint_auth_method": "client_secret_basic"}

    return [person("web-ES256", "ES256"), person("web-RS256", "RS256"), person("refresh", "ES256", "refresh_token"),
            machine("api"), machine("jwt")]


def for_chancery(client):
    """What it needs besides: no question for consent, what a token is for, and who may introspect whose."""
    more = {"api": {"introspects": ["web-ES256"]}, "jwt": {"default_resource": RESOURCE},
            "refresh": {"consent": "implied", "refresh_tokens": "always"}}
    return {**client, "chancery": more.get(client["client_id"], {"consent": "implied"})}


def authorization(client):
    """The parameters of an authorization request."""
    return {"response_type": "code", "client_id": client, "redirect_uri": CALLBACK, "scope": "openid", "state": "af0ifjs",
            "nonce": "n-0S6_WzA2Mj", "code_challenge": CHALLENGE, "code_challenge_method": "S256"}


class LoginPage(html.parser.HTMLParser):
    """Where the form of a page goes and what it carries."""

    def __init__(self, text):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.action = attributes.get("action")
        elif tag == "input" and "name" in attributes:
            self.fields[attributes["name"]] = attributes.get("value") or ""


class Recorder(Connection):
    """Remembers what was sent and what came."""

    def __init__(self, *where):
        super().__init__(*where)
        self.exchanges = []

    async def call(self, method, target, headers, body=b""):
        answer = await super().call(method, target, headers, body)
        self.exchanges.append(((method, target, headers, body), answer))
        return answer


class Browser:
    """One of the connections, with the cookies of a person and the newest refresh token."""

    def __init__(self, port):
        self.connection, self.cookies, self.refresh_token = Connection("localhost", port), {}, None

    @property
    def headers(self):
        """What a browser sends along."""
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}


class Server:
    """A running server: its process, where its endpoints are, and the secrets of its clients."""

    def __init__(self, name, process, port, paths, registered, password=None):
        self.name, self.process, self.port, self.paths, self.password = name, process, port, paths, password
        self.clients = {client["client_id"]: client for client in registered}
        self.browsers = [Browser(port) for _ in range(CONNECTIONS)]
        self.token = None

    def cpu(self):
        """Seconds of CPU time so far, of all threads."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9

    def stop(self):
        """At once."""
        self.process.kill()
        self.process.wait()

    async def wait_until_open(self):
        """Until somebody listens."""
        for _ in range(1500):
            try:
                connection = Connection("localhost", self.port)
                await connection.open()
                return connection.close()
            except OSError:
                await asyncio.sleep(0.01)
        raise RuntimeError(f"{self.name} did not start")

    def good(self, answer):
        """The answer, when it is 200."""
        if answer.status != 200:
            raise RuntimeError(f"{self.name}: {answer.status} {answer.body[:300]}")
        return answer

    def offers(self, row):
        """Whether the server has what the row is about, which an older one may lack."""
        return row != "pushed" or "pushed" in self.paths

    def address(self, request):
        """Path and query of an authorization request."""
        return self.paths["authorization"] + "?" + urllib.parse.urlencode(request)

    async def visit(self, browser, client):
        """A browser's first authorization of a client: follows redirects, and signs in where it is asked to."""
        connection, home = Connection("localhost", self.port), f"http://localhost:{self.port}"
        target, form = self.address(authorization(client)), None
        for _ in range(10):
            headers = browser.headers
            answer = await (connection.post(target, form, headers) if form else connection.get(target, headers))
            browser.cookies |= answer.cookies
            location = answer.headers.get("location")
            if location and location.startswith(CALLBACK):
                return connection.close()
            form = None
            if not location:
                page = LoginPage(answer.body.decode())
                form = page.fields | {"username": "jane", "password": self.password, "action": "login"}
                location = page.action or target
            target = urllib.parse.urljoin(home + target, location).removeprefix(home)
        raise RuntimeError(f"{self.name}: no session: {answer.status} {answer.body[:300]}")

    async def prepare(self):
        """Sessions, refresh tokens and an access token. Anew for each row: the adapter of oidc-provider keeps a thousand
        records, and forgets sessions for tokens."""
        for browser in self.browsers:
            browser.connection.close()  # or the server does, after so long at rest
            for client in ("web-ES256", "web-RS256", "refresh"):
                await self.visit(browser, client)
            answer = await self.code_flow(browser.connection, browser, "refresh")
            browser.refresh_token = json.loads(answer.body)["refresh_token"]
        answer = await self.code_flow(self.browsers[0].connection, self.browsers[0], "web-ES256")
        self.token = json.loads(answer.body)["access_token"]

    async def token_request(self, connection, client, grant_type, **form):
        """A token response."""
        form = {"grant_type": grant_type, **form}
        return self.good(await connection.post(self.paths["token"], form, basic(self.clients[client])))

    async def code_flow(self, connection, browser, client, request=None):
        """Authorization with a session, then the token request."""
        answer = await connection.get(self.address(request or authorization(client)), browser.headers)
        code = answer.query.get("code")
        if not code:
            raise RuntimeError(f"{self.name}: no code: {answer.status} {answer.headers} {answer.body[:300]}")
        return await self.token_request(connection, client, "authorization_code", code=code, redirect_uri=CALLBACK,
                                        code_verifier=VERIFIER)

    async def discovery(self, connection, _):
        """The metadata."""
        self.good(await connection.get("/.well-known/openid-configuration"))

    async def jwks(self, connection, _):
        """The keys."""
        self.good(await connection.get("/jwks"))

    async def opaque(self, connection, _):
        """A client's own token."""
        await self.token_request(connection, "api", "client_credentials")

    async def jwt(self, connection, _):
        """A client's own token that is a JWT."""
        await self.token_request(connection, "jwt", "client_credentials", **self.paths.get("jwt", {}))

    async def introspection(self, connection, _):
        """Of a person's token that is good."""
        answer = await connection.post(self.paths["introspection"], {"token": self.token}, basic(self.clients["api"]))
        if not json.loads(self.good(answer).body)["active"]:
            raise RuntimeError(f"{self.name}: inactive")

    async def userinfo(self, connection, _):
        """By a token that is good."""
        self.good(await connection.get(self.paths["userinfo"], {"authorization": f"Bearer {self.token}"}))

    async def code_es256(self, connection, browser):
        """A code flow with an ID token."""
        await self.code_flow(connection, browser, "web-ES256")

    async def code_rs256(self, connection, browser):
        """The same, signed by RSA."""
        await self.code_flow(connection, browser, "web-RS256")

    async def pushed(self, connection, browser):
        """A code flow whose request is pushed (RFC 9126)."""
        client = "web-ES256"
        form = authorization(client)
        answer = await connection.post(self.paths["pushed"], form, basic(self.clients[client]))
        if answer.status != 201:
            raise RuntimeError(f"{self.name}: not pushed: {answer.status} {answer.body[:300]}")
        request = {"client_id": client, "request_uri": json.loads(answer.body)["request_uri"]}
        await self.code_flow(connection, browser, client, request)

    async def refresh(self, connection, browser):
        """A refresh with an ID token; the token rotates."""
        answer = await self.token_request(connection, "refresh", "refresh_token", refresh_token=browser.refresh_token)
        browser.refresh_token = json.loads(answer.body)["refresh_token"]

    async def issue_and_revoke(self, connection, _):
        """A client's own token, which it gives back."""
        answer = await self.token_request(connection, "api", "client_credentials")
        form = {"token": json.loads(answer.body)["access_token"]}
        self.good(await connection.post(self.paths["revocation"], form, basic(self.clients["api"])))

    async def timed(self, one, count):
        """Microseconds of CPU time for one unit of work on all connections, after a warm-up of the same."""
        async def work(browser, count):
            for _ in range(count):
                await one(browser.connection, browser)

        each = count // len(self.browsers)
        await asyncio.gather(*(work(browser, each // 2) for browser in self.browsers))
        begin = self.cpu()
        await asyncio.gather(*(work(browser, each) for browser in self.browsers))
        return (self.cpu() - begin) / (each * len(self.browsers)) * 1e6

    async def record(self, one):
        """The requests and answers of one unit."""
        connection = Recorder("localhost", self.port)
        await one(connection, self.browsers[0])
        connection.close()
        return connection.exchanges


# What a unit is called, and which method makes it.
ROWS = {"discovery": "discovery", "JWK set": "jwks", "client_credentials, opaque token": "opaque",
        "client_credentials, JWT by ES256": "jwt", "introspection, active": "introspection", "UserInfo": "userinfo",
        "code flow, ID token by ES256": "code_es256", "code flow, ID token by RS256": "code_rs256",
        "pushed request, code flow, ID token by ES256": "pushed",
        "refresh, ID token by ES256": "refresh", "issue and revoke": "issue_and_revoke"}

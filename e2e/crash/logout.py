"""The notices of a logout, over sockets: clients that are dead delay no other, and kill -9 while they are sent loses none."""

import asyncio
import base64
import contextlib
import json
import ssl
import tempfile
import time
import urllib.parse
from pathlib import Path

from certificate import issued_certificate
from load import authorization_request, pkce, until
from person import Page, Person
from provider import Provider, free_port

CLIENTS, ROUNDS = 200, 20
HEALTHY = 5.0  # seconds


class Receiver:
    """The clients' back-channel endpoints: each hangs, is away, or notes what it is told."""

    def __init__(self, tls):
        self.tls, self.told, self.servers = tls, [], []
        self.answered = None  # after how many new notices no further one is answered
        self.held = set()  # those, which hang until the provider dies

    async def listen(self, name, kind, address):
        """Where one client is reached, which is `well`, `hangs` or `refuses`. Each has an address of its own, because
        notices to one host wait for each other."""
        if kind == "refuses":
            return f"{address}:{free_port()}"

        async def serve(reader, writer):
            # It may be cut off at any time, also by the end of this program.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self.answer(name, kind, reader, writer)
            writer.close()

        server = await asyncio.start_server(serve, address, 0, ssl=self.tls)
        self.servers.append(server)
        return f"{address}:{server.sockets[0].getsockname()[1]}"

    async def answer(self, name, kind, reader, writer):
        if kind == "hangs":
            await reader.read()  # until the provider has had enough
            return
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        token = urllib.parse.parse_qs((await reader.readexactly(length)).decode())["logout_token"][0]
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        is_new = (name, claims["sid"]) not in self.sessions()
        self.told.append((name, claims["sid"], claims["jti"], time.monotonic()))
        if is_new and self.answered is not None:
            self.answered -= 1
            if self.answered < 0:
                self.held.add((name, claims["sid"]))
                await reader.read()
                return
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()

    def sessions(self):
        """Which clients have heard of which sessions."""
        return {told[:2] for told in self.told}

    def close(self):
        for server in self.servers:
            server.close()


class Session:
    """A browser that signs in, visits clients, and signs out."""

    def __init__(self, provider):
        self.provider, self.person = provider, Person(provider.username, provider.password)

    def join(self, clients):
        for client in clients:
            request = authorization_request(client, pkce()[1], scope="openid")
            self.person.authorize(self.provider.issuer + request)

    def leave(self):
        """Signs out; the moment before the answer is asked for."""
        page = self.person.browser.get(self.provider.issuer + "/logout")
        form = Page(page.text).forms[0]
        begun = time.monotonic()
        answer = self.person.browser.post(form.action, data=form.fields | {"action": "logout"})
        if answer.status_code != 200:
            raise RuntimeError(f"the logout was answered with {answer.status_code}")
        return begun


async def with_clients(name, kinds):
    """The receiver, a provider that may ask it, and the clients."""
    folder = tempfile.TemporaryDirectory(prefix="chancery-logout-")
    addresses = [f"127.0.1.{n + 1}" for n in range(len(kinds))]
    issued_certificate(Path(folder.name), "localhost", addresses)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{folder.name}/tls.crt", f"{folder.name}/tls.key")
    receiver = Receiver(tls)
    places = [await receiver.listen(f"c{n}", *of) for n, of in enumerate(zip(kinds, addresses))]
    provider = Provider(name, settings={
        "fetch.extra_roots": f"{folder.name}/ca.crt",
        "fetch.allow_hosts": ",".join(places)})
    clients = [{"client_id": f"c{n}", "redirect_uris": ["http://127.0.0.1:4999/callback"], "application_type": "native",
                "token_endpoint_auth_method": "client_secret_basic", "response_types": ["code"],
                "grant_types": ["authorization_code"], "chancery": {"consent": "implied"},
                "backchannel_logout_uri": f"https://{place}/out"} for n, place in enumerate(places)]
    file = provider.folder / "clients.json"
    file.write_text(json.dumps(clients))
    provider.command("client", "add", "--file", file)
    file.unlink()
    provider.serve()
    return folder, receiver, provider, clients


async def dead_parties(checks):
    """Of 200 clients 50 hang and 50 refuse the connection; every other one is told soon."""
    kinds = [{0: "hangs", 1: "refuses"}.get(n % 4, "well") for n in range(CLIENTS)]
    folder, receiver, provider, clients = await with_clients("logout", kinds)
    with folder, provider:
        session = Session(provider)
        await asyncio.to_thread(session.join, clients)
        begun = await asyncio.to_thread(session.leave)
        well = {f"c{n}" for n, kind in enumerate(kinds) if kind == "well"}
        await until(lambda: {told[0] for told in receiver.told} >= well, 20)
        after = sorted(told[3] - begun for told in receiver.told)
        checks.check("every healthy client is told once", sorted(told[0] for told in receiver.told) == sorted(well),
                     f"{len(receiver.told)} of {len(well)}")
        checks.check(f"within {HEALTHY} s", after and after[-1] <= HEALTHY,
                     f"median {after[len(after) // 2]:.2f} s, last {after[-1]:.2f} s" if after else "nobody")
        receiver.close()


async def killed(checks):
    """`kill -9` while notices are under way: each client hears of each session, and again only with another `jti`.

    In each round one more client is answered before the kill. The others hang until then, so the kill always finds
    notices under way, however fast the machine is."""
    folder, receiver, provider, clients = await with_clients("logout-kill", ["well"] * ROUNDS)
    names = {client["client_id"] for client in clients}
    with folder, provider:
        cut = 0
        for answered in range(ROUNDS):
            session, before = Session(provider), len(receiver.held)
            await asyncio.to_thread(session.join, clients)
            receiver.answered = answered
            await asyncio.to_thread(session.leave)
            cut += await until(lambda: len(receiver.held) > before, 60)
            provider.kill()
            receiver.answered = None
            await asyncio.to_thread(provider.serve)

        def again():
            return {(name, sid) for name, sid in receiver.held
                    if len({told[2] for told in receiver.told if told[:2] == (name, sid)}) > 1}

        # What was leased comes back when its lease of a minute ends.
        await until(lambda: len(receiver.sessions()) == ROUNDS * len(names) and again() == receiver.held, 300)
        lost = {name: ROUNDS - sum(told == name for told, _ in receiver.sessions()) for name in names}
        checks.check(f"{ROUNDS} times kill -9 after a logout: no notice is lost", not any(lost.values()),
                     f"{len(receiver.sessions())} of {ROUNDS * len(names)}")
        checks.check("the kills came while notices were under way", cut == ROUNDS, f"{cut} of {ROUNDS}")
        checks.check("what was under way comes again", again() == receiver.held,
                     f"{len(again())} of {len(receiver.held)}")
        tokens = [told[2] for told in receiver.told]
        checks.check("what comes twice has another jti", len(set(tokens)) == len(tokens),
                     f"{len(tokens) - len(receiver.sessions())} came twice")
        receiver.close()


async def run(checks):
    await dead_parties(checks)
    await killed(checks)

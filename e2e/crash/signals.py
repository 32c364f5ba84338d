"""A22: SIGTERM loses nothing that is in flight; SIGHUP brings a new certificate and drops no connection; who is too
slow is cut."""

import asyncio
import signal
import socket
import ssl
import tempfile
import threading
import time
from pathlib import Path

from certificate import certificate
from http_connection import Cut, basic
from load import Caller, Ledger, add_clients, connect, sign_in, until
from provider import Provider

CALLERS = 64


async def run(checks):
    """Both signals."""
    await terminate(checks)
    await hang_up(checks)


async def terminate(checks):
    """Load on 64 connections and 64 requests whose body is still on its way."""
    with Provider("sigterm") as provider:
        clients = add_clients(provider)
        provider.serve()
        ledger = Ledger()
        cookies = await sign_in(provider, clients[0], CALLERS)
        callers = [Caller(provider, clients, cookie, ledger, n) for n, cookie in enumerate(cookies)]
        loads = [asyncio.create_task(caller.until_cut()) for caller in callers]
        requests = [SlowRequest(provider, clients[1]) for _ in range(CALLERS)]
        slow = [asyncio.create_task(request.send()) for request in requests]
        await until(lambda: ledger.done > CALLERS and all(request.is_read for request in requests), 60)
        begin = time.monotonic()
        provider.signal(signal.SIGTERM)
        checks.check("A22 not ready after SIGTERM", await until(lambda: not provider.is_ready(), 5))
        for request in requests:
            request.rest.set()
        cuts, statuses = await asyncio.gather(*loads), await asyncio.gather(*slow)
        status = await asyncio.to_thread(provider.process.wait, 30)
        checks.check("A22 SIGTERM: exit status 0 within 10 s", status == 0 and time.monotonic() - begin <= 10,
                     f"status {status} after {time.monotonic() - begin:.1f} s")
        checks.check("A22 SIGTERM: bodies on their way arrive and are answered", statuses == [200] * CALLERS,
                     f"{statuses.count(200)} of {CALLERS}")
        checks.check("A22 SIGTERM: no answer is cut off", not any(cut.begun for cut in cuts), f"{ledger.done} acts")
        unanswered = [caller for caller in callers
                      if caller.connection.is_asking and caller.connection.sent < begin]
        checks.check("A22 SIGTERM: what was sent before it is answered", not unanswered, f"{len(unanswered)} were not")
        provider.serve()
        lost = [family for family in ledger.families if (await callers[0].refresh_with(family[0])).status != 200]
        checks.check("A22 SIGTERM: what was acknowledged is there", not lost and not ledger.wrong,
                     f"{len(ledger.families)} refresh tokens {sorted(set(ledger.wrong))[:3] or ''}")


class SlowRequest:
    """A token request whose body takes its time. It asks whether its body is wanted (RFC 9110 section 10.1.1), so that
    it knows when the server has begun to read it."""

    def __init__(self, provider, client):
        self.provider, self.client = provider, client
        self.is_read, self.rest = False, asyncio.Event()

    async def send(self):
        """The status of its answer, or how it ended."""
        connection, body = connect(self.provider), b"grant_type=client_credentials"
        await connection.open()
        head = [f"{name}: {value}" for name, value in {
            "host": f"localhost:{self.provider.port}", "content-type": "application/x-www-form-urlencoded",
            "content-length": len(body), "expect": "100-continue", **basic(self.client)}.items()]
        try:
            connection.writer.write("\r\n".join(["POST /token HTTP/1.1", *head, "", ""]).encode())
            interim = await connection.reader.readuntil(b"\r\n\r\n")
            self.is_read = interim.startswith(b"HTTP/1.1 100 ")
            connection.writer.write(body[:10])
            await self.rest.wait()
            connection.writer.write(body[10:])
            return (await connection.answer()).status
        except (asyncio.IncompleteReadError, Cut) as cut:
            return str(cut)


async def hang_up(checks):
    """A new certificate while 16 connections are busy."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        old = certificate(folder, "old")
        with Provider("sighup", tls=(str(folder / "tls.crt"), str(folder / "tls.key"))) as provider:
            clients = add_clients(provider)
            provider.serve()
            ledger, end = Ledger(), time.monotonic() + 60
            cookies = await sign_in(provider, clients[0], 16)
            callers = [Caller(provider, clients, cookie, ledger, n) for n, cookie in enumerate(cookies)]

            async def call(caller):
                while time.monotonic() < end:
                    await caller.act()

            tasks = [asyncio.create_task(call(caller)) for caller in callers]
            await asyncio.sleep(1)
            first = await peer_certificate(provider)
            new = certificate(folder, "new")
            provider.signal(signal.SIGHUP)
            await until(lambda: provider.has_said("certificate_reloaded"), 10)
            end = time.monotonic() + 2
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            ended = [outcome for outcome in outcomes if outcome is not None]
            checks.check("A22 SIGHUP: no connection dropped", not ended and not ledger.wrong and
                         all(caller.connection.opened == 1 for caller in callers), f"{ledger.done} acts {ended[:2] or ''}")
            checks.check("A22 SIGHUP: the new certificate is shown", (first, await peer_certificate(provider)) == (old, new))
            (folder / "tls.crt").write_text("nonsense")
            provider.signal(signal.SIGHUP)
            await until(lambda: provider.has_said("certificate_kept"), 10)
            checks.check("A22 SIGHUP: a bad file keeps the old certificate", await peer_certificate(provider) == new)


async def peer_certificate(provider):
    """The certificate that a new connection is shown (DER)."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("localhost", provider.port, ssl=tls)
    try:
        return writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()


class SlowPeers:
    """Two peers that never finish, beside whatever else goes on: 10 s for a header, 30 s for a body."""

    def __init__(self):
        self.provider = Provider("slow")
        self.provider.serve()
        head = b"POST /token HTTP/1.1\r\nhost: localhost\r\n"
        whole = head + b"content-type: application/x-www-form-urlencoded\r\ncontent-length: 64\r\n\r\ngrant"
        self.seconds = {}
        self.threads = [threading.Thread(target=self.dawdle, args=(name, start), daemon=True)
                        for name, start in (("header", head), ("body", whole))]
        for thread in self.threads:
            thread.start()

    def dawdle(self, name, start):
        """One byte a second after the start; the seconds until the server had enough."""
        with socket.create_connection(("127.0.0.1", self.provider.port)) as peer:
            begin = time.monotonic()
            peer.sendall(start)
            peer.settimeout(1)
            while time.monotonic() - begin < 60:
                try:
                    if not peer.recv(4096):
                        break
                except TimeoutError:
                    peer.sendall(b"x")
                except OSError:
                    break
            self.seconds[name] = time.monotonic() - begin

    def judge(self, checks):
        """Waits for both."""
        for thread in self.threads:
            thread.join(70)
        for name, limit in (("header", 10), ("body", 30)):
            seconds = self.seconds.get(name, 60)
            checks.check(f"A22 a slow {name} is cut after {limit} s", limit - 1 <= seconds <= limit + 8, f"{seconds:.1f} s")
        self.provider.__exit__()

"""A7: authorization requests of strangers leave nothing behind, neither on disk nor in memory."""

import asyncio
import random
import time

from load import add_clients, authorization_request, connect, pkce
from provider import Provider

REQUESTS, CONNECTIONS, SEED = 50_000, 64, 7
MEBIBYTE = 1024 * 1024


class Store:
    """What another connection sees of the store: rows, and a number that moves with every commit."""

    def __init__(self, provider):
        self.database = provider.database()

    def rows(self):
        """Rows of all tables."""
        tables = [name for name, in self.database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return sum(self.database.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables)

    def commits(self):
        """`PRAGMA data_version`: differs whenever somebody else has written."""
        return self.database.execute("PRAGMA data_version").fetchone()[0]


async def run(checks):
    """50,000 requests on 64 connections."""
    with Provider("anonymous") as provider:
        web, _ = add_clients(provider)
        provider.serve()
        store = Store(provider)
        before = None
        while before != (before := store.commits()):  # whatever the server does once after its start
            await asyncio.sleep(1.5)
        rows, memory = store.rows(), provider.rss()
        draw, statuses, left, peak = random.Random(SEED), {}, REQUESTS, memory
        letters = "abcdefghijklmnopqrstuvwxyz0123456789"

        async def stranger():
            nonlocal left
            connection = connect(provider)
            while left > 0:
                left -= 1
                state = "".join(draw.choices(letters, k=draw.randint(1, 2048)))
                answer = await connection.get(authorization_request(web, pkce()[1], state=state, nonce=state[:32]))
                statuses[answer.status] = statuses.get(answer.status, 0) + 1
            connection.close()

        async def watch():
            nonlocal peak
            while left > 0:
                peak = max(peak, provider.rss())
                await asyncio.sleep(0.2)

        begin = time.monotonic()
        await asyncio.gather(watch(), *(stranger() for _ in range(CONNECTIONS)))
        seconds = time.monotonic() - begin
        peak = max(peak, provider.rss())
        checks.check("A7 every stranger sees the login page", statuses == {200: REQUESTS},
                     f"{statuses}, {REQUESTS / seconds:.0f} a second")
        checks.check("A7 no record", store.rows() == rows, f"{rows} rows before and {store.rows()} after")
        checks.check("A7 no write", store.commits() == before)
        checks.check("A7 memory", peak - memory <= 16 * MEBIBYTE,
                     f"{memory / MEBIBYTE:.1f} MiB before, at most {peak / MEBIBYTE:.1f} MiB")

"""A13: kill -9 under load; what was acknowledged is there afterwards, and what was used stays used."""

import asyncio
import json
import random
import sqlite3

from http_connection import Cut
from load import Caller, Ledger, add_clients, sign_in, until
from provider import Provider

CALLERS, ROUNDS, SEED = 64, 20, 20260113
CODES = 100  # in a round, at least


async def at_once(connections, items, act):
    """`act(connection, item)` for all items, spread over the connections; the results."""
    waiting, results = list(items), []

    async def lane(connection):
        while waiting:
            results.append(await act(connection, waiting.pop()))

    await asyncio.gather(*(lane(connection) for connection in connections))
    return results


async def round_of(provider, clients, cookies, draw, number):
    """Load, kill, start, look; what is wrong afterwards, and some counts."""
    ledger = Ledger()
    callers = [Caller(provider, clients, cookie, ledger, f"{SEED}/{number}/{n}") for n, cookie in enumerate(cookies)]
    tasks = [asyncio.create_task(caller.until_cut()) for caller in callers]
    enough = draw.randint(CODES, 4 * CODES)
    await until(lambda: len(ledger.codes) >= enough, 60)
    provider.kill()
    await asyncio.gather(*tasks)
    ready = provider.serve()
    wrong = list(ledger.wrong)
    counts = {"acts": ledger.done, "codes": len(ledger.codes), "access tokens": len(ledger.access),
              "refresh tokens": len(ledger.families)}

    async def alive(caller, token):
        if not await caller.is_active(token):
            wrong.append("an acknowledged access token is inactive")

    async def dead(caller, token):
        if await caller.is_active(token):
            wrong.append("a revoked access token is active")

    async def refreshes(caller, family):
        answers = [await caller.refresh_with(family[0]) for _ in range(2)]
        if any(answer.status != 200 for answer in answers):
            wrong.append(f"the newest refresh token does not work: {answers[0].status}, {answers[1].status}")
        elif len({json.loads(answer.body)["refresh_token"] for answer in answers}) != 1:
            wrong.append("a retry got another successor")

    async def used(caller, item):
        code, (state, verifier) = item
        first, second = [await caller.exchange(code, verifier) for _ in range(2)]
        if state == "exchanged" and first.status == 200:
            wrong.append("an exchanged code works again")
        if state == "issued" and first.status != 200:
            wrong.append("an acknowledged code is lost")
        if second.status != 400 or json.loads(second.body)["error"] != "invalid_grant":
            wrong.append(f"a used code was answered with {second.status}")

    for act, items in ((alive, ledger.access), (dead, ledger.revoked), (refreshes, ledger.families),
                       (used, ledger.codes.items())):
        await at_once(callers, items, act)
    for caller in callers:
        caller.connection.close()
    if (found := integrity(provider)) != "ok":
        wrong.append(f"integrity check: {found}")
    return wrong, counts, ready


def integrity(provider):
    """What SQLite thinks of the file."""
    database = provider.database()
    try:
        return "; ".join(row[0] for row in database.execute("PRAGMA integrity_check"))
    except sqlite3.DatabaseError as error:
        return str(error)
    finally:
        database.close()


async def run(checks):
    """20 rounds on one file."""
    with Provider("kill") as provider:
        clients = add_clients(provider)
        provider.serve()
        cookies = await sign_in(provider, clients[0], CALLERS)
        draw, totals, times = random.Random(SEED), {}, []
        for number in range(1, ROUNDS + 1):
            try:
                wrong, counts, ready = await round_of(provider, clients, cookies, draw, number)
            except Cut as cut:
                wrong, counts, ready = [f"a connection ended after the restart: {cut}"], {}, 0
            times.append(ready)
            for name, count in counts.items():
                totals[name] = totals.get(name, 0) + count
            said = ", ".join(f"{count} {name}" for name, count in counts.items())
            checks.check(f"A13 round {number} of {ROUNDS}", not wrong,
                         f"{said}, ready after {ready:.2f} s" + "".join(f"\n         {w}" for w in sorted(set(wrong))))
        checks.check("A13 the load was one", totals.get("codes", 0) >= CODES * ROUNDS,
                     ", ".join(f"{count} {name}" for name, count in totals.items()))
        checks.check("A13 starting after kill -9", sorted(times)[len(times) // 2] <= 1,
                     f"median {sorted(times)[len(times) // 2]:.2f} s, longest {max(times):.2f} s")

"""Load, kill -9 and signals: A7, A13, A17 and A22 of the acceptance list.

    run [anonymous] [kill] [logout] [rotation] [signals]      all of them without arguments
"""

import asyncio
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from checks import Checks  # noqa: E402

PARTS = ("signals", "rotation", "anonymous", "kill", "logout")


def main():
    checks = Checks()
    wanted = sys.argv[1:] or PARTS
    peers = None
    if "signals" in wanted:
        peers = importlib.import_module("signals").SlowPeers()
    for name in wanted:
        try:
            asyncio.run(importlib.import_module(name).run(checks))
        except Exception as error:  # the other parts shall still run
            checks.check(f"{name} runs to its end", False, f"{type(error).__name__}: {error}")
    if peers:
        peers.judge(checks)
    checks.close()


main()

"""Debian's Chromium against the release binary: A9, the browser's part of A10, A11 and A12.

    run [--pictures FOLDER] [WORDS OF A TEST'S NAME]
"""

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from checks import Checks  # noqa: E402
from provider import LOGS, SECRETS, Provider, release  # noqa: E402


def main():
    checks = Checks()
    with Provider("browser") as provider:
        provider.serve()
        fixture = provider.folder / "fixture.json"
        fixture.write_text(json.dumps({
            "issuer": provider.issuer, "binary": str(release("chancery")), "config": str(provider.config),
            "folder": str(provider.folder), "secrets": str(SECRETS), "logs": str(LOGS)}))
        node = subprocess.Popen(["node", "main.mjs", fixture, *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
        said = False
        for line in node.stdout:
            said = checks.absorb(line) or said
            if not said:
                print(line, end="", flush=True)
        if node.wait() and not said:
            checks.check("the browser's tests run to their end", False)
        checks.check("the server is still there", provider.process.poll() is None)
    checks.close()


main()

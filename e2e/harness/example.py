"""A provider of the examples, or the binary without arguments: everything in memory or in a folder of its own."""

import os
import re
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

from provider import LOGS, known_secret, release
from started import await_ready


class Example:
    """A program that prints how to sign in, and then serves."""

    def __init__(self, program, port=3000, path=""):
        """`program` as `release` names it; `path` is the part of the issuer after the host."""
        self.program, self.issuer = program, f"http://localhost:{port}{path}"
        self.folder = tempfile.TemporaryDirectory(prefix="chancery-example-")
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = open(LOGS / f"{program.replace('/', '-')}-example.log", "wb")
        password = known_secret("difference engine " + os.urandom(8).hex())
        self.process = subprocess.Popen(
            [release(program)], cwd=self.folder.name, env={**os.environ, "PORT": str(port), "PASSWORD": password},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.banner = ""
        threading.Thread(target=self.listen, daemon=True).start()
        self.wait_until_ready()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def listen(self):
        """Keeps the banner; lines after it that are events belong into the log."""
        for line in self.process.stdout:
            if line.startswith("{"):
                self.log.write(line.encode())
            else:
                self.banner += line

    def wait_until_ready(self):
        """Waits for the discovery document."""
        try:
            await_ready(self.program, self.process, self.is_ready, self.log.name)
        except RuntimeError:
            self.__exit__()
            raise
        known_secret(self.told("password"))

    def is_ready(self):
        """Does it answer?"""
        try:
            urllib.request.urlopen(f"{self.issuer}/.well-known/openid-configuration", timeout=5).close()
            return True
        except (urllib.error.URLError, OSError):
            return False

    def told(self, name):
        """What the banner says after a word."""
        found = re.search(rf"^ *{name} +(.+?) *$", self.banner, re.MULTILINE)
        return found[1] if found else ""

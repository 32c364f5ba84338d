"""Waiting until a process is ready: the one way in which every part does it."""

import socket
import time


def await_ready(name, process, is_ready, log):
    """Asks again and again until it is ready."""
    begin = time.monotonic()
    while not is_ready():
        if process.poll() is not None or time.monotonic() - begin > 15:
            raise RuntimeError(f"{name} did not start; see {log}")
        time.sleep(0.01)


def listens(port):
    """Does somebody accept connections at this port of the loopback interface?"""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return True
    except OSError:
        return False

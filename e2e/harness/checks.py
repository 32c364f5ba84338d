"""One line per check, a line of totals at the end."""

import contextlib
import re
import sys
import time
import traceback

# Text of a failure may quote an address; what a client holds does not belong into a log.
HANDLE = re.compile(r"\b(ac|at|in|rt|se)_[A-Za-z0-9_-]{46,}")


def say(text):
    """Prints a line without any handle in it."""
    print(HANDLE.sub(r"\1_…", str(text)), flush=True)


class Checks:
    """Counts what passed and what failed, and says so."""

    def __init__(self, prefix=""):
        self.prefix, self.passed, self.failed = prefix, 0, 0

    def check(self, name, good, detail=""):
        """One check; `detail` is shown in any case, so that a pass also says what was seen."""
        detail = f" ({detail})" if detail != "" else ""
        if good:
            self.passed += 1
        else:
            self.failed += 1
        say(f"{'ok    ' if good else 'FAILED'} {self.prefix}{name}{detail}")
        return good

    @contextlib.contextmanager
    def case(self, name):
        """A check that fails by raising; the remaining ones still run."""
        begin = time.monotonic()
        try:
            yield
        except Exception:
            say(traceback.format_exc().rstrip())
            self.check(name, False)
        else:
            self.check(name, True, f"{time.monotonic() - begin:.1f} s")

    def absorb(self, line):
        """Adds the totals that another program printed as its last line; says whether there were any."""
        found = re.fullmatch(r"(\d+) passed, (\d+) failed", line.strip())
        if found:
            self.passed += int(found[1])
            self.failed += int(found[2])
        return bool(found)

    def close(self):
        """Prints the totals and ends the program."""
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed or not self.passed else 0)

#!/usr/bin/env python3
"""The tables of docs/conformance.md, made from the results of `all`.

    report.py OUT... [--table docs/conformance.md]

writes those of several runs into one document; of a configuration that is in several of these folders it takes the first.

`OUT/<server>/<configuration>/` has `summary.json` from `run.py` and `build.json` from `all` (suite, commit, date). The
document has a place for each table between two comments; everything else in it is written by hand.
"""

import argparse
import fnmatch
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "conformance.md"
EXPECTED = HERE / "expected.json"
WORDS = {"PASSED": "passed", "REVIEW": "review", "WARNING": "warning", "SKIPPED": "skipped"}


def results(folders):
    """Every configuration that has run, in the order of servers and names."""
    found = {}
    for summary in (summary for folder in folders for summary in folder.glob("*/*/summary.json")):
        if summary.with_name("build.json").exists():
            found.setdefault((summary.parent.parent.name, summary.parent.name), summary)
    for _, summary in sorted(found.items()):
        build = summary.with_name("build.json")
        yield {"name": summary.parent.name, "folder": summary.parent, **json.loads(build.read_text()),
               **json.loads(summary.read_text())}


def word(module):
    """The word of the table, as in `run.py`."""
    return module["result"] if module["status"] == "FINISHED" else module["status"]


def table(head, rows):
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def expected(entry, module):
    """The warnings of this module that are in the list of expected ones, as `run.py` reads it."""
    listed = [pattern for plan, modules in json.loads(EXPECTED.read_text()).items()
              if any(fnmatch.fnmatch(name, plan) for name in (entry["name"], entry["plan"]))
              for names, patterns in modules.items() if fnmatch.fnmatch(module["module"], names)
              for pattern in patterns]
    return [finding for finding in module["findings"] if finding["result"] == "WARNING"
            and any(fnmatch.fnmatch(str(finding["src"]), pattern) for pattern in listed)]


def totals(entries):
    """How many modules of each configuration ended with which word, and how many warnings were expected."""
    rows, sums = [], [0] * (len(WORDS) + 3)
    for entry in entries:
        words = [word(module) for module in entry["modules"]]
        counts = [len(words), *(words.count(kind) for kind in WORDS)]
        counts.append(counts[0] - sum(counts[1:]))
        counts.append(sum(len(expected(entry, module)) for module in entry["modules"]))
        sums = [one + other for one, other in zip(sums, counts)]
        rows.append([entry["name"], entry["server"], *counts, entry["minutes"], entry["date"], entry["commit"]])
    rows.append(["**all**", "", *sums, "", "", ""])
    head = ["configuration", "server", "modules", *WORDS.values(), "failed", "expected warnings", "minutes", "date",
            "commit"]
    return table(head, rows)


def said(entry, number, module):
    """What made this result: the conditions that failed or warned, the pages to look at, or why it was skipped."""
    kind, log = word(module), entry["folder"] / f"{number:03d}-{module['module']}.json"
    lines = json.loads(log.read_text()) if log.exists() else []
    if kind == "SKIPPED":
        reasons = {str(line["msg"]).removeprefix("The test was skipped: ") for line in lines
                   if line.get("result") == "SKIPPED"}
    elif kind == "REVIEW":
        reasons = {f"page for `{line['src']}`" for line in lines
                   if line.get("result") == "REVIEW" and (line.get("page_source") or line.get("img"))}
    else:
        wanted = "WARNING" if kind == "WARNING" else "FAILURE"
        reasons = {f"`{finding['src']}`" for finding in module["findings"] if finding["result"] == wanted}
    return "; ".join(filter(None, [*sorted(reasons), module["note"]])).replace("|", "\\|")


def remarkable(entries):
    """The modules that did not plainly pass, and where."""
    places = {}
    for entry in entries:
        for number, module in enumerate(entry["modules"], 1):
            if word(module) != "PASSED":
                key = (word(module), module["module"], said(entry, number, module))
                places.setdefault(key, []).append(f"{entry['name']} ({entry['server']})")
    rows = [[kind, f"`{module}`", text, where(names)] for (kind, module, text), names in sorted(places.items())]
    return table(["result", "module", "what the suite says", "configurations"], rows)


def where(names):
    """The names if they are few, else their number."""
    names = list(dict.fromkeys(names))
    return ", ".join(names) if len(names) < 4 else f"{len(names)} configurations"


def write(folders, document):
    """Replaces the tables in the document."""
    entries = list(results(folders))
    suites = ", ".join(sorted({entry["suite"] for entry in entries}))
    text = document.read_text()
    for name, content in (("suite", f"Suite {suites}."), ("totals", totals(entries)),
                          ("remarkable", remarkable(entries))):
        begin, end = f"<!-- {name} -->\n\n", f"\n\n<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, also_found, after = rest.partition(end)
        if not (found and also_found):
            raise ValueError(f"{document} has no place for the table {name!r}")
        text = before + begin + content + end + after
    document.write_text(text)


def main():
    """Command line."""
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    cli.add_argument("out", nargs="+", type=Path, metavar="OUT")
    cli.add_argument("--table", type=Path, default=DOCUMENT)
    options = cli.parse_args()
    write(options.out, options.table)


if __name__ == "__main__":
    main()

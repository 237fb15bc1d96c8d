#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes a table that scripts/bench printed as Markdown, each ratio beside its limit; what is over its limit is bold. Below
it stand what the check said, and the instruction counts of benchmarks/instructions.tsv.

  benchmarks/table.py TABLE [LIMITS] > docs/performance/table.md
"""
import pathlib
import re
import sys

from harness import BLOCKS, LATENESS_AT_MOST, NS_AT_MOST, read_limits

FLATNESS = re.compile(r" costs [\d.]+ times \d+, limit ")
INTRODUCTION = """# The whole table

Printed by `scripts/bench --check benchmarks/limits.tsv` in one run, and written by `benchmarks/table.py`. Times are in ns for
one operation; [performance.md](../performance.md) says what one is, and how the peers are made. **Bold** is over its limit.
`ping_pong`, `watched_ping_pong` and `cancel_workers` are compared with CAF by alternating blocks in one process, of which the check
has a line; the ratio of whole runs in their rows may say otherwise.
"""


def time(text):
    value = float(text)
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def judged(workload, ours, ratio, peer, limits):
    """(ratio or '', limit or '') as they are shown."""
    if peer == "-":
        most = {**NS_AT_MOST, **LATENESS_AT_MOST}.get(workload)
        return ("", "" if most is None else f"**{most:,.0f} ns**" if float(ours) > most else f"{most:,.0f} ns")
    most = limits.get((workload, peer))
    if most is None:
        return (ratio, "")
    over = float(ratio) > most and (workload, peer) not in BLOCKS
    return (f"**{ratio}**" if over else ratio, f"{most:g}")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    here = pathlib.Path(__file__).parent
    limits = read_limits(sys.argv[2] if len(sys.argv) == 3 else here / "limits.tsv")
    about, verdict, rows = [], [], []
    for line in open(sys.argv[1], encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith("over the limit: ") or line.endswith(" over their limits") or ": alternating blocks of" in line or FLATNESS.search(line):
            verdict.append(line.removeprefix("# "))
        elif line.startswith(("# machine", "# versions", "# load", "# each row", "# programs")):
            about.append(line.removeprefix("# "))
        elif not line.startswith("#") and line.count("\t") == 7:
            rows.append(line.split("\t"))
    print(INTRODUCTION)
    for line in about:
        print(f"- {line}")
    print("\n| workload | n | ours | peer | its | ours/peer | limit | bytes, ours | bytes, its |")
    print("|---|---|---|---|---|---|---|---|---|")
    for workload, n, ours, peer, its, ratio, our_bytes, its_bytes in rows:
        ratio, most = judged(workload, ours, ratio, peer, limits)
        cells = [workload, f"{int(n):,}", time(ours), "" if peer == "-" else peer, "" if its == "-" else time(its), ratio, most,
                 "" if our_bytes == "-" else our_bytes, "" if its_bytes == "-" else its_bytes]
        print("| " + " | ".join(cells) + " |")
    print("\n## What the check said\n")
    for line in verdict:
        print(f"- {line}")
    print("\n## Instructions\n\nOf the hot paths, as callgrind counts them; `scripts/check-instructions` fails when one is 5 % over.\n")
    print("| workload | instructions | what one is |\n|---|---|---|")
    for line in open(here / "instructions.tsv", encoding="utf-8"):
        if not line.startswith("#"):
            workload, count, what = line.rstrip("\n").split("\t")
            print(f"| {workload} | {float(count):,.0f} | {what} |")


if __name__ == "__main__":
    main()

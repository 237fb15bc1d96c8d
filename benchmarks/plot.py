#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Draws what one costs against how many there are, from a table that scripts/bench printed.

  benchmarks/plot.py TABLE OUT.svg

One panel for each workload that was run at more than one size, ours beside its peers. Both axes are logarithmic, from
1 to 1e6 and from 10 ns to 10 µs at least, so that panels compare.
"""
import collections
import math
import sys
from xml.sax.saxutils import escape

COLOURS = {"libactor": "#0b6e4f", "go": "#1f77b4", "erlang": "#b5179e", "caf": "#e07a00"}
PANEL_WIDTH, PANEL_HEIGHT, COLUMNS = 300, 220, 3
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 28, 34


def read(path):
    """workload → who → [(n, ns)…]"""
    lines = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in open(path, encoding="utf-8"):
        fields = row.rstrip("\n").split("\t")
        if row.startswith("#") or len(fields) != 8:
            continue
        workload, n, ours, peer, theirs = fields[0], int(fields[1]), float(fields[2]), fields[3], fields[4]
        if (n, ours) not in lines[workload]["libactor"]:
            lines[workload]["libactor"].append((n, ours))
        if peer in COLOURS and theirs != "-":
            lines[workload][peer].append((n, float(theirs)))
    return {workload: by for workload, by in lines.items() if len({n for n, _ in by["libactor"]}) > 1 and all(n > 0 for n, _ in by["libactor"])}


def power(value):
    names = {1: "1 ns", 10: "10 ns", 100: "100 ns", 1_000: "1 µs", 10_000: "10 µs", 100_000: "100 µs"}
    return names.get(value, f"{value:g}")


def panel(workload, by, left, top):
    points = [point for line in by.values() for point in line]
    x_from, x_to = 0, max(6, math.ceil(math.log10(max(n for n, _ in points))))
    y_from = min(1, math.floor(math.log10(min(ns for _, ns in points))))
    y_to = max(4, math.ceil(math.log10(max(ns for _, ns in points))))
    width, height = PANEL_WIDTH - LEFT - RIGHT, PANEL_HEIGHT - TOP - BOTTOM

    def at(n, ns):
        return (left + LEFT + width * (math.log10(n) - x_from) / (x_to - x_from),
                top + TOP + height * (y_to - math.log10(ns)) / (y_to - y_from))

    out = [f'<text x="{left + LEFT}" y="{top + 18}" class="title">{escape(workload)}</text>']
    for exponent in range(y_from, y_to + 1):
        x, y = at(10**x_from, 10**exponent)
        out.append(f'<path d="M{x:.1f} {y:.1f}h{width}" class="grid"/>')
        out.append(f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{power(10**exponent)}</text>')
    for exponent in range(x_from, x_to + 1):
        x, y = at(10**exponent, 10**y_from)
        out.append(f'<path d="M{x:.1f} {y:.1f}v4" class="grid"/>')
        label = f'10<tspan dy="-5" font-size="8">{exponent}</tspan>'
        out.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{label}</text>')
    for who, line in by.items():
        where = [at(n, ns) for n, ns in sorted(line)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in where)
        weight = 2.5 if who == "libactor" else 1.5
        out.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[who]}" stroke-width="{weight}"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{weight + 0.5}" fill="{COLOURS[who]}"/>' for x, y in where]
    return out


def draw(workloads):
    rows = math.ceil(len(workloads) / COLUMNS)
    width, height = PANEL_WIDTH * COLUMNS, PANEL_HEIGHT * rows + 40
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11">',
           "<style>.title{font-size:13px;font-weight:bold}.grid{stroke:#ccc;fill:none}</style>",
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for i, (who, colour) in enumerate(COLOURS.items()):
        x = LEFT + 110 * i
        out.append(f'<rect x="{x}" y="14" width="18" height="4" fill="{colour}"/><text x="{x + 24}" y="20">{who}</text>')
    out.append(f'<text x="{width - RIGHT}" y="20" text-anchor="end">time for one, by how many there are</text>')
    for i, (workload, by) in enumerate(workloads.items()):
        out += panel(workload, by, PANEL_WIDTH * (i % COLUMNS), 40 + PANEL_HEIGHT * (i // COLUMNS))
    return "\n".join(out + ["</svg>"]) + "\n"


def main():
    if len(sys.argv) != 3:
        print(__doc__.strip().splitlines()[2].strip(), file=sys.stderr)
        return 2
    workloads = read(sys.argv[1])
    if not workloads:
        print(f"plot: no workload of {sys.argv[1]} was run at two sizes", file=sys.stderr)
        return 1
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(draw(workloads))
    return 0


if __name__ == "__main__":
    sys.exit(main())

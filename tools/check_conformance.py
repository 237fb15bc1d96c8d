#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Checks that the conformance tables tell the truth about the tests.

docs/conformance/ids.txt holds the ids of the checklists. docs/conformance/*.md lists each id once, as a table row
`| id | what it says | status |`, where the status is `tested`, `partly: …` (what no test asserts yet), `planned: …`
(with what it comes) or `not applicable: …` (why). An id is tested, or partly so, when the name of a test case below tests/ contains it
(`C014_cancel_is_synchronous`), and only then.

  tools/check_conformance.py [ROOT]            checks
  tools/check_conformance.py --update [ROOT]   first sets `planned` rows that have a test to `tested`
  tools/check_conformance.py --self-test       checks the checker
"""
import pathlib
import re
import sys

# At the begin of a line: one that is commented out is none.
TEST_CASE = re.compile(r"^[ \t]*BOOST_(?:AUTO|FIXTURE|DATA|PARAM)_TEST_CASE\w*\s*\(\s*(\w+)", re.MULTILINE)
TEST_CASE_F = re.compile(r"^[ \t]*BOOST_DATA_TEST_CASE_F\s*\(\s*\w+\s*,\s*(\w+)", re.MULTILINE)
ID = re.compile(r"[CWLSYR]\d{2,3}")
ID_IN_NAME = re.compile(r"(?<![A-Za-z0-9])([CWLSYR]\d{2,3})(?![A-Za-z0-9])")
ROW = re.compile(r"^\|\s*([CWLSYR]\d{2,3})\s*\|(.*)\|\s*$")


def ids_of_name(name):
    return ID_IN_NAME.findall(name.replace("_", " "))


def tests_of(sources):
    """`sources`: path → text. id → the test cases that carry it."""
    found = {}
    for path, text in sources.items():
        for name in TEST_CASE_F.findall(text) + TEST_CASE.findall(text):
            for ident in ids_of_name(name):
                found.setdefault(ident, []).append(f"{path}: {name}")
    return found


def status_of(row):
    return row.split("|")[-1].strip()


def check(required, tables, sources):
    """The faults. `required`: text of ids.txt; `tables`: path → text of the tables; `sources`: path → text of the tests."""
    faults = []
    ids = set()
    for number, line in enumerate(required.splitlines(), 1):
        for word in line.split("#")[0].split():
            if not ID.fullmatch(word):
                faults.append(f"ids.txt:{number}: '{word}' is no id")
                continue
            if word in ids:
                faults.append(f"ids.txt:{number}: {word} stands there twice")
            ids.add(word)
    tests = tests_of(sources)
    listed = {}
    for path in sorted(tables):
        for number, line in enumerate(tables[path].splitlines(), 1):
            match = ROW.match(line)
            if not match:
                continue
            ident, place = match.group(1), f"{path}:{number}"
            status = status_of(match.group(2))
            if ident in listed:
                faults.append(f"{place}: {ident} is listed at {listed[ident]} too")
                continue
            listed[ident] = place
            if ident not in ids:
                faults.append(f"{place}: {ident} is in no checklist")
            if re.fullmatch(r"tested|partly: \S.*", status):
                if ident not in tests:
                    faults.append(f"{place}: {ident} is listed as tested, but no test case's name has it")
            elif re.fullmatch(r"(planned|not applicable): \S.*", status):
                if ident in tests:
                    faults.append(f"{place}: {ident} is listed as '{status}', but has a test ({tests[ident][0]})")
            else:
                faults.append(f"{place}: {ident}: the status '{status}' is none of tested, partly: …, planned: …, not applicable: …")
    for ident in sorted(ids - listed.keys()):
        faults.append(f"{ident} is listed in no table")
    for ident in sorted(tests.keys() - ids):
        faults.append(f"{tests[ident][0]}: {ident} is in no checklist")
    return faults


def updated(table, tests):
    """The table with its planned rows that have a test set to tested."""
    lines = []
    for line in table.splitlines():
        match = ROW.match(line)
        if match and match.group(1) in tests and status_of(match.group(2)).startswith("planned"):
            line = f"| {match.group(1)} |{'|'.join(match.group(2).split('|')[:-1])}| tested |"
        lines.append(line)
    return "\n".join(lines) + "\n"


def self_test():
    case = "BOOST_AUTO_TEST_CASE({}) {{}}\n"
    good = {"a.cpp": case.format("C014_cancel_is_synchronous") + "  BOOST_FIXTURE_TEST_CASE(R01_R03_subtrees, world) {}"}
    table = "| id | what | status |\n|---|---|---|\n| C014 | x | tested |\n| R01 | y | tested |\n| R03 | y | tested |\n"
    table += "| S001 | z | planned: supervisors |\n| C105 | q | not applicable: there is none |\n"
    ids = "# C\nC014 C105\nR01 R03 S001\n"
    assert check(ids, {"t.md": table}, good) == [], check(ids, {"t.md": table}, good)
    bad = [
        (ids, table, {"a.cpp": "// C014_cancel\n" + case.format("R01_R03_x")}, "C014 is listed as tested, but no test"),
        (ids, table, {"a.cpp": "// " + case.format("C014_x") + case.format("R01_R03_x")}, "C014 is listed as tested, but no"),
        (ids, table, {**good, "b.cpp": case.format("S001_starts")}, "S001 is listed as 'planned: supervisors', but has"),
        (ids, table, {**good, "b.cpp": case.format("C105_is")}, "C105 is listed as 'not applicable: there is none', but"),
        (ids, table, {**good, "b.cpp": case.format("C999_is")}, "C999 is in no checklist"),
        (ids, table + "| C014 | again | tested |\n", good, "C014 is listed at t.md:3 too"),
        (ids, table + "| W001 | unknown | planned: later |\n", good, "W001 is in no checklist"),
        (ids + "S002\n", table, good, "S002 is listed in no table"),
        (ids + "S001\n", table, good, "S001 stands there twice"),
        (ids + "hello\n", table, good, "'hello' is no id"),
        (ids, table.replace("planned: supervisors", "planned"), good, "the status 'planned' is none of"),
    ]
    for required, text, sources, expected in bad:
        faults = check(required, {"t.md": text}, sources)
        assert len(faults) == 1 and expected in faults[0], (expected, faults)
    partly = table.replace("| C014 | x | tested |", "| C014 | x | partly: the half of it |")
    assert check(ids, {"t.md": partly}, good) == []
    moved = {**good, "b.cpp": "BOOST_DATA_TEST_CASE_F(world, S001_starts, data) {}"}
    assert check(ids, {"t.md": updated(table, tests_of(moved))}, moved) == []
    assert ids_of_name("xC014_a") == [] and ids_of_name("C014a") == [] and ids_of_name("R12_W003_b") == ["R12", "W003"]
    print(f"check_conformance: self-test ok, {len(bad)} faults found as expected")


def main(arguments):
    if arguments == ["--self-test"]:
        self_test()
        return 0
    update = arguments[:1] == ["--update"]
    arguments = arguments[update:]
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parent.parent
    folder = root / "docs" / "conformance"
    sources = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in sorted((root / "tests").rglob("*.cpp"))}
    tests = tests_of(sources)
    if update:
        for path in folder.glob("*.md"):
            path.write_text(updated(path.read_text(encoding="utf-8"), tests), encoding="utf-8")
    tables = {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    faults = check((folder / "ids.txt").read_text(encoding="utf-8"), tables, sources)
    for fault in faults:
        print(fault)
    counts = {"tested": 0, "planned": 0, "not applicable": 0}
    for text in tables.values():
        for match in filter(None, map(ROW.match, text.splitlines())):
            word = status_of(match.group(2)).split(":")[0]
            counts[word] = counts.get(word, 0) + 1
    print("check_conformance: " + ", ".join(f"{count} {word}" for word, count in counts.items()) + f"; {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

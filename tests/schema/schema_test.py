#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Holds `actortree schema` against the loader: what the loader accepts, the schema accepts; what the loader rejects in
shape, the schema rejects. And holds the documentation against the schema: every key and every word is in it.

  schema_test.py ACTORTREE DOCS FILE…    DOCS: the folder; the files are trees without faults; more are below
"""
import json
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml


class CoreLoader(yaml.SafeLoader):
    """YAML 1.2's core schema, which editors use: `on` and `010` are no boolean and no octal number."""


CoreLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in [("bool", r"true|false", "tf"), ("int", r"[-+]?[0-9]+", "-+0123456789"),
                            ("float", r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", "-+0123456789."),
                            ("null", r"~|null|", ["~", "n", ""])]:
    CoreLoader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(f"^(?:{pattern})$"), list(first))

TREE = "schema: 1\ntree: {id: t, children: [%s]}\n"
CHILD = TREE % "{id: a, kind: demo.worker, %s}"
ROOT = "schema: 1\ntree: {id: t, children: [], %s}\n"
RULE = "schema: 1\ntree: {id: t, children: []}\npolicy: [%s]\n"

# The code that the loader reports, and the text.
REJECTED = [
    ("Y21", "schema: 1\ntre: {}\ntree: {id: t, children: []}\n"),
    ("Y21", ROOT % "startegy: one_for_all"),
    ("Y21", CHILD % "args: {}, strategy: one_for_all"),
    ("Y21", ROOT % "drain: 1s"),
    ("Y21", ROOT % "max_children: 3"),
    ("Y21", "schema: 1\ntree: {id: t, child: {kind: demo.worker}, start: graph}\n"),
    ("Y21", CHILD % "watch: {stuk_after: 1s}"),
    ("Y21", CHILD % "backoff: {min: 1s, max: 2s, fctor: 2}"),
    ("Y21", CHILD % "address: {hold: 1s, hld: 1s}"),
    ("Y21", CHILD % "context: {tmeout: 1s}"),
    ("Y21", TREE % "{id: a, kind: demo.store, ready: {tmeout: 1s}}"),
    ("Y21", "schema: 1\nshutdown: {bugdet: 1s}\ntree: {id: t, children: []}\n"),
    ("Y21", "schema: 1\ntemplates: {x: {id: a}}\ntree: {id: t, children: [{id: a, use: x, kind: demo.worker}]}\n"),
    ("Y21", "schema: 1\ndefaults: {kind: demo.worker}\ntree: {id: t, children: []}\n"),
    ("Y21", TREE % "{id: a, kind: demo.worker}, {id: b, kind: demo.worker, after: [{id: a, wen: ready}]}"),
    ("Y22", "tree: {id: t, children: []}\n"),
    ("Y22", "schema: 1\n"),
    ("Y22", TREE % "{kind: demo.worker}"),
    ("Y22", CHILD % "backoff: {min: 1s}"),
    ("Y22", CHILD % "address: {}"),
    ("Y22", TREE % "{id: a, kind: demo.worker}, {id: b, kind: demo.worker, after: [{when: ready}]}"),
    ("Y23", "schema: 1\ntree: []\n"),
    ("Y23", "schema: 1\ninclude: common.yaml\ntree: {id: t, children: []}\n"),
    ("Y23", "schema: 1\nvars: [a]\ntree: {id: t, children: []}\n"),
    ("Y23", "schema: 1\nvars: {a: [b]}\ntree: {id: t, children: []}\n"),
    ("Y23", "schema: 1\ndefaults: []\ntree: {id: t, children: []}\n"),
    ("Y23", "schema: 1\ntree: {id: t, children: {}}\n"),
    ("Y23", TREE % "a"),
    ("Y23", ROOT % "intensity: much"),
    ("Y23", ROOT % 'intensity: "5"'),
    ("Y23", ROOT % "intensity: 1.5"),
    ("Y23", ROOT % "period: [1s]"),
    ("Y23", ROOT % "period: soon"),
    ("Y23", CHILD % "labels: [a]"),
    ("Y23", CHILD % "labels: {a: [b]}"),
    ("Y23", CHILD % "after: b"),
    ("Y23", CHILD % "watch: always"),
    ("Y23", CHILD % "backoff: {min: 1s, max: 2s, factor: two}"),
    ("Y23", TREE % "{id: a, kind: demo.http, args: [8080]}"),
    ("Y23", TREE % "{id: a, kind: demo.http, args: {port: many}}"),
    ("Y23", TREE % '{id: a, kind: process, args: {command: "sleep 1"}}'),
    ("Y23", TREE % "{id: a, kind: process, args: {command: [sleep, [1]]}}"),
    ("Y23", TREE % "{id: a, kind: process, args: {command: [a], limits: {nofile: x}}}"),
    ("Y23", "schema: 1\ndefaults: {max_children: lots}\ntree: {id: t, children: []}\n"),
    ("Y24", "schema: 1\ntemplates: {x: {start: graf}}\ntree: {id: t, children: []}\n"),
    ("Y25", "schema: 1\ndefaults: {shutdown: 5}\ntree: {id: t, shutdown: 1s, children: []}\n"),
    ("Y24", ROOT % "strategy: one_for_al"),
    ("Y24", ROOT % "start: graf"),
    ("Y24", CHILD % "restart: allways"),
    ("Y24", CHILD % "isolation: none"),
    ("Y24", CHILD % "watch: {action: kill}"),
    ("Y24", "schema: 1\nshutdown: {on_overrun: kill}\ntree: {id: t, children: []}\n"),
    ("Y25", CHILD % "shutdown: 10"),
    ("Y25", CHILD % "shutdown: -1s"),
    ("Y25", CHILD % "shutdown: 10d"),
    ("Y25", CHILD % "shutdown: 99999999999999999999s"),
    ("Y26", ROOT % "intensity: -1"),
    ("Y26", ROOT % "intensity: 4294967296"),
    ("Y26", CHILD % "kill_grace: infinity"),
    ("Y26", ROOT % "period: 0s"),
    ("Y26", CHILD % "backoff: {min: 0s, max: 1s}"),
    ("Y26", CHILD % "backoff: {min: 1s, max: 1s, factor: 0.5}"),
    ("Y26", CHILD % "backoff: {min: 1s, max: 1s, jitter: 2}"),
    ("Y26", TREE % "{id: a/b, kind: demo.worker}"),
    ("Y26", TREE % '{id: "a b", kind: demo.worker}'),
    ("Y27", "schema: 2\ntree: {id: t, children: []}\n"),
    ("Y27", 'schema: "1"\ntree: {id: t, children: []}\n'),
    ("Y28", CHILD % "enabled: yes"),
    ("Y28", CHILD % "enabled: off"),
    ("Y32", TREE % "{id: a, kind: demo.wroker}"),
    ("Y32", CHILD % "context: {values: {zoen: eu}}"),
    ("Y33", TREE % "{id: a, kind: demo.http, args: {prt: 1}}"),
    ("Y33", TREE % "{id: a, kind: demo.http, args: {port: 65536}}"),
    ("Y33", TREE % "{id: a, kind: process, args: {command: [a], ready_port: 0}}"),
    ("Y33", TREE % "{id: a, kind: process, args: {command: [a], limits: {nofiles: 3}}}"),
    ("Y33", TREE % "{id: a, kind: process, args: {command: [a], limits: {nofile: -1}}}"),
    ("Y33", TREE % "{id: a, kind: process}"),
    ("Y33", TREE % "{id: a, kind: process, args: {cwd: /}}"),
    ("Y34", TREE % "{id: a}"),
    ("Y34", CHILD % "children: []"),
    ("Y72", RULE % "{id: a}"),
    ("Y72", RULE % "{require: {shutdown: 1s}}"),
    ("Y72", RULE % "{id: a, require: {shutdwn: 1s}}"),
    ("Y72", RULE % "{id: a, require: {}}"),
    ("Y72", RULE % "{id: a, require: {ready: true}}"),
    ("Y72", RULE % "{id: a, require: {restart: {max: 1}}}"),
    ("Y24", RULE % "{id: a, forbid: {restart: permanant}}"),
    ("Y24", RULE % "{id: a, forbid: {enabled: maybe}}"),
    ("Y72", RULE % "{id: a, forbid: {intensity: many}}"),
    ("Y72", RULE % "{id: a, forbid: {kill_grace: infinity}}"),
    ("Y72", RULE % "{id: a, match: {knd: x}, require: {shutdown: 1s}}"),
    ("Y24", RULE % "{id: a, match: {type: workers}, require: {shutdown: 1s}}"),
]

ACCEPTED = [
    TREE % "",
    'schema: 1\nvars: {n: 3, w: transient, d: 2s, b: true}\ntree: {id: t, children: [{id: a, kind: demo.worker, '
    'restart: "${var:w}", shutdown: "${var:d}", enabled: "${var:b}"}], intensity: "${var:n}"}\n',
    CHILD % "shutdown: infinity, drain: none, ready: none, backoff: none, watch: off, address: refuse",
    CHILD % "shutdown: brutal_kill, watch: {max_mailbox: infinity}, context: {timeout: infinity}",
    "schema: 1\ntemplates: {x: {kind: process, args: {command: [a]}}}\n"
    "tree: {id: t, children: [{id: a, use: x, args: {cwd: /}}]}\n",
    "schema: 1\ntemplates: {x: {backoff: {min: 1s, max: 40s}}}\n"
    "tree: {id: t, children: [{id: a, use: x, kind: demo.worker, backoff: {factor: 3}}]}\n",
    "schema: 1\ndefaults: {backoff: {min: 1s, max: 40s}}\n"
    "tree: {id: t, children: [{id: a, kind: demo.worker, backoff: {factor: 3}}]}\n",
    TREE % "{id: 7, kind: demo.worker}, {id: b, kind: demo.worker, after: [7]}",
    TREE % "{id: a, kind: process, args: {command: [sleep, 5], env: {A: 1, B: true}, limits: {nofile: 64}}}",
    RULE % "{id: a, match: {path: /t/**, labels: {x: 1}}, require: {restart: [permanent, transient], labels.x: {present: "
    "true}}, forbid: {watch: {present: false}, intensity: {min: 5}, shutdown: [infinity, 1s]}, level: warning}",
    RULE % '{id: a, require: {enabled: true, significant: "false", intensity: [1, "2"], start_timeout: [5s, infinity]}}',
    RULE % "{id: no kill, match: {kind: of.another.program}, require: {shutdown: brutal_kill}, level: warning}",
    ROOT % "period: 0.5s, intensity: 0",
    "schema: ${env:NO_SUCH_NAME:-1}\ntree: {id: t, children: []}\n",
]


def codes_of(actortree, text):
    """The codes of the loader's errors."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return errors_in(actortree, file.name)


def errors_in(actortree, path):
    run = subprocess.run([actortree, "check", path, "--format", "json"], capture_output=True, text=True, check=False)
    found = [d["code"] for d in json.loads(run.stdout) if d["severity"] == "error"]
    assert run.returncode == (3 if found else 0), f"{path}: status {run.returncode} with {found}"
    return found


def keys_and_words(schema):
    """Keys of maps, and words that values may be, wherever they stand."""
    if isinstance(schema, list):
        return set().union(*map(keys_and_words, schema))
    if not isinstance(schema, dict):
        return set()
    found = set(schema["enum"] if isinstance(schema.get("enum"), list) else [])
    if isinstance(schema.get("properties"), dict):
        found |= set(schema["properties"])
    return found.union(*map(keys_and_words, schema.values()))


def undocumented(schema, docs):
    """What the pages don't say in code: the arguments of kinds are in one, everything else in the other."""
    pages = {name: open(f"{docs}/{name}.md", encoding="utf-8").read() for name in ("yaml", "process")}
    # What stands in code, in a line or in a block.
    code = {name: set(re.findall(r"[\w.]+", " ".join(re.findall(r"```.*?```|`[^`]+`", page, re.S))))
            for name, page in pages.items()}
    kinds = {name: part for name, part in schema["$defs"].items() if name.startswith("args of ")}
    rest = dict(schema, **{"$defs": {name: part for name, part in schema["$defs"].items() if name not in kinds}})
    faults = [f"docs/process.md does not have the argument {word} ({name})"
              for name, part in kinds.items() for word in sorted(set(part["properties"]) - code["process"])]
    # `zone` is a key of the demo kinds.
    return faults + [f"docs/yaml.md does not have {word}"
                     for word in sorted(keys_and_words(rest) - code["yaml"] - {".", "..", "zone"})]


def main():
    actortree, docs, *files = sys.argv[1:]
    schema = json.loads(subprocess.run([actortree, "schema"], capture_output=True, text=True, check=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    faults = undocumented(schema, docs)

    def accepts(text):
        return [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}"
                for e in validator.iter_errors(yaml.load(text, CoreLoader))]

    for text in ACCEPTED + [open(path, encoding="utf-8").read() for path in files]:
        for why in accepts(text):
            faults.append(f"the schema rejects\n{text}  {why}")
    for text in ACCEPTED:
        if found := codes_of(actortree, text):
            faults.append(f"the loader reports {found} for\n{text}")
    for path in files:
        if found := errors_in(actortree, path):
            faults.append(f"the loader reports {found} for {path}")
    for code, text in REJECTED:
        if code not in (found := codes_of(actortree, text)):
            faults.append(f"the loader reports {found}, not {code}, for\n{text}")
        if not accepts(text):
            faults.append(f"the schema accepts what is {code}:\n{text}")
    print("\n".join(faults) or f"{len(ACCEPTED) + len(files)} trees accepted, {len(REJECTED)} rejected, by both")
    return 1 if faults else 0


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Rejects an #include that points the wrong way between the layers.

Each file belongs to the layer of its folder. A layer may include its own headers and those of the layers it may use;
third-party headers only where the layer's row allows them. Public headers never include private ones (src/), and never
the libraries that a layer links privately.

  tools/check_layers.py [ROOT]        checks the tracked files of the repository
  tools/check_layers.py --draw        draws what includes what, as it is, for Mermaid
  tools/check_layers.py --self-test   checks the checker
"""
import collections
import pathlib
import re
import subprocess
import sys

# name: (folders, layers it may use, third-party it may use, third-party its public headers may use)
LAYERS = {
    "context": (["libactor/include/libactor", "libactor/src"], [], [], []),
    "actor": (["libactor/include/libactor/actor", "libactor/src/actor"], ["context"], ["caf"], ["caf"]),
    "supervisors": (["supervisors/include/supervisors", "supervisors/src"], ["context", "actor"],
                    ["caf"], ["caf"]),
    "testkit": (["supervisors/include/supervisors/testkit", "supervisors/src/testkit"],
                ["context", "actor", "supervisors"], ["caf"], ["caf"]),
    "observe": (["supervisors/include/supervisors/observe", "supervisors/src/observe"],
                ["context", "actor", "supervisors"], ["caf", "nlohmann", "sqlite"], ["caf"]),
    "yaml": (["supervisors/include/supervisors/yaml", "supervisors/src/yaml"],
             ["context", "actor", "supervisors"], ["yaml-cpp", "nlohmann"], []),
    "process": (["supervisors/include/supervisors/process", "supervisors/src/process"],
                ["context", "actor", "supervisors"], ["caf", "boost/asio"], ["caf"]),
    "actortree": (["tools/actortree"], ["context", "actor", "supervisors", "testkit", "observe", "yaml", "process"],
                  ["caf", "nlohmann", "spdlog", "fmt", "CLI"], []),
}
# Third-party headers by the prefix of the include; the longest prefix counts. Others (the standard's and the
# system's) are free.
THIRD_PARTY = {"caf/": "caf", "yaml-cpp/": "yaml-cpp", "boost/asio": "boost/asio", "boost/": "boost", "nlohmann/": "nlohmann",
               "spdlog/": "spdlog", "fmt/": "fmt", "CLI/": "CLI", "sqlite3.h": "sqlite"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
ROOTS = ["libactor/include", "libactor/src", "supervisors/include", "supervisors/src"]


def inside(path, folder):
    return path == folder or path.startswith(folder + "/")


def layer_of(path):
    """The layer whose folder is the longest one that holds `path`, or None (tests, examples, benchmarks)."""
    best = None
    for name, (folders, *_) in LAYERS.items():
        for folder in folders:
            if inside(path, folder) and (best is None or len(folder) > len(best[1])):
                best = (name, folder)
    return best and best[0]


def is_public(path):
    return "/include/" in "/" + path


def resolve(path, target, files):
    """The repository's file that `#include target` in `path` means, or None if it is not one of ours."""
    beside = str(pathlib.PurePosixPath(path).parent / target)
    parts = []
    for part in beside.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    for candidate in ["/".join(parts)] + [f"{root}/{target}" for root in ROOTS] + [target]:
        if candidate in files:
            return candidate
    return None


def third_party(target):
    best = max((prefix for prefix in THIRD_PARTY if target.startswith(prefix)), key=len, default=None)
    return best and THIRD_PARTY[best]


def check(files):
    """`files`: path → text. The faults, as `path:line: what is wrong`."""
    faults = []
    for path in sorted(files):
        layer = layer_of(path)
        if layer is None:
            continue
        _, uses, third_private, third_public = LAYERS[layer]
        for number, line in enumerate(files[path].splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, target = match.groups()
            place = f"{path}:{number}: "
            ours = resolve(path, target, files)
            if ours is None:
                library = third_party(target)
                if library is not None and library not in (third_public if is_public(path) else third_private):
                    who = f"a public header of {layer}" if is_public(path) and library in third_private else layer
                    faults.append(f"{place}{who} must not include <{target}>")
                elif quote == '"' and library is None:
                    faults.append(f'{place}"{target}" is no file of the project')
                continue
            other = layer_of(ours)
            if other is None:
                faults.append(f"{place}{layer} includes {ours}, which belongs to no layer")
            elif other != layer and other not in uses:
                faults.append(f"{place}{layer} must not include {other} ({ours})")
            elif is_public(path) and not is_public(ours):
                faults.append(f"{place}a public header includes a private one ({ours})")
    return faults


def drawn(files):
    """The layers with their lines of code, and the includes from one to another, as a Mermaid graph."""
    lines, arrows = collections.Counter(), collections.Counter()
    for path, text in files.items():
        layer = layer_of(path)
        if layer is None:
            continue
        lines[layer] += text.count("\n")
        for match in filter(None, map(INCLUDE.match, text.splitlines())):
            ours = resolve(path, match.group(2), files)
            other = (ours and layer_of(ours)) or third_party(match.group(2))
            if other and other != layer:
                arrows[layer, other] += 1
    order = {name: place for place, name in enumerate(LAYERS)}
    nodes = [f'  {name}["{name}, {lines[name]} lines"]' for name in LAYERS if lines[name]]
    edges = [f'  {layer} -->|{count}| {other.replace("/", "_")}'
             for (layer, other), count in sorted(arrows.items(), key=lambda item: (order[item[0][0]], item[0][1]))]
    return "\n".join(["graph BT", *nodes, *edges])


def tracked(root):
    names = subprocess.run(["git", "-C", root, "ls-files", "*.hpp", "*.cpp"], check=True, capture_output=True,
                           text=True).stdout.split()
    return {name: (pathlib.Path(root) / name).read_text(encoding="utf-8")
            for name in names if (pathlib.Path(root) / name).exists()}


def self_test():
    tree = {
        "libactor/include/libactor/context.hpp": "#include <atomic>\n",
        "libactor/include/libactor/actor/worker.hpp": "",
        "libactor/src/node.hpp": "",
        "libactor/src/actor/seam.hpp": "",
        "supervisors/include/supervisors/runtime.hpp": "",
        "supervisors/include/supervisors/yaml/load.hpp": "",
        "supervisors/include/supervisors/process/host.hpp": "",
        "tests/unit/context/a_test.cpp": '#include "supervisors/yaml/load.hpp"\n',
    }
    assert check(tree) == [], check(tree)
    cases = [  # file, line, expected fault (None: allowed)
        ("libactor/src/a.cpp", '#include "libactor/context.hpp"', None),
        ("libactor/src/a.cpp", '#include "node.hpp"', None),
        ("libactor/src/a.cpp", '#include "libactor/actor/worker.hpp"', "context must not include actor"),
        ("libactor/src/a.cpp", "#include <caf/fwd.hpp>", "context must not include <caf/fwd.hpp>"),
        ("libactor/src/a.cpp", '#  include "caf/fwd.hpp"', "context must not include <caf/fwd.hpp>"),
        ("libactor/src/a.cpp", "#include <vector>", None),
        ("libactor/src/a.cpp", '#include "nowhere.hpp"', "is no file of the project"),
        ("libactor/include/libactor/b.hpp", '#include "node.hpp"', "a public header includes a private one"),
        ("libactor/include/libactor/b.hpp", '#include "../../src/node.hpp"', "a public header includes a private one"),
        ("libactor/src/actor/a.cpp", '#include "libactor/context.hpp"', None),
        ("libactor/src/actor/a.cpp", '#include "node.hpp"', None),
        ("libactor/src/actor/a.cpp", "#include <caf/all.hpp>", None),
        ("libactor/src/actor/a.cpp", '#include "supervisors/runtime.hpp"', "actor must not include supervisors"),
        ("supervisors/src/a.cpp", '#include "actor/seam.hpp"', None),
        ("supervisors/src/a.cpp", '#include "supervisors/yaml/load.hpp"', "supervisors must not include yaml"),
        ("supervisors/src/a.cpp", "#include <yaml-cpp/yaml.h>", "supervisors must not include <yaml-cpp/yaml.h>"),
        ("supervisors/src/a.cpp", "#include <boost/asio.hpp>", "supervisors must not include <boost/asio.hpp>"),
        ("supervisors/src/a.cpp", "#include <boost/stacktrace.hpp>", "supervisors must not include <boost/stacktrace.hpp>"),
        ("supervisors/include/supervisors/process/c.hpp", "#include <boost/asio.hpp>", "a public header of process"),
        ("supervisors/src/yaml/a.cpp", "#include <yaml-cpp/yaml.h>", None),
        ("supervisors/include/supervisors/yaml/c.hpp", "#include <yaml-cpp/yaml.h>", "a public header of yaml"),
        ("supervisors/src/yaml/a.cpp", '#include "supervisors/process/host.hpp"', "yaml must not include process"),
        ("supervisors/src/process/a.cpp", "#include <boost/asio.hpp>", None),
        ("tools/actortree/a.cpp", '#include "supervisors/yaml/load.hpp"', None),
        ("tools/actortree/a.cpp", "#include <spdlog/spdlog.h>", None),
        ("tools/actortree/a.cpp", '#include "tests/unit/context/a_test.cpp"', "belongs to no layer"),
        ("libactor/src/a.cpp", "#include <spdlog/spdlog.h>", "context must not include <spdlog/spdlog.h>"),
    ]
    for path, line, expected in cases:
        faults = check({**tree, path: f"// first line\n{line}\n"})
        if expected is None:
            assert faults == [], (path, line, faults)
        else:
            assert len(faults) == 1 and faults[0].startswith(f"{path}:2: ") and expected in faults[0], (path, line, faults)
    graph = drawn({**tree, "supervisors/src/a.cpp": '#include "actor/seam.hpp"\n#include "libactor/context.hpp"\n#include <caf/fwd.hpp>\n'})
    assert "  supervisors -->|1| actor" in graph and "  supervisors -->|1| caf" in graph and "yaml -->" not in graph, graph
    print(f"check_layers: self-test ok, {len(cases)} includes judged as expected")


def main(arguments):
    if arguments == ["--self-test"]:
        self_test()
        return 0
    if arguments and arguments[0].startswith("-") and arguments != ["--draw"]:
        print(__doc__)
        return 0 if arguments[0] in ("-h", "--help") else 2
    draw = arguments == ["--draw"]
    root = arguments[0] if arguments and not draw else str(pathlib.Path(__file__).resolve().parent.parent)
    files = tracked(root)
    if draw:
        print(drawn(files))
        return 0
    faults = check(files)
    for fault in faults:
        print(fault)
    judged = sum(1 for path in files if layer_of(path))
    print(f"check_layers: {judged} files, {len(faults)} faults")
    return 1 if faults or not judged else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

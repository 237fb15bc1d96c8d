#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Rejects mutable globals in the libraries: two runtimes in one process must not meet.

Every object that stands in a writable section of a static library (.data, .bss, and their thread-local kin) has to be
listed below, with the reason why it is no state of any runtime. What is constant after relocation (.data.rel.ro), guards
of local statics, and what belongs to other libraries' headers is not judged. A listed name that no library has is a fault,
too, as long as all libraries are there.

  tools/check_globals.py [BUILD_DIR]     checks the libactor-*.a below BUILD_DIR (default: build/dev)
  tools/check_globals.py --self-test     checks the checker
"""
import pathlib
import re
import subprocess
import sys

IMMUTABLE = "made once, never changed afterwards"
CONST = "constexpr; g++ puts it where the loader may write its addresses"
ALLOWED = {  # library: {demangled name, or re:pattern in which parentheses stand for themselves: reason}
    "context": {
        "libactor::(anonymous namespace)::current": "the process's violation handler, which a program may replace",
        "libactor::error_category()::instance": IMMUTABLE,
        "libactor::detail::foreign_canceled()::rep": IMMUTABLE,
        "libactor::detail::plain_canceled()::rep": IMMUTABLE,
        "libactor::detail::plain_expired()::rep": IMMUTABLE,
        "libactor::detail::runtime_shutdown()::rep": IMMUTABLE,
        "libactor::detail::canceled_at(libactor::source_location)::known":
            "causes that differ in their place only: each is made once and never changed",
        "libactor::detail::free_root()::root": "the free background(), which is never done and below which nothing hangs",
        "libactor::detail::free_root()::memory": "where that stands",
        "libactor::detail::node_pool::(anonymous namespace)::common()::instance":
            "free memory, which runtimes share as they share the heap",
        "libactor::detail::node_pool::(anonymous namespace)::common()::memory": "where that stands",
        "libactor::detail::node_pool::cached": "a thread's share of the free memory",
        "libactor::detail::node_pool::visitors": "how many threads look through that memory, for as long as they do",
        "libactor::detail::node_pool::(anonymous namespace)::thread_ends": "whether that was given back",
        "libactor::detail::node_pool::(anonymous namespace)::keep_cache()::keeper": "gives it back when the thread ends",
        "libactor::detail::block_pool::common()::instance":
            "free memory, which runtimes share as they share the heap",
        "libactor::detail::block_pool::common()::memory": "where that stands",
        "libactor::detail::block_pool::(anonymous namespace)::cached": "a thread's share of the free memory",
        "libactor::detail::block_pool::(anonymous namespace)::thread_ends": "whether that was given back",
        "libactor::detail::block_pool::(anonymous namespace)::keep_cache()::keeper": "gives it back when the thread ends",
        "libactor::detail::block_pool::(anonymous namespace)::fresh": "how much of it the thread took of late",
        "libactor::detail::(anonymous namespace)::pick_shard(libactor::detail::context_node const&)::next":
            "numbers threads",
        "libactor::detail::(anonymous namespace)::pick_shard(libactor::detail::context_node const&)::mine":
            "a thread's number",
        "libactor::detail::(anonymous namespace)::dead_here": "nodes that this thread takes apart, empty between calls",
        "libactor::detail::runtime_core::read_coarse_ms()::recent": "how often this thread read the clock of late",
        "libactor::detail::bulk_here": "whether this thread is firing many hooks, for as long as it does",
    },
    "actor": {
        "libactor::(anonymous namespace)::this_thread()::id": "the kernel's id of the thread",
        "libactor::detail::(anonymous namespace)::here": "the scheduler that the thread belongs to, for as long as it runs",
        "libactor::detail::scheduler_pool::batch_here": "what the cancel that this thread is in makes runnable, empty after it",
        "libactor::detail::seam::wake_element()::look": "a message without content, which all actors on the thread see in turn",
    },
    "supervisors": {
        "libactor::detail::(anonymous namespace)::handed_on":
            "which signal this thread hands on, for as long as it does",
        "libactor::(anonymous namespace)::one_shots": CONST,
        "libactor::detail::(anonymous namespace)::before":
            "handlers of signals are the process's: what a host had set before",
        "libactor::detail::(anonymous namespace)::slots":
            "where a thread that was sent a signal puts its answer, for as long as somebody waits for it",
        "libactor::detail::(anonymous namespace)::found()::all": "what the program's debug information says, which is constant",
        "libactor::detail::(anonymous namespace)::look_up(unsigned long)::state": "where that was read",
    },
    "testkit": {},
    "observe": {},
    "yaml": {
        "libactor::yaml::(anonymous namespace)::old_booleans": CONST,
        "re:libactor::yaml::(anonymous namespace)::\\w+_fields": CONST,
        "libactor::yaml::(anonymous namespace)::node_types()::all": IMMUTABLE,
        "libactor::yaml::(anonymous namespace)::flags()::all": IMMUTABLE,
        "libactor::yaml::(anonymous namespace)::limits()::all": IMMUTABLE,
        "libactor::yaml::(anonymous namespace)::stops()::all": IMMUTABLE,
        "libactor::yaml::included_keys()::all": IMMUTABLE,
        "re:libactor::yaml::keys_of(.*)::all": IMMUTABLE,
        "re:libactor::yaml::words_of<.*>()::all": IMMUTABLE,
    },
    "process": {
        "libactor::process::limit_names()::names": IMMUTABLE,
    },
}
SYMBOL = re.compile(r"^[0-9a-f]+ (.{7}) (\.\S+)\s+[0-9a-f]+ (?:\.hidden )?(.+)$")
WRITABLE = re.compile(r"^\.(data|bss|tdata|tbss)\b")
CONSTANT = re.compile(r"^\.data\.rel\.ro")
OURS = re.compile(r"\blibactor::")


def globals_in(table):
    """The library's own writable objects among the lines of `objdump -t -C`."""
    found = set()
    for line in table.splitlines():
        match = SYMBOL.match(line)
        if not match:
            continue
        flags, section, name = match.groups()
        if not WRITABLE.match(section) or CONSTANT.match(section) or "d" in flags:
            continue
        if name.startswith(("guard variable for ", "DW.ref.", "TLS init function", "TLS wrapper function")):
            continue
        # A thread-local object has no type letter; a foreign template is ours only if its outermost name is.
        if OURS.match(name):
            found.add(name)
    return found


def means(listed, name):
    if listed.startswith("re:"):
        return re.fullmatch(listed[3:].replace("(", r"\(").replace(")", r"\)"), name) is not None
    return listed == name


def check(tables, allowed):
    """`tables`: library → output of objdump."""
    faults = []
    for library, table in sorted(tables.items()):
        listed = allowed.get(library)
        if listed is None:
            faults.append(f"{library}: not listed in tools/check_globals.py")
            continue
        found = globals_in(table)
        faults += [f"{library}: {name} is writable and global" for name in sorted(found)
                   if not any(means(one, name) for one in listed)]
        faults += [f"{library}: {one} is listed, and does not exist" for one in listed
                   if not any(means(one, name) for name in found)]
    return faults


def self_test():
    head = "0000000000000000 "
    lines = {
        "l     O .bss\t0000000000000008 libactor::a": {"libactor::a"},
        "g     O .data\t0000000000000008 libactor::b(int)::c": {"libactor::b(int)::c"},
        "g     O .data.rel.local\t0000000000000008 libactor::(anonymous namespace)::d": {"libactor::(anonymous namespace)::d"},
        "l       .tbss\t0000000000000008 libactor::e": {"libactor::e"},
        "u     O .bss._ZN1x\t0000000000000008 libactor::f<int>": {"libactor::f<int>"},
        "w     O .data.rel.ro._ZTV1x\t0000000000000008 vtable for libactor::g": set(),
        "l     O .data.rel.ro.local\t0000000000000008 libactor::h": set(),
        "l     O .rodata\t0000000000000008 libactor::i": set(),
        "l     O .bss\t0000000000000008 guard variable for libactor::j()::k": set(),
        "g     F .text\t0000000000000008 libactor::l()": set(),
        "l    d  .bss\t0000000000000000 .bss": set(),
        "u     O .bss._ZN1y\t0000000000000008 boost::x<libactor::m>::n": set(),
        "l     O .bss\t0000000000000001 std::__ioinit": set(),
    }
    for line, expected in lines.items():
        assert globals_in(head + line) == expected, (line, globals_in(head + line))
    table = head + next(iter(lines))
    assert check({"x": table}, {"x": {"libactor::a": "reason"}}) == []
    assert len(check({"x": table}, {"x": {}})) == 1
    assert check({"x": head + list(lines)[1]}, {"x": {r"re:libactor::\w+(.*)::c": "reason"}}) == []
    assert len(check({"x": ""}, {"x": {"libactor::a": "reason"}})) == 1
    assert len(check({"y": ""}, {})) == 1
    print(f"check_globals: self-test ok, {len(lines)} symbols judged as expected")


def main(arguments):
    if arguments == ["--self-test"]:
        self_test()
        return 0
    root = pathlib.Path(__file__).resolve().parent.parent
    build = pathlib.Path(arguments[0]) if arguments else root / "build" / "dev"
    libraries = {path.name[len("libactor-"):-len(".a")]: path for path in build.rglob("libactor-*.a")}
    if not libraries:
        print(f"check_globals: no libraries in {build}")
        return 1
    tables = {name: subprocess.run(["objdump", "-t", "-C", path], check=True, capture_output=True, text=True).stdout
              for name, path in libraries.items()}
    faults = check(tables, ALLOWED)
    for fault in faults:
        print(fault)
    print(f"check_globals: {len(tables)} libraries, {sum(map(len, ALLOWED.values()))} objects listed, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs our benchmark programs and those of the peers in turn, and prints medians side by side.

Every program is `PROGRAM WORKLOAD N` and prints `workload<TAB>n<TAB>ns_per_op<TAB>bytes_per_item`. scripts/bench builds
them and calls this.
"""
import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys

CUT = 10  # seconds that one run of a peer may take; longer ones are left out with a note
OURS_AT_MOST = 60  # seconds that one run of ours may take; longer is an error

CONTEXT, ACTORS, TREES, FILES = "bench_context", "bench_actors", "bench_supervisors", "bench_yaml"
TESTKIT = "bench_explore"
MOST_TIMES_MORE = 3  # runs than were asked for, where their times scatter

PEERS = ["go", "go-done", "erlang", "caf", "yaml-cpp"]
CHURN = [40, 4_000, 400_000, 1_000_000]
# workload: (our program, peers, sizes, sizes for --quick)
WORKLOADS = {
    "derive": (CONTEXT, ["go", "go-done"], [2_000_000], [1_000]),
    "derive_shared_2t": (CONTEXT, ["go", "go-done"], [2_000_000], [1_000]),
    "poll": (CONTEXT, ["go"], [20_000_000], [1_000]),
    "value_10": (CONTEXT, ["go"], [5_000_000], [1_000]),
    "fanout_cancel": (CONTEXT, ["go", "go-done"], [100_000, 1_000_000], [1_000]),
    "fanout_cancel_shuffled": (CONTEXT, ["go", "go-done"], [100_000, 1_000_000], [1_000]),
    "deep_cancel": (CONTEXT, ["go", "go-done"], [10_000, 100_000], [1_000]),
    "deadline_churn": (CONTEXT, ["go", "erlang", "caf"], CHURN, [40]),
    "deadline_churn_random": (CONTEXT, ["go", "erlang"], CHURN, [40]),
    "deadline_fire": (CONTEXT, ["go", "erlang"], [100_000], [1_000]),
    "deadline_flood": (CONTEXT, ["go"], [1_000_000], [1_000]),
    "start_child": (ACTORS, ["erlang", "caf"], [1_000, 10_000, 100_000], [100]),
    "ordered_stop": (TREES, ["erlang"], [1_000, 10_000, 100_000], [100]),
    "dynamic_stop": (TREES, ["erlang"], [1_000, 10_000, 100_000], [100]),
    "restart_error": (TREES, ["erlang"], [0, 1_000, 10_000], [0]),
    "restart_error_p99": (TREES, ["erlang"], [0, 1_000, 10_000], [0]),
    "restart_exception": (TREES, ["erlang"], [0], [0]),
    "restart_history": (TREES, ["erlang"], [10_000], [100]),
    "group_restart": (TREES, ["erlang"], [100, 1_000], [10]),
    "deep_stop": (TREES, ["erlang"], [1_000], [10]),
    "ping_pong": (ACTORS, ["caf", "erlang"], [200_000], [1_000]),
    "watched_ping_pong": (ACTORS, ["caf"], [200_000], [1_000]),
    "watchdog_scan": (ACTORS, [], [100_000], [1_000]),
    "watchdog_look": (ACTORS, [], [200], [10]),
    "cancel_workers": (ACTORS, ["go", "erlang", "caf"], [1_000, 10_000, 100_000], [1_000]),
    "sched_spawn": (ACTORS, ["caf"], [200_000], [1_000]),
    "sched_spawn_nested": (ACTORS, ["caf"], [200_000], [1_000]),
    "sched_ping_pong": (ACTORS, ["caf"], [200_000], [1_000]),
    "sched_exit_down": (ACTORS, ["caf"], [100_000], [1_000]),
    "sched_link_chain": (ACTORS, ["caf"], [100_000], [1_000]),
    "sched_timer": (ACTORS, ["caf"], [200_000], [1_000]),
    "sched_wake_p99": (ACTORS, ["caf"], [300], [10]),
    "timer_flood": (ACTORS, ["caf"], [2_000], [20]),
    "explore": (TESTKIT, [], [20_000], [100]),
    "explore_2t": (TESTKIT, [], [20_000], [100]),
    "yaml_load": (FILES, ["yaml-cpp"], [10_000], [100]),
}
# Where the peer is CAF's scheduler, not CAF's actors on ours: the better of the two that it has, named in a note.
STOCK = ("caf-sharing", "caf-stealing")
LATENESS_AT_MOST = {"timer_flood": 20e6}  # ns at p99
# One look at 100,000 idle workers, and at one thread's stack; one run of an exploration of a tree of 5 children, which
# is 5,000 schedules a second: rows without a peer.
NS_AT_MOST = {"watchdog_scan": 5e6, "watchdog_look": 1e6, "explore": 200e3}
# Rows whose limit is too near to 1 for whole runs: our program alternates blocks of both in one process, of these sizes.
BLOCKS = {("ping_pong", "caf"): (ACTORS, "ping_pong_blocks", [5_000]),
          ("watched_ping_pong", "caf"): (ACTORS, "watched_ping_pong_blocks", [5_000]),
          ("cancel_workers", "caf"): (ACTORS, "cancel_workers_blocks", [1_000, 10_000, 100_000])}
# workload, the two sizes, how many times the cost at the first the cost at the second may be
FLAT = [("start_child", 1_000, 100_000, 2.0), ("ordered_stop", 1_000, 100_000, 2.0), ("dynamic_stop", 1_000, 100_000, 2.0),
        ("restart_error", 0, 10_000, 1.5), ("cancel_workers", 1_000, 100_000, 2.0), ("deadline_churn", 40, 1_000_000, 2.0)]
# workload, peer, how many times the peer's bytes an item may take
BYTES = [("start_child", "erlang", 0.75)]
HEADER = ("workload", "n", "ours_median_ns_per_op", "peer", "peer_median_ns_per_op", "ratio(ours/peer)",
          "ours_bytes_per_item", "peer_bytes_per_item")


def note(text):
    print(f"# {text}", flush=True)


def output_of(command, limit=CUT):
    result = subprocess.run(command, capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL, check=False)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with status {result.returncode}: {result.stderr.strip()}")
    return result.stdout


def first_line(command):
    try:
        return output_of(command).strip().splitlines()[0]
    except (OSError, RuntimeError, IndexError, subprocess.TimeoutExpired):
        return "not found"


class Programs:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def command(self, who, workload, n):
        if who == "erlang":
            return ["erl", "-noshell", "+P", "1048576", "-pa", str(self.folder), "-run", "peer_erlang", "main", workload, str(n)]
        if who in STOCK:
            return [str(self.folder / "peer_caf"), workload, str(n), who.removeprefix("caf-")]
        if who == "go-done":
            return [str(self.folder / "peer_go"), workload, str(n), "done"]
        name = {"go": "peer_go", "caf": "peer_caf", "yaml-cpp": "peer_yaml_cpp"}.get(who, who)
        stock = ["sharing"] if who == "caf" and workload == "deadline_churn" else []
        return [str(self.folder / name), workload, str(n)] + stock

    def available(self, who):
        return (self.folder / {"go": "peer_go", "go-done": "peer_go", "caf": "peer_caf", "yaml-cpp": "peer_yaml_cpp",
                               "erlang": "peer_erlang.beam"}.get(who, who)).exists()

    def run(self, who, workload, n, limit):
        """(ns per op, bytes per item or None) of one run."""
        fields = output_of(self.command(who, workload, n), limit).rstrip("\n").split("\t")
        if len(fields) != 4 or fields[0] != workload or fields[1] != str(n):
            raise RuntimeError(f"{who} {workload} {n}: not the agreed line: {fields}")
        return float(fields[2]), None if fields[3] == "-" else float(fields[3])


def scatter(runs):
    """Whether the middle half of some program's times spreads over more than a quarter."""
    for of in runs.values():
        times = sorted(ns for ns, _ in of)
        quarter = len(times) // 4
        if times[-1 - quarter] > 1.25 * times[quarter]:
            return True
    return False


def measure(programs, workload, n, ours, peers, rounds, warm_up):
    """who → [(ns, bytes)…], the runs taken in turn; a peer that takes too long is left out with a note. Where times
    scatter, there are more turns than `rounds`, for all programs alike."""
    runs = {who: [] for who in [ours] + peers}
    most = rounds * MOST_TIMES_MORE if rounds > 1 else rounds
    for turn in range(most + warm_up):
        if turn >= rounds + warm_up and not scatter(runs):
            break
        for who in list(runs):
            try:
                result = programs.run(who, workload, n, OURS_AT_MOST if who == ours else CUT)
            except subprocess.TimeoutExpired:
                if who == ours:
                    raise RuntimeError(f"{ours} {workload} {n} takes longer than {OURS_AT_MOST} s") from None
                note(f"{workload} {n}: {who} takes longer than {CUT} s and is left out")
                del runs[who]
                continue
            if turn >= warm_up:
                runs[who].append(result)
    return runs


def better_stock(workload, n, runs):
    """Leaves the better of CAF's own schedulers, as `caf`."""
    medians = {who: statistics.median(ns for ns, _ in runs[who]) for who in STOCK if who in runs}
    if not medians:
        return {who: of for who, of in runs.items() if who not in STOCK}
    best = min(medians, key=medians.get)
    note(f"{workload} {n}: " + ", ".join(f"{who} {ns:.1f}" for who, ns in medians.items()))
    return {("caf" if who == best else who): of for who, of in runs.items() if who == best or who not in STOCK}


def middle(values):
    return None if any(value is None for value in values) else statistics.median(values)


def spread(runs):
    """From the least to the most of each program's runs."""
    programs = ", ".join(f"{who} {min(ns for ns, _ in of):.1f} to {max(ns for ns, _ in of):.1f}" for who, of in runs.items())
    return f"{programs} ({max(map(len, runs.values()))} runs)"


def shown(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}"


def cpu():
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def print_header(rounds, warm_up, quick):
    memory = next(line.split()[1] for line in open("/proc/meminfo", encoding="utf-8") if line.startswith("MemTotal"))
    note(f"machine: {cpu()}, {os.cpu_count()} cores, {int(memory) // 1024 // 1024} GiB, {platform.system()} {platform.release().split('-')[0]}")
    erlang = ["erl", "-noshell", "-eval", 'io:format("OTP ~s~n", [erlang:system_info(otp_release)]), halt().']
    note(f"versions: {first_line(['g++', '--version'])}; {first_line(['go', 'version'])}; {first_line(erlang)}")
    note("load before: " + " ".join(f"{value:.2f}" for value in os.getloadavg()))
    note(f"each row: medians of {rounds} run(s) of each program, in turn, after {warm_up} to warm up"
         + (f", and of up to {rounds * MOST_TIMES_MORE} where the middle half of them spreads over a quarter" if rounds > 1 else "")
         + ("; --quick: sizes too small to say how fast" if quick else ""))
    note("every row compares whole runs, each in a process of its own: nothing finer than 40 % can be told from them")
    note("deadline_fire, deadline_flood, sched_wake_p99, timer_flood: the two columns of time are the lateness at p99, in ns")
    print("# " + "\t".join(HEADER), flush=True)


def read_limits(path):
    limits = {}
    for line in open(path, encoding="utf-8"):
        if line.strip() and not line.startswith("#"):
            workload, peer, limit = line.split()
            limits[workload, peer] = float(limit)
    return limits


def check(programs, limits, rows, sizes, alone):
    """What exceeds its limit. `rows`: (workload, n, peer) → (our ns, peer ns); `sizes`: the same → bytes an item;
    `alone`: (workload, n) → our ns, of those without a peer."""
    faults = []
    for (workload, n), ns in alone.items():
        if ns > NS_AT_MOST.get(workload, ns):
            faults.append(f"{workload} {n}: {ns / 1e6:.2f} ms, at most {NS_AT_MOST[workload] / 1e6:.0f}")
    for workload, peer, limit in BYTES:
        for (row, n, other), (ours, theirs) in sizes.items():
            if (row, other) == (workload, peer) and ours > limit * theirs:
                faults.append(f"{workload} {n}: {ours:.0f} bytes are {ours / theirs:.2f} times {peer}'s {theirs:.0f}, limit {limit}")
    measured = {(workload, peer) for workload, _, peer in rows}
    for (workload, n, peer), (ours, theirs) in rows.items():
        limit = limits.get((workload, peer))
        if limit is not None and not 0.8 <= limit <= 1.25 and ours / theirs > limit:
            faults.append(f"{workload} {n}: {ours / theirs:.3f} times {peer}, limit {limit}")
    for (workload, peer), limit in limits.items():
        if not 0.8 <= limit <= 1.25 or (workload, peer) not in measured:
            continue
        if (workload, peer) in BLOCKS:
            program, blocks, block_sizes = BLOCKS[workload, peer]
            for n in block_sizes:
                fields = output_of([str(programs.folder / program), blocks, str(n)], 120).split()
                ratio = float(fields[4])
                note(f"{workload}: alternating blocks of {n} in one process: ours {fields[2]}, {peer} {fields[3]}, ratio {ratio}")
                if ratio > limit:
                    faults.append(f"{workload}, alternating blocks of {n}: {ratio:.3f} times {peer}, limit {limit}")
        else:
            for (row, n, other), (ours, theirs) in rows.items():
                if (row, other) == (workload, peer):
                    note(f"{workload} {n}, {peer}: limit {limit} compared by whole runs only")
                    if ours / theirs > limit:
                        faults.append(f"{workload} {n}: {ours / theirs:.3f} times {peer}, limit {limit} (whole runs)")
    ours_at = {(workload, n): ours for (workload, n, _), (ours, _) in rows.items()}
    for workload, small, large, factor in FLAT:
        if (workload, small) in ours_at and (workload, large) in ours_at:
            ratio = ours_at[workload, large] / ours_at[workload, small]
            note(f"{workload}: {large} costs {ratio:.2f} times {small}, limit {factor}")
            if ratio > factor:
                faults.append(f"{workload}: not flat: {ratio:.2f} times from {small} to {large}, limit {factor}")
    for (workload, n), ns in ours_at.items():
        if ns > LATENESS_AT_MOST.get(workload, ns):
            faults.append(f"{workload} {n}: {ns / 1e6:.1f} ms late at p99, at most {LATENESS_AT_MOST[workload] / 1e6:.0f}")
    absent = sorted({workload for workload, _ in limits} - set(WORKLOADS))
    if absent:
        note("limits of workloads that do not exist yet: " + ", ".join(absent))
    return faults


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Benchmarks against Go, Erlang/OTP and plain CAF.")
    parser.add_argument("--bin", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", metavar="WORKLOAD,…", help="only these: " + ", ".join(WORKLOADS))
    parser.add_argument("--peers", metavar="PEER,…", help="only these: caf, go, go-done (each context is asked for its channel), erlang, yaml-cpp")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round: checks that all of it runs")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program a row (5)")
    parser.add_argument("--check", metavar="FILE", help="fail if a ratio exceeds its limit in FILE")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else list(WORKLOADS)
    wanted = options.peers.split(",") if options.peers else PEERS
    for what, names, known in (("workload", chosen, WORKLOADS), ("peer", wanted, PEERS)):
        for name in names:
            if name not in known:
                parser.error(f"no {what} '{name}'; known: {', '.join(known)}")
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if options.check and options.quick:
        parser.error("--quick says nothing about speed: --check needs a full run")

    programs = Programs(options.bin)
    for who in sorted({WORKLOADS[name][0] for name in chosen} | set(wanted)):
        if not programs.available(who):
            parser.error(f"the program of {who} was not built")
    rounds, warm_up = (1, 0) if options.quick else (options.rounds, 1)
    print_header(rounds, warm_up, options.quick)
    rows, bytes_of, alone = {}, {}, {}
    failed = False
    for workload in chosen:
        ours, its_peers, sizes, quick_sizes = WORKLOADS[workload]
        peers = [peer for peer in its_peers if peer in wanted]
        on_stock = workload.startswith("sched_") or workload == "timer_flood"
        if on_stock and "caf" in peers:
            peers = list(STOCK)
        for n in quick_sizes if options.quick else sizes:
            try:
                runs = measure(programs, workload, n, ours, peers, rounds, warm_up)
            except RuntimeError as fault:
                print(f"bench: {fault}", file=sys.stderr)
                failed = True
                continue
            if on_stock:
                runs = better_stock(workload, n, runs)
            if rounds > 1:
                note(f"spread of {workload} {n}: {spread(runs)}")
            our_ns, our_bytes = (middle(column) for column in zip(*runs[ours]))
            for peer in [who for who in runs if who != ours]:
                ns, size = (middle(column) for column in zip(*runs[peer]))
                rows[workload, n, peer] = (our_ns, ns)
                if our_bytes is not None and size is not None:
                    bytes_of[workload, n, peer] = (our_bytes, size)
                print("\t".join([workload, str(n), shown(our_ns), peer, shown(ns), shown(our_ns / ns, 3),
                                 shown(our_bytes, 0), shown(size, 0)]), flush=True)
            if not its_peers:
                alone[workload, n] = our_ns
            if len(runs) == 1:
                print("\t".join([workload, str(n), shown(our_ns), "-", "-", "-", shown(our_bytes, 0), "-"]), flush=True)
    note("load after: " + " ".join(f"{value:.2f}" for value in os.getloadavg()))
    if options.check:
        faults = check(programs, read_limits(options.check), rows, bytes_of, alone)
        for fault in faults:
            print(f"over the limit: {fault}")
        print(f"# {len(faults)} over their limits")
        failed = failed or bool(faults)
    if not rows and not alone:
        print("bench: nothing was measured against a peer", file=sys.stderr)
        failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

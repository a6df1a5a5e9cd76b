#!/usr/bin/env python3
"""The daemon beside what people use today, side by side in one run: CPU per poll, peak memory, time from start to the
first request, requests, detection latency. benches/README.md says what the columns mean.

    cargo build --release -p cognito-import-watch -p cognito-import-peers
    bash .ci/run clients                  # installs boto3, the AWS CLI and the SDK for Node in target/clients
    benches/peers.py                      # everything: 20 minutes
    benches/peers.py --workloads hot paced --transports tls --clients ours bare --runs 9
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from stage import JOB, POOL, REGIONS, ROOT, TRANSPORTS, config, cpu_seconds, endpoint, peak_kb, running

LOOPS = ROOT / "benches/peers/loops"
WORKLOADS = {
    "hot": "back to back: the next request as soon as one is answered; of ours, bare and floor 16 at a time",
    "paced": "20 polls a second, one by one, each when its job is due",
    "bound": "20 polls a second, because that is the ceiling: the jobs are due more often",
    "wait": "one job that is over after some seconds, looked at every 2 s",
}
# Seconds until the job of `wait` is over, one of them for each run: no multiple of the interval, spread over it.
ENDS = (4.3, 5.1, 5.9, 6.7, 7.5)
MEASURE = {"hot": 3, "paced": 6, "bound": 6}
PACE = 20
CLI_POLLS = 4


class Client:
    """Something that polls. Its command may need a directory of its own."""

    def __init__(self, name, command, needs=None):
        self.name, self.command, self.needs = name, command, needs

    def missing(self):
        return self.needs if self.needs and not Path(self.needs).exists() else None


def clients(programs, installed):
    """Everyone, as functions from a workload and a directory to a command."""

    def ours(workload, directory):
        binary = programs / "cognito-import-watch"
        if workload == "wait":
            (directory / "config.toml").write_text("[poll]\njitter = 0\nmultiplier = 1\n")
            flags = ("--initial-interval", "2s", "--max-interval", "2s", "--output", "json")
            return [binary, "wait", f"{POOL}/{JOB}", "--config", directory / "config.toml", *flags]
        if workload == "hot":
            return [binary, "run", "--config", config(directory, 1_000, "1ms", 10_000, in_flight=1, regions=REGIONS)]
        if workload == "paced":
            # Each job at moments of its own: the jitter takes up to 0.9 of the interval off, 0.45 on average.
            return [binary, "run", "--config", config(directory, PACE, "1818ms", 10_000, jitter=0.9)]
        return [binary, "run", "--config", config(directory, PACE, "100ms", PACE)]

    def node(_, directory):
        # Node looks for modules beside the file.
        (directory / "node_modules").symlink_to(installed / "node_modules")
        return ["node", shutil.copy(LOOPS / "node.mjs", directory)]

    python = installed / "venv/bin/python"
    return [
        Client("ours", ours, programs / "cognito-import-watch"),
        Client("bare", lambda *_: [programs / "bare"], programs / "bare"),
        Client("floor", lambda *_: [programs / "floor"], programs / "floor"),
        Client("boto3", lambda *_: [python, LOOPS / "boto.py"], python),
        Client("node", node, installed / "node_modules/@aws-sdk/client-cognito-identity-provider"),
        Client("cli", lambda *_: ["bash", LOOPS / "cli.sh"], installed / "venv/bin/aws"),
    ]


def steady(client, workload, asked, environment, directory):
    """A client in its stride: its processor time between two moments, over the requests between them."""
    environment |= {"PAUSE": "0", "LOOPS": str(len(REGIONS))} if workload == "hot" else {"PAUSE": str(1 / PACE)}
    command = client.command(workload, directory)
    if client.name == "cli":
        return at_once(command, asked, environment | {"PAUSE": "0", "POLLS": str(CLI_POLLS)})
    begun = time.time()
    with running(command, environment) as process:
        # Until every job was seen once, and Node compiled what it runs.
        asked.wait_for(4_000 if workload == "hot" else 3 * PACE, patience=4)
        cpu, requests, since = cpu_seconds(process.pid), asked.requests(), time.monotonic()
        time.sleep(MEASURE[workload])
        cpu, requests = cpu_seconds(process.pid) - cpu, asked.requests() - requests
        seconds = time.monotonic() - since
        return {
            "cpu": 1e6 * cpu / requests,
            "peak": peak_kb(process.pid) / 1000,
            "first": 1e3 * (asked.counted()["first"] - begun),
            "requests": requests / seconds,
        }


def at_once(command, asked, environment):
    """A client from its start to its end. All of its processor time is counted."""
    begun = time.time()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    peak = [0]
    watching = threading.Thread(target=watch_memory, args=(process.pid, peak))
    watching.start()
    _, code, used = os.wait4(process.pid, 0)
    ended = time.time()
    process.returncode = os.waitstatus_to_exitcode(code)
    watching.join()
    if process.returncode:
        raise SystemExit(f"{command[0]} ended with {process.returncode}")
    counted = asked.counted()
    # The CLI's own processes, which come and go; the usage of one process would begin with the memory of this one.
    children = used.ru_maxrss if command[0] == "bash" else 0
    return {
        "cpu": 1e6 * (used.ru_utime + used.ru_stime) / counted["requests"],
        "peak": max(peak[0], children) / 1000,
        "first": 1e3 * (counted["first"] - begun),
        "requests": counted["requests"],
        "latency": ended - counted["first"] - asked.over_after if asked.over_after else None,
    }


def watch_memory(pid, peak):
    try:
        while True:
            peak[0] = max(peak[0], peak_kb(pid))
            time.sleep(0.02)
    except (OSError, StopIteration):
        pass


def measure(client, workload, transport, round_, options):
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        ends = ENDS[round_ % len(ENDS)] if workload == "wait" else None
        with endpoint(options.programs, transport, ends) as asked:
            environment = asked.environment(directory) | {"AWS_CLI": str(options.installed / "venv/bin/aws")}
            if workload == "wait":
                return at_once(client.command(workload, directory), asked, environment | {"PAUSE": "2"})
            return steady(client, workload, asked, environment, directory)


def spread(values, digits):
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f}..{max(values):.{digits}f}]"


def tell(workload, transport, runs):
    columns = ["client", "CPU per poll, us", "x bare", "peak MB", "to first request, ms"]
    columns += ["requests", "latency, s"] if workload == "wait" else ["requests/s"]
    print(f"\n### {workload}, {transport}: {WORKLOADS[workload]}\n")
    print("| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))
    for name, rounds in runs.items():
        row = [name, spread([run["cpu"] for run in rounds], 0)]
        pairs = [a["cpu"] / b["cpu"] for a, b in zip(rounds, runs.get("bare", []))]
        row += [spread(pairs, 2), spread([run["peak"] for run in rounds], 1), spread([run["first"] for run in rounds], 1)]
        row += [spread([run["requests"] for run in rounds], 0)]
        row += [spread([run.get("latency") for run in rounds], 2)] if workload == "wait" else []
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=lambda path: Path(path).resolve(), default=ROOT / "target/release")
    parser.add_argument("--installed", type=lambda path: Path(path).resolve(), default=ROOT / "target/clients")
    parser.add_argument("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument("--transports", nargs="+", choices=TRANSPORTS, default=list(TRANSPORTS))
    parser.add_argument("--clients", nargs="+", help="by default all: ours bare floor boto3 node cli")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()

    everyone = clients(options.programs, options.installed)
    chosen = [client for client in everyone if not options.clients or client.name in options.clients]
    for client in chosen:
        if missing := client.missing():
            print(f"skipped: {client.name} ({missing} is missing)")
    chosen = [client for client in chosen if not client.missing()]
    for workload in options.workloads:
        for transport in options.transports:
            runs = {client.name: [] for client in chosen}
            for round_ in range(options.runs):
                for client in chosen:
                    runs[client.name].append(measure(client, workload, transport, round_, options))
            tell(workload, transport, runs)


if __name__ == "__main__":
    main()

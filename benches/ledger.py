#!/usr/bin/env python3
"""What the state file costs, side by side in one run: CPU per poll and polls per second with it and without, its bytes
per job, and how long a start with 10,000 jobs in it takes.

    cargo build --release
    benches/ledger.py target/release/cognito-import-watch

Each answer shows other numbers than the one before, so that each is written: the worst case. For Linux.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

POOL = "us-west-2_EXAMPLE"
JOBS, RATE = 200, 400
SETTLE, MEASURE, ROUNDS = 4, 10, 3
MANY = 10_000

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "AWS_ACCESS_KEY_ID": "AKIASIMU123456789012",
    "AWS_SECRET_ACCESS_KEY": "simulator-secret-access-key-123456789012",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def simulator(binary, directory, jobs, steps):
    script = "".join(f'{{polls = 1, status = "InProgress", imported = {step}}}, ' for step in range(steps))
    script += f'{{status = "InProgress", imported = {steps}}}'
    scenario = directory / "scenario.toml"
    scenario.write_text(
        f"[quota]\nper_pool = 1000000\nuser_pool_resource_read = 1000000\n[jobs]\nper_pool = {jobs}\n"
        f'[[pool]]\nid = "{POOL}"\naccount = "123456789012"\n'
        f'[[pool.job]]\nid = "import-load"\nname = "load"\ncount = {jobs}\nscript = [{script}]\n'
    )
    record = directory / "record"
    command = [binary, "simulate", "--listen", "127.0.0.1:0", "--output", "json", "--scenario", scenario, "--record", record]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield json.loads(process.stdout.readline())["endpoint_url"], record
    finally:
        process.kill()
        process.wait()


def config(directory, state, jobs):
    path = directory / "config.toml"
    path.write_text(
        '[poll]\ninitial_interval = "100ms"\nmax_interval = "1s"\nbatch = "never"\n'
        f"[throttle]\nrequests_per_second = {RATE}\nrequests_per_second_per_pool = {RATE}\nmax_in_flight = 64\n"
        f'[log]\nprogress_interval = "1h"\n[state]\npath = "{state}"\n'
        + "".join(f'[[job]]\ntarget = "{POOL}/import-load-{number}"\n' for number in range(1, jobs + 1))
    )
    return path


@contextmanager
def daemon(binary, url, file, log):
    command = [binary, "run", "--config", file, "--endpoint-url", url, "--log-format", "json"]
    process = subprocess.Popen(command, stdout=log, env=ENVIRONMENT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def cpu_seconds(pid):
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def lines(path):
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def wait_until(condition):
    while not condition():
        time.sleep(0.01)


def polls(binary, keeps_state):
    """CPU milliseconds per poll, and polls per second."""
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        file = config(directory, directory / "state.db" if keeps_state else "none", JOBS)
        with simulator(binary, directory, JOBS, 200) as (url, record), open(directory / "log", "wb") as log:
            with daemon(binary, url, file, log) as process:
                wait_until(lambda: record.exists() and lines(record) >= JOBS)
                time.sleep(SETTLE)
                cpu, asked, since = cpu_seconds(process.pid), lines(record), time.monotonic()
                time.sleep(MEASURE)
                cpu, asked = cpu_seconds(process.pid) - cpu, lines(record) - asked
                return 1000 * cpu / asked, asked / (time.monotonic() - since)


def opening(binary):
    """Bytes per job, and milliseconds from the start of the process to its first line: with many jobs, and with one."""
    starts = {}
    for jobs in (1, MANY):
        with tempfile.TemporaryDirectory() as directory:
            directory = Path(directory)
            state, log = directory / "state.db", directory / "log"
            file = config(directory, state, jobs)
            file.write_text(file.read_text().replace(f"= {RATE}\n", "= 10000\n"))
            with simulator(binary, directory, jobs, 1) as (url, record):
                with open(log, "wb") as output, daemon(binary, url, file, output):
                    wait_until(lambda: log.read_bytes().count(b'"job.first_seen"') >= jobs)
                size = state.stat().st_size
                times = []
                for _ in range(5):
                    since = time.monotonic()
                    with open(log, "wb") as output, daemon(binary, url, file, output):
                        wait_until(lambda: b"daemon.started" in log.read_bytes())
                        times.append(1000 * (time.monotonic() - since))
            starts[jobs] = statistics.median(times), size
    (one, _), (many, size) = starts[1], starts[MANY]
    print(f"state file with {MANY} jobs and an event for each: {size / MANY:.0f} bytes per job")
    print(f"start until daemon.started: {one:.0f} ms with one job, {many:.0f} ms with {MANY}")


def main():
    binary = Path(sys.argv[1]).resolve()
    with_state, without = [], []
    for _ in range(ROUNDS):
        with_state.append(polls(binary, True))
        without.append(polls(binary, False))
    for name, runs in (("with a state file", with_state), ("without", without)):
        cpu, rate = (statistics.median(column) for column in zip(*runs))
        print(f"{name}: {cpu:.3f} ms of CPU per poll at {rate:.0f} polls/s")
    ratio = statistics.median(a / b for (a, _), (b, _) in zip(with_state, without))
    print(f"CPU per poll with over without: {ratio:.2f}")
    opening(binary)


if __name__ == "__main__":
    main()

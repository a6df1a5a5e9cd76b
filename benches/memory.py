#!/usr/bin/env python3
"""What the daemon holds in memory for the jobs it watches, and how often it wakes up when nothing is due.

    cargo build --release -p cognito-import-watch -p cognito-import-peers
    benches/memory.py                     # 3 minutes
    benches/memory.py --jobs 1000 --transport http

Each job was seen once, over the transport and at the rate asked for, and sleeps for an hour then.
"""

import argparse
import tempfile
import time
from pathlib import Path

from stage import ROOT, TRANSPORTS, config, cpu_seconds, endpoint, peak_kb, resident_kb, running, waits, wake_ups

SETTLE, IDLE = 2, 60


def watched(options, jobs, idle):
    """Memory in kB with that many jobs, CPU per poll in us, and wake-ups in a minute of sleep where asked for."""
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        with endpoint(options.programs, options.transport) as asked:
            file = config(directory, jobs, "1h", options.rate)
            command = [options.programs / "cognito-import-watch", "run", "--config", file]
            environment = asked.environment(directory)
            with open(directory / "log", "wb") as log, running(command, environment, log) as process:
                asked.wait_for(1)
                cpu, seen = cpu_seconds(process.pid), asked.requests()
                asked.wait_for(jobs)
                asks = asked.requests() - seen
                cpu = (cpu_seconds(process.pid) - cpu) / asks if asks else 0
                time.sleep(SETTLE)
                numbers = resident_kb(process.pid), peak_kb(process.pid), 1e6 * cpu
                if not idle:
                    return numbers, None
                since = waits(process.pid)
                time.sleep(IDLE)
                return numbers, wake_ups(since, waits(process.pid))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=lambda path: Path(path).resolve(), default=ROOT / "target/release")
    parser.add_argument("--transport", choices=TRANSPORTS, default="tls")
    parser.add_argument("--jobs", nargs="+", type=int, default=[1_000, 10_000, 100_000])
    parser.add_argument("--rate", type=int, default=10_000, help="the ceiling, in requests per second")
    parser.add_argument("--no-idle", action="store_true", help="without the minute of sleep")
    options = parser.parse_args()

    (base, _, _), _ = watched(options, 1, idle=False)
    print(f"with 1 job: {base / 1000:.1f} MB\n")
    print("| jobs | resident, MB | peak, MB | bytes per job | CPU per poll until each was seen, us |\n| --- | --- | --- | --- | --- |")
    woken = []
    for jobs in options.jobs:
        (resident, peak, cpu), wakes = watched(options, jobs, idle=not options.no_idle and jobs <= 1_000)
        each = 1024 * (resident - base) / jobs
        print(f"| {jobs} | {resident / 1000:.1f} | {peak / 1000:.1f} | {each:.0f} | {cpu:.0f} |", flush=True)
        if wakes is not None:
            woken.append((jobs, wakes))
    for jobs, wakes in woken:
        print(f"\nwake-ups in {IDLE} s with {jobs} jobs asleep: {wakes}")


if __name__ == "__main__":
    main()

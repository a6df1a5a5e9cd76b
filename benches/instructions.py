#!/usr/bin/env python3
"""Instructions, counted by callgrind: from exec to the end of a `wait` that looks once, and of one poll, by part; the
daemon's beside those of the bare loop on the Rust SDK.

    cargo rustc --release --bin cognito-import-watch -- -C strip=none    # the parts need symbols; the counts do not
    cargo build --release -p cognito-import-watch -p cognito-import-peers
    benches/instructions.py

One poll is the difference between a long run and a short one, over the difference of their requests. Valgrind has no
SHA instructions, so that SHA-256 counts for some 100,000 instructions of a signature that takes 1 us in truth.
"""

import argparse
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from stage import JOB, POOL, ROOT, TRANSPORTS, config, endpoint

SHORT, LONG = 500, 2_500
# The first whose function is seen takes all that happens inside it. Inclusive counts, so parts overlap where one calls
# the other: the table says what of what.
PARTS = (
    ("poll, from the scheduler's decision to its answer", r"Driver::run"),
)


def callgrind(command, environment, directory, until=None):
    """Instructions of a program, and its report. `until` says when it is told to end, where it does not by itself."""
    out = directory / "callgrind.out"
    tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *map(str, command)]
    process = subprocess.Popen(tool, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if until is not None:
        until()
        process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    found = re.search(r"Collected : (\d+)", said)
    if not found:
        raise SystemExit(f"{command[0]} under valgrind:\n{said}")
    return int(found.group(1)), out


def functions(out):
    """Inclusive instructions of each function."""
    command = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", "--show-percs=no", out]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    counts = {}
    for line in told.splitlines():
        if found := re.match(r"\s*([\d,]+)\s+\S*?:(.*?)(?: \[[^\]]*\])?$", line):
            counts[found.group(2)] = counts.get(found.group(2), 0) + int(found.group(1).replace(",", ""))
    return counts

#!/usr/bin/env python3
"""Instructions, counted by callgrind: of one poll, by part, and from exec to the end of a `wait` that looks once; the
daemon's beside those of the bare loop on the Rust SDK.

    CARGO_PROFILE_RELEASE_STRIP=none cargo build --release -p cognito-import-watch -p cognito-import-peers
    benches/instructions.py

Without symbols the parts are missing, and the sums are the same. One poll is the difference between a long run and a
short one, over the difference of their requests. Valgrind hides the processor's SHA instructions, so that SHA-256 is
some 108,000 of a poll's; in truth it takes about a microsecond.
"""

import argparse
import re
import signal
import subprocess
import tempfile
from pathlib import Path

from stage import AUTHORITY, JOB, POOL, ROOT, TRANSPORTS, config, endpoint

SHORT, LONG = 200, 1_200
JOBS = 20
# Where Debian keeps the certificates that it trusts.
SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")
# What a part is, and the function whose calls it consists of, with all that they call in turn.
CALL = r"tracing::instrument::Instrumented<T> as core::future::future::Future>::poll$"
DESCRIBE = r"source::cognito::Cognito::describe::\{\{closure\}\}$"
DRIVER = r"driver::Driver::run::\{\{closure\}\}$"
SCHEDULER = r"schedule::scheduler::Scheduler::(handle|next_wake)$"
START = (
    ("the system's certificates, or AWS_CA_BUNDLE", r"RustTlsConnector|create_rustls_client_config|TrustStore::rustls_root_certs"),
    ("the command line", r"cli::Cli::read$"),
    ("AWS's own settings", r"aws_config::loader::ConfigLoader::load::\{\{closure\}\}$"),
    ("the dynamic loader", r"_dl_start$|dl_main"),
)


def callgrind(command, environment, directory, until=None):
    """Instructions of a program, and of each function with all that it calls. `until` says when it is to be told to
    end, where it does not end by itself."""
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
    command = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", "--show-percs=no", out]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    functions = {}
    for line in told.splitlines():
        if function := re.match(r"\s*([\d,]+)\s+\S*?:(.*?)(?: \[[^\]]*\])?$", line):
            name = function.group(2)
            functions[name] = functions.get(name, 0) + int(function.group(1).replace(",", ""))
    return int(found.group(1)), functions


def part(functions, pattern):
    """The instructions of the outermost function of that name; nothing where the compiler left no such function."""
    return max((count for name, count in functions.items() if re.search(pattern, name)), default=0)


def run(options, polls, ours):
    """Requests, instructions and functions of a run of about that many polls."""
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        with endpoint(options.programs, options.transport) as asked:
            environment = asked.environment(directory)
            if ours:
                command = [options.programs / "cognito-import-watch", "run", "--config"]
                command.append(config(directory, JOBS, "1ms", 10_000, in_flight=1))
                counted = callgrind(command, environment, directory, until=lambda: asked.wait_for(polls))
            else:
                counted = callgrind([options.programs / "bare"], environment | {"POLLS": str(polls)}, directory)
            return asked.requests(), *counted


def poll(options, ours):
    """Instructions of one poll, and a function for those of its parts."""
    short, long = (run(options, polls, ours) for polls in (SHORT, LONG))
    polls = long[0] - short[0]
    return (long[1] - short[1]) / polls, lambda pattern: (part(long[2], pattern) - part(short[2], pattern)) / polls


def start(options, ours):
    """Instructions from exec to the end of one look."""
    with tempfile.TemporaryDirectory() as directory:
        directory = Path(directory)
        with endpoint(options.programs, options.transport, over_after=0) as asked:
            environment = asked.environment(directory)
            if options.system_trust:
                environment.pop("AWS_CA_BUNDLE", None)
                trusted = directory / "trusted.pem"
                trusted.write_bytes(SYSTEM.read_bytes() + AUTHORITY.read_bytes())
                environment["SSL_CERT_FILE"] = str(trusted)
            wait = [options.programs / "cognito-import-watch", "wait", f"{POOL}/{JOB}", "--timeout", "0"]
            command = wait if ours else [options.programs / "bare"]
            return callgrind(command, environment | {"POLLS": "1"}, directory)


def row(name, count, of):
    print(f"| {name} | {count:,.0f} | {100 * count / of:.1f} % |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=lambda path: Path(path).resolve(), default=ROOT / "target/release")
    parser.add_argument("--transport", choices=TRANSPORTS, default="tls")
    options = parser.parse_args()

    (ours, of), (bare, _) = poll(options, True), poll(options, False)
    call, describe, driver, scheduler = (of(pattern) for pattern in (CALL, DESCRIBE, DRIVER, SCHEDULER))
    print("| of one poll | instructions | share |\n| --- | --- | --- |")
    row("the SDK's call: put together, signed, sent, read", call, ours)
    row("credentials and what is read off the answer (`source`)", describe - call, ours)
    row("scheduler (`core`)", scheduler, ours)
    row("the loop and who watches it (`driver`, `run`)", driver - scheduler, ours)
    row("connection, TLS, runtime", ours - describe - driver, ours)
    row("all", ours, ours)
    print(f"\nbare loop: {bare:,.0f}; ours over bare: {ours / bare:.2f}\n")

    print("| from exec to the end of one look | ours | bare | ours over bare |\n| --- | --- | --- | --- |")
    for options.system_trust, name in ((False, "AWS_CA_BUNDLE with one certificate"), (True, "the system's certificates")):
        (ours, functions), (bare, _) = start(options, True), start(options, False)
        print(f"| {name} | {ours:,} | {bare:,} | {ours / bare:.2f} |")
    print()
    for name, pattern in START:
        print(f"- of it {name}: {part(functions, pattern):,}")


if __name__ == "__main__":
    main()

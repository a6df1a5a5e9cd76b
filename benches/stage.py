"""What the benches share: the endpoint, the daemon's config, the environment of a client, and what /proc tells of it.

Used by peers.py, memory.py and instructions.py. For Linux.
"""

import json
import os
import ssl
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CERTIFICATES = ROOT / "src/source/testdata"
AUTHORITY = CERTIFICATES / "authority.pem"
REGION, POOL, JOB = "us-west-2", "us-west-2_EXAMPLE", "import-load-1"
TRANSPORTS = ("http", "tls")
# Each has a lane of its own. A lane sends a request a millisecond at the most, the precision of the timer; together they
# keep a processor busy.
REGIONS = (
    "us-east-1 us-east-2 us-west-1 us-west-2 eu-west-1 eu-west-2 eu-west-3 eu-north-1 eu-south-1 eu-central-1 "
    "ap-south-1 ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-2 sa-east-1"
).split()


class Endpoint:
    """The answerer, alone for one run of one client."""

    def __init__(self, programs, transport, over_after=None):
        environment = {}
        if transport == "tls":
            environment |= {"TLS_CERTIFICATE": str(CERTIFICATES / "server.pem"), "TLS_KEY": str(CERTIFICATES / "server.key")}
        if over_after is not None:
            environment |= {"OVER_AFTER": str(over_after)}
        self.transport, self.over_after = transport, over_after
        self.process = subprocess.Popen([programs / "answerer"], stdout=subprocess.PIPE, env=environment, text=True)
        port = self.process.stdout.readline().strip()
        self.url = f"https://localhost:{port}" if transport == "tls" else f"http://127.0.0.1:{port}"
        self.trust = ssl.create_default_context(cafile=AUTHORITY) if transport == "tls" else None

    def counted(self):
        """Requests so far, and when the first came, in seconds since 1970."""
        with urllib.request.urlopen(self.url, context=self.trust) as answer:
            return json.load(answer)

    def requests(self):
        return self.counted()["requests"]

    def wait_for(self, requests, patience=600):
        """Until so many requests came, or patience is over; says whether they came."""
        end = time.monotonic() + patience
        while self.requests() < requests:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def environment(self, home):
        """Credentials, endpoint and trust for a client, and nothing else of AWS."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": "AKIASIMU123456789012",
            "AWS_SECRET_ACCESS_KEY": "a-secret-access-key-that-opens-nothing-0",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": self.url,
            "POOL": POOL,
            "JOB": JOB,
            "PAUSE": "0",
        }
        if self.transport == "tls":
            environment |= {"AWS_CA_BUNDLE": str(AUTHORITY), "NODE_EXTRA_CA_CERTS": str(AUTHORITY)}
        return environment

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@contextmanager
def endpoint(programs, transport, over_after=None):
    opened = Endpoint(programs, transport, over_after)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def running(command, environment, stdout=subprocess.DEVNULL):
    """A client that runs until it is no longer looked at."""
    process = subprocess.Popen(command, env=environment, stdout=stdout, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def config(directory, jobs, interval, rate, in_flight=16, regions=(REGION,), jitter=0, jobs_per_pool=20):
    """A config of the daemon: every poll is a Describe, nothing is kept, `rate` is all that slows it down."""
    path = directory / "config.toml"
    path.write_text(
        f'[poll]\ninitial_interval = "{interval}"\nmax_interval = "{interval}"\nmultiplier = 1\njitter = {jitter}\n'
        'batch = "never"\n'
        f"[throttle]\nrequests_per_second = {rate}\nrequests_per_second_per_pool = {rate}\nmax_in_flight = {in_flight}\n"
        '[policy]\nstall_after = "none"\n[log]\nformat = "json"\nlevel = "info"\n[state]\npath = "none"\n'
    )
    # A file holds 4 MiB at the most.
    more = directory / "conf.d"
    more.mkdir()
    for first in range(0, jobs, 20_000):
        targets = (
            f'[[job]]\ntarget = "{regions[number // jobs_per_pool % len(regions)]}_Pool{number // jobs_per_pool}/import-load-{number}"\n'
            for number in range(first, min(first + 20_000, jobs))
        )
        (more / f"{first:06}.toml").write_text("".join(targets))
    return path


def threads(pid):
    return list(Path(f"/proc/{pid}/task").iterdir())


def cpu_seconds(pid):
    """Time on a processor of the threads that live, to the nanosecond; clock ticks would be too coarse."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads(pid)) / 1e9


def status(path, key):
    line = next(line for line in (path / "status").read_text().splitlines() if line.startswith(key + ":"))
    return int(line.split()[1])


def resident_kb(pid):
    return status(Path(f"/proc/{pid}"), "VmRSS")


def peak_kb(pid):
    return status(Path(f"/proc/{pid}"), "VmHWM")


def waits(pid):
    """How often each thread gave up the processor to wait for something."""
    return {thread.name: status(thread, "voluntary_ctxt_switches") for thread in threads(pid)}


def wake_ups(before, after):
    """Between two moments; a thread that ended in between counts for nothing."""
    return sum(count - before.get(thread, 0) for thread, count in after.items())

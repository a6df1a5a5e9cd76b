"""A simulator, and the daemon on it with whatever is put in front of it. Every test of this directory starts here."""

import datetime
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

BINARY = os.environ["BINARY"]
POOL = "us-west-2_EXAMPLE"
# No test takes so long; a hang ends as a failure.
PATIENCE_SECONDS = 60

# Polls that follow each other quickly, and a state file.
CONFIG = """
[poll]
initial_interval = "50ms"
max_interval = "100ms"
[throttle]
requests_per_second = 10000
requests_per_second_per_pool = 10000
[state]
path = "state/state.db"
"""


def target(name):
    return f"{POOL}/import-{name}"


def failing(polls):
    """The script of a job that shows one more failed user at each poll, which is told each time."""
    return moving("failed", polls)


def moving(counter, polls):
    """The script of a job of which one more user is counted at each poll."""
    steps = [f'{{polls = 1, status = "InProgress", {counter} = {count}}}' for count in range(1, polls)]
    return [*steps, f'{{status = "InProgress", {counter} = {polls}}}']


def wait_for(what, condition):
    """Waits until a condition gives something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {PATIENCE_SECONDS} s")


class Log:
    """The lines of a child, read on a thread as they come."""

    def __init__(self, stream):
        self.lines = []
        self.thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.thread.start()

    def _read(self, stream):
        for line in stream:
            self.lines.append(json.loads(line))

    def all(self, **fields):
        return [line for line in list(self.lines) if all(line.get(key) == value for key, value in fields.items())]

    def wait(self, **fields):
        """The first line with these fields."""
        return wait_for(str(fields), lambda: self.all(**fields))[0]

    def wait_message(self, words):
        return wait_for(words, lambda: [line for line in list(self.lines) if words in line["message"]])[0]


class Daemon:
    """A running `run`."""

    def __init__(self, command, environment, directory):
        self.process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            start_new_session=True,
        )
        self.log = Log(self.process.stdout)

    def pid(self):
        """The daemon's own number: what is put in front of it may be its parent."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0]) if children else self.process.pid

    def stop(self):
        """Ends it as a service manager would; gives its log."""
        os.kill(self.pid(), signal.SIGTERM)
        status = self.process.wait(PATIENCE_SECONDS)
        self.log.thread.join(PATIENCE_SECONDS)
        self.process.stdout.close()
        assert status == 0, f"it ended with {status}"
        return self.log

    def discard(self):
        """Whatever became of it, it is gone after this."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(PATIENCE_SECONDS)


class StageCase(unittest.TestCase):
    """A test with a simulator and a directory. `SCRIPTS` holds a script for each job."""

    SCRIPTS = {}
    SCENARIO = ""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="faults-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.state = self.directory / "state"
        self.state.mkdir()
        jobs = "".join(
            f'[[pool.job]]\nid = "import-{name}"\nname = "{name}"\nscript = [{", ".join(script)}]\n'
            for name, script in self.SCRIPTS.items()
        )
        scenario = self.SCENARIO + "[quota]\nper_pool = 100000\nuser_pool_resource_read = 100000\n"
        scenario += f'[[pool]]\nid = "{POOL}"\naccount = "123456789012"\n{jobs}'
        (self.directory / "scenario.toml").write_text(scenario)
        self.record_file = self.directory / "record"
        simulator = subprocess.Popen(
            [BINARY, "simulate", "--listen", "127.0.0.1:0", "--output", "json", "--seed", "1",
             "--scenario", str(self.directory / "scenario.toml"), "--record", str(self.record_file)],
            stdout=subprocess.PIPE, text=True,
        )
        self.addCleanup(self._end, simulator)
        world = json.loads(simulator.stdout.readline())
        account = world["accounts"][0]
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": account["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": account["secret_access_key"],
        }
        self.endpoint = world["endpoint_url"]

    @staticmethod
    def _end(simulator):
        simulator.terminate()
        simulator.wait(PATIENCE_SECONDS)
        simulator.stdout.close()

    def command(self, arguments=(), config=CONFIG):
        """The command line of `run` over every job."""
        path = self.directory / "watch.toml"
        path.write_text(config)
        targets = [target(name) for name in self.SCRIPTS]
        return [BINARY, "run", "--endpoint-url", self.endpoint, "--config", str(path), *arguments, *targets]

    def daemon(self, before=(), arguments=(), config=CONFIG, environment=None):
        """Starts `run` with something in front of it."""
        command = [*before, *self.command(arguments, config)]
        daemon = Daemon(command, self.environment | (environment or {}), self.directory)
        self.addCleanup(daemon.discard)
        return daemon

    def run_to_end(self, before=(), arguments=(), config=CONFIG, environment=None):
        """Runs `run` to its end; gives its code, its log and its stderr."""
        ended = subprocess.run(
            [*before, *self.command(arguments, config)], cwd=self.directory, env=self.environment | (environment or {}),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )
        return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()], ended.stderr

    def history(self, *arguments, environment=None):
        """What the state file holds."""
        ended = subprocess.run(
            [BINARY, "history", "--state", str(self.state / "state.db"), "--output", "json", *arguments],
            env=self.environment | (environment or {}), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True,
        )
        return [json.loads(line) for line in ended.stdout.splitlines()]

    def record(self):
        """What the simulator answered so far."""
        lines = self.record_file.read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def polled(self, more):
        """Waits until it was asked so often again."""
        asked = len(self.record())
        wait_for(f"{more} more polls", lambda: len(self.record()) >= asked + more)

    def need(self, command):
        """Skips the test where a command is missing."""
        if shutil.which(command) is None:
            self.skipTest(f"{command} is not installed")


def ids(events):
    return [event["event_id"] for event in events if event.get("event", "").startswith("job.")]


def seconds(timestamp):
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()

"""The image, containers of it, and a simulator on loopback. Every test of this directory starts here."""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import uuid
from functools import cache
from pathlib import Path

BINARY = os.environ["BINARY"]
REPOSITORY = Path(os.environ["REPOSITORY"])
IMAGE = "cognito-import-watch"
POOL = "us-west-2_EXAMPLE"
STATE = "/var/lib/cognito-import-watch"
# As the README and the manifests run it. A container may do nothing beyond what its image's own user can.
CONFINED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
# No test takes so long; a hang ends as a failure.
PATIENCE_SECONDS = 60

# Quick polls of the pool of the README.
CONFIG = f"""
[poll]
initial_interval = "50ms"
max_interval = "200ms"
[[pool]]
id = "{POOL}"
"""

# One job that moves for ever, one that fails and one that is over well.
SCENARIO = f"""
[[pool]]
id = "{POOL}"
account = "123456789012"
[[pool.job]]
id = "import-moving"
name = "moving"
script = [{{status = "InProgress", imported = 1}}]
[[pool.job]]
id = "import-done"
name = "done"
script = [{{polls = 2, status = "InProgress"}}, {{status = "Succeeded", imported = 3}}]
[[pool.job]]
id = "import-failed"
name = "failed"
script = [{{status = "Failed", failed = 3}}]
"""


def readme_transcript():
    """The README's transcript: commands, and what the last of them prints first."""
    text = (REPOSITORY / "README.md").read_text()
    section = text.split("### Run it beside another container")[1].split("\n### ")[0]
    return section.split("```console\n")[1].split("```")[0]


def readme_commands():
    """Its commands, each with its continuation lines."""
    return re.findall(r"^\$ ((?:.*\\\n)*.*)$", readme_transcript(), re.MULTILINE)


def readme_output():
    """Its last line."""
    return readme_transcript().splitlines()[-1]


@cache
def build_image():
    """Builds the image as the README says, once: all of its commands but the last, which runs it."""
    started = time.monotonic()
    for command in readme_commands()[:-1]:
        subprocess.run(["bash", "-ec", command], cwd=REPOSITORY, stdin=subprocess.DEVNULL, check=True)
    print(f"the README's commands built the image in {time.monotonic() - started:.1f} s", flush=True)


def podman(*arguments, check=True):
    """Runs podman to its end."""
    return subprocess.run(
        ["podman", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_SECONDS,
        check=check,
    )


def wait_for(what, condition):
    """Waits until a condition gives something."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what}: not within {PATIENCE_SECONDS} s")


class Running:
    """A `podman run` in the foreground. Each line of its stdout must be JSON."""

    def __init__(self, command, environment, name=None):
        self.name = name
        self.began = time.monotonic()
        self.first_line_after = None
        self.process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        )
        self.lines, self.wrong = [], []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.first_line_after = self.first_line_after or time.monotonic() - self.began
            try:
                self.lines.append(json.loads(line))
            except ValueError:
                self.wrong.append(line)

    def all(self, **fields):
        return [line for line in list(self.lines) if all(line.get(key) == value for key, value in fields.items())]

    def wait(self, **fields):
        """The first line with these fields."""
        def found():
            lines = self.all(**fields)
            if not lines and self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self.process.stderr.read()}")
            return lines
        return wait_for(str(fields), found)[0]

    def pid(self):
        """The number of the container's first process, on this machine."""
        return int(podman("inspect", "--format", "{{.State.Pid}}", self.name).stdout)

    def end(self):
        """Waits for its end; gives its code."""
        code = self.process.wait(PATIENCE_SECONDS)
        self.reader.join(PATIENCE_SECONDS)
        assert not self.wrong, self.wrong
        return code

    def terminate(self):
        """Sends SIGTERM to the container's first process; gives the code and the seconds until its end."""
        began = time.monotonic()
        podman("kill", "--signal", "TERM", self.name)
        return self.end(), time.monotonic() - began

    def discard(self):
        """Whatever became of it, it is gone after this."""
        if self.name:
            podman("rm", "--force", "--time", "0", self.name, check=False)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()
        self.process.stderr.close()


class ImageCase(unittest.TestCase):
    """A test with the image, a simulator and a directory."""

    # Arguments of `simulate`.
    SIMULATE = ()

    def setUp(self):
        build_image()
        directory = tempfile.TemporaryDirectory(prefix="image-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        # The user of the image reads what is mounted.
        self.directory.chmod(0o755)
        self.simulator = self.start_simulator()
        account = self.simulator["accounts"][0]
        self.endpoint = self.simulator["endpoint_url"]
        self.keys = {
            "AWS_ACCESS_KEY_ID": account["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": account["secret_access_key"],
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start_simulator(self):
        scenario = self.file("scenario.toml", SCENARIO)
        self.record = self.directory / "record"
        process = subprocess.Popen(
            [BINARY, "simulate", "--listen", "127.0.0.1:0", "--output", "json", "--scenario", str(scenario),
             "--record", str(self.record), *self.SIMULATE],
            stdout=subprocess.PIPE, text=True,
        )
        self.addCleanup(self._end, process)
        return json.loads(process.stdout.readline())

    @staticmethod
    def _end(process):
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        process.stdout.close()

    def answers(self):
        """How often the simulator answered so far."""
        return len(self.record.read_text().splitlines())

    def file(self, name, text):
        """A file that the container's user may read."""
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o644)
        return path

    def volume(self):
        """A named volume."""
        name = f"test-{uuid.uuid4()}"
        podman("volume", "create", name)
        self.addCleanup(podman, "volume", "rm", "--force", name, check=False)
        return name

    def start(self, arguments=(), options=(), environment=None):
        """Starts a confined container; `options` are podman's."""
        name = f"test-{uuid.uuid4()}"
        variables = self.keys | (environment or {})
        given = [option for key in variables for option in ("--env", key)]
        command = ["podman", "run", "--rm", "--name", name, *CONFINED, *given, *options, IMAGE, *arguments]
        running = Running(command, os.environ | variables, name)
        self.addCleanup(running.discard)
        return running

    def run_to_end(self, arguments=(), options=(), environment=None):
        """Runs a confined container to its end; gives its code, stdout and stderr."""
        variables = self.keys | (environment or {})
        given = [option for key in variables for option in ("--env", key)]
        ended = subprocess.run(
            ["podman", "run", "--rm", *CONFINED, *given, *options, IMAGE, *arguments], env=os.environ | variables,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False,
        )
        return ended.returncode, ended.stdout, ended.stderr

"""A machine with a real systemd: a container that is booted, and what is done inside it."""

import json
import os
import secrets
import signal
import subprocess
import time
import unittest
from pathlib import Path

ROOT = Path(os.environ["ROOT"])
PACKAGE = Path(os.environ["PACKAGE"])
README = Path(os.environ["README"])
SUITE = os.environ["SUITE"]
# No check takes so long; a hang ends as a failure.
PATIENCE_SECONDS = 60


def wait_for(what, condition, patience=PATIENCE_SECONDS):
    """Waits until a condition gives something."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {patience} s")


class Machine:
    """The container. It has no network but its own loopback."""

    def __init__(self):
        environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        boot = [
            "systemd-nspawn", "--quiet", f"--directory={ROOT}", f"--machine=watch-{SUITE}-{secrets.token_hex(4)}",
            "--register=no", "--keep-unit", "--boot", "--console=interactive", "--private-network",
            "systemd.show_status=no",
        ]
        # It wants a terminal.
        self.terminal = subprocess.Popen(
            ["script", "-qfec", " ".join(boot), "/dev/null"], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )
        try:
            self.init = wait_for("systemd starts", self._init, 30)
            wait_for("systemd is up", lambda: self.out("systemctl", "is-system-running") in ("running", "degraded"), 60)
        except AssertionError as error:
            self.discard()
            raise unittest.SkipTest(f"no container can be booted here: {error}: {self.terminal.stdout.read(300)}")

    def _init(self):
        """systemd is the child of nspawn, which is the child of the terminal."""
        pid = self.terminal.pid
        for _ in range(2):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            if not children:
                return None
            pid = int(children[0])
        # Before it executes systemd it is still nspawn.
        return pid if Path(f"/proc/{pid}/comm").read_text().strip() == "systemd" else None

    def discard(self):
        try:
            os.killpg(self.terminal.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.terminal.wait()

    def off(self):
        os.kill(self.init, signal.SIGRTMIN + 4)
        try:
            self.terminal.wait(30)
        except subprocess.TimeoutExpired:
            self.discard()

    def run(self, *command, **options):
        """Runs something inside; gives how it ended."""
        inside = ["nsenter", "--target", str(self.init), "--all", "--", *map(str, command)]
        return subprocess.run(
            inside, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_SECONDS * 2, **options
        )

    def out(self, *command):
        return self.run(*command).stdout.strip()

    def do(self, *command):
        """Runs something that must succeed."""
        done = self.run(*command)
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *command):
        """Starts something inside that does not end by itself."""
        inside = ["nsenter", "--target", str(self.init), "--all", "--", *map(str, command)]
        return subprocess.Popen(
            inside, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def shown(self, unit, key):
        return self.out("systemctl", "show", "--value", "--property", key, unit)

    def write(self, path, text, mode=0o644):
        file = ROOT / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def journal(self, *matches):
        """The entries with these fields, oldest first."""
        text = self.out("journalctl", "--all", "--output=json", "--no-pager", *matches)
        return [json.loads(line) for line in text.splitlines()]

    def told(self, *matches):
        """The entries with these fields, as soon as there is one."""
        return wait_for(f"journal of {matches}", lambda: self.journal(*matches))

"""The README's commands for a bare machine, as they stand there."""

import os
import re
import signal
import threading

from machine import PACKAGE, README, ROOT, wait_for
from stage import CREDENTIALS, KEYS, RUNNING, UNIT, ServiceCase

MARK = "<!-- Tried by tests/systemd. -->\n\n```sh\n"


def commands():
    """The commands of the marked block."""
    text = README.read_text(encoding="utf-8")
    assert text.count(MARK) == 1, f"the README has not one block behind {MARK!r}"
    return text.split(MARK)[1].split("```")[0].strip().splitlines()


FILE = "cognito-import-watch_0.1.0-1_amd64.deb"


class Readme(ServiceCase):
    JOBS = {"mAgUtd8PMm": [RUNNING]}

    def test_five_commands_lead_from_a_bare_machine_to_the_journal(self):
        lines = commands()
        self.assertLessEqual(len(lines), 5)
        # The simulator runs on from the file that it is.
        self.machine.do("dpkg", "--purge", "cognito-import-watch")
        self.machine.run("rm", "-rf", KEYS, "/etc/cognito-import-watch")
        self.assertFalse((ROOT / "usr/bin/cognito-import-watch").exists())
        self.machine.write("/root/.aws/credentials", CREDENTIALS, 0o600)
        # The stage's own package has another name.
        if PACKAGE.name != FILE:
            self.machine.do("mv", f"/root/{PACKAGE.name}", f"/root/{FILE}")
        # As careful as a root may be: what the service reads must be readable all the same.
        shell = "umask 077; export HOME=/root DEBIAN_FRONTEND=noninteractive; cd; set -e; "
        *steps, follow = lines
        for line in steps:
            self.machine.do("bash", "-c", shell + line)
        self.assertRegex(follow, re.compile("journalctl .*-f"))
        reader = self.machine.start("bash", "-c", shell + follow)
        seen = []
        thread = threading.Thread(target=lambda: seen.extend(iter(reader.stdout.readline, "")), daemon=True)
        thread.start()
        try:
            wait_for("the job in the journal", lambda: any("first seen InProgress" in line for line in list(seen)) or None)
        finally:
            os.killpg(reader.pid, signal.SIGKILL)
            reader.wait()
        self.assertEqual(self.machine.out("systemctl", "is-enabled", UNIT), "enabled")


del ServiceCase

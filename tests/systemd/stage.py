"""The package on a machine, a simulator beside it, and nothing left of what the check before did."""

import unittest

from machine import PACKAGE, ROOT, Machine, wait_for

UNIT = "cognito-import-watch.service"
CONFIG = "/etc/cognito-import-watch/cognito-import-watch.toml"
KEYS = "/etc/credstore/cognito-import-watch.aws"
POOL = "us-west-2_EXAMPLE"
ENDPOINT = "http://127.0.0.1:4599"
# Of the simulator, made of the account's number.
CREDENTIALS = """[default]
aws_access_key_id = AKIASIMU123456789012
aws_secret_access_key = simulator-secret-access-key-123456789012
"""
# Polls that follow each other quickly.
FAST = """
[poll]
initial_interval = "50ms"
max_interval = "100ms"
[throttle]
requests_per_second = 10000
requests_per_second_per_pool = 10000
"""
RUNNING = '{status = "InProgress", imported = 12}'


def target(name):
    return f"{POOL}/import-{name}"


def config(*names):
    return FAST + "".join(f'[[job]]\ntarget = "{target(name)}"\n' for name in names)


class ServiceCase(unittest.TestCase):
    """A check with the package installed, keys in place, and the simulator with JOBS: a name and a script each."""

    JOBS = {"a": [RUNNING], "b": [RUNNING]}

    @classmethod
    def setUpClass(cls):
        cls.machine = Machine()
        cls.addClassCleanup(cls.machine.off)
        cls.install()
        # For every service, so that no file of the product has to be changed for the test.
        cls.machine.do("systemctl", "set-environment", f"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER={ENDPOINT}")

    @classmethod
    def install(cls):
        (ROOT / "root" / PACKAGE.name).write_bytes(PACKAGE.read_bytes())
        cls.machine.do("dpkg", "--install", f"/root/{PACKAGE.name}")

    def setUp(self):
        self.reset()
        self.machine.write(KEYS, CREDENTIALS, 0o600)
        self.machine.write(CONFIG, config("a"))
        self.simulate(self.JOBS)

    def reset(self):
        run = self.machine.run
        run("systemctl", "stop", UNIT, "simulator.service")
        run("systemctl", "reset-failed")
        run("sh", "-c", "rm -rf /var/lib/private/cognito-import-watch /var/lib/cognito-import-watch")
        run("sh", "-c", "rm -rf /etc/systemd/system/cognito-import-*.d /etc/cognito-import-watch/* /etc/credstore/*")
        run("systemctl", "daemon-reload")
        run("journalctl", "--rotate")
        run("journalctl", "--vacuum-time=1us")

    def simulate(self, jobs):
        text = f'[quota]\nper_pool = 100000\nuser_pool_resource_read = 100000\n[[pool]]\nid = "{POOL}"\n'
        text += 'account = "123456789012"\n'
        for name, steps in jobs.items():
            text += f'[[pool.job]]\nid = "import-{name}"\nname = "{name}\\njob"\nscript = [{", ".join(steps)}]\n'
        self.machine.write("/root/scenario.toml", text)
        # The one before is unloaded a moment after it stopped.
        wait_for("the end of the simulator", lambda: self.machine.shown("simulator.service", "LoadState") == "not-found")
        # In /root, which the service cannot see.
        self.machine.do(
            "systemd-run", "--quiet", "--collect", "--unit=simulator", "/usr/bin/cognito-import-watch", "simulate",
            "--listen", "127.0.0.1:4599", "--scenario", "/root/scenario.toml", "--record", "/root/record",
        )
        wait_for("the simulator", lambda: "simulated, at" in self.machine.out("journalctl", "--unit=simulator", "--output=cat"))

    def tearDown(self):
        self.machine.run("systemctl", "stop", "simulator.service")
        self.machine.run("rm", "-f", "/root/record")

    def start(self):
        self.machine.do("systemctl", "start", UNIT)

    def pid(self):
        return int(self.machine.shown(UNIT, "MainPID"))

    def drop_in(self, unit, text):
        self.machine.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.machine.do("systemctl", "daemon-reload")

    def events(self):
        """What was told of jobs, oldest first: the name, the job and the id."""
        entries = self.machine.journal(f"_SYSTEMD_UNIT={UNIT}")
        return [
            (entry["EVENT"], entry["JOB_ID"], entry["EVENT_ID"])
            for entry in entries if entry.get("EVENT", "").startswith("job.")
        ]

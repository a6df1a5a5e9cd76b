"""What installing, upgrading and removing does, on a copy of this machine that is thrown away (an overlay)."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from package import DEB, EXAMPLE, NAME, RPM, UNITS

SERVICE = f"{NAME}.service"
# Prepares the copy: a systemctl that notes what it is told, and the sign that systemd runs.
PREPARE = """
set -e
mount -t tmpfs none "$0"
mkdir "$0/upper" "$0/work" "$0/root"
mount -t overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" overlay "$0/root"
root=$0/root
mount -t tmpfs none "$root/run"
mkdir -p "$root/run/systemd/system" "$root/packages"
rm -f "$root/usr/bin/systemctl" "$root/etc/dpkg/dpkg.cfg.d/"*
printf '#!/bin/sh\\necho "$*" >>/packages/systemctl\\n' >"$root/usr/bin/systemctl"
chmod 755 "$root/usr/bin/systemctl"
: >"$root/packages/systemctl"
cp -- "$DEB" "$root/packages/new.deb"
cp -- "$RPM" "$root/packages/new.rpm"
exec chroot "$root" /bin/sh -ec "$1"
"""


def on_a_copy(script):
    """What a shell script prints on the copy."""
    with tempfile.TemporaryDirectory(prefix="copy-") as directory:
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", PREPARE, directory, script],
            env={**os.environ, "DEB": str(DEB), "RPM": str(RPM), "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )


class Installed(unittest.TestCase):
    """The packages on a machine."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("only root can make a copy of the machine")
        probe = on_a_copy("true")
        if probe.returncode:
            raise unittest.SkipTest(f"no copy of the machine can be made: {probe.stderr.strip()}")

    def lines(self, script):
        done = on_a_copy(script)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.splitlines()

    def told(self, *scripts):
        """What systemctl was told by the last of these."""
        *before, last = scripts
        script = "\n".join(f"{each} >&2" for each in before)
        return self.lines(f"{script}\n: >/packages/systemctl\n{last} >&2\ncat /packages/systemctl")

    def test_installing_enables_and_starts_nothing(self):
        for install in ("dpkg --no-triggers --install /packages/new.deb", "rpm --install --nodeps /packages/new.rpm"):
            with self.subTest(install):
                self.assertEqual(self.told(install), ["daemon-reload"])

    def test_what_is_installed_works(self):
        for install in ("dpkg --no-triggers --install /packages/new.deb", "rpm --install --nodeps /packages/new.rpm"):
            with self.subTest(install):
                # Without the example no config is there: `check` needs a job that is named, which is added to a copy of it.
                found = self.lines(f"""
                    {install} >&2
                    {NAME} --version
                    cp /{EXAMPLE} /etc/{NAME}/{NAME}.toml
                    printf '[[pool]]\\nid = "us-west-2_EXAMPLE"\\n' >>/etc/{NAME}/{NAME}.toml
                    {NAME} check --config /etc/{NAME}/{NAME}.toml
                    test -f /{UNITS}/{SERVICE}
                """)
                self.assertTrue(found[0].startswith(NAME), found)
                self.assertEqual(found[1], "the config is good")

    def test_an_upgrade_restarts_the_service_only_where_it_runs(self):
        install = "dpkg --no-triggers --install /packages/new.deb"
        self.assertEqual(self.told(install, install), ["daemon-reload", f"try-restart {SERVICE}"])
        install = "rpm --upgrade --nodeps --replacepkgs --force /packages/new.rpm"
        told = self.told(install, install)
        self.assertEqual(told[-1], f"try-restart {SERVICE}")
        self.assertNotIn("disable", " ".join(told))

    def test_removal_ends_what_runs_and_keeps_the_owners_config_and_the_state(self):
        for install, remove in (
            ("dpkg --no-triggers --install /packages/new.deb", f"dpkg --remove {NAME}"),
            ("rpm --install --nodeps /packages/new.rpm", f"rpm --erase {NAME}"),
        ):
            with self.subTest(remove):
                own = f"/etc/{NAME}/{NAME}.toml", f"/var/lib/private/{NAME}/state.db"
                told = self.told(
                    install, f"mkdir -p /var/lib/private/{NAME}; touch {' '.join(own)}",
                    f"{remove}; test -f {own[0]} -a -f {own[1]}; test ! -e /usr/bin/{NAME} -a ! -e /{UNITS}/{SERVICE};",
                )
                self.assertIn(f"--no-reload disable --now {SERVICE}", told)
                self.assertEqual(told[-1], "daemon-reload")

    def test_a_purge_takes_the_state_and_leaves_the_owners_config(self):
        left = self.lines(f"""
            dpkg --no-triggers --install /packages/new.deb >&2
            mkdir -p /var/lib/private/{NAME}
            ln -s private/{NAME} /var/lib/{NAME}
            touch /etc/{NAME}/{NAME}.toml /var/lib/{NAME}/state.db
            dpkg --purge {NAME} >&2
            find /etc/{NAME} /var/lib/{NAME} /var/lib/private/{NAME} 2>/dev/null || true
        """)
        self.assertEqual(left, [f"/etc/{NAME}", f"/etc/{NAME}/{NAME}.toml"])

"""A disk that hangs, is read-only, is full."""

import os
import signal
import subprocess
import time
import unittest

from stage import PATIENCE_SECONDS, StageCase, failing, ids, moving, wait_for


class HangingDisk(StageCase):
    """An fsync that does not come back for a quarter of a minute."""

    # The second job tells nothing while it moves: a record of it holds no event.
    SCRIPTS = {"a": failing(1_000), "b": moving("imported", 1_000)}
    HANGS_SECONDS = 16

    def strace(self):
        self.need("strace")
        probe = subprocess.run(["strace", "-f", "-o", "/dev/null", "true"], capture_output=True, check=False)
        if probe.returncode:
            self.skipTest("strace may not trace here")
        # Sound at first, and again at the end: one fsync of the hundreds hangs.
        # To the tracer a delay is microseconds.
        inject = f"inject=fsync,fdatasync:delay_enter={self.HANGS_SECONDS * 1_000_000}:when=40"
        return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", inject]

    def test_events_are_told_from_memory_and_polling_goes_on(self):
        daemon = self.daemon(before=self.strace())
        log = daemon.log
        told = log.wait(event="daemon.state_unwritable")
        self.assertIn("longer than ten seconds", told["error"])
        asked = {name: len([entry for entry in self.record() if entry["job_id"] == f"import-{name}"]) for name in "ab"}
        events = len(ids(log.lines))
        # Both jobs are asked about while it hangs, that whose record holds no event too.
        for name, before in asked.items():
            def again(name=name, before=before):
                return len([entry for entry in self.record() if entry["job_id"] == f"import-{name}"]) >= before + 5
            wait_for(f"polls of {name} while the disk hangs", again)
        self.assertGreater(len(ids(log.lines)), events)
        self.assertFalse(log.all(message="state can be written again; what was missed is in it"), "it still hangs")
        log.wait_message("state can be written again")
        self.polled(10)
        log = daemon.stop()
        self.assertEqual(len(log.all(event="daemon.state_unwritable")), 1)
        # Everything once, in one order, and the file has all of it.
        self.assertEqual(len(ids(log.lines)), len(set(ids(log.lines))))
        self.assertEqual(ids(log.lines), ids(self.history()))

    def test_the_end_does_not_wait_for_it(self):
        daemon = self.daemon(before=self.strace())
        daemon.log.wait(event="daemon.state_unwritable")
        begin = time.monotonic()
        os.kill(daemon.pid(), signal.SIGTERM)
        daemon.log.wait(event="daemon.stopped")
        self.assertLess(time.monotonic() - begin, 5, "three seconds are waited for what is to be kept")


class FileSystems(StageCase):
    """A file system of its own for the state, in a mount namespace of its own."""

    POLLS = 300
    SCRIPTS = {"a": failing(POLLS)}

    def mounted(self, size):
        """What to put in front: a tmpfs of this size on the state directory. SQLite's log alone takes up to 4 MiB."""
        self.need("unshare")
        self.need("nsenter")
        probe = subprocess.run(
            ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"], capture_output=True, check=False,
        )
        if probe.returncode:
            self.skipTest("no file system may be mounted here")
        return ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size={size} tmpfs state && exec "$0" "$@"']

    def inside(self, daemon, script):
        """Runs a shell's words where the daemon's file systems are."""
        return subprocess.run(
            ["nsenter", "-m", "-t", str(daemon.pid()), "sh", "-c", f"cd {self.directory} && {script}"],
            capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True,
        ).stdout

    def kept(self, daemon):
        database = f"{self.directory}/state/state.db"
        words = f"{self.command()[0]} history --state {database} --output json"
        return [line.split('"event_id":"')[1][:36] for line in self.inside(daemon, words).splitlines()]

    def goes_on(self, before, breaks):
        """The daemon on a disk that breaks; tells it once and goes on. Gives it, and the error."""
        daemon = self.daemon(before=before)
        daemon.log.wait(event="job.failed_users")
        self.inside(daemon, breaks)
        told = daemon.log.wait(event="daemon.state_unwritable")
        self.assertEqual(told["level"], "error")
        self.polled(20)
        events = len(ids(daemon.log.lines))
        wait_for("events from memory", lambda: len(ids(daemon.log.lines)) > events)
        return daemon, told["error"]

    def all_told_once(self, log):
        self.assertEqual(len(log.all(event="daemon.state_unwritable")), 1)
        self.assertEqual(len(log.all(event="job.failed_users")), self.POLLS)
        self.assertEqual(len(set(ids(log.lines))), self.POLLS + 1)

    def test_a_file_system_that_becomes_read_only(self):
        self.need("mkfs.ext4")
        # As the kernel makes it after an error, whatever is open; only another mount makes it good.
        image = self.directory / "image"
        made = subprocess.run(
            ["sh", "-c", f"truncate -s 8M {image} && mkfs.ext4 -q {image}"], capture_output=True, check=False,
        )
        probe = subprocess.run(["unshare", "-m", "mount", "-o", "loop", image, "/mnt"], capture_output=True, check=False)
        if made.returncode or probe.returncode:
            self.skipTest("no ext4 may be made and mounted here")
        before = ["unshare", "-m", "sh", "-c", 'mount -o loop image state && exec "$0" "$@"']
        daemon, error = self.goes_on(before, "mount -o remount,abort state")
        self.assertRegex(error, "(?i)read-?only|i/o error")
        daemon.log.wait(event="job.failed_users", failed_users=self.POLLS)
        self.all_told_once(daemon.stop())

    def test_a_file_system_that_is_full_and_has_room_again(self):
        breaks = "dd if=/dev/zero of=state/filler bs=4k 2>/dev/null || true"
        daemon, error = self.goes_on(self.mounted("16m"), breaks)
        self.assertRegex(error, "full")
        self.inside(daemon, "rm state/filler")
        daemon.log.wait_message("state can be written again")
        daemon.log.wait(event="job.failed_users", failed_users=self.POLLS)
        wait_for("everything in the file", lambda: self.kept(daemon) == ids(daemon.log.lines))
        self.all_told_once(daemon.stop())

    def refused(self, before, words):
        code, log, said = self.run_to_end(before=before)
        self.assertEqual((code, log), (74, []), said)
        self.assertIn("state.db", said)
        self.assertIn("this user must be able to write to it and to its directory, on a disk with room", said)
        self.assertIn(words, said)
        self.assertNotIn("panicked", said)

    def test_a_read_only_file_system_at_the_start_is_code_74_and_says_what_to_do(self):
        mounted = self.mounted("1m")
        mounted[-1] = mounted[-1].replace("&& exec", "&& mount -o remount,ro state && exec")
        self.refused(mounted, "Read-only file system")

    def test_a_full_file_system_at_the_start_is_code_74_and_says_what_to_do(self):
        mounted = self.mounted("64k")
        mounted[-1] = mounted[-1].replace("&& exec", "&& { dd if=/dev/zero of=state/filler bs=4k 2>/dev/null || true; } && exec")
        self.refused(mounted, "full")

    def test_a_directory_of_somebody_else_is_code_74_and_says_what_to_do(self):
        self.need("setpriv")
        if os.geteuid() != 0:
            self.state.chmod(0o555)
            self.refused([], "Permission denied")
            return
        # Everything else may be read by anybody.
        self.directory.chmod(0o755)
        self.state.chmod(0o755)
        self.refused(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], "Permission denied")

    def test_a_directory_that_is_missing_is_code_74_and_says_what_to_do(self):
        self.state.rmdir()
        code, log, said = self.run_to_end()
        self.assertEqual((code, log), (74, []), said)
        self.assertIn("its directory does not exist; create it", said)


if __name__ == "__main__":
    unittest.main()

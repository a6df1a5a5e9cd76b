"""A wall clock that jumps, while the daemon runs and across its restarts. The monotonic clock is left alone."""

import glob
import subprocess
import time
import unittest

from stage import CONFIG, StageCase, failing, ids, seconds, wait_for

HOUR = 3600
YEAR = 365 * 24 * HOUR


class Clock(StageCase):
    """libfaketime in front of the daemon; the simulator's clock is right."""

    def faked(self, offset):
        """The environment of a process whose clock is off by so many seconds; [`set`] sets it while it runs."""
        libraries = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        if not libraries:
            self.skipTest("faketime is not installed")
        self.timestamps = self.directory / "clock"
        self.set(offset)
        environment = {
            "LD_PRELOAD": libraries[0],
            "FAKETIME_TIMESTAMP_FILE": str(self.timestamps),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }
        # Files keep their own times: a timestamp file is not to be told of another day.
        return environment | {"NO_FAKE_STAT": "1"}

    def set(self, offset):
        self.timestamps.write_text(f"{offset:+d}\n")

    def assert_off_by(self, event, offset):
        """The event is stamped by a clock that is off by so many seconds."""
        self.assertAlmostEqual(seconds(event["timestamp"]) - time.time(), offset, delta=60)


class Jumps(Clock):
    SCRIPTS = {"moving": failing(400), "waiting": ['{status = "Created"}'], "still": ['{status = "InProgress"}']}

    def test_a_jump_while_it_runs_warns_of_nothing_and_polling_goes_on(self):
        # Of a deadline, a plateau and an upload URL none is near.
        config = CONFIG + '[policy]\ndeadline = "2h"\nstall_after = "30m"\n'
        daemon = self.daemon(environment=self.faked(0), config=config)
        log = daemon.log
        for job in self.SCRIPTS:
            log.wait(event="job.first_seen", job_id=f"import-{job}")
        for offset in [5 * HOUR, -5 * HOUR, YEAR, -YEAR, 0]:
            self.set(offset)
            before = len(log.all(event="job.failed_users"))
            wait_for("an event by the new clock", lambda: len(log.all(event="job.failed_users")) > before + 2)
            self.assert_off_by(log.all(event="job.failed_users")[-1], offset)
            asked = len(self.record())
            self.polled(30)
            self.assertGreaterEqual(len(self.record()), asked + 30)
        log = daemon.stop()
        self.assertEqual({line["event"] for line in log.lines if line.get("event", "").startswith("job.")},
                         {"job.first_seen", "job.failed_users"})
        # As fast as its interval says, and no faster, whatever its clock said.
        of_one = sorted(entry["at"] for entry in self.record() if entry["job_id"] == "import-still")
        gaps = [later - earlier for earlier, later in zip(of_one, of_one[1:])]
        self.assertLess(max(gaps), 3)
        self.assertGreater(min(gaps), 0.03)
        self.assertEqual(ids(log.lines), ids(self.history()))

    def test_a_jump_across_restarts_warns_of_nothing_and_loses_no_history(self):
        config = CONFIG + 'keep_events = "1d"\n[policy]\ndeadline = "2h"\nstall_after = "30m"\n'
        told = []
        for offset in [0, 5 * HOUR, -5 * HOUR, YEAR, -YEAR, 0]:
            daemon = self.daemon(environment=self.faked(offset), config=config)
            started = daemon.log.wait(event="daemon.started")
            self.assert_off_by(started, offset)
            # The first answer refuses the signature, and shows the time to sign the next one with.
            daemon.log.wait(event="job.failed_users")
            self.polled(15)
            if offset == YEAR:
                # Old events are looked for at the start and, for the time was not known then, five seconds later.
                time.sleep(6)
            told += ids(daemon.stop().lines)
            events = {line["event"] for line in daemon.log.lines if line.get("event", "").startswith("job.")}
            # Progress is told at most so often by our own clock: one that is ahead makes it due.
            self.assertLessEqual(events, {"job.first_seen", "job.failed_users", "job.progress"}, f"off by {offset}")
        self.assertEqual(len(told), len(set(told)))
        self.assertEqual(told, ids(self.history()))

    def test_what_was_not_told_before_a_jump_is_told_after_it(self):
        config = CONFIG + 'outbox_age = "1d"\n'
        first = self.daemon(config=config)
        first.log.wait(event="job.first_seen", job_id="import-still")
        told = ids(first.stop().lines)
        # The log of the next one has no reader.
        with open("/dev/full", "w", encoding="utf-8") as nobody:
            second = subprocess.Popen(
                self.command(config=config), cwd=self.directory, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=nobody,
            )
        self.addCleanup(second.kill)
        self.polled(60)
        second.terminate()
        self.assertEqual(second.wait(60), 0)
        kept = ids(self.history())
        self.assertGreater(len(kept), len(told))
        third = self.daemon(environment=self.faked(YEAR), config=config)
        wait_for("what was not told", lambda: len(ids(third.log.lines)) >= len(kept) - len(told))
        told += ids(third.stop().lines)
        self.assertEqual(told, ids(self.history()))

    def test_since_goes_by_the_times_that_were_told(self):
        daemon = self.daemon(environment=self.faked(-5 * HOUR))
        daemon.log.wait(event="job.first_seen", job_id="import-still")
        daemon.stop()
        self.assertEqual(self.history("--since", "1h"), [])
        self.assertEqual(ids(self.history("--since", "6h")), ids(self.history()))


class Deadlines(Clock):
    # Created when the simulator starts.
    SCRIPTS = {"late": ['{status = "InProgress"}']}

    def ends(self, before, config, jump=None):
        """Runs to the deadline; gives when it ended by the simulator's record, in seconds since the job's creation."""
        daemon = self.daemon(environment=self.faked(before), arguments=["--exit-when-complete"], config=config)
        daemon.log.wait(event="job.first_seen")
        if jump is not None:
            self.set(jump)
        self.assertEqual(daemon.process.wait(60), 124)
        daemon.log.thread.join()
        daemon.process.stdout.close()
        self.assertEqual([line["kind"] for line in daemon.log.all(event="job.warning")], ["deadline_exceeded"])
        return self.record()[-1]["at"]

    def test_a_deadline_stays_where_it_was_whatever_the_clock_says(self):
        config = CONFIG.replace("state/state.db", "none") + '[policy]\ndeadline = "{}s"\n'
        for number, (before, jump) in enumerate([(0, 5 * HOUR), (5 * HOUR, 0), (-5 * HOUR, 5 * HOUR), (0, -YEAR)]):
            deadline = 5 * (number + 1)
            ended = self.ends(before, config.format(deadline), jump)
            # `Date` has whole seconds.
            self.assertGreaterEqual(ended, deadline - 1.5)
            self.assertLessEqual(ended, deadline + 4)


if __name__ == "__main__":
    unittest.main()

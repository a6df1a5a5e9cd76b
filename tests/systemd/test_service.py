"""The daemon as a service, on the systemd of SUITE."""

from machine import SUITE, wait_for
from stage import CONFIG, KEYS, POOL, RUNNING, UNIT, ServiceCase, config, target

WAIT = "cognito-import-wait@.service"
SOCKET = "cognito-import-watch.socket"


class Service(ServiceCase):
    def test_it_is_ready_and_says_what_it_watches(self):
        self.start()
        self.assertEqual(self.machine.shown(UNIT, "ActiveState"), "active")
        words = "watching 1 job, 0 pools: 1 InProgress; moving: a\\njob (12 imported, 0 skipped, 0 failed)"
        wait_for("a poll", lambda: "1 InProgress" in self.machine.shown(UNIT, "StatusText"))
        self.assertEqual(self.machine.shown(UNIT, "StatusText"), words)

    def test_a_wrong_config_ends_it_before_it_is_ready_and_for_good(self):
        self.machine.write(CONFIG, "[poll]\njiter = 0.1\n")
        self.assertNotEqual(self.machine.run("systemctl", "start", UNIT).returncode, 0)
        self.assertEqual(self.machine.shown(UNIT, "ExecMainStatus"), "78")
        self.assertEqual(self.machine.shown(UNIT, "ActiveState"), "failed")
        self.assertIn("did you mean", self.machine.out("journalctl", "--unit", UNIT, "--output=cat"))

    def test_the_journal_gives_each_event_by_its_fields(self):
        self.simulate_again({"a": ['{polls = 5, status = "Created"}', '{status = "Failed", failed = 2}']})
        self.start()
        [changed] = self.machine.told("EVENT=job.status_changed", "JOB_ID=import-a")
        self.assertEqual((changed["STATUS"], changed["PREVIOUS_STATUS"]), ("Failed", "Created"))
        self.assertEqual((changed["PRIORITY"], changed["FAILED_USERS"]), ("3", "2"))
        self.assertEqual((changed["JOB_NAME"], changed["_TRANSPORT"]), ("a\njob", "journal"))
        self.assertEqual(changed["SYSLOG_IDENTIFIER"], "cognito-import-watch")
        self.assertEqual(changed["MESSAGE"].split("  ")[:2], ["a\\njob", "Created → Failed"])
        [failed] = self.machine.told("EVENT=job.failed_users")
        self.assertEqual(failed["PRIORITY"], "4")
        self.assertEqual(self.machine.told(f"MESSAGE_ID={failed['MESSAGE_ID']}"), [failed])
        [seen] = self.machine.told("EVENT=job.first_seen", f"USER_POOL_ID={POOL}")
        self.assertEqual(seen["PRIORITY"], "6")
        self.assertEqual(len({entry["MESSAGE_ID"] for entry in (changed, failed, seen)}), 3)

    def simulate_again(self, jobs):
        self.machine.run("systemctl", "stop", "simulator.service")
        self.machine.run("rm", "-f", "/root/record")
        self.simulate(jobs)

    def test_a_long_text_of_many_lines_reaches_the_journal_whole(self):
        self.start()
        self.machine.write(CONFIG, "[poll]\n" + "".join(f"wrong_{number} = 1\n" for number in range(3_000)))
        self.machine.do("systemctl", "kill", "--signal=HUP", UNIT)
        [rejected] = self.machine.told("EVENT=daemon.reload_rejected")
        checked = self.machine.run("cognito-import-watch", "check", "--config", CONFIG)
        self.assertGreater(rejected["ERROR"].count("\n"), 100)
        self.assertEqual(rejected["ERROR"].strip(), checked.stderr.strip())

    def test_a_good_file_is_in_force_after_a_reload_and_a_wrong_one_fails_visibly(self):
        self.start()
        self.machine.told("EVENT=job.first_seen", "JOB_ID=import-a")
        self.machine.write(CONFIG, config("b"))
        self.machine.do("systemctl", "reload", UNIT)
        self.machine.told("EVENT=daemon.reloaded")
        self.machine.told("EVENT=job.first_seen", "JOB_ID=import-b")
        pid = self.pid()
        self.machine.write(CONFIG, "[poll]\njiter = 0.1\n")
        failed = self.machine.run("systemctl", "reload", UNIT)
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("did you mean", self.machine.out("journalctl", "--unit", UNIT, "--output=cat"))
        self.assertEqual((self.pid(), self.machine.shown(UNIT, "ActiveState")), (pid, "active"))
        self.assertIn("watching 1 job", self.machine.shown(UNIT, "StatusText"))
        self.assertEqual(self.machine.journal("EVENT=daemon.reload_rejected"), [], "it was not even asked to read it")
        # Whoever sends the signal alone finds the refusal in the status.
        self.machine.do("systemctl", "kill", "--signal=HUP", UNIT)
        wait_for("the refusal", lambda: "configuration rejected" in self.machine.shown(UNIT, "StatusText"))

    def test_where_systemd_knows_notify_reload_a_reload_waits_for_its_end(self):
        version = int(self.machine.out("systemctl", "--version").split()[1])
        self.machine.do(
            "install", "-D", "-m", "644", "-t", f"/etc/systemd/system/{UNIT}.d",
            "/usr/share/doc/cognito-import-watch/examples/notify-reload.conf",
        )
        self.machine.do("systemctl", "daemon-reload")
        if version < 253:
            self.assertNotEqual(self.machine.shown(UNIT, "Type"), "notify-reload")
            return
        self.start()
        self.machine.told("EVENT=job.first_seen", "JOB_ID=import-a")
        self.machine.write(CONFIG, config("a", "b"))
        self.machine.do("systemctl", "reload", UNIT)
        self.assertTrue(self.machine.shown(UNIT, "StatusText").startswith("watching 2 jobs"))
        self.machine.write(CONFIG, "[poll]\njiter = 0.1\n")
        self.assertNotEqual(self.machine.run("systemctl", "reload", UNIT).returncode, 0)
        wait_for("the refusal", lambda: "configuration rejected" in self.machine.shown(UNIT, "StatusText"))
        self.assertEqual(self.machine.shown(UNIT, "ActiveState"), "active")

    def test_killed_it_starts_again_and_tells_no_fact_under_a_second_id(self):
        self.simulate_again({"a": ['{polls = 30, status = "Created"}', RUNNING]})
        self.start()
        self.machine.told("EVENT=job.first_seen")
        self.drop_in(UNIT, "[Service]\nRestartSec=100ms\n")
        self.machine.do("systemctl", "kill", "--signal=KILL", UNIT)
        wait_for("another start", lambda: self.machine.shown(UNIT, "NRestarts") == "1")
        self.machine.told("EVENT=job.status_changed")
        # Killed between telling and noting that, it tells it again, under the same id.
        events = list(dict.fromkeys(self.events()))
        self.assertEqual([name for name, _, _ in events], ["job.first_seen", "job.status_changed"], events)

    def test_standing_still_it_is_started_again_by_the_watchdog(self):
        self.drop_in(UNIT, "[Service]\nWatchdogSec=2s\nRestartSec=100ms\n")
        self.start()
        self.machine.told("EVENT=job.first_seen")
        # Fed it lives on.
        self.machine.do("sleep", "5")
        pid = self.pid()
        self.assertEqual(self.machine.shown(UNIT, "NRestarts"), "0")
        self.machine.do("systemctl", "kill", "--signal=STOP", UNIT)
        wait_for("another start", lambda: self.machine.shown(UNIT, "NRestarts") == "1")
        wait_for("it is ready", lambda: self.machine.shown(UNIT, "ActiveState") == "active")
        self.assertNotEqual(self.pid(), pid)
        self.assertIn("Watchdog timeout", self.machine.out("journalctl", "--unit", UNIT, "--output=cat"))
        self.assertEqual([name for name, _, _ in self.events()], ["job.first_seen"])

    def test_its_keys_are_a_credential_that_nobody_else_can_read(self):
        self.start()
        self.machine.told("EVENT=job.first_seen")
        copy = f"/run/credentials/{UNIT}/aws"
        # 256 and later give it by an access list, which looks like the right of a group.
        self.assertIn(self.machine.out("stat", "--format=%a", copy), ("400", "440"))
        self.assertNotEqual(self.machine.run("setpriv", "--reuid=65534", "--clear-groups", "cat", copy).returncode, 0)
        self.assertEqual(self.machine.out("stat", "--format=%u:%a", KEYS), "0:600")

    def test_without_keys_it_starts_all_the_same(self):
        self.machine.do("rm", KEYS)
        self.start()
        [denied] = self.machine.told("EVENT=job.access_denied")
        self.assertEqual(denied["PRIORITY"], "3")
        self.assertEqual(self.machine.shown(UNIT, "ActiveState"), "active")

    def test_the_drop_in_takes_keys_from_elsewhere(self):
        self.machine.do("mv", KEYS, "/etc/cognito-import-watch/aws-credentials")
        self.machine.do(
            "install", "-D", "-m", "644", "-t", f"/etc/systemd/system/{UNIT}.d",
            "/usr/share/doc/cognito-import-watch/examples/aws-credentials.conf",
        )
        self.machine.do("systemctl", "daemon-reload")
        self.start()
        self.machine.told("EVENT=job.first_seen")

    def test_while_the_journal_is_away_events_wait(self):
        steps = [f'{{polls = 10, status = "InProgress", imported = {count}, failed = {count}}}' for count in range(12)]
        self.simulate_again({"a": [*steps, '{status = "Succeeded", failed = 12}']})
        self.start()
        self.machine.told("EVENT=job.failed_users")
        journal = ["systemd-journald.socket", "systemd-journald-dev-log.socket", "systemd-journald.service"]
        self.machine.run("systemctl", "stop", *journal)
        self.machine.do("sleep", "6")
        self.machine.do("systemctl", "start", *journal)
        self.machine.told("EVENT=job.completed")
        told = [entry["FAILED_USERS"] for entry in self.machine.journal("EVENT=job.failed_users")]
        self.assertEqual(sorted(set(told), key=int), [str(count) for count in range(1, 13)])

    def test_the_wait_unit_ends_with_the_code_of_its_job(self):
        self.simulate_again({
            "a": ['{polls = 2, status = "InProgress"}', '{status = "Succeeded", imported = 3}'],
            "b": ['{polls = 2, status = "InProgress"}', '{status = "Failed"}'],
        })
        good, bad = (self.machine.out("systemd-escape", f"--template={WAIT}", target(name)) for name in "ab")
        self.machine.do("systemctl", "start", good)
        self.assertEqual(self.machine.shown(good, "ExecMainStatus"), "0")
        self.assertNotEqual(self.machine.run("systemctl", "start", bad).returncode, 0)
        self.assertEqual(self.machine.shown(bad, "ExecMainStatus"), "10")
        [changed] = self.machine.told("EVENT=job.completed", "JOB_ID=import-a")
        self.assertEqual(changed["_SYSTEMD_UNIT"], good)

    def test_the_wait_unit_takes_its_flags_from_a_file_for_all_and_a_drop_in_for_one(self):
        one, other = (self.machine.out("systemd-escape", f"--template={WAIT}", target(name)) for name in "ab")
        self.drop_in(one, "[Service]\nEnvironment=COGNITO_IMPORT_WATCH_TIMEOUT=1s\n")
        self.assertNotEqual(self.machine.run("systemctl", "start", one).returncode, 0)
        self.assertEqual(self.machine.shown(one, "ExecMainStatus"), "124")
        self.machine.write("/etc/cognito-import-watch/wait.env", "COGNITO_IMPORT_WATCH_TIMEOUT=1s\n", 0o600)
        self.assertNotEqual(self.machine.run("systemctl", "start", other).returncode, 0)
        self.assertEqual(self.machine.shown(other, "ExecMainStatus"), "124")

    def test_its_socket_comes_up_with_it_even_after_a_wrong_config(self):
        ask = "exec 3<>/dev/tcp/127.0.0.1/9464; printf 'GET /livez HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n' >&3; "
        ask += "head -n 1 <&3"

        def answer():
            return self.machine.run("timeout", "10", "bash", "-c", ask).stdout.strip()

        self.addCleanup(self.machine.run, "systemctl", "disable", SOCKET)
        self.addCleanup(self.machine.run, "systemctl", "stop", SOCKET, UNIT)
        self.start()
        self.machine.do("systemctl", "enable", SOCKET)
        self.machine.do("systemctl", "restart", UNIT)
        self.assertEqual(answer(), "HTTP/1.1 200 OK")
        self.machine.do("systemctl", "stop", UNIT)
        self.assertEqual(answer(), "HTTP/1.1 200 OK", "whoever asks starts it")
        self.machine.write(CONFIG, "[poll]\njiter = 0.1\n")
        self.machine.run("systemctl", "restart", UNIT)
        answer()
        wait_for("systemd gives up", lambda: self.machine.shown(SOCKET, "ActiveState") == "failed")
        self.machine.write(CONFIG, config("a"))
        self.machine.do("systemctl", "reset-failed", UNIT)
        self.start()
        self.assertEqual(self.machine.shown(SOCKET, "ActiveState"), "active")
        self.assertEqual(answer(), "HTTP/1.1 200 OK")

    def test_stopped_it_keeps_its_state(self):
        self.start()
        self.machine.told("EVENT=job.first_seen")
        self.machine.do("systemctl", "stop", UNIT)
        self.assertEqual(self.machine.shown(UNIT, "Result"), "success")
        self.machine.told("EVENT=daemon.stopped")
        state = "/var/lib/cognito-import-watch/state.db"
        told = self.machine.do("cognito-import-watch", "history", "--state", state, "--output", "json")
        self.assertEqual(told.count("job.first_seen"), 1)
        self.start()
        wait_for("a poll", lambda: "1 InProgress" in self.machine.shown(UNIT, "StatusText"))
        self.assertEqual([name for name, _, _ in self.events()], ["job.first_seen"])

    def test_systemd_finds_nothing_wrong_and_little_exposed(self):
        units = [UNIT, WAIT.replace("@", "@x"), SOCKET]
        for unit in units:
            found = self.machine.run("systemd-analyze", "verify", "--man=no", unit)
            ours = [line for line in (found.stdout + found.stderr).splitlines() if "cognito" in line]
            self.assertEqual(ours, [])
        self.start()
        self.machine.told("EVENT=job.first_seen")
        score = self.machine.do("systemd-analyze", "security", "--threshold=12", "--no-pager", UNIT).splitlines()[-1]
        began = int(self.machine.shown(UNIT, "InactiveExitTimestampMonotonic"))
        ready = int(self.machine.shown(UNIT, "ActiveEnterTimestampMonotonic"))
        status = self.machine.do("cat", f"/proc/{self.pid()}/status")
        resident = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
        version = self.machine.out("systemctl", "--version").splitlines()[0]
        print(f"\n  {SUITE}, {version}: {score.strip(' →')}")
        print(f"  ready {(ready - began) / 1000:.0f} ms after its start, resident {int(resident) / 1024:.1f} MiB")


del ServiceCase

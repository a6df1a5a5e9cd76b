"""The AWS CLI imports 10,000 users of which a known number are bad or exist, and our own binary watches."""

import contextlib
import json
import re
import subprocess
import unittest

from clients import BINARY, ENCRYPTED, PATIENCE_SECONDS, ROLE, SimulatorTest, row

ROWS = 10_000
EXISTING = [f"existing-{number}" for number in range(12)]
# What is wrong with each kind of bad row, and how many there are of it.
BAD = [
    (9, {"email_verified": "FALSE"}),
    (5, {"cognito_mfa_enabled": "TRUE"}),
    (4, {"birthdate": "1990-12-31"}),
    (3, {"email": "no-address"}),
    (2, {"cognito_username": "white space"}),
]
FAILED = sum(count for count, _ in BAD)
# Besides those that exist, a user that comes twice in the file.
TWICE = 3
SKIPPED = len(EXISTING) + TWICE
IMPORTED = ROWS - FAILED - SKIPPED


def csv_of(header):
    """The file: bad rows and users that exist are spread over it."""
    rows = [row(header, cognito_username=name) for name in EXISTING]
    for count, wrong in BAD:
        rows += [row(header, **({"cognito_username": f"bad-{len(rows)}"} | wrong)) for _ in range(count)]
    rows += [row(header, cognito_username="twice")] * (TWICE + 1)
    rows.append(row(header, cognito_username="jane", name="Doe, Jane", birthdate="12/31/1990"))
    good = iter(range(ROWS))
    step = ROWS // len(rows)
    spread = []
    for special in rows:
        spread += [row(header, cognito_username=f"user-{next(good)}") for _ in range(step - 1)] + [special]
    spread += [row(header, cognito_username=f"user-{next(good)}") for _ in range(ROWS - len(spread))]
    return "\n".join([",".join(header), *spread]) + "\n"


class ImportByTheCli(SimulatorTest):
    """One import job, made and started by the AWS CLI, followed by `run` from its creation and by `wait`."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        simulator = cls.simulator
        pool = ("--user-pool-id", simulator.pool)
        for name in EXISTING:
            simulator.aws("admin-create-user", *pool, "--username", name)
        header = simulator.aws("get-csv-header", *pool)["CSVHeader"]
        csv = simulator.path("users.csv")
        csv.write_text(csv_of(header))
        names = ("--job-name", "nightly customers", "--cloud-watch-logs-role-arn", ROLE)
        job = simulator.aws("create-user-import-job", *pool, *names)["UserImportJob"]
        cls.job, cls.target = (*pool, "--job-id", job["JobId"]), f"{simulator.pool}/{job['JobId']}"
        cls.upload_without_encryption = simulator.upload(job["PreSignedUrl"], csv)
        cls.uploaded = simulator.upload(job["PreSignedUrl"], csv, *ENCRYPTED)
        command = [BINARY, "run", cls.target, "--exit-when-complete", "--log-format", "json"]
        pipe = subprocess.PIPE
        run = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=simulator.environment())
        with run, contextlib.ExitStack() as cleanup:
            # Without effect where it has ended.
            cleanup.callback(run.kill)
            # The job starts once `run` has seen it wait, so that there is a change to tell.
            lines = []
            for line in run.stdout:
                lines.append(line)
                if '"job.first_seen"' in line:
                    break
            cls.started = simulator.aws("start-user-import-job", *cls.job)["UserImportJob"]
            cls.waited = simulator.watch("wait", cls.target, "--output", "json")
            rest, cls.run_errors = run.communicate(timeout=PATIENCE_SECONDS)
            cls.run_status = run.returncode
        cls.lines = [json.loads(line) for line in [*lines, *rest.splitlines()]]
        cls.described = simulator.aws("describe-user-import-job", *cls.job)["UserImportJob"]

    def events(self, name):
        return [line for line in self.lines if line.get("event") == name]

    def test_the_upload_needs_the_encryption_header(self):
        self.assertEqual((self.upload_without_encryption, self.uploaded), (403, 200))
        self.assertEqual(self.started["Status"], "Pending")

    def test_the_cli_shows_the_true_counts(self):
        counts = tuple(self.described[name] for name in ("ImportedUsers", "SkippedUsers", "FailedUsers"))
        self.assertEqual((self.described["Status"], counts), ("Succeeded", (IMPORTED, SKIPPED, FAILED)))

    def test_wait_ends_with_13_and_the_true_counts(self):
        self.assertEqual(self.waited.returncode, 13, self.waited.stderr)
        result = json.loads(self.waited.stdout)
        self.assertEqual((result["verdict"], result["exit_code"]), ("too_many_failed_users", 13))
        self.assertEqual(len(result["jobs"]), 1)
        expected = {
            "user_pool_id": self.simulator.pool,
            "job_id": self.described["JobId"],
            "job_name": "nightly customers",
            "status": "Succeeded",
            "verdict": "too_many_failed_users",
            "imported_users": IMPORTED,
            "skipped_users": SKIPPED,
            "failed_users": FAILED,
            "completion_message": "Import Job Completed Successfully.",
        }
        self.assertEqual({key: result["jobs"][0].get(key) for key in expected}, expected)

    def test_wait_ends_with_0_where_any_number_of_users_may_fail(self):
        ended = self.simulator.watch("wait", self.target, "--max-failed-users", "any", "--output", "json")
        result = json.loads(ended.stdout)
        self.assertEqual((ended.returncode, result["verdict"]), (0, "succeeded"), ended.stderr)
        allowed = self.simulator.watch("wait", self.target, "--max-failed-users", str(FAILED))
        self.assertEqual(allowed.returncode, 0, allowed.stderr)
        above = self.simulator.watch("wait", self.target, "--max-failed-users", str(FAILED - 1))
        self.assertEqual(above.returncode, 13, above.stderr)

    def test_run_logs_each_transition_once(self):
        self.assertEqual((self.run_status, self.run_errors), (13, ""))
        self.assertEqual([line["status"] for line in self.events("job.first_seen")], ["Created"])
        changes = [(line["previous_status"], line["status"]) for line in self.events("job.status_changed")]
        path = ["Created", *[status for _, status in changes]]
        self.assertEqual([previous for previous, _ in changes], path[:-1])
        # A poll may come too late for Pending, which lasts a second; it cannot miss the ten of InProgress.
        self.assertIn(path, (["Created", "InProgress", "Succeeded"], ["Created", "Pending", "InProgress", "Succeeded"]))
        ended = self.events("job.completed")
        self.assertEqual([line["verdict"] for line in ended], ["too_many_failed_users"])
        counts = tuple(ended[0][name] for name in ("imported_users", "skipped_users", "failed_users"))
        self.assertEqual(counts, (IMPORTED, SKIPPED, FAILED))
        ids = [line["event_id"] for line in self.lines if "event_id" in line]
        self.assertEqual(len(ids), len(set(ids)))

    def test_run_tells_of_failed_users_as_they_come(self):
        told = self.events("job.failed_users")
        self.assertGreater(len(told), 0)
        self.assertEqual(sum(line["new_failed_users"] for line in told), FAILED)
        self.assertEqual(told[-1]["failed_users"], FAILED)

    def test_nothing_that_is_printed_holds_an_upload_url(self):
        for text in (self.waited.stdout, self.waited.stderr, json.dumps(self.lines)):
            self.assertNotRegex(text, re.compile("X-Amz-|Security-Token", re.IGNORECASE))

    def test_imported_users_are_in_the_pool(self):
        pool = ("--user-pool-id", self.simulator.pool)
        jane = self.simulator.aws("list-users", *pool, "--filter", 'username = "jane"')["Users"][0]
        self.assertEqual(jane["UserStatus"], "RESET_REQUIRED")
        self.assertIn({"Name": "name", "Value": "Doe, Jane"}, jane["Attributes"])
        # The CLI's own paginator walks the whole pool, by its own retries: the quota of ListUsers is enforced.
        users = self.simulator.aws("list-users", *pool, "--query", "Users[].Username")
        self.assertEqual((len(users), len(set(users))), (IMPORTED + len(EXISTING),) * 2)


class StopByTheCli(SimulatorTest):
    """An import that the AWS CLI stops on its way."""

    def test_a_stopped_job_keeps_what_it_imported_and_wait_ends_with_11(self):
        simulator, pool = self.simulator, ("--user-pool-id", self.simulator.pool)
        header = simulator.aws("get-csv-header", *pool)["CSVHeader"]
        csv = simulator.path("users.csv")
        csv.write_text(csv_of(header))
        names = ("--job-name", "stopped", "--cloud-watch-logs-role-arn", ROLE)
        made = simulator.aws("create-user-import-job", *pool, *names)["UserImportJob"]
        job = (*pool, "--job-id", made["JobId"])
        self.assertEqual(simulator.upload(made["PreSignedUrl"], csv, *ENCRYPTED), 200)
        simulator.aws("start-user-import-job", *job)
        self.assertEqual(simulator.aws("stop-user-import-job", *job)["UserImportJob"]["Status"], "Stopping")
        waited = simulator.watch("wait", f"{simulator.pool}/{made['JobId']}", "--output", "json")
        result = json.loads(waited.stdout)
        self.assertEqual((waited.returncode, result["verdict"]), (11, "stopped"), waited.stderr)
        listed = simulator.aws("list-user-import-jobs", *pool, "--max-results", "10")["UserImportJobs"]
        self.assertEqual([(one["JobId"], one["Status"]) for one in listed], [(made["JobId"], "Stopped")])
        self.assertEqual(listed[0]["ImportedUsers"], result["jobs"][0]["imported_users"])
        self.assertLess(listed[0]["ImportedUsers"], IMPORTED)


if __name__ == "__main__":
    unittest.main()

"""What each state of a job and each operation answers, compared with the service model."""

import time
import unittest

from clients import ENCRYPTED, ROLE, SimulatorTest, row
from shapes import Inspector

QUOTAS = """
[quota]
user_pool_resource_read = 1000
user_pool_resource_update = 1000
per_pool = 1000
"""
SCRIPTS = {
    "created": '{ status = "Created" }',
    "pending": '{ status = "Pending" }',
    "inprogress": '{ status = "InProgress", imported = 5 }',
    "stopping": '{ status = "Stopping", imported = 6 }',
    "stopped": '{ status = "Stopped", imported = 7 }',
    "succeeded": '{ status = "Succeeded", imported = 99, failed = 1 }',
    "failed": '{ status = "Failed", imported = 14, failed = 32 }',
    "expired": '{ status = "Expired" }',
}
STATUSES = dict(zip(SCRIPTS, "Created Pending InProgress Stopping Stopped Succeeded Failed Expired".split()))
ALWAYS = {
    "JobName",
    "JobId",
    "UserPoolId",
    "PreSignedUrl",
    "CreationDate",
    "Status",
    "CloudWatchLogsRoleArn",
    "ImportedUsers",
    "SkippedUsers",
    "FailedUsers",
}
STARTED = {"Pending", "InProgress", "Stopping", "Stopped", "Succeeded", "Failed"}
OVER = {"Stopped", "Succeeded", "Failed", "Expired"}


def members_of(status):
    """What a job in that state shows."""
    dates = ({"StartDate"} if status in STARTED else set()) | ({"CompletionDate"} if status in OVER else set())
    return ALWAYS | dates | ({"CompletionMessage"} if status in OVER else set())


class ScriptedStates(SimulatorTest):
    """A job in each state, by a scenario."""

    scenario = (
        QUOTAS
        + '[[pool]]\nid = "us-west-2_STATES"\n'
        + "".join(
            f'[[pool.job]]\nid = "import-{name}"\nname = "{name}"\ncreated_ago = "1h"\nscript = [{script}]\n'
            for name, script in SCRIPTS.items()
        )
    )
    spelling = None

    def test_each_state_is_told_by_describe_and_by_list_in_terms_of_the_model(self):
        client = self.simulator.boto()
        inspector, pool = Inspector(client), self.simulator.pool
        for name, status in STATUSES.items():
            job = client.describe_user_import_job(UserPoolId=pool, JobId=f"import-{name}")["UserImportJob"]
            self.assertEqual((job["Status"], set(job)), (status, members_of(status)))
        listed = client.list_user_import_jobs(UserPoolId=pool, MaxResults=60)["UserImportJobs"]
        self.assertEqual({job["JobName"]: job["Status"] for job in listed}, STATUSES)
        for job in listed:
            self.assertEqual(set(job), members_of(job["Status"]))
        self.assertEqual(inspector.problems, [])

    def test_our_own_binary_reads_each_state(self):
        for name, status in STATUSES.items():
            shown = self.simulator.watch("status", f"{self.simulator.pool}/import-{name}", "--output", "json")
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn(f'"{status}"', shown.stdout)


class ScientificDates(ScriptedStates):
    """The same, with the second spelling of dates that the service uses."""

    scenario = '[clock]\nspelling = "scientific"\n' + ScriptedStates.scenario


class RealStates(SimulatorTest):
    """Real jobs through all states, and every operation, by boto3."""

    scenario = (
        "[clock]\nspeed = 10\n"
        + QUOTAS
        + '[jobs]\npending = "5s"\nrows_per_second = 10\nstopping = "5s"\nexpires_after = "2m"\n'
        + '[[pool]]\nid = "us-west-2_REAL"\n'
    )

    def setUp(self):
        self.client = self.simulator.boto()
        self.inspector = Inspector(self.client)
        self.addCleanup(lambda: self.assertEqual(self.inspector.problems, []))

    def pool(self):
        answer = self.client.create_user_pool(PoolName="own", AutoVerifiedAttributes=["email"])["UserPool"]
        return {"UserPoolId": answer["Id"]}

    def job(self, pool, rows, **more):
        """A job with its CSV uploaded, by the arguments that name it."""
        made = self.client.create_user_import_job(
            **pool, JobName="a job", CloudWatchLogsRoleArn=ROLE, **more
        )["UserImportJob"]
        header = self.client.get_csv_header(**pool)["CSVHeader"]
        csv = self.simulator.path(made["JobId"])
        csv.write_text("\n".join([",".join(header), *[row(header, **values) for values in rows]]) + "\n")
        self.assertEqual(self.simulator.upload(made["PreSignedUrl"], csv, *ENCRYPTED), 200)
        return pool | {"JobId": made["JobId"]}

    def follow(self, job):
        """Describes a job until it is over; the states in order, and the last answer."""
        states = []
        while not states or states[-1] not in OVER:
            shown = self.client.describe_user_import_job(**job)["UserImportJob"]
            self.assertEqual(set(shown), members_of(shown["Status"]))
            if shown["Status"] not in states[-1:]:
                states.append(shown["Status"])
            time.sleep(0.02)
        return states, shown

    def test_a_job_succeeds_with_failed_users(self):
        pool = self.pool()
        users = [{"cognito_username": f"user-{number}"} for number in range(50)]
        job = self.job(pool, [*users, {"cognito_username": "bad", "email_verified": "FALSE"}])
        self.client.start_user_import_job(**job)
        states, end = self.follow(job)
        self.assertEqual(states, ["Pending", "InProgress", "Succeeded"])
        self.assertEqual((end["ImportedUsers"], end["FailedUsers"]), (50, 1))
        self.assertLessEqual(end["CreationDate"], end["StartDate"])
        self.assertLess(end["StartDate"], end["CompletionDate"])

    def test_a_job_fails_when_every_user_exists(self):
        pool = self.pool()
        self.client.admin_create_user(**pool, Username="exists", UserAttributes=[{"Name": "name", "Value": "E"}])
        job = self.job(pool, [{"cognito_username": "exists"}])
        self.client.start_user_import_job(**job)
        states, end = self.follow(job)
        self.assertEqual((states[-1], end["SkippedUsers"], end["ImportedUsers"]), ("Failed", 1, 0))
        self.assertEqual([user["Username"] for user in self.client.list_users(**pool)["Users"]], ["exists"])

    def test_a_job_is_stopped(self):
        job = self.job(self.pool(), [{"cognito_username": f"user-{number}"} for number in range(2_000)])
        self.client.start_user_import_job(**job)
        asked = self.client.stop_user_import_job(**job)["UserImportJob"]
        self.assertEqual(asked["Status"], "Stopping")
        states, end = self.follow(job)
        self.assertEqual(states, ["Stopping", "Stopped"])
        self.assertEqual(end["CompletionMessage"], "The Import Job was stopped by the developer.")

    def test_a_job_that_nobody_starts_expires(self):
        made = self.client.create_user_import_job(
            UserPoolId=self.simulator.pool, JobName="forgotten", CloudWatchLogsRoleArn=ROLE
        )["UserImportJob"]
        states, end = self.follow({"UserPoolId": made["UserPoolId"], "JobId": made["JobId"]})
        self.assertEqual(states, ["Created", "Expired"])
        self.assertEqual(round((end["CompletionDate"] - end["CreationDate"]).total_seconds()), 120)

    def test_a_pool_comes_and_goes(self):
        pool = self.pool()
        job = self.job(pool, [], PasswordHashingAlgorithm="BCRYPT")
        shown = self.client.describe_user_import_job(**job)["UserImportJob"]
        self.assertEqual(shown["PasswordHashingAlgorithm"], "BCRYPT")
        self.client.delete_user_pool(**pool)
        with self.assertRaises(self.client.exceptions.ResourceNotFoundException):
            self.client.describe_user_import_job(**job)


if __name__ == "__main__":
    unittest.main()

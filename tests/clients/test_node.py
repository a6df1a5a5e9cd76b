"""The AWS SDK for Node, and our own binary after it."""

import json
import unittest

from clients import NODE_CLIENT, SimulatorTest, row


class Node(SimulatorTest):
    """drive.mjs imports a file in which 200 users are good and one is not, and asks for errors."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        simulator = cls.simulator
        header = simulator.boto().get_csv_header(UserPoolId=simulator.pool)["CSVHeader"]
        rows = [row(header, cognito_username=f"user-{number}") for number in range(200)]
        rows.append(row(header, cognito_username="unverified", email_verified="FALSE"))
        csv = simulator.path("users.csv")
        csv.write_text("\n".join([",".join(header), *rows]) + "\n")
        result = simulator.child(["node", NODE_CLIENT, simulator.pool, str(csv)])
        if result.returncode != 0:
            raise AssertionError(result.stderr)
        cls.told = json.loads(result.stdout)

    def test_a_job_goes_from_created_to_succeeded_with_true_counts(self):
        told = self.told
        self.assertEqual((told["createdStatus"], told["createdIsADate"]), ("Created", True))
        self.assertEqual((told["uploadWithoutEncryption"], told["upload"]), (403, 200))
        self.assertEqual((told["startedStatus"], told["order"]), ("Pending", True))
        expected = {
            "Status": "Succeeded",
            "ImportedUsers": 200,
            "SkippedUsers": 0,
            "FailedUsers": 1,
            "CompletionMessage": "Import Job Completed Successfully.",
        }
        self.assertEqual(told["end"], expected)
        self.assertEqual(told["listed"], [told["jobId"]])
        self.assertEqual(told["users"], 200)

    def test_errors_are_the_classes_of_the_sdk(self):
        pool, told = self.simulator.pool, self.told
        messages = {
            "startedTooEarly": ("PreconditionNotMetException", f"No csv file was uploaded for {told['jobId']}"),
            "missingPool": ("ResourceNotFoundException", f"User pool {pool}x does not exist."),
        }
        for name, (kind, message) in messages.items():
            self.assertEqual(told[name], {"name": kind, "modelled": True, "message": message})
        kinds = {
            "stoppedTooEarly": "PreconditionNotMetException",
            "missingJob": "ResourceNotFoundException",
            "wrongInput": "InvalidParameterException",
        }
        for name, kind in kinds.items():
            self.assertEqual((told[name]["name"], told[name]["modelled"]), (kind, True), name)
        self.assertEqual(told["unknownOperation"]["name"], "UnknownOperationException")

    def test_our_own_binary_sees_what_node_saw(self):
        target = f"{self.simulator.pool}/{self.told['jobId']}"
        ended = self.simulator.watch("wait", target, "--output", "json")
        result = json.loads(ended.stdout)
        self.assertEqual((ended.returncode, result["exit_code"]), (13, 13), ended.stderr)
        job = result["jobs"][0]
        self.assertEqual((job["imported_users"], job["failed_users"], job["job_name"]), (200, 1, "from Node"))
        asked = self.simulator.watch("status", target, "--output", "json")
        self.assertEqual(asked.returncode, 0, asked.stderr)
        self.assertIn(self.told["jobId"], asked.stdout)


if __name__ == "__main__":
    unittest.main()

"""Roles of another account, as botocore assumes them."""

import unittest

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from clients import SimulatorTest

WATCH = "arn:aws:iam::210987654321:role/watch"


class Roles(SimulatorTest):
    """The pool is in another account than the keys."""

    scenario = f"""
        [[account]]
        id = "123456789012"
        [[role]]
        arn = "{WATCH}"
        external_id = "agreed"
        lasts = "15m"
        [[pool]]
        id = "us-west-2_OTHER"
        account = "210987654321"
    """

    def sts(self):
        return boto3.session.Session().client(
            "sts",
            region_name="us-west-2",
            endpoint_url=self.simulator.endpoint,
            aws_access_key_id=self.simulator.account["access_key_id"],
            aws_secret_access_key=self.simulator.account["secret_access_key"],
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

    def test_a_role_opens_the_account_that_the_keys_do_not(self):
        pool = {"UserPoolId": "us-west-2_OTHER"}
        with self.assertRaises(ClientError):
            self.simulator.boto().get_csv_header(**pool)
        answer = self.sts().assume_role(RoleArn=WATCH, RoleSessionName="boto", ExternalId="agreed")
        self.assertEqual(answer["AssumedRoleUser"]["Arn"], "arn:aws:sts::210987654321:assumed-role/watch/boto")
        keys = answer["Credentials"]
        as_role = self.simulator.boto(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        self.assertIn("cognito:username", as_role.get_csv_header(**pool)["CSVHeader"])
        self.assertIsNotNone(keys["Expiration"].tzinfo)

    def test_a_wrong_external_id_is_refused_as_sts_refuses(self):
        with self.assertRaises(ClientError) as raised:
            self.sts().assume_role(RoleArn=WATCH, RoleSessionName="boto", ExternalId="guessed")
        error = raised.exception.response
        self.assertEqual((error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]), ("AccessDenied", 403))
        self.assertIn(f"sts:AssumeRole on resource: {WATCH}", error["Error"]["Message"])


if __name__ == "__main__":
    unittest.main()

"""A running simulator, and the real clients that are pointed at it. Every test of this directory starts here."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import boto3
from botocore.config import Config

BINARY = os.environ["BINARY"]
AWS_CLI = os.environ["AWS_CLI"]
NODE_CLIENT = os.environ["NODE_CLIENT"]
ROLE = "arn:aws:iam::123456789012:role/CognitoUserImport"
# No test takes so long; a hang ends as a failure.
PATIENCE_SECONDS = 120


class Simulator:
    """`cognito-import-watch simulate` in a directory of its own; the scenario is TOML, the default without one."""

    def __init__(self, scenario=None):
        self.directory = tempfile.TemporaryDirectory(prefix="clients-")
        command = [BINARY, "simulate", "--listen", "127.0.0.1:0", "--output", "json"]
        if scenario is not None:
            path = self.path("scenario.toml")
            path.write_text(scenario)
            command += ["--scenario", str(path)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
        try:
            world = json.loads(self.process.stdout.readline())
        except ValueError:
            self.stop()
            raise
        self.endpoint = world["endpoint_url"]
        self.account = world["accounts"][0]
        self.pools = {pool["name"]: pool["id"] for pool in world["pools"]}
        self.pool = world["pools"][0]["id"]
        self.region = world["pools"][0]["region"]

    def stop(self):
        """Ends it as an operator would; returns its exit status."""
        self.process.terminate()
        status = self.process.wait(PATIENCE_SECONDS)
        self.process.stdout.close()
        self.directory.cleanup()
        return status

    def path(self, name):
        """A file of that name in the simulator's directory."""
        return Path(self.directory.name) / name

    def environment(self):
        """Credentials and endpoint for a child process, and nothing else of AWS."""
        return environment() | {
            "AWS_ACCESS_KEY_ID": self.account["access_key_id"],
            "AWS_SECRET_ACCESS_KEY": self.account["secret_access_key"],
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.endpoint,
            # For the AWS CLI; our own binary must ask once whatever is set here.
            "AWS_RETRY_MODE": "standard",
            "AWS_MAX_ATTEMPTS": "10",
        }

    def boto(self, **changes):
        """A boto3 client that asks once."""
        settings = {
            "region_name": self.region,
            "endpoint_url": self.endpoint,
            "aws_access_key_id": self.account["access_key_id"],
            "aws_secret_access_key": self.account["secret_access_key"],
            "config": Config(retries={"total_max_attempts": 1}, proxies={}),
        }
        return boto3.session.Session().client("cognito-idp", **(settings | changes))

    def aws(self, *arguments):
        """What the AWS CLI prints, read."""
        result = self.child([AWS_CLI, "cognito-idp", "--output", "json", *arguments])
        if result.returncode != 0:
            raise AssertionError(f"aws {' '.join(arguments)}: {result.stderr}")
        return json.loads(result.stdout or "null")

    def watch(self, *arguments):
        """The finished process of our own binary."""
        return self.child([BINARY, *arguments])

    def child(self, command):
        """Runs a command to its end."""
        return subprocess.run(
            command,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )

    def upload(self, url, csv, *more):
        """PUTs a file as AWS's guide says, by curl; returns the HTTP status."""
        command = ["curl", "--silent", "--show-error", "--output", os.devnull, "--write-out", "%{http_code}"]
        return int(self.child([*command, "--upload-file", str(csv), *more, url]).stdout)


ENCRYPTED = ("--header", "x-amz-server-side-encryption: aws:kms", "--header", "Expect: 100-continue")


class SimulatorTest(unittest.TestCase):
    """Tests that share one simulator."""

    scenario = None

    @classmethod
    def setUpClass(cls):
        cls.simulator = Simulator(cls.scenario)
        cls.addClassCleanup(cls.simulator.stop)


def environment():
    """This process's environment without what would lead a client to AWS or a proxy."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "COGNITO_IMPORT_WATCH_")) and not name.lower().endswith("_proxy")
    }
    nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | nowhere | {"AWS_EC2_METADATA_DISABLED": "true"}


def row(header, **values):
    """A line of an import CSV; what is not given is a user that can be imported. Keys have `_` in place of `:`."""
    name = values.get("cognito_username", "")
    usual = {"email": f"{name}@example.com", "email_verified": "TRUE", "cognito_mfa_enabled": "FALSE"}
    usual |= {"phone_number_verified": "FALSE"}
    values = usual | values
    # In this CSV a comma inside a value has a backslash, and nothing is quoted.
    return ",".join(values.get(column.replace(":", "_"), "").replace(",", "\\,") for column in header)

"""Errors of the service, as botocore reads them: each that the model knows, and those it does not."""

import datetime
import unittest
from unittest import mock

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from clients import ENCRYPTED, ROLE, SimulatorTest, row
from shapes import Inspector

MODEL = boto3.client("cognito-idp", "us-west-2", aws_access_key_id="-", aws_secret_access_key="-").meta.service_model
POOL = {"UserPoolId": "us-west-2_ERRORS"}
JOB = POOL | {"JobId": "import-waiting"}
OPERATIONS = {
    "CreateUserImportJob": ("create_user_import_job", POOL | {"JobName": "job", "CloudWatchLogsRoleArn": ROLE}),
    "StartUserImportJob": ("start_user_import_job", JOB),
    "StopUserImportJob": ("stop_user_import_job", JOB),
    "DescribeUserImportJob": ("describe_user_import_job", JOB),
    "ListUserImportJobs": ("list_user_import_jobs", POOL | {"MaxResults": 60}),
    "GetCSVHeader": ("get_csv_header", POOL),
    "CreateUserPool": ("create_user_pool", {"PoolName": "pool"}),
    "DeleteUserPool": ("delete_user_pool", POOL),
    "AdminCreateUser": ("admin_create_user", POOL | {"Username": "user"}),
    "ListUsers": ("list_users", POOL),
}
# Without "header": botocore takes the type of an error from the body alone.
SPELLINGS = ["both", "body", "namespaced"]
# Errors that the front of the service knows and the model does not.
UNMODELLED = ["AccessDeniedException", "ExpiredTokenException", "ThrottlingException", "RequestExpired"]


def codes_of(operation):
    return [shape.name for shape in MODEL.operation_model(operation).error_shapes] + UNMODELLED


def faults():
    """One fault per operation and error: the nth request of an operation gets its nth error."""
    for operation in OPERATIONS:
        for number, code in enumerate(codes_of(operation)):
            spelling = SPELLINGS[number % len(SPELLINGS)]
            answer = f'kind = "error", code = "{code}", message = "{code} it is.", spelling = "{spelling}"'
            if code == "AccessDeniedException":
                answer += ', message_key = "Message", status = 403'
            if code == "InternalErrorException":
                answer += ", status = 500"
            turn = f"first = {number + 1}\nlast = {number + 1}"
            yield f'[[fault]]\noperation = "{operation}"\n{turn}\nanswer = {{ {answer} }}\n'


class ModelledErrors(SimulatorTest):
    """Every error of every operation, in the spellings of its type."""

    scenario = '[[pool]]\nid = "us-west-2_ERRORS"\n[[pool.job]]\nid = "import-waiting"\n' + "".join(faults())

    def test_each_error_is_raised_as_the_class_of_its_name(self):
        client = self.simulator.boto()
        inspector = Inspector(client)
        for operation, (method, arguments) in OPERATIONS.items():
            for code in codes_of(operation):
                with self.subTest(operation=operation, code=code):
                    with self.assertRaises(ClientError) as raised:
                        getattr(client, method)(**arguments)
                    error = raised.exception.response["Error"]
                    self.assertEqual((error["Code"], error["Message"]), (code, f"{code} it is."))
                    self.assertIs(type(raised.exception), client.exceptions.from_code(code))
                    if code not in UNMODELLED:
                        self.assertIsNot(type(raised.exception), ClientError)
        self.assertEqual(inspector.problems, [])


class OwnErrors(SimulatorTest):
    """The errors that the simulator finds by itself."""

    scenario = """
        [jobs]
        pending = "1h"
        per_pool = 3
        [quota]
        user_pool_resource_update = 1000
        [[account]]
        id = "123456789012"
        [[account]]
        id = "210987654321"
        session_token = "simulated-token"
        [[pool]]
        id = "us-west-2_ERRORS"
        account = "123456789012"
        [[pool]]
        id = "us-west-2_UNVERIFIED"
        account = "123456789012"
        auto_verified = []
        [[pool]]
        id = "us-west-2_BUSY"
        account = "123456789012"
    """

    def setUp(self):
        self.client = self.simulator.boto()
        self.inspector = Inspector(self.client)
        self.addCleanup(lambda: self.assertEqual(self.inspector.problems, []))

    def refused(self, code, method, client=None, **arguments):
        """The message of the error that a call ends with."""
        with self.assertRaises(ClientError) as raised:
            getattr(client or self.client, method)(**arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)
        return raised.exception.response["Error"]["Message"]

    def uploaded(self, pool):
        made = self.client.create_user_import_job(**pool, JobName="job", CloudWatchLogsRoleArn=ROLE)["UserImportJob"]
        header = self.client.get_csv_header(**pool)["CSVHeader"]
        csv = self.simulator.path(made["JobId"])
        csv.write_text(f"{','.join(header)}\n{row(header, cognito_username='user')}\n")
        self.assertEqual(self.simulator.upload(made["PreSignedUrl"], csv, *ENCRYPTED), 200)
        return pool | {"JobId": made["JobId"]}

    def test_what_does_not_exist_is_not_found(self):
        missing = {"UserPoolId": "us-west-2_NONE"}
        for method, arguments in [
            ("get_csv_header", missing),
            ("describe_user_import_job", missing | {"JobId": "import-none"}),
            ("list_user_import_jobs", missing | {"MaxResults": 1}),
            ("create_user_import_job", missing | {"JobName": "job", "CloudWatchLogsRoleArn": ROLE}),
            ("admin_create_user", missing | {"Username": "user"}),
            ("list_users", missing),
            ("delete_user_pool", missing),
        ]:
            message = self.refused("ResourceNotFoundException", method, **arguments)
            self.assertEqual(message, "User pool us-west-2_NONE does not exist.")
        for method in ("describe_user_import_job", "start_user_import_job", "stop_user_import_job"):
            self.refused("ResourceNotFoundException", method, **POOL, JobId="import-none")

    def test_a_pool_is_found_in_its_own_region_and_account_alone(self):
        elsewhere = self.simulator.boto(region_name="us-east-1")
        self.refused("ResourceNotFoundException", "get_csv_header", elsewhere, **POOL)
        other = self.simulator.boto(
            aws_access_key_id="AKIASIMU210987654321",
            aws_secret_access_key="simulator-secret-access-key-210987654321",
            aws_session_token="simulated-token",
        )
        self.refused("ResourceNotFoundException", "get_csv_header", other, **POOL)

    def test_wrong_input_is_told_in_the_services_words(self):
        message = self.refused("InvalidParameterException", "get_csv_header", UserPoolId="x")
        self.assertEqual(
            message,
            "1 validation error detected: Value 'x' at 'userPoolId' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [\\w-]+_[0-9a-zA-Z]+",
        )
        self.refused("InvalidParameterException", "list_user_import_jobs", **POOL, MaxResults=61)
        page = POOL | {"MaxResults": 1, "PaginationToken": "x#y#z"}
        self.refused("InvalidParameterException", "list_user_import_jobs", **page)

    def test_a_job_that_cannot_start_or_stop_says_why(self):
        pool = {"UserPoolId": "us-west-2_BUSY"}
        bare = self.client.create_user_import_job(**pool, JobName="job", CloudWatchLogsRoleArn=ROLE)["UserImportJob"]
        bare = pool | {"JobId": bare["JobId"]}
        message = self.refused("PreconditionNotMetException", "start_user_import_job", **bare)
        self.assertEqual(message, f"No csv file was uploaded for {bare['JobId']}")
        self.refused("PreconditionNotMetException", "stop_user_import_job", **bare)
        first, second = self.uploaded(pool), self.uploaded(pool)
        self.client.start_user_import_job(**first)
        self.refused("PreconditionNotMetException", "start_user_import_job", **first)
        self.refused("PreconditionNotMetException", "start_user_import_job", **second)
        unverified = self.uploaded({"UserPoolId": "us-west-2_UNVERIFIED"})
        self.refused("PreconditionNotMetException", "start_user_import_job", **unverified)
        fourth = pool | {"JobName": "job", "CloudWatchLogsRoleArn": ROLE}
        self.refused("LimitExceededException", "create_user_import_job", **fourth)
        self.refused("UserImportInProgressException", "delete_user_pool", **pool)

    def test_a_user_is_made_once(self):
        self.client.admin_create_user(**POOL, Username="once")
        self.refused("UsernameExistsException", "admin_create_user", **POOL, Username="once")

    def test_reads_beyond_the_quota_of_a_pool_are_throttled(self):
        pool = {"UserPoolId": self.client.create_user_pool(PoolName="throttled")["UserPool"]["Id"]}
        answers = []
        for _ in range(30):
            try:
                self.client.get_csv_header(**pool)
                answers.append(200)
            except self.client.exceptions.TooManyRequestsException as error:
                answers.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
        self.assertEqual(answers[:5], [200] * 5)
        self.assertIn(400, answers)

    def test_what_is_not_simulated_is_an_unknown_operation(self):
        for method, arguments in [
            ("list_user_pools", {"MaxResults": 1}),
            ("describe_user_pool", POOL),
            ("admin_get_user", POOL | {"Username": "user"}),
        ]:
            self.refused("UnknownOperationException", method, **arguments)

    def test_a_request_that_is_not_signed_right_is_refused(self):
        unsigned = self.simulator.boto(config=Config(signature_version=UNSIGNED))
        self.refused("MissingAuthenticationTokenException", "get_csv_header", unsigned, **POOL)
        unknown = self.simulator.boto(aws_access_key_id="AKIAUNKNOWN")
        self.refused("UnrecognizedClientException", "get_csv_header", unknown, **POOL)
        wrong = self.simulator.boto(aws_secret_access_key="wrong")
        self.refused("InvalidSignatureException", "get_csv_header", wrong, **POOL)

    def test_a_clock_that_is_wrong_is_told(self):
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        for minutes, told in ((-10, "Signature expired"), (10, "Signature not yet current")):
            skewed = now + datetime.timedelta(minutes=minutes)
            with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: skewed):
                message = self.refused("InvalidSignatureException", "get_csv_header", self.simulator.boto(), **POOL)
            self.assertIn(told, message)


if __name__ == "__main__":
    unittest.main()

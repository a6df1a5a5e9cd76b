"""What AWS is to take: the task definition and the IAM policies."""

import json
import unittest

import botocore.session
import parliament
from botocore.validate import ParamValidator
from manifests import DEPLOY, task_definition

# Who may take the role, and how, by file.
TRUSTED = {
    "trust-ec2.json": ("ec2.amazonaws.com", {"sts:AssumeRole"}),
    "trust-ecs-task.json": ("ecs-tasks.amazonaws.com", {"sts:AssumeRole"}),
    "trust-irsa.json": (None, {"sts:AssumeRoleWithWebIdentity"}),
    "trust-pod-identity.json": ("pods.eks.amazonaws.com", {"sts:AssumeRole", "sts:TagSession"}),
}


def shape():
    """What RegisterTaskDefinition takes."""
    return botocore.session.Session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape


class TaskDefinition(unittest.TestCase):
    """ECS."""

    def test_it_follows_the_model_of_the_service(self):
        report = ParamValidator().validate(task_definition(), shape())
        self.assertFalse(report.has_errors(), report.generate_report())

    def test_a_key_that_does_not_exist_is_noticed(self):
        self.assertTrue(ParamValidator().validate(task_definition() | {"cpus": "256"}, shape()).has_errors())

    def test_values_of_enumerations_exist(self):
        task, members = task_definition(), shape().members
        self.assertIn(task["networkMode"], members["networkMode"].enum)
        self.assertLessEqual(set(task["requiresCompatibilities"]), set(members["requiresCompatibilities"].member.enum))
        platform = members["runtimePlatform"].members
        for key, value in task["runtimePlatform"].items():
            self.assertIn(value, platform[key].enum)

    def test_its_container_may_do_nothing_and_ends_the_task_with_it(self):
        (container,) = task_definition()["containerDefinitions"]
        self.assertIs(container["essential"], True)
        self.assertIs(container["readonlyRootFilesystem"], True)
        self.assertEqual(container["user"], "65532:65532")
        self.assertEqual(container["linuxParameters"], {"capabilities": {"drop": ["ALL"]}})
        self.assertEqual(container["command"], ["run"])


class Policies(unittest.TestCase):
    """IAM."""

    def test_the_policy_names_actions_and_resources_that_exist(self):
        found = parliament.analyze_policy_string((DEPLOY / "iam" / "policy.json").read_text()).findings
        self.assertEqual([str(finding) for finding in found], [])

    def test_a_wrong_action_is_noticed(self):
        text = (DEPLOY / "iam" / "policy.json").read_text().replace("ListUserImportJobs", "ListImports")
        self.assertTrue(parliament.analyze_policy_string(text).findings)

    def test_each_trust_policy_lets_one_kind_of_caller_in(self):
        files = {path.name: path for path in (DEPLOY / "iam").glob("trust-*.json")}
        self.assertEqual(set(files), set(TRUSTED))
        for name, (service, actions) in TRUSTED.items():
            with self.subTest(name):
                policy = json.loads(files[name].read_text())
                self.assertEqual(policy["Version"], "2012-10-17")
                (statement,) = policy["Statement"]
                self.assertEqual(set(statement), {"Effect", "Principal", "Action"} | set(statement) & {"Condition"})
                self.assertEqual(statement["Effect"], "Allow")
                given = statement["Action"]
                self.assertEqual({given} if isinstance(given, str) else set(given), actions)
                if service is None:
                    provider = statement["Principal"]["Federated"].split(":oidc-provider/")[1]
                    asked = statement["Condition"]["StringEquals"]
                    self.assertEqual(set(asked), {f"{provider}:aud", f"{provider}:sub"})
                    self.assertEqual(asked[f"{provider}:aud"], "sts.amazonaws.com")
                else:
                    self.assertEqual(statement["Principal"], {"Service": service})

"""Every config in deploy/ is one that the program takes, and the policy is the one that it prints for them."""

import json
import tomllib
import unittest

from manifests import DEPLOY, IMAGE, REPOSITORY, ask, configs, ours, pods, task_definition


class Configs(unittest.TestCase):
    """What the manifests say to the program."""

    def test_the_program_takes_them(self):
        found = configs()
        self.assertEqual(len(found), 4)
        for place, text in found.items():
            with self.subTest(place):
                checked = ask(["check"], text)
                self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)

    def test_the_policy_is_the_least_for_the_daemons(self):
        policy = json.loads((DEPLOY / "iam" / "policy.json").read_text())
        for place, text in configs().items():
            if "[[pool]]" not in text:
                continue
            with self.subTest(place):
                # Only what is asked for counts; of HTTP the policy knows nothing.
                printed = ask(["iam-policy"], text)
                self.assertEqual(printed.returncode, 0, printed.stderr)
                self.assertEqual(json.loads(printed.stdout), policy)

    def test_the_images_are_of_this_version(self):
        version = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["package"]["version"]
        images = [ours(pod)["image"] for _, _, pod in pods()] + [task_definition()["containerDefinitions"][0]["image"]]
        for image in images:
            self.assertTrue(image.endswith(f"{IMAGE}:{version}"), image)

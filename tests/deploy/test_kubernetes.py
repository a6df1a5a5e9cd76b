"""The manifests of Kubernetes: their schema, and what they promise."""

import tomllib
import unittest

import kubernetes_validate
from manifests import REPOSITORY, configs, kubernetes, ours, pods, variables

# The oldest with native sidecars, and a current one.
VERSIONS = ("1.29", "1.36")
# The exit codes that another look may change.
WORTH_ANOTHER_TRY = {0, 1, 74, 75, 129, 130, 143}
# What the program takes to end at the most: answers on their way, the state, HTTP, the log (docs/container.md).
LONGEST_END = 5 + 3 + 0.5 + 2
# What Kubernetes gives where a pod does not say.
USUAL_GRACE = 30
# An event of the state file with its indices, and as much again for the file's log and for what is moved in it.
BYTES_OF_AN_EVENT = 2 * 1_024
USUAL_STATE = {"max_events": 100_000, "outbox_events": 10_000}


class Manifests(unittest.TestCase):
    """All of them."""

    def test_they_follow_the_schema_of_their_kind(self):
        documents = list(kubernetes())
        self.assertEqual(
            sorted(document["kind"] for _, document in documents),
            ["ConfigMap", "Deployment", "Deployment", "Job", "PersistentVolumeClaim", "ServiceAccount"],
        )
        for name, document in documents:
            for version in VERSIONS:
                with self.subTest(name, kind=document["kind"], version=version):
                    kubernetes_validate.validate(document, version, strict=True)

    def test_a_key_that_does_not_exist_is_noticed(self):
        _, document = next(kubernetes())
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(document | {"replicsa": 1}, VERSIONS[1], strict=True)

    def test_our_container_keeps_to_the_restricted_profile_on_a_read_only_file_system(self):
        for name, kind, pod in pods():
            with self.subTest(name, kind=kind):
                container = ours(pod)
                context = pod.get("securityContext", {}) | container["securityContext"]
                self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
                self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
                self.assertIs(context["runAsNonRoot"], True)
                self.assertEqual((context["runAsUser"], context["runAsGroup"]), (65532, 65532))
                self.assertIs(context["allowPrivilegeEscalation"], False)
                self.assertIs(context["readOnlyRootFilesystem"], True)
                self.assertIs(pod["automountServiceAccountToken"], False)
                self.assertIn("memory", container["resources"]["limits"])

    def test_every_volume_that_is_mounted_exists_and_no_other(self):
        objects = {(document["kind"], document["metadata"].get("name")) for _, document in kubernetes()}
        for name, kind, pod in pods():
            with self.subTest(name, kind=kind):
                mounted = {mount["name"] for mount in ours(pod).get("volumeMounts", [])}
                volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
                self.assertEqual(mounted, set(volumes))
                for volume in volumes.values():
                    if "configMap" in volume:
                        self.assertIn(("ConfigMap", volume["configMap"]["name"]), objects)
                    if "persistentVolumeClaim" in volume:
                        self.assertIn(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]), objects)

    def test_a_pod_has_time_to_end_by_itself(self):
        for name, kind, pod in pods():
            with self.subTest(name, kind=kind):
                self.assertGreater(pod.get("terminationGracePeriodSeconds", USUAL_GRACE), LONGEST_END + 1)

    def test_a_volume_that_evicts_its_pod_when_it_is_full_has_room_for_the_state(self):
        limited = 0
        for name, kind, pod in pods():
            for volume in pod.get("volumes", []):
                if (limit := volume.get("emptyDir", {}).get("sizeLimit")) is None:
                    continue
                limited += 1
                state = USUAL_STATE | tomllib.loads(configs()[name]).get("state", {})
                with self.subTest(name, kind=kind):
                    events = state["max_events"] + state["outbox_events"]
                    room = int(limit.removesuffix("Mi")) * 1_024 * 1_024
                    self.assertLessEqual(events * BYTES_OF_AN_EVENT, room)
        self.assertEqual(limited, 1)

    def test_probes_go_where_the_program_listens(self):
        for name, kind, pod in pods():
            container = ours(pod)
            ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
            probes = [container[key] for key in ("livenessProbe", "readinessProbe") if key in container]
            config = next(text for place, text in configs().items() if place.startswith(name))
            with self.subTest(name, kind=kind):
                for probe in probes:
                    port = ports[probe["httpGet"]["port"]]
                    self.assertIn(f'listen = "0.0.0.0:{port}"', config)
                self.assertEqual(bool(probes), "[http]" in config)


class Kinds(unittest.TestCase):
    """Each of the three ways."""

    def pod(self, name):
        return next(pod for file, _, pod in pods() if file == name)

    def test_the_daemon_is_one_and_is_never_two_during_a_rollout(self):
        daemon = next(document for name, document in kubernetes()
                      if name == "deployment.yaml" and document["kind"] == "Deployment")
        self.assertEqual(daemon["spec"]["replicas"], 1)
        self.assertEqual(daemon["spec"]["strategy"], {"type": "Recreate"})
        container = ours(daemon["spec"]["template"]["spec"])
        self.assertEqual(container["livenessProbe"]["httpGet"]["path"], "/livez")
        self.assertEqual(container["readinessProbe"]["httpGet"]["path"], "/readyz")

    def test_the_sidecar_cannot_take_its_pod_out_of_service_and_does_not_end(self):
        (sidecar,) = self.pod("sidecar.yaml")["initContainers"]
        self.assertEqual(sidecar["restartPolicy"], "Always")
        self.assertNotIn("readinessProbe", sidecar)
        self.assertEqual(sidecar["args"], ["run"])
        self.assertNotIn("COGNITO_IMPORT_WATCH_EXIT_WHEN_COMPLETE", variables(sidecar))

    def test_the_job_ends_and_gives_up_at_every_code_that_stays(self):
        job = next(document for name, document in kubernetes() if name == "job.yaml")
        container = ours(job["spec"]["template"]["spec"])
        self.assertEqual(container["args"], ["run", "--exit-when-complete"])
        (given_up,) = [rule for rule in job["spec"]["podFailurePolicy"]["rules"] if rule["action"] == "FailJob"]
        self.assertEqual(given_up["onExitCodes"]["containerName"], container["name"])
        self.assertEqual(set(given_up["onExitCodes"]["values"]), self.codes() - WORTH_ANOTHER_TRY)

    @staticmethod
    def codes():
        """Those of the README, which a test compares with the program's."""
        lines = (REPOSITORY / "README.md").read_text().split("| code | meaning |\n")[1].splitlines()[1:]
        codes = set()
        for line in lines:
            if not line.startswith("|"):
                break
            codes.add(int(line.split("|")[1]))
        return codes

"""What is in deploy/, read. Every test of this directory starts here."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import yaml

BINARY = os.environ["BINARY"]
REPOSITORY = Path(__file__).parents[2]
DEPLOY = REPOSITORY / "deploy"
CONFIG_VARIABLE = "COGNITO_IMPORT_WATCH_CONFIG_TOML"
IMAGE = "cognito-import-watch"


def kubernetes():
    """Every object of the manifests, with the name of its file."""
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            yield path.name, document


def task_definition():
    return json.loads((DEPLOY / "ecs" / "task-definition.json").read_text())


def pods():
    """The specification of each pod, with the name of its file and its kind."""
    for name, document in kubernetes():
        if document["kind"] in ("Deployment", "Job"):
            yield name, document["kind"], document["spec"]["template"]["spec"]


def ours(pod):
    """Our container of a pod."""
    containers = [*pod.get("initContainers", []), *pod["containers"]]
    return next(container for container in containers if container["image"].startswith(f"{IMAGE}:"))


def variables(container):
    return {variable["name"]: variable["value"] for variable in container.get("env", container.get("environment", []))}


def configs():
    """Every config that a manifest holds, by where it is."""
    found = {}
    for name, document in kubernetes():
        if document["kind"] == "ConfigMap":
            found |= {f"{name}: {key}": text for key, text in document["data"].items()}
    for name, _, pod in pods():
        text = variables(ours(pod)).get(CONFIG_VARIABLE)
        if text is not None:
            found[name] = text
    found["task-definition.json"] = variables(task_definition()["containerDefinitions"][0])[CONFIG_VARIABLE]
    return found


def ask(command, config):
    """What the program says of a config."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "watch.toml"
        file.write_text(config)
        environment = {"PATH": os.environ["PATH"], "HOME": directory}
        ended = subprocess.run(
            [BINARY, *command, "--config", str(file)], env=environment, capture_output=True, text=True, check=False
        )
    return ended

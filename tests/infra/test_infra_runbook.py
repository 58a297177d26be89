"""The runbook's commands name what is deployed."""

from __future__ import annotations

import itertools
import re
import shlex

import pytest
import yaml

from wms_mesh.infra import releases
from wms_mesh.stack import REPO

TEXT = (REPO / "docs" / "runbooks" / "on-a-cluster.md").read_text()
BLOCKS = re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [
    line
    for block in BLOCKS
    for line in re.sub(r"\\\n\s*", " ", block).splitlines()
    if line.startswith(("kubectl ", "infra/"))
]
# Made by an operator or a chart of somebody else's, out of what is deployed.
ALSO = {"deploy/trino-coordinator", "deploy/bronze"}


def names() -> set[str]:
    """What may follow a kind: kind/name and kind name of everything that we deploy."""
    short = {"Deployment": "deploy", "StatefulSet": "statefulset"}
    return ALSO | {
        f"{short.get(one['kind'], one['kind'].lower())}/{one['metadata']['name']}" for one in releases.rendered("prod")
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_something_that_is_deployed(command: str) -> None:
    words = shlex.split(command)
    if words[0] != "kubectl":
        assert (REPO / words[0]).is_file()
        return
    namespaces = {one.namespace for one in releases.releases()}
    assert words[words.index("--namespace") + 1] in namespaces
    deployed = names()
    for word, following in itertools.pairwise(words):
        if word in ("kafkaconnector", "kafkauser", "flinkdeployment", "kafkaconnect"):
            assert f"{word}/{following}" in deployed, command
        if word == "--container":
            assert following in containers(), command
    for word in words:
        if word.startswith("deploy/"):
            assert word in deployed, command
    pods = [word for word in words if word.startswith("wms-kafka-connect-")]
    connect = next(one for one in releases.rendered("prod") if one["kind"] == "KafkaConnect")
    for pod in pods:
        number = int(pod.removeprefix(f"{connect['metadata']['name']}-connect-"))
        assert number < connect["spec"]["replicas"]


def containers() -> set[str]:
    found = set()
    for one in releases.rendered("prod"):
        spec = one.get("spec") or {}
        templates = [
            spec.get("template"),
            *(spec.get(part, {}).get("podTemplate") for part in ("jobManager", "taskManager")),
        ]
        for template in templates:
            if isinstance(template, dict) and "spec" in template:
                for kind in ("containers", "initContainers"):
                    found |= {container["name"] for container in template["spec"].get(kind, [])}
    return found


def test_the_sections_of_the_requirements_are_all_here() -> None:
    for section in (
        "Debezium not capturing changes",
        "Flink job failures",
        "Trino query errors",
        "OpenMetadata ingestion",
    ):
        assert f"## {section}" in TEXT
    assert len(COMMANDS) > 15


def test_files_and_settings_that_it_names_exist() -> None:
    for path in re.findall(r"`(infra/[\w./-]+)`", TEXT):
        assert (REPO / path).exists(), path
    defaults = yaml.safe_load((REPO / "infra/helm/charts/wms-mesh/values.yaml").read_text())
    for setting in re.findall(r"--set (\w+)\.(\w+)=", TEXT):
        assert setting[1] in defaults[setting[0]], setting

"""The runbooks' commands for a cluster name what is deployed there."""

from __future__ import annotations

import itertools
import re
import shlex

import pytest
import yaml

from wms_mesh.infra import releases
from wms_mesh.stack import REPO

RUNBOOKS = sorted((REPO / "docs" / "runbooks").glob("*.md"))
PAGE = REPO / "docs" / "runbooks" / "on-a-cluster.md"
# Made by an operator or somebody else's chart, out of what is deployed.
ALSO = {"deploy/trino-coordinator", "deploy/bronze"}
KINDS = ("kafkaconnector", "kafkauser", "flinkdeployment", "kafkaconnect")


def commands() -> list[str]:
    """Those in blocks and those in a line; what is put together in place ($(...)) is left to its reader."""
    found = []
    for page in RUNBOOKS:
        text = page.read_text()
        for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
            found += re.sub(r"\\\n\s*", " ", block).splitlines()
        found += re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return sorted(
        {
            one
            for one in found
            if one.startswith(("kubectl ", "infra/scripts/")) and "$(" not in one and len(one.split()) > 2
        }
    )


def option(words: list[str], *names: str) -> list[str]:
    return [following for word, following in itertools.pairwise(words) if word in names]


def deployed() -> set[str]:
    """kind/name of everything that we deploy, in the words of kubectl."""
    short = {"Deployment": "deploy", "StatefulSet": "statefulset"}
    return ALSO | {
        f"{short.get(one['kind'], one['kind'].lower())}/{one['metadata']['name']}" for one in releases.rendered("prod")
    }


def containers() -> set[str]:
    found = set()
    for one in releases.rendered("prod"):
        spec = one.get("spec") or {}
        parts = (spec.get(part, {}).get("podTemplate") for part in ("jobManager", "taskManager"))
        for template in [spec.get("template"), *parts]:
            if isinstance(template, dict) and "spec" in template:
                for kind in ("containers", "initContainers"):
                    found |= {container["name"] for container in template["spec"].get(kind, [])}
    return found


@pytest.mark.parametrize("command", commands())
def test_a_command_names_something_that_is_deployed(command: str) -> None:
    words = list(itertools.takewhile(lambda word: word != "--", shlex.split(command)))
    if words[0] != "kubectl":
        assert (REPO / words[0]).is_file()
        return
    given = option(words, "--namespace", "-n")
    assert given or "--all-namespaces" in words, "a namespace is missing"
    assert set(given) <= {one.namespace for one in releases.releases()}
    for kind in KINDS:
        named = [word for word in words[words.index(kind) + 1 :] if "=" not in word] if kind in words else []
        names = [word for word in named if f"{kind}/{word}" in deployed()]
        assert names or kind not in words, f"none of {named} is a {kind}"
    for word in words:
        assert not word.startswith("deploy/") or word in deployed(), word
    assert set(option(words, "--container", "-c")) <= containers()
    connect = next(one for one in releases.rendered("prod") if one["kind"] == "KafkaConnect")
    for pod in (word for word in words if re.search(r"-connect-\d+$", word)):
        name, _, number = pod.rpartition("-connect-")
        assert name == connect["metadata"]["name"]
        assert int(number) < connect["spec"]["replicas"]
    for selector in option(words, "--selector", "-l"):
        for label in selector.split(","):
            assert label.partition("=")[2] in known_labels(), label


def known_labels() -> set[str]:
    """Values of labels by which our policies and monitors choose pods, theirs included."""
    text = str(
        [
            one
            for one in releases.rendered("prod")
            if one["kind"] in ("NetworkPolicy", "PodMonitor", "PodDisruptionBudget")
        ]
    )
    return set(re.findall(r"'(?:app|app\.kubernetes\.io/\w+|strimzi\.io/\w+)': '([\w-]+)'", text)) | {
        "jobmanager",  # Flink's own, of its `component`
        "taskmanager",
        "coordinator",  # the Trino chart's
    }


def test_the_sections_of_the_requirements_are_all_here() -> None:
    text = PAGE.read_text()
    for section in (
        "Debezium not capturing changes",
        "Flink job failures",
        "Trino query errors",
        "OpenMetadata ingestion",
    ):
        assert f"## {section}" in text
    assert len(commands()) > 30


def test_files_and_settings_that_it_names_exist() -> None:
    text = PAGE.read_text()
    for path in re.findall(r"`(infra/[\w./-]+)`", text):
        assert (REPO / path).exists(), path
    defaults = yaml.safe_load((REPO / "infra/helm/charts/wms-mesh/values.yaml").read_text())
    for part, setting in re.findall(r"--set (\w+)\.(\w+)=", text):
        assert setting in defaults[part], setting

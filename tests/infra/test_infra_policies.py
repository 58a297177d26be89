"""The policies: green on what is deployed, and each of them red on what it is there for."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from wms_mesh.infra import tools
from wms_mesh.infra.releases import Document
from wms_mesh.stack import REPO

POLICIES = sorted(str(path) for path in (REPO / "infra" / "policies").glob("*.rego"))
BAD = Path(__file__).parent / "fixtures" / "bad"


def denied(documents: list[Document] | tuple[Document, ...]) -> list[str]:
    done = subprocess.run(
        [str(tools.python()), "-m", "wms_mesh.infra.rego", *POLICIES],
        input=json.dumps(documents, default=str),
        capture_output=True,
        text=True,
        cwd=REPO,
        env={"PYTHONPATH": str(REPO)},
    )
    # What the engine cannot evaluate it says there, and takes for not denied.
    assert (done.returncode, done.stderr) == (0, "")
    sentences: list[str] = json.loads(done.stdout)
    return sentences


def test_what_is_deployed_breaks_no_policy(manifests: tuple[Document, ...]) -> None:
    assert denied(manifests) == []


def test_the_policies_see_every_pod_that_is_deployed(manifests: tuple[Document, ...]) -> None:
    """Stripped of what the policies ask for, each pod is denied."""
    stripped = json.loads(json.dumps(manifests, default=str))
    pods = [(one, spec) for one in stripped for spec in pod_specs(one)]
    for _, spec in pods:
        spec["containers"][0].update({"image": "some/image", "securityContext": {}, "name": "stripped"})
    text = "\n".join(denied(stripped))
    for one, _ in pods:
        assert f"{one['kind']} {one['metadata']['name']}" in text


def pod_specs(document: Document) -> list[Document]:
    if document["kind"] == "FlinkDeployment":
        return [document["spec"][part]["podTemplate"]["spec"] for part in ("jobManager", "taskManager")]
    if document["kind"] in ("Deployment", "StatefulSet", "Job"):
        return [document["spec"]["template"]["spec"]]
    return []


@pytest.mark.parametrize("file", sorted(BAD.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_policy_denies_its_bad_example(file: Path) -> None:
    """A fixture's first document says what is denied in the others: all of it, and nothing else."""
    expected, *documents = yaml.safe_load_all(file.read_text())
    assert denied(documents) == sorted(expected["denied"])


def test_every_rule_has_a_bad_example() -> None:
    rules = [text for path in POLICIES for text in Path(path).read_text().split("\ndeny contains message if {")[1:]]
    sentences = [
        sentence for file in BAD.glob("*.yaml") for sentence in next(yaml.safe_load_all(file.read_text()))["denied"]
    ]
    for rule in rules:
        pattern = rule.split('sprintf("')[1].split('"')[0]
        words = [word for word in pattern.split("%s") if len(word) > 3]
        assert any(all(word in sentence for word in words) for sentence in sentences), pattern

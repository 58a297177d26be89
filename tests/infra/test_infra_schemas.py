"""Manifests against the schemas of their kinds, and values against those of their charts."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from wms_mesh.infra import releases, tools
from wms_mesh.infra.facts import CHART, HELM
from wms_mesh.infra.releases import ENVIRONMENTS, Document, Release

RELEASES = releases.releases()
CORE = re.compile(r"^(v1|apps/v1|batch/v1|policy/v1|networking\.k8s\.io/v1)$")
# Where a chart's defaults stand among the schemas, and what its Chart.yaml at that place cannot say: Strimzi's and
# Airflow's carry a placeholder until they are published.
DEFAULTS = {
    "kube-prometheus-stack": "kube-prometheus-stack",
    "strimzi-kafka-operator": "strimzi-kafka-operator",
    "trino": "trino",
    "flink-kubernetes-operator": "flink-kubernetes-operator",
    "opensearch": "opensearch",
    "openmetadata": "openmetadata",
    "airflow": "airflow",
}
# Nobody has the defaults of these: only our own schema is held against the values.
NO_DEFAULTS = ("minio",)


def has_defaults(release: Release) -> bool:
    return not release.is_ours and release.chart.split("/")[1] not in NO_DEFAULTS


def conform(binary: Path, documents: list[Document], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(binary), "-strict", "-summary", "-output", "json", *options],
        input=yaml.safe_dump_all(documents),
        capture_output=True,
        text=True,
    )


def is_core(document: Document) -> bool:
    return bool(CORE.match(document["apiVersion"]))


def core_schemas() -> str:
    return str(tools.kubernetes_schemas()) + "/{{ .ResourceKind }}{{ .KindSuffix }}.json"


def custom_schemas(folder: Path) -> str:
    return str(folder) + "/json/{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json"


def test_kubernetes_own_kinds_are_what_kubernetes_takes(kubeconform: Path, manifests: tuple[Document, ...]) -> None:
    documents = [one for one in manifests if is_core(one)]
    assert len(documents) > 20
    done = conform(kubeconform, documents, "-schema-location", core_schemas())
    summary = json.loads(done.stdout)["summary"]
    assert (done.returncode, summary["valid"], summary["skipped"]) == (0, len(documents), 0), done.stdout


def test_custom_resources_are_what_their_operators_take(
    kubeconform: Path, schemas: Path, manifests: tuple[Document, ...]
) -> None:
    documents = [one for one in manifests if not is_core(one)]
    assert {one["kind"] for one in documents} >= {"KafkaConnect", "FlinkDeployment", "ExternalSecret", "PodMonitor"}
    done = conform(kubeconform, documents, "-schema-location", custom_schemas(schemas))
    summary = json.loads(done.stdout)["summary"]
    assert (done.returncode, summary["valid"], summary["skipped"]) == (0, len(documents), 0), done.stdout


def test_a_field_that_kubernetes_does_not_know_is_found(kubeconform: Path) -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "x"},
        "spec": {"ports": [{"port": 1}], "selektor": {"a": "b"}},
    }
    done = conform(kubeconform, [document], "-schema-location", core_schemas())
    assert done.returncode == 1
    assert "selektor" in done.stdout


def test_a_field_that_an_operator_does_not_know_is_found(kubeconform: Path, schemas: Path) -> None:
    document = {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaConnector",
        "metadata": {"name": "x"},
        "spec": {"class": "a.B", "tasksMax": 1, "pause": True, "config": {}},
    }
    done = conform(kubeconform, [document], "-schema-location", custom_schemas(schemas))
    assert done.returncode == 1
    assert "pause" in done.stdout


# -- values


def layers(release: Release, environment: str) -> list[Any]:
    return [yaml.safe_load(file.read_text()) for file in release.files(environment)]


def together(below: Any, above: Any) -> Any:
    """As helm lays one file over another."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {key: together(below.get(key), above.get(key, below.get(key))) for key in {**below, **above}}
    return above


@pytest.mark.parametrize("release", RELEASES, ids=lambda one: one.name)
def test_values_are_what_their_own_schema_says(release: Release, environment: str) -> None:
    schema = json.loads((release.folder / "values.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    values: Any = {}
    for layer in layers(release, environment):
        values = together(values, layer)
    jsonschema.Draft202012Validator(schema).validate(values)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("trino", {"server": {"workers": "two"}}),  # the chart takes it for none and deletes the workers
        ("trino", {"image": {"tag": "latest"}}),
        ("trino", {"accessControl": {"type": "none"}}),
        ("openmetadata", {"openmetadata": {"config": {"fernetkey": {"value": "jJ/9"}}}}),
        ("openmetadata", {"openmetadata": {"config": {"pipelineServiceClientConfig": {"type": "airflow"}}}}),
        ("minio", {"users": [{"accessKey": "console", "secretKey": "console123"}]}),
        ("minio", {"replicas": 3}),  # distributed wants four
        ("opensearch", {"persistence": {"enableInitChown": True}}),  # a container as root
        ("airflow", {"createUserJob": {"enabled": True}}),  # admin, admin
        ("strimzi", {"defaultImageTag": "latest"}),
        ("platform", {"component": "all"}),
        ("flink", {"flnk": {}}),
    ],
)
def test_values_that_would_open_or_break_something_are_refused(name: str, wrong: dict[str, Any]) -> None:
    release = next(one for one in RELEASES if one.name == name)
    schema = json.loads((release.folder / "values.schema.json").read_text())
    values: Any = {}
    for layer in [*layers(release, "prod"), wrong]:
        values = together(values, layer)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(values)


@pytest.mark.parametrize("release", [one for one in RELEASES if has_defaults(one)], ids=lambda one: one.name)
def test_a_chart_knows_every_key_that_it_is_given(release: Release, environment: str, schemas: Path) -> None:
    """Helm passes over a key that a chart does not know: a misspelt one changes nothing, without a word."""
    name = release.chart.split("/")[1]
    defaults = yaml.safe_load((schemas / "values" / f"{DEFAULTS[name]}.values.yaml").read_text())
    unknown = [path for layer in layers(release, environment) for path in unknown_keys(layer, defaults, "")]
    assert unknown == []
    official = schemas / "values" / f"{DEFAULTS[name]}.schema.json"
    if official.exists():
        values: Any = defaults
        for layer in layers(release, environment):
            values = together(values, layer)
        schema = json.loads(official.read_text())
        jsonschema.validators.validator_for(schema)(schema).validate(values)


# What a chart hands on to Kubernetes, or to its program, as it stands.
HANDED_ON = {
    "securityContext",
    "podSecurityContext",
    "containerSecurityContext",
    "operatorSecurityContext",
    "resources",
}
HANDED_ON |= {"catalogs", "capabilities"}


def unknown_keys(values: Any, defaults: Any, path: str) -> Iterator[str]:
    """Keys of values below which the defaults have something else."""
    if not isinstance(values, dict) or not isinstance(defaults, dict) or not defaults:
        return  # {} and null stand for whatever Kubernetes takes there
    for key, value in values.items():
        here = f"{path}.{key}" if path else key
        if key not in defaults:
            yield here
        elif key not in HANDED_ON:
            yield from unknown_keys(value, defaults[key], here)


def test_the_charts_are_those_whose_values_are_checked(schemas: Path) -> None:
    """An exact version, and the one that the index of the schemas names."""
    index = (schemas / "INDEX.md").read_text()
    # chart | version / appVersion | repository | ref
    rows = {
        cells[1]: (cells[2].split(" / ")[0], cells[4])
        for cells in ([cell.strip() for cell in line.split("|")] for line in index.splitlines())
        if len(cells) > 6 and cells[5].startswith(("charts/", "helm", "chart"))
    }
    for release in RELEASES:
        assert re.fullmatch(r"\d+\.\d+\.\d+", release.version), f"{release.name}: {release.version}"
        name = release.chart.split("/")[-1]
        if has_defaults(release):
            version, ref = rows[name]
            # Published from a tag, or from the development version before it.
            assert release.version in (version, ref, version.removesuffix("-dev")), name


FILES = sorted([*(HELM / "values").glob("*/*.yaml"), CHART / "values.yaml"])


@pytest.mark.parametrize("file", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_key_of_the_values_is_explained(file: Path) -> None:
    """By a comment on its line or above it; what stands within an explained block may be plain."""
    lines = file.read_text().splitlines()
    silent = []
    block: int | None = None  # indentation of a text block or a list, which are values
    for number, line in enumerate(lines):
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if block is not None and text and indent > block:
            continue
        block = None
        key = re.match(r"^([\w.\"-]+):(?:\s+(.*))?$", text)
        if not key:
            continue
        if " # " not in line and not lines[number - 1].strip().startswith("#"):
            silent.append(f"{number + 1}: {text}")
        value = re.sub(r"^&\w+", "", key[2] or "")
        following = (one.strip() for one in lines[number + 1 :])
        first = next((one for one in following if one and not one.startswith("#")), "")
        if value.startswith(("|", ">")) or (not value and first.startswith("- ")):
            block = indent
    assert silent == []


def test_every_release_has_its_values() -> None:
    folders = {path.name for path in (HELM / "values").iterdir()}
    assert folders == {one.name for one in RELEASES}
    for release in RELEASES:
        assert {path.name for path in release.folder.iterdir()} == {
            "values.yaml",
            "values.schema.json",
            *(f"{environment}.yaml" for environment in ENVIRONMENTS),
        }


def test_helmfile_itself_would_take_the_file() -> None:
    """It refuses environments and releases in one part, and knows only the environments that are named."""
    parts = list(yaml.safe_load_all((HELM / "helmfile.yaml").read_text()))
    assert not any({"environments", "releases"} <= part.keys() for part in parts)
    assert releases.helmfile()["environments"].keys() == set(ENVIRONMENTS)
    repositories = {one["name"] for one in releases.helmfile()["repositories"]}
    assert {one.chart.split("/")[0] for one in RELEASES if not one.is_ours} == repositories


def test_the_order_of_the_releases_follows_their_needs() -> None:
    """The script deploys from top to bottom."""
    seen: set[str] = set()
    for release in RELEASES:
        assert set(release.needs) <= seen, f"{release.name} needs {set(release.needs) - seen} first"
        seen.add(f"{release.namespace}/{release.name}")

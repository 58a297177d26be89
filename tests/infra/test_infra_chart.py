"""The chart renders, and says what the embedded stack says: nothing stands twice and differs."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Iterable
from xml.etree import ElementTree as ET

import pytest
import yaml

from ingest import topics
from ingest.bronze.job import Settings
from ingest.collections import COLLECTIONS, EVENT_TOPICS
from ingest.connector.config import CONNECTOR, render
from wms_mesh.access.roles import RULES, Service
from wms_mesh.engines.base import TEMPLATES
from wms_mesh.errors import MeshError
from wms_mesh.infra import facts, releases, tools
from wms_mesh.infra.facts import CHART
from wms_mesh.infra.releases import Document, Release
from wms_mesh.object_store import BUCKETS
from wms_mesh.stack import REPO, Naming

OWN = [release for release in releases.releases() if release.is_ours]


def of_kind(documents: Iterable[Document], kind: str) -> dict[str, Document]:
    return {document["metadata"]["name"]: document for document in documents if document["kind"] == kind}


def release(name: str) -> Release:
    return next(one for one in releases.releases() if one.name == name)


def test_helm_finds_nothing_wrong_with_the_chart() -> None:
    done = subprocess.run(
        [str(tools.helm()), "lint", "--strict", str(CHART)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_chart_renders_with_nothing_but_its_defaults() -> None:
    assert len(releases.render("mesh")) > 50


def test_no_part_is_lost_or_doubled_between_the_releases() -> None:
    """All releases together are the whole chart, and each manifest belongs to one of them."""
    whole = {identity(one) for one in releases.render("mesh")}
    parts = [identity(one) for part in OWN for one in releases.render("mesh", "--set", f"component={component(part)}")]
    assert sorted(parts) == sorted(whole)


@pytest.mark.parametrize("part", OWN, ids=lambda one: one.name)
def test_no_release_of_ours_is_empty(part: Release) -> None:
    """On a cluster of one's own each of them brings something."""
    assert releases.template(part, "dev")


def identity(document: Document) -> tuple[str, str, str]:
    metadata = document["metadata"]
    return document["kind"], metadata.get("namespace", ""), metadata["name"]


def component(part: Release) -> str:
    return str(yaml.safe_load((part.folder / "values.yaml").read_text())["component"])


def test_a_value_that_nobody_defined_is_refused() -> None:
    with pytest.raises(MeshError, match="additional properties 'replica' not allowed"):
        releases.render("mesh", "--set", "metastore.replica=3")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("images.mesh.tag=latest", "'not' failed"),
        ("objectStore.endpoint=http://minio:9000", "does not match pattern"),
        ("metastore.replicas=0", "minimum"),
        ("flink.state=stopped", "value must be one of"),
        ("images.mesh.digest=sha256:abc", "does not match pattern"),
    ],
)
def test_a_value_that_would_break_or_open_something_is_refused(setting: str, said: str) -> None:
    with pytest.raises(MeshError, match=re.escape(said)):
        releases.render("mesh", "--set-string" if "tag" in setting else "--set", setting)


def test_a_digest_is_what_is_pulled() -> None:
    digest = "sha256:" + "a" * 64
    documents = releases.render("mesh", "--set", f"images.mesh.digest={digest}")
    pod = of_kind(documents, "Deployment")["refresher"]["spec"]["template"]["spec"]
    assert pod["containers"][0]["image"] == f"wms-mesh/mesh:0.1.0@{digest}"


# -- what is said once


def test_the_generated_file_is_what_the_code_says() -> None:
    assert facts.FILE.read_text() == facts.text(), "run python -m wms_mesh.infra.facts"


@pytest.mark.parametrize("naming", list(Naming))
def test_the_connector_of_the_cluster_is_the_connector_of_the_embedded_stack(naming: Naming) -> None:
    documents = releases.template(release("debezium"), "prod", "--set", f"naming={naming.value}")
    spec = of_kind(documents, "KafkaConnector")[CONNECTOR]["spec"]
    deployed = {
        **spec["config"],
        "name": CONNECTOR,
        "connector.class": spec["class"],
        "tasks.max": str(spec["tasksMax"]),
    }
    assert deployed == render(naming, "${directory:/mnt/mongodb:uri}")


def test_a_second_replica_set_gets_a_connector_of_its_own() -> None:
    more = json.dumps(
        [
            {"name": CONNECTOR, "uriKey": "uri", "collections": "wms.orders"},
            {"name": "second", "uriKey": "second-uri", "collections": "wms.inventory"},
        ]
    )
    documents = releases.template(release("debezium"), "prod", "--set-json", f"debezium.connectors={more}")
    configs = {name: one["spec"]["config"] for name, one in of_kind(documents, "KafkaConnector").items()}
    assert {name: one["collection.include.list"] for name, one in configs.items()} == {
        CONNECTOR: "wms.orders",
        "second": "wms.inventory",
    }
    assert configs["second"]["mongodb.connection.string"] == "${directory:/mnt/mongodb:second-uri}"


def test_the_topics_are_those_of_the_embedded_stack(environment: str, manifests: tuple[Document, ...]) -> None:
    made = {one["spec"]["topicName"]: one["spec"] for one in of_kind(manifests, "KafkaTopic").values()}
    wanted = {one.name: one for one in topics.TOPICS if environment == "dev" or one.name not in EVENT_TOPICS}
    assert made.keys() == wanted.keys()
    for name, one in wanted.items():
        assert dict(one.config).items() <= made[name]["config"].items()
        assert made[name]["partitions"] >= one.partitions


def test_connects_own_topics_are_among_them(manifests: tuple[Document, ...]) -> None:
    spec = of_kind(manifests, "KafkaConnect")["wms-kafka"]["spec"]
    names = {spec[f"{what}StorageTopic"] for what in ("config", "offset", "status")}
    assert names <= {one["spec"]["topicName"] for one in of_kind(manifests, "KafkaTopic").values()}


def test_the_worker_is_set_as_the_embedded_one() -> None:
    """Duplicates after a kill, sizes of records and the names of converters do not differ."""
    spec = of_kind(releases.rendered("prod"), "KafkaConnect")["wms-kafka"]["spec"]
    lines = (TEMPLATES / "connect" / "worker.properties").read_text().splitlines()
    plain = dict(line.split("=", 1) for line in lines if line and line[0] != "#" and "{{" not in line)
    kept = {
        key: value for key, value in plain.items() if "storage" not in key and not key.startswith("config.providers")
    }
    kept.pop("group.id")
    assert kept.items() <= spec["config"].items()
    assert spec["config"]["producer.max.request.size"] == str(topics.LARGEST_RECORD)
    assert spec["groupId"] == plain["group.id"]


def test_the_bronze_job_is_planned_from_settings_that_the_job_understands(manifests: tuple[Document, ...]) -> None:
    settings = Settings.from_json(of_kind(manifests, "ConfigMap")["bronze-settings"]["data"]["settings.json"])
    job = of_kind(manifests, "FlinkDeployment")["bronze"]["spec"]
    assert settings.checkpoints == job["flinkConfiguration"]["execution.checkpointing.dir"]
    assert settings.parallelism == job["job"]["parallelism"]
    assert settings.group == facts.facts()["job"]["group"]  # type: ignore[index]
    assert settings.catalog["cache-enabled"] == "false"


def test_the_catalogs_of_trino_say_what_the_embedded_ones_say() -> None:
    """Only addresses, credentials and TLS differ."""
    catalogs = yaml.safe_load((release("trino").folder / "values.yaml").read_text())["catalogs"]
    templates = TEMPLATES / "trino" / "catalog"
    assert catalogs.keys() == {path.stem for path in templates.glob("*.properties")}
    for name, text in catalogs.items():
        deployed, embedded = properties(text), properties((templates / f"{name}.properties").read_text())
        assert embedded.keys() <= deployed.keys(), f"{name} lacks {embedded.keys() - deployed.keys()}"
        for key, value in embedded.items():
            assert "{{" in value or deployed[key] == value, f"{name}: {key}"
    kafka = properties(catalogs["kafka"])["kafka.table-names"].split(",")
    assert kafka == [*EVENT_TOPICS, *(one.topic for one in COLLECTIONS)]


def properties(text: str) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_metastore_says_what_the_embedded_one_says(manifests: tuple[Document, ...]) -> None:
    """But for the pool's size, what it listens on, and where things are."""
    deployed = of_kind(manifests, "ConfigMap")["metastore"]["data"]
    own = {"metastore.thrift.bind.host", "metastore.server.max.threads", "datanucleus.connectionPool.maxPoolSize"}
    own |= {
        "fs.s3a.connection.ssl.enabled",
        "fs.s3a.access.key",
        "fs.s3a.secret.key",
        "fs.s3a.aws.credentials.provider",
    }
    for file in ("metastore-site.xml", "core-site.xml"):
        embedded = hadoop((TEMPLATES / "metastore" / file).read_text())
        there = hadoop(deployed[file])
        for name, value in embedded.items():
            if name not in own:
                assert name in there, f"{file} lacks {name}"
                assert "{{" in value or there[name] == value, f"{file}: {name}"


def hadoop(text: str) -> dict[str, str]:
    root = ET.fromstring(text.strip())
    return {one.findtext("name", ""): one.findtext("value", "") for one in root.findall("property")}


def test_every_bucket_exists_and_each_service_has_its_own_keys(manifests: tuple[Document, ...]) -> None:
    script = of_kind(manifests, "ConfigMap")["buckets"]["data"]["make.sh"]
    assert set(BUCKETS) <= set(re.findall(r"wms-[a-z]+", script))
    policies = {
        file.removesuffix(".json"): json.loads(text)
        for file, text in of_kind(manifests, "ConfigMap")["buckets"]["data"].items()
        if file.endswith(".json")
    }
    assert writes(policies["bronze"]) == {"wms-bronze", "wms-checkpoints"}
    assert writes(policies["trino"]) == {"wms-silver", "wms-gold"}
    assert reads(policies["trino"]) == {"wms-bronze", "wms-silver", "wms-gold"}
    for policy in policies.values():
        for statement in policy["Statement"]:
            assert not any("*" in action for action in statement["Action"])
            assert all(resource.startswith("arn:aws:s3:::wms-") for resource in statement["Resource"])


def test_no_rule_of_a_bucket_deletes_what_a_table_needs(manifests: tuple[Document, ...]) -> None:
    text = json.dumps(of_kind(manifests, "ConfigMap")["buckets"])
    assert "ilm" not in text.lower()
    assert "lifecycle" not in text.lower()


def writes(policy: Document) -> set[str]:
    return buckets_of(policy, "s3:PutObject")


def reads(policy: Document) -> set[str]:
    return buckets_of(policy, "s3:GetObject")


def buckets_of(policy: Document, action: str) -> set[str]:
    return {
        resource.removeprefix("arn:aws:s3:::").removesuffix("/*")
        for statement in policy["Statement"]
        if action in statement["Action"]
        for resource in statement["Resource"]
    }


def test_each_kafka_user_may_do_what_it_does_and_nothing_else(manifests: tuple[Document, ...]) -> None:
    users = of_kind(manifests, "KafkaUser")
    assert users.keys() == {"debezium", "bronze", "trino"}
    may = {
        name: {(acl["resource"]["name"], *acl["operations"]) for acl in one["spec"]["authorization"]["acls"]}
        for name, one in users.items()
    }
    assert may["trino"] == {("cdc.wms.", "Read", "Describe"), ("wms.", "Read", "Describe")}
    assert may["bronze"] == may["trino"] | {("bronze", "Read", "Describe")}
    written = {name for name, *operations in may["debezium"] if "Write" in operations}
    ours = {one.name for one in topics.TOPICS if one.name not in EVENT_TOPICS}
    assert {topic for topic in ours if not any(topic == name or topic.startswith(name) for name in written)} == set()
    assert not any(name == "wms." for name, *_ in may["debezium"])


def test_the_rules_are_the_file_that_promtool_tests(manifests: tuple[Document, ...]) -> None:
    file = yaml.safe_load((REPO / "infra" / "monitoring" / "rules.yml").read_text())
    assert of_kind(manifests, "PrometheusRule")["wms-mesh"]["spec"] == file


def test_trino_is_given_the_rules_of_the_embedded_stack(manifests: tuple[Document, ...]) -> None:
    text = of_kind(manifests, "ConfigMap")["trino-access"]["data"]["rules.json"]
    assert json.loads(text) == json.loads(RULES.read_text())
    values = yaml.safe_load((release("trino").folder / "values.yaml").read_text())
    (mount,) = [one for one in values["configMounts"] if one["configMap"] == "trino-access"]
    assert f"security.config-file={mount['path']}/rules.json" in values["accessControl"]["properties"]


def test_our_services_ask_trino_as_users_that_the_rules_know(manifests: tuple[Document, ...]) -> None:
    asked = set(re.findall(r"'MESH_TRINO_USER', 'value': '([\w-]+)'", str(manifests)))
    assert asked == {Service.REFRESHER.user, Service.MAINTAINER.user}
    mapping = of_kind(manifests, "ExternalSecret")["trino-s3-mapping"]["spec"]["target"]["template"]["data"][
        "mapping.json"
    ]
    assert f'"user":"{Service.MAINTAINER.user}"' in mapping


def test_every_dashboard_is_handed_to_grafana(manifests: tuple[Document, ...]) -> None:
    files = {
        path.name: json.loads(path.read_text()) for path in (REPO / "infra" / "monitoring" / "dashboards").glob("*")
    }
    given = {
        name: json.loads(text)
        for one in of_kind(manifests, "ConfigMap").values()
        if one["metadata"]["labels"].get("grafana_dashboard")
        for name, text in one["data"].items()
    }
    assert given == files


def test_the_refresher_is_one_pod_that_is_replaced_before_the_next_comes(manifests: tuple[Document, ...]) -> None:
    spec = of_kind(manifests, "Deployment")["refresher"]["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_node_ports_are_off_unless_asked_for() -> None:
    def ports(documents: Iterable[Document]) -> set[int]:
        services = of_kind(documents, "Service").values()
        return {port["nodePort"] for one in services for port in one["spec"]["ports"] if "nodePort" in port}

    assert ports(releases.render("mesh")) == set()
    assert ports(releases.rendered("prod")) == set()
    assert ports(releases.rendered("dev")) == {30585, 30900, 30901, 30808}


def test_a_fresh_start_puts_the_group_behind_the_tables_first() -> None:
    """Without it every record since the group's last commit would be in bronze twice."""

    def steps(start: str) -> tuple[list[str], str]:
        documents = releases.template(release("flink"), "prod", "--set", f"flink.start={start}")
        spec = of_kind(documents, "FlinkDeployment")["bronze"]["spec"]
        init = {one["name"]: one for one in spec["jobManager"]["podTemplate"]["spec"]["initContainers"]}
        return init["tables"]["command"][3:], spec["job"]["upgradeMode"]

    assert steps("savepoint") == (["tables"], "savepoint")
    assert steps("fresh") == (["tables", "positions"], "stateless")


def test_secrets_that_pods_name_are_brought_by_external_secrets(manifests: tuple[Document, ...]) -> None:
    brought = {
        (one["metadata"]["namespace"], one["metadata"]["name"]) for one in manifests if one["kind"] == "ExternalSecret"
    }
    made_by_strimzi = {("kafka", "wms-cluster-ca-cert")}
    named = {(one["metadata"].get("namespace", ""), name) for one in manifests for name in secret_names(one)}
    assert named
    assert named - brought == made_by_strimzi


def test_secrets_that_the_values_of_others_charts_name_are_brought_too() -> None:
    brought = {one["metadata"]["name"] for one in releases.rendered("prod") if one["kind"] == "ExternalSecret"}
    named = {
        name
        for one in releases.releases()
        if not one.is_ours
        for file in one.files("prod")
        for name in secret_names(yaml.safe_load(file.read_text()))
    }
    assert len(named) > 15
    assert named <= brought


SECRET_FIELDS = {"secretName", "secretRef", "existingSecret", "certSecret", "trustedCertsSecret", "passwordAuthSecret"}
SECRET_FIELDS |= {
    "groupsAuthSecret",
    "metadataSecretName",
    "fernetKeySecretName",
    "apiSecretKeySecretName",
    "jwtSecretName",
}


def secret_names(node: object) -> set[str]:
    """Names of secrets that a manifest or a file of values points to."""
    found: set[str] = set()
    if isinstance(node, dict):
        for key, value in node.items():
            if (key in ("secretKeyRef", "basicAuth") and isinstance(value, dict) and "name" in value) or (
                key == "secret" and isinstance(value, dict) and "name" in value
            ):
                found.add(value["name"])
            elif key in SECRET_FIELDS and isinstance(value, str) and value:
                found.add(value)
            else:
                found |= secret_names(value)
    elif isinstance(node, list):
        for value in node:
            found |= secret_names(value)
    return found


# -- versions: what is deployed is what is tested


def test_images_carry_the_versions_that_the_embedded_stack_runs() -> None:
    engines = tomllib.loads((REPO / "wms_mesh" / "artifacts" / "engines.toml").read_text())
    images = yaml.safe_load((CHART / "values.yaml").read_text())["images"]
    connect = version_of(engines["connect"]["roots"], "connect-runtime")
    debezium = version_of(engines["debezium"]["roots"], "debezium-connector-mongodb").removesuffix(".Final")
    assert images["connect"]["tag"].endswith(f"-kafka-{connect}-debezium-{debezium}")
    hive = version_of(engines["metastore"]["roots"], "hive-standalone-metastore-server")
    assert images["metastore"]["tag"].endswith(f"-hive-{hive}")
    flink = re.search(r"^apache-flink==([\d.]+)", (REPO / "requirements" / "flink.txt").read_text(), re.MULTILINE)
    assert flink
    assert images["flink"]["tag"].endswith(f"-flink-{flink[1]}")
    trino = yaml.safe_load((release("trino").folder / "values.yaml").read_text())["image"]["tag"]
    assert trino == version_of(engines["trino"]["roots"], "trino-server")
    job = of_kind(releases.rendered("prod"), "FlinkDeployment")["bronze"]["spec"]
    assert job["flinkVersion"] == "v" + "_".join(flink[1].split(".")[:2])
    assert of_kind(releases.rendered("prod"), "KafkaConnect")["wms-kafka"]["spec"]["version"] == connect


def version_of(roots: list[str], artifact: str) -> str:
    return next(root.split(":")[2] for root in roots if root.split(":")[1] == artifact)

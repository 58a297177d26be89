"""What the chart needs of this code, as one generated file: ``python -m wms_mesh.infra.facts`` writes it anew.

Helm cannot run Python, and a second list of topics in a values file would disagree with the first one sooner or later.
"""

from __future__ import annotations

import json
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ingest import topics
from ingest.bronze.job import JOB_NAME
from ingest.collections import CDC_PREFIX, COLLECTIONS, EVENT_TOPICS
from ingest.connector.config import CONNECTOR, render
from wms_mesh.engines.base import TEMPLATES
from wms_mesh.engines.bronze_job import GROUP
from wms_mesh.engines.flink import MODULE_FLAGS
from wms_mesh.object_store import BUCKETS
from wms_mesh.stack import REPO, Naming, Stack

HELM = REPO / "infra" / "helm"
CHART = HELM / "charts" / "wms-mesh"
FILE = CHART / "files" / "project.json"

# What the file of the connector says in its own fields of a KafkaConnector, or what only a deployment knows.
_OWN_FIELDS = ("name", "connector.class", "tasks.max", "mongodb.connection.string")
# Of the worker's settings, what a deployment decides: addresses, topics, replication, plugins, where secrets are.
_DEPLOYMENT = ("bootstrap.", "group.id", "listeners", "rest.", "plugin.path", "config.providers")


def facts() -> dict[str, object]:
    """Topics, the connector's captured collections, the worker's settings, the job's names, buckets, ports."""
    changes = [one.topic for one in COLLECTIONS]
    return {
        "topics": [
            {
                "name": one.name,
                "kind": "change" if one.name in changes else "event" if one.name in EVENT_TOPICS else "own",
                "partitions": one.partitions,
                "config": dict(one.config),
            }
            for one in topics.TOPICS
        ],
        "changePrefix": CDC_PREFIX,
        "heartbeatTopic": topics.HEARTBEAT_TOPIC,
        "notificationsTopic": topics.NOTIFICATIONS_TOPIC,
        "connect": {
            "configs": topics.CONNECT_CONFIGS,
            "offsets": topics.CONNECT_OFFSETS,
            "status": topics.CONNECT_STATUS,
            "worker": _worker(),
        },
        "connector": {
            "name": CONNECTOR,
            "additions": {naming.value: _additions(naming) for naming in Naming},
        },
        "job": {"name": JOB_NAME, "group": GROUP, "javaOptions": " ".join(MODULE_FLAGS)},
        "buckets": list(BUCKETS),
        "kafkaTables": [*EVENT_TOPICS, *changes],
        "refresherPort": Stack.from_env({}).port("refresher"),
    }


def text() -> str:
    """The file's content."""
    return json.dumps(facts(), indent=2) + "\n"


def _additions(naming: Naming) -> dict[str, str]:
    """What ``render`` adds to the connector's file for one naming style."""
    rendered = render(naming, "")
    written = json.loads((REPO / "ingest" / "connector" / f"{CONNECTOR}.json").read_text(encoding="utf-8"))
    return {key: value for key, value in rendered.items() if key not in written and key not in _OWN_FIELDS}


def _worker() -> dict[str, str]:
    """The embedded worker's settings that hold on a cluster, too."""
    template = Environment(
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, autoescape=False
    ).get_template("connect/worker.properties")
    lines = template.render(stack=Stack.from_env({}), host="", plugins="", secrets="", topics=topics).splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {key: value for key, value in pairs if not key.startswith(_DEPLOYMENT) and ".storage." not in key}


def main(file: Path = FILE) -> None:
    """Write the file."""
    file.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()

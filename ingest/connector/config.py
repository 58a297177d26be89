"""The connector's configuration for one naming style of the source."""

from __future__ import annotations

import json
from pathlib import Path

from ingest.collections import COLLECTIONS, Collection
from ingest.topics import NOTIFICATIONS_TOPIC
from wms_mesh.stack import Naming

CONNECTOR = "mongodb-cdc-connector"
SNAKE_CASE_DATABASE = "wms"
# Debezium writes the watermarks of an incremental snapshot into a collection: ours, in no service's database.
SIGNAL_DATABASE, SIGNAL_COLLECTION = "mesh_signals", "debezium_signals"
_TEMPLATE = Path(__file__).with_name(f"{CONNECTOR}.json")


def database(collection: Collection, naming: Naming) -> str:
    """The database in which a collection stands."""
    return SNAKE_CASE_DATABASE if naming == Naming.SNAKE_CASE else collection.service_database


def render(naming: Naming, connection_string: str) -> dict[str, str]:
    """The configuration as Connect takes it.

    connection_string: MongoDB's, or a reference that Connect resolves (``${directory:/path:file}``).
    """
    config: dict[str, str] = json.loads(_TEMPLATE.read_text(encoding="utf-8"))
    captured = ",".join(f"{database(one, naming)}.{one.name}" for one in COLLECTIONS)
    return {
        **config,
        "name": CONNECTOR,
        "mongodb.connection.string": connection_string,
        "collection.include.list": captured,
        "signal.data.collection": f"{SIGNAL_DATABASE}.{SIGNAL_COLLECTION}",
        "notification.sink.topic.name": NOTIFICATIONS_TOPIC,
    }


def heartbeat_seconds() -> float:
    """How often a living stream says so."""
    return int(render(Naming.SNAKE_CASE, "")["heartbeat.interval.ms"]) / 1000

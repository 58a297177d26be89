"""Every unit of the embedded stack, in the order in which ``status`` shows them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from wms_mesh.engines.base import Duty, Engine
from wms_mesh.errors import MeshError
from wms_mesh.monitoring import tools
from wms_mesh.stack import Stack

# Imported when asked for: `./mesh status` must not load every client library.
UNITS = {
    "mongodb": "mongodb:MongoDb",
    "kafka": "kafka:Kafka",
    "topics": "topics:Topics",
    "connect": "connect:Connect",
    "connector": "connector:Connector",
    "s3": "s3:S3",
    "buckets": "buckets:Buckets",
    "postgres": "postgres:Postgres",
    "metastore": "metastore:Metastore",
    "trino": "trino:Trino",
    "schemas": "schemas:Schemas",
    "flink-jobmanager": "flink:FlinkJobManager",
    "flink-taskmanager": "flink:FlinkTaskManager",
    "bronze-tables": "bronze_tables:BronzeTables",
    "bronze-job": "bronze_job:BronzeJob",
    "refresher": "refresher:Refresher",
    "prometheus": "prometheus:Prometheus",
}


def offered(stack: Stack) -> list[str]:
    """The units that a start without names starts: Prometheus watches a monitored stack, when one is installed."""
    return [name for name in UNITS if name != "prometheus" or (stack.monitoring and tools.find("prometheus"))]


def select(stack: Stack, names: Sequence[str] = ()) -> list[Engine | Duty]:
    """The named units and all that they need, in the order of UNITS; all that are offered when none is named.

    Raises MeshError for a name that is not a unit.
    """
    for name in names:
        if name not in UNITS:
            raise MeshError(f"There is no engine '{name}': choose from {', '.join(UNITS)}.")
    wanted: set[str] = set()
    pending = list(names or offered(stack))
    made: dict[str, Engine | Duty] = {}
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            module, _, cls = UNITS[name].partition(":")
            made[name] = getattr(import_module(f"wms_mesh.engines.{module}"), cls)(stack)
            pending.extend(made[name].needs)
    return [made[name] for name in UNITS if name in wanted]

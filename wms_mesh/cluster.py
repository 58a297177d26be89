"""What the supervisor's duties do on the embedded stack, as one-off steps on a cluster: ``python -m wms_mesh.cluster``.

    tables      the lakehouse's schemas and the bronze tables exist: before the bronze job is planned
    positions   the job's consumer group stands behind what the tables hold: before a job starts without a savepoint

Trino is found as dbt's target `prod` finds it (MESH_TRINO_HOST, MESH_TRINO_PORT, MESH_TRINO_USER, MESH_TRINO_PASSWORD,
MESH_TRINO_CA), Kafka by MESH_KAFKA_BOOTSTRAP, MESH_KAFKA_USER, MESH_KAFKA_PASSWORD and MESH_KAFKA_CA.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import requests
import trino.auth
import trino.dbapi
import trino.exceptions
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from ingest.bronze.tables import ddl
from wms_mesh.engines.bronze_job import GROUP, POSITIONS
from wms_mesh.engines.bronze_tables import TABLES
from wms_mesh.engines.schemas import LOCATIONS
from wms_mesh.errors import MeshError

Query = Callable[[str], Sequence[Sequence[Any]]]


def make_tables(query: Query) -> None:
    """Create the schemas and the bronze tables that are missing; what is there is never altered."""
    for schema, location in LOCATIONS.items():
        query(f"create schema if not exists iceberg.{schema} with (location = '{location}')")
    for table in TABLES:
        query(ddl(table))


def set_positions(query: Query, consumer: KafkaConsumer) -> int:
    """Set the consumer group behind the last record of each partition that a table holds.

    Only while no job runs: it would commit its own positions over these. What lies ahead is kept (retention took the
    newest rows of a partition). Returns how many partitions were set.
    """
    held = {TopicPartition(topic, partition): last + 1 for topic, partition, last in query(POSITIONS)}
    known = [at for at in held if at.partition in (consumer.partitions_for_topic(at.topic) or ())]
    if known:
        consumer.assign(known)
        ahead = {at: max(held[at], consumer.committed(at) or 0) for at in known}
        consumer.commit({at: OffsetAndMetadata(offset, "", -1) for at, offset in ahead.items()})
    return len(known)


@contextlib.contextmanager
def warehouse(env: Mapping[str, str]) -> Iterator[Query]:
    """Statements to the cluster's Trino.

    Raises MeshError when a variable is missing, nothing answers, or a statement fails.
    """
    host, user = required(env, "MESH_TRINO_HOST"), required(env, "MESH_TRINO_USER")
    connection = trino.dbapi.connect(  # type: ignore[no-untyped-call]
        host=host,
        port=int(env.get("MESH_TRINO_PORT") or 443),
        user=user,
        http_scheme="https",
        auth=trino.auth.BasicAuthentication(user, required(env, "MESH_TRINO_PASSWORD")),
        verify=env.get("MESH_TRINO_CA") or True,
        catalog="iceberg",
    )
    try:
        yield lambda statement: connection.cursor().execute(statement).fetchall()
    except (requests.ConnectionError, trino.exceptions.TrinoConnectionError) as error:
        raise MeshError(f"Trino does not answer on {host}: see its pods and the network policies ({error}).") from error
    except trino.exceptions.TrinoQueryError as error:
        raise MeshError(f"Trino says: {error.message}") from error
    finally:
        connection.close()


def consumer(env: Mapping[str, str]) -> KafkaConsumer:
    """A consumer of the job's group that commits only what it is told to.

    Raises MeshError when a variable is missing or no broker lets it in.
    """
    bootstrap = required(env, "MESH_KAFKA_BOOTSTRAP")
    try:
        return KafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=GROUP,
            enable_auto_commit=False,
            security_protocol="SASL_SSL",
            sasl_mechanism="SCRAM-SHA-512",
            sasl_plain_username=required(env, "MESH_KAFKA_USER"),
            sasl_plain_password=required(env, "MESH_KAFKA_PASSWORD"),
            ssl_cafile=required(env, "MESH_KAFKA_CA"),
        )
    except KafkaError as error:
        raise MeshError(f"Kafka does not let us in at {bootstrap}: see its KafkaUser and its CA ({error}).") from error


def required(env: Mapping[str, str], name: str) -> str:
    """The variable's value; raises MeshError when it is missing or empty."""
    if not env.get(name):
        raise MeshError(f"{name} is not set: this command runs in a pod of infra/helm/charts/wms-mesh, which sets it.")
    return env[name]


def main(steps: Sequence[str], env: Mapping[str, str] = os.environ) -> None:
    """Run the steps in their order. Raises MeshError for a step that does not exist."""
    unknown = [step for step in steps if step not in ("tables", "positions")]
    if unknown or not steps:
        raise MeshError(f"There is no step '{' '.join(unknown)}': name tables, positions or both.")
    for step in steps:
        with warehouse(env) as query:
            if step == "tables":
                make_tables(query)
                print(f"{len(LOCATIONS)} schemas and {len(TABLES)} tables are there", flush=True)
            else:
                with contextlib.closing(consumer(env)) as kafka:
                    print(f"{set_positions(query, kafka)} partitions start behind the tables' last offsets", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except MeshError as error:
        print(error, file=sys.stderr, flush=True)
        sys.exit(error.exit_code)

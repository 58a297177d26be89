"""The one-off steps of a cluster, without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from ingest.bronze import statements
from ingest.bronze.job import Settings
from ingest.bronze.tables import tables
from wms_mesh import cluster
from wms_mesh.engines.schemas import LOCATIONS
from wms_mesh.errors import MeshError

TRINO = {"MESH_TRINO_HOST": "trino", "MESH_TRINO_USER": "mesh-maintainer", "MESH_TRINO_PASSWORD": "x"}


class Group:
    """A consumer group: partitions of topics, and what was committed."""

    def __init__(self, partitions: Mapping[str, set[int]], committed: Mapping[tuple[str, int], int]) -> None:
        self.partitions = partitions
        self.before = committed
        self.after: dict[TopicPartition, OffsetAndMetadata] = {}

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return self.partitions.get(topic)

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = partitions

    def committed(self, at: TopicPartition) -> int | None:
        assert at in self.assigned
        return self.before.get((at.topic, at.partition))

    def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        self.after = offsets


def test_every_schema_and_table_is_asked_for_and_none_is_altered() -> None:
    asked: list[str] = []
    cluster.make_tables(lambda statement: asked.append(statement) or [])  # type: ignore[func-returns-value]
    assert all(
        statement.startswith(("create schema if not exists", "create table if not exists")) for statement in asked
    )
    assert len(asked) == len(LOCATIONS) + len(tables()) + 1


def test_a_record_that_a_table_holds_is_not_read_again_and_one_that_it_lacks_is() -> None:
    held = [["cdc.wms.orders", 0, 99], ["cdc.wms.orders", 1, 5], ["gone", 0, 7]]
    group = Group({"cdc.wms.orders": {0, 1, 2}}, {("cdc.wms.orders", 0): 80, ("cdc.wms.orders", 1): 50})
    count = cluster.set_positions(lambda _: held, group)
    assert {(at.topic, at.partition): to.offset for at, to in group.after.items()} == {
        ("cdc.wms.orders", 0): 100,  # behind the table's last one
        ("cdc.wms.orders", 1): 50,  # ahead: retention took the newest rows
    }
    assert count == 2


def test_a_topic_that_is_gone_stops_nothing() -> None:
    group = Group({}, {})
    assert cluster.set_positions(lambda _: [["gone", 0, 7]], group) == 0
    assert group.after == {}


@pytest.mark.parametrize("missing", sorted(TRINO))
def test_a_missing_variable_is_named(missing: str) -> None:
    env = {name: value for name, value in TRINO.items() if name != missing}
    with pytest.raises(MeshError, match=missing), cluster.warehouse(env):
        pytest.fail("it connected")


def test_an_unknown_step_is_named_before_anything_is_done() -> None:
    with pytest.raises(MeshError, match="no step 'postions'"):
        cluster.main(["tables", "postions"], {})


def test_a_trino_that_is_away_is_a_sentence() -> None:
    env = {**TRINO, "MESH_TRINO_HOST": "127.0.0.1", "MESH_TRINO_PORT": "1"}
    with pytest.raises(MeshError, match=r"Trino does not answer on 127\.0\.0\.1"):
        cluster.main(["tables"], env)


def test_the_jobs_kafka_settings_reach_its_source_as_they_are() -> None:
    """Quotes in them are SQL's business; a password that is lost or cut stops the job."""
    given: dict[str, Any] = {"sasl.jaas.config": 'Login required username="a" password="${dir:x:y}" note=\'it\';'}
    text = statements.source("kafka:9093", "bronze", given)
    assert (
        "'properties.sasl.jaas.config' = 'Login required username=\"a\" password=\"${dir:x:y}\" note=''it'';'," in text
    )
    assert statements.source("k", "g", {}) == statements.source("k", "g")


def test_settings_of_before_are_still_read() -> None:
    """A plan's settings.json from an older checkout has no Kafka settings and no parallelism."""
    old = '{"bootstrap": "k", "group": "g", "catalog": {}, "checkpoints": "c", "checkpoint_seconds": 5}'
    assert Settings.from_json(old).flink()["parallelism.default"] == "1"
    assert Settings("k", "g", {}, "c", 5, {}, 4).flink()["parallelism.default"] == "4"

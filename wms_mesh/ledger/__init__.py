"""Every Kafka offset accounted for: what the topics hold against what the tables of bronze hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition

from ingest.bronze.tables import tables
from ingest.collections import COLLECTIONS, EVENT_TOPICS, QUARANTINE_TABLE
from wms_mesh import sql
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

QUIET_SECONDS = 6.0  # no new record for so long means the connector has caught up (it polls each second)

_ROWS_BY_OFFSET = " union all ".join(
    f"select kafka_topic, kafka_partition, kafka_offset, {int(table.name == QUARANTINE_TABLE)} as is_quarantined"
    f" from bronze.{table.name}"
    for table in tables()
)
# Only offsets that Kafka still holds: older rows outlive their topic's retention, newer ones came after the look.
_ACCOUNT = f"""
select kafka_topic, kafka_partition, count(*), count(distinct kafka_offset), sum(is_quarantined)
from ({_ROWS_BY_OFFSET}) inner join (values {{held}}) as held (topic, number, first_offset, end_offset)
    on kafka_topic = topic and kafka_partition = number and kafka_offset >= first_offset and kafka_offset < end_offset
group by 1, 2
"""


@dataclass(frozen=True)
class PartitionAccount:
    """One topic partition. first, end: its offsets in Kafka, end exclusive; the rest counts rows in Iceberg."""

    topic: str
    partition: int
    first: int
    end: int
    rows: int = 0
    distinct: int = 0
    quarantined: int = 0

    @property
    def missing(self) -> int:
        """Offsets that stand in no table of bronze."""
        return self.end - self.first - self.distinct

    @property
    def doubled(self) -> int:
        """Rows beyond one per offset."""
        return self.rows - self.distinct


def topics() -> list[str]:
    """Every topic that the bronze job reads."""
    return [*(collection.topic for collection in COLLECTIONS), *EVENT_TOPICS]


def offsets(stack: Stack) -> dict[TopicPartition, tuple[int, int]]:
    """First offset and end offset (exclusive) of every partition of every captured topic."""
    consumer = KafkaConsumer(bootstrap_servers=stack.address("kafka"))
    try:
        partitions = [
            TopicPartition(topic, number)
            for topic in topics()
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        first, end = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        return {partition: (first[partition], end[partition]) for partition in partitions}
    finally:
        consumer.close()


def account(stack: Stack) -> list[PartitionAccount]:
    """Compare Kafka with Iceberg; a full scan of three columns, for a test or a demo (not for each refresh)."""
    in_kafka = offsets(stack)
    held = ", ".join(f"('{at.topic}', {at.partition}, {first}, {end})" for at, (first, end) in in_kafka.items())
    in_iceberg = {(topic, number): figures for topic, number, *figures in sql.query(stack, _ACCOUNT.format(held=held))}
    return [
        PartitionAccount(at.topic, at.partition, first, end, *in_iceberg.get((at.topic, at.partition), (0, 0, 0)))
        for at, (first, end) in in_kafka.items()
    ]


def missing_below(stack: Stack, ends: Mapping[tuple[str, int], int]) -> int:
    """Records below some end offsets, by topic and partition, that Kafka holds and Iceberg does not have yet."""
    first = {(at.topic, at.partition): first for at, (first, _) in offsets(stack).items()}
    held = ", ".join(f"('{topic}', {number}, {first[topic, number]}, {end})" for (topic, number), end in ends.items())
    arrived: int = sum(row[3] for row in sql.query(stack, _ACCOUNT.format(held=held)))
    return sum(max(0, end - first[at]) for at, end in ends.items()) - arrived


def await_quiet(
    stack: Stack, limit: float = 300.0, progress: Callable[[str], None] = lambda _: None
) -> list[PartitionAccount]:
    """Wait until the source is drained: no new record for QUIET_SECONDS, and every offset in Iceberg.

    limit: seconds. progress: told how many records are still on their way.
    Returns the account. Raises MeshError when records are still missing after ``limit``.
    """
    deadline = time.monotonic() + limit
    ends: list[int] = []
    unchanged_since = time.monotonic()
    while True:
        now = [end for _, end in offsets(stack).values()]
        if now != ends:
            ends, unchanged_since = now, time.monotonic()
        if time.monotonic() - unchanged_since >= QUIET_SECONDS:
            accounts = account(stack)
            missing = sum(entry.missing for entry in accounts)
            if missing == 0:
                return accounts
            progress(f"{missing:,} of {sum(now):,} records on their way to bronze")
        else:
            progress(f"{sum(now):,} records in Kafka, still arriving")
        if time.monotonic() > deadline:
            raise MeshError(
                f"After {limit:.0f} s records are still on their way to bronze: "
                "`./mesh status` shows the connector and the job."
            )
        time.sleep(1.0)

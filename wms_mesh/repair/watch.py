"""What the connector says while it takes a snapshot: its notifications, and the records themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests
from kafka import KafkaConsumer, TopicPartition

from ingest.connector.rest import Connect
from ingest.topics import LARGEST_RECORD, NOTIFICATIONS_TOPIC
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

# Without a record or a notification for this long the snapshot is not believed to go on; a restarted worker takes 40 s.
SILENCE_LIMIT = 300.0
_SAID = TopicPartition(NOTIFICATIONS_TOPIC, 0)
# Of the envelope: inside of the images, which are JSON in strings, every quote has a backslash before it.
_SNAPSHOT_RECORD = b'"op":"r"'


@dataclass(frozen=True)
class Notification:
    """One of Debezium's. kind: 'Initial Snapshot' or 'Incremental Snapshot'; event: STARTED, COMPLETED ..."""

    kind: str
    event: str
    facts: dict[str, str]


class Watch:
    """Reads notifications and the records of ``topics`` from now on. records: snapshot records so far."""

    def __init__(self, stack: Stack, consumer: KafkaConsumer, topics: Iterable[str]) -> None:
        self._stack = stack
        self._consumer = consumer
        self._changes = [
            TopicPartition(topic, number)
            for topic in topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        consumer.assign([_SAID, *self._changes])
        consumer.seek_to_end()
        for partition in (_SAID, *self._changes):
            consumer.position(partition)
        self.records = 0

    def until(self, is_end: Callable[[Notification], bool], progress: Callable[[str], None]) -> Notification:
        """Wait for a notification, and read every record that was produced before it was seen.

        progress: told how far it is. Raises MeshError when the connector says nothing for SILENCE_LIMIT.
        """
        last_sign = time.monotonic()
        while True:
            before = self.records
            said = self._poll()
            for one in said:
                if is_end(one):
                    self._drain()
                    return one
            if said or self.records > before:
                last_sign = time.monotonic()
            if time.monotonic() - last_sign > SILENCE_LIMIT:
                raise MeshError(
                    f"The connector has said nothing for {SILENCE_LIMIT:.0f} s: look at `./mesh status`. A snapshot"
                    " that has begun goes on when the connector does."
                )
            progress(f"{self.records:,} records{self._trouble()}")

    def _poll(self) -> list[Notification]:
        said = []
        for partition, records in self._consumer.poll(timeout_ms=500).items():
            for record in records:
                if partition == _SAID:
                    value = json.loads(record.value)
                    said.append(Notification(value["aggregate_type"], value["type"], value["additional_data"] or {}))
                elif record.value is not None and _SNAPSHOT_RECORD in record.value:
                    self.records += 1
        return said

    def _drain(self) -> None:
        ends = self._consumer.end_offsets(self._changes)
        while any(self._consumer.position(partition) < end for partition, end in ends.items()):
            self._poll()

    def _trouble(self) -> str:
        try:
            status = Connect(self._stack.url("connect")).status()
        except requests.RequestException:
            return ", Connect does not answer"
        return "" if status.running else f", connector {status.connector}, task {status.task}"


@contextmanager
def watch(stack: Stack, topics: Iterable[str]) -> Iterator[Watch]:
    """A Watch that stands at the end of the topics."""
    consumer = KafkaConsumer(
        bootstrap_servers=stack.address("kafka"),
        enable_auto_commit=False,
        max_partition_fetch_bytes=LARGEST_RECORD,
        fetch_max_bytes=LARGEST_RECORD,
        check_crcs=False,  # in Python: 10 s for a record of 10 MB
    )
    try:
        yield Watch(stack, consumer, topics)
    finally:
        consumer.close()

"""The common point: a moment before which every change in MongoDB is in silver, proven by offsets.

A heartbeat of Debezium that is younger than the moment, and the ends of the topics after it, say what has to arrive;
silver's watermarks say what has. A heartbeat may overtake changes that the connector has fetched and not sent yet, so
bronze must not hold an unread change from before the moment, either.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ingest.collections import QUARANTINE_TABLE, Collection
from ingest.topics import HEARTBEAT_TOPIC
from wms_mesh import sql
from wms_mesh.errors import MeshError
from wms_mesh.history import literal
from wms_mesh.reconcile import SILVER
from wms_mesh.stack import Stack

Positions = Mapping[int, int]  # by partition: the first offset that is not read yet
Ends = Mapping[int, tuple[int, int]]  # by partition: first offset and end (exclusive) in Kafka

_HEARTBEAT = TopicPartition(HEARTBEAT_TOPIC, 0)
_ENOUGH = 50  # records in which one with a readable time is looked for


def newest_heartbeat(stack: Stack) -> datetime | None:
    """When the connector last said that it lives, None when it never did."""
    with _consumer(stack) as consumer:
        end = consumer.end_offsets([_HEARTBEAT])[_HEARTBEAT]
        return next(_times(consumer, _HEARTBEAT, end - 1, "ts_ms"), None) if end else None


def ends(stack: Stack, collection: Collection) -> Ends:
    """Where the collection's topic begins and ends now."""
    with _consumer(stack) as consumer:
        places = [
            TopicPartition(collection.topic, one) for one in consumer.partitions_for_topic(collection.topic) or ()
        ]
        first, end = consumer.beginning_offsets(places), consumer.end_offsets(places)
        return {place.partition: (first[place], end[place]) for place in places}


def read_until(stack: Stack, collections: Iterable[Collection]) -> dict[str, Positions]:
    """How far the silver table of each collection has read its topic, by the collection's name."""
    query = " union all ".join(
        f"select '{one.name}', source_partition, max_by(next_position, run)"
        f" from silver.{SILVER[one.name][0]}__watermarks where source = '{one.topic}' group by source_partition"
        for one in collections
    )
    found: dict[str, dict[int, int]] = {one.name: {} for one in collections}
    for name, partition, position in sql.query(stack, query):
        found[name][partition] = position
    return {**found}


def has_arrived(stack: Stack, collection: Collection, read: Positions, end: Ends) -> bool:
    """Whether silver has read to the ends. What is in the quarantine is no change, and silver never reads it."""
    gaps = {
        partition: (max(read.get(partition, 0), first), last)
        for partition, (first, last) in end.items()
        if read.get(partition, 0) < last > first
    }
    if not gaps:
        return True
    ranges = " or ".join(
        f"(kafka_partition = {partition} and kafka_offset >= {low} and kafka_offset < {high})"
        for partition, (low, high) in gaps.items()
    )
    [[put_aside]] = sql.query(
        stack,
        f"select count(distinct row(kafka_partition, kafka_offset)) from bronze.{QUARANTINE_TABLE}"
        f" where kafka_topic = '{collection.topic}' and ({ranges})",
    )
    return bool(put_aside == sum(high - low for low, high in gaps.values()))


def oldest_unread(stack: Stack, collection: Collection, read: Positions, until: datetime) -> datetime | None:
    """The oldest change up to a moment that bronze has at or behind these positions; None when there is none."""
    known = [f"(kafka_partition = {partition} and kafka_offset >= {at})" for partition, at in sorted(read.items())]
    others = f"kafka_partition not in ({', '.join(map(str, sorted(read)))})" if read else "true"
    [[found]] = sql.query(
        stack,
        f"select min(source_ts) from bronze.{collection.bronze_table}"
        f" where ({' or '.join([*known, others])}) and source_ts <= {literal(until)}",
    )
    return found if found is None else found.astimezone(UTC)


def oldest_on_its_way(stack: Stack, collection: Collection, read: Positions, end: Ends) -> datetime | None:
    """The oldest change in Kafka behind these positions, also while bronze stands still."""
    with _consumer(stack) as consumer:
        firsts = [
            next(
                _times(consumer, TopicPartition(collection.topic, partition), max(read.get(partition, 0), first)), None
            )
            for partition, (first, last) in end.items()
            if max(read.get(partition, 0), first) < last
        ]
    return min((one for one in firsts if one is not None), default=None)


def _times(consumer: KafkaConsumer, place: TopicPartition, offset: int, *path: str) -> Iterator[datetime]:
    """The times in the records from an offset on: ``source.ts_ms`` of a change. What has none (a tombstone, what will
    be put aside) is passed over."""
    consumer.assign([place])
    consumer.seek(place, offset)
    for record in consumer.poll(timeout_ms=5_000, max_records=_ENOUGH).get(place, []):
        try:
            value = json.loads(record.value or b"null")
            for name in path or ("source", "ts_ms"):
                value = value[name]
            yield datetime.fromtimestamp(value / 1000, UTC)
        except (ValueError, TypeError, KeyError, OverflowError):
            continue


@contextmanager
def _consumer(stack: Stack) -> Iterator[KafkaConsumer]:
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=stack.address("kafka"), enable_auto_commit=False, bootstrap_timeout_ms=5_000
        )
        try:
            yield consumer
        finally:
            consumer.close()
    except KafkaError as error:
        raise MeshError(
            f"Kafka does not answer on {stack.address('kafka')} ({error}): `./mesh up` starts it, `./mesh status` shows"
            " it."
        ) from error

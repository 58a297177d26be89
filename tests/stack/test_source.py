"""From MongoDB to the topics: records look as the samples do, and nothing acknowledged is lost by a kill.

Uses pack_tasks: its documents end in bronze, so odd ones disturb no model.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId, json_util
from bson.codec_options import DatetimeConversion
from bson.json_util import LEGACY_JSON_OPTIONS
from kafka import KafkaConsumer, TopicPartition
from pymongo import DeleteOne, InsertOne, MongoClient, ReplaceOne, UpdateOne
from pymongo.collection import Collection as MongoCollection

from ingest.collections import COLLECTIONS
from ingest.connector.config import database
from ingest.topics import CDC_PARTITIONS, LARGEST_RECORD
from wms_mesh import lifecycle
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.stack import Stack
from wms_mesh.supervisor import State

SAMPLES = Path(__file__).parent.parent / "fixtures" / "cdc"
COLLECTION = next(one for one in COLLECTIONS if one.name == "pack_tasks")
PARTITIONS = [TopicPartition(COLLECTION.topic, number) for number in range(CDC_PARTITIONS)]
LIMIT = 120.0  # seconds until a change must have arrived; usually 0.2, after a kill a worker start later
UNITS = ("mongodb", "kafka", "connect", "connector")

Documents = MongoCollection[dict[str, Any]]


@dataclass(frozen=True)
class Change:
    """A record of the topic, as text; value is None for a tombstone."""

    key: str
    value: str | None
    headers: tuple[str, ...]

    @property
    def envelope(self) -> dict[str, Any]:
        assert self.value is not None
        envelope: dict[str, Any] = json.loads(self.value)
        return envelope


@pytest.fixture
def documents(running_stack: Stack) -> Iterator[Documents]:
    """The collection of these tests; emptied afterwards."""
    client: MongoClient[dict[str, Any]] = MongoClient(connection_string(running_stack))
    collection = client[database(COLLECTION, running_stack.naming)][COLLECTION.name]
    with client:
        yield collection
        collection.delete_many({"test": "source"})


@contextmanager
def reader(stack: Stack) -> Iterator[KafkaConsumer]:
    consumer = KafkaConsumer(
        bootstrap_servers=stack.address("kafka"),
        enable_auto_commit=False,
        max_partition_fetch_bytes=LARGEST_RECORD,
        fetch_max_bytes=LARGEST_RECORD,
        check_crcs=False,  # in Python: 10 s for a record of 10 MB
    )
    consumer.assign(PARTITIONS)
    try:
        yield consumer
    finally:
        consumer.close()


def read_until(consumer: KafkaConsumer, enough: Callable[[list[Change]], bool]) -> list[Change]:
    """Records from the consumer's place on, until they are enough."""
    changes: list[Change] = []
    deadline = time.monotonic() + LIMIT
    while not enough(changes):
        assert time.monotonic() < deadline, f"only {len(changes)} records came within {LIMIT:.0f} s"
        for records in consumer.poll(timeout_ms=200).values():
            for record in records:
                value = None if record.value is None else record.value.decode()
                changes.append(Change(record.key.decode(), value, tuple(name for name, _ in record.headers)))
    return changes


def sample(name: str) -> list[Change]:
    return [
        Change(one["key_raw"], one["value_raw"], tuple(header for header, _ in one["headers"]))
        for one in json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    ]


def parse(text: str) -> dict[str, Any]:
    """A document from Debezium's text; the simulator's impossible dates stay milliseconds."""
    options = LEGACY_JSON_OPTIONS.with_options(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
    document: dict[str, Any] = json_util.loads(text, json_options=options)
    return document


def shape(value: Any) -> Any:
    """Field names in order, all the way down."""
    return {name: shape(inner) for name, inner in value.items()} if isinstance(value, dict) else None


def apply(documents: Documents, change: Change) -> None:
    """Do to MongoDB what the sample record says was done."""
    envelope = change.envelope
    if envelope["op"] == "c":
        documents.insert_one(parse(envelope["after"]))
    elif envelope["op"] == "d":
        documents.delete_one({"_id": parse(envelope["before"])["_id"]})
    elif envelope["updateDescription"] is None:
        after = parse(envelope["after"])
        documents.replace_one({"_id": after["_id"]}, after)
    else:
        before, after = parse(envelope["before"]), parse(envelope["after"])
        texts = {name: json_util.dumps(value) for name, value in before.items()}
        changed = {name: value for name, value in after.items() if json_util.dumps(value) != texts.get(name)}
        gone = {name: "" for name in before if name not in after}
        documents.update_one({"_id": after["_id"]}, {"$set": changed, **({"$unset": gone} if gone else {})})


def test_record_looks_different_from_the_sample(running_stack: Stack, documents: Documents) -> None:
    expected = [one for name in ("insert_c", "update_u", "replace_u", "delete_d_and_tombstone") for one in sample(name)]
    documents.delete_one({"_id": parse(expected[0].envelope["after"])["_id"]})
    with reader(running_stack) as consumer:
        consumer.seek_to_end()
        for partition in PARTITIONS:
            consumer.position(partition)
        for change in expected:
            if change.value is not None:
                apply(documents, change)
        actual = read_until(consumer, lambda changes: len(changes) >= len(expected))
    assert [one.key for one in actual] == [one.key for one in expected]
    assert [one.headers for one in actual] == [one.headers for one in expected]
    assert [one.value is None for one in actual] == [one.value is None for one in expected]
    for got, wanted in zip(actual, expected, strict=True):
        if wanted.value is None:
            continue
        assert list(got.envelope) == list(wanted.envelope)
        assert shape(got.envelope["source"]) == shape(wanted.envelope["source"])
        # The images' text, to the byte: dates before 1970, decimals with their zeros, NaN, small longs, binary.
        for field in ("op", "before", "after"):
            assert got.envelope[field] == wanted.envelope[field]
        assert shape(got.envelope["updateDescription"]) == shape(wanted.envelope["updateDescription"])


def test_large_document_stops_the_connector(running_stack: Stack, documents: Documents) -> None:
    identity = ObjectId()
    with reader(running_stack) as consumer:
        consumer.seek_to_end()
        for partition in PARTITIONS:
            consumer.position(partition)
        documents.insert_one({"_id": identity, "test": "source", "padding": "x" * 5_000_000})
        documents.update_one({"_id": identity}, {"$set": {"small": 1}})
        _insert, update = read_until(consumer, lambda changes: len(changes) >= 2)
    assert len(update.envelope["before"]) > 5_000_000
    assert parse(update.envelope["after"])["small"] == 1


def test_kill_loses_acknowledged_changes(running_stack: Stack, documents: Documents) -> None:
    """kill -9 of Connect, MongoDB and Kafka under load; then every document's last record tells its state."""
    stop = threading.Event()
    errors: list[BaseException] = []
    acknowledged = 0

    def write() -> None:
        nonlocal acknowledged
        dice = random.Random(7)
        living: list[ObjectId] = []
        try:
            while not stop.is_set():
                operations: list[InsertOne[Any] | UpdateOne | ReplaceOne[Any] | DeleteOne] = []
                for _ in range(20):
                    identity = ObjectId()
                    operations.append(InsertOne({"_id": identity, "test": "source", "version": 0}))
                    living.append(identity)
                changed = dice.sample(living, min(len(living), 30))
                operations.extend(UpdateOne({"_id": identity}, {"$inc": {"version": 1}}) for identity in changed)
                replaced = dice.choice(living)
                operations.append(ReplaceOne({"_id": replaced}, {"test": "source", "replaced": acknowledged}))
                operations.append(DeleteOne({"_id": living.pop(dice.randrange(len(living)))}))
                documents.bulk_write(operations, ordered=True)
                acknowledged += len(operations)
                stop.wait(0.05)
        except BaseException as error:  # reported by the test's own thread
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    for victim in ("connect", "mongodb", "connect", "kafka"):
        time.sleep(2)  # the load that each death interrupts
        kill(running_stack, victim)
    stop.set()
    writer.join()
    assert not errors
    assert acknowledged > 1_000
    expected = {
        json_util.dumps(one["_id"], json_options=LEGACY_JSON_OPTIONS): one for one in documents.find({"test": "source"})
    }
    with reader(running_stack) as consumer:
        consumer.seek_to_beginning()
        last: dict[str, dict[str, Any] | None] = {}

        def settled(changes: list[Change]) -> bool:
            for change in changes:
                identity = json.loads(change.key)["id"]
                last[identity] = None if change.value is None else parse_after(change)
            changes.clear()
            return {key: value for key, value in last.items() if value and value.get("test") == "source"} == expected

        read_until(consumer, settled)


def parse_after(change: Change) -> dict[str, Any] | None:
    after = change.envelope["after"]
    return None if after is None else parse(after)


def kill(stack: Stack, name: str) -> None:
    """kill -9 an engine, and wait until the source is whole again."""
    units = {unit.name: unit for unit in lifecycle.status(stack).units}
    pid = units[name].pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + LIMIT
    while True:
        units = {unit.name: unit for unit in lifecycle.status(stack).units}
        if units[name].pid not in (pid, None) and all(units[one].state == State.READY for one in UNITS):
            return
        assert time.monotonic() < deadline, f"not ready after the death of {name}: {units}"
        time.sleep(0.2)

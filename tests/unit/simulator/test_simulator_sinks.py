"""Nothing acknowledged is lost, whatever the other side does."""

from __future__ import annotations

import json
import time
from datetime import UTC
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import ObjectId, json_util
from pymongo import DeleteOne, ReplaceOne, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError

from ingest.collections import COLLECTIONS
from ingest.simulator import Change, DocumentWrite, Operation
from ingest.simulator import sinks as module
from ingest.simulator.pace import paced
from ingest.simulator.sinks import JsonLinesSink, MongoSink
from tests.unit.simulator.store import Store
from wms_mesh.errors import MeshError
from wms_mesh.stack import Naming

OPTIONS = json_util.CANONICAL_JSON_OPTIONS.with_options(tz_aware=True, tzinfo=UTC)
# Nothing listens there: the client connects on first use only.
NOWHERE = "mongodb://127.0.0.1:1/?replicaSet=rs0"


class Server:
    """A collection that dies in the middle of every third batch, some of which it has done by then."""

    def __init__(self) -> None:
        self.stored: dict[ObjectId, dict[str, Any]] = {}
        self.calls = 0
        self.failures = 0
        self.error: Exception = AutoReconnect("connection closed")

    def bulk_write(self, batch: list[Any], ordered: bool) -> None:
        assert ordered
        self.calls += 1
        done = len(batch)
        if self.calls % 3 == 0:
            done = len(batch) // 2
        for write in batch[:done]:
            self._do(write)
        if done < len(batch):
            self.failures += 1
            raise self.error

    def _do(self, write: Any) -> None:
        key = write._filter["_id"]
        document: Any = getattr(write, "_doc", None)
        if isinstance(write, UpdateOne):
            self.stored[key] = {**self.stored.get(key, {}), **document["$set"]}
        elif isinstance(write, ReplaceOne):
            self.stored[key] = document
        else:
            self.stored.pop(key, None)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


def sink_into(servers: dict[str, Server], patience: float = 60.0) -> MongoSink:
    sink = MongoSink(NOWHERE, Naming.CAMEL_CASE, patience)
    sink._collections = servers  # type: ignore[assignment]
    return sink


def test_killed_mongodb_loses_a_change(busy: list[Change]) -> None:
    servers = {collection.name: Server() for collection in COLLECTIONS}
    sink, store = sink_into(servers), Store()
    for change in busy:
        sink.write(change)
        if isinstance(change, DocumentWrite):
            store.apply(change)
    sink.close()
    assert sum(server.failures for server in servers.values()) > 10
    for name, server in servers.items():
        assert server.stored == store.documents.get(name, {}), name


def test_mongodb_that_stays_away_is_ignored(busy: list[Change]) -> None:
    class Gone(Server):
        def bulk_write(self, batch: list[Any], ordered: bool) -> None:
            raise AutoReconnect("no server")

    sink = sink_into({collection.name: Gone() for collection in COLLECTIONS}, patience=0.0)
    with pytest.raises(MeshError, match="mesh logs mongodb"):
        for change in busy[:2000]:
            sink.write(change)


def test_refused_document_is_tried_forever(busy: list[Change]) -> None:
    server = Server()
    server.calls = 2
    server.error = BulkWriteError({"writeErrors": [{"index": 0, "code": 121, "errmsg": "Document failed validation"}]})
    sink = sink_into({collection.name: server for collection in COLLECTIONS})
    with pytest.raises(MeshError, match="did not take"):
        for change in busy[:2000]:
            sink.write(change)
    assert server.calls == 3


@pytest.mark.parametrize(
    ("naming", "databases"),
    [
        (Naming.SNAKE_CASE, {"wms"}),
        (Naming.CAMEL_CASE, {collection.service_database for collection in COLLECTIONS}),
    ],
)
def test_collection_lands_in_another_database(naming: Naming, databases: set[str]) -> None:
    sink = MongoSink(NOWHERE, naming)
    assert {collection.database.name for collection in sink._collections.values()} == databases
    assert {name: collection.name for name, collection in sink._collections.items()} == {
        collection.name: collection.name for collection in COLLECTIONS
    }
    sink.close()


def test_set_becomes_a_replace() -> None:
    key = ObjectId()
    kinds: dict[Operation, type] = {
        Operation.SET: UpdateOne,
        Operation.INSERT: ReplaceOne,
        Operation.REPLACE: ReplaceOne,
        Operation.DELETE: DeleteOne,
    }
    for operation, kind in kinds.items():
        assert isinstance(module._mongo_write(DocumentWrite(0, "orders", operation, key, {"a": 1})), kind)


def test_dry_run_leaves_something_out(busy: list[Change], tmp_path: Path) -> None:
    sink = JsonLinesSink(tmp_path / "day.jsonl")
    for change in busy[:5000]:
        sink.write(change)
    sink.close()
    lines = (tmp_path / "day.jsonl").read_text(encoding="utf-8").splitlines()
    for line, change in zip(lines, busy[:5000], strict=True):
        read = json.loads(line)
        assert read["at"] == change.at
        if isinstance(change, DocumentWrite):
            document = json_util.loads(json.dumps(read["document"]), json_options=OPTIONS)
            assert bson.encode(document) == bson.encode(change.document), "a type got lost"


def test_output_that_cannot_be_written_is_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(MeshError, match="--output"):
        JsonLinesSink(tmp_path / "missing" / "day.jsonl")


class Clock:
    """A `time` of its own, that passes only while its user sleeps: other threads sleep on the real one."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("pace", "seconds"), [({"speed": 60.0}, 60.0), ({"changes_per_second": 50.0}, 20.0), ({}, 0.0)]
)
def test_pace_is_missed(pace: dict[str, float], seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("ingest.simulator.pace.time", clock)
    hour = [DocumentWrite(n * 3600, "orders", Operation.SET, ObjectId(), {}) for n in range(1001)]
    flushed: list[float] = []
    assert list(paced(hour, 0, before_wait=lambda: flushed.append(clock.now), **pace)) == hour
    assert clock.now - 100.0 == pytest.approx(seconds, abs=0.05)
    assert bool(flushed) == bool(seconds), "what is written must be visible while the simulator waits"

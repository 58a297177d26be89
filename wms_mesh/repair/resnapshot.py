"""Read a collection's documents again while changes go on: Debezium's incremental snapshot."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from bson import json_util
from pymongo import MongoClient
from pymongo.collection import Collection as MongoCollection
from pymongo.errors import PyMongoError

from ingest.collections import COLLECTIONS, Collection
from ingest.connector.config import SIGNAL_COLLECTION, SIGNAL_DATABASE, database
from ingest.connector.rest import Connect
from wms_mesh import turns
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.errors import MeshError
from wms_mesh.repair.watch import Notification, watch
from wms_mesh.stack import Stack

_KIND = "Incremental Snapshot"
# Offsets are flushed each 5 s, and for as long tell of a snapshot that has ended; a connector restarts in 5 s.
_PATIENCE = 15.0


@dataclass(frozen=True)
class Request:
    """What to read. filter: MongoDB's, as extended JSON, or None. matching: documents that it finds now."""

    collection: Collection
    namespace: str
    filter: str | None
    matching: int


@dataclass(frozen=True)
class Outcome:
    """documents: how many the connector read. records: snapshot records; who changed meanwhile came as a change."""

    documents: int
    records: int


def plan(stack: Stack, name: str, filter_: str | None) -> Request:
    """Look at what a re-snapshot would read.

    Raises MeshError for a collection that is not captured, and for a filter that MongoDB does not take.
    """
    collection = next((one for one in COLLECTIONS if one.name == name), None)
    if collection is None:
        raise MeshError(f"'{name}' is not captured: choose one of {', '.join(one.name for one in COLLECTIONS)}.")
    condition = _condition(filter_)
    where = database(collection, stack.naming)
    try:
        with MongoClient[dict[str, Any]](connection_string(stack), serverSelectionTimeoutMS=5_000) as client:
            matching = client[where][name].count_documents(condition)
    except PyMongoError as error:
        raise MeshError(f"MongoDB does not count the documents: {str(error).partition(', full error')[0]}") from error
    return Request(collection, f"{where}.{name}", filter_, matching)


def run(stack: Stack, request: Request, progress: Callable[[str], None]) -> Outcome:
    """Order the snapshot and wait until it has ended.

    progress: told how far it is. Raises MeshError when one of this collection runs already, and when it fails.
    """
    rest = Connect(stack.url("connect"))
    lock = stack.run() / "locks" / f"resnapshot-{request.collection.name}.lock"
    with turns.only_one(lock, f"A re-snapshot of {request.collection.name}", "wait until it has ended"):
        _require_ready(rest, request)
        with watch(stack, [request.collection.topic]) as connector:
            _send(stack, request)
            ended = connector.until(lambda said: _ends(said, request.namespace), progress)
            _clean(stack)
        if ended.facts["status"] not in ("SUCCEEDED", "EMPTY"):
            raise MeshError(
                f"The connector gave up the snapshot of {request.namespace}, and streams on: `./mesh logs connect`."
            )
        return Outcome(int(ended.facts["total_rows_scanned"]), connector.records)


def _condition(filter_: str | None) -> dict[str, Any]:
    if filter_ is None:
        return {}
    try:
        condition = json_util.loads(filter_)
    except (ValueError, TypeError) as error:
        raise MeshError(f'--filter is no JSON ({error}): write it as \'{{"status": "picking"}}\'.') from error
    if not isinstance(condition, dict):
        raise MeshError('--filter is not an object: write it as \'{"status": "picking"}\'.')
    return condition


def _require_ready(rest: Connect, request: Request) -> None:
    deadline = time.monotonic() + _PATIENCE
    while (trouble := _trouble(rest, request)) and time.monotonic() < deadline:
        time.sleep(0.5)
    if trouble:
        raise MeshError(trouble)


def _trouble(rest: Connect, request: Request) -> str:
    """Why a snapshot cannot be ordered now; empty when it can."""
    try:
        status = rest.status()
        busy = rest.resnapshotting()
    except requests.RequestException as error:
        return f"Connect does not answer ({type(error).__name__}): `./mesh up` starts it, `./mesh status` shows it."
    if not status.running:
        return f"The connector is {status.connector}, its task {status.task}: `./mesh status` says what to do."
    if request.namespace in busy:
        return f"A snapshot of {request.namespace} still runs in the connector: wait until it has ended."
    return ""


def _send(stack: Stack, request: Request) -> None:
    data: dict[str, Any] = {"type": "incremental", "data-collections": [request.namespace]}
    if request.filter is not None:
        data["additional-conditions"] = [{"data-collection": request.namespace, "filter": request.filter}]
    with _signals(stack) as signals:
        signals.insert_one({"_id": str(uuid.uuid4()), "type": "execute-snapshot", "data": data})


def _clean(stack: Stack) -> None:
    """Remove signals and watermarks, two for each 1,024 documents: the connector reads them from the oplog."""
    with _signals(stack) as signals:
        signals.delete_many({})


@contextmanager
def _signals(stack: Stack) -> Iterator[MongoCollection[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](connection_string(stack)) as client:
        yield client[SIGNAL_DATABASE][SIGNAL_COLLECTION]


def _ends(said: Notification, namespace: str) -> bool:
    return (
        said.kind == _KIND
        and said.event == "TABLE_SCAN_COMPLETED"
        and said.facts.get("scanned_collection") == namespace
    )

"""Where changes go: MongoDB, Kafka, a file."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any, Protocol

from bson import json_util
from bson.codec_options import CodecOptions
from kafka import KafkaProducer
from kafka.errors import KafkaError
from pymongo import DeleteOne, MongoClient, ReplaceOne, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError, PyMongoError

from ingest.collections import COLLECTIONS
from ingest.simulator.changes import Change, Document, DocumentWrite, Operation
from wms_mesh.errors import MeshError
from wms_mesh.stack import Naming

Write = UpdateOne | ReplaceOne[Document] | DeleteOne
BATCH = 500
BATCH_SECONDS = 0.5
PATIENCE_SECONDS = 120.0  # a killed MongoDB or stand-in is back within this time: the supervisor restarts it
# "the node is not primary", "interrupted at shutdown" and the like: MongoDB's own list of errors worth a retry
_TRANSIENT_CODES = frozenset((6, 7, 63, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436))


class Sink(Protocol):
    """Takes changes in order; ``flush`` returns when everything taken so far is safe."""

    def write(self, change: Change) -> None:
        """Take one change."""

    def flush(self) -> None:
        """Return when all changes are acknowledged; raise MeshError when they cannot be."""

    def close(self) -> None:
        """Flush and let go."""


class MongoSink:
    """Writes documents in ordered batches per collection, so the order per document is kept.

    A batch is sent again as a whole when the connection fails: every operation sets a state, so doing it twice ends
    where doing it once ends. A batch counts as written when a majority has it.
    """

    def __init__(self, uri: str, naming: Naming, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._client: MongoClient[Document] = MongoClient(
            uri, retryWrites=False, w="majority", serverSelectionTimeoutMS=5000, tz_aware=True, appname="wms-simulator"
        )
        self._collections = {
            one.name: self._client["wms" if naming is Naming.SNAKE_CASE else one.service_database].get_collection(
                one.name, codec_options=_CODEC
            )
            for one in COLLECTIONS
        }
        self._patience = patience_seconds
        self._batches: dict[str, list[Write]] = {}
        self._held = 0
        self._since = time.monotonic()

    def write(self, change: Change) -> None:
        """Take a document write; events are not for MongoDB."""
        if not isinstance(change, DocumentWrite):
            return
        self._batches.setdefault(change.collection, []).append(_mongo_write(change))
        self._held += 1
        if self._held >= BATCH or time.monotonic() - self._since > BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what is held; raise MeshError when MongoDB stays away or refuses."""
        for collection, batch in self._batches.items():
            self._send(collection, batch)
        self._batches = {}
        self._held = 0
        self._since = time.monotonic()

    def _send(self, collection: str, batch: list[Write]) -> None:
        give_up = time.monotonic() + self._patience
        pause = 0.1
        while True:
            try:
                self._collections[collection].bulk_write(batch, ordered=True)
                return
            except (AutoReconnect, BulkWriteError) as error:
                if not _is_transient(error) or time.monotonic() > give_up:
                    raise MeshError(
                        f"MongoDB did not take {len(batch)} writes to '{collection}' ({_first_line(error)}): "
                        "look at './mesh status' and './mesh logs mongodb'."
                    ) from error
            except PyMongoError as error:
                raise MeshError(
                    f"MongoDB refused writes to '{collection}' ({_first_line(error)}): check its address and rights."
                ) from error
            time.sleep(pause)  # back off: the server says nothing when it comes back
            pause = min(2 * pause, 2.0)

    def close(self) -> None:
        """Flush and disconnect."""
        try:
            self.flush()
        finally:
            self._client.close()


_CODEC: CodecOptions[Document] = CodecOptions(tz_aware=True)


def _mongo_write(change: DocumentWrite) -> Write:
    key = {"_id": change.id}
    match change.operation:
        case Operation.SET:
            return UpdateOne(key, {"$set": change.document}, upsert=True)
        case Operation.DELETE:
            return DeleteOne(key)
        case Operation.INSERT | Operation.REPLACE:
            # An insert is a replace with upsert, so that sending it again is no duplicate key.
            return ReplaceOne(key, change.document, upsert=True)


def _is_transient(error: PyMongoError) -> bool:
    if isinstance(error, BulkWriteError):
        codes = {item.get("code") for item in error.details.get("writeErrors", [])}
        return codes <= _TRANSIENT_CODES  # no write error at all: only the write concern failed
    return isinstance(error, AutoReconnect)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


class KafkaSink:
    """Sends events to the partition that the world chose, acknowledged by all replicas."""

    def __init__(self, bootstrap: str) -> None:
        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap,
                acks="all",
                retries=10,
                linger_ms=20,
                # One request at a time keeps the order per partition through a retry.
                max_in_flight_requests_per_connection=1,
                max_request_size=8_000_000,
                delivery_timeout_ms=int(PATIENCE_SECONDS * 1000),
            )
        except KafkaError as error:
            raise MeshError(
                f"Kafka does not answer at {bootstrap} ({error}): start it with './mesh up kafka'."
            ) from error
        self._pending: list[Any] = []

    def write(self, change: Change) -> None:
        """Take an event; documents are not for Kafka."""
        if isinstance(change, DocumentWrite):
            return
        self._pending.append(
            self._producer.send(
                change.topic,
                value=change.value,
                key=change.key,
                headers=list(change.headers),
                partition=change.partition,
                timestamp_ms=change.at,
            )
        )
        if len(self._pending) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Wait for the acknowledgements; raise MeshError when one does not come."""
        try:
            self._producer.flush()
            for future in self._pending:
                future.get(timeout=PATIENCE_SECONDS)
        except KafkaError as error:
            raise MeshError(
                f"Kafka did not take an event ({error}): look at './mesh status' and './mesh logs kafka'."
            ) from error
        self._pending = []

    def close(self) -> None:
        """Flush and disconnect."""
        try:
            self.flush()
        finally:
            self._producer.close()


class JsonLinesSink:
    """One JSON line per change: documents in canonical extended JSON, records with base64 bytes."""

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("w", encoding="utf-8")
        except OSError as error:
            raise MeshError(f"Cannot write {path} ({error.strerror}): choose another --output.") from error

    def write(self, change: Change) -> None:
        """Take any change."""
        self._file.write(json_line(change) + "\n")

    def flush(self) -> None:
        """Hand the lines to the system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def json_line(change: Change) -> str:
    """The canonical text of a change: equal changes give equal text."""
    if isinstance(change, DocumentWrite):
        head = {
            "at": change.at,
            "collection": change.collection,
            "operation": change.operation.value,
            "defect": change.defect,
            "id": str(change.id),
        }
        document = json_util.dumps(change.document, json_options=json_util.CANONICAL_JSON_OPTIONS)
        return f'{json.dumps(head)[:-1]}, "document": {document}}}'
    return json.dumps(
        {
            "at": change.at,
            "topic": change.topic,
            "partition": change.partition,
            "defect": change.defect,
            "key": _text(change.key),
            "value": _text(change.value),
            "headers": [[name, _text(value)] for name, value in change.headers],
        }
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")

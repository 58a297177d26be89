"""Documents that bronze has as alive and MongoDB does not have: deleted while nobody listened.

No delete of theirs will ever come. What is written in its place is a delete record like Debezium's, without an image
(silver keeps the last one), and with ``source.snapshot`` 'vanished': bronze shows it in its column of that name, so
nobody takes the moment at which the absence was found for the moment of the delete.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson import json_util
from kafka import KafkaProducer
from pymongo import MongoClient

from ingest.collections import Collection
from ingest.connector.config import database
from ingest.topics import TOPIC_PREFIX
from wms_mesh import sql
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

MARK = "vanished"
_BATCH = 1_000  # ids of one question to MongoDB

# More than are alive by the order of macros/cdc/order.sql, never fewer: a delete of a deleted document changes nothing.
_ALIVE = """
select document_id
from (
    select document_id, max_by(op, row(source_ts, source_ord, kafka_offset)) as last_op
    from bronze.{table}
    where op in ('r', 'c', 'u', 'd') and document_id is not null
    group by document_id
)
where last_op <> 'd'
"""


@dataclass(frozen=True)
class Vanished:
    """Ids (JSON text, as in the key of a record) that MongoDB did not have. alive: how many bronze has as alive.

    looked_at: MongoDB's clock before it was asked: a document that is inserted again afterwards is newer.
    """

    collection: Collection
    ids: list[str]
    alive: int
    looked_at: datetime


def find(stack: Stack, collection: Collection) -> Vanished:
    """Compare what bronze has as alive with MongoDB; bronze must hold all that Kafka held before."""
    alive = [row[0] for row in sql.query(stack, _ALIVE.format(table=collection.bronze_table))]
    with MongoClient[dict[str, Any]](connection_string(stack)) as client:
        looked_at: datetime = client.admin.command("hello")["localTime"].replace(tzinfo=UTC)
        documents = client[database(collection, stack.naming)][collection.name]
        gone = []
        for batch in _batches(alive):
            ids = {text: json_util.loads(text) for text in batch}
            found = documents.find({"_id": {"$in": list(ids.values())}}, {"_id": 1})
            living = {json_util.dumps(one["_id"]) for one in found}
            gone += [text for text, value in ids.items() if json_util.dumps(value) not in living]
    return Vanished(collection, gone, len(alive), looked_at)


def mark(stack: Stack, found: Sequence[Vanished]) -> int:
    """Write a delete and a tombstone for each document; returns how many documents.

    Raises MeshError when Kafka does not take them.
    """
    producer = KafkaProducer(
        bootstrap_servers=stack.address("kafka"),
        acks="all",
        key_serializer=key,
    )
    try:
        sent = []
        for one in found:
            for document_id in one.ids:
                value = json.dumps(envelope(one, stack), separators=(",", ":")).encode()
                sent.append(producer.send(one.collection.topic, key=document_id, value=value))
                sent.append(producer.send(one.collection.topic, key=document_id, value=None))
        producer.flush(timeout=60)
        if failed := [result for result in sent if not result.succeeded()]:
            raise MeshError(
                f"Kafka did not take {len(failed):,} of {len(sent):,} records: run `./mesh recapture` again."
            )
    finally:
        producer.close(timeout=10)
    return len(sent) // 2


def key(document_id: str) -> bytes:
    """A record's key, to the byte as Connect writes it: the partition follows from it."""
    return json.dumps({"id": document_id}, separators=(",", ":"), ensure_ascii=False).encode()


def envelope(found: Vanished, stack: Stack) -> dict[str, Any]:
    """The value of the delete record, with the fields of Debezium's."""
    moment = found.looked_at
    milliseconds = round(moment.timestamp() * 1000)
    source = {
        "version": "mesh",
        "connector": "mongodb",
        "name": TOPIC_PREFIX,
        "ts_ms": milliseconds,
        "snapshot": MARK,
        "db": database(found.collection, stack.naming),
        "sequence": None,
        "ts_us": milliseconds * 1_000,
        "ts_ns": milliseconds * 1_000_000,
        "collection": found.collection.name,
        "ord": 0,
        "lsid": None,
        "txnNumber": None,
        "wallTime": None,
    }
    return {
        "before": None,
        "after": None,
        "updateDescription": None,
        "source": source,
        "op": "d",
        "ts_ms": round(time.time() * 1000),
        "transaction": None,
    }


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]

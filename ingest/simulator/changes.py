"""What the simulator puts out: one record per write to MongoDB and per message to Kafka."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bson import ObjectId

Document = dict[str, Any]


class Operation(StrEnum):
    """How a service writes a document."""

    INSERT = "insert"  # a document that stands there before the simulated time begins, or one restored after a delete
    SET = "set"  # UpdateOne(..., {$set: <whole document>}, upsert): fields left out keep their stored value
    REPLACE = "replace"  # ReplaceOne: fields left out are gone
    DELETE = "delete"  # DeleteOne


@dataclass(frozen=True, slots=True)
class DocumentWrite:
    """One write to one collection.

    at: virtual time, epoch milliseconds. document: without ``_id``, in the chosen naming; empty for a delete.
    defect: the kind of damage done to the document on purpose, or "".
    """

    at: int
    collection: str
    operation: Operation
    id: ObjectId
    document: Document
    defect: str = ""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One message on a ``wms.*.events`` topic.

    at: virtual time and message timestamp, epoch milliseconds. key and value are None where the record lacks them.
    defect: the kind of damage done to the record on purpose, or "".
    """

    at: int
    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    type: str
    defect: str = ""


Change = DocumentWrite | EventRecord

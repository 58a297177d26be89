"""Silver against MongoDB, document by document and field by field.

An independent reading of the source contract: it decodes BSON with pymongo, knows nothing of the macros,
and so finds what they get wrong.
"""

from __future__ import annotations

from collections.abc import Collection as Keys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bson
from bson import CodecOptions, json_util
from bson.codec_options import DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from ingest.collections import COLLECTIONS, Collection
from ingest.connector.config import database
from wms_mesh import sql
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.reconcile.columns import SILVER
from wms_mesh.reconcile.readers import at
from wms_mesh.stack import Stack

__all__ = ["SILVER", "Difference", "Reconciliation", "compare", "differing", "documents", "rows"]

KEYS_AT_ONCE = 2_000  # of one query: 80 kB of text for Trino
OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)


@dataclass(frozen=True)
class Difference:
    """One document that silver shows otherwise; ``column`` is '-' when the whole row is missing or too many."""

    collection: str
    key: str
    column: str
    in_mongodb: Any
    in_silver: Any


@dataclass(frozen=True)
class Reconciliation:
    """What one collection's comparison found. documents, rows: how many there are on either side."""

    collection: str
    documents: int
    rows: int
    differences: list[Difference]


def compare(stack: Stack) -> list[Reconciliation]:
    """Compare every collection that has a silver table."""
    return [_compare(stack, collection) for collection in COLLECTIONS if collection.name in SILVER]


def _compare(stack: Stack, collection: Collection) -> Reconciliation:
    expected, found = documents(stack, collection), rows(stack, collection)
    differences = [
        difference
        for key in sorted(expected.keys() | found.keys())
        for difference in differing(collection, key, expected.get(key), found.get(key))
    ]
    return Reconciliation(collection.name, len(expected), len(found), differences)


def documents(
    stack: Stack, collection: Collection, keys: Keys[str] | None = None, where: Mapping[str, Any] | None = None
) -> dict[str, bytes]:
    """The BSON of every document, or of those with these keys, or that a filter finds, by silver's document_id."""
    raw: CodecOptions[RawBSONDocument] = OPTIONS.with_options(document_class=RawBSONDocument)
    found = {}
    with MongoClient[RawBSONDocument](connection_string(stack)) as client:
        source = client[database(collection, stack.naming)].get_collection(collection.name, codec_options=raw)
        for part in _parts(keys):
            wanted = where or {} if part is None else {"_id": {"$in": [json_util.loads(key) for key in part]}}
            found.update({_key(document["_id"]): bytes(document.raw) for document in source.find(wanted)})
    return found


def _key(document_id: Any) -> str:
    """An _id as Debezium's keys spell it."""
    return json_util.dumps(document_id, json_options=json_util.LEGACY_JSON_OPTIONS)


def rows(stack: Stack, collection: Collection, keys: Keys[str] | None = None) -> dict[str, list[Any]]:
    """The values of silver's columns of every current row, or of those with these keys, by document_id."""
    table, columns = SILVER[collection.name]
    names = ", ".join(column.name for column in columns)
    found = {}
    for part in _parts(keys):
        wanted = "" if part is None else " and document_id in ({})".format(", ".join(f"'{key}'" for key in part))
        query = f"select document_id, {names} from silver.{table} where not is_deleted{wanted}"
        found.update({key: [plain(value) for value in values] for key, *values in sql.query(stack, query)})
    return found


def _parts(keys: Keys[str] | None) -> Iterator[Sequence[str] | None]:
    if keys is None:
        yield None
        return
    ordered = sorted(keys)
    for start in range(0, len(ordered), KEYS_AT_ONCE):
        yield ordered[start : start + KEYS_AT_ONCE]


def differing(
    collection: Collection, key: str, document: bytes | None, row: Sequence[Any] | None
) -> Iterator[Difference]:
    """Where a document and its row disagree; either may be absent."""
    if document is None or row is None:
        if document is not None:
            yield Difference(collection.name, key, "-", "a document", "no row")
        elif row is not None:
            yield Difference(collection.name, key, "-", "no document", "a row")
        return
    _, columns = SILVER[collection.name]
    readable = snake_case(bson.decode(document, OPTIONS))
    for column, got in zip(columns, row, strict=True):
        wanted = column.read(at(readable, column.path))
        if wanted != got:
            yield Difference(collection.name, key, column.name, wanted, got)


def plain(value: Any) -> Any:
    """A Trino value as Python's own types: rows as tuples, arrays as lists, timestamps in UTC."""
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def snake_case(value: Any) -> Any:
    """A document with every field name in snake_case, whatever it was."""
    if isinstance(value, dict):
        return {_snake(name): snake_case(item) for name, item in value.items()}
    return [snake_case(item) for item in value] if isinstance(value, list) else value


def _snake(name: str) -> str:
    return "".join(
        f"_{letter.lower()}" if letter.isupper() and place else letter.lower() for place, letter in enumerate(name)
    )

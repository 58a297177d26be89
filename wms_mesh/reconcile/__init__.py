"""Silver against MongoDB, document by document and field by field.

An independent reading of the source contract: it decodes BSON with pymongo, knows nothing of the macros,
and so finds what they get wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson import CodecOptions
from bson.codec_options import DatetimeConversion
from pymongo import MongoClient

from ingest.collections import COLLECTIONS, Collection
from ingest.connector.config import database
from wms_mesh import sql
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.reconcile.columns import SILVER
from wms_mesh.reconcile.readers import Column, at
from wms_mesh.stack import Stack

__all__ = ["SILVER", "Difference", "Reconciliation", "compare"]


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
    return [
        _compare(stack, collection, *SILVER[collection.name]) for collection in COLLECTIONS if collection.name in SILVER
    ]


def _compare(stack: Stack, collection: Collection, table: str, columns: Sequence[Column]) -> Reconciliation:
    options: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
    with MongoClient[dict[str, Any]](connection_string(stack)) as client:
        source = client[database(collection, stack.naming)].get_collection(collection.name, codec_options=options)
        expected = {
            f'{{"$oid": "{document["_id"]}"}}': [column.read(at(document, column.path)) for column in columns]
            for document in (snake_case(raw) for raw in source.find())
        }
    names = ", ".join(column.name for column in columns)
    found = {
        key: [plain(value) for value in values]
        for key, *values in sql.query(stack, f"select document_id, {names} from silver.{table} where not is_deleted")
    }
    differences = [
        Difference(collection.name, key, "-", "a document", "no row") for key in expected.keys() - found.keys()
    ]
    differences += [
        Difference(collection.name, key, "-", "no document", "a row") for key in found.keys() - expected.keys()
    ]
    for key in sorted(expected.keys() & found.keys()):
        differences += [
            Difference(collection.name, key, column.name, wanted, got)
            for column, wanted, got in zip(columns, expected[key], found[key], strict=True)
            if wanted != got
        ]
    return Reconciliation(collection.name, len(expected), len(found), differences)


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

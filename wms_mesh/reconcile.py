"""Silver against MongoDB, document by document and field by field.

An independent reading of the source contract: it decodes BSON with pymongo, knows nothing of the macros,
and so finds what they get wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import CodecOptions, Decimal128, Int64
from bson.codec_options import DatetimeConversion
from bson.datetime_ms import DatetimeMS
from pymongo import MongoClient

from ingest.collections import COLLECTIONS, Collection
from ingest.connector.config import database
from wms_mesh import sql
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.stack import Stack

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # Go's zero time, year 1, means "not set"

Document = Mapping[str, Any]
Reader = Callable[[Any], Any]


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


@dataclass(frozen=True)
class Column:
    """A silver column and where its value stands in the document (path in snake_case, dots between names)."""

    name: str
    path: str
    read: Reader


def text(value: Any) -> str | None:
    """A string; a number or a boolean as its text."""
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None or isinstance(value, dict | list) else str(value)


def whole(value: Any) -> int | None:
    """An integer, also out of a double without fraction or out of a string of digits."""
    number_ = number(value)
    return int(number_) if number_ is not None and number_ == int(number_) else None


def number(value: Any) -> float | None:
    """A double; NaN and the infinities are no measure and become None."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        result = float(str(value)) if isinstance(value, str | Decimal128 | int | float | Int64) else None
    except ValueError:
        return None
    return result if result is not None and abs(result) != float("inf") and result == result else None


def moment(value: Any) -> datetime | None:
    """A UTC timestamp in milliseconds; Go's zero time is None."""
    if isinstance(value, DatetimeMS):
        milliseconds = int(value)
        if not -62135596800000 < milliseconds < 253402300800000:
            return None
        value = EPOCH + timedelta(milliseconds=milliseconds)
    return value if isinstance(value, datetime) and value > EARLIEST else None


def rows(*columns: Column) -> Reader:
    """An array of objects as a list of tuples; null as None."""

    def read(value: Any) -> list[tuple[Any, ...]] | None:
        if not isinstance(value, list):
            return None
        return [tuple(column.read(at(item, column.path)) for column in columns) for item in value]

    return read


def row(*columns: Column) -> Reader:
    """An object as a tuple."""

    def read(value: Any) -> tuple[Any, ...] | None:
        return tuple(column.read(at(value, column.path)) for column in columns) if isinstance(value, dict) else None

    return read


def same(name: str, read: Reader) -> Column:
    """A column that is called as its field."""
    return Column(name, name, read)


def at(document: Any, path: str) -> Any:
    """The value at a path, None when any part of it is absent."""
    for part in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(part)
    return document


TENANCY = tuple(same(name, text) for name in ("tenant_id", "facility_id", "warehouse_id", "seller_id"))

# Silver's table of each collection that has one, and the columns that hold its documents.
SILVER: dict[str, tuple[str, tuple[Column, ...]]] = {
    "orders": (
        "orders_current",
        (
            same("order_id", text),
            same("customer_id", text),
            same("status", text),
            same("priority", text),
            same(
                "items",
                rows(same("sku", text), same("quantity", whole), same("weight", number), same("unit_price", number)),
            ),
            same(
                "shipping_address",
                row(*(same(name, text) for name in ("street", "city", "state", "zip_code", "country"))),
            ),
            same("wave_id", text),
            same("tracking_number", text),
            same("promised_delivery_at", moment),
            same("created_at", moment),
            same("updated_at", moment),
            same("channel_id", text),
            *TENANCY,
        ),
    ),
    "inventory": (
        "inventory_current",
        (
            same("sku", text),
            same("product_name", text),
            same("total_quantity", whole),
            same("reserved_quantity", whole),
            same("available_quantity", whole),
            same("hard_allocated_quantity", whole),
            same(
                "locations",
                rows(
                    same("location_id", text),
                    same("zone", text),
                    same("aisle", text),
                    same("rack", whole),
                    same("level", whole),
                    same("quantity", whole),
                ),
            ),
            same("reorder_point", whole),
            same("velocity_class", text),
            same("updated_at", moment),
        ),
    ),
    "shipments": (
        "shipments_current",
        (
            same("shipment_id", text),
            same("order_id", text),
            same("package_id", text),
            same("wave_id", text),
            same("status", text),
            Column("carrier_code", "carrier.code", text),
            same("service_type", text),
            Column("tracking_number", "label.tracking_number", text),
            Column("label_url", "label.label_url", text),
            Column("manifest_id", "manifest.manifest_id", text),
            same("shipped_at", moment),
            same("estimated_delivery", moment),
            same("actual_delivery", moment),
            same("created_at", moment),
            same("updated_at", moment),
        ),
    ),
}


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

"""BSON values as silver has to show them, read with pymongo and written from the source contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Decimal128, Int64
from bson.datetime_ms import DatetimeMS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # Go's zero time, year 1, means "not set"

Reader = Callable[[Any], Any]


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


def flag(value: Any) -> bool | None:
    """A boolean; anything else is none."""
    return value if isinstance(value, bool) else None


def texts(value: Any) -> list[str | None] | None:
    """An array of strings; null as None."""
    return [text(item) for item in value] if isinstance(value, list) else None


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

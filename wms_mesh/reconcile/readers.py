"""BSON values as silver has to show them, read with pymongo and written from the source contract.

Each reader has a second form, in SQL over Trino's MongoDB catalog, for comparing whole collections where they stand
(wms_mesh/slo). It is the coarser one: that catalog shows a text in an integer column as NULL, and 2.75 there as 2. What
the SQL finds different is read again in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Decimal128, Int64
from bson.datetime_ms import DatetimeMS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)  # Go's zero time, year 1, means "not set"

Spell = Callable[[str], str]  # gives a snake_case field name the source's style


@dataclass(frozen=True)
class Reader:
    """How a value is read: ``read`` takes it from pymongo, ``of_column`` and ``of_json`` write SQL for it.

    of_column: over a column of the catalog that has the value's own type. of_json: over a JSON value.
    """

    read: Callable[[Any], Any]
    of_json: Callable[[str, Spell], str]
    of_column: Callable[[str], str] = str

    def __call__(self, value: Any) -> Any:
        return self.read(value)


@dataclass(frozen=True)
class Column:
    """A silver column and where its value stands in the document (path in snake_case, dots between names)."""

    name: str
    path: str
    read: Reader

    def sql(self, spell: Spell, json_columns: Sequence[str]) -> str:
        """The value in a row of the catalog's table; ``json_columns``: those that it has as JSON, in snake_case."""
        root, *rest = self.path.split(".")
        place = f'"{spell(root)}"'
        return (
            self.read.of_json(_json_at(place, rest, spell), spell)
            if root in json_columns
            else self.read.of_column(place)
        )


def _json_at(place: str, names: Sequence[str], spell: Spell) -> str:
    steps = "".join(f'["{spell(name)}"]' for name in names)
    return f"json_extract({place}, '${steps}')" if names else place


def _scalar(json: str) -> str:
    return f"json_extract_scalar({json}, '$')"


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None or isinstance(value, dict | list) else str(value)


def _whole(value: Any) -> int | None:
    number_ = _number(value)
    return int(number_) if number_ is not None and number_ == int(number_) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        result = float(str(value)) if isinstance(value, str | Decimal128 | int | float | Int64) else None
    except ValueError:
        return None
    return result if result is not None and abs(result) != float("inf") and result == result else None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, DatetimeMS):
        milliseconds = int(value)
        if not -62135596800000 < milliseconds < 253402300800000:
            return None
        value = EPOCH + timedelta(milliseconds=milliseconds)
    return value if isinstance(value, datetime) and value > EARLIEST else None


def _number_sql(json: str, spell: Spell) -> str:
    text_ = f"coalesce({_scalar(json)}, json_extract_scalar({json}, '$[\"$numberDecimal\"]'))"
    return f"try_cast({text_} as double)"


def _whole_sql(json: str, spell: Spell) -> str:
    double = _number_sql(json, spell)
    return (
        f"coalesce(try_cast({_scalar(json)} as bigint), if({double} = floor({double}), try_cast({double} as bigint)))"
    )


def _moment_sql(value: str) -> str:
    return f"if({value} > timestamp '{EARLIEST:%Y-%m-%d %H:%M:%S} UTC', cast({value} as timestamp(6) with time zone))"


def _moment_of_json(json: str, spell: Spell) -> str:
    return _moment_sql(f"try(from_iso8601_timestamp_nanos(json_extract_scalar({json}, '$[\"$date\"]')))")


# A string; a number or a boolean as its text.
text = Reader(_text, lambda json, spell: _scalar(json))
# An integer, also out of a double without fraction or out of a string of digits.
whole = Reader(_whole, _whole_sql)
# A double; NaN and the infinities are no measure and become None.
number = Reader(_number, _number_sql)
# A UTC timestamp in milliseconds; Go's zero time is None.
moment = Reader(_moment, _moment_of_json, _moment_sql)
# A boolean; anything else is none.
flag = Reader(
    lambda value: value if isinstance(value, bool) else None,
    lambda json, spell: f"case json_format({json}) when 'true' then true when 'false' then false end",
)
# An array of strings; null as None.
texts = Reader(
    lambda value: [text(item) for item in value] if isinstance(value, list) else None,
    lambda json, spell: f"transform(try_cast({json} as array(json)), item -> {_scalar('item')})",
)


def rows(*columns: Column) -> Reader:
    """An array of objects as a list of tuples; null as None."""

    def read(value: Any) -> list[tuple[Any, ...]] | None:
        if not isinstance(value, list):
            return None
        return [tuple(column.read(at(item, column.path)) for column in columns) for item in value]

    return Reader(
        read,
        lambda json, spell: f"transform(try_cast({json} as array(json)), item -> {_row_sql('item', columns, spell)})",
    )


def row(*columns: Column) -> Reader:
    """An object as a tuple."""

    def read(value: Any) -> tuple[Any, ...] | None:
        return tuple(column.read(at(value, column.path)) for column in columns) if isinstance(value, dict) else None

    return Reader(
        read,
        lambda json, spell: f"if(try_cast({json} as map(varchar, json)) is not null, {_row_sql(json, columns, spell)})",
    )


def _row_sql(json: str, columns: Sequence[Column], spell: Spell) -> str:
    values = (column.read.of_json(_json_at(json, column.path.split("."), spell), spell) for column in columns)
    return f"row({', '.join(values)})"


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

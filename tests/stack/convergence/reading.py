"""How a value of a document is read as its type: plain Python, from the contract's words."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.stack.convergence.columns import At, Type
from tests.stack.convergence.records import moment
from tests.stack.convergence.surprises import ZERO_TIME

Failures = list[tuple[str, str]]
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T|$)")


def parsed(image: str | None) -> Any:
    """The document; the words NaN and Infinity stay as texts. None when it is no JSON."""
    try:
        return None if image is None else json.loads(image, parse_constant=str)
    except ValueError:
        return None


def text_of(value: Any) -> str:
    """A value as JSON text, whatever the order of its keys."""
    return json.dumps(value, sort_keys=True)


def read(value: Any, kind: Type, path: str, failures: Failures) -> Any:
    """The value as its type; what cannot be read is None and one more failure."""
    if value is None:
        return None
    if isinstance(kind, dict) and isinstance(value, dict):
        return tuple(read(value.get(name), inner, f"{path}.{name}", failures) for name, inner in kind.items())
    if isinstance(kind, list) and isinstance(value, list):
        return [read(item, kind[0], f"{path}[]", failures) for item in value]
    if kind == "j":
        return text_of(value)
    found = _SIMPLE[kind](value) if isinstance(kind, str) else None
    is_zero_time = kind == "t" and value == {"$date": ZERO_TIME}
    if found is None and not is_zero_time:
        failures.append((path, text_of(value)))
    return found


def read_columns(document: Any, columns: dict[str, Type | At], failures: Failures) -> dict[str, Any]:
    """All columns of a document. A parent that is no object is one failure, however many columns lie below it."""
    fields = document if isinstance(document, dict) else {}
    row: dict[str, Any] = {}
    broken: set[tuple[str, str]] = set()
    for name, column in columns.items():
        path, kind = (column.path, column.type) if isinstance(column, At) else (name, column)
        *parents, last = path.split(".")
        holder = fields
        for parent in parents:
            inner = holder.get(parent)
            if inner is not None and not isinstance(inner, dict):
                broken.add((parent, text_of(inner)))
            holder = inner if isinstance(inner, dict) else {}
        row[name] = read(holder.get(last), kind, path, failures)
    failures.extend(one for one in broken if one not in failures)
    return row


def string(value: Any) -> str | None:
    """Numbers and booleans as they are written, ids and wrapped numbers as their digits; an object is no text."""
    if isinstance(value, dict):
        return next((value[name] for name in ("$oid", "$numberLong", "$numberDecimal") if name in value), None)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None


def _number(value: Any) -> str | None:
    return None if isinstance(value, bool) else string(value)


def whole(value: Any) -> int | None:
    """A whole number of 64 bits in any spelling; 2.75 is none."""
    text = _number(value) or ""
    try:
        number = int(text)
    except ValueError:
        fraction = double(value)
        if fraction is None or fraction != int(fraction):
            return None
        number = int(fraction)
    return number if -(2**63) <= number < 2**63 else None


def double(value: Any) -> float | None:
    """A finite number."""
    try:
        number = float(_number(value) or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def time(value: Any) -> datetime | None:
    """A date in the connector's spellings, or ISO 8601; years 1 to 9999, without Go's zero time."""
    inner = value.get("$date") if isinstance(value, dict) else value
    if isinstance(inner, dict):
        inner = whole(inner)
    elif isinstance(inner, int) and not isinstance(value, dict):
        return None
    if isinstance(inner, int) and not isinstance(inner, bool):
        return moment(inner) if ZERO_TIME < inner < 253402300800000 else None
    if not isinstance(inner, str) or not _DATE.match(inner):
        return None
    try:
        found = datetime.fromisoformat(inner)
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)


def boolean(value: Any) -> bool | None:
    """Only true and false."""
    return value if isinstance(value, bool) else None


_SIMPLE: dict[str, Callable[[Any], Any]] = {"s": string, "i": whole, "d": double, "t": time, "b": boolean}

"""Rows as the oracle and as Trino give them, and what differs between the two."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

Key = tuple[Any, ...]
Row = dict[str, Any]
Rows = dict[Key, Row]


class _Open:
    """Equals everything: a value that the records leave open."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "(open)"


OPEN: Any = _Open()
# What the oracle does not say: when a row was computed, and how a hash is spelled.
UNSAID = {"processing_time", "image_hash", "entry_hash", "run_id"}
# Columns that hold JSON: two texts are the same when they say the same.
JSON_COLUMNS = {
    *("process_requirements", "reservations", "hard_allocations", "transactions", "configuration", "labor_allocation"),
    *("package", "shipping_label", "recipient", "shipper", "current_shift", "current_task", "performance_metrics"),
    *("extra_fields", "extra_attributes", "data", "example_value", "value"),
}


def plain(column: str, value: Any) -> Any:
    """A value without what only its spelling can differ in."""
    if column in JSON_COLUMNS:
        return _json(value)
    if column == "parse_failures":
        return sorted((path, repr(_json(text))) for path, text in value or [])
    return _nested(value)


def _json(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return text


def _nested(value: Any) -> Any:
    """An object without any readable field is as good as none."""
    if isinstance(value, list):
        return [_nested(item) for item in value]
    if isinstance(value, tuple):
        fields = tuple(_nested(field) for field in value)
        return None if all(field is None for field in fields) else fields
    return value


def same(wanted: Any, found: Any) -> bool:
    """Equal, doubles to the last kept place (a mean of binary fractions may round either way)."""
    if wanted is OPEN:
        return True
    if isinstance(wanted, list | tuple) and isinstance(found, list | tuple):
        return len(wanted) == len(found) and all(map(same, wanted, found))
    if isinstance(wanted, float) and isinstance(found, float):
        return math.isclose(wanted, found, rel_tol=1e-9, abs_tol=1.1e-6)
    return bool(wanted == found) and (wanted is None) == (found is None)


def differences(wanted: Iterable[Row], found: Iterable[Row], key: tuple[str, ...]) -> list[str]:
    """One line for each row or value that differs. Rows that share a key are matched with whichever equals them."""
    groups: dict[Key, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate((wanted, found)):
        for row in rows:
            values = {name: plain(name, value) for name, value in row.items() if name not in UNSAID}
            groups[tuple(row[name] for name in key)][side].append(values)
    return [
        line
        for at, (missing, extra) in sorted(groups.items(), key=repr)
        for line in _group_differences(at, missing, extra)
    ]


def _group_differences(at: Key, wanted: list[Row], found: list[Row]) -> list[str]:
    extra = list(found)
    missing = []
    for row in wanted:
        match = next((index for index, other in enumerate(extra) if not _row_differences(row, other)), None)
        if match is None:
            missing.append(row)
        else:
            del extra[match]
    if len(missing) == len(extra) == 1:
        return [f"{at} {line}" for line in _row_differences(missing[0], extra[0])]
    return [f"{at} is missing: {row}" for row in missing] + [f"{at} should not be there: {row}" for row in extra]


def _row_differences(wanted: Row, found: Row) -> list[str]:
    return [
        f"{name}: {found.get(name, '(no such column)')!r} instead of {wanted.get(name, '(the oracle is silent)')!r}"
        for name in sorted(wanted.keys() | found.keys())
        if name not in wanted or name not in found or not same(wanted[name], found[name])
    ]

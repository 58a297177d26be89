"""What the KPI definitions have in common: days, durations, quotients, lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from tests.stack.convergence.compare import Key, Row, Rows

Tables = dict[str, Rows]


HOUR = 3_600_000
DAY = 86_400_000


def alive(rows: Rows) -> list[Row]:
    """Without the deleted documents."""
    return [row for row in rows.values() if not row["is_deleted"]]


def duration(start: datetime | None, end: datetime | None) -> int | None:
    """Whole milliseconds from one moment to another; None when one of them is missing."""
    return None if start is None or end is None else (end - start) // timedelta(milliseconds=1)


def forward(start: datetime | None, end: datetime | None) -> int | None:
    """The same, None too when the end comes first: a mistake at the source."""
    span = duration(start, end)
    return span if span is not None and span >= 0 else None


def ratio(part: float, whole: float | None) -> float | None:
    """A quotient to six places; None without a whole."""
    return round(part / whole, 6) if whole else None


def mean(values: list[int], unit: int) -> float | None:
    """The mean of milliseconds, in larger units."""
    return ratio(sum(values), unit * len(values))


def quantile(values: list[int], fraction: float) -> float | None:
    """Linear interpolation between the nearest ranks, of milliseconds in hours."""
    if not values:
        return None
    ordered = sorted(values)
    rank = (len(ordered) - 1) * fraction
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return round((ordered[low] + (ordered[high] - ordered[low]) * (rank - low)) / HOUR, 6)


def groups(rows: Iterable[Row], *key: Any) -> dict[Key, list[Row]]:
    """Rows by the values that functions of a row, or its columns, give; 'unknown' for a column that is None."""
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        names = tuple(part(row) if callable(part) else "unknown" if row[part] is None else row[part] for part in key)
        found[names].append(row)
    return found


def created_day(row: Row) -> date:
    """The UTC day that a document counts for."""
    created: datetime | None = row["created_at"]
    day: date = created.date() if created else row["document_day"]
    return day


# A list of objects arrives as tuples in the order of their columns.
ORDER_LINE = "sku quantity weight unit_price"
PICK_LINE = "sku product_name quantity picked_qty location status tote_id picked_at verified_at notes"
PACK_LINE = "sku product_name quantity weight fragile verified"
EXCEPTION = "exception_id sku location_id reason requested_qty available_qty resolution resolved_at created_at"
WAVE_LINE = "order_id customer_id priority item_count total_weight zone status added_at"


def line_fields(lines: list[Any] | None, names: str) -> list[dict[str, Any]]:
    """The lines of a list with their fields by name; a line that was no object has none."""
    fields = names.split()
    return [dict(zip(fields, line or [None] * len(fields), strict=True)) for line in lines or []]

"""What sources write one day although their contract says otherwise: odd values, unknown fields, missing ones."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

ZERO_TIME = -62135596800000  # year 1: how Go stores a time that was never set
LAST_SECOND = 253402300799000  # year 9999

# Each is read, or refused, by the type of the field that it lands in: "42" is a number and no date.
VALUES: tuple[Any, ...] = (
    None,
    "",
    "twelve",
    "42",
    2.0,
    2.75,
    True,
    float("nan"),
    float("-inf"),
    {"$numberLong": "9007199254740993"},  # no double holds it
    {"$numberLong": "99999999999999999999"},  # no bigint does
    {"$numberDecimal": "7.00"},
    {"$date": {"$numberLong": "1772540000000"}},
    {"$date": "2026-03-02T10:15:00+02:00"},
    {"$date": ZERO_TIME},
    {"$date": LAST_SECOND},
    {"$date": 99999999999999999},
    "2026-03-03T08:00:00Z",
    "2026-03-03",
    "03/03/2026",
    "2024-02-30T25:61:00Z",
    [],
    [1, None],
    {},
    {"x": 1},
)
UNKNOWN: tuple[Any, ...] = ({"step": 1}, 7, "new", None, [1, 2], float("nan"))


def slots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a document whose value can be another: (container, key)."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        if key == "_id" or str(key).startswith("$"):
            continue
        yield value, key
        yield from slots(inner)


def surprise(document: dict[str, Any], choose: Random) -> None:
    """Change one thing of a document."""
    roll = choose.random()
    if roll < 0.2:
        document[choose.choice(("legacy_flags", "robot_zone"))] = choose.choice(UNKNOWN)
        return
    container, key = choose.choice(list(slots(document)))
    if roll < 0.3 and isinstance(container, dict):
        del container[key]
    else:
        container[key] = choose.choice(VALUES)

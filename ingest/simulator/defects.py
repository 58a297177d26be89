"""Damage on purpose: what a document or an event looks like when somebody wrote it wrongly."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from bson.datetime_ms import DatetimeMS
from bson.int64 import Int64

from ingest.simulator.changes import Document
from ingest.simulator.stream import stream

Path = tuple[str, ...]  # a name inside an array means: of its first element

# One whole number, one double, one date and one object of each collection, where damage shows.
_WHOLE: dict[str, Path] = {
    "orders": ("items", "quantity"),
    "inventory": ("totalQuantity",),
    "waves": ("priority",),
    "pick_tasks": ("totalItems",),
    "pack_tasks": ("priority",),
    "shipments": ("package", "weight"),
    "workers": ("performanceMetrics", "totalTasksCompleted"),
}
_DOUBLE: dict[str, Path] = {
    "orders": ("items", "unitPrice"),
    "inventory": ("reorderPoint",),
    "waves": ("configuration", "maxWeight"),
    "pick_tasks": ("items", "quantity"),
    "pack_tasks": ("package", "totalWeight"),
    "shipments": ("package", "weight"),
    "workers": ("performanceMetrics", "accuracyRate"),
}
_DATE: dict[str, Path] = {
    "orders": ("promisedDeliveryAt",),
    "inventory": ("updatedAt",),
    "waves": ("scheduledStart",),
    "pick_tasks": ("createdAt",),
    "pack_tasks": ("createdAt",),
    "shipments": ("createdAt",),
    "workers": ("performanceMetrics", "lastUpdated"),
}
_OBJECT: dict[str, Path] = {
    "orders": ("shippingAddress",),
    "inventory": ("locations",),
    "waves": ("laborAllocation",),
    "pick_tasks": ("items", "location"),
    "pack_tasks": ("package",),
    "shipments": ("recipient",),
    "workers": ("skills",),
}
_UNKNOWN: Path = ("legacyFlags",)

# kind, where, what stands there instead
_KINDS: tuple[tuple[str, dict[str, Path], Any], ...] = (
    ("letters_in_a_number", _WHOLE, "twelve"),
    ("number_as_text", _WHOLE, "12"),
    ("wide_integer", _WHOLE, Int64(1 << 40)),
    ("fraction_in_a_whole_number", _WHOLE, 2.75),
    ("not_a_number", _DOUBLE, float("nan")),
    ("infinite", _DOUBLE, float("inf")),
    ("date_as_text", _DATE, "2024-02-30T25:61:00Z"),
    ("date_out_of_range", _DATE, DatetimeMS(9_223_372_036_854_775_807)),
    ("null_for_an_object", _OBJECT, None),
    ("text_for_an_object", _OBJECT, "see attached note"),
    ("unknown_field", {}, {"migratedFrom": "wms-1", "flags": [1, "two", None]}),
)
DOCUMENT_DEFECTS = tuple(kind for kind, _, _ in _KINDS)


class Defects:
    """Damages a share of the documents. It draws from its own stream, so the world beside it stays the same."""

    def __init__(self, seed: int, share: float, names: Mapping[str, str]) -> None:
        self._random = stream("defects", seed)
        self._share = share
        self._names = names

    def damage(self, collection: str, document: Document) -> str:
        """Perhaps change a written document in place; returns the kind of damage, or ""."""
        if not self._share or self._random.random() >= self._share:
            return ""
        kind, places, value = _KINDS[self._random.randrange(len(_KINDS))]
        path = places.get(collection, _UNKNOWN)
        owner: Any = document
        for name in path[:-1]:
            owner = owner[self._names[name]]
            if isinstance(owner, list):
                if not owner:
                    return ""
                owner = owner[0]
        owner[self._names[path[-1]]] = value
        return kind


def _text(envelope: Mapping[str, Any]) -> bytes:
    return json.dumps(envelope, separators=(",", ":")).encode()


def _without(name: str) -> Callable[[Document, bytes], bytes]:
    return lambda envelope, value: _text({key: item for key, item in envelope.items() if key != name})


def _with(name: str, item: Any) -> Callable[[Document, bytes], bytes]:
    return lambda envelope, value: _text({**envelope, name: item})


# kind, what is sent instead
BROKEN_EVENTS: tuple[tuple[str, Callable[[Document, bytes], bytes | None]], ...] = (
    ("not_json", lambda envelope, value: b"order received, please process"),
    ("not_utf8", lambda envelope, value: b'{"specversion":"1.0","type":"\xff\xfe\x00"}'),
    ("empty_value", lambda envelope, value: b""),
    ("tombstone", lambda envelope, value: None),
    ("truncated", lambda envelope, value: value[: len(value) * 2 // 3]),
    ("not_an_object", lambda envelope, value: b"[1,2,3]"),
    ("missing_id", _without("id")),
    ("missing_type", _without("type")),
    ("missing_time", _without("time")),
    ("unreadable_time", _with("time", "yesterday at noon")),
    ("absurd_time", _with("time", "+292278994-08-17T07:12:55.807Z")),
    ("wrong_type", _with("type", 42)),
    ("bare_nan", lambda envelope, value: value[:-1] + b',"score":NaN}'),
    ("too_deep", lambda envelope, value: b'{"data":' * 2000 + b"1" + b"}" * 2000),
    ("large", lambda envelope, value: _text({**envelope, "padding": "x" * 200_000})),
)

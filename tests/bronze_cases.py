"""Good and bad records with the verdict that each must get: one list for the Java function and for the whole job."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

KEY = b'{"id":"{\\"$oid\\": \\"65a000000000000000000009\\"}"}'
NOW_MS = 1_795_443_665_755
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Case:
    """One record. kind: 'change' or 'event'. reason: of the quarantine, None for bronze. timestamp_ms: Kafka's own."""

    name: str
    kind: str
    value: bytes | None
    reason: str | None
    key: bytes | None = KEY
    timestamp_ms: int = NOW_MS
    headers: tuple[tuple[str, bytes], ...] = field(default=())


def envelope(source: dict[str, object] | None = None, **fields: object) -> dict[str, object]:
    """An insert as Debezium writes it; ``source`` and other fields are laid over it."""
    return {
        "before": None,
        "after": '{"_id": {"$oid": "65a000000000000000000009"},"ratio": NaN}',
        "updateDescription": None,
        "source": {
            "version": "3.6.1.Final",
            "ts_ms": 1_795_443_665_329,
            "snapshot": "false",
            "collection": "orders",
            "ord": 1,
            **(source or {}),
        },
        "op": "c",
        "ts_ms": 1_795_443_665_614,
        "transaction": None,
        **fields,
    }


def event(**fields: object) -> dict[str, object]:
    """A CloudEvent as the services publish it."""
    return {
        "specversion": "1.0",
        "type": "wms.order.received",
        "source": "/wms/order-service",
        "subject": "order/SO-1",
        "id": "6f1c1f3e-6d0a-4b5e-9a51-0c1f2d3e4f50",
        "time": "2026-01-05T08:00:00.123456789Z",
        "datacontenttype": "application/json",
        "data": {"orderId": "SO-1"},
        **fields,
    }


def text(document: object) -> bytes:
    """JSON as UTF-8."""
    return json.dumps(document, ensure_ascii=False).encode()


def without(document: dict[str, object], *names: str) -> dict[str, object]:
    """The document less some of its fields."""
    return {name: value for name, value in document.items() if name not in names}


def change(name: str, value: object, reason: str | None, **record: object) -> Case:
    """A case of a change topic; ``value`` other than bytes is written as JSON."""
    raw = value if isinstance(value, bytes) or value is None else text(value)
    return Case(name, "change", raw, reason, **record)  # type: ignore[arg-type]


def domain(name: str, value: object, reason: str | None, **record: object) -> Case:
    """A case of an event topic."""
    raw = value if isinstance(value, bytes) or value is None else text(value)
    return Case(name, "event", raw, reason, **{"key": b"order/SO-1", **record})  # type: ignore[arg-type]


_GOOD = text(envelope())
_SOURCE = envelope()["source"]
assert isinstance(_SOURCE, dict)

CHANGES = (
    change("insert", envelope(), None),
    change("snapshot", envelope({"snapshot": "first", "ord": -1}, op="r"), None),
    change("update of a document that is gone", envelope(op="u", after=None), None),
    change("delete", envelope(op="d", after=None, before="{}"), None),
    change("tombstone", None, None),
    change("unknown fields beside the known", envelope(extra={"a": [1, {"b": None}]}), None),
    change("not ASCII", envelope(after='{"name": "Ünïcode 漢字 😀"}'), None),
    change("NUL escaped in a document", envelope(after='{"name": "a\\u0000b"}'), None),
    change("five megabytes", envelope(after=json.dumps({"blob": "x" * 5 * MEGABYTE})), None),
    change("headers", envelope(), None, headers=(("empty", b""), ("some", b"\xff"))),
    change("key without a value", None, "missing_key", key=None),
    change("null key", envelope(), "missing_key", key=None),
    change("empty key", envelope(), "missing_key", key=b""),
    change("key is not JSON", envelope(), "bad_key", key=b"65a0"),
    change("key is not UTF-8", envelope(), "bad_key", key=b'{"id":"\xff"}'),
    change("key with a number for an id", envelope(), "bad_key", key=b'{"id":42}'),
    change("key with another field", envelope(), "bad_key", key=b'{"_id":"42"}'),
    change("key with half a surrogate pair", envelope(), "bad_key", key=b'{"id":"\\ud800"}'),
    change("empty value", b"", "empty_value"),
    change("blank value", b"  \n ", "empty_value"),
    change("not JSON", b"hello", "not_json"),
    change("truncated", _GOOD[:-20], "not_json"),
    change("trailing garbage", _GOOD + b" {}", "not_json"),
    change("NaN in the envelope", _GOOD.replace(b'"ord": 1', b'"ord": NaN'), "not_json"),
    change("NUL byte in a string", _GOOD.replace(b"orders", b"or\x00ers"), "not_json"),
    change("byte order mark", b"\xef\xbb\xbf" + _GOOD, "not_json"),
    change("UTF-16", _GOOD.decode().encode("utf-16-le"), "not_json"),
    change("five megabytes of zeros", bytes(5 * MEGABYTE), "not_json"),
    change("random bytes", bytes(range(256)) * 8, "not_utf8"),
    change("Latin-1", text(envelope(after='{"name": "x"}')).replace(b"x", b"\xe4"), "not_utf8"),
    change("surrogate as UTF-8", _GOOD.replace(b"orders", b"\xed\xa0\x80"), "not_utf8"),
    change("overlong form", _GOOD.replace(b"orders", b"\xc0\xaf"), "not_utf8"),
    change("array", [envelope()], "not_an_envelope"),
    change("string", "envelope", "not_an_envelope"),
    change("null as JSON", b"null", "not_an_envelope"),
    change("empty object", {}, "not_an_envelope"),
    change("another envelope", {"schema": {}, "payload": envelope()}, "not_an_envelope"),
    change("a CloudEvent on a change topic", event(), "wrong_type"),
    change("source missing", without(envelope(), "source"), "not_an_envelope"),
    change("op missing", without(envelope(), "op"), "not_an_envelope"),
    change("source.ord missing", envelope(source=None) | {"source": without(_SOURCE, "ord")}, "not_an_envelope"),
    change("insert without a document", envelope(after=None), "not_an_envelope"),
    change("op is a number", envelope(op=7), "wrong_type"),
    change("op is null", envelope(op=None), "wrong_type"),
    change("after is an object", envelope(after={"_id": 1}), "wrong_type"),
    change("source is a string", envelope() | {"source": "mongodb"}, "wrong_type"),
    change("source.ts_ms is a string", envelope({"ts_ms": "1795443665329"}), "wrong_type"),
    change("source.ts_ms is a fraction", envelope({"ts_ms": 1.5}), "wrong_type"),
    change("source.ord is a string", envelope({"ord": "1"}), "wrong_type"),
    change("source.snapshot is a boolean", envelope({"snapshot": True}), "wrong_type"),
    change("ts_ms is a string", envelope(ts_ms="now"), "wrong_type"),
    change("unknown op", envelope(op="x"), "unknown_op"),
    change("message op of Debezium", envelope(op="m"), "unknown_op"),
    change("source.ts_ms negative", envelope({"ts_ms": -1}), "timestamp_out_of_range"),
    change("source.ts_ms in year 292 million", envelope({"ts_ms": 2**63 - 1}), "timestamp_out_of_range"),
    change("source.ts_ms in year 2200", envelope({"ts_ms": 7_258_118_400_000}), "timestamp_out_of_range"),
    change("ts_ms negative", envelope(ts_ms=-5), "timestamp_out_of_range"),
    change("source.ts_ms beyond 64 bits", envelope({"ts_ms": 2**70}), "number_out_of_range"),
    change("op twice", _GOOD[:-1] + b', "op": "d"}', "duplicate_field"),
    change("source.ts_ms twice", _GOOD.replace(b'"ord": 1', b'"ord": 1, "ts_ms": 5'), "duplicate_field"),
    change("10,000 levels", text(envelope())[:-1] + b', "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too_deep"),
    change("10,000 levels and no end", b'{"a":' * 10_000, "too_deep"),
    change("number of a thousand digits", _GOOD.replace(b'"ord": 1', b'"ord": ' + b"9" * 2000), "not_json"),
    change("Kafka timestamp in year 292 million", envelope(), "timestamp_out_of_range", timestamp_ms=2**63 - 1),
    change("bad value and bad Kafka timestamp", b"\xff", "timestamp_out_of_range", timestamp_ms=2**62),
)

EVENTS = (
    domain("event", event(), None),
    domain("event without a key", event(), None, key=None),
    domain("event without time and subject", without(event(), "time", "subject"), None),
    domain("event with an unreadable time", event(time="yesterday"), None),
    domain("event with a number for a time", event(time=7), None),
    domain("event in year 9999", event(time="9999-01-01T00:00:00Z"), None),
    domain("event with an offset", event(time="2026-01-05T09:00:00+01:00"), None),
    domain("event with extensions", event(wmstenantid="T1", data=None), None),
    domain("event is not JSON", b"{oops", "not_json"),
    domain("event is null", None, "empty_value"),
    domain("event is empty", b"", "empty_value"),
    domain("event without an id", without(event(), "id"), "not_an_envelope"),
    domain("event with a blank id", event(id=" "), "not_an_envelope"),
    domain("event without specversion", without(event(), "specversion"), "not_an_envelope"),
    domain("event of another version", event(specversion="0.3"), "not_an_envelope"),
    domain("a change on an event topic", envelope(), "wrong_type"),
    domain("event type is a number", event(type=5), "wrong_type"),
    domain("event subject is a list", event(subject=[]), "wrong_type"),
    domain("event with two ids", text(event())[:-1] + b', "id": "other"}', "duplicate_field"),
    domain("event with half a surrogate pair", text(event()).replace(b"SO-1", b"\\udc00"), "not_utf8"),
    domain("event whose key is not UTF-8", event(), "not_utf8", key=b"\xff\xfe"),
    domain("event, 10,000 levels", b'{"data":' + b"[" * 10_000, "too_deep"),
)

CASES = CHANGES + EVENTS

"""Records that nobody would send on purpose: real ones, damaged by a seeded chance."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ingest.collections import COLLECTIONS, EVENT_TOPICS
from tests.bronze_cases import KEY, event, text
from wms_mesh.stack import REPO

SAMPLES = REPO / "tests" / "fixtures" / "cdc"
TOKENS = (
    b"null", b"true", b"-1", b"1e400", b"9" * 40, b"NaN", b"{}", b"[]", b'""', b'"\\ud800"', b'"\\u0000"', b"\xff\xfe",
    b"\x00", b"[" * 2000, b'{"$date": ' , b'{"$numberLong": "x"}', "\u202e\U0001f4a5".encode(), b",", b":", b"}", b"'",
)  # fmt: skip


@dataclass(frozen=True)
class Record:
    """What is sent. One of key and value is not None: the client refuses a record of nothing."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


def records(seed: int, count: int) -> Iterator[Record]:
    """So many damaged records over all topics, the same for the same seed."""
    chance = random.Random(seed)
    changes, events = list(_changes()), [(KEY, text(event(id=f"fuzz-{seed}-{number}"))) for number in range(20)]
    topics = [*(collection.topic for collection in COLLECTIONS), *EVENT_TOPICS]
    for _ in range(count):
        topic = chance.choice(topics)
        key, value = chance.choice(changes if topic.startswith("cdc.") else events)
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            if chance.random() < 0.15:
                key = _damaged(chance, key)
            else:
                value = _damaged(chance, value)
        headers = tuple((f"h{place}", chance.randbytes(3)) for place in range(chance.choice((0, 0, 0, 1, 9))))
        yield Record(topic, key, value if value is not None or key is not None else b"", headers)


def _changes() -> Iterator[tuple[bytes | None, bytes | None]]:
    """Keys and values of the golden samples, as Debezium wrote them."""
    for path in sorted(SAMPLES.glob("*.json")):
        for sample in json.loads(path.read_text(encoding="utf-8")):
            key, value = sample["key_raw"], sample["value_raw"]
            yield key and key.encode(), value and value.encode()


def _damaged(chance: random.Random, value: bytes | None) -> bytes | None:
    if not value:
        return chance.choice((None, b"", b"x", b"null", b"{"))
    return chance.choice(DAMAGES)(chance, value)


def _place(chance: random.Random, value: bytes) -> int:
    return chance.randrange(len(value))


def _flip(chance: random.Random, value: bytes) -> bytes:
    place = _place(chance, value)
    return value[:place] + bytes([value[place] ^ 1 << chance.randrange(8)]) + value[place + 1 :]


def _cut_off(chance: random.Random, value: bytes) -> bytes:
    return value[: _place(chance, value)]


def _cut_out(chance: random.Random, value: bytes) -> bytes:
    place = _place(chance, value)
    return value[:place] + value[place + chance.randrange(1, 40) :]


def _double(chance: random.Random, value: bytes) -> bytes:
    place = _place(chance, value)
    return value[:place] + value[max(0, place - chance.randrange(1, 80)) : place] + value[place:]


def _insert(chance: random.Random, value: bytes) -> bytes:
    place = _place(chance, value)
    return value[:place] + chance.choice(TOKENS) + value[place:]


def _field(chance: random.Random, value: bytes) -> bytes:
    """One field of the outer object gets another value, as JSON."""
    try:
        document = json.loads(value)
    except (ValueError, RecursionError):  # the last damage may have nested it 2,000 deep
        return _insert(chance, value)
    if not isinstance(document, dict) or not document:
        return _insert(chance, value)
    name = chance.choice(list(document))
    odd: tuple[object, ...] = (None, True, -1, 2**70, "", "\ud800", [], {}, [[]], "x" * 5000, {"ts_ms": "now"})
    document[name] = chance.choice(odd)
    return json.dumps(document).encode()


def _nothing(_: random.Random, __: bytes) -> None:
    return None


DAMAGES: tuple[Callable[[random.Random, bytes], bytes | None], ...] = (
    _flip, _flip, _cut_off, _cut_out, _double, _insert, _insert, _field, _field, _nothing,
)  # fmt: skip

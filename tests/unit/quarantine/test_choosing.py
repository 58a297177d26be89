"""Which records are meant, in which order and in what portions they go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ingest.topics import TOLERATED, tolerated
from tests.bronze_cases import CASES
from wms_mesh.errors import MeshError
from wms_mesh.quarantine import records, sending, views
from wms_mesh.quarantine.alarm import Level, levels
from wms_mesh.quarantine.checks import doubts
from wms_mesh.quarantine.marks import Attempt
from wms_mesh.quarantine.reading import Choice, Group
from wms_mesh.quarantine.records import Message, Place, Record, batches

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ORDERS, EVENTS = "cdc.wms.orders", "wms.orders.events"


def record(topic: str, partition: int, offset: int, size: int = 10) -> Record:
    return Record(Place(topic, partition, offset), "not_json", "", NOW, size)


@pytest.mark.parametrize(
    "text", ["", "orders", "orders/1", "orders/x/1", "a/1/2/3", "orders/1/-2", "o'r/1/2", "a/1/2\n"]
)
def test_place_that_is_none_is_taken_for_one(text: str) -> None:
    with pytest.raises(MeshError, match="names no record"):
        Place.parse(text)


def test_place_is_printed_otherwise_than_it_is_read() -> None:
    place = Place("wms.slot-ting_2.events", 11, 2**40)
    assert Place.parse(str(place)) == place


def test_choice_reads_the_whole_table() -> None:
    """Only the day of reading prunes partitions."""
    condition, values = Choice(NOW, topic=ORDERS, reason="it's", only_open=True).where()
    assert condition == "ingested_at >= ? and kafka_topic = ? and reason = ? and new_offset is null"
    assert values == [NOW, ORDERS, "it's"]


def test_named_record_is_too_old_to_be_found() -> None:
    condition, values = Choice(NOW, places=(Place(ORDERS, 0, 1), Place(ORDERS, 2, 3))).where()
    assert "ingested_at" not in condition
    assert condition.count("kafka_offset = ?") == 2
    assert values == [ORDERS, 0, 1, ORDERS, 2, 3]


def test_replay_changes_the_order_of_the_offsets() -> None:
    mixed = [
        record(EVENTS, 1, 3),
        record(ORDERS, 0, 11),
        record(EVENTS, 0, 5),
        record(ORDERS, 0, 9),
        record(EVENTS, 1, 2),
    ]
    assert [[(at.place.partition, at.place.offset) for at in batch] for batch in batches(mixed)] == [
        [(0, 9), (0, 11)],
        [(0, 5)],
        [(1, 2), (1, 3)],
    ]


def test_batch_outgrows_memory_or_a_statement() -> None:
    large = records.BATCH_BYTES // 2 + 1
    sizes = [10, large, large, 3 * large, 10]
    parts = [len(batch) for batch in batches([record(ORDERS, 0, at, size) for at, size in enumerate(sizes)])]
    assert parts == [2, 1, 1, 1]
    many = [record(ORDERS, 0, at) for at in range(records.BATCH_RECORDS + 1)]
    assert [len(batch) for batch in batches(many)] == [records.BATCH_RECORDS, 1]
    assert not list(batches([]))


def group(topic: str, reason: str, open_lately: int) -> Group:
    return Group(topic, reason, 1000, 1000, open_lately, NOW, NOW)


def test_threshold_is_exceeded_unseen() -> None:
    """By the open records of the last 24 hours, all reasons of a topic together; at the threshold all is well."""
    own = tolerated(ORDERS)
    assert own < TOLERATED
    found = levels(
        [
            group(ORDERS, "not_json", own - 1),
            group(ORDERS, "bad_key", 1),
            group(EVENTS, "not_json", TOLERATED),
            group(EVENTS, "not_utf8", 1),
            group("wms.new.events", "not_json", TOLERATED + 1),
        ]
    )
    assert found == [
        Level(ORDERS, own, own),
        Level("wms.new.events", TOLERATED + 1, TOLERATED),
        Level(EVENTS, TOLERATED + 1, TOLERATED),
    ]
    assert [level.is_exceeded for level in found] == [False, True, True]


def test_replay_of_a_replay_names_two_origins() -> None:
    """The quarantine's map keeps one header of a name: it must be the nearest ancestor."""
    before = (("trace", b"\xff"), (sending.ORIGIN_HEADER, b"cdc.wms.orders/0/1"), (sending.REPLAY_HEADER, b"old"))
    attempt = Attempt(Place(ORDERS, 0, 2), "new", 3, None, NOW)
    assert sending.headers(attempt, Message(ORDERS, b"k", b"v", before)) == [
        ("trace", b"\xff"),
        (sending.ORIGIN_HEADER, b"cdc.wms.orders/0/2"),
        (sending.REPLAY_HEADER, b"new"),
    ]


def test_good_record_is_doubted_or_a_broken_one_is_not() -> None:
    topics = {"change": ORDERS, "event": EVENTS}
    for case in CASES:
        found = list(doubts(Message(topics[case.kind], case.key, case.value)))
        if case.reason is None:
            assert not found, case.name
    broken = [
        case for case in CASES if case.reason in ("missing_key", "bad_key", "not_json", "empty_value", "not_utf8")
    ]
    doubted = [case for case in broken if list(doubts(Message(topics[case.kind], case.key, case.value)))]
    assert len(doubted) > 0.8 * len(broken)


def test_bytes_are_guessed_or_spoil_the_terminal() -> None:
    assert views.shown(None, False) == "null"
    assert views.shown("ä {}\n".encode(), False) == "ä {}\n"
    assert views.shown(b"\xff\x00", False) == "hex ff00"
    assert views.shown(b"a\x1b[2J", False) == "hex 611b5b324a"


def test_change_far_inside_a_large_value_is_not_shown() -> None:
    start, end = "x" * 50_000, "y" * 50_000
    before, after = views.around_difference(f"{start}OLD{end}", f"{start}NEW{end}", full=False)
    assert before.startswith("…x") and before[: views.CLIP].count("OLD") == 1
    assert after[: views.CLIP].count("NEW") == 1
    assert before.endswith("more letters, --full shows them)")
    assert views.around_difference(start, end, full=True) == (start, end)


def test_open_record_counts_as_sent() -> None:
    assert record(ORDERS, 0, 1).is_open
    assert not replace(record(ORDERS, 0, 1), new_offset=0).is_open

"""What the ledger's pages say, and when that is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from wms_mesh.ledger.book import GRACE, Page

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WHOLE = Page("cdc.wms.orders", 0, 10, 19, 8, 1, 1, 0, 0, None, NOW, kafka_first=10, kafka_end=20)


def test_whole_partition_is_called_wrong() -> None:
    assert WHOLE.wrong() == []
    assert (WHOLE.waiting, WHOLE.unread) == (0, 0)


def test_old_gap_is_passed_over_or_a_young_one_called_wrong() -> None:
    old = replace(WHOLE, gaps=2, gaps_since=NOW - GRACE - timedelta(seconds=1))
    assert old.wrong() == ["cdc.wms.orders, partition 0: 2 offsets stand nowhere, since 2026-03-01 11:54:59 UTC."]
    assert replace(old, gaps_since=NOW - timedelta(seconds=4)).wrong() == []


def test_duplicate_is_passed_over() -> None:
    assert replace(WHOLE, duplicates=3).wrong() == ["cdc.wms.orders, partition 0: 3 rows stand twice."]


def test_records_before_the_first_that_was_read_are_passed_over() -> None:
    [sentence] = replace(WHOLE, kafka_first=4).wrong()
    assert "6 records before" in sentence


def test_records_on_their_way_are_not_counted() -> None:
    assert replace(WHOLE, kafka_end=25).waiting == 5
    empty = Page("cdc.wms.orders", 1, None, None, 0, 0, 0, 0, 0, None, None, kafka_first=3, kafka_end=7)
    assert (empty.waiting, empty.unread, empty.wrong()) == (4, 0, [])


def test_expired_records_of_kafka_are_called_waiting() -> None:
    assert replace(WHOLE, kafka_first=15).waiting == 0
    assert replace(WHOLE, kafka_first=20, kafka_end=20).waiting == 0

"""The shares do what they say, and only that; the same options give the same bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.simulator import Change, DocumentWrite, EventRecord, Operation, Options, changes
from ingest.simulator.defects import BROKEN_EVENTS, DOCUMENT_DEFECTS
from ingest.simulator.naming import Copier, snake_case
from ingest.simulator.options import parse_duration, parse_start
from ingest.simulator.sinks import json_line
from tests.unit.simulator.conftest import BUSY
from wms_mesh.errors import MeshError
from wms_mesh.stack import REPO, Naming

SMALL = replace(BUSY, duration=timedelta(hours=2), history_days=1)


def digest(options: Options) -> str:
    text = hashlib.sha256()
    for change in changes(options):
        text.update(json_line(change).encode())
    return text.hexdigest()


def documents(world: list[Change]) -> list[DocumentWrite]:
    return [change for change in world if isinstance(change, DocumentWrite)]


def test_same_options_give_other_bytes_in_another_process() -> None:
    program = (
        "from tests.unit.simulator.test_simulator_shares import SMALL, digest; from dataclasses import replace;"
        "print(digest(replace(SMALL, malformed=0.02)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": zone},
            cwd=REPO,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed, zone in (("0", "UTC"), ("4711", "Asia/Tokyo"))
    }
    assert found == {digest(replace(SMALL, malformed=0.02)) + "\n"}


@pytest.mark.parametrize("change", [{"seed": 6}, {"start": BUSY.start + timedelta(days=1)}])
def test_other_seed_or_start_reuses_order_ids(change: dict[str, Any]) -> None:
    def order_ids(options: Options) -> set[str]:
        return {one.document["orderId"] for one in documents(list(changes(options))) if one.collection == "orders"}

    assert not order_ids(SMALL) & order_ids(replace(SMALL, **change))


def test_restart_gives_articles_and_workers_new_ids() -> None:
    """A second run on the same database must overwrite them, not break the unique indexes."""

    def ids(options: Options) -> dict[str, bson.ObjectId]:
        found = {}
        for one in documents(list(changes(options))):
            if one.collection in ("inventory", "workers"):
                found[one.document.get("sku") or one.document["workerId"]] = one.id
        return found

    first = ids(SMALL)
    assert len(first) == len(set(first.values())) == 126 + 56
    assert first == ids(replace(SMALL, seed=9, start=SMALL.start + timedelta(days=3)))


def spelled(value: Any) -> Any:
    if isinstance(value, dict):
        return {snake_case(name): spelled(item) for name, item in value.items()}
    return [spelled(item) for item in value] if isinstance(value, list) else value


def test_naming_styles_tell_different_stories() -> None:
    camel, snake = list(changes(SMALL)), list(changes(replace(SMALL, naming=Naming.SNAKE_CASE)))
    assert len(camel) == len(snake)
    for one, other in zip(camel, snake, strict=True):
        if isinstance(one, DocumentWrite):
            assert isinstance(other, DocumentWrite)
            assert (one.at, one.id, one.operation) == (other.at, other.id, other.operation)
            assert spelled(one.document) == other.document
        else:
            assert one == other


@pytest.mark.parametrize(
    ("camel", "snake"),
    [
        ("promisedDeliveryAt", "promised_delivery_at"),
        ("labelUrl", "label_url"),
        ("street1", "street1"),
        ("_id", "_id"),
        ("isHazmat", "is_hazmat"),
        ("minTempCelsius", "min_temp_celsius"),
    ],
)
def test_field_name_converts_wrongly(camel: str, snake: str) -> None:
    assert snake_case(camel) == snake


def test_copy_shares_what_changes_later() -> None:
    source: dict[str, Any] = {"orderId": "a", "items": [{"lineNo": 1, "tags": ["x"]}], "boxSize": {"sideA": 1}}
    copy = Copier(Naming.SNAKE_CASE).document(source)
    source["items"][0]["tags"].append("y")
    source["boxSize"]["sideA"] = 2
    assert copy == {"order_id": "a", "items": [{"line_no": 1, "tags": ["x"]}], "box_size": {"side_a": 1}}


def test_malformed_share_misses_a_kind_or_moves_the_world(busy: list[Change]) -> None:
    broken = list(changes(replace(BUSY, malformed=0.1)))
    writes = documents(broken)
    damaged = Counter(write.defect for write in writes if write.defect)
    assert set(damaged) == set(DOCUMENT_DEFECTS)
    assert 0.08 < damaged.total() / len(writes) < 0.12
    records = [change for change in broken if isinstance(change, EventRecord)]
    assert {record.defect for record in records if record.defect} == {kind for kind, _ in BROKEN_EVENTS}
    # What is not damaged is the very world without damage: same ids, same times, same bytes.
    for write, clean in zip(writes, documents(busy), strict=True):
        assert (write.at, write.id, write.operation) == (clean.at, clean.id, clean.operation)
        if write.defect:
            assert bson.encode(write.document) != bson.encode(clean.document), write.defect
        else:
            assert write.document == clean.document


def test_damaged_document_breaks_the_writer() -> None:
    """MongoDB must take every damaged document: what it would refuse cannot be in the field."""
    for write in documents(list(changes(replace(SMALL, malformed=0.5)))):
        bson.encode(write.document)


def test_malformed_share_of_zero_damages(busy: list[Change]) -> None:
    assert not [change for change in busy if change.defect]


def test_share_of_zero_still_happens() -> None:
    calm = replace(SMALL, cancellations=0, deletes=0, late_updates=0, duplicates=0)
    world = list(changes(calm))
    assert not [write for write in documents(world) if write.operation is Operation.DELETE]
    ids = [dict(record.headers)["ce-id"] for record in world if isinstance(record, EventRecord)]
    assert len(ids) == len(set(ids))


def test_duplicates_share_sends_nothing_twice() -> None:
    world = list(changes(replace(SMALL, duplicates=0.2)))
    sent = Counter(dict(record.headers)["ce-id"] for record in world if isinstance(record, EventRecord))
    assert 0.15 < sum(count == 2 for count in sent.values()) / len(sent) < 0.25


def test_late_updates_do_not_reach_old_orders() -> None:
    def late(options: Options) -> int:
        """Writes to orders that were created before the simulated time began and are finished."""
        return sum(
            write.operation is Operation.SET
            and write.collection == "orders"
            and write.document["createdAt"] < options.start
            and write.document["status"] == "delivered"
            and write.document["updatedAt"] - write.document["createdAt"] > timedelta(hours=6)
            for write in documents(list(changes(options)))
        )

    assert (
        late(replace(SMALL, history_days=3, late_updates=0.5))
        > late(replace(SMALL, history_days=3, late_updates=0)) + 20
    )


def test_cancellations_share_is_ignored() -> None:
    def cancelled(share: float) -> float:
        world = changes(replace(SMALL, duration=timedelta(hours=6), history_days=0, cancellations=share, deletes=0))
        writes = [write for write in documents(list(world)) if write.collection == "orders"]
        status = {write.id: str(write.document["status"]) for write in writes}
        return Counter(status.values())["cancelled"] / len(status)

    few, many = cancelled(0), cancelled(0.5)
    assert few < 0.02
    # Some leave the building before their customer changes their mind.
    assert 0.2 < many < 0.5


def test_rate_is_ignored() -> None:
    def arrivals(rate: float) -> int:
        world = documents(list(changes(replace(SMALL, rate=rate, history_days=0))))
        return len({write.id for write in world if write.collection == "orders"})

    assert 90 < arrivals(60) < 150
    assert 850 < arrivals(480) < 1070


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 0},
        {"malformed": 1.5},
        {"deletes": -0.1},
        {"duration": timedelta(0)},
        {"history_days": -1},
        {"start": BUSY.start.replace(tzinfo=None)},
    ],
)
def test_impossible_option_is_accepted(wrong: dict[str, Any]) -> None:
    with pytest.raises(MeshError):
        replace(BUSY, **wrong)


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
def test_duration_is_read_wrongly(days: int, hours: int, minutes: int) -> None:
    assert parse_duration(f"{days}d{hours}h{minutes}m") == timedelta(days=days, hours=hours, minutes=minutes)


@pytest.mark.parametrize("text", ["", "8", "h", "8x", "8h!", "-8h", "1.5h"])
def test_wrong_duration_is_accepted(text: str) -> None:
    with pytest.raises(MeshError, match="8h"):
        parse_duration(text)


def test_start_is_read_in_local_time() -> None:
    assert parse_start("2026-03-02T06:00:00") == parse_start("2026-03-02T06:00:00Z") == BUSY.start
    assert parse_start("2026-03-02T08:00:00+02:00") == BUSY.start
    with pytest.raises(MeshError, match="instant"):
        parse_start("tomorrow")

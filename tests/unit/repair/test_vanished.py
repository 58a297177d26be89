"""The delete record of a document that vanished, against one of Debezium's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.collections import COLLECTIONS
from wms_mesh.repair.vanished import MARK, Vanished, envelope, key
from wms_mesh.stack import Stack

SAMPLE = Path(__file__).parents[2] / "fixtures" / "cdc" / "delete_d_and_tombstone.json"
FOUND = Vanished(COLLECTIONS[0], ['{"$oid": "65a000000000000000000009"}'], 5, datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.fixture
def debezium() -> dict[str, Any]:
    sample: dict[str, Any] = json.loads(SAMPLE.read_text(encoding="utf-8"))[0]
    return sample


def test_key_ends_in_another_partition(debezium: dict[str, Any]) -> None:
    assert key(FOUND.ids[0]) == debezium["key_raw"].encode()


def test_record_has_other_fields_than_debezium_s(debezium: dict[str, Any]) -> None:
    ours, theirs = envelope(FOUND, Stack.from_env({})), json.loads(debezium["value_raw"])
    assert list(ours) == list(theirs)
    assert list(ours["source"]) == list(theirs["source"])
    assert (ours["op"], ours["after"]) == (theirs["op"], theirs["after"])


def test_found_absence_looks_like_a_delete_of_the_service() -> None:
    source = envelope(FOUND, Stack.from_env({}))["source"]
    assert source["snapshot"] == MARK
    assert source["ts_ms"] == 1772366400000

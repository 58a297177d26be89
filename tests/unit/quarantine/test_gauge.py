"""The quarantine's metrics: an alert compares numbers, so none may be missing, and none may be made up."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client.core import Metric

from ingest.collections import COLLECTIONS
from ingest.topics import tolerated
from wms_mesh.errors import MeshError
from wms_mesh.quarantine import reading
from wms_mesh.quarantine.gauge import QuarantineGauge
from wms_mesh.quarantine.reading import Group
from wms_mesh.stack import Stack

ORDERS = COLLECTIONS[0].topic
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def samples(gauge: QuarantineGauge) -> dict[tuple[str, str], float]:
    families: list[Metric] = list(gauge.collect())
    return {
        (sample.name, sample.labels.get("topic", "")): sample.value for family in families for sample in family.samples
    }


def counting(monkeypatch: pytest.MonkeyPatch, *groups: Group) -> None:
    monkeypatch.setattr(reading, "groups", lambda *_: list(groups))


def test_topic_without_a_record_has_no_level(monkeypatch: pytest.MonkeyPatch) -> None:
    counting(
        monkeypatch,
        Group(ORDERS, "not_json", 9, 7, 4, NOW, NOW),
        Group(ORDERS, "bad_key", 5, 5, 3, NOW, NOW),
        Group("somebody.else", "not_json", 1, 1, 1, NOW, NOW),
    )
    gauge = QuarantineGauge(Stack.from_env({}))
    gauge.attempt()
    found = samples(gauge)
    assert found["wms_quarantine_open_records", ORDERS] == 7
    assert found["wms_quarantine_tolerated_records", ORDERS] == tolerated(ORDERS)
    assert found["wms_quarantine_open_records", COLLECTIONS[1].topic] == 0
    assert found["wms_quarantine_open_records", "somebody.else"] == 1
    assert found["wms_quarantine_counted_timestamp_seconds", ""] > NOW.timestamp()


def test_failed_count_says_that_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    gauge = QuarantineGauge(Stack.from_env({}))
    assert not [name for name, _ in samples(gauge) if "records" in name]
    counting(monkeypatch, Group(ORDERS, "not_json", 9, 7, 4, NOW, NOW))
    gauge.attempt()

    def fails(*_: object) -> list[Group]:
        raise MeshError("Trino does not answer")

    monkeypatch.setattr(reading, "groups", fails)
    gauge.attempt()
    found = samples(gauge)
    assert found["wms_quarantine_open_records", ORDERS] == 4
    assert found["wms_quarantine_failures_total", ""] == 1

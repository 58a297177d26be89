"""Replays that were cut off: what is still on its way, and what nobody can know any more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wms_mesh.quarantine import leftovers, marks, sending
from wms_mesh.quarantine.marks import Attempt
from wms_mesh.quarantine.records import Place
from wms_mesh.stack import Stack

TOPIC = "wms.orders.events"


class World:
    """Kafka and the table of marks, as the module sees them. looks: what each look into Kafka finds."""

    def __init__(self, attempts: list[Attempt], looks: list[dict[Attempt, int]], first: int | None = 0) -> None:
        self.attempts, self.looks, self.first = attempts, looks, first
        self.outcomes: dict[Place, int | None] = {}

    def find(self, stack: Stack, attempts: Iterable[Attempt]) -> dict[Attempt, int]:
        return self.looks.pop(0) if self.looks else {}

    def bounds(self, stack: Stack, places: Iterable[Place]) -> dict[tuple[str, int], tuple[int, int]]:
        return {} if self.first is None else {(place.topic, place.partition): (self.first, 100) for place in places}

    def settle(self, stack: Stack, outcomes: Iterable[tuple[Attempt, int | None]]) -> None:
        self.outcomes.update({attempt.place: offset for attempt, offset in outcomes})


def attempt(offset: int, age: timedelta = timedelta(hours=1)) -> Attempt:
    return Attempt(Place(TOPIC, 0, offset), "r", 50, None, datetime.now(UTC) - age)


def settle(monkeypatch: pytest.MonkeyPatch, world: World) -> set[Place]:
    monkeypatch.setattr(marks, "unsettled", lambda stack: world.attempts)
    monkeypatch.setattr(marks, "settle", world.settle)
    monkeypatch.setattr(sending, "find", world.find)
    monkeypatch.setattr(sending, "bounds", world.bounds)
    monkeypatch.setattr(leftovers, "_POLL_SECONDS", 0.01)
    stack = Stack.from_env({"MESH_HOME": str(Path("/nowhere"))})
    return leftovers.settle(stack, lambda text: None)


def test_record_that_arrives_late_is_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is dead, its bytes are still on their way: the first look into Kafka is too early."""
    early, late = attempt(1, timedelta()), attempt(2, timedelta())
    world = World([early, late], [{early: 50}, {}, {late: 51}])
    assert settle(monkeypatch, world) == set()
    assert world.outcomes == {early.place: 50, late.place: 51}


def test_record_that_never_arrived_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World([attempt(1)], [])
    assert settle(monkeypatch, world) == set()
    assert world.outcomes == {Place(TOPIC, 0, 1): None}


@pytest.mark.parametrize("first", [51, None], ids=["retention", "topic is gone"])
def test_record_whose_trace_is_gone_is_sent_again(first: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    found, lost = attempt(1), attempt(2)
    world = World([found, lost], [{found: 60}], first)
    assert settle(monkeypatch, world) == {lost.place}
    assert world.outcomes == {found.place: 60}

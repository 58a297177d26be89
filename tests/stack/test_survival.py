"""Engines die under load; afterwards every record is there, once."""

from __future__ import annotations

import os
import signal
from datetime import timedelta

from ingest.simulator.cli import simulate
from tests.stack.flow import arrive, load, unit_of, wait_until
from wms_mesh import ledger, lifecycle
from wms_mesh.stack import Stack

VICTIMS = ("connect", "flink-taskmanager", "flink-jobmanager", "trino")


def kill(stack: Stack, name: str) -> float:
    """kill -9 an engine; returns the seconds until the whole stack was ready again."""
    before = unit_of(stack, name)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: unit_of(stack, name).pid not in (before.pid, None), f"a new process of {name}")
    return wait_until(lambda: lifecycle.status(stack).ready, f"ready after the death of {name}")


def test_killed_engine_loses_or_doubles_a_record(running_stack: Stack) -> None:
    with load(running_stack, seed=21, duration=timedelta(hours=1)):
        for victim in VICTIMS:
            seconds = kill(running_stack, victim)
            print(f"  {victim}: whole stack ready {seconds:.0f} s after kill -9", flush=True)
    arrive(running_stack)


def test_second_up_starts_anything(running_stack: Stack) -> None:
    before = {unit.name: (unit.pid, unit.restarts) for unit in lifecycle.status(running_stack).units}
    lifecycle.up(running_stack, (), lambda _: None)
    assert {unit.name: (unit.pid, unit.restarts) for unit in lifecycle.status(running_stack).units} == before


def test_down_and_up_lose_records_or_stop_the_flow(running_stack: Stack) -> None:
    before = {(entry.topic, entry.partition): entry.distinct for entry in ledger.account(running_stack)}
    assert sum(before.values()) > 0
    lifecycle.down(running_stack, lambda _: None)
    assert all(unit.pid is None for unit in lifecycle.status(running_stack).units)
    now = lifecycle.up(running_stack, (), lambda _: None)
    print(f"  warm start: {now.ready_seconds:.0f} s, {now.total_rss_mb:,.0f} MB", flush=True)
    assert {(entry.topic, entry.partition): entry.distinct for entry in ledger.account(running_stack)} == before
    simulate(running_stack, duration=timedelta(minutes=5), seed=22)
    arrive(running_stack)
    after = sum(entry.distinct for entry in ledger.account(running_stack))
    assert after > sum(before.values())

"""Engines die under load; afterwards every record is there, once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from ingest.simulator.cli import simulate
from tests.stack.test_chain import DATA_ONLY, assert_silver_equals_mongodb, carry
from wms_mesh import ledger, lifecycle
from wms_mesh.stack import Stack
from wms_mesh.supervisor import Record

VICTIMS = ("connect", "flink-taskmanager", "flink-jobmanager", "trino")
RECOVERY_LIMIT = 240.0  # seconds; a death is noticed in a few, a restart from a checkpoint takes some tens


def unit_of(stack: Stack, name: str) -> Record:
    return next(unit for unit in lifecycle.status(stack).units if unit.name == name)


def wait_until(condition: Callable[[], bool], what: str, limit: float = RECOVERY_LIMIT) -> float:
    """Seconds until the condition held; fails after ``limit``."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < limit, f"not within {limit:.0f} s: {what}"
        time.sleep(0.5)
    return time.monotonic() - started


def kill(stack: Stack, name: str) -> float:
    """kill -9 an engine; returns the seconds until the whole stack was ready again."""
    before = unit_of(stack, name)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    wait_until(lambda: unit_of(stack, name).pid not in (before.pid, None), f"a new process of {name}")
    return wait_until(lambda: lifecycle.status(stack).ready, f"ready after the death of {name}")


def test_killed_engine_loses_or_doubles_a_record(running_stack: Stack) -> None:
    load = threading.Thread(
        target=simulate,
        args=(running_stack,),
        kwargs={"duration": timedelta(hours=1), "seed": 21, "changes_per_second": 60},
    )
    load.start()
    for victim in VICTIMS:
        seconds = kill(running_stack, victim)
        print(f"  {victim}: whole stack ready {seconds:.0f} s after kill -9", flush=True)
    load.join()
    carry(running_stack, *DATA_ONLY)
    assert_silver_equals_mongodb(running_stack)


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
    carry(running_stack, *DATA_ONLY)
    assert_silver_equals_mongodb(running_stack)
    after = sum(entry.distinct for entry in ledger.account(running_stack))
    assert after > sum(before.values())

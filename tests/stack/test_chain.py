"""The main job on simulated documents: MongoDB to gold, compared document by document."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ingest.simulator.cli import simulate
from wms_mesh import ledger, reconcile, sql, transform
from wms_mesh.stack import Stack

CONSUMERS = Path(__file__).parent / "queries" / "consumers.sql"


def carry(stack: Stack) -> None:
    """Wait until all is in bronze, then build silver and gold."""
    accounts = ledger.await_quiet(stack, progress=lambda text: print(f"  {text}", flush=True))
    assert not [entry for entry in accounts if entry.missing or entry.doubled]
    result = transform.dbt(stack, "build", quiet=True)
    assert result.returncode == 0, result.stdout[-6000:]


def assert_silver_equals_mongodb(stack: Stack) -> None:
    results = reconcile.compare(stack)
    assert {result.collection for result in results} == set(reconcile.SILVER)
    for result in results:
        assert result.documents > 0, f"no documents in {result.collection}: the comparison would prove nothing"
        assert not result.differences, result.differences[:5]


@pytest.fixture(scope="module")
def warehouse(running_stack: Stack) -> Stack:
    """The stack after a simulated morning with cancellations, deletes, late updates and malformed values."""
    simulate(running_stack, duration=timedelta(hours=2), seed=11, deletes=0.01, late_updates=0.02, malformed=0.005)
    carry(running_stack)
    return running_stack


def test_silver_differs_from_mongodb(warehouse: Stack) -> None:
    assert_silver_equals_mongodb(warehouse)


def test_query_of_a_consumer_fails_or_finds_nothing(warehouse: Stack) -> None:
    for statement in sql.statements(CONSUMERS.read_text(encoding="utf-8")):
        assert sql.query(warehouse, statement), statement


def test_second_build_changes_a_table(warehouse: Stack) -> None:
    query = "select * from gold.order_fulfillment_daily order by date, priority"
    before = sql.query(warehouse, query)
    assert before
    carry(warehouse)
    assert sql.query(warehouse, query) == before


def test_change_is_lost_or_doubled_over_a_second_day(warehouse: Stack) -> None:
    simulate(warehouse, duration=timedelta(minutes=30), seed=12, deletes=0.05, late_updates=0.1)
    carry(warehouse)
    assert_silver_equals_mongodb(warehouse)

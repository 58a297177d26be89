"""The main job on simulated documents: MongoDB to gold, compared document by document."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from ingest.simulator.cli import simulate
from tests.stack.flow import DATA_ONLY, assert_silver_equals_mongodb, carry
from wms_mesh import sql
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.stack import REPO, Stack

CONSUMERS = Path(__file__).parent / "queries" / "consumers.sql"


@pytest.fixture(scope="module")
def warehouse(running_stack: Stack) -> Stack:
    """The stack after a simulated morning with cancellations, deletes, late updates and malformed values."""
    simulate(running_stack, duration=timedelta(hours=2), seed=11, deletes=0.01, late_updates=0.02, malformed=0.005)
    carry(running_stack)
    return running_stack


def test_silver_differs_from_mongodb(warehouse: Stack) -> None:
    assert_silver_equals_mongodb(warehouse)


def test_failing_row_is_not_kept_or_a_passed_test_leaves_a_table(warehouse: Stack) -> None:
    names = [name for (name,) in sql.query(warehouse, "show tables from test_failures")]
    # The simulated morning has malformed values; that is a warning.
    assert "assert_every_value_parses" in names
    for name in names:
        assert sql.query(warehouse, f"select 1 from test_failures.{name} limit 1"), f"{name} passed"


def orders_in_picking(stack: Stack) -> int:
    """How many MongoDB has: at some hours of the simulated day nobody picks."""
    with MongoClient[dict[str, Any]](connection_string(stack)) as client:
        return client["wms"]["orders"].count_documents({"status": "picking"})


def test_query_of_a_consumer_fails_or_finds_nothing(warehouse: Stack) -> None:
    for statement in sql.statements(CONSUMERS.read_text(encoding="utf-8")):
        rows = sql.query(warehouse, statement)
        if "status = 'picking'" in statement:
            assert len(rows) == min(orders_in_picking(warehouse), 10), statement
        else:
            assert rows, statement


# What a second build may change: a snapshot is a row for each run, and a shipment can become due in between. Seeds are
# written anew each time. The promises are measured beside all builds.
CHANGING = {"active_operations_snapshot", "shipping_performance_daily", "data_product_slo", "quality_results"}
SEEDS = {path.stem for path in (REPO / "seeds").glob("*.csv")}


def snapshots(stack: Stack) -> dict[str, int]:
    """The Iceberg snapshot of every silver and gold table: a commit that changed no row shows, too."""
    tables = sql.query(
        stack,
        "select table_schema, table_name from iceberg.information_schema.tables"
        " where table_schema in ('silver', 'gold') and table_type = 'BASE TABLE' and strpos(table_name, '__') = 0",
    )
    found = {}
    for schema, name in tables:
        if name not in CHANGING | SEEDS:
            [[snapshot]] = sql.query(stack, f"select snapshot_id from {schema}.\"{name}$refs\" where name = 'main'")
            found[f"{schema}.{name}"] = snapshot
    return found


def test_second_build_changes_a_table(warehouse: Stack) -> None:
    before = snapshots(warehouse)
    models = {path.stem for layer in ("silver", "gold") for path in (REPO / "models" / layer).rglob("*.sql")}
    assert {name.split(".")[1] for name in before} <= models, "a table that no model makes"
    assert len(before) > len(models) / 2
    carry(warehouse, *DATA_ONLY)
    assert snapshots(warehouse) == before


def test_change_is_lost_or_doubled_over_a_second_day(warehouse: Stack) -> None:
    simulate(warehouse, duration=timedelta(minutes=30), seed=12, deletes=0.05, late_updates=0.1)
    carry(warehouse, *DATA_ONLY)
    assert_silver_equals_mongodb(warehouse)

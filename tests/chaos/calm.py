"""What must hold after a storm and a quiet time, and how long the stack takes to get there."""

from __future__ import annotations

import time

from wms_mesh import ledger, lifecycle, reconcile, sql, transform
from wms_mesh.stack import Stack

RECOVERY_LIMIT = 300.0  # seconds


def await_recovery(stack: Stack) -> float:
    """Seconds until every unit is ready, and connector and job have done something since the call."""
    began = time.monotonic()
    while True:
        passed = time.monotonic() - began
        waiting = _waiting(stack, passed)
        if not waiting:
            return passed
        assert passed < RECOVERY_LIMIT, f"not recovered within {RECOVERY_LIMIT:.0f} s: {'; '.join(waiting)}"
        time.sleep(0.5)


def _waiting(stack: Stack, passed: float) -> list[str]:
    now = lifecycle.status(stack)
    if not now.supervised:
        return ["no supervisor"]
    waiting = [f"{unit.name} {unit.state} {unit.reason}" for unit in now.units if unit.state != "ready"]
    details = {unit.name: unit.detail for unit in now.units}
    for unit, fact in (("connector", "heartbeat_age_s"), ("bronze-job", "checkpoint_age_seconds")):
        age = details[unit].get(fact)
        if not isinstance(age, int | float) or age > passed:
            waiting.append(f"{unit}: {fact} {age}")
    return waiting


def assert_nothing_is_lost(stack: Stack) -> None:
    """Every offset once, silver as MongoDB, every table readable to its last byte."""
    accounts = ledger.await_quiet(stack, limit=600.0, progress=lambda text: print(f"  {text}", flush=True))
    assert not [entry for entry in accounts if entry.missing or entry.doubled]
    result = transform.dbt(stack, "run", quiet=True)
    assert result.returncode == 0, result.stdout[-6000:]
    _assert_ledger_agrees(stack, accounts)
    for collection in reconcile.compare(stack):
        assert collection.documents > 0, f"no documents in {collection.collection}: the comparison would prove nothing"
        assert not collection.differences, collection.differences[:5]
    _assert_tables_are_whole(stack)


def _assert_ledger_agrees(stack: Stack, accounts: list[ledger.PartitionAccount]) -> None:
    booked = {
        (topic, number): (rows, gaps, duplicates)
        for topic, number, rows, gaps, duplicates in sql.query(
            stack,
            "select kafka_topic, kafka_partition, sum(bronze_rows + quarantined_rows + erased_rows), sum(gaps),"
            " sum(duplicates) from gold.ingest_ledger group by 1, 2",
        )
    }
    counted = {(entry.topic, entry.partition): (entry.rows, 0, 0) for entry in accounts if entry.rows}
    assert booked == counted


def _assert_tables_are_whole(stack: Stack) -> None:
    """Read every column of every row: a count alone would come from the metadata."""
    tables = sql.query(
        stack,
        "select table_schema, table_name from iceberg.information_schema.tables"
        " where table_schema in ('bronze', 'silver', 'gold') and table_type = 'BASE TABLE'",
    )
    assert len(tables) > 30
    for schema, name in tables:
        sql.query(stack, f"explain analyze select * from iceberg.{schema}.{name}")

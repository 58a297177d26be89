"""A customer and a worker are erased while the bronze job runs: nothing is left of them, and the ledger adds up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ingest.simulator.cli import simulate
from tests.stack.flow import carry
from wms_mesh import ledger, sql
from wms_mesh.erase import carry_out, command
from wms_mesh.erase.person import Kind
from wms_mesh.erase.plan import is_erasable
from wms_mesh.erase.tables import count, tables
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack


@pytest.fixture(scope="module")
def warehouse(running_stack: Stack) -> Stack:
    simulate(running_stack, duration=timedelta(minutes=30), seed=31, history_days=0)
    carry(running_stack, "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
    return running_stack


def one(stack: Stack, statement: str) -> str:
    [[value]] = sql.query(stack, statement)
    return str(value)


def rows_with(stack: Stack, text: str) -> dict[str, int]:
    found = {table.name: count(stack, table, table.mentions([text])) for table in tables(stack) if is_erasable(table)}
    return {name: rows for name, rows in found.items() if rows}


def killed(*_: object) -> None:
    raise KeyboardInterrupt


SHIPPED_CUSTOMER = """
select max(orders.customer_id) from silver.orders_current as orders
inner join silver.shipments_current as shipments on orders.order_id = shipments.order_id
where not orders.is_deleted and orders.customer_id is not null
"""
BUSY_WORKER = (
    "select max_by(worker_id, tasks_completed) from gold.labor_productivity_daily where worker_name is not null"
)


def test_dry_run_changes_a_table(warehouse: Stack) -> None:
    customer = one(warehouse, SHIPPED_CUSTOMER)
    before = rows_with(warehouse, customer)
    assert {"bronze.orders_raw", "silver.orders_current"} <= set(before)
    assert command.run(warehouse, Kind.CUSTOMER, customer, dry_run=True, yes=False) == 0
    assert rows_with(warehouse, customer) == before


@pytest.mark.parametrize(("kind", "choose"), [(Kind.CUSTOMER, SHIPPED_CUSTOMER), (Kind.WORKER, BUSY_WORKER)])
def test_erased_person_is_left_somewhere(
    warehouse: Stack, kind: Kind, choose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = one(warehouse, choose)
    held = rows_with(warehouse, person)
    days = one(warehouse, "select sum(total_orders) from gold.order_fulfillment_daily")
    records = sum(entry.distinct for entry in ledger.account(warehouse))

    # Killed behind its writes: no table knows the person any more, and their files still do.
    with monkeypatch.context() as patched:
        patched.setattr(carry_out, "rewrite", killed)
        with pytest.raises(KeyboardInterrupt):
            command.run(warehouse, kind, person, dry_run=False, yes=True)
    assert command.run(warehouse, kind, person, dry_run=False, yes=True) == 0

    assert rows_with(warehouse, person) == {}, held
    accounts = ledger.account(warehouse)
    assert not [entry for entry in accounts if entry.missing or entry.doubled]
    assert sum(entry.distinct for entry in accounts) >= records
    booked = sql.query(warehouse, "select sum(erased_rows), sum(gaps), sum(duplicates) from gold.ingest_ledger")
    listed = sql.query(warehouse, "select count(*), 0, 0 from bronze.erased_records")
    assert booked == listed
    assert int(listed[0][0]) > 0
    if kind is Kind.CUSTOMER:
        assert int(one(warehouse, "select sum(total_orders) from gold.order_fulfillment_daily")) < int(days)
    with pytest.raises(MeshError, match="nothing to erase"):
        command.run(warehouse, kind, person, dry_run=False, yes=True)

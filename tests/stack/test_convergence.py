"""The same records in any order, any batches, any number of copies give the same rows.

Seeded change logs (ties, replays, swapped partitions, late arrivals, deletes, re-creations, re-snapshots, schema
surprises, redelivered events) go into the bronze tables of a sandbox in batches. After each batch dbt runs all models,
and every table of silver and gold is compared with an oracle that is written from the contract and shares nothing with
the macros; at the end with a rebuild. Once in each group dbt is killed in the middle of a run.

Several logs share a sandbox, because one run of all models costs the same for one log as for ten. They stay
independent: a log is made of its own seed alone; its documents have ids, orders, articles, workers, carriers,
priorities and wave types of its own, so a row belongs to one log, and no log can make another's row right. Shared are
the partitions and the batches, where other logs' records only shift offsets and never the order of a log's own. Three
exceptions sum over logs: the rows of key 'unknown', silver.unknown_fields and active_operations_snapshot. A wrong log
shows there, too, unless another one is wrong by as much in the other direction, and then its own rows still show it.

MESH_CONVERGENCE_SEED and MESH_CONVERGENCE_LOGS choose the first seed and the number of logs: 20 by default, 200 at
night. A failure prints both as they repeat it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

import pytest

from tests.stack.convergence.compare import Rows, differences
from tests.stack.convergence.cuts import SHAPES, Batch, Group
from tests.stack.convergence.oracle_gold import gold
from tests.stack.convergence.oracle_silver import silver
from tests.stack.convergence.oracle_state import by_key, state
from tests.stack.convergence.records import Event, Record
from tests.stack.convergence.sandbox import Sandbox, fingerprint
from wms_mesh.stack import Stack

SEED = int(os.environ.get("MESH_CONVERGENCE_SEED", "20261123"))
LOGS = int(os.environ.get("MESH_CONVERGENCE_LOGS", "20"))
SHARING = 10  # logs of one sandbox
# Tables without documents whose order only the offset tells: a copy never writes anything there.
UNTIED = ("silver.inventory_current", "silver.inventory_days", "silver.inventory_transactions", "silver.domain_events")
LARGE = 50  # records of a batch in which every topic has some news
SHOWN = 12  # differences of one table

KEYS = {
    **dict.fromkeys(
        (
            *("orders_current", "inventory_current", "waves_current", "pick_tasks_current", "pack_tasks_current"),
            *("shipments_current", "worker_documents", "pick_tasks_enriched", "workers_current"),
        ),
        ("document_id",),
    ),
    "worker_shifts": ("document_id", "started_at"),
    "inventory_days": ("document_id", "inventory_day"),
    "inventory_transactions": ("document_id", "kafka_partition", "kafka_offset"),  # the entry itself has no id
    "domain_events": ("event_id", "event_day"),
    "parse_failures": ("table_name", "document_id", "path"),
    "unknown_fields": ("table_name", "field"),
    "worker_days": ("date", "worker_id"),
    "order_fulfillment_daily": ("date", "priority"),
    "inventory_metrics_daily": ("date", "sku"),
    "labor_productivity_daily": ("date", "worker_id"),
    "shipping_performance_daily": ("date", "carrier_code", "service_type"),
    "wave_performance_daily": ("date", "wave_type"),
    "active_operations_snapshot": ("snapshot_time",),
}
GOLD = {name for name in KEYS if name.endswith("_daily")} | {"active_operations_snapshot"}
# At the commit of one of these dbt is killed, where the batch has records of the topic.
KILLED_AT = {
    "silver.orders_current": "orders",
    "silver.pick_tasks_current": "pick_tasks",
    "silver.inventory_days": "inventory",
    "silver.inventory_transactions": "inventory",
    "silver.domain_events": "wms.orders.events",
    "gold.order_fulfillment_daily": "orders",
}


def place(table: str) -> str:
    """The table with its schema."""
    return f"{'gold' if table in GOLD else 'silver'}.{table}"


def expected(arrived: Batch, as_of: datetime) -> dict[str, Rows]:
    """Every table, by the oracle."""
    tables = silver(
        [record for record in arrived if isinstance(record, Record)],
        [record for record in arrived if isinstance(record, Event)],
    )
    return tables | gold(tables, as_of)


def assert_equals_oracle(sandbox: Sandbox, arrived: Batch, as_of: datetime, when: str) -> None:
    """Compare all tables; fails with what differs in each."""
    wrong = []
    for table, rows in expected(arrived, as_of).items():
        found = sandbox.rows(place(table))
        if table == "active_operations_snapshot":
            found = [row for row in found if row["snapshot_time"] == as_of]
        lines = differences(rows.values(), found, KEYS[table])
        if lines:
            wrong.append("\n  ".join([f"{place(table)}: {len(lines)} differences", *lines[:SHOWN]]))
    assert not wrong, f"{when}:\n" + "\n".join(wrong)


def tied(records: Batch) -> set[str]:
    """Documents whose newest record only the offset tells: its coordinates may be those of another copy."""
    histories = by_key(record for record in records if isinstance(record, Record))
    return {key for key, history in histories.items() if state(history).is_tied}


@pytest.fixture(scope="module")
def sandbox(resting_stack: Stack) -> Iterator[Sandbox]:
    """A sandbox that is gone afterwards."""
    box = Sandbox(resting_stack)
    yield box
    box.drop()


@pytest.mark.parametrize("number", range(-(-LOGS // SHARING)))
def test_any_batches_of_disordered_logs_converge(sandbox: Sandbox, number: int) -> None:
    logs = min(SHARING, LOGS - number * SHARING)
    seed = SEED + number
    # Even seeds arrive in pieces, odd ones at once: the seed alone repeats the group.
    group = Group(seed, logs, SHAPES[seed % len(SHAPES)])
    repeat = f"repeat it with MESH_CONVERGENCE_SEED={seed} MESH_CONVERGENCE_LOGS={logs}"
    print(f"\n{logs} logs of seed {seed}, {group.shape}: {repeat}", flush=True)
    sandbox.create()

    arrived: Batch = []
    batches = group.batches()
    # Of what arrives at once, the second batch is copies: nobody commits anything.
    large = [turn for turn, batch in enumerate(batches) if len(batch) > LARGE]
    killed = group.choose.choice(large) if group.shape == "in_pieces" else 0
    for turn, (batch, as_of) in enumerate(zip(batches, group.clock(len(batches)), strict=True)):
        sandbox.insert(batch)
        arrived += batch
        if turn == killed:
            topics = {record.topic for record in batch}
            table = group.choose.choice([table for table, topic in KILLED_AT.items() if topic in topics])
            assert sandbox.run_and_kill(as_of, table), f"dbt ended before a commit to {table}; {repeat}"
        if turn == len(batches) - 1:
            sandbox.forget_watermarks()
        commits = [sandbox.snapshots(table) for table in UNTIED]
        sandbox.run(as_of)
        if turn and group.shape == "at_once":
            assert [sandbox.snapshots(table) for table in UNTIED] == commits, f"copies were written; {repeat}"
        assert_equals_oracle(sandbox, arrived, as_of, f"After batch {turn + 1} of {len(batches)}; {repeat}")

    open_coordinates = tied(arrived)
    tables = [place(table) for table in KEYS]
    incremental = {table: fingerprint(sandbox.rows(table), open_coordinates) for table in tables}
    sandbox.run(as_of, "--full-refresh")
    for table in tables:
        rebuilt = fingerprint(sandbox.rows(table), open_coordinates)
        assert rebuilt == incremental[table], f"{table} differs from its rebuild; {repeat}"

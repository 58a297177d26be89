"""Mending while the warehouse works: nothing is taken back, doubled or missing, and readers never see less."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import NewPartitions
from pymongo import MongoClient

from ingest.connector.rest import Connect
from ingest.simulator.cli import simulate
from tests.stack.flow import arrive, assert_silver_equals_mongodb, load, unit_of, wait_until
from wms_mesh import ledger, sql, transform
from wms_mesh.engines.kafka import admin
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.errors import MeshError
from wms_mesh.repair import rebuild, recapture, resnapshot, vanished
from wms_mesh.stack import REPO, Stack

ORDERS = "cdc.wms.orders"
PARTITIONS = 6  # the topic has three


def quiet(_: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture(scope="module")
def snapshots(running_stack: Stack) -> list[resnapshot.Outcome]:
    """Orders read twice while they change, and their topic gets more partitions in between; then all is in silver."""
    outcomes: list[resnapshot.Outcome] = []
    simulate(running_stack, duration=timedelta(minutes=20), seed=30)  # there is something to read from the start
    with load(running_stack, seed=31):
        outcomes.append(resnapshot.run(running_stack, resnapshot.plan(running_stack, "orders", None), quiet))
        with admin(running_stack) as client:
            client.create_partitions({ORDERS: NewPartitions(PARTITIONS)})
        # Its producer looks at a topic's partitions again within 5 minutes, and when it starts.
        Connect(running_stack.url("connect")).restart(only_failed=False)
        outcomes.append(resnapshot.run(running_stack, resnapshot.plan(running_stack, "orders", None), quiet))
    simulate(running_stack, duration=timedelta(minutes=5), seed=32, late_updates=0.5)
    arrive(running_stack)
    return outcomes


def test_resnapshot_takes_back_a_change_or_reads_nothing(
    running_stack: Stack, snapshots: list[resnapshot.Outcome]
) -> None:
    assert all(one.documents > 0 and one.records > 0 for one in snapshots), snapshots
    assert_silver_equals_mongodb(running_stack)
    [[written]] = sql.query(running_stack, "select count(*) from bronze.orders_raw where snapshot = 'incremental'")
    # The restart in between can send the end of the first one again.
    assert written >= sum(one.documents for one in snapshots) / 2


def test_signal_becomes_a_document(running_stack: Stack, snapshots: list[resnapshot.Outcome]) -> None:
    with admin(running_stack) as client:
        assert [topic for topic in client.list_topics() if "signal" in topic] == []
    with MongoClient[dict[str, Any]](connection_string(running_stack)) as client:
        assert client["mesh_signals"]["debezium_signals"].count_documents({}) == 0


def test_filter_is_ignored(running_stack: Stack, snapshots: list[resnapshot.Outcome]) -> None:
    everything = resnapshot.plan(running_stack, "orders", None)
    some = resnapshot.plan(running_stack, "orders", '{"priority": "same_day"}')
    assert 0 < some.matching < everything.matching
    assert resnapshot.run(running_stack, some, quiet) == resnapshot.Outcome(some.matching, some.matching)


def test_added_partition_is_not_read(running_stack: Stack, snapshots: list[resnapshot.Outcome]) -> None:
    """That documents are not reordered either is shown by the comparison above: their keys moved meanwhile."""
    rows = {at.partition: at.rows for at in ledger.account(running_stack) if at.topic == ORDERS}
    assert sorted(rows) == list(range(PARTITIONS))
    assert all(rows.values()), rows


def damage(stack: Stack, table: str, key: str) -> None:
    """Rows that are gone, and rows that say something else."""
    sql.query(stack, f"delete from {table} where mod(from_big_endian_64(xxhash64(to_utf8({key}))), 7) = 0")


@contextmanager
def reader(stack: Stack, table: str) -> Iterator[list[int]]:
    """Counts a table's rows all the time while the body runs."""
    counts: list[int] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            counts.append(sql.query(stack, f"select count(*) from {table}")[0][0])

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield counts
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    ("model", "key"), [("orders_current", "document_id"), ("order_fulfillment_daily", "cast(date as varchar)")]
)
def test_reader_sees_fewer_rows_during_a_rebuild(
    running_stack: Stack, snapshots: list[resnapshot.Outcome], model: str, key: str
) -> None:
    table = rebuild.table(running_stack, model)
    [[whole]] = sql.query(running_stack, f"select count(*) from {table}")
    damage(running_stack, table, key)
    with reader(running_stack, table) as counts:
        outcome = rebuild.run(running_stack, model, table)
    assert outcome.after == whole
    assert outcome.differing >= whole - outcome.before
    assert counts and set(counts) <= {outcome.before, whole}
    assert_silver_equals_mongodb(running_stack)


def test_killed_rebuild_changes_the_table_or_leaves_one(
    running_stack: Stack, snapshots: list[resnapshot.Outcome]
) -> None:
    def beside() -> list[str]:
        return [
            row[0]
            for row in sql.query(running_stack, "show tables from silver like 'orders_current\\_\\_re%' escape '\\'")
        ]

    def snapshot() -> int:
        return int(
            sql.query(running_stack, "select snapshot_id from silver.\"orders_current$refs\" where name = 'main'")[0][0]
        )

    def works() -> bool:
        running = sql.query(running_stack, "select query from system.runtime.queries where state = 'RUNNING'")
        return any("orders_current__rebuild" in text and "system.runtime" not in text for (text,) in running)

    before = snapshot()
    arguments = ["run", "--full-refresh", "--select", "orders_current"]
    process = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("dbt")),
            *arguments,
            *transform.variables(running_stack, cdc_window_records=50),
        ],
        cwd=REPO,
        env=transform.environment(running_stack),
        stdout=subprocess.DEVNULL,
    )
    wait_until(lambda: bool(beside()), "a table beside the one that is rebuilt")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_until(lambda: not works(), "the last statement of the killed run")
    assert beside()
    assert snapshot() == before
    assert rebuild.run(running_stack, "orders_current", "silver.orders_current").differing == 0
    assert beside() == []
    assert snapshot() == before


def test_history_that_stands_nowhere_else_is_rebuilt(running_stack: Stack) -> None:
    with pytest.raises(MeshError, match="rebuilding would lose it"):
        rebuild.table(running_stack, "active_operations_snapshot")


def test_lost_place_is_not_said_or_not_mended(running_stack: Stack, snapshots: list[resnapshot.Outcome]) -> None:
    """Documents change and go while the connector is away for longer than the oplog remembers."""
    rest = Connect(running_stack.url("connect"))
    rest.stop()
    simulate(running_stack, duration=timedelta(minutes=5), seed=34)
    with MongoClient[dict[str, Any]](connection_string(running_stack)) as client:
        tasks = client["wms"]["pack_tasks"]
        gone = [f'{{"$oid": "{one["_id"]}"}}' for one in tasks.find({}, {"_id": 1}).sort("_id", 1).limit(3)]
        for one in tasks.find({}, {"_id": 1}).sort("_id", 1).limit(3):
            tasks.delete_one({"_id": one["_id"]})
        client["wms"].command("forgetJournal", 1)
    rest.resume()
    wait_until(lambda: "./mesh recapture" in unit_of(running_stack, "connector").reason, "a word about the lost place")

    outcome = recapture.run(running_stack, quiet)
    lost = {document for one in outcome.vanished for document in one.ids}
    assert set(gone) <= lost
    assert vanished.mark(running_stack, outcome.vanished) == len(lost)
    arrive(running_stack)
    names = ", ".join(f"'{document}'" for document in gone)
    marked = sql.query(
        running_stack,
        "select silver.is_deleted, bronze.snapshot from silver.pack_tasks_current as silver"
        " inner join bronze.pack_tasks_raw as bronze"
        " on silver.document_id = bronze.document_id and silver.kafka_partition = bronze.kafka_partition"
        f" and silver.kafka_offset = bronze.kafka_offset where silver.document_id in ({names})",
    )
    assert marked == [[True, vanished.MARK]] * len(gone)

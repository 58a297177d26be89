"""What the tests of the stack have in common: changes go in, and are waited for until they have arrived."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from ingest.simulator.cli import simulate
from wms_mesh import ledger, lifecycle, reconcile, sql, transform
from wms_mesh.refresher.schedule import LAST_BACKOFF
from wms_mesh.stack import Stack
from wms_mesh.supervisor import Record

DATA_ONLY = ("--exclude-resource-type", "unit_test")  # unit tests prove the code, and take a minute
RECOVERY_LIMIT = 240.0  # seconds; a death is noticed in a few, a restart from a checkpoint takes some tens
# A change is in bronze after seconds; then its product is due within a minute, and waits behind the others.
ARRIVAL_LIMIT = 240.0 + LAST_BACKOFF


def unit_of(stack: Stack, name: str) -> Record:
    return next(unit for unit in lifecycle.status(stack).units if unit.name == name)


def wait_until(condition: Callable[[], bool], what: str, limit: float = RECOVERY_LIMIT) -> float:
    """Seconds until the condition held; fails after ``limit``."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < limit, f"not within {limit:.0f} s: {what}"
        time.sleep(0.5)
    return time.monotonic() - started


@contextmanager
def load(stack: Stack, seed: int, duration: timedelta = timedelta(minutes=20)) -> Iterator[None]:
    """60 changes a second while the body runs; waits for their end."""
    writing = threading.Thread(
        target=simulate,
        args=(stack,),
        kwargs={"duration": duration, "seed": seed, "changes_per_second": 60, "deletes": 0.02},
    )
    writing.start()
    try:
        yield
    finally:
        writing.join()


def await_bronze(stack: Stack) -> None:
    """Wait until all that Kafka has is in bronze; fails when a record is not there, or twice."""
    accounts = ledger.await_quiet(stack, progress=lambda text: print(f"  {text}", flush=True))
    assert not [entry for entry in accounts if entry.missing or entry.doubled]


def carry(stack: Stack, *options: str) -> None:
    """Wait until all is in bronze, then build silver, gold and semantic; ``options`` go to dbt."""
    await_bronze(stack)
    result = transform.dbt(stack, "build", *options, quiet=True)
    assert result.returncode == 0, result.stdout[-6000:]


def await_silver(stack: Stack) -> None:
    """Wait until the refresher has brought silver up to MongoDB, document by document."""
    seconds = wait_until(lambda: _silver_equals_mongodb(stack), "silver equal to MongoDB", ARRIVAL_LIMIT)
    print(f"  silver equals MongoDB after {seconds:.0f} s", flush=True)


def arrive(stack: Stack) -> None:
    """Wait until every change is in bronze, each once, and in silver, as the running stack does it by itself."""
    await_bronze(stack)
    await_silver(stack)


def furnish(stack: Stack) -> None:
    """See that there is data in every table; what the tests before have left behind will do.

    The refresher makes empty tables within a minute, so a table's being there says nothing.
    """
    made = sql.query(stack, "select 1 from information_schema.tables where table_name = 'order_fulfillment_daily'")
    if made and sql.query(stack, "select 1 from gold.order_fulfillment_daily limit 1"):
        return
    simulate(stack, duration=timedelta(hours=2), seed=11, deletes=0.01, late_updates=0.02, malformed=0.005)
    carry(stack, *DATA_ONLY)


def assert_silver_equals_mongodb(stack: Stack) -> None:
    results = reconcile.compare(stack)
    assert {result.collection for result in results} == set(reconcile.SILVER)
    for result in results:
        assert result.documents > 0, f"no documents in {result.collection}: the comparison would prove nothing"
        assert not result.differences, result.differences[:5]


def _silver_equals_mongodb(stack: Stack) -> bool:
    made = {name for (name,) in sql.query(stack, "show tables from silver")}
    if not {table for table, _ in reconcile.SILVER.values()} <= made:
        return False  # on a fresh stack the refresher makes them within a minute
    results = reconcile.compare(stack)
    return all(result.documents and not result.differences for result in results)

"""The promises, measured on a running stack: each one turns red for its own reason, and for no other."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dbt.contracts.graph.manifest import Manifest
from pymongo import MongoClient

from tests.stack.flow import await_silver, furnish
from wms_mesh import reconcile, sql, transform, turns
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.slo.measure import measure, measure_and_keep
from wms_mesh.slo.project import manifest
from wms_mesh.slo.promises import promises
from wms_mesh.slo.verdict import Measurement
from wms_mesh.stack import REPO, Stack

# The load before it may have been faster than the machine; what became visible in the last moment is nothing.
NO_WINDOW = timedelta(milliseconds=1)


@pytest.fixture(scope="module")
def warehouse(running_stack: Stack) -> Stack:
    """The stack at rest; what the tests before have left behind will do."""
    furnish(running_stack)
    await_silver(running_stack)
    return running_stack


@pytest.fixture(scope="module")
def project(warehouse: Stack) -> Manifest:
    return manifest(warehouse)


def measured(stack: Stack, project: Manifest, *products: str, window: timedelta = NO_WINDOW) -> dict[str, Measurement]:
    found = measure_and_keep(stack, promises(project, products), window, lambda text: print(f"  {text}", flush=True))
    return {one.product: one for one in found.rows}


def exit_code(product: str) -> int:
    """Of the command line, over what was measured last."""
    return subprocess.run(
        [REPO / "mesh", "slo", "--no-measure", "--product", product], cwd=REPO, check=False, stdout=subprocess.DEVNULL
    ).returncode


def touch(stack: Stack, collection: str, times: int = 1) -> datetime:
    """Change a document in place; returns when it began."""
    began = datetime.now(UTC)
    with MongoClient[dict[str, Any]](connection_string(stack)) as client:
        table = client["wms"][collection]
        [one] = table.find({}, {"_id": 1}).sort("_id", 1).limit(1)
        for number in range(times):
            table.update_one({"_id": one["_id"]}, {"$set": {"zone": f"ZONE-{began.timestamp()}-{number}"}})
    return began


def count(stack: Stack, table: str) -> int:
    [[rows]] = sql.query(stack, f"select count(*) from silver.{table} where not is_deleted")
    return int(rows)


def test_kept_promise_is_called_broken(warehouse: Stack, project: Manifest) -> None:
    found = measured(warehouse, project)
    assert len(found) == 8
    compared = {result.collection: result for result in reconcile.compare(warehouse)}
    for promise in promises(project):
        one = found[promise.product]
        documents = sum(compared[collection.name].documents for collection in promise.collections)
        assert (one.documents, one.current_rows, one.compared, one.agreeing) == (documents,) * 4, promise.product
        assert (one.missing, one.extra, one.excluded, one.freshness_seconds, one.is_met) == (0, 0, 0, 0.0, True)
    assert exit_code("orders-dp") == 0


def test_changes_of_the_window_are_miscounted(warehouse: Stack, project: Manifest) -> None:
    began = touch(warehouse, "waves", times=5)
    await_silver(warehouse)
    one = measured(warehouse, project, "waves-dp", window=datetime.now(UTC) - began)["waves-dp"]
    assert one.delayed_changes == 5
    assert one.delay_p50_seconds is not None
    assert one.delay_p99_seconds is not None
    assert 0 < one.delay_p50_seconds <= one.delay_p99_seconds < one.delay_window_seconds + 1


def test_document_that_changes_meanwhile_is_an_error(warehouse: Stack, project: Manifest) -> None:
    with ExitStack() as held:
        held.enter_context(turns.turn(transform.locks(warehouse), "test_slo", print))
        touch(warehouse, "waves")
        said: list[str] = []

        def say(text: str) -> None:
            if text.startswith("waiting for") and not said:
                touch(warehouse, "waves")
                held.close()
                said.append(text)

        [one] = measure(warehouse, promises(project, ["waves-dp"]), NO_WINDOW, say).rows
    assert said
    assert (one.excluded, one.missing, one.extra, one.compared - one.agreeing) == (1, 0, 0, 0)
    assert one.is_complete
    assert one.freshness_seconds > 0


def test_change_that_does_not_arrive_is_fresh(warehouse: Stack, project: Manifest) -> None:
    await_silver(warehouse)
    [promise] = promises(project, ["inventory-dp"])
    with turns.turn(transform.locks(warehouse), "test_slo", print):
        began = touch(warehouse, "inventory")
        [one] = measure(warehouse, [replace(promise, freshness=2.0)], NO_WINDOW).rows
    assert one.breaches == ["freshness"]
    age = (one.measured_at - began).total_seconds()
    assert age - 5 < one.freshness_seconds < age + 1, (
        "the age of that change; a real MongoDB cuts its time to the second"
    )
    await_silver(warehouse)


def test_damage_turns_another_promise_red(warehouse: Stack, project: Manifest) -> None:
    def some(table: str) -> str:
        """So many rows that a promise of 99.9 % is broken."""
        return f"select document_id from silver.{table} where not is_deleted limit {count(warehouse, table) // 500 + 1}"

    names = [row[0] for row in sql.query(warehouse, "show columns from silver.shipments_current")]
    unknown = "'{\"$oid\": \"' || reverse(substr(document_id, 11, 24)) || '\"}'"
    columns = ", ".join(unknown if name == "document_id" else name for name in names)
    with turns.turn(transform.locks(warehouse), "test_slo", print):
        for statement in (
            f"delete from silver.waves_current where document_id in ({some('waves_current')})",
            "update silver.inventory_current set velocity_class = 'none'"
            f" where document_id in ({some('inventory_current')})",
            f"insert into silver.shipments_current select {columns} from silver.shipments_current"
            f" where document_id in ({some('shipments_current')})",
        ):
            sql.query(warehouse, statement)
    found = measured(warehouse, project, "orders-dp", "waves-dp", "inventory-dp", "shipping-dp")
    assert {name: one.breaches for name, one in found.items()} == {
        "orders-dp": [],
        "waves-dp": ["completeness"],
        "inventory-dp": ["accuracy"],
        "shipping-dp": ["completeness"],
    }
    assert found["waves-dp"].missing == found["waves-dp"].documents // 500 + 1
    assert found["waves-dp"].extra == found["shipping-dp"].missing == 0
    assert found["shipping-dp"].extra == found["shipping-dp"].documents // 500 + 1
    assert found["inventory-dp"].compared - found["inventory-dp"].agreeing == found["inventory-dp"].documents // 500 + 1
    assert [exit_code(product) for product in ("orders-dp", "waves-dp", "inventory-dp")] == [0, 1, 1]

    damaged = ["waves_current", "inventory_current", "shipments_current"]
    result = transform.dbt(warehouse, "run", "--full-refresh", "--select", *damaged, quiet=True)
    assert result.returncode == 0, result.stdout[-3000:]
    await_silver(warehouse)

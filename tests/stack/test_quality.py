"""The checkpoints on a running stack: green on a simulated day, and red for each planted fault, with its own name."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from tests.stack.flow import furnish
from wms_mesh import sql
from wms_mesh.quality import health, pages, suites, table
from wms_mesh.quality.regular import Regular
from wms_mesh.quality.run import run
from wms_mesh.quality.table import Result
from wms_mesh.stack import REPO, Stack

PREFIX = "quality_"
BUCKETS = {"silver": "wms-silver", "gold": "wms-gold"}
TABLES = sorted({one.batch.table for suite in suites.load() for one in suite.expectations})
PLACES = 12  # rows of each table that a fault can be planted in
# Rows in which nothing is missing that a fault needs, in this order; what the key of a row is.
SOUND = {
    "silver.orders_current": ("not is_deleted and created_at is not null", "order_id"),
    "silver.inventory_current": ("not is_deleted and cardinality(locations) > 0", "sku"),
    "silver.waves_current": ("not is_deleted and created_at is not null", "wave_id"),
    "silver.pick_tasks_current": ("not is_deleted and created_at is not null", "task_id"),
    "silver.pack_tasks_current": ("not is_deleted and created_at is not null", "task_id"),
    "silver.shipments_current": (
        "not is_deleted and created_at is not null and tracking_number is not null",
        "shipment_id",
    ),
    "silver.workers_current": ("not is_deleted", "worker_id"),
    "gold.order_fulfillment_daily": ("total_orders > 0", "cast(date as varchar) || '/' || priority"),
    "gold.shipping_performance_daily": (
        "shipments_count > 0",
        "cast(date as varchar) || '/' || carrier_code || '/' || service_type",
    ),
}
ORDER_LINE = "array(row(sku varchar, quantity bigint, weight double, unit_price double))"
PICK_LINE = (
    "array(row(sku varchar, product_name varchar, quantity bigint, picked_qty bigint, location row(location_id varchar,"
    " aisle varchar, rack bigint, level bigint, position varchar, zone varchar), status varchar, tote_id varchar,"
    " picked_at timestamp(6) with time zone, verified_at timestamp(6) with time zone, notes varchar))"
)
PLACE = "array(row(location_id varchar, zone varchar, aisle varchar, rack bigint, level bigint, quantity bigint))"
SKILL = "array(row(skill_type varchar, level bigint, certified_at timestamp(6) with time zone))"
EARLIER = "created_at - interval '1' hour"


@dataclass(frozen=True)
class Fault:
    """What is wrong in the row at a place of a table, and the expectation that has to say so.

    columns: by their name, what stands there instead; {0} is the key of the first row. key: what the row is then
    called, when not by its own key.
    """

    expectation: str
    table: str
    place: int
    columns: dict[str, str]
    key: str = "{own}"


FAULTS = [
    Fault("orders_dp.order_id_is_unique", "silver.orders_current", 1, {"order_id": "'{0}'"}, "{0}"),
    Fault("orders_dp.order_id_has_its_form", "silver.orders_current", 2, {"order_id": "'ORDER 7'"}, "ORDER 7"),
    Fault("orders_dp.order_id_is_there", "silver.orders_current", 3, {"order_id": "null"}, "None"),
    Fault("orders_dp.status_is_known", "silver.orders_current", 4, {"status": "'lost'"}),
    Fault("orders_dp.priority_is_known", "silver.orders_current", 5, {"priority": "'whenever'"}),
    Fault("orders_dp.updated_after_created", "silver.orders_current", 6, {"updated_at": EARLIER}),
    Fault(
        "orders_dp.line_quantity_is_positive",
        "silver.orders_current",
        7,
        {"items": f"cast(array[row('SKU-TENT-001', -1, 1.0, 1.0)] as {ORDER_LINE})"},
        "{own}/SKU-TENT-001",
    ),
    Fault("inventory_dp.sku_is_unique", "silver.inventory_current", 1, {"sku": "'{0}'"}, "{0}"),
    Fault(
        "inventory_dp.hard_allocated_quantity_is_not_negative",
        "silver.inventory_current",
        2,
        {"hard_allocated_quantity": "-1"},
    ),
    Fault(
        "inventory_dp.available_quantity_is_not_negative", "silver.inventory_current", 3, {"available_quantity": "-3"}
    ),
    Fault(
        "inventory_dp.location_id_has_its_form",
        "silver.inventory_current",
        4,
        {"locations": f"cast(array[row('shelf 7', 'ZONE-A', 'A', 1, 1, 5)] as {PLACE})"},
        "{own}/shelf 7",
    ),
    Fault(
        "inventory_dp.location_zone_is_known",
        "silver.inventory_current",
        5,
        {"locations": f"cast(array[row('LOC-A-001', 'ZONE-X', 'A', 1, 1, 5)] as {PLACE})"},
        "{own}/LOC-A-001",
    ),
    Fault("waves_dp.status_is_known", "silver.waves_current", 1, {"status": "'lost'"}),
    Fault(
        "waves_dp.completed_after_released",
        "silver.waves_current",
        2,
        {"released_at": "created_at", "completed_at": EARLIER},
    ),
    Fault(
        "picking_dp.picked_within_asked",
        "silver.pick_tasks_current",
        1,
        {
            "items": "cast(array[row('SKU-TENT-001', 'Tent', 2, 3, row('LOC-A-001', 'A', 1, 1, '', 'ZONE-A'), 'picked',"
            f" '', null, null, '')] as {PICK_LINE})"
        },
        "{own}/SKU-TENT-001",
    ),
    Fault(
        "picking_dp.completed_after_started",
        "silver.pick_tasks_current",
        2,
        {"assigned_at": "created_at", "started_at": "created_at", "completed_at": EARLIER},
    ),
    Fault("packing_dp.carrier_is_known", "silver.pack_tasks_current", 1, {"carrier_code": "'PIGEON'"}),
    Fault("shipping_dp.carrier_is_known", "silver.shipments_current", 1, {"carrier_code": "'PIGEON'"}),
    Fault(
        "shipping_dp.ups_tracking_number_has_its_form",
        "silver.shipments_current",
        2,
        {"carrier_code": "'UPS'", "tracking_number": "'TRK000000000000'"},
    ),
    Fault(
        "shipping_dp.labeled_shipment_has_a_number",
        "silver.shipments_current",
        3,
        {"labeled_at": "created_at", "tracking_number": "null"},
    ),
    Fault(
        "shipping_dp.delivered_after_shipped",
        "silver.shipments_current",
        4,
        {
            "labeled_at": "created_at",
            "shipped_at": "created_at",
            "actual_delivery": EARLIER,
            "estimated_delivery": "null",
        },
    ),
    Fault("shipping_dp.on_time_rate_is_a_share", "gold.shipping_performance_daily", 1, {"on_time_rate": "1.5"}),
    Fault("labor_dp.accuracy_rate_is_a_share", "silver.workers_current", 1, {"accuracy_rate": "98.5"}),
    Fault(
        "labor_dp.skill_level_is_on_the_scale",
        "silver.workers_current",
        2,
        {"skills": f"cast(array[row('picking', 9, null)] as {SKILL})"},
        "{own}/picking",
    ),
    Fault(
        "fulfillment_dp.every_order_is_accounted_for",
        "gold.order_fulfillment_daily",
        1,
        {"in_progress_orders": "in_progress_orders + 1"},
    ),
]


@pytest.fixture(scope="module")
def warehouse(running_stack: Stack) -> Stack:
    """The stack with every table built; what the tests before have left behind will do."""
    furnish(running_stack)
    return running_stack


@pytest.fixture(scope="module")
def found(warehouse: Stack) -> dict[str, Result]:
    """What the refresher's own way of running the checkpoints finds on the real tables, by the expectation's id."""
    checks = Regular(warehouse, 3600)
    checks.once()
    assert checks.health
    return {one.expectation_id: one for one in table.newest(warehouse)}


def own_keys(stack: Stack, name: str) -> list[str]:
    sound, key = SOUND[name]
    return [str(key) for [key] in sql.query(stack, f"select {key} from {name} where {sound} order by 1 limit {PLACES}")]


def copy(stack: Stack, name: str, faults: list[Fault], keys: list[str]) -> None:
    """The table in the sandbox, with the faults in it."""
    target = f"iceberg.{PREFIX}{name}"
    if not faults:
        sql.query(stack, f"create table {target} as select * from {name}")
        return
    sound, key = SOUND[name]
    columns = []
    for [column, *_] in sql.query(stack, f"show columns from {name}"):
        wrong = [(fault.place, fault.columns[column].format(*keys)) for fault in faults if column in fault.columns]
        cases = " ".join(f"when {place} then {value}" for place, value in wrong)
        columns.append(f"case place {cases} else {column} end as {column}" if cases else column)
    sql.query(
        stack,
        f"""
        create table {target} as
        select {", ".join(columns)}
        from (
            select *, if(coalesce({sound}, false), -1 + row_number() over (
                partition by coalesce({sound}, false) order by {key}
            )) as place
            from {name}
        )
        """,
    )


@pytest.fixture(scope="module")
def sandbox(warehouse: Stack) -> Iterator[dict[str, set[str]]]:
    """Copies of all tables with every fault in them; yields the keys that each expectation has to name."""

    def drop() -> None:
        for schema in BUCKETS:
            sql.query(warehouse, f"drop schema if exists iceberg.{PREFIX}{schema} cascade")

    drop()
    for schema, bucket in BUCKETS.items():
        location = f"s3://{bucket}/{PREFIX}{schema}"
        sql.query(warehouse, f"create schema iceberg.{PREFIX}{schema} with (location = '{location}')")
    keys = {name: own_keys(warehouse, name) for name in SOUND}
    faults = {name: [fault for fault in FAULTS if fault.table == name] for name in TABLES}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: copy(warehouse, name, faults[name], keys.get(name, [])), TABLES))
    expected: dict[str, set[str]] = {}
    for fault in FAULTS:
        own = keys[fault.table]
        expected.setdefault(fault.expectation, set()).add(fault.key.format(*own, own=own[fault.place]))
    yield expected
    drop()


def test_simulated_day_is_red_or_unchecked(warehouse: Stack, found: dict[str, Result]) -> None:
    assert set(found) == {one.id for suite in suites.load() for one in suite.expectations}
    bad = {one.expectation_id: (one.keys, one.observed) for one in found.values() if one.is_unhealthy}
    assert not bad
    assert health(warehouse) == {suite.product: [] for suite in suites.load()}
    assert all(one.evaluated_rows > 0 for one in found.values() if one.table_name == "silver.orders_current")


def test_pages_are_missing_or_need_the_internet(warehouse: Stack, found: dict[str, Result]) -> None:
    folder = pages.folder(warehouse)
    index = (folder / pages.INDEX).read_text(encoding="utf-8")
    for suite in suites.load():
        assert f'href="{suite.product}/index.html"' in index
        assert (folder / suite.product / "index.html").is_file()
    everything = [page.read_text(encoding="utf-8") for page in folder.rglob("*.html")]
    assert len(everything) > 2 * len(suites.load())
    assert not [page for page in everything if pages._FOREIGN.search(page)]
    why = found["orders_dp.status_is_known"].message
    assert any(why.split(":")[0] in page for page in everything), "why it stands is what a reader looks for"


def test_fault_is_not_seen_or_another_one_is_named(
    warehouse: Stack, found: dict[str, Result], sandbox: dict[str, set[str]]
) -> None:
    command = [str(REPO / "mesh"), "quality", "--full", "--schema-prefix", PREFIX]
    ran = subprocess.run(command, cwd=REPO, check=False, capture_output=True, text=True)
    assert ran.returncode == 1, ran.stderr
    rows = {one.expectation_id: one for one in table.newest(warehouse, PREFIX)}
    red = {name for name, one in rows.items() if not one.is_success}
    before = {name for name, one in found.items() if not one.is_success}
    assert red - before == set(sandbox)
    assert not [one.observed for one in rows.values() if "error" in json.loads(one.observed)]
    for name, keys in sandbox.items():
        named = set(rows[name].keys)
        assert named == keys, name
        assert name in ran.stdout
        assert all(key in ran.stdout for key in keys), name
        assert rows[name].failed_rows >= len(keys)
    unhealthy = {product for product, failed in health(warehouse, PREFIX).items() if failed}
    assert unhealthy == {f"{name.split('_')[0]}-dp" for name in sandbox}
    assert len(sandbox) >= 10


def test_mended_row_leaves_its_product_unhealthy(warehouse: Stack, sandbox: dict[str, set[str]]) -> None:
    damaged = sorted({fault.table for fault in FAULTS})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: sql.query(warehouse, f"drop table iceberg.{PREFIX}{name}"), damaged))
        list(pool.map(lambda name: copy(warehouse, name, [], []), damaged))
    results = {one.expectation_id: one for one in run(warehouse, suites.load(), prefix=PREFIX)}
    assert not [name for name in sandbox if not results[name].is_success]
    assert not [product for product, failed in health(warehouse, PREFIX).items() if failed]
    # What had passed is not looked at again, since nothing of it was computed anew; what speaks of all rows is.
    assert results["inventory_dp.movement_type_is_known"].evaluated_rows == 0
    assert results["inventory_dp.sku_is_unique"].evaluated_rows > 0


def test_changed_row_is_not_looked_at(warehouse: Stack, sandbox: dict[str, set[str]]) -> None:
    [key, *_] = own_keys(warehouse, "silver.waves_current")
    now = f"timestamp '{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC'"
    change = f"update {PREFIX}silver.waves_current set status = '{{}}', processing_time = {now} where wave_id = '{key}'"
    sql.query(warehouse, change.format("lost"))
    results = {one.expectation_id: one for one in run(warehouse, suites.load(["waves"]), prefix=PREFIX)}
    one = results["waves_dp.status_is_known"]
    assert (one.is_success, one.evaluated_rows, one.failed_rows, one.keys) == (False, 1, 1, [key])
    assert health(warehouse, PREFIX)["waves-dp"] == ["waves_dp.status_is_known"]
    # A run in which nothing changed is no proof that the row was mended.
    run(warehouse, suites.load(["waves"]), prefix=PREFIX)
    assert health(warehouse, PREFIX)["waves-dp"] == ["waves_dp.status_is_known"]

"""Which rows an expectation looks at, what is kept of a run, and what makes a product unhealthy."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from wms_mesh.quality import run, suites, table, view
from wms_mesh.quality.parts import Found
from wms_mesh.quality.table import Mark, Result
from wms_mesh.stack import REPO, Stack

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
[ORDERS] = suites.load(["orders"])
STACK = Stack.from_env({"MESH_HOME": "/nonexistent"})


def all_passed(at: datetime = NOW) -> dict[str, Mark]:
    return {one.id: Mark(at, one.definition) for one in ORDERS.expectations}


def since(known: dict[str, Mark]) -> dict[str, datetime | None]:
    return {plan.name: plan.since for plan in run.plan(ORDERS, known)}


def result(name: str = "orders_dp.status_is_known", *, is_success: bool = False, severity: str = "critical") -> Result:
    return Result(
        run_id="r",
        run_at=NOW,
        data_product="orders-dp",
        suite="orders_dp_quality",
        expectation_id=name,
        expectation_type="expect_column_values_to_be_in_set",
        table_name="silver.orders_current",
        column_name="status",
        severity=severity,
        is_success=is_success,
        evaluated_rows=10,
        failed_rows=0 if is_success else 2,
        failed_keys="[]" if is_success else '["ORD-1", "ORD-2"]',
        observed="{}",
        message="why",
    )


def test_row_is_looked_at_again_or_never() -> None:
    assert since({}) == {"orders.all": None, "orders.changed": None, "lines.changed": None}
    assert since(all_passed()) == {"orders.all": None, "orders.changed": NOW, "lines.changed": NOW}


def test_rows_of_a_failure_are_passed_over_in_the_next_run() -> None:
    known = all_passed() | {
        "orders_dp.status_is_known": Mark(NOW - timedelta(hours=3), ORDERS.expectations[5].definition)
    }
    assert ORDERS.expectations[5].id == "orders_dp.status_is_known"
    assert since(known)["orders.changed"] == NOW - timedelta(hours=3)
    del known["orders_dp.status_is_known"]
    assert since(known)["orders.changed"] is None


def test_changed_expectation_is_believed_of_old_rows() -> None:
    assert since(all_passed() | {"orders_dp.status_is_known": Mark(NOW, "another")})["orders.changed"] is None
    assert since(all_passed() | {"orders_dp.status_is_known": Mark(None, "")})["orders.changed"] is None
    one = next(one for one in ORDERS.expectations if one.id == "orders_dp.status_is_known")
    fewer = replace(one, kwargs={**one.kwargs, "value_set": one.kwargs["value_set"][1:]})
    other_rows = replace(one, batch=replace(one.batch, query="select * from {table}"))
    assert len({one.definition, fewer.definition, other_rows.definition}) == 3


def test_uniqueness_or_a_share_is_judged_by_new_rows_alone() -> None:
    [whole] = [plan for plan in run.plan(ORDERS, all_passed()) if plan.name == "orders.all"]
    names = {one.id.removeprefix("orders_dp.") for one in whole.expectations}
    assert names == {"orders_are_there", "order_id_is_unique", "created_at_is_mostly_there"}


def test_query_reads_other_rows_than_planned() -> None:
    batch = ORDERS.expectations[0].batch
    assert batch.rows() == "select * from (select * from silver.orders_current where not is_deleted) as batch"
    assert batch.rows("q_", NOW) == (
        "select * from (select * from q_silver.orders_current where not is_deleted) as batch"
        " where processing_time > timestamp '2026-03-01 12:00:00.000000 UTC'"
    )


def test_kept_result_hides_keys_or_where_the_run_came_to() -> None:
    [plan] = [plan for plan in run.plan(ORDERS, all_passed()) if plan.name == "orders.changed"]
    plan = replace(plan, until=NOW + timedelta(hours=1), count=7)
    one = plan.expectations[0]
    kept = run._result("r", NOW, ORDERS, plan, one, Found(False, None, 30, [f"ORD-{n}" for n in range(30)], ["lost"]))
    assert (kept.evaluated_rows, kept.failed_rows, len(kept.keys)) == (7, 30, table.KEYS)
    observed = json.loads(kept.observed)
    assert observed["value"] == ["lost"]
    assert table._mark(observed) == Mark(NOW + timedelta(hours=1), one.definition)
    broken = run._result("r", NOW, ORDERS, plan, one, Found(False, error="no such column"))
    assert view.error(broken) == "no such column"


def test_warning_or_a_retired_expectation_makes_a_product_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        result("orders_dp.status_is_known"),
        result("orders_dp.priority_is_known", is_success=True),
        result("orders_dp.promised_after_created", severity="warning"),
        result("orders_dp.retired_long_ago"),
        replace(result("waves_dp.status_is_known", is_success=True), data_product="waves-dp"),
    ]

    def answer(stack: Stack, statement: str) -> list[list[Any]]:
        return (
            [[getattr(row, field.name) for field in fields(Result)] for row in rows]
            if "place <= 1" in statement
            else []
        )

    monkeypatch.setattr("wms_mesh.history.sql.query", answer)
    assert table.health(STACK) == {"orders-dp": ["orders_dp.status_is_known"], "waves-dp": []}


def test_failure_is_shown_without_its_rows_or_below_the_healthy() -> None:
    healthy = replace(result(is_success=True), data_product="inventory-dp")
    console = Console(width=240, record=True)
    console.print(view.table([healthy, result()]))
    shown = console.export_text()
    assert shown.index("orders-dp") < shown.index("inventory-dp")
    assert "unhealthy" in shown
    broken = replace(result("orders_dp.promised_after_created", severity="warning"), failed_keys="[]")
    assert view.failures([broken, healthy, result()]) == [
        "critical: orders_dp.status_is_known (silver.orders_current status): 2 of 10 rows: ORD-1, ORD-2\n    why",
        "warning: orders_dp.promised_after_created (silver.orders_current status): observed None\n    why",
    ]


def test_line_of_the_health_names_nobody() -> None:
    assert "not checked yet" in view.sentence({})
    assert view.sentence({"orders-dp": [], "waves-dp": []}) == "Quality: all 2 products are healthy."
    said = view.sentence({"orders-dp": ["orders_dp.status_is_known"], "waves-dp": []})
    assert said.startswith("Quality: 1 of 2 products unhealthy: orders-dp (orders_dp.status_is_known).")
    assert (REPO / "docs" / "runbooks" / "quality.md").is_file(), "the line points there"

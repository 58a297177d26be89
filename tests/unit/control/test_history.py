"""The tables that only grow, without an engine."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from tests.unit.quality.test_quality_run import STACK, result
from wms_mesh.history import History
from wms_mesh.quality.table import TABLE as QUALITY
from wms_mesh.slo.table import TABLE as SLO
from wms_mesh.stack import REPO

TABLES = pytest.mark.parametrize("table", [QUALITY, SLO], ids=lambda table: table.name)


@TABLES
def test_row_and_table_have_other_columns(table: History[Any]) -> None:
    assert [field.name for field in fields(table.row)] == [column.name for column in table.columns]


@TABLES
def test_dbt_describes_another_table_than_is_created(table: History[Any]) -> None:
    [source] = yaml.safe_load((REPO / "models/gold/quality/sources.yml").read_text(encoding="utf-8"))["sources"]
    [described] = [one for one in source["tables"] if one["name"] == table.name]
    assert (f"iceberg.{source['schema']}.{described['name']}", described["description"]) == (
        table.place(),
        table.comment,
    )
    assert [(one["name"], one["data_type"], one["description"]) for one in described["columns"]] == [
        (column.name, column.type, column.comment) for column in table.columns
    ]
    assert table.ddl().startswith(f"create table if not exists iceberg.gold.{table.name} (")


def test_text_with_a_quote_ends_the_statement(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("wms_mesh.history.sql.query", lambda _, statement: said.append(statement))
    QUALITY.add(STACK, [replace(result(), message="it's", column_name=None)])
    assert "'it''s'" in said[-1]
    assert ", null, 'critical', false, 10, 2, " in said[-1]


def test_newest_row_is_in_another_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime.fromisoformat("2026-03-01T13:00:00+01:00")
    values = [getattr(replace(result(), run_at=at), field.name) for field in fields(QUALITY.row)]
    monkeypatch.setattr("wms_mesh.history.sql.query", lambda *_: [values])
    [one] = QUALITY.newest(STACK, "expectation_id")
    assert (one.run_at, one.run_at.tzinfo) == (at, UTC)

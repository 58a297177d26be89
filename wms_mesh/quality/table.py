"""gold.quality_results: made when it is missing, added to, read. Nothing in it is ever changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from ingest.bronze.tables import Column
from wms_mesh import sql
from wms_mesh.quality.suites import load
from wms_mesh.slo.point import literal
from wms_mesh.stack import Stack

SCHEMA, NAME = "gold", "quality_results"
COMMENT = (
    "How each data product kept what its owner promises of its rows: one row for each expectation of quality/ and run, "
    "history kept. A failed critical one makes its product unhealthy until a later run of it passes."
)
_TIME, _TEXT, _COUNT = "timestamp(6) with time zone", "varchar", "bigint"

COLUMNS = (
    Column("run_id", _TEXT, "The run; the same for all its rows."),
    Column("run_at", _TIME, "When the run began, UTC."),
    Column("data_product", _TEXT, "Data product, as models/groups.yml names it."),
    Column("suite", _TEXT, "Suite of the expectation, <product>_dp_quality."),
    Column("expectation_id", _TEXT, "Name of the expectation, the same in every run."),
    Column("expectation_type", _TEXT, "Kind of expectation, as Great Expectations calls it."),
    Column("table_name", _TEXT, "Table whose rows were checked, schema.table."),
    Column("column_name", _TEXT, "Column, several with commas; NULL when the expectation speaks of the table."),
    Column("severity", _TEXT, "critical or warning."),
    Column("is_success", "boolean", "True when the expectation holds."),
    Column(
        "evaluated_rows",
        _COUNT,
        "Rows that were looked at: all, or those computed since the expectation passed when it speaks of single rows.",
    ),
    Column("failed_rows", _COUNT, "Rows that fail; 0 for an expectation that speaks of the table."),
    Column("failed_keys", _TEXT, "Keys of failing rows as a JSON array of texts, at most 20. PII: can be worker ids."),
    Column(
        "observed",
        _TEXT,
        "As a JSON object: value, what was seen, left out when it is personal; since and until, the times of the rows "
        "looked at; definition, which "
        "changes with what is expected; error, why it could not be checked.",
    ),
    Column("message", _TEXT, "Why the expectation stands."),
)
KEYS = 20  # of failing rows that are kept


@dataclass(frozen=True)
class Result:
    """A row of gold.quality_results; COLUMNS describes them, with these names."""

    run_id: str
    run_at: datetime
    data_product: str
    suite: str
    expectation_id: str
    expectation_type: str
    table_name: str
    column_name: str | None
    severity: str
    is_success: bool
    evaluated_rows: int
    failed_rows: int
    failed_keys: str
    observed: str
    message: str

    @property
    def keys(self) -> list[str]:
        """Keys of failing rows."""
        return [str(key) for key in json.loads(self.failed_keys)]

    @property
    def is_unhealthy(self) -> bool:
        """Whether it makes its product unhealthy."""
        return not self.is_success and self.severity == "critical"


@dataclass(frozen=True)
class Mark:
    """Up to where an expectation passed: rows computed until then, under a definition."""

    until: datetime | None
    definition: str


def ddl(prefix: str = "") -> str:
    """The statement that creates the table when it is missing. prefix: before the schema, a sandbox's."""
    columns = ",\n".join(f"    {column.name} {column.type} comment {_text(column.comment)}" for column in COLUMNS)
    return f"""create table if not exists iceberg.{prefix}{SCHEMA}.{NAME} (
{columns}
)
comment {_text(COMMENT)}
with (partitioning = array['month(run_at)'], max_commit_retry = 20)"""


def add(stack: Stack, results: Sequence[Result], prefix: str = "") -> None:
    """Append one row each, in one commit."""
    rows = ", ".join(f"({', '.join(map(_literal, astuple(one)))})" for one in results)
    sql.query(stack, f"insert into {prefix}{SCHEMA}.{NAME} ({_names()}) values {rows}")


def newest(stack: Stack, prefix: str = "") -> list[Result]:
    """The last result of every expectation that the suites still have."""
    sql.query(stack, ddl(prefix))
    rows = sql.query(
        stack,
        f"""
        select {_names()}
        from (
            select *, row_number() over (partition by expectation_id order by run_at desc) as place
            from {prefix}{SCHEMA}.{NAME}
        )
        where place = 1
        order by data_product, expectation_id
        """,
    )
    known = {one.id for suite in load() for one in suite.expectations}
    found = []
    for row in rows:
        values: list[Any] = [value.astimezone(UTC) if isinstance(value, datetime) else value for value in row]
        found.append(Result(*values))
    return [one for one in found if one.expectation_id in known]


def marks(stack: Stack, prefix: str = "") -> dict[str, Mark]:
    """Up to where each expectation passed, by its id; none for one that never did."""
    sql.query(stack, ddl(prefix))
    rows = sql.query(
        stack,
        f"select expectation_id, max_by(observed, run_at) from {prefix}{SCHEMA}.{NAME}"
        " where is_success group by expectation_id",
    )
    return {name: _mark(json.loads(observed)) for name, observed in rows}


def health(stack: Stack, prefix: str = "") -> dict[str, list[str]]:
    """The failed critical expectations of each data product, by its name: an empty list is a healthy product.

    A product that was never checked is not there. Raises MeshError when Trino does not answer.
    """
    found: dict[str, list[str]] = {}
    for one in newest(stack, prefix):
        failed = found.setdefault(one.data_product, [])
        if one.is_unhealthy:
            failed.append(one.expectation_id)
    return found


def _mark(observed: dict[str, Any]) -> Mark:
    until = observed.get("until")
    return Mark(datetime.fromisoformat(until) if until else None, str(observed.get("definition", "")))


def _names() -> str:
    return ", ".join(field.name for field in fields(Result))


def _literal(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return literal(value)
    return _text(value) if isinstance(value, str) else f"{value!r}"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

"""gold.quality_results: made when it is missing, added to, read. Nothing in it is ever changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ingest.bronze.tables import Column
from wms_mesh import sql
from wms_mesh.history import History
from wms_mesh.quality.suites import load
from wms_mesh.stack import Stack

_COMMENT = (
    "How each data product kept what its owner promises of its rows: one row for each expectation of quality/ and run, "
    "history kept. A failed critical one makes its product unhealthy until a later run of it passes."
)
_TIME, _TEXT, _COUNT = "timestamp(6) with time zone", "varchar", "bigint"

_COLUMNS = (
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
    """A row of gold.quality_results, described by the columns below, with these names."""

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


TABLE = History("quality_results", _COMMENT, _COLUMNS, "run_at", Result)


def newest(stack: Stack, prefix: str = "") -> list[Result]:
    """The last result of every expectation that the suites still have, by product. prefix: of a sandbox's schemas."""
    known = {one.id for suite in load() for one in suite.expectations}
    found = [one for one in TABLE.newest(stack, "expectation_id", prefix=prefix) if one.expectation_id in known]
    return sorted(found, key=lambda one: (one.data_product, one.expectation_id))


def marks(stack: Stack, prefix: str = "") -> dict[str, Mark]:
    """Up to where each expectation passed, by its id; none for one that never did."""
    sql.query(stack, TABLE.ddl(prefix))
    rows = sql.query(
        stack,
        f"select expectation_id, max_by(observed, run_at) from {TABLE.place(prefix)}"
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

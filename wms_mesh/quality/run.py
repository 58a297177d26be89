"""Run the checkpoints, where that is enough on what changed since an expectation passed, and keep the results."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from wms_mesh import sql
from wms_mesh.errors import MeshError
from wms_mesh.quality import pages, table
from wms_mesh.quality.parts import Found, Part
from wms_mesh.quality.suites import Batch, Expectation, Suite
from wms_mesh.quality.table import Mark, Result
from wms_mesh.stack import Stack

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is looked at for some expectations of one batch.

    since: only rows computed after it, None for all. until: the newest row at the beginning, None when there is none.
    count: rows that are looked at.
    """

    name: str
    batch: Batch
    expectations: tuple[Expectation, ...]
    since: datetime | None
    until: datetime | None = None
    count: int = 0


def run(
    stack: Stack, suites: Sequence[Suite], full: bool = False, prefix: str = "", say: Say = lambda _: None
) -> list[Result]:
    """Check each product, and add the results to the table.

    full: look at all rows. prefix: before the schemas, a sandbox's. say: told which product is checked.
    Raises MeshError when Trino does not answer, or a table is not built yet.
    """
    from wms_mesh.quality import gx

    _require_tables(stack, suites, prefix)
    known = {} if full else table.marks(stack, prefix)
    run_id, run_at = uuid.uuid4().hex[:12], datetime.now(UTC)
    results: list[Result] = []
    for suite in suites:
        say(f"{suite.checkpoint}: {len(suite.expectations)} expectations")
        plans = _counted(stack, plan(suite, known), prefix)
        with pages.written(stack, suite) as folder:
            found = gx.check(
                sql.alchemy(stack), suite, [_part(one, prefix) for one in plans], run_id, run_at, folder, table.KEYS
            )
        for one in plans:
            results.extend(_result(run_id, run_at, suite, one, each, found[each.id]) for each in one.expectations)
    table.TABLE.add(stack, results, prefix)
    if not prefix:
        pages.index(stack, table.newest(stack))
    return results


def plan(suite: Suite, known: Mapping[str, Mark]) -> list[Plan]:
    """The expectations of a suite by the rows that they look at. known: up to where each passed.

    Expectations of one batch are checked together, so the one that is furthest behind says from where.
    """
    plans = []
    for batch in dict.fromkeys(one.batch for one in suite.expectations):
        mine = [one for one in suite.expectations if one.batch == batch]
        whole = tuple(one for one in mine if one.is_table_wide)
        single = tuple(one for one in mine if not one.is_table_wide)
        if whole:
            plans.append(Plan(f"{batch.name}.all", batch, whole, None))
        if single:
            plans.append(Plan(f"{batch.name}.changed", batch, single, _since(single, known)))
    return plans


def _since(expectations: Sequence[Expectation], known: Mapping[str, Mark]) -> datetime | None:
    passed = []
    for one in expectations:
        mark = known.get(one.id)
        if mark is None or mark.until is None or mark.definition != one.definition:
            return None
        passed.append(mark.until)
    return min(passed)


def _counted(stack: Stack, plans: Sequence[Plan], prefix: str) -> list[Plan]:
    """The same with count and until. The newest row is looked up before the check: what is computed meanwhile is
    perhaps checked, and once more in the next run."""
    parts = []
    for number, one in enumerate(plans):
        newest = f"(select max({one.batch.changed}) from ({one.batch.rows(prefix)}))"
        parts.append(f"select {number}, count(*), {newest} from ({one.batch.rows(prefix, one.since)})")
    rows = {number: (count, newest) for number, count, newest in sql.query(stack, " union all ".join(parts))}
    return [
        Plan(one.name, one.batch, one.expectations, one.since, _utc(rows[number][1]), rows[number][0])
        for number, one in enumerate(plans)
    ]


def _utc(moment: datetime | None) -> datetime | None:
    return moment if moment is None else moment.astimezone(UTC)


def _part(one: Plan, prefix: str) -> Part:
    return Part(one.name, one.batch.rows(prefix, one.since), one.batch.key, one.expectations)


def _result(run_id: str, run_at: datetime, suite: Suite, plan: Plan, one: Expectation, found: Found) -> Result:
    observed = {
        "value": found.value,
        "since": plan.since and plan.since.isoformat(),
        "until": plan.until and plan.until.isoformat(),
        "definition": one.definition,
        **({"error": found.error} if found.error else {}),
    }
    return Result(
        run_id=run_id,
        run_at=run_at,
        data_product=suite.product,
        suite=suite.name,
        expectation_id=one.id,
        expectation_type=one.type,
        table_name=plan.batch.table,
        column_name=one.column,
        severity=one.severity,
        is_success=found.is_success,
        evaluated_rows=plan.count if found.evaluated is None else found.evaluated,
        failed_rows=found.failed,
        failed_keys=json.dumps(found.keys[: table.KEYS], ensure_ascii=False),
        observed=json.dumps(observed, default=str, ensure_ascii=False),
        message=one.why,
    )


def _require_tables(stack: Stack, suites: Sequence[Suite], prefix: str) -> None:
    """Names what is missing in one sentence, where Trino would fail at the first."""
    needed = {prefix + one.batch.table for suite in suites for one in suite.expectations}
    schemas = ", ".join(f"'{name.split('.')[0]}'" for name in sorted(needed))
    tables = sql.query(
        stack,
        "select table_schema || '.' || table_name from iceberg.information_schema.tables"
        f" where table_schema in ({schemas})",
    )
    missing = sorted(needed - {name for [name] in tables})
    if missing:
        raise MeshError(
            f"Not built yet: {', '.join(missing)}. The refresher does it within minutes (`./mesh status` shows it),"
            " `./mesh refresh --once` does it now."
        )

"""Measure the promises now: look, wait until silver has passed the common point, look again at what differed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from wms_mesh import reconcile, sql
from wms_mesh.errors import MeshError
from wms_mesh.reconcile import Difference
from wms_mesh.slo import delay, table
from wms_mesh.slo.arrival import Candidates, Say, settle
from wms_mesh.slo.judge import Judgement
from wms_mesh.slo.look import look
from wms_mesh.slo.promises import Promise
from wms_mesh.slo.timing import timed
from wms_mesh.slo.verdict import Measurement, verdict
from wms_mesh.stack import Stack

DEFAULT_WINDOW = timedelta(minutes=15)
# Beyond the shortest freshness that is promised of a collection: who has not come to the point by then is late.
SLACK = 15.0  # seconds


@dataclass(frozen=True)
class Measured:
    """What a run found. examples: some of the differences that count as errors, by product."""

    rows: list[Measurement]
    examples: dict[str, list[Difference]]


def measure(
    stack: Stack, promises: Sequence[Promise], window: timedelta = DEFAULT_WINDOW, say: Say = lambda _: None
) -> Measured:
    """One measurement of each promise. It lasts until silver has read what MongoDB holds now, a minute or two.

    window: how far back delays are counted. say: told what is waited for.
    Raises MeshError when Trino, Kafka or MongoDB does not answer, or a table is not built yet.
    """
    _require_tables(stack, promises)
    candidates = {}
    for collection in sorted({one for promise in promises for one in promise.collections}, key=lambda one: one.name):
        say(f"comparing {collection.name} with {delay.silver(collection)}")
        first = look(stack, collection)
        before = reconcile.documents(stack, collection, first.candidates)
        limit = min(promise.freshness for promise in promises if collection in promise.collections) + SLACK
        candidates[collection.name] = Candidates(collection, first, before, limit)
    settled = settle(stack, candidates, datetime.now(UTC), say)

    rows, examples = [], {}
    for promise in promises:
        say(f"timing the changes of {promise.product}")
        parts = [settled[one.name] for one in promise.collections]
        judgement = sum((part.judgement for part in parts), Judgement())
        freshness, delays = timed(stack, promise, settled, window)
        moment = max(part.moment for part in parts)
        rows.append(verdict(promise, moment, freshness, delays, window.total_seconds(), judgement))
        examples[promise.product] = judgement.examples
    return Measured(rows, examples)


def measure_and_keep(
    stack: Stack, promises: Sequence[Promise], window: timedelta = DEFAULT_WINDOW, say: Say = lambda _: None
) -> Measured:
    """Measure, and add the rows to the table."""
    measured = measure(stack, promises, window, say)
    table.TABLE.add(stack, measured.rows)
    return measured


def _require_tables(stack: Stack, promises: Sequence[Promise]) -> None:
    """Names what is missing in one sentence, where Trino would fail at the first."""
    needed = {delay.silver(one) for promise in promises for one in promise.collections}
    needed |= {f"gold.{promise.follower}" for promise in promises if promise.follower}
    tables = sql.query(
        stack,
        "select table_schema || '.' || table_name from iceberg.information_schema.tables"
        " where table_schema in ('silver', 'gold')",
    )
    missing = sorted(needed - {name for [name] in tables})
    if missing:
        raise MeshError(
            f"Not built yet: {', '.join(missing)}. The refresher does it within minutes (`./mesh status` shows it),"
            " `./mesh refresh --once` does it now."
        )

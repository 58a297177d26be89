"""When each change became visible: from the history of the watermarks, which every run writes after its merge.

A watermark's own time is later than the commit that it speaks of, so no delay is too short. (The rows' processing_time
would not do: the next merge overwrites it, and a change that was superseded within a minute would look a run late.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter

from ingest.collections import Collection
from wms_mesh import sql
from wms_mesh.history import literal
from wms_mesh.reconcile import SILVER
from wms_mesh.stack import Stack


@dataclass(frozen=True)
class Run:
    """A run of a model. positions: by source and partition, as macros/cdc/watermarks.sql writes them."""

    recorded_at: datetime
    positions: dict[tuple[str, int], int]


@dataclass(frozen=True)
class Step:
    """The offsets of a partition that one run took in, ``high`` exclusive, and when they were visible."""

    partition: int
    low: int
    high: int
    visible_at: datetime


@dataclass(frozen=True)
class History:
    """What happened to a table. begun_at: since when it is kept; a rebuild begins it anew."""

    begun_at: datetime
    runs: list[Run]

    def steps(self, source: str) -> list[Step]:
        """What each run but the oldest took in of one topic."""
        found = []
        for before, run in zip(self.runs, self.runs[1:], strict=False):
            for (name, partition), high in run.positions.items():
                low = before.positions.get((name, partition), 0)
                if name == source and low < high:
                    found.append(Step(partition, low, high, run.recorded_at))
        return found


@dataclass(frozen=True)
class Delays:
    """Seconds from event time to visible, of so many changes; None when nothing became visible."""

    changes: int = 0
    p50: float | None = None
    p99: float | None = None


def history(stack: Stack, table: str, since: datetime) -> History:
    """The runs of a model (``silver.orders_current``) since a moment, after one that says how far it had come."""
    schema, name = table.split(".")
    marks = f"{name}__watermarks"
    snapshots = sql.query(
        stack,
        f'select snapshot_id, made_current_at from {schema}."{marks}$history"'
        " where is_current_ancestor order by made_current_at",
    )
    begun_at, newest = snapshots[0][1].astimezone(UTC), snapshots[-1][0]
    start, started_at = max((pair for pair in snapshots if pair[1] < since), key=itemgetter(1), default=snapshots[0])
    known = sql.query(
        stack,
        f"select source, source_partition, max_by(next_position, run), max_by(recorded_at, run)"
        f" from {schema}.{marks} for version as of {start} group by source, source_partition",
    )
    base = Run(
        max((row[3].astimezone(UTC) for row in known), default=started_at.astimezone(UTC)),
        {(source, partition): position for source, partition, position, _ in known},
    )
    runs: dict[int, Run] = {}
    if start != newest:
        changes = f"iceberg.system.table_changes('{schema}', '{marks}', {start}, {newest})"
        query = f"""
            select run, recorded_at, source, source_partition, next_position
            from table({changes}) where _change_type = 'insert' order by run
        """
        for number, recorded_at, source, partition, position in sql.query(stack, query):
            run = runs.setdefault(number, Run(recorded_at.astimezone(UTC), {}))
            run.positions[source, partition] = position
    return History(begun_at, [base, *runs.values()])


def followed(
    source: History, topic: str, commits: dict[int, datetime], follower: Iterable[Run], table: str
) -> list[Step]:
    """The steps of a silver table as they became visible in a gold table that follows it.

    commits: the silver table's snapshots. A run of the follower has read a step when its snapshot is not older than the
    last commit before that step's watermark. Steps that it has not read are left out.
    """
    read = [(commits.get(run.positions.get((table, 1), 0)), run.recorded_at) for run in follower]
    found = []
    for step in source.steps(topic):
        last = max((moment for moment in commits.values() if moment <= step.visible_at), default=step.visible_at)
        seen = [recorded_at for snapshot, recorded_at in read if snapshot is not None and snapshot >= last]
        if seen:
            found.append(Step(step.partition, step.low, step.high, min(seen)))
    return found


def commits(stack: Stack, table: str) -> dict[int, datetime]:
    """The snapshots of a table that are still known, with their times."""
    schema, name = table.split(".")
    query = f'select snapshot_id, committed_at from {schema}."{name}$snapshots"'
    return {snapshot: moment.astimezone(UTC) for snapshot, moment in sql.query(stack, query)}


def delays(stack: Stack, taken: Sequence[tuple[Collection, Sequence[Step], datetime]]) -> Delays:
    """Nearest-rank percentiles over all changes in these steps.

    taken: collection, steps, and since when its table is kept: older changes came with its first load, as a snapshot's
    records did, and say nothing of the way. A change that was sent twice counts as of its first copy.
    """
    parts = [_delays_sql(collection, steps, begun_at) for collection, steps, begun_at in taken if steps]
    if not parts:
        return Delays()
    [[changes, p50, p99]] = sql.query(
        stack,
        f"""
        select cardinality(delay), element_at(delay, rank_50), element_at(delay, rank_99)
        from (
            select
                array_sort(array_agg(delay)) as delay,
                cast(ceiling(count(*) * 0.50) as bigint) as rank_50,
                cast(ceiling(count(*) * 0.99) as bigint) as rank_99
            from ({" union all ".join(parts)})
        )
        """,
    )
    return Delays(changes or 0, p50, p99)


def _delays_sql(collection: Collection, steps: Sequence[Step], begun_at: datetime) -> str:
    values = ", ".join(f"({one.partition}, {one.low}, {one.high}, {literal(one.visible_at)})" for one in steps)
    # As literals, too: with them Trino leaves out the files of older offsets.
    ranges = " or ".join(
        f"(change.kafka_partition = {partition} and change.kafka_offset >= {low} and change.kafka_offset < {high})"
        for partition, low, high in _outlines(steps)
    )
    return f"""
        select to_unixtime(min(step.visible_at)) - to_unixtime(change.source_ts) as delay
        from bronze.{collection.bronze_table} as change
        inner join (values {values}) as step (number, low, high, visible_at)
            on change.kafka_partition = step.number
            and change.kafka_offset >= step.low and change.kafka_offset < step.high
        where change.op in ('c', 'u', 'd') and change.source_ts >= {literal(begun_at)} and ({ranges})
        group by change.document_id, change.op, change.source_ts, change.source_ord
    """


def _outlines(steps: Sequence[Step]) -> list[tuple[int, int, int]]:
    partitions = sorted({step.partition for step in steps})
    own = {partition: [step for step in steps if step.partition == partition] for partition in partitions}
    return [(at, min(step.low for step in own[at]), max(step.high for step in own[at])) for at in partitions]


def silver(collection: Collection) -> str:
    """The table that shows a collection, with its schema."""
    return f"silver.{SILVER[collection.name][0]}"

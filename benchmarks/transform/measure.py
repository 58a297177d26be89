"""The measurement: a table of each size, changes of each kind, and for each what three ways of applying it cost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.transform.documents import Collection
from benchmarks.transform.runner import Project, Run, RunError
from benchmarks.transform.sandbox import ORDERS_CURRENT, ORDERS_MERGE, ORDERS_RAW, WATERMARKS, Sandbox
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

ENGINE = "current_state"
REBUILD = "full rebuild"
MERGE = "merge by key"
PLACES = ("recent", "spread")
SHARES = (0.001, 0.01, 0.1)

# The one product whose refresh with nothing new is timed, and how often.
PRODUCT = "orders"
REFRESHES = 5

# A change of more documents than this takes a minute and repeats within a few percent.
_REPEATED_UP_TO = 100_000
# Trino opens at most 100 partitions (days) for each writer.
_INSERT_DAYS = 50
# Bronze files of the changes, by their partition: what both ways read.
_CHANGES = f"(select * from {ORDERS_RAW} where ingested_at >= timestamp '2026-11-01 00:00:00 UTC')"


@dataclass(frozen=True)
class Change:
    """``count`` documents get a new status; the newest ones, or some that lie evenly over all."""

    place: str
    count: int


@dataclass(frozen=True)
class Measurement:
    """One way (``engine``) of applying one change to a table of ``documents``; ``table`` is what it writes.

    failure: why there are no runs.
    """

    documents: int
    change: Change
    engine: str
    table: str
    runs: tuple[Run, ...]
    failure: str = ""


@dataclass(frozen=True)
class Refresh:
    """Seconds that a refresh of one product took when nothing was new."""

    documents: int
    in_process: tuple[float, ...]
    from_shell: tuple[float, ...]


@dataclass
class Results:
    """All that was measured, as far as it went."""

    per_day: int
    started_load: float = field(default_factory=lambda: os.getloadavg()[0])
    measurements: list[Measurement] = field(default_factory=list)
    refreshes: list[Refresh] = field(default_factory=list)


class Benchmark:
    """Measures in the sandbox of a running stack. ``say`` gets a line for each step."""

    def __init__(self, stack: Stack, sizes: Sequence[int], per_day: int, runs: int, say: Callable[[str], None]) -> None:
        self._sandbox = Sandbox(stack)
        self._sizes = sorted(sizes)
        self._runs = runs
        self._say = say
        self.results = Results(per_day)
        self._project = Project(stack)
        self._query = self._project.compiled("orders_current").replace(
            f"from {_quoted(ORDERS_RAW)}", f"from {_CHANGES}"
        )
        self._plain = Project(stack, Path(__file__).parent / "plain_merge", {"new_rows": self._query})

    def run(self, save: Callable[[Results], None]) -> None:
        """Measure every size, the smallest first; ``save`` is called after each change: a stop loses only the last."""
        for documents in self._sizes:
            with self._sandbox.open():
                for _ in self._measure_size(Collection(documents, self.results.per_day)):
                    save(self.results)

    def _measure_size(self, collection: Collection) -> Iterator[None]:
        self._fill(collection)
        self._measure_rebuild(collection)
        self._measure_refresh(collection)
        self._sandbox.query(f"create table {ORDERS_MERGE} as select * from {ORDERS_CURRENT}")
        yield
        for change in self._changes(collection):
            self._measure_change(collection, change)
            yield

    def _fill(self, collection: Collection) -> None:
        step = _INSERT_DAYS * collection.per_day
        for low in range(0, collection.documents, step):
            high = min(low + step, collection.documents)
            self._sandbox.query(collection.inserts(ORDERS_RAW, low, high))
            self._say(f"{high:,} of {collection.documents:,} documents in bronze")

    def _measure_rebuild(self, collection: Collection) -> None:
        runs = []
        for number in self._repetitions(collection.documents):
            runs.append(self._run(self._project, ORDERS_CURRENT, "--full-refresh"))
            self._say(f"{collection.documents:,} documents, {REBUILD} {number}: {runs[-1].seconds:.1f} s")
        everything = Change("all", collection.documents)
        self._keep(Measurement(collection.documents, everything, REBUILD, ORDERS_CURRENT, tuple(runs)))

    def _measure_refresh(self, collection: Collection) -> None:
        options = self._project.refresh_of(PRODUCT)
        self._project.run(*options)
        in_process = tuple(self._project.run(*options).seconds for _ in range(REFRESHES))
        self._project.run_from_shell(*options)
        from_shell = tuple(self._project.run_from_shell(*options) for _ in range(REFRESHES))
        self.results.refreshes.append(Refresh(collection.documents, in_process, from_shell))
        self._say(
            f"{collection.documents:,} documents, nothing new: {min(in_process):.1f} s, shell {min(from_shell):.1f} s"
        )

    def _changes(self, collection: Collection) -> list[Change]:
        """Each share of the documents in each place, and the smallest size's 1 % also where it is no such share."""
        counts = {round(collection.documents * share) for share in SHARES} | {same_change(self._sizes)}
        return [Change(place, count) for count in sorted(counts) for place in PLACES]

    def _measure_change(self, collection: Collection, change: Change) -> None:
        numbers = collection.recent(change.count) if change.place == "recent" else collection.spread(change.count)
        with self._sandbox.unchanged(ORDERS_RAW):
            self._sandbox.query(collection.updates(ORDERS_RAW, numbers))
            for engine, table, project in (
                (ENGINE, ORDERS_CURRENT, self._project),
                (MERGE, ORDERS_MERGE, self._plain),
            ):
                self._keep(self._apply(collection, change, engine, table, project))

    def _apply(self, collection: Collection, change: Change, engine: str, table: str, project: Project) -> Measurement:
        """One way of applying a change that stands in bronze, as often as it is measured."""
        what = f"{collection.documents:,} documents, {change.count:,} {change.place} changed, {engine}"
        runs: list[Run] = []
        failure = ""
        for number in self._repetitions(change.count):
            with self._sandbox.unchanged(table, WATERMARKS):
                try:
                    runs.append(self._run(project, table))
                except RunError as error:
                    failure = str(error)
                    self._say(f"{what} {number}: {failure}")
                    break
                self._check(table, collection, change)
            self._say(f"{what} {number}: {runs[-1].seconds:.1f} s")
        return Measurement(collection.documents, change, engine, table, () if failure else tuple(runs), failure)

    def _run(self, project: Project, table: str, *options: str) -> Run:
        """One run of the table's model, with what it wrote into the table."""
        before = self._sandbox.snapshots(table) if self._sandbox.exists(table) else set()
        run = project.run("--select", table.rpartition(".")[2], *options)
        rows, size = self._sandbox.added(table, before)
        run.cost.written_rows += rows
        run.cost.written_bytes += size
        return run

    def _check(self, table: str, collection: Collection, change: Change) -> None:
        """A fast run that misses a change is no result."""
        found = self._sandbox.query(f"select count(*), count_if(status = 'validated') from {table}")[0]
        if found != [collection.documents, change.count]:
            raise MeshError(
                f"{table} has {found[0]:,} rows, {found[1]:,} of them changed, instead of {collection.documents:,} and "
                f"{change.count:,}: its times say nothing."
            )

    def _repetitions(self, documents: int) -> range:
        return range(1, 2 if documents > _REPEATED_UP_TO else self._runs + 1)

    def _keep(self, measurement: Measurement) -> None:
        self.results.measurements.append(measurement)


def same_change(sizes: Sequence[int]) -> int:
    """How many documents "the same change" has at every size: 1 % of the smallest."""
    return round(min(sizes) / 100)


def _quoted(table: str) -> str:
    """As dbt writes it: "iceberg"."bench_bronze"."orders_raw"."""
    return '"' + table.replace(".", '"."') + '"'

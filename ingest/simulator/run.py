"""One simulated world into its sinks: progress while it runs, and what it has written at the end."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict, Unpack

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingest.simulator.changes import Change, DocumentWrite
from ingest.simulator.options import DEFAULT_DURATION, Options
from ingest.simulator.pace import paced
from ingest.simulator.sinks import JsonLinesSink, KafkaSink, MongoSink, Sink
from ingest.simulator.warehouse import changes
from ingest.simulator.world import instant
from wms_mesh.stack import Naming, Stack


@dataclass(slots=True)
class Summary:
    """What a run has written.

    options: of the world. documents: by (collection, operation). events: by topic. defects: by kind.
    seconds: real time.
    """

    options: Options
    documents: Counter[tuple[str, str]] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    defects: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, change: Change) -> None:
        """Count one change."""
        if isinstance(change, DocumentWrite):
            self.documents[change.collection, change.operation.value] += 1
        else:
            self.events[change.topic] += 1
        if change.defect:
            self.defects[change.defect] += 1


def run(
    options: Options,
    sinks: list[Sink],
    *,
    speed: float = 0.0,
    changes_per_second: float = 0.0,
) -> Summary:
    """Simulate a world into sinks, which are closed afterwards; raise MeshError when one does not take it."""
    summary = Summary(options)
    began = time.monotonic()
    progress = Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[count]:,} changes, {task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )

    def flush() -> None:
        for sink in sinks:
            sink.flush()

    with ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        stack.enter_context(progress)
        bar = progress.add_task("looking back", total=options.end_ms - options.start_ms, count=0, rate=0.0)
        stream = paced(
            changes(options), options.start_ms, speed=speed, changes_per_second=changes_per_second, before_wait=flush
        )
        for count, change in enumerate(stream, start=1):
            for sink in sinks:
                sink.write(change)
            summary.add(change)
            if count % 200 == 0:
                progress.update(
                    bar,
                    completed=change.at - options.start_ms,
                    description=f"{instant(change.at):%Y-%m-%d %H:%M}",
                    count=count,
                    rate=count / (time.monotonic() - began),
                )
        flush()
        total = summary.documents.total() + summary.events.total()
        progress.update(
            bar, completed=options.end_ms - options.start_ms, count=total, rate=total / (time.monotonic() - began)
        )
    summary.seconds = time.monotonic() - began
    return summary


def print_summary(summary: Summary, console: Console) -> None:
    """Tables of documents by collection and operation, and of events by topic."""
    operations = ("insert", "set", "replace", "delete")
    documents = Table("collection", *operations, "total", title="Documents")
    for collection in dict.fromkeys(collection for collection, _ in summary.documents):
        counts = [summary.documents[collection, operation] for operation in operations]
        documents.add_row(collection, *(f"{count:,}" for count in [*counts, sum(counts)]))
    events = Table("topic", "records", title="Events")
    for topic, count in sorted(summary.events.items()):
        events.add_row(topic, f"{count:,}")
    console.print(documents)
    console.print(events)
    if summary.defects:
        defects = Table("defect", "count", title="Damaged on purpose")
        for kind, count in sorted(summary.defects.items()):
            defects.add_row(kind, f"{count:,}")
        console.print(defects)
    options, total = summary.options, summary.documents.total() + summary.events.total()
    console.print(
        f"{total:,} changes from {options.start:%Y-%m-%d %H:%M} UTC over {options.duration} of virtual time "
        f"in {summary.seconds:.1f} s (seed {options.seed})."
    )


class Shape(TypedDict, total=False):
    """What may be said of a world beside its start and its naming; defaults as in Options."""

    duration: timedelta
    rate: float
    history_days: int
    seed: int
    cancellations: float
    deletes: float
    late_updates: float
    malformed: float
    duplicates: float
    only_what_services_write: bool


def simulate(
    stack: Stack,
    *,
    start: datetime | None = None,
    naming: Naming | None = None,
    output: Path | None = None,
    speed: float = 0.0,
    changes_per_second: float = 0.0,
    **shape: Unpack[Shape],
) -> Summary:
    """Simulate a world into the stack's MongoDB and Kafka, or into a file of JSON lines.

    start: default now minus the duration. naming: default the stack's. Raises MeshError when an option cannot be used
    or when MongoDB or Kafka stays away for two minutes.
    """
    if start is None:
        start = datetime.now(UTC).replace(microsecond=0) - shape.get("duration", DEFAULT_DURATION)
    options = Options(start=start, naming=naming or stack.naming, **shape)
    sinks = open_sinks(stack, options.naming, output)
    return run(options, sinks, speed=speed, changes_per_second=changes_per_second)


def open_sinks(stack: Stack, naming: Naming, output: Path | None = None) -> list[Sink]:
    """A file, or the stack's MongoDB and Kafka."""
    if output is not None:
        return [JsonLinesSink(output)]
    uri = stack.mongodb_uri or f"mongodb://{stack.address('mongodb')}/?replicaSet=rs0"
    return [MongoSink(uri, naming), KafkaSink(stack.address("kafka"))]

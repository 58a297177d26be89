"""``./mesh simulate``: a working day of the warehouse, written to MongoDB and Kafka."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingest.simulator.changes import Change, DocumentWrite
from ingest.simulator.options import Options, parse_duration, parse_start
from ingest.simulator.pace import paced
from ingest.simulator.sinks import JsonLinesSink, KafkaSink, MongoSink, Sink
from ingest.simulator.warehouse import changes
from ingest.simulator.world import instant
from wms_mesh.errors import MeshError
from wms_mesh.stack import Naming, Stack


@dataclass(slots=True)
class Summary:
    """What a run has written.

    documents: by (collection, operation). events: by topic. defects: by kind. seconds: real time.
    """

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
    console: Console | None = None,
) -> Summary:
    """Simulate a world into sinks, which are closed afterwards; raise MeshError when one does not take it."""
    summary = Summary()
    began = time.monotonic()
    progress = Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[count]:,} changes, {task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
        console=console or Console(stderr=True),
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


def print_summary(summary: Summary, options: Options, console: Console) -> None:
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
    total = summary.documents.total() + summary.events.total()
    console.print(
        f"{total:,} changes from {options.start:%Y-%m-%d %H:%M} UTC over {options.duration} of virtual time "
        f"in {summary.seconds:.1f} s (seed {options.seed})."
    )


def simulate(
    duration: Annotated[str, typer.Option(help="Virtual time to simulate: 30m, 8h, 2d.")] = "8h",
    start: Annotated[
        str,
        typer.Option(
            help="First virtual instant, ISO 8601 in UTC. The working day and its morning shift begin with it. "
            "Default: now minus the duration, so the day ends now. Give it to get the same bytes again."
        ),
    ] = "",
    rate: Annotated[
        float, typer.Option(help="Orders per virtual hour; one order makes about 43 document writes.")
    ] = 60,
    history_days: Annotated[
        int,
        typer.Option(help="Days before the start that are already over, at an eighth of the rate; written as inserts."),
    ] = 3,
    speed: Annotated[
        float, typer.Option(min=0, help="Virtual seconds per real second: 1 is real time, 0 as fast as possible.")
    ] = 0,
    changes_per_second: Annotated[
        float, typer.Option(min=0, help="Write at most so many changes (documents and events) a second; 0: no limit.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Same seed, start and options: the same changes, byte for byte.")] = 1,
    naming: Annotated[
        Naming | None,
        typer.Option(
            help="snake_case writes to database wms, camelCase to one database per service. Default: the stack's."
        ),
    ] = None,
    cancellations: Annotated[float, typer.Option(help="Share of orders that their customer cancels.")] = 0.03,
    deletes: Annotated[
        float,
        typer.Option(help="Share of finished tasks and shipments deleted for good, and of orders soft-deleted."),
    ] = 0.01,
    late_updates: Annotated[float, typer.Option(help="Corrections of old orders, per new order.")] = 0.02,
    malformed: Annotated[
        float,
        typer.Option(
            help="Share of documents with wrong types, impossible dates or unknown fields, and of events followed "
            "by a record that is no event."
        ),
    ] = 0.0,
    duplicates: Annotated[float, typer.Option(help="Share of events sent twice: delivery is at least once.")] = 0.002,
    only_what_services_write: Annotated[
        bool,
        typer.Option(
            "--only-what-services-write",
            help="Leave out what the services declare and never fill: prices, deliveries, worker rates, tenants.",
        ),
    ] = False,
    output: Annotated[
        Path | None, typer.Option(help="Write JSON lines to this file instead of MongoDB and Kafka: a dry run.")
    ] = None,
) -> None:
    """Simulate a warehouse: write its documents to MongoDB and its events to Kafka.

    A seeded, consistent world: orders become waves, tasks and shipments, people work on them, stock follows, carriers
    deliver. Running it again with the same start overwrites the same documents.
    """
    stack = Stack.from_env()
    length = parse_duration(duration)
    spelling = naming or stack.naming
    options = Options(
        start=parse_start(start) if start else datetime.now(UTC).replace(microsecond=0) - length,
        duration=length,
        rate=rate,
        history_days=history_days,
        seed=seed,
        naming=spelling,
        cancellations=cancellations,
        deletes=deletes,
        late_updates=late_updates,
        malformed=malformed,
        duplicates=duplicates,
        only_what_services_write=only_what_services_write,
    )
    if speed and changes_per_second:
        raise MeshError("Both --speed and --changes-per-second are given: choose one of them.")
    console = Console()
    summary = run(
        options,
        open_sinks(stack, spelling, output),
        speed=speed,
        changes_per_second=changes_per_second,
        console=Console(stderr=True),
    )
    print_summary(summary, options, console)
    if output is None:
        console.print(
            'Next: ./mesh refresh, or look at bronze: ./mesh sql -c "select count(*) from iceberg.bronze.orders_raw"'
        )


def open_sinks(stack: Stack, naming: Naming, output: Path | None = None) -> list[Sink]:
    """A file, or the stack's MongoDB and Kafka."""
    if output is not None:
        return [JsonLinesSink(output)]
    uri = stack.mongodb_uri or f"mongodb://{stack.address('mongodb')}/?replicaSet=rs0"
    return [MongoSink(uri, naming), KafkaSink(stack.address("kafka"))]

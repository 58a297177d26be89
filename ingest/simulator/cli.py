"""``./mesh simulate``: a working day of the warehouse, written to MongoDB and Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ingest.simulator.options import parse_duration, parse_start
from ingest.simulator.run import print_summary, simulate
from wms_mesh.errors import MeshError
from wms_mesh.stack import Naming, Stack

__all__ = ["command", "simulate"]


def command(
    duration: Annotated[str, typer.Option(help="Virtual time to simulate: 30m, 8h, 2d.")] = "8h",
    start: Annotated[
        str,
        typer.Option(
            help="First virtual instant, ISO 8601 in UTC. The working day and its morning shift begin with it. "
            "Default: now minus the duration, so the day ends now. Give it to get the same bytes again."
        ),
    ] = "",
    rate: Annotated[
        float, typer.Option(help="Orders per virtual hour; one order makes about 40 document writes.")
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

    A seeded, consistent world: orders become waves, tasks and shipments, people work on them, stock follows,
    carriers deliver. Running it again with the same start overwrites the same documents.
    """
    if speed and changes_per_second:
        raise MeshError("Both --speed and --changes-per-second are given: choose one of them.")
    summary = simulate(
        Stack.from_env(),
        start=parse_start(start) if start else None,
        naming=naming,
        output=output,
        speed=speed,
        changes_per_second=changes_per_second,
        duration=parse_duration(duration),
        rate=rate,
        history_days=history_days,
        seed=seed,
        cancellations=cancellations,
        deletes=deletes,
        late_updates=late_updates,
        malformed=malformed,
        duplicates=duplicates,
        only_what_services_write=only_what_services_write,
    )
    console = Console()
    print_summary(summary, console)
    if output is None:
        console.print(
            'Next: ./mesh sql -c "select count(*) from silver.orders_current" (the refresher fills it within a minute)'
        )

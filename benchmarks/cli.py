"""``./mesh bench NAME``: what is measured, and how long that takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wms_mesh.stack import REPO, Stack

app = typer.Typer(help="Measure; prints medians of several runs.", no_args_is_help=True)


@app.command()
def simulator() -> None:
    """Documents that the simulator generates per second on one core. Takes half a minute."""
    from benchmarks import simulator as benchmark

    benchmark.main()


@app.command()
def overload(
    factor: Annotated[
        float, typer.Option(min=1, help="How many times the normal rate of 200 changes a second.")
    ] = 10.0,
    minutes: Annotated[float, typer.Option(min=0.1, help="For how long.")] = 2.0,
) -> None:
    """What happens at ten times the normal rate: lag, catch-up, memory. About five minutes on the running stack."""
    from benchmarks import overload as benchmark

    raise typer.Exit(benchmark.main(Stack.from_env(), factor, minutes))


@app.command()
def transform(
    documents: Annotated[
        list[int] | None,
        typer.Option(min=1000, help="A size of the table; may be repeated.", show_default="100000, 1000000, 5000000"),
    ] = None,
    per_day: Annotated[int, typer.Option(min=100, help="Orders that were created on each day.")] = 2000,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each kind, one when it writes over 100,000 rows.")] = 3,
    save: Annotated[
        Path,
        typer.Option(
            help="Markdown page to write; the JSON goes beside it.", show_default="docs/benchmarks/transform.md"
        ),
    ] = REPO / "docs" / "benchmarks" / "transform.md",
) -> None:
    """What the current-state engine costs as its table grows, against a full rebuild and a plain merge by key.

    Works in schemas bench_* of the running stack and drops them at the end; the stack's refresher waits meanwhile. On
    two cores at rest 100,000 documents take about 7 minutes, a million 22, five million 72.
    """
    from benchmarks.transform import command

    command.run(documents or [100_000, 1_000_000, 5_000_000], per_day, runs, save)

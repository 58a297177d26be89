"""The command: measure, print, save."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.transform import report
from benchmarks.transform.measure import Benchmark, Results
from wms_mesh import sql, transform, turns
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack


def run(sizes: Sequence[int], per_day: int, runs: int, page: Path) -> None:
    """Measure in the running stack; print the tables, and save them at ``page`` and as JSON beside it.

    Raises MeshError for a size that is not a number of whole days.
    """
    for documents in sizes:
        if documents % per_day or documents < 1000:
            raise MeshError(
                f"{documents:,} documents are no whole days: choose a multiple of {per_day:,} from 1,000 on."
            )
    # A stop from outside ends like Ctrl-C: the sandbox is dropped.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Console(stderr=True)
    began = time.monotonic()

    def say(line: str) -> None:
        minutes, rest = divmod(round(time.monotonic() - began), 60)
        progress.print(f"{minutes:3}:{rest:02}  {line}", highlight=False, soft_wrap=True)

    stack = Stack.from_env()
    sql.query(stack, "select 1")  # says what to do when nothing runs, sooner than dbt does
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        say(f"The load is {load:.1f} on {cores} cores: others work here, too. Rows and CPU are right, times too long.")
    benchmark = Benchmark(stack, sizes, per_day, runs, say)
    # The stack's refresher takes 40 % of two cores, a quarter of what is measured: it waits for its turn.
    with turns.turn(
        transform.locks(stack), "./mesh bench transform", lambda holder: say(f"Waiting until {holder} is done.")
    ):
        benchmark.run(lambda results: _save(results, page))
    _print(benchmark.results)
    progress.print(f"Saved {page} and {page.with_suffix('.json')}.")


def _save(results: Results, page: Path) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(report.as_markdown(results), encoding="utf-8")
    page.with_suffix(".json").write_text(json.dumps(report.as_json(results), indent=1) + "\n", encoding="utf-8")


def _print(results: Results) -> None:
    # Without a terminal rich assumes 80 columns and folds the numbers.
    console = Console() if Console().is_terminal else Console(width=200)
    table = Table(box=None, header_style="bold")
    for place, name in enumerate(report.COLUMNS):
        table.add_column(name, justify="left" if place in report.TEXT_COLUMNS else "right")
    for row in report.rows(results):
        table.add_row(*row)
    console.print(table)
    for target in report.targets(results):
        verdict = "[green]met[/green]    " if target.is_met else "[red]not met[/red]"
        console.print(f"{verdict} {target.promise}: {target.measured}")

"""``./mesh quality``: run the checkpoints, keep and show the results; exit 1 when a critical expectation fails."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from wms_mesh.stack import Stack


def command(
    products: Annotated[
        list[str] | None, typer.Argument(help="Only these, e.g. orders or orders-dp.", show_default="all")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Look at all rows, not only at changed ones.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every result as JSON to standard output.")] = False,
    schema_prefix: Annotated[
        str,
        typer.Option(help="Check a sandbox's tables: as dbt's variable of this name, before the schemas."),
    ] = "",
) -> None:
    """Check what the owners promise of their rows: the Great Expectations suites in quality/, against Trino.

    An expectation of single rows looks at what was computed since it last passed. Each result is a row in
    gold.quality_results; `./mesh docs` shows the pages. Exits 1 when a critical expectation fails, with the keys of the
    failing rows: docs/runbooks/quality.md says what to do.
    """
    from wms_mesh.quality import suites, view
    from wms_mesh.quality.run import run

    stack = Stack.from_env()
    notes = Console(stderr=True)
    chosen = suites.load(products or ())
    with notes.status("Great Expectations starts") as waiting:
        results = run(stack, chosen, full, schema_prefix, waiting.update)
    if as_json:
        print(json.dumps([asdict(one) for one in results], indent=2, default=str))
    else:
        # Without a terminal rich assumes 80 columns, and folds.
        console = Console() if sys.stdout.isatty() else Console(width=240)
        console.print(view.table(results))
        for one in view.failures(results):
            console.print(one, style="red" if one.startswith("critical") else "yellow", markup=False, soft_wrap=True)
    unhealthy = sorted({one.data_product for one in results if one.is_unhealthy})
    if unhealthy:
        notes.print(
            f"Unhealthy: {', '.join(unhealthy)}. docs/runbooks/quality.md says what to do.",
            style="red",
            highlight=False,
            soft_wrap=True,
        )
        raise typer.Exit(1)
    notes.print("Next: [b]./mesh docs[/b] shows the pages, gold.quality_results keeps the history.")

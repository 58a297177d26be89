"""``./mesh slo``: measure, keep, show; exit 1 when a promise is broken."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack


def command(
    measure: Annotated[
        bool, typer.Option("--measure/--no-measure", help="Measure now; or show what was measured last.")
    ] = True,
    product: Annotated[list[str] | None, typer.Option(help="Only this one, e.g. inventory-dp; repeatable.")] = None,
    window: Annotated[str, typer.Option(help="How far back delays are counted: 90s, 15m, 2h.")] = "15m",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """Measure each data product's promises against MongoDB, keep the result, show it with its trend.

    Freshness, completeness and accuracy of models/groups.yml, at a common point: it waits until silver has everything
    that MongoDB held when it began (a minute or two). Each run adds a row to gold.data_product_slo; the refresher adds
    some every MESH_SLO_MINUTES. Exits 1 when a promise is broken: docs/runbooks/slo-breach.md says what to do.
    """
    from wms_mesh.quality import health
    from wms_mesh.quality import view as quality
    from wms_mesh.slo import table, view

    stack = Stack.from_env()
    notes = Console(stderr=True)
    if measure:
        _measure(stack, product or (), window, notes)
    history = {name: rows for name, rows in table.last(stack, view.TREND).items() if not product or name in product}
    if not history:
        raise MeshError("Nothing was measured yet: run `./mesh slo` without --no-measure.")
    if as_json:
        print(json.dumps([asdict(rows[-1]) for rows in history.values()], indent=2, default=str))
    else:
        # Without a terminal rich assumes 80 columns, and folds.
        console = Console() if sys.stdout.isatty() else Console(width=200)
        console.print(view.table(history))
        notes.print(quality.sentence(health(stack)), highlight=False, soft_wrap=True)
    broken = sorted(name for name, rows in history.items() if not rows[-1].is_met)
    if broken:
        notes.print(f"Broken: {', '.join(broken)}. docs/runbooks/slo-breach.md says what to do.", highlight=False)
        raise typer.Exit(1)


def _measure(stack: Stack, wanted: Sequence[str], window: str, notes: Console) -> None:
    from ingest.simulator.options import parse_duration
    from wms_mesh.slo import view
    from wms_mesh.slo.measure import measure_and_keep
    from wms_mesh.slo.project import manifest
    from wms_mesh.slo.promises import promises

    length = parse_duration(window)
    with notes.status("dbt reads the project") as waiting:
        promised = promises(manifest(stack), wanted)
        measured = measure_and_keep(stack, promised, length, waiting.update)
    for name, examples in measured.examples.items():
        for one in examples:
            notes.print(view.sentence(name, one), style="red", highlight=False, soft_wrap=True)

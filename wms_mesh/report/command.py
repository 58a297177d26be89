"""``./mesh report``: write the page, say where it is."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from wms_mesh.stack import Stack


def command(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, show_default="report.html in MESH_HOME")
    ] = None,
    is_opened: Annotated[bool, typer.Option("--open", help="Then show it in this machine's browser.")] = False,
) -> None:
    """Write the state of the warehouse and of its data as one HTML page, to be read, mailed or printed.

    The eight data products with their promises and their quality, targets, the last day hour by hour, orders, waves,
    work, carriers, stock at risk, and the ledger: from gold and semantic, as they are now.
    """
    from wms_mesh.report import page

    stack = Stack.from_env()
    notes = Console(stderr=True)
    with notes.status("Reading gold and semantic (about 10 s)"):
        written = page.write(stack, (output or page.default(stack)).absolute())
    print(written.path)
    notes.print(f"{written.size / 1000:,.0f} kB, one file: a browser shows it without a server or a network.")
    if is_opened and not webbrowser.open(written.path.as_uri()):
        notes.print("No browser could be started here: open the file in one.")

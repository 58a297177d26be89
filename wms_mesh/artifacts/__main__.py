"""``python -m wms_mesh.artifacts lock|fetch|list [SET ...]``."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from wms_mesh import artifacts
from wms_mesh.artifacts import sets
from wms_mesh.artifacts.resolve import resolve
from wms_mesh.errors import MeshError

app = typer.Typer(help="The engines' files.", no_args_is_help=True, pretty_exceptions_enable=False)
Names = Annotated[list[str] | None, typer.Argument(help="Only these sets.", show_default="all")]


@app.command()
def lock(names: Names = None) -> None:
    """Resolve the sets of engines.toml and pin every file by its SHA-256 in engines.lock."""
    store = artifacts.user_store()
    chosen = [sets.one(name) for name in names or sets.chosen()]
    for one in chosen:
        files = store.pin(resolve(one, store.folder / "poms"))
        sets.write_lock({one.name: files})
        typer.echo(f"{one.name}: {len(files)} files, {sum(file.size for file in files) / 1e6:.0f} MB")


@app.command()
def fetch(names: Names = None) -> None:
    """Have the sets in the cache, verified and unpacked."""
    artifacts.fetch(names or [])


@app.command(name="list")
def show(names: Names = None) -> None:
    """The sets, what they weigh, and whether they are here."""
    store = artifacts.user_store()
    table = Table("set", "files", "MB", "in the cache")
    for name in names or sets.chosen():
        files = sets.locked(name)
        absent = len(store.missing(files))
        size = sum(file.size for file in files) / 1e6
        table.add_row(name, str(len(files)), f"{size:.0f}", "yes" if not absent else f"{absent} missing")
    Console().print(table)


if __name__ == "__main__":
    try:
        app()
    except MeshError as error:
        Console(stderr=True).print(f"[red]{error}[/red]", highlight=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from None

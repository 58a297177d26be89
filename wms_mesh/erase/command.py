"""The order of an erasure, with what it says meanwhile."""

from __future__ import annotations

import secrets
import sys
from datetime import datetime

from rich.console import Console
from rich.table import Table as Shown

from ingest.bronze.tables import SCHEMA
from wms_mesh import sql, transform, turns
from wms_mesh.erase import carry_out, commits, proof
from wms_mesh.erase.person import Kind, Person, find
from wms_mesh.erase.plan import Step, is_erasable, steps
from wms_mesh.erase.tables import Table, tables
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

console = Console(stderr=True)


def run(stack: Stack, kind: Kind, person_id: str, *, dry_run: bool, yes: bool) -> int:
    """Erase a person; 0 when it is proved that no data file holds them.

    Raises MeshError when nobody is to be erased, or dbt fails.
    """
    [[began]] = sql.query(stack, "select current_timestamp")
    with console.status("Reading every table for the person"):
        person = find(stack, kind, person_id)
        known = [table for table in tables(stack) if is_erasable(table)]
        planned = steps(stack, person, known, began)
    Console().print(_shown(person, planned))
    if dry_run:
        console.print("A dry run: nothing was changed.")
        return 0
    if not yes and not _confirmed(person):
        console.print("Nothing was changed.")
        return 1
    _erase(stack, person, planned, began)
    return _prove(stack, person, planned, began)


def _erase(stack: Stack, person: Person, planned: list[Step], began: datetime) -> None:
    pseudonym = f"ERASED-{secrets.token_hex(4)}"
    with turns.turn(transform.locks(stack), "./mesh erase", lambda who: console.print(f"Waiting until {who} is done.")):
        for step in planned:
            with console.status(f"{step.table.name}: {step.rows:,} rows"):
                carry_out.erase(stack, step, person.id, pseudonym)
    with console.status("dbt computes what followed from them"):
        built = transform.dbt(stack, "run", "--exclude", "config.materialized:view", quiet=True)
    if built.returncode:
        raise MeshError(
            "dbt failed behind the erasure: `./mesh refresh --once` shows why; then run the same command again."
        )
    for table in _touched(stack, planned):
        with console.status(f"{table.name}: files are written anew, snapshots expire"):
            carry_out.rewrite(stack, table)
            if table.layer == SCHEMA:
                commits.await_next(stack, table.name)
            carry_out.expire(stack, table)


def _touched(stack: Stack, planned: list[Step]) -> list[Table]:
    """The tables that held the person, and those that were computed from them: their old snapshots hold them, too."""
    names = {step.table.name for step in planned}
    return [table for table in tables(stack) if table.name in names or table.layer == "gold"]


def _prove(stack: Stack, person: Person, planned: list[Step], began: datetime) -> int:
    with console.status("Searching every table and every data file again"):
        everything = [table for table in tables(stack) if is_erasable(table)]
        left = steps(stack, person, everything, began)
        doubts = proof.doubts(stack, _touched(stack, planned), [person.id], began)
    for doubt in doubts:
        console.print(f"[red]{doubt.sentence()}[/red]", highlight=False, soft_wrap=True)
    for step in left:
        console.print(f"[red]{step.table.name}: {step.rows} rows are still there.[/red]", highlight=False)
    if doubts or left:
        console.print("Not proved: run the same command again; files of killed writers go with `remove_orphan_files`.")
        return 1
    console.print(
        f"No table and no data file holds {person.kind} {person.id} any more.", style="green", highlight=False
    )
    console.print(
        "Not in the lakehouse's hands: MongoDB (erase there first, or the next change brings the person back) and the "
        "Kafka topics, which forget after seven days.",
        highlight=False,
    )
    return 0


def _shown(person: Person, planned: list[Step]) -> Shown:
    shown = Shown(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for heading in ("table", "rows that go or are blanked", "rows that get another name"):
        shown.add_column(heading, justify="left" if heading == "table" else "right")
    for step in planned:
        shown.add_row(step.table.name, f"{step.own_rows:,}", f"{step.mention_rows:,}")
    return shown


def _confirmed(person: Person) -> bool:
    if not sys.stdin.isatty():
        raise MeshError("This cannot be undone: say --yes, or --dry-run to see what it would do.")
    answer = console.input(f"Erase {person.kind} {person.id} for good? Write the id to confirm: ")
    return answer.strip() == person.id

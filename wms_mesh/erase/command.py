"""The order of an erasure, with what it says meanwhile."""

from __future__ import annotations

import secrets
import sys
from datetime import datetime

from rich.console import Console
from rich.table import Table as Shown

from ingest.bronze.tables import SCHEMA
from wms_mesh import sql, transform, turns
from wms_mesh.erase import carry_out, commits, pending, proof
from wms_mesh.erase.pending import Pending
from wms_mesh.erase.person import Kind, find, require_identifier
from wms_mesh.erase.plan import Step, is_erasable, steps
from wms_mesh.erase.tables import Table, tables
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

console = Console(stderr=True)


def run(stack: Stack, kind: Kind, person_id: str, *, dry_run: bool, yes: bool) -> int:
    """Erase a person; 0 when it is proved that no data file holds them.

    Raises MeshError when nobody is to be erased, or dbt fails.
    """

    def say(who: str) -> None:
        console.print(f"Waiting until {who} is done.")

    require_identifier(kind, person_id)
    _, planned, _ = _plan(stack, kind, person_id)
    # Without a terminal rich assumes 80 columns and cuts names off.
    (Console() if sys.stdout.isatty() else Console(width=200)).print(_shown(planned))
    if dry_run:
        console.print("A dry run: nothing was changed.")
        return 0
    if not yes and not _confirmed(kind, person_id):
        console.print("Nothing was changed.")
        return 1
    with turns.turn(transform.locks(stack), "./mesh erase", say) as held:
        work, planned, began = _plan(stack, kind, person_id)  # who wrote meanwhile may have brought more
        pending.save(stack, work)
        _erase(stack, work, planned, began, held)
        # Within the turn: the next run's MERGE leaves delete files again.
        return _prove(stack, work, began)


def _plan(stack: Stack, kind: Kind, person_id: str) -> tuple[Pending, list[Step], datetime]:
    """Whom and which tables it is about, what is to be done, and of which moment that is true."""
    [[began]] = sql.query(stack, "select current_timestamp")
    with console.status("Reading every table for the person"):
        earlier = pending.load(stack, kind, person_id)
        person = earlier.person if earlier else find(stack, kind, person_id)
        planned = steps(stack, person, [table for table in tables(stack) if is_erasable(table)], began)
    names = {step.table.name for step in planned} | (earlier.tables if earlier else frozenset())
    return Pending(person, frozenset(names)), planned, began


def _erase(stack: Stack, work: Pending, planned: list[Step], began: datetime, held: int) -> None:
    pseudonym = f"ERASED-{secrets.token_hex(4)}"
    for step in planned:
        with console.status(f"{step.table.name}: {step.rows:,} rows"):
            carry_out.erase(stack, step, work.person.id, pseudonym)
    with console.status("dbt computes what followed from them"):
        built = transform.dbt(stack, "run", "--exclude", "config.materialized:view", quiet=True, held=held)
    if built.returncode:
        raise MeshError(
            "dbt failed behind the erasure: `./mesh refresh --once` shows why; then run the same command again."
        )
    touched = _touched(stack, work)
    for table in touched:
        with console.status(f"{table.name}: files are written anew"):
            carry_out.rewrite(stack, table)
    with console.status("The bronze job commits what it had open"):
        commits.await_all(stack)
    for table in touched:
        with console.status(f"{table.name}: snapshots expire, and what only they read goes"):
            if table.layer == SCHEMA:
                commits.await_expirable(stack, table.name)
            carry_out.expire(stack, table, began)


def _touched(stack: Stack, work: Pending) -> list[Table]:
    """The tables that held the person, and those that were computed from them: their old snapshots hold them, too."""
    return [table for table in tables(stack) if table.name in work.tables or table.layer == "gold"]


def _prove(stack: Stack, work: Pending, began: datetime) -> int:
    person = work.person
    with console.status("Searching every table and every data file again"):
        everything = [table for table in tables(stack) if is_erasable(table)]
        left = steps(stack, person, everything, began)
        doubts = proof.doubts(stack, _touched(stack, work), [person.id], began)
    for doubt in doubts:
        console.print(f"[red]{doubt.sentence()}[/red]", highlight=False, soft_wrap=True)
    for step in left:
        console.print(f"[red]{step.table.name}: {step.rows} rows are still there.[/red]", highlight=False)
    if doubts or left:
        console.print("Not proved: run the same command again, it goes on from here.")
        return 1
    pending.forget(stack, person)
    console.print(
        f"No table and no data file holds {person.kind} {person.id} any more.", style="green", highlight=False
    )
    console.print(
        "Not in the lakehouse's hands: MongoDB (erase there first, or the next change brings the person back) and the "
        "Kafka topics, which forget after seven days.",
        highlight=False,
    )
    return 0


def _shown(planned: list[Step]) -> Shown:
    shown = Shown(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for heading in ("table", "rows that go or are blanked", "rows that get another name"):
        shown.add_column(heading, justify="left" if heading == "table" else "right")
    for step in planned:
        shown.add_row(step.table.name, f"{step.own_rows:,}", f"{step.mention_rows:,}")
    return shown


def _confirmed(kind: Kind, person_id: str) -> bool:
    if not sys.stdin.isatty():
        raise MeshError("This cannot be undone: say --yes, or --dry-run to see what it would do.")
    answer = console.input(f"Erase {kind} {person_id} for good? Write the id to confirm: ")
    return answer.strip() == person_id

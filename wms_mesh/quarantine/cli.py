"""``./mesh quarantine``: look at what was no record, and send it again."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ingest.simulator.options import parse_duration
from ingest.topics import TOLERATED
from wms_mesh.errors import MeshError
from wms_mesh.quarantine import alarm, leftovers, mending, reading, replay, views
from wms_mesh.quarantine.reading import Choice
from wms_mesh.quarantine.records import Place, Record
from wms_mesh.stack import Stack

app = typer.Typer(
    help="Records that are not what their topic promises: look at them, mend them, send them again.",
    no_args_is_help=True,
)
console = Console(stderr=True)
PREVIEWED = 10

Since = Annotated[str, typer.Option(help="How far back: 90m, 24h, 7d.")]
Topic = Annotated[str | None, typer.Option(help="Only this topic.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason.")]


@app.command(
    "list",
    help=f"""Count the quarantined records by topic and reason; open are those that were not sent again.

A topic tolerates {TOLERATED} open records of the last 24 hours, or its own number in ingest/topics.py. When one has \
more, the exit code is 1: that depends neither on --since nor on --reason.""",
)
def list_(
    since: Since = "7d",
    topic: Topic = None,
    reason: Reason = None,
    records: Annotated[bool, typer.Option("--records", help="A line for each record instead of each group.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --records: at most so many.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """As the help above says."""
    stack, now = Stack.from_env(), datetime.now(UTC)
    start = now - parse_duration(since)
    groups = [one for one in reading.groups(stack, start, now) if topic in (None, one.topic)]
    levels = alarm.levels(groups)
    if records:
        _print_records(reading.records(stack, Choice(start, topic, reason), limit + 1), limit, as_json)
    else:
        shown = [one for one in groups if reason in (None, one.reason)]
        if as_json:
            print(json.dumps(views.groups_json(shown, levels), indent=2, default=_json))
        elif any(one.records for one in shown):
            _stdout().print(views.groups_table(shown, levels))
        else:
            console.print(f"Nothing was quarantined in the last {since}.")
    exceeded = [level for level in levels if level.is_exceeded]
    for level in exceeded:
        console.print(
            f"[red]{level.topic}: {level.open:,} open records in 24 hours, {level.threshold:,} are tolerated. "
            "What to do: docs/runbooks/quarantine.md[/red]",
            highlight=False,
            soft_wrap=True,
        )
    if exceeded:
        raise typer.Exit(1)


def _print_records(found: list[Record], limit: int, as_json: bool) -> None:
    shown = found[:limit]
    if as_json:
        print(json.dumps([views.record_json(record) for record in shown], indent=2, default=_json))
    else:
        _stdout().print(views.records_table(shown))
    if len(found) > limit:
        console.print(f"There are more: --limit shows more than {limit}, --topic and --reason narrow it down.")


@app.command()
def show(
    place: Annotated[list[str], typer.Argument(metavar="TOPIC/PARTITION/OFFSET", help="Or as three arguments.")],
    full: Annotated[bool, typer.Option("--full", help="Large keys and values as a whole.")] = False,
) -> None:
    """Print everything of one record: reason, headers, key and value, and whether it was sent again.

    Key and value are printed as text where they are UTF-8 and printable, else in hexadecimal.
    """
    stack = Stack.from_env()
    [record] = _named(stack, (Place.parse("/".join(place)),))
    [message] = reading.messages(stack, [record])
    print(views.record_text(record, message, full))


@app.command("replay")
def replay_(
    topic: Topic = None,
    reason: Reason = None,
    record: Annotated[
        list[str] | None,
        typer.Option(metavar="TOPIC/PARTITION/OFFSET", help="This record, of any age; may be repeated."),
    ] = None,
    since: Since = "7d",
    mend: Annotated[
        Path | None, typer.Option(help="TOML file that says how to change them: docs/runbooks/quarantine.md")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; send nothing.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help=f"Preview every record, as a whole; else {PREVIEWED}, clipped.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Send open records again, as they are or mended, to their topic and partition, in the order of their offsets.

    What was sent is marked in bronze.quarantine_replays, and is not sent a second time, also when a replay is killed.
    The original stays. A record that is refused again is a new one in the quarantine, and its header mesh-replay-of
    names its origin. Kafka's timestamp of what is sent is that of sending.

    Prints a line for each record: where it stood, and its new offset.
    """
    if not (topic or reason or record):
        raise MeshError("Choose what to send again: --topic, --reason or --record.")
    stack = Stack.from_env()
    mapping = mending.read(mend) if mend else None
    places = tuple(map(Place.parse, record or ()))
    choice = Choice(datetime.now(UTC) - parse_duration(since), topic, reason, places, only_open=True)
    if dry_run:
        _preview(stack, _chosen(stack, choice), mapping, full, _stdout())
        console.print("Nothing was sent.")
        return
    with replay.turn(stack, console.print):
        lost = leftovers.settle(stack, console.print)
        chosen = _chosen(stack, choice)
        kept = _without(chosen, lost)
        sendable = _preview(stack, kept, mapping, full, console)
        if not sendable:
            raise MeshError("None of the chosen records can be sent: see above why.")
        if not yes and not typer.confirm(f"Send {sendable:,} records again?", err=True):
            raise MeshError("Nothing was sent.")
        sent = 0
        for place, offset in replay.send(stack, kept, mapping):
            print(f"{place} -> {offset}", flush=True)
            sent += 1
    console.print(
        f"Sent {sent:,}. What is refused again shows up within seconds: [b]./mesh quarantine list[/b]", highlight=False
    )
    if sent < len(chosen):
        raise typer.Exit(1)


def _chosen(stack: Stack, choice: Choice) -> list[Record]:
    """The open records of a choice. Raises MeshError when there are none, or a named one is not in the quarantine."""
    for record in _named(stack, choice.places) if choice.places else ():
        if not record.is_open:
            console.print(f"{record.place} was sent again already, as offset {record.new_offset}.", soft_wrap=True)
    found = reading.records(stack, choice)
    if not found:
        raise MeshError("No open record is like that: see `./mesh quarantine list`, and --since for older ones.")
    return found


def _named(stack: Stack, places: tuple[Place, ...]) -> list[Record]:
    found = reading.records(stack, Choice(datetime.now(UTC), places=places))
    if missing := set(places) - {record.place for record in found}:
        raise MeshError(f"{min(missing)} is not in the quarantine: see `./mesh quarantine list --records`.")
    return found


def _without(chosen: list[Record], lost: set[Place]) -> list[Record]:
    kept = [record for record in chosen if record.place not in lost]
    for record in chosen:
        if record.place in lost:
            console.print(
                f"[red]{record.place} is left out: a replay of it was cut off, and Kafka has dropped since what that "
                "may have sent. Look for it in bronze.[/red]",
                soft_wrap=True,
            )
    return kept


def _preview(stack: Stack, chosen: list[Record], mapping: mending.Mapping | None, full: bool, out: Console) -> int:
    """Show what would be sent, and return how many records can be."""
    count: Counter[str] = Counter()
    with console.status(f"Reading {len(chosen):,} records"):
        for one in chain.from_iterable(replay.prepare(stack, chosen, mapping)):
            count["misfit" if one.after is None else "doubtful" if one.doubts else "fine"] += 1
            if full or count.total() <= PREVIEWED:
                out.print(views.preview(one, full), markup=False, highlight=False, soft_wrap=True)
    if not full and count.total() > PREVIEWED:
        console.print(f"... and {count.total() - PREVIEWED:,} more: --full shows all of them.")
    if count["misfit"]:
        console.print(f"{count['misfit']:,} stay where they are: the steps do not fit them.")
    if mapping and mapping.sets_one_key and count.total() > 1:
        console.print("[yellow]All of them get the same key, so they become changes of one document.[/yellow]")
    if count["doubtful"]:
        console.print(f"[yellow]{count['doubtful']:,} look as if they were refused again.[/yellow]")
    elif mapping is None:
        console.print("They go as they are: the job refuses them again unless something has changed since.")
    return count["fine"] + count["doubtful"]


def _stdout() -> Console:
    """Without a terminal rich assumes 80 columns and folds what a script wants whole."""
    return Console() if sys.stdout.isatty() else Console(width=2000)


def _json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)

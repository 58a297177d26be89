"""How the quarantine looks on a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from wms_mesh.quarantine.alarm import Level
from wms_mesh.quarantine.reading import Group
from wms_mesh.quarantine.records import Message, Record
from wms_mesh.quarantine.replay import Prepared

CLIP = 2_000  # letters of a key or value
_CONTEXT = 60  # letters before the first difference


def groups_table(groups: Sequence[Group], levels: Sequence[Level]) -> Table:
    """A line for each topic and reason; how the topic stands on its first line."""
    table = _table("topic", "reason", "records", "open", "first", "last", "open, 24 h", "threshold")
    by_topic = {level.topic: level for level in levels}
    seen: set[str] = set()
    for group in groups:
        if group.records == 0:
            continue
        level = by_topic[group.topic]
        figures = (f"{level.open:,}", f"{level.threshold:,}") if group.topic not in seen else ("", "")
        table.add_row(
            "" if group.topic in seen else group.topic,
            group.reason,
            f"{group.records:,}",
            f"{group.open:,}",
            _time(group.first),
            _time(group.last),
            *(Text(figure, style="bold red" if level.is_exceeded else "") for figure in figures),
        )
        seen.add(group.topic)
    return table


def records_table(records: Sequence[Record]) -> Table:
    """A line for each record."""
    table = _table("record", "reason", "detail", "bytes", "ingested at", "sent again as")
    for record in records:
        again = "" if record.new_offset is None else f"{record.new_offset} at {_time(record.replayed_at)}"
        detail = clipped(record.detail.replace("\n", " "), 80)
        table.add_row(
            str(record.place), record.reason, Text(detail), f"{record.size:,}", _time(record.ingested_at), again
        )
    return table


def groups_json(groups: Sequence[Group], levels: Sequence[Level]) -> dict[str, Any]:
    """The same for machines."""
    return {
        "topics": [{**asdict(level), "is_exceeded": level.is_exceeded} for level in levels],
        "groups": [asdict(group) for group in groups if group.records],
    }


def record_json(record: Record) -> dict[str, Any]:
    """One record for machines, its place as the other commands take it."""
    return {**asdict(record), "place": str(record.place), "is_open": record.is_open}


def record_text(record: Record, message: Message, full: bool) -> str:
    """Everything of one record, as plain lines."""
    again = "no" if record.new_offset is None else f"as offset {record.new_offset}, {_time(record.replayed_at)}"
    lines = [
        f"record      {record.place}",
        f"reason      {record.reason}",
        f"detail      {record.detail}",
        f"ingested    {_time(record.ingested_at)}",
        f"sent again  {again}",
        *(f"header      {name}: {shown(value, full)}" for name, value in message.headers),
        f"key         {shown(message.key, full)}",
        f"value       {shown(message.value, full)}",
    ]
    return "\n".join(lines)


def preview(one: Prepared, full: bool) -> str:
    """What would be sent, as plain lines: what changes, before and after."""
    lines = [f"{one.record.place}  {one.record.reason}"]
    if one.after is None:
        return "\n".join([*lines, f"  stays: {one.misfit}"])
    changes = 0
    for what, before, after in (
        ("key", one.before.key, one.after.key),
        ("value", one.before.value, one.after.value),
    ):
        if before != after:
            changes += 1
            old, new = around_difference(shown(before, True), shown(after, True), full)
            lines += [f"  {what} before  {old}", f"  {what} after   {new}"]
    lines += [] if changes else ["  as it is"]
    return "\n".join([*lines, *(f"  doubtful: {doubt}" for doubt in one.doubts)])


def shown(content: bytes | None, full: bool) -> str:
    """Bytes as text when they are UTF-8 and printable, else in hexadecimal; clipped unless ``full``."""
    if content is None:
        return "null"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = f"hex {content.hex()}"
    else:
        # A NUL or an escape sequence would be lost on a terminal, or change it.
        text = text if text.replace("\n", "").replace("\t", "").isprintable() else f"hex {content.hex()}"
    return text if full else clipped(text, CLIP)


def clipped(text: str, limit: int) -> str:
    """The text, or its beginning and how much is missing."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more letters, --full shows them)"


def around_difference(before: str, after: str, full: bool) -> tuple[str, str]:
    """Both texts, in large ones from shortly before their first difference."""
    if full or max(len(before), len(after)) <= CLIP:
        return before, after
    same = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    start = max(0, same - _CONTEXT)
    mark = "…" if start else ""
    return tuple(mark + clipped(text[start:], CLIP) for text in (before, after))  # type: ignore[return-value]


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    numbers = ("records", "open", "open, 24 h", "threshold", "bytes")
    for heading in headings:
        table.add_column(heading, justify="right" if heading in numbers else "left", overflow="fold")
    return table


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"

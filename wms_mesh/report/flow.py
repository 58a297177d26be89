"""What went through the warehouse on the last day, hour by hour, and how far its orders came."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from wms_mesh.report import plots
from wms_mesh.report.parts import Block, Chapter, Table, cell, count, many, moment, seconds, share
from wms_mesh.report.source import FLOW, HOURS, Source
from wms_mesh.stack import REPO

# What happened, the table and the column that say when.
STEPS = (
    ("Orders received", "semantic.orders", "created_at"),
    ("Pick tasks completed", "semantic.picking", "completed_at"),
    ("Parcels packed", "semantic.packing", "packed_at"),
    ("Shipments handed over", "semantic.shipping", "shipped_at"),
)


def _throughput(source: Source) -> list[Block]:
    found = source.ask(
        " union all ".join(
            f"select {place}, date_trunc('hour', {column}), count(*) from {table} as t"
            f" where {source.within(column, HOURS)} group by 2"
            for place, (_, table, column) in enumerate(STEPS)
        )
    )
    happened = {(place, hour.astimezone(UTC)): number for place, hour, number in found}
    hours = [source.end - timedelta(hours=HOURS - number) for number in range(HOURS)]
    return [
        _by_hour(source, heading, [(hour, happened.get((place, hour), 0)) for hour in hours])
        for place, (heading, _, _) in enumerate(STEPS)
    ]


def _by_hour(source: Source, heading: str, numbers: list[tuple[datetime, int]]) -> Block:
    total = sum(number for _, number in numbers)
    if not total:
        return Block(heading, "None in this time.")
    best = max(numbers, key=lambda pair: pair[1])
    text = f"{count(total)} in all, most in the hour from {best[0]:%H:%M}: {count(best[1])}."
    rows: list[plots.Row] = [
        {
            "hour": f"{hour:%H:%M}",
            "value": number,
            "is_open": hour + timedelta(hours=1) == source.end,
            "tip": f"{moment(hour)}: {count(number)}",
        }
        for hour, number in numbers
    ]
    table = Table(
        f"{heading}, by hour", ("Hour from", "Number"), [(moment(hour), count(number)) for hour, number in numbers]
    )
    plot = plots.plot(plots.by_hour(rows), f"{heading}, a bar for each hour: {text}")
    return Block(heading, text, plot, table)


def stages() -> list[str]:
    """The statuses of an order from the first to the first final one, in order, from the seed."""
    with (REPO / "seeds" / "status_values.csv").open(encoding="utf-8") as file:
        rows = sorted(
            (row for row in csv.DictReader(file) if row["entity"] == "order"), key=lambda row: int(row["sort_order"])
        )
    final = next(place for place, row in enumerate(rows) if row["is_terminal"] == "true")
    return [row["status"] for row in rows[: final + 1]]


def _funnel(source: Source) -> Block:
    heading = "How far the orders came"
    names = stages()
    places = ", ".join(f"({place}, '{name}')" for place, name in enumerate(names))
    orders = f"select order_id, status from semantic.orders as o where {source.within('created_at', HOURS)}"
    furthest = source.ask(
        f"""
        select furthest, count(*)
        from (
            select d.order_id, max(coalesce(p.place, 0)) as furthest
            from ({orders}) as d
            left join semantic.order_timeline as t on d.order_id = t.order_id
            left join (values {places}) as p (place, stage) on t.stage = p.stage
            group by d.order_id
        )
        group by furthest
        """
    )
    total = sum(number for _, number in furthest)
    if not total:
        return Block(heading, "No order was received in this time.")
    reached = [sum(number for place, number in furthest if place >= at) for at in range(len(names))]
    lengths, aside = _lengths(source, orders), _aside(source, orders, names)
    rows: list[plots.Row] = [
        {
            "name": _words(name),
            "value": number,
            "label": f"{count(number)} · {share(number, total)}",
            "tip": f"{_words(name)}: {count(number)} of {many(total, 'order')}",
        }
        for name, number in zip(names, reached, strict=True)
    ]
    text = f"Of {many(total, 'order')} that were received, {share(reached[-1], total)} came to the end." + (
        f" Aside stand {aside}." if aside else ""
    )
    table = Table(
        "Orders that reached or passed a status, and the time half of them spent in it",
        ("Status", "Orders", "Share", "Median time"),
        [
            (_words(name), count(number), share(number, total), cell(lengths.get(name), seconds))
            for name, number in zip(names, reached, strict=True)
        ],
    )
    plot = plots.plot(
        plots.bars(rows), f"Orders that reached or passed each status: {'; '.join(row['tip'] for row in rows)}."
    )
    return Block(heading, text, plot, table, is_wide=True)


def _lengths(source: Source, orders: str) -> dict[str, float]:
    """The median of the seconds that these orders spent in a status."""
    statement = f"""
        select t.stage, approx_percentile(t.duration_seconds, 0.5)
        from semantic.order_timeline as t
        inner join ({orders}) as d on t.order_id = d.order_id
        group by t.stage
    """
    return {row[0]: row[1] for row in source.ask(statement)}


def _aside(source: Source, orders: str, names: Sequence[str]) -> str:
    """The orders that have left the way, in words: cancelled, to be tried again, given up."""
    found = source.ask(f"select status, count(*) from ({orders}) group by status order by 2 desc, 1")
    return ", ".join(f"{count(number)} {_words(status).lower()}" for status, number in found if status not in names)


def _words(status: str | None) -> str:
    return (status or "without a status").replace("_", " ").capitalize()


def _blocks(source: Source) -> list[Block]:
    return [*_throughput(source), _funnel(source)]


CHAPTER = Chapter(
    "flow",
    "Through the warehouse",
    f"The {HOURS} hours that end with the newest change in the data. A pale bar is the hour that was not over.",
    (*FLOW, "semantic.order_timeline"),
    _blocks,
)

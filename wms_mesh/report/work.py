"""Waves and the work in them. People are counted here, never named."""

from __future__ import annotations

from typing import Any

from wms_mesh.report import plots
from wms_mesh.report.parts import Block, Chapter, Table, cell, count, many, number, seconds, share
from wms_mesh.report.source import DAYS, Source
from wms_mesh.report.targets import KPI

WAVES, LABOR = "semantic.waves", "gold.labor_productivity_daily"

# What became of an order of a wave, and the colour of it.
PARTS = {
    "shipped": "step-1",
    "packed": "step-2",
    "in picking": "step-3",
    "waiting": "warn",
    "dropped": "rest",
}
_PICKS = """
    sum(pick_items) / nullif(sum(pick_hours), 0),
    cast(sum(pick_lines) - sum(exception_lines) as double) / nullif(sum(pick_lines), 0)
"""


def _waves(source: Source) -> Block:
    rows = source.ask(
        f"""
        select
            coalesce(wave_type, 'unknown'), count(*), sum(orders_total), sum(orders_shipped),
            sum(orders_packed - orders_shipped), sum(orders_in_picking),
            sum(orders_total - orders_packed - orders_in_picking - orders_dropped), sum(orders_dropped),
            sum(pieces), avg(completion_time_hours)
        from {WAVES} as w
        where {source.within("created_at", 24 * DAYS)} and orders_total > 0
        group by 1
        order by 3 desc, 1
        """
    )
    if not rows:
        return Block("Waves", "No wave with orders was planned in this time.")
    bars: list[plots.Row] = [
        {
            "name": row[0].replace("_", " "),
            "part": part,
            "value": value or 0,
            "tip": f"{row[0]}: {count(value)} of {many(row[2], 'order')} {part}",
        }
        for row in rows
        for part, value in zip(PARTS, row[3:8], strict=True)
    ]
    waves, orders, shipped = (sum(row[place] for row in rows) for place in (1, 2, 3))
    times = [row[9] for row in rows if row[9] is not None]
    text = (
        f"{many(waves, 'wave')} with {many(orders, 'order')}, {number(orders / waves)} in each;"
        f" {share(shipped, orders)} of the orders are shipped."
    )
    if not times:
        text += " No wave has an end on record, so how long waves take is not known."
    table = Table(
        "Waves by type",
        ("Type", "Waves", "Orders", "Shipped", "Pieces", "Time"),
        [
            (
                row[0].replace("_", " "),
                count(row[1]),
                count(row[2]),
                share(row[3], row[2]),
                count(row[8]),
                cell(row[9], lambda hours: seconds(hours * 3600)),
            )
            for row in rows
        ],
    )
    plot = plots.plot(
        plots.stacked(bars, PARTS), f"Orders in waves, by type of wave and by what became of them. {text}"
    )
    return Block("Waves", text, plot, table, is_wide=True)


def _zones(source: Source, target: float | None) -> Block:
    rows = source.ask(
        f"""
        select
            coalesce(zone, 'unknown'), count(distinct worker_id), sum(tasks_completed), sum(items_processed),
            sum(total_work_hours), {_PICKS}
        from {LABOR} as l
        where date > (select max(date) from {LABOR} as m) - interval '{DAYS}' day
        group by 1
        order by 1
        """
    )
    if not rows:
        return Block("Work by zone", "No task was completed yet.")
    text = (
        f"{count(sum(row[2] for row in rows))} pick and pack tasks, {count(sum(row[3] for row in rows))} pieces"
        f" and {count(sum(row[4] or 0 for row in rows))} hours of work in {many(len(rows), 'zone')}."
    )
    table = Table(
        "Work by zone",
        ("Zone", "People", "Tasks", "Hours", "Picks an hour", "Correct"),
        [
            (
                row[0],
                count(row[1]),
                count(row[2]),
                count(row[4]),
                cell(row[5], number),
                cell(row[6], share),
            )
            for row in rows
        ],
    )
    return _picks("Work by zone", text, table, [(row[0], row[5]) for row in rows], target)


def _days(source: Source, target: float | None) -> Block:
    rows = source.ask(
        f"""
        select
            date, count(distinct worker_id), sum(tasks_completed), sum(items_processed), sum(total_work_hours), {_PICKS}
        from {LABOR} as l
        where date > (select max(date) from {LABOR} as m) - interval '{DAYS}' day
        group by 1
        order by 1
        """
    )
    if not rows:
        return Block("Work by day", "No task was completed yet.")
    last = rows[-1]
    text = f"On {last[0]}, {many(last[1], 'person', 'people')} completed {many(last[2], 'task')}."
    table = Table(
        "Work by day",
        ("Day (UTC)", "People", "Tasks", "Hours", "Picks an hour", "Correct"),
        [
            (
                str(row[0]),
                count(row[1]),
                count(row[2]),
                count(row[4]),
                cell(row[5], number),
                cell(row[6], share),
            )
            for row in rows
        ],
    )
    return _picks("Work by day", text, table, [(str(row[0]), row[5]) for row in rows], target)


def _picks(heading: str, text: str, table: Table, rates: list[tuple[str, Any]], target: float | None) -> Block:
    known = [(name, float(rate)) for name, rate in rates if rate is not None]
    if not known:
        return Block(heading, f"{text} No pick has a start and an end, so there is no rate.", table=table)
    bars: list[plots.Row] = [
        {"name": name, "value": rate, "label": number(rate), "tip": f"{name}: {number(rate)} pieces an hour"}
        for name, rate in known
    ]
    goal = f" The dashed line is the target: {number(target)}." if target else ""
    text = f"{text} The bars are pieces picked in an hour of picking.{goal}"
    plot = plots.plot(
        plots.bars(bars, target), f"Pieces picked in an hour: {'; '.join(str(row['tip']) for row in bars)}.{goal}"
    )
    return Block(heading, text, plot, table)


def _blocks(source: Source) -> list[Block]:
    [[target]] = source.ask(f"select max(target) from {KPI} as k where kpi = 'picks_per_hour'")
    return [_waves(source), _zones(source, target), _days(source, target)]


CHAPTER = Chapter(
    "work",
    "Waves and work",
    f"The last {DAYS} days with data. A picker's time counts once, also while two tasks overlap.",
    (WAVES, LABOR, KPI),
    _blocks,
)

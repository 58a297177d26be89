"""The warehouse's KPIs against their targets, and what is under way now."""

from __future__ import annotations

from wms_mesh.report.parts import Block, Chapter, Table, count, moment, number
from wms_mesh.report.source import Source

KPI, NOW = "semantic.kpi_against_target", "gold.active_operations_snapshot"

_KPIS = f"""
select kpi, value, target, unit, direction, is_target_met, reason, window_start, window_end
from {KPI} as k
order by is_target_met is null, kpi
"""
_NOW = f"""
select
    snapshot_time, active_orders, active_waves, active_pick_tasks, active_pack_tasks, pending_shipments, active_workers
from {NOW} as n
order by snapshot_time desc
limit 1
"""
_COUNTED = ("Orders", "Waves", "Pick tasks", "Pack tasks", "Shipments to hand over", "Workers on shift")


def _targets(source: Source) -> Block:
    rows = source.ask(_KPIS)
    answered = [row for row in rows if row[1] is not None]
    if not answered:
        return Block("KPI against target", "No KPI can be computed yet: nothing was picked or shipped.")
    met = sum(bool(row[5]) for row in answered)
    _, _, _, _, _, _, _, start, end = answered[0]
    shown = [
        (
            _name(kpi),
            number(value),
            f"{'≥' if direction == 'higher' else '≤'} {number(target)} {_unit(unit)}",
            _met(is_met),
        )
        for kpi, value, target, unit, direction, is_met, *_ in answered
    ]
    unanswered = "; ".join(f"{_name(row[0])}: {row[6].rstrip('.')}" for row in rows if row[1] is None)
    return Block(
        "KPI against target",
        f"{count(met)} of {count(len(answered))} targets are met, {start} to {end}."
        + (f" What the source cannot answer: {unanswered}." if unanswered else ""),
        table=Table("KPI against target", ("KPI", "Value", "Target", "Met"), shown),
    )


def _under_way(source: Source) -> Block:
    rows = source.ask(_NOW)
    if not rows:
        return Block("Under way", "Nobody has looked yet: the refresher counts what is open every few minutes.")
    [at, *counts] = rows[0]
    table = Table("What is open", ("What", "Open"), [*zip(_COUNTED, map(count, counts), strict=True)])
    return Block("Under way", f"What had not ended at {moment(at)}.", table=table)


def _name(kpi: str) -> str:
    return kpi.removesuffix("_pct").replace("_", " ").capitalize()


def _unit(unit: str) -> str:
    return {"percent": "%", "items per hour": "an hour"}.get(unit, unit)


def _met(is_met: bool | None) -> str:
    return {True: "yes", False: "no", None: "unknown"}[is_met]


def _blocks(source: Source) -> list[Block]:
    return [_targets(source), _under_way(source)]


CHAPTER = Chapter("targets", "Targets", "", (KPI, NOW), _blocks)

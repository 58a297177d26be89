"""Stock and its movements by day: the contract's KPI definitions in plain Python."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.stack.convergence.compare import Row, Rows
from tests.stack.convergence.measures import (
    Tables,
    groups,
    ratio,
)


def inventory_metrics_daily(tables: Tables) -> Rows:
    """date, sku."""
    stock = groups(tables["inventory_days"].values(), "inventory_day", "sku")
    moved = groups(
        (row for row in tables["inventory_transactions"].values() if row["created_at"]), "transaction_day", "sku"
    )
    picked = {key: _moved(entries)["quantity_picked"] for key, entries in moved.items()}
    rows: Rows = {}
    for key in stock.keys() | moved.keys():
        day, sku = key
        recent = sum(
            quantity for (other, name), quantity in picked.items() if name == sku and 0 <= (day - other).days < 30
        )
        rows[key] = {"date": day, "sku": sku, "picked_30_days": recent, **_moved(moved.get(key, []))}
        rows[key] |= _stock(stock.get(key, []), rows[key]["quantity_picked"], recent)
    return rows


def _moved(entries: list[Row]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for entry in entries:
        sums[entry["type"]] += entry["quantity"] or 0
    received, picked, shipped = sums["receive"], -sums["pick"], -sums["ship"]
    adjusted = sums["adjust"] + sums["shortage"]
    return {
        "quantity_received": received,
        "quantity_picked": picked,
        "quantity_shipped": shipped,
        "quantity_adjusted": adjusted,
        "quantity_short": -sums["shortage"],
        "quantity_returned": sums["return_to_shelf"],
        "net_quantity": received - picked - shipped + adjusted,
    }


def _rank(source: tuple[Any, ...]) -> tuple[Any, ...]:
    op, at, order, _, _, offset = source
    return (at.replace(microsecond=0), op != "r", at, order, offset)


def _stock(days: list[Row], picked: int, recent: int) -> Row:
    names = ("product_name", "reserved_quantity", "hard_allocated_quantity", "available_quantity", "reorder_point")
    if not days:
        computed = ("starting_quantity", "ending_quantity", "turnover_rate", "days_of_supply", "is_low_stock")
        return dict.fromkeys(names + computed)
    last = max(days, key=lambda row: (_rank(_head(row)), row["document_id"]))
    first = min(days, key=lambda row: (_rank(row["opening_source"]), row["document_id"]))
    start, end = first["opening_quantity"], last["total_quantity"]
    available, reorder = last["available_quantity"], last["reorder_point"]
    both = None if start is None or end is None or start + end <= 0 else start + end
    return {name: last[name] for name in names} | {
        "starting_quantity": start,
        "ending_quantity": end,
        "turnover_rate": ratio(2 * picked, both),
        "days_of_supply": round(30 * end / recent, 6) if recent > 0 and end is not None else None,
        "is_low_stock": None if available is None or reorder is None else available <= reorder,
    }


def _head(row: Row) -> tuple[Any, ...]:
    return (row["op"], row["source_ts"], row["source_ord"], None, row["kafka_partition"], row["kafka_offset"])

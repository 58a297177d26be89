"""Orders, waves and shipments by day, and what is going on now: the contract's KPI definitions in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tests.stack.convergence.compare import Row, Rows
from tests.stack.convergence.measures import (
    DAY,
    HOUR,
    ORDER_LINE,
    WAVE_LINE,
    Tables,
    alive,
    created_day,
    forward,
    groups,
    line_fields,
    mean,
    quantile,
    ratio,
)

DEAREST = 10**14  # a unit price above is no price: money has 18 digits, four of them behind the point


def order_fulfillment_daily(tables: Tables) -> Rows:
    """date, priority."""
    shipped: dict[str | None, list[datetime]] = defaultdict(list)
    for shipment in alive(tables["shipments_current"]):
        if shipment["shipped_at"] and shipment["order_id"] is not None:
            shipped[shipment["order_id"]].append(shipment["shipped_at"])
    rows: Rows = {}
    for (day, priority), orders in groups(alive(tables["orders_current"]), created_day, "priority").items():
        statuses = Counter(order["status"] for order in orders)
        spans = []
        for order in orders:
            found = [forward(order["created_at"], at) for at in shipped[order["order_id"]]]
            spans += sorted(span for span in found if span is not None)[:1]
        lines = [line for order in orders for line in line_fields(order["items"], ORDER_LINE)]
        worth = [
            line["quantity"] * Decimal(str(line["unit_price"])).quantize(Decimal("0.0001"), ROUND_HALF_UP)
            for line in lines
            if line["quantity"] is not None and line["unit_price"] is not None and abs(line["unit_price"]) < DEAREST
        ]
        completed = statuses["shipped"] + statuses["delivered"]
        rows[day, priority] = {
            "date": day,
            "priority": priority,
            "total_orders": len(orders),
            "completed_orders": completed,
            "cancelled_orders": statuses["cancelled"],
            "dead_letter_orders": statuses["dead_letter"],
            "in_progress_orders": len(orders) - completed - statuses["cancelled"] - statuses["dead_letter"],
            "completion_rate": completed / len(orders),
            "fulfilled_orders": len(spans),
            "avg_fulfillment_time_hours": mean(spans, HOUR),
            "p50_fulfillment_time_hours": quantile(spans, 0.5),
            "p95_fulfillment_time_hours": quantile(spans, 0.95),
            "total_items": sum(line["quantity"] or 0 for line in lines),
            "total_revenue": sum(worth) if worth else None,
        }
    return rows


def shipping_performance_daily(tables: Tables, as_of: datetime) -> Rows:
    """date shipped, carrier_code, service_type."""
    promises: dict[str | None, datetime] = {}
    for order in alive(tables["orders_current"]):
        name, promised = order["order_id"], order["promised_delivery_at"]
        if name is not None and promised:
            promises[name] = max(promised, promises.get(name, promised))
    shipped = [row for row in alive(tables["shipments_current"]) if row["shipped_at"]]
    rows: Rows = {}
    for (day, carrier, service), shipments in groups(
        shipped, lambda row: row["shipped_at"].date(), "carrier_code", "service_type"
    ).items():
        on_time = delayed = 0
        for shipment in shipments:
            due, arrived = (
                shipment["estimated_delivery"] or promises.get(shipment["order_id"]),
                shipment["actual_delivery"],
            )
            if due is None:
                continue
            on_time += arrived is not None and arrived <= due
            delayed += arrived > due if arrived else shipment["status"] != "delivered" and due < as_of
        transits = [forward(shipment["shipped_at"], shipment["actual_delivery"]) for shipment in shipments]
        rows[day, carrier, service] = {
            "date": day,
            "carrier_code": carrier,
            "service_type": service,
            "shipments_count": len(shipments),
            "delivered_count": sum(bool(row["actual_delivery"] or row["status"] == "delivered") for row in shipments),
            "on_time_count": on_time,
            "delayed_count": delayed,
            "undecided_count": len(shipments) - on_time - delayed,
            "on_time_rate": on_time / (on_time + delayed) if on_time + delayed else None,
            "avg_transit_days": mean([span for span in transits if span is not None], DAY),
        }
    return rows


def wave_performance_daily(tables: Tables) -> Rows:
    """date created, wave_type."""
    rows: Rows = {}
    for (day, kind), waves in groups(alive(tables["waves_current"]), created_day, "wave_type").items():
        lines = [line for wave in waves for line in line_fields(wave["orders"], WAVE_LINE)]
        items = sum(line["item_count"] or 0 for line in lines)
        spans = [forward(wave["released_at"], wave["completed_at"]) for wave in waves]
        rows[day, kind] = {
            "date": day,
            "wave_type": kind,
            "waves_created": len(waves),
            "waves_completed": sum(wave["status"] == "completed" for wave in waves),
            "waves_cancelled": sum(wave["status"] == "cancelled" for wave in waves),
            "total_orders": len(lines),
            "total_items": items,
            "avg_orders_per_wave": ratio(len(lines), len(waves)),
            "avg_items_per_wave": ratio(items, len(waves)),
            "avg_completion_time_hours": mean([span for span in spans if span is not None], HOUR),
        }
    return rows


DONE = {
    "orders_current": {"delivered", "cancelled", "dead_letter", "shipped"},
    "waves_current": {"completed", "cancelled"},
    "pick_tasks_current": {"completed", "cancelled"},
    "pack_tasks_current": {"completed", "cancelled"},
    "shipments_current": {"delivered", "cancelled", "shipped"},
}


def active_operations_snapshot(tables: Tables, as_of: datetime) -> Row:
    """The row of one run."""
    active = {table: sum(row["status"] not in done for row in alive(tables[table])) for table, done in DONE.items()}

    def last_hour(table: str, column: str) -> int:
        since = as_of - timedelta(hours=1)
        return sum(row[column] is not None and since < row[column] <= as_of for row in alive(tables[table]))

    return {
        "snapshot_time": as_of,
        "active_orders": active["orders_current"],
        "active_waves": active["waves_current"],
        "active_pick_tasks": active["pick_tasks_current"],
        "active_pack_tasks": active["pack_tasks_current"],
        "pending_shipments": active["shipments_current"],
        "active_workers": sum(
            row["status"] in ("available", "on_task", "on_break") for row in alive(tables["worker_documents"])
        ),
        "orders_last_hour": last_hour("orders_current", "created_at"),
        "shipments_last_hour": last_hour("shipments_current", "shipped_at"),
    }

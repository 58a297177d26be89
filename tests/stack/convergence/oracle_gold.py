"""What must be computed out of silver: the contract's KPI definitions in plain Python, over the oracle's silver."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.stack.convergence.compare import Key, Row, Rows

Tables = dict[str, Rows]
HOUR = 3_600_000
DAY = 86_400_000


def alive(rows: Rows) -> list[Row]:
    """Without the deleted documents."""
    return [row for row in rows.values() if not row["is_deleted"]]


def duration(start: datetime | None, end: datetime | None) -> int | None:
    """Whole milliseconds from one moment to another; None when one of them is missing."""
    return None if start is None or end is None else (end - start) // timedelta(milliseconds=1)


def forward(start: datetime | None, end: datetime | None) -> int | None:
    """The same, None too when the end comes first: a mistake at the source."""
    span = duration(start, end)
    return span if span is not None and span >= 0 else None


def ratio(part: float, whole: float | None) -> float | None:
    """A quotient to six places; None without a whole."""
    return round(part / whole, 6) if whole else None


def mean(values: list[int], unit: int) -> float | None:
    """The mean of milliseconds, in larger units."""
    return ratio(sum(values), unit * len(values))


def quantile(values: list[int], fraction: float) -> float | None:
    """Linear interpolation between the nearest ranks, of milliseconds in hours."""
    if not values:
        return None
    ordered = sorted(values)
    rank = (len(ordered) - 1) * fraction
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return round((ordered[low] + (ordered[high] - ordered[low]) * (rank - low)) / HOUR, 6)


def groups(rows: Iterable[Row], *key: Any) -> dict[Key, list[Row]]:
    """Rows by the values that functions of a row, or its columns, give; 'unknown' for a column that is None."""
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in rows:
        names = tuple(part(row) if callable(part) else "unknown" if row[part] is None else row[part] for part in key)
        found[names].append(row)
    return found


def created_day(row: Row) -> date:
    """The UTC day that a document counts for."""
    created: datetime | None = row["created_at"]
    day: date = created.date() if created else row["document_day"]
    return day


# An object or a list arrives as tuples in the order of its columns.
def line_fields(lines: list[Any] | None, names: str) -> list[dict[str, Any]]:
    """The lines of a list with their fields by name; a line that was no object has none."""
    fields = names.split()
    return [dict(zip(fields, line or [None] * len(fields), strict=True)) for line in lines or []]


ORDER_LINE = "sku quantity weight unit_price"
PICK_LINE = "sku product_name quantity picked_qty location status tote_id picked_at verified_at notes"
PACK_LINE = "sku product_name quantity weight fragile verified"
EXCEPTION = "exception_id sku location_id reason requested_qty available_qty resolution resolved_at created_at"
WAVE_LINE = "order_id customer_id priority item_count total_weight zone status added_at"


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
            if line["quantity"] is not None and line["unit_price"] is not None
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


@dataclass
class Workday:
    """What one worker completed on one UTC day."""

    picks: list[Row] = field(default_factory=list)
    packs: list[Row] = field(default_factory=list)


def worker_days(tables: Tables) -> Rows:
    """date completed, worker_id."""
    days: dict[Key, Workday] = defaultdict(Workday)
    for table, worker, part in (
        ("pick_tasks_current", "picker_id", "picks"),
        ("pack_tasks_current", "packer_id", "packs"),
    ):
        for task in alive(tables[table]):
            if task["status"] == "completed" and task["completed_at"] and task[worker]:
                getattr(days[task["completed_at"].date(), task[worker]], part).append(task)
    return {(day, worker): {"date": day, "worker_id": worker} | _workday(work) for (day, worker), work in days.items()}


def _workday(work: Workday) -> Row:
    tasks = work.picks + work.packs
    lines = [(task, line) for task in work.picks for line in line_fields(task["items"], PICK_LINE)]
    picked = sum(line["picked_qty"] or 0 for _, line in lines)
    packed = sum(line["quantity"] or 0 for task in work.packs for line in line_fields(task["items"], PACK_LINE))
    zones = Counter(task["zone"] for task in work.picks if task["zone"] is not None)
    return {
        "zone": min(zones, key=lambda zone: (-zones[zone], zone)) if zones else None,
        "tasks_completed": len(tasks),
        "pick_tasks": len(work.picks),
        "pack_tasks": len(work.packs),
        "items_processed": picked + packed,
        "pick_items": picked,
        "pick_lines": len(lines),
        "exception_lines": sum(_has_exception(task, line) for task, line in lines),
        "exceptions_count": sum(len(task["exceptions"] or []) for task in work.picks),
        "work_seconds": seconds_of_work(tasks),
        "pick_seconds": seconds_of_work(work.picks),
        "first_started_at": min((task["started_at"] for task in tasks if task["started_at"]), default=None),
        "last_completed_at": max(task["completed_at"] for task in tasks),
    }


def _has_exception(task: Row, line: dict[str, Any]) -> bool:
    if line["status"] in ("short", "exception"):
        return True
    place = (line["location"] or (None,))[0]
    named = [one for one in line_fields(task["exceptions"], EXCEPTION) if one["sku"] is not None]
    return any(one["sku"] == line["sku"] and (place is None or one["location_id"] in (None, place)) for one in named)


def seconds_of_work(tasks: list[Row]) -> float | None:
    """The tasks' intervals, overlaps counted once; None when no task has one."""
    spans = sorted(
        (task["started_at"], task["completed_at"])
        for task in tasks
        if forward(task["started_at"], task["completed_at"]) is not None
    )
    total, reached = timedelta(), None
    for start, end in spans:
        start = start if reached is None else max(start, reached)
        total += max(end - start, timedelta())
        reached = end if reached is None else max(reached, end)
    return total.total_seconds() if spans else None


def labor_productivity_daily(tables: Tables) -> Rows:
    """date completed, worker_id."""
    names: dict[str, tuple[Any, ...]] = {}
    for row in tables["worker_documents"].values():
        rank = (not row["is_deleted"], row["document_id"], row["name"])
        if row["worker_id"] is not None:
            names[row["worker_id"]] = max(names.get(row["worker_id"], rank), rank, key=lambda one: one[:2])
    rows: Rows = {}
    for key, work in tables["worker_days"].items():
        shift = _shift_of(tables, work)
        seconds, lines = work["work_seconds"], work["pick_lines"]
        zone = shift["zone"] if shift else None
        rows[key] = {
            **{
                name: work[name]
                for name in ("date", "worker_id", "tasks_completed", "items_processed", "exceptions_count")
            },
            **{name: work[name] for name in ("pick_items", "pick_lines", "exception_lines")},
            "worker_name": names[work["worker_id"]][2] if work["worker_id"] in names else None,
            "zone": work["zone"] if zone is None else zone,
            "shift_type": shift["shift_type"] if shift else None,
            "total_work_hours": None if seconds is None else round(seconds / 3600, 6),
            "pick_hours": None if work["pick_seconds"] is None else round(work["pick_seconds"] / 3600, 6),
            "tasks_per_hour": ratio(work["tasks_completed"] * 3600, seconds),
            "items_per_hour": ratio(work["items_processed"] * 3600, seconds),
            "accuracy_rate": (lines - work["exception_lines"]) / lines if lines else None,
        }
    return rows


def _shift_of(tables: Tables, work: Row) -> Row | None:
    end: datetime = work["last_completed_at"]
    shifts = [
        row
        for row in tables["worker_shifts"].values()
        if row["worker_id"] == work["worker_id"] and timedelta() <= end - row["started_at"] < timedelta(hours=24)
    ]
    return max(shifts, key=lambda row: (row["started_at"], row["document_id"]), default=None)


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


def pick_tasks_enriched(tables: Tables) -> Rows:
    """A row for each living task, with its order's and its picker's columns."""
    orders = _newest_by(tables["orders_current"], "order_id")
    workers = _newest_by(tables["worker_documents"], "worker_id")
    taken = (
        *("task_id", "order_id", "wave_id", "route_id", "picker_id", "status", "pick_method", "tote_id", "zone"),
        *("created_at", "assigned_at", "started_at", "completed_at", "updated_at", "document_id"),
    )
    rows: Rows = {}
    for task in alive(tables["pick_tasks_current"]):
        order, worker = orders.get(task["order_id"], {}), workers.get(task["picker_id"], {})
        lines = line_fields(task["items"], PICK_LINE)
        span = duration(task["started_at"], task["completed_at"])
        has_lines = task["items"] is not None
        rows[(task["document_id"],)] = {name: task[name] for name in taken} | {
            "items": [
                (line["sku"], line["quantity"], line["picked_qty"], (line["location"] or (None,))[0], line["status"])
                for line in lines
            ]
            if has_lines
            else None,
            "duration_seconds": None if span is None else span / 1000,
            "items_picked": sum(line["picked_qty"] or 0 for line in lines) if has_lines else None,
            "exception_count": len(task["exceptions"] or []),
            "order_priority": order.get("priority"),
            "customer_id": order.get("customer_id"),
            "promised_delivery_at": order.get("promised_delivery_at"),
            "worker_name": worker.get("name"),
            "shift_type": worker.get("shift_type"),
        }
    return rows


def _newest_by(rows: Rows, name: str) -> dict[str, Row]:
    ordered = sorted(alive(rows), key=lambda row: (row["source_ts"], row["document_id"]))
    return {row[name]: row for row in ordered if row[name] is not None}


def workers_current(tables: Tables) -> Rows:
    """A row for each worker; what the document does not measure comes out of the tasks."""
    rows: Rows = {}
    for key, worker in tables["worker_documents"].items():
        days = [row for row in tables["worker_days"].values() if row["worker_id"] == worker["worker_id"]]
        timed = [row for row in days if row["work_seconds"] is not None]
        hours = sum(row["work_seconds"] for row in timed) / 3600
        lines = sum(row["pick_lines"] for row in days)
        wrong = sum(row["exception_lines"] for row in days)
        minutes, accuracy = worker["average_task_time"], worker["accuracy_percent"]
        skills = line_fields(worker["skills"], "type level certified certified_at")
        names = (
            "document_id",
            "worker_id",
            "employee_id",
            "name",
            "current_zone",
            "current_task_id",
            "status",
            "shift_type",
        )
        rows[key] = {name: worker[name] for name in (*names, "shift_started_at", "updated_at", "is_deleted")} | {
            "skills": None
            if worker["skills"] is None
            else [(skill["type"], skill["level"], skill["certified_at"]) for skill in skills],
            "avg_tasks_per_hour": 60 / minutes
            if minutes
            else ratio(sum(row["tasks_completed"] for row in timed), hours),
            "avg_items_per_hour": worker["average_items_per_hour"]
            or ratio(sum(row["items_processed"] for row in timed), hours),
            "accuracy_rate": accuracy / 100 if accuracy else round(1 - wrong / lines, 6) if lines else None,
        }
    return rows


def gold(silver: Tables, as_of: datetime) -> Tables:
    """Every table that is computed out of silver's."""
    tables = silver | {"worker_days": worker_days(silver)}
    return {
        "worker_days": tables["worker_days"],
        "workers_current": workers_current(tables),
        "pick_tasks_enriched": pick_tasks_enriched(tables),
        "order_fulfillment_daily": order_fulfillment_daily(tables),
        "inventory_metrics_daily": inventory_metrics_daily(tables),
        "labor_productivity_daily": labor_productivity_daily(tables),
        "shipping_performance_daily": shipping_performance_daily(tables, as_of),
        "wave_performance_daily": wave_performance_daily(tables),
        "active_operations_snapshot": {(as_of,): active_operations_snapshot(tables, as_of)},
    }

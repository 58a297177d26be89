"""Workers, their days and their tasks: the contract's KPI definitions in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.stack.convergence.compare import Key, Row, Rows
from tests.stack.convergence.measures import (
    EXCEPTION,
    PACK_LINE,
    PICK_LINE,
    Tables,
    alive,
    duration,
    forward,
    line_fields,
    ratio,
)


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

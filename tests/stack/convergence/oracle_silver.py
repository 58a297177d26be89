"""What silver must say, out of all records at once: plain Python from the contract, nothing shared with the macros."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Hashable
from datetime import UTC, date, datetime
from typing import Any

from tests.stack.convergence.columns import DAY_COLUMNS, ENTRY_COLUMNS, SHIFT_COLUMNS, TABLES
from tests.stack.convergence.compare import Key, Row, Rows
from tests.stack.convergence.oracle_state import by_key, current, document_row, fields, state
from tests.stack.convergence.reading import Failures, parsed, read, read_columns, string, text_of, time
from tests.stack.convergence.records import Event, Record, moment


def inventory_days(records: list[Record]) -> Rows:
    """A document's stock at the two ends of each UTC day on which it was saved."""
    periods: dict[tuple[str, date], list[Record]] = defaultdict(list)
    for key, history in by_key(records).items():
        for record in history:
            if record.op != "d":
                saved = time(fields(record).get("updated_at")) or moment(record.at)
                periods[key, saved.date()].append(record)
    rows: Rows = {}
    for (key, day), history in periods.items():
        now = state(history)
        first = min(history, key=lambda record: record.position)
        rows[key, day] = document_row(now, DAY_COLUMNS) | {
            "document_id": key,
            "inventory_day": day,
            "opening_quantity": _opening(first, day),
            "opening_source": now.source(first),
        }
    return rows


def _opening(first: Record, day: date) -> int | None:
    """0 before an insert, unless the document is older than the day: an import does not say."""
    if first.op == "c":
        created = time(fields(first).get("created_at"))
        return None if created and created.date() < day else 0
    before = parsed(first.before) if first.op == "u" else None
    return read(before.get("total_quantity"), "i", "", []) if isinstance(before, dict) else None


def worker_shifts(records: list[Record]) -> Rows:
    """A row for each shift of each worker, as its newest image shows it."""
    shifts: dict[tuple[str, datetime], list[Record]] = defaultdict(list)
    for key, history in by_key(records).items():
        for record in history:
            shift = fields(record).get("current_shift")
            started = time(shift.get("start_time")) if isinstance(shift, dict) else None
            if record.op != "d" and started:
                shifts[key, started].append(record)
    return {
        (key, started): document_row(state(history), SHIFT_COLUMNS)
        | {"document_id": key, "started_at": started, "shift_day": started.date()}
        for (key, started), history in shifts.items()
    }


def inventory_transactions(records: list[Record]) -> Rows:
    """Every movement that any image ever showed, once."""
    seen: dict[tuple[str, str], tuple[tuple[int, int], Any, Any]] = {}
    for record in records:
        document = fields(record)
        entries = document.get("transactions")
        for entry in entries if isinstance(entries, list) else []:
            at = (record.partition, record.offset)
            identity = (record.key, text_of(entry))
            if identity not in seen or at < seen[identity][0]:
                seen[identity] = (at, document.get("sku"), entry)
    rows: Rows = {}
    for (key, text), ((partition, offset), sku, entry) in seen.items():
        failures: Failures = []
        row = read_columns(entry, ENTRY_COLUMNS, failures)
        created = row["created_at"]
        rows[key, text] = row | {
            "document_id": key,
            "sku": string(sku),
            "parse_failures": sorted((f"transactions[].{path}", value) for path, value in failures) or None,
            "kafka_topic": "cdc.wms.inventory",
            "kafka_partition": partition,
            "kafka_offset": offset,
            "transaction_day": created.date() if created else date(1970, 1, 1),
        }
    return rows


EXTENSIONS = {
    "wmscorrelationid": "correlation_id",
    "wmswavenumber": "wave_number",
    "wmsworkflowid": "workflow_id",
    "wmstenantid": "tenant_id",
    "wmsfacilityid": "facility_id",
    "wmswarehouseid": "warehouse_id",
    "wmssellerid": "seller_id",
    "wmschannelid": "channel_id",
    "wmsorderid": "order_id",
    "traceparent": "trace_parent",
}
ENVELOPE = {"specversion", "type", "source", "subject", "id", "time", "datacontenttype", "data"}


def domain_events(events: list[Event]) -> Rows:
    """Every event once within its day, as the copy with the lowest coordinates tells it."""
    firsts: dict[tuple[str, date], Event] = {}
    for event in events:
        identity = (event.id, (event.at or event.sent).astimezone(UTC).date())
        first = firsts.get(identity, event)
        firsts[identity] = min(first, event, key=lambda one: (one.topic, one.partition, one.offset))
    return {identity: _event(event, identity[1]) for identity, event in firsts.items()}


def _event(event: Event, day: date) -> Row:
    attributes = parsed(event.attributes)
    subject = attributes["subject"]
    entity, slash, entity_id = subject.partition("/") if subject is not None else (None, "", "")
    extra = {name: value for name, value in attributes.items() if name not in ENVELOPE | EXTENSIONS.keys()}
    return {
        "event_id": event.id,
        "event_type": attributes["type"],
        "event_source": attributes["source"],
        "subject": subject,
        "entity_type": entity,
        "entity_id": entity_id if slash else None,
        "event_time": event.at,
        "spec_version": attributes["specversion"],
        "data_content_type": attributes["datacontenttype"],
        "data": None if attributes["data"] is None else text_of(attributes["data"]),
        **{column: string(attributes.get(name)) for name, column in EXTENSIONS.items()},
        "extra_attributes": text_of(extra) if extra else None,
        "kafka_topic": event.topic,
        "kafka_partition": event.partition,
        "kafka_offset": event.offset,
        "event_day": day,
    }


def parse_failures(tables: dict[str, Rows]) -> Rows:
    """Every unreadable value of every table, one row each."""
    rows: Rows = {}
    for table in (*TABLES.values(), "inventory_days", "worker_shifts", "inventory_transactions"):
        for row in tables[table].values():
            source = row.get("image_source") or (None, None, None, None, row["kafka_partition"], row["kafka_offset"])
            for path, value in row["parse_failures"] or []:
                rows[len(rows), "failure"] = {
                    "table_name": table,
                    "document_id": row["document_id"],
                    "path": path,
                    "value": value,
                    "source_ts": source[1],
                    "kafka_partition": source[4],
                    "kafka_offset": source[5],
                    "is_deleted": row.get("is_deleted", False),
                }
    return rows


def unknown_fields(tables: dict[str, Rows]) -> Rows:
    """Every field that no column takes, over the documents that live."""
    holders: dict[Key, list[tuple[datetime, str, Any]]] = defaultdict(list)
    for table in TABLES.values():
        for row in tables[table].values():
            if row["extra_fields"] and not row["is_deleted"]:
                for field, value in json.loads(row["extra_fields"]).items():
                    holders[table, field].append((row["image_source"][1], row["document_id"], value))
    rows: Rows = {}
    for (table, field), found in holders.items():
        first_seen, document, value = min(found, key=lambda one: one[:2])
        rows[table, field] = {
            "table_name": table,
            "field": field,
            "documents": len(found),
            "first_seen": first_seen,
            "example_document_id": document,
            "example_value": None if value is None else text_of(value),
        }
    return rows


def silver(records: list[Record], events: list[Event]) -> dict[str, Rows]:
    """Every table of silver that is made of bronze."""
    topics: dict[Hashable, list[Record]] = defaultdict(list)
    for record in records:
        topics[record.topic].append(record)
    tables = {table: current(topics[collection], collection) for collection, table in TABLES.items()}
    tables |= {
        "worker_shifts": worker_shifts(topics["workers"]),
        "inventory_days": inventory_days(topics["inventory"]),
        "inventory_transactions": inventory_transactions(topics["inventory"]),
        "domain_events": domain_events(events),
    }
    return tables | {"parse_failures": parse_failures(tables), "unknown_fields": unknown_fields(tables)}

"""The newest of a document's records, and the row that silver must have for it: plain Python from the contract."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.stack.convergence.columns import COLUMNS, WITH_HISTORY, At
from tests.stack.convergence.compare import OPEN, Row, Rows
from tests.stack.convergence.reading import Failures, parsed, read_columns, string, text_of, time
from tests.stack.convergence.records import Record, moment

_OBJECT_ID = re.compile(r'\{"\$oid": "([0-9a-f]{8})')


@dataclass(frozen=True)
class State:
    """The newest of some records of one document, and the newest that shows it."""

    head: Record
    shown: Record | None
    firsts: dict[tuple[Any, ...], tuple[int, int]]
    is_tied: bool

    @property
    def document(self) -> Any:
        """The newest image."""
        return parsed(self.shown.image) if self.shown else None

    def source(self, record: Record) -> tuple[Any, ...]:
        """A record as silver's rows name it, by the coordinates of its first copy: open when offsets decide."""
        coordinates = (OPEN, OPEN) if self.is_tied else self.firsts[record.change]
        return (record.op, moment(record.at), record.order, OPEN, *coordinates)


def state(records: list[Record]) -> State:
    """Of all records of one document, or of one period of it."""
    firsts: dict[tuple[Any, ...], tuple[int, int]] = {}
    for record in records:
        at = (record.partition, record.offset)
        firsts[record.change] = min(firsts.get(record.change, at), at)
    moments = {(record.op != "r", record.at, record.order) for record in records}
    shown = [record for record in records if record.image is not None]
    return State(
        head=max(records, key=lambda record: record.position),
        shown=max(shown, key=lambda record: record.position) if shown else None,
        firsts=firsts,
        is_tied=len(firsts) > len(moments),
    )


def by_key(records: Iterable[Record]) -> dict[str, list[Record]]:
    """The records of each document, without tombstones."""
    histories: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.op != "t":
            histories[record.key].append(record)
    return histories


def document_day(key: str) -> date:
    """The UTC day inside an ObjectId."""
    found = _OBJECT_ID.match(key)
    return moment(int(found[1], 16) * 1000 if found else 0).date()


def current(records: list[Record], collection: str) -> Rows:
    """The current state of a collection."""
    columns = COLUMNS[collection]
    known = {"_id"} | {(kind.path if isinstance(kind, At) else name).split(".")[0] for name, kind in columns.items()}
    rows: Rows = {}
    for key, history in by_key(records).items():
        now = state(history)
        row = document_row(now, columns)
        document = now.document
        extra = (
            {name: value for name, value in document.items() if name not in known} if isinstance(document, dict) else {}
        )
        row |= {
            "document_id": key,
            "extra_fields": text_of(extra) if extra else None,
            "document_day": document_day(key),
        }
        if collection in WITH_HISTORY:
            row["status_history"] = status_history(history)
        rows[(key,)] = row
    return rows


def document_row(now: State, columns: dict[str, Any]) -> Row:
    """The columns of an image, and those with which every table of documents ends."""
    failures: Failures = []
    row = read_columns(now.document, columns, failures)
    if now.shown and not isinstance(now.document, dict):
        failures.append(("$", (now.shown.image or "")[:200]))
    _, source_ts, source_ord, _, partition, offset = now.source(now.head)
    return row | {
        "extra_fields": None,
        "parse_failures": sorted(failures) or None,
        "is_deleted": now.head.op == "d",
        "op": now.head.op,
        "source_ts": source_ts,
        "source_ord": source_ord,
        "kafka_partition": partition,
        "kafka_offset": offset,
        "image_source": now.source(now.shown) if now.shown else None,
    }


def status_history(history: list[Record]) -> list[tuple[Any, ...]] | None:
    """Every status that any image ever showed, with when it was saved."""
    entries = set()
    for record in history:
        status = string(fields(record).get("status"))
        if status is not None:
            at = time(fields(record).get("updated_at")) or moment(record.at)
            entries.add((at, moment(record.at), record.order, status))
    return sorted(entries) or None


def fields(record: Record) -> dict[str, Any]:
    """The document that a record shows; nothing when it shows none."""
    document = parsed(record.image)
    return document if isinstance(document, dict) else {}

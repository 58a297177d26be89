"""The quarantine through Trino. Every query but that for a named record prunes partitions by the day of reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.bronze.tables import SCHEMA
from ingest.collections import QUARANTINE_TABLE, REPLAYS_TABLE
from wms_mesh import sql
from wms_mesh.quarantine.records import Message, Place, Record
from wms_mesh.stack import Stack

ALARM_PERIOD = timedelta(hours=24)

_ON = "using (kafka_topic, kafka_partition, kafka_offset)"
# One row for each record that was sent again: a record is never sent twice.
_SENT = (
    "select kafka_topic, kafka_partition, kafka_offset, new_offset, recorded_at as replayed_at"
    f" from {SCHEMA}.{REPLAYS_TABLE} where state = 'sent'"
)


@dataclass(frozen=True)
class Choice:
    """Which records: those that meet all that is given. ``places`` name records of any age."""

    since: datetime
    topic: str | None = None
    reason: str | None = None
    places: tuple[Place, ...] = ()
    only_open: bool = False

    def where(self) -> tuple[str, list[Any]]:
        """The condition with question marks, and what takes their places."""
        conditions: list[str] = []
        values: list[Any] = []
        if self.places:
            # Iceberg knows the offsets of each file, so that a named record is found without its day.
            one = "(kafka_topic = ? and kafka_partition = ? and kafka_offset = ?)"
            conditions.append(f"({' or '.join([one] * len(self.places))})")
            values += [part for place in self.places for part in (place.topic, place.partition, place.offset)]
        else:
            conditions.append("ingested_at >= ?")
            values.append(self.since)
        for column, value in (("kafka_topic", self.topic), ("reason", self.reason)):
            if value is not None:
                conditions.append(f"{column} = ?")
                values.append(value)
        if self.only_open:
            conditions.append("new_offset is null")
        return " and ".join(conditions), values


@dataclass(frozen=True)
class Group:
    """The records of one topic and reason. open_lately: those of the last 24 hours that were not sent again."""

    topic: str
    reason: str
    records: int
    open: int
    open_lately: int
    first: datetime | None
    last: datetime | None


def groups(stack: Stack, since: datetime, now: datetime) -> list[Group]:
    """Counts since a time; a group of 0 records has older ones of the last 24 hours only."""
    lately = now - ALARM_PERIOD
    rows = sql.query(
        stack,
        f"""
        select
            kafka_topic,
            reason,
            count_if(ingested_at >= ?),
            count_if(ingested_at >= ? and new_offset is null),
            count_if(ingested_at >= ? and new_offset is null),
            min(ingested_at) filter (where ingested_at >= ?),
            max(ingested_at)
        from {SCHEMA}.{QUARANTINE_TABLE} left join ({_SENT}) {_ON}
        where ingested_at >= ?
        group by 1, 2
        order by 1, 2
        """,
        (since, since, lately, since, min(since, lately)),
    )
    return [Group(*row) for row in rows]


def records(stack: Stack, choice: Choice, limit: int | None = None) -> list[Record]:
    """The chosen records in the order of their places; with ``limit`` so many of them."""
    condition, values = choice.where()
    rows = sql.query(
        stack,
        f"""
        select
            kafka_topic, kafka_partition, kafka_offset, reason, detail, ingested_at,
            coalesce(length(message_key), 0) + coalesce(length(message_value), 0), new_offset, replayed_at
        from {SCHEMA}.{QUARANTINE_TABLE} left join ({_SENT}) {_ON}
        where {condition}
        order by 1, 2, 3
        {"" if limit is None else f"limit {limit}"}
        """,
        values,
    )
    return [Record(Place(*row[:3]), *row[3:]) for row in rows]


def messages(stack: Stack, batch: Sequence[Record]) -> list[Message]:
    """What the records carry, in their order; all are of one partition."""
    [(topic, partition)] = {(record.place.topic, record.place.partition) for record in batch}
    times = [record.ingested_at for record in batch]
    rows = sql.query(
        stack,
        f"""
        select kafka_offset, message_key, message_value, message_headers
        from {SCHEMA}.{QUARANTINE_TABLE}
        where kafka_topic = ? and kafka_partition = ? and ingested_at between ? and ?
            and kafka_offset in ({", ".join(str(record.place.offset) for record in batch)})
        """,
        (topic, partition, min(times), max(times)),
    )
    carried = {
        # kafka-python sends no header without a value: it becomes an empty one.
        offset: Message(topic, key, value, tuple((name, text or b"") for name, text in (headers or {}).items()))
        for offset, key, value, headers in rows
    }
    return [carried[record.place.offset] for record in batch]

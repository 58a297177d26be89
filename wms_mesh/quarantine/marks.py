"""The marks of replays, in an append-only table: an intent before a record is sent, and afterwards what became of it.

An intent without an outcome is a replay that was cut off: what it sent, if anything, is found in Kafka by its headers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ingest.bronze.tables import REPLAYS, SCHEMA
from wms_mesh import sql
from wms_mesh.quarantine.records import Place
from wms_mesh.stack import Stack

INTENDED, SENT, NOT_SENT = "intended", "sent", "not_sent"
_TABLE = f"{SCHEMA}.{REPLAYS.name}"
_COLUMNS = [column.name for column in REPLAYS.columns]


@dataclass(frozen=True)
class Attempt:
    """One record about to be sent again. search_from: the end of its partition before that."""

    place: Place
    replay_id: str
    search_from: int
    mapping_hash: str | None
    intended_at: datetime


def intend(stack: Stack, attempts: Iterable[Attempt]) -> None:
    """Say what is about to be sent, in one commit; at most BATCH_RECORDS attempts."""
    _write(stack, [(attempt, INTENDED, None, attempt.intended_at) for attempt in attempts])


def settle(stack: Stack, outcomes: Iterable[tuple[Attempt, int | None]]) -> None:
    """Say what became of intents, in one commit: the offset of what was sent, None when nothing was."""
    now = datetime.now(UTC)
    _write(stack, [(attempt, NOT_SENT if at is None else SENT, at, now) for attempt, at in outcomes])


def unsettled(stack: Stack) -> list[Attempt]:
    """Intents without an outcome, from replays that were cut off."""
    rows = sql.query(
        stack,
        f"""
        select
            kafka_topic, kafka_partition, kafka_offset, replay_id,
            min(search_from), min(mapping_hash), min(recorded_at)
        from {_TABLE}
        group by 1, 2, 3, 4
        having count_if(state <> '{INTENDED}') = 0
        order by 1, 2, 3
        """,
    )
    return [Attempt(Place(*row[:3]), *row[3:]) for row in rows]


def _write(stack: Stack, rows: list[tuple[Attempt, str, int | None, datetime]]) -> None:
    if not rows:
        return
    values: list[Any] = []
    for attempt, state, new_offset, at in rows:
        place = attempt.place
        values += [place.topic, place.partition, place.offset, attempt.replay_id, state]
        values += [attempt.search_from, new_offset, attempt.mapping_hash, at]
    row = f"({', '.join('?' * len(_COLUMNS))})"
    sql.query(stack, f"insert into {_TABLE} ({', '.join(_COLUMNS)}) values {', '.join([row] * len(rows))}", values)

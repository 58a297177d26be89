"""Sending quarantined records again: each one once, whatever dies in between.

Kafka and Iceberg share no transaction. So a record's intent is committed first, then it is sent, then its outcome is
committed; what lies between an intent and its outcome is looked up in Kafka before anything else is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime

from wms_mesh import turns
from wms_mesh.errors import MeshError
from wms_mesh.quarantine import marks, reading, sending
from wms_mesh.quarantine.checks import doubts
from wms_mesh.quarantine.marks import Attempt
from wms_mesh.quarantine.mending import Mapping
from wms_mesh.quarantine.paths import MisfitError
from wms_mesh.quarantine.records import Message, Place, Record, batches
from wms_mesh.stack import Stack

Say = Callable[[str], None]


@dataclass(frozen=True)
class Prepared:
    """One chosen record. after: what would be sent, None when that cannot be (``misfit`` says why)."""

    record: Record
    before: Message
    after: Message | None
    misfit: str = ""
    doubts: tuple[str, ...] = ()


def prepare(stack: Stack, records: Sequence[Record], mapping: Mapping | None) -> Iterator[list[Prepared]]:
    """The records with their bytes, mended, a batch at a time. Nothing is written: twice gives the same twice."""
    for batch in batches(records):
        yield [
            _prepare(record, message, mapping)
            for record, message in zip(batch, reading.messages(stack, batch), strict=True)
        ]


def _prepare(record: Record, message: Message, mapping: Mapping | None) -> Prepared:
    try:
        mended = mapping.mend(message) if mapping else message
        if mended.key is None and mended.value is None:
            raise MisfitError("it has neither key nor value, which Kafka's client does not send: set a key")
    except MisfitError as misfit:
        return Prepared(record, message, None, str(misfit))
    return Prepared(record, message, mended, doubts=tuple(doubts(mended)))


def send(stack: Stack, records: Sequence[Record], mapping: Mapping | None) -> Iterator[tuple[Place, int]]:
    """Send what can be sent, in the order of the offsets; yields each place with its new offset once it is marked.

    Call it within ``turn``, behind ``leftovers.settle``.
    Raises MeshError when Kafka or Trino fails; the next replay finds out what had arrived.
    """
    replay_id = str(uuid.uuid4())
    with sending.sender(stack) as sender:
        for batch in prepare(stack, records, mapping):
            ready = [(one.record, one.after) for one in batch if one.after is not None]
            if ready:
                end = _end(stack, ready[0][0].place)
                now = datetime.now(UTC)
                pairs = [
                    (Attempt(record.place, replay_id, end, mapping.hash if mapping else None, now), message)
                    for record, message in ready
                ]
                marks.intend(stack, [attempt for attempt, _ in pairs])
                offsets = sender.send(pairs)
                marks.settle(stack, [(attempt, at) for (attempt, _), at in zip(pairs, offsets, strict=True)])
                yield from ((attempt.place, at) for (attempt, _), at in zip(pairs, offsets, strict=True))


def _end(stack: Stack, place: Place) -> int:
    bounds = sending.bounds(stack, [place])
    if not bounds:
        raise MeshError(
            f"Kafka has no partition {place.partition} of topic {place.topic} any more: choose other records."
        )
    return bounds[place.topic, place.partition][1]


def turn(stack: Stack, say: Say) -> AbstractContextManager[int]:
    """One replay at a time: another one waits for its end."""
    return turns.turn(stack.run() / "replay", "A replay", lambda who: say(f"{who} is under way: waiting for its end."))

"""What stands in bronze: one change record, one event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def milliseconds(at: datetime) -> int:
    """Epoch milliseconds."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def moment(at: int) -> datetime:
    """The time of epoch milliseconds, also before 1970."""
    return EPOCH + timedelta(milliseconds=at)


@dataclass(frozen=True)
class Record:
    """A Kafka record of a collection: ``image`` is the document it shows, ``before`` its pre-image, both JSON text."""

    topic: str
    partition: int
    offset: int
    key: str
    op: str
    at: int  # epoch milliseconds of source.ts_ms
    order: int
    image: str | None
    before: str | None = None

    @property
    def position(self) -> tuple[Any, ...]:
        """What is newer, as the contract says it: the second, streamed before snapshot, time, order, offset."""
        return (self.at // 1000, self.op != "r", self.at, self.order, self.offset)

    @property
    def change(self) -> tuple[Any, ...]:
        """What makes another record a copy of this one."""
        return (self.key, self.op, self.at, self.order, self.image)

    @property
    def envelope(self) -> str | None:
        """The record's value; a delete shows its document as ``before``."""
        if self.op == "t":
            return None
        is_delete = self.op == "d"
        return json.dumps(
            {
                "before": self.image if is_delete else self.before,
                "after": None if is_delete else self.image,
                "op": self.op,
            }
        )


@dataclass(frozen=True)
class Event:
    """A Kafka record of an event topic; ``at`` is the CloudEvent's time (None: unreadable), ``sent`` the record's."""

    topic: str
    partition: int
    offset: int
    id: str
    at: datetime | None
    sent: datetime
    attributes: str  # the envelope, JSON text

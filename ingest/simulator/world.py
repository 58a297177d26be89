"""The world's clock, its stored documents and its way out: every write and every event passes through here."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId

from ingest.simulator import statuses
from ingest.simulator.changes import Change, Document, DocumentWrite, Operation
from ingest.simulator.defects import Defects
from ingest.simulator.events import EventLog
from ingest.simulator.ids import Ids
from ingest.simulator.naming import Copier
from ingest.simulator.options import DAY_MS, Options
from ingest.simulator.stream import stream

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant(ms: int) -> datetime:
    """Epoch milliseconds as a date, exactly."""
    return _EPOCH + timedelta(milliseconds=ms)


# How MongoDB stores Go's zero time, which the services write where a time is not known yet.
ZERO_TIME = datetime(1, 1, 1, tzinfo=UTC)


class World:
    """Virtual time and what is stored at each moment.

    A document in ``documents`` is what MongoDB holds: a field that a service leaves out of its ``$set`` keeps its
    value here, too, because ``save`` only takes it out of the write.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.fill = not options.only_what_services_write
        self.random = stream("world", options.seed)
        self.ids = Ids(options.seed, options.start_ms)
        self.statuses = statuses.load()
        self.documents: dict[str, dict[ObjectId, Document]] = {}
        self.now_ms = options.start_ms - options.history_days * DAY_MS
        self.now = instant(self.now_ms)
        self._agenda: list[tuple[int, int, Callable[..., object], tuple[Any, ...]]] = []
        self._sequence = 0
        self._out: list[Change] = []
        self._recording = False
        self._copier = Copier(options.naming)
        self._defects = Defects(options.seed, options.malformed, self._copier.names)
        self._events = EventLog(options, self.ids)

    @property
    def is_history(self) -> bool:
        """Whether the simulated time has not begun yet."""
        return self.now_ms < self.options.start_ms

    def later(self, delay_ms: float, action: Callable[..., object], *arguments: Any) -> None:
        """Do something after a delay of virtual time."""
        self._sequence += 1
        heapq.heappush(self._agenda, (self.now_ms + max(0, int(delay_ms)), self._sequence, action, arguments))

    def between(self, low_ms: int, high_ms: int) -> int:
        """A delay, more often near the low end."""
        draw = self.random.random()
        return low_ms + int((high_ms - low_ms) * draw * draw)

    def chance(self, share: float) -> bool:
        """True with a probability."""
        return self.random.random() < share

    def is_deleted_later(self) -> bool:
        """Whether somebody deletes a finished document for good; never in the history, where nobody would see it."""
        return self.chance(self.options.deletes) and not self.is_history

    def run(self) -> Iterator[Change]:
        """Every change from the start to the end, in the order of virtual time."""
        self._until(self.options.start_ms)
        self._advance(self.options.start_ms)
        self._recording = True
        for collection, documents in self.documents.items():
            for document_id, document in documents.items():
                yield DocumentWrite(
                    self.now_ms, collection, Operation.INSERT, document_id, self._copier.document(document)
                )
        agenda, out = self._agenda, self._out
        while agenda and agenda[0][0] < self.options.end_ms:
            at_ms, _, action, arguments = heapq.heappop(agenda)
            self._advance(at_ms)
            action(*arguments)
            if out:
                yield from out
                out.clear()

    def _until(self, end_ms: int) -> None:
        while self._agenda and self._agenda[0][0] < end_ms:
            at_ms, _, action, arguments = heapq.heappop(self._agenda)
            self._advance(at_ms)
            action(*arguments)

    def _advance(self, at_ms: int) -> None:
        if at_ms != self.now_ms:
            self.now_ms = at_ms
            self.now = instant(at_ms)

    def add(self, collection: str, document_id: ObjectId, document: Document) -> None:
        """A new document, by the services' upsert."""
        self.documents.setdefault(collection, {})[document_id] = document
        self._record(collection, Operation.SET, document_id, document)

    def save(self, collection: str, document_id: ObjectId, document: Document, omit: tuple[str, ...] = ()) -> None:
        """Write the whole document by ``$set``; fields in ``omit`` are empty in the service, so it leaves them out."""
        if self._recording:
            written = {name: value for name, value in document.items() if name not in omit} if omit else document
            self._record(collection, Operation.SET, document_id, written)

    def replace(self, collection: str, document_id: ObjectId, document: Document) -> None:
        """Write the document as it stands, dropping whatever else is stored."""
        self._record(collection, Operation.REPLACE, document_id, document)

    def delete(self, collection: str, document_id: ObjectId) -> Document:
        """Delete a document for good and return it."""
        if self._recording:
            self._out.append(DocumentWrite(self.now_ms, collection, Operation.DELETE, document_id, {}))
        return self.documents[collection].pop(document_id)

    def restore(self, collection: str, document_id: ObjectId, document: Document) -> None:
        """Bring a deleted document back under its old id."""
        self.documents[collection][document_id] = document
        self._record(collection, Operation.INSERT, document_id, document)

    def _record(self, collection: str, operation: Operation, document_id: ObjectId, document: Document) -> None:
        if self._recording:
            copy = self._copier.document(document)
            defect = self._defects.damage(collection, copy)
            self._out.append(DocumentWrite(self.now_ms, collection, operation, document_id, copy, defect))

    def publish(self, topic: str, event_type: str, subject: str, data: Document) -> None:
        """Send a CloudEvent; ``topic`` is the middle word of its name (``orders``)."""
        if self._recording:
            self._events.append(self._out, self.now_ms, f"wms.{topic}.events", event_type, subject, data)

    def step(self, entity: str, document: Document, status: str) -> None:
        """Move a document to a status along the seeds' state machine; raise UnknownStatusError otherwise."""
        document["status"] = self.statuses.step(entity, document["status"], status)

    def touch(self, document: Document) -> None:
        """Set the time of the last update."""
        document["updatedAt"] = self.now

"""Change logs: histories of documents and events, disordered the way connectors, outboxes and partitions disorder them.

A log is made of its own seed alone. Of what order it keeps, as the real transport does: the records of a document that
stays in its partition arrive in MongoDB's order, and a repetition repeats the end of a partition in its order.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.stack.convergence.documents import COLLECTIONS, Document, Save, World
from tests.stack.convergence.records import Event, Record, milliseconds
from tests.stack.convergence.surprises import surprise

START = datetime(2026, 3, 1, 21, tzinfo=UTC)  # three hours before a UTC midnight
MINUTES = 12 * 24 * 60  # of creation: days few enough for ten logs to meet, too many for a small batch
PARTITIONS = 3
EVENTS = 12
EVENT_TOPICS = ("wms.orders.events", "wms.picking.events")
CUT_OFF = '{"order_id": "ORD-'  # an image that is no JSON

Partition = tuple[str, int]  # table and number: the events of all topics share a table


@dataclass
class History:
    """Where and when the next record of one document is written."""

    topic: str
    key: str
    partition: int
    at: datetime
    order: int
    # Two writes in one transaction are only told apart by the offset: such a document stays in its partition.
    is_tied: bool

    @property
    def moment(self) -> int:
        """MongoDB stamps whole seconds."""
        return milliseconds(self.at.replace(microsecond=0))

    def record(self, op: str, image: str | None, before: str | None = None) -> Record:
        """A streamed change."""
        return Record(self.topic, self.partition, 0, self.key, op, self.moment, self.order, image, before)

    def move(self, choose: Random) -> None:
        """On to the next change: later, or in the same second, or (tied) in the same transaction; perhaps elsewhere."""
        if not self.is_tied and choose.random() < 0.2:
            self.partition = choose.randrange(PARTITIONS)
        if self.is_tied and choose.random() < 0.5:
            return
        if choose.random() < 0.8:
            # An article lives for weeks: its KPIs look 30 days back.
            days = choose.choice((0, 0, 0, 0, 1, 9, 25)) if self.topic == "inventory" else 0
            self.at += timedelta(days=days, seconds=choose.randrange(3, 20_000))
        else:
            self.order += 1


class Log:
    """All records of one log, partition by partition, in the order in which they arrive there."""

    def __init__(self, number: int, seed: str) -> None:
        self.number = number
        self.seed = seed
        self.choose = Random(seed)
        self.world = World(number)
        self.partitions: dict[Partition, list[Record | Event]] = defaultdict(list)
        self._late: list[Record] = []
        self._fill()

    def _fill(self) -> None:
        histories: list[Iterator[Record | Event]] = [
            self._document(topic, number) for topic, (count, _) in COLLECTIONS.items() for number in range(count)
        ]
        histories.append(self._events())
        while histories:
            history = self.choose.choice(histories)
            record = next(history, None)
            if record is None:
                histories.remove(history)
                continue
            self._send(record)
            if self.choose.random() < 0.1:
                self._send_again(record)
        for late in self._late:
            self._send(replace(late, partition=self.choose.randrange(PARTITIONS)))

    def _send(self, record: Record | Event) -> None:
        table = record.topic if isinstance(record, Record) else "domain_events"
        self.partitions[table, record.partition].append(record)

    def _send_again(self, record: Record | Event) -> None:
        """A connector that restarts repeats the end of a partition; an outbox sends anywhere."""
        if isinstance(record, Event):
            partition = self.choose.randrange(PARTITIONS)
            sent = record.sent + timedelta(seconds=self.choose.randrange(3600))
            self._send(replace(record, partition=partition, sent=sent, attributes=self._retold(record.attributes)))
            return
        for copy in self.partitions[record.topic, record.partition][-self.choose.randrange(1, 6) :]:
            self._send(copy)

    def _retold(self, attributes: str) -> str:
        """A redelivery is mostly the same; one with another payload must not take the first one's place."""
        return (
            json.dumps(json.loads(attributes) | {"wmstenantid": "again"}) if self.choose.random() < 0.3 else attributes
        )

    def _document(self, topic: str, number: int) -> Iterator[Record]:
        choose = self.choose
        created = START + timedelta(minutes=choose.randrange(MINUTES))
        key = json.dumps({"$oid": f"{int(created.timestamp()):08x}{self.number:08x}{number:08x}"})
        if choose.random() < 0.1:
            key = json.dumps(f"imported-{self.number}-{number}")
        # Within a second MongoDB numbers the changes of all documents: no two documents share a number.
        order = 1 + 1000 * (self.number * 64 + number)
        is_tied = topic != "inventory" and choose.random() < 0.2
        history = History(topic, key, choose.randrange(PARTITIONS), created, order, is_tied)
        stored: Document | None = None
        for _ in range(choose.randrange(2, 9)):
            history.move(choose)
            stored, records = self._change(history, number, created, stored)
            for record in records:
                if not is_tied and choose.random() < 0.03:
                    self._late.append(record)
                else:
                    yield record

    def _change(
        self, history: History, number: int, created: datetime, stored: Document | None
    ) -> tuple[Document | None, list[Record]]:
        """What MongoDB stores after one more step, and the records that say so."""
        choose = self.choose
        roll = choose.random()
        before = json.dumps(stored) if stored is not None and choose.random() < 0.7 else None
        if roll < 0.1 and stored is not None:
            records = [
                history.record("d", before),
                Record(history.topic, history.partition, 0, history.key, "t", 0, 0, None),
            ]
            history.at += timedelta(seconds=5)
            return None, records
        if roll < 0.2 and stored is not None:
            # A snapshot stamps milliseconds of its own clock; half of them fall into the second of the last change.
            at = history.moment + choose.choice((412, 60_000))
            history.at += timedelta(minutes=2)
            return stored, [Record(history.topic, history.partition, 0, history.key, "r", at, -1, json.dumps(stored))]
        if roll < 0.25 and stored is not None:
            # The document was gone when the connector looked it up.
            return stored, [history.record("u", None, before)]
        save = Save(self.world, choose, number, created, history.at, stored)
        document = COLLECTIONS[history.topic][1](save)
        for _ in range(choose.choice((0, 0, 0, 1, 2))):
            surprise(document, choose)
        image = CUT_OFF if choose.random() < 0.01 else json.dumps(document)
        return document, [history.record("c" if stored is None else "u", image, before)]

    def _events(self) -> Iterator[Event]:
        choose = self.choose
        for number in range(EVENTS):
            at = START + timedelta(minutes=choose.randrange(MINUTES), microseconds=choose.randrange(10**6))
            name = f"{self.number:08x}-0000-4000-8000-{number:012x}"
            attributes: dict[str, Any] = {
                "specversion": "1.0",
                "type": "wms.order.shipped",
                "source": "/wms/order-service",
                "subject": choose.choice(("order/ORD-1", "order/ORD/1", "order", "wave/", None)),
                "id": name,
                "time": at.isoformat(),
                "datacontenttype": "application/json",
                "data": choose.choice(({"order_id": "ORD-1", "weight": float("nan")}, {"lines": [1, 2]}, None)),
            }
            extensions = {
                "wmstenantid": "T",
                "wmsorderid": "ORD-1",
                "tracestate": "a=b",
                "traceparent": 7,
                "wmswavenumber": {},
            }
            attributes |= {key: value for key, value in extensions.items() if choose.random() < 0.3}
            yield Event(
                topic=choose.choice(EVENT_TOPICS),
                partition=choose.randrange(PARTITIONS),
                offset=0,
                id=name,
                at=at if choose.random() < 0.9 else None,
                sent=at + timedelta(seconds=choose.randrange(5)),
                attributes=json.dumps(attributes),
            )

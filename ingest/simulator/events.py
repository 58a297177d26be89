"""CloudEvents as the services' outbox puts them on the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from ingest.collections import EVENT_TOPICS
from ingest.simulator.changes import Change, Document, EventRecord
from ingest.simulator.defects import BROKEN_EVENTS
from ingest.simulator.ids import Ids
from ingest.simulator.options import Options
from ingest.simulator.stream import stream

_SOURCES = {
    "wms.orders.events": "/wms/order-service",
    "wms.inventory.events": "/wms/inventory-service",
    "wms.waves.events": "/wms/waving-service",
    "wms.picking.events": "/wms/picking-service",
    "wms.packing.events": "/wms/packing-service",
    "wms.shipping.events": "/wms/shipping-service",
    "wms.labor.events": "/wms/labor-service",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def text_time(ms: int) -> str:
    """RFC 3339 in UTC, without trailing zeros, as Go writes a time."""
    seconds, fraction = divmod(ms, 1000)
    text = (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
    return f"{text}.{fraction:03d}".rstrip("0") + "Z" if fraction else f"{text}Z"


class EventLog:
    """Builds records, chooses their partition and, where asked, repeats or breaks them.

    The partition is the one with the fewest bytes so far (the services' LeastBytes balancer): the key does not
    decide it, so the events of one aggregate are spread over partitions.
    """

    def __init__(self, options: Options, ids: Ids) -> None:
        self._ids = ids
        self._random = stream("events", options.seed)
        self._malformed = options.malformed
        self._duplicates = options.duplicates
        self._written = {topic: [0] * partitions for topic, partitions in EVENT_TOPICS.items()}

    def append(self, out: list[Change], at_ms: int, topic: str, event_type: str, subject: str, data: Document) -> None:
        """Add one event, and perhaps a duplicate and a malformed record, to ``out``."""
        event_id = self._ids.uuid4()
        nanoseconds = self._random.randrange(1_000_000)
        source = _SOURCES[topic]
        second = text_time(at_ms // 1000 * 1000)
        envelope = {
            "specversion": "1.0",
            "type": event_type,
            "source": source,
            "subject": subject,
            "id": event_id,
            "time": f"{second[:-1]}.{at_ms % 1000:03d}{nanoseconds:06d}Z",
            "datacontenttype": "application/json",
            "data": data,
        }
        value = _encode(envelope).encode()
        key = subject.encode()
        headers = (
            ("ce-specversion", b"1.0"),
            ("ce-type", event_type.encode()),
            ("ce-source", source.encode()),
            ("ce-id", event_id.encode()),
            ("ce-time", second.encode()),
            ("content-type", b"application/cloudevents+json"),
        )
        out.append(EventRecord(at_ms, topic, self._partition(topic, value), key, value, headers, event_type))
        if self._random.random() < self._duplicates:
            out.append(EventRecord(at_ms, topic, self._partition(topic, value), key, value, headers, event_type))
        if self._random.random() < self._malformed:
            kind, breaks = BROKEN_EVENTS[self._random.randrange(len(BROKEN_EVENTS))]
            broken = breaks(envelope, value)
            partition = self._partition(topic, broken or b"")
            out.append(EventRecord(at_ms, topic, partition, key, broken, headers, event_type, kind))

    def _partition(self, topic: str, value: bytes) -> int:
        written = self._written[topic]
        partition = written.index(min(written))
        written[partition] += len(value) + 1
        return partition

"""Events as the outbox puts them on the wire."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import Any

from ingest.collections import EVENT_TOPICS
from ingest.simulator import Change, DocumentWrite, EventRecord
from ingest.simulator.defects import BROKEN_EVENTS
from ingest.simulator.events import text_time

# event type: members of data ("?" may be absent)
DECLARED = {
    "wms.order.received": "id type aggregateId timestamp orderId customerId items priority promisedDeliveryAt",
    "wms.order.validated": "id type aggregateId timestamp orderId customerId totalItems",
    "wms.order.wave-assigned": "id type aggregateId timestamp orderId waveId",
    "wms.order.shipped": "id type aggregateId timestamp orderId customerId trackingNumber",
    "wms.order.cancelled": "id type aggregateId timestamp orderId customerId reason",
    "wms.inventory.received": "sku quantity locationId receivedAt",
    "wms.inventory.adjusted": "sku locationId previousQuantity newQuantity adjustmentType reason",
    "wms.inventory.low-stock-alert": "sku currentQuantity reorderPoint alertedAt",
    "wms.wave.created": "waveId waveType fulfillmentMode createdAt",
    "wms.wave.scheduled": "waveId scheduledStart scheduledEnd",
    "wms.wave.released": "waveId orderIds releasedAt estimatedDuration",
    "wms.wave.completed": "waveId completedAt orderCount actualStart actualEnd",
    "wms.wave.cancelled": "waveId reason orderIds cancelledAt",
    "wms.wave.order-added": "waveId orderId addedAt",
    "wms.wave.order-removed": "waveId orderId removedAt",
    "wms.picking.task-created": "taskId orderId waveId itemCount createdAt",
    "wms.picking.task-assigned": "taskId pickerId toteId assignedAt",
    "wms.picking.item-picked": "taskId sku quantity locationId toteId pickedAt",
    "wms.picking.task-completed": "taskId orderId pickerId totalItems pickedItems completedAt",
    "wms.picking.exception": "taskId exceptionId sku locationId reason requestedQty availableQty reportedAt",
    "wms.packing.task-created": "taskId orderId itemCount createdAt",
    "wms.packing.packaging-suggested": "taskId orderId packageId type dimensions suggestedAt",
    "wms.packing.package-sealed": "taskId packageId sealedAt",
    "wms.packing.label-applied": "taskId packageId trackingNumber carrier appliedAt",
    "wms.packing.task-completed": "taskId orderId packageId trackingNumber carrier totalWeight completedAt",
    "wms.shipping.shipment-created": "shipmentId orderId carrier createdAt",
    "wms.shipping.label-generated": "shipmentId trackingNumber carrier generatedAt",
    "wms.shipping.manifested": "shipmentId manifestId trackingNumber manifestedAt",
    "wms.shipping.confirmed": "shipmentId orderId trackingNumber carrier estimatedDelivery? shippedAt",
    "wms.shipping.manifest-closed": "manifestId carrierId packageCount totalWeight closedAt",
    "wms.labor.shift-started": "workerId shiftId zone shiftType startedAt",
    "wms.labor.shift-ended": "workerId shiftId tasksCompleted itemsProcessed endedAt",
    "wms.labor.task-assigned": "workerId taskId taskType assignedAt",
    "wms.labor.task-completed": "workerId taskId itemsProcessed completedAt",
    "wms.labor.performance-recorded": "workerId avgTaskTime avgItemsPerHour accuracyRate recordedAt",
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def events(world: list[Change]) -> list[tuple[EventRecord, dict[str, Any]]]:
    return [(one, json.loads(one.value or b"")) for one in world if isinstance(one, EventRecord)]


def test_event_is_not_as_declared(busy: list[Change]) -> None:
    seen = set()
    for record, event in events(busy):
        assert list(event) == ["specversion", "type", "source", "subject", "id", "time", "datacontenttype", "data"]
        assert event["type"] == record.type
        names = DECLARED[record.type].split()
        required = {name for name in names if not name.endswith("?")}
        assert required <= set(event["data"]) <= {name.rstrip("?") for name in names}, record.type
        for name, value in event["data"].items():
            if name.endswith(("At", "timestamp", "actualStart", "actualEnd", "scheduledStart", "scheduledEnd")):
                assert TIME.fullmatch(value), (record.type, name, value)
        seen.add(record.type)
    assert seen == set(DECLARED)


def test_record_does_not_match_its_event(busy: list[Change]) -> None:
    for record, event in events(busy):
        headers = dict(record.headers)
        assert record.key == event["subject"].encode()
        assert headers["ce-id"] == event["id"].encode()
        assert headers["ce-type"] == event["type"].encode()
        assert headers["ce-source"] == event["source"].encode()
        assert TIME.fullmatch(event["time"]) and len(event["time"]) == 30
        assert event["time"].startswith(headers["ce-time"].decode().rstrip("Z"))
        assert text_time(record.at)[:19] == event["time"][:19]


def test_partition_follows_the_key(busy: list[Change]) -> None:
    """LeastBytes: an aggregate's events are spread, and the partitions stay level."""
    spread: dict[bytes, set[int]] = defaultdict(set)
    written: Counter[tuple[str, int]] = Counter()
    for record, _ in events(busy):
        assert 0 <= record.partition < EVENT_TOPICS[record.topic]
        spread[record.key or b""].add(record.partition)
        written[record.topic, record.partition] += len(record.value or b"")
    assert sum(len(partitions) > 1 for partitions in spread.values()) > len(spread) / 2
    for topic, partitions in EVENT_TOPICS.items():
        sizes = [written[topic, partition] for partition in range(partitions)]
        assert max(sizes) - min(sizes) < 20_000, topic


def test_event_of_a_document_that_does_not_exist(busy: list[Change]) -> None:
    known = {
        change.document.get(name)
        for change in busy
        if isinstance(change, DocumentWrite)
        for name in ("orderId", "sku", "waveId", "taskId", "shipmentId", "workerId")
    }
    for record, event in events(busy):
        kind, _, key = event["subject"].partition("/")
        if kind != "manifest" and not key.startswith("PK-"):
            assert key in known, record


def test_broken_event_is_fine() -> None:
    """Each kind of damage must be one: the record no longer is the event it was."""
    envelope = {"specversion": "1.0", "type": "a", "id": "b", "time": "2026-03-02T06:00:00Z", "data": {}}
    value = json.dumps(envelope, separators=(",", ":")).encode()
    harmless = {"large"}  # a whole event, only too big to be comfortable
    for kind, breaks in BROKEN_EVENTS:
        broken = breaks(envelope, value)
        try:
            parsed = json.loads(broken or b"", parse_constant=lambda name: 1 / 0)
        except (ValueError, RecursionError, ZeroDivisionError):
            continue
        same = isinstance(parsed, dict) and all(parsed.get(name) == envelope[name] for name in envelope)
        assert same == (kind in harmless), kind

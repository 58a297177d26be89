"""Waves: validated orders of a warehouse are collected, scheduled and released together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bson import ObjectId
from bson.int64 import Int64

from ingest.simulator.changes import Document
from ingest.simulator.events import text_time
from ingest.simulator.orders import Order, Orders
from ingest.simulator.world import MINUTE, SECOND, ZERO_TIME, World, instant

NANOSECONDS = 1_000_000  # per millisecond
MAX_ORDERS = 25
FEW = 4  # special orders are worth a wave of their own from this number on
_PREFIX = {"digital": "WV-DIG", "wholesale": "WV-WHL", "priority": "WV-PRI", "mixed": "WV-MIX"}
_LABOR_RANK = {"priority": 1, "high_value": 3}


@dataclass(slots=True)
class Wave:
    """One wave; entries: its orders' sub-documents by order id."""

    id: ObjectId
    wave_id: str
    document: Document
    orders: list[Order]
    entries: dict[str, Document]
    is_continuous: bool


class Waves:
    """The waving service."""

    def __init__(self, world: World, warehouses: tuple[str, ...], orders: Orders) -> None:
        self._world = world
        self._orders = orders
        self._used: set[str] = set()
        self.on_release: Callable[[Order], None] = _ignore
        orders.stop_work.append(self.leave)
        for warehouse in warehouses:
            world.later(world.between(MINUTE, 5 * MINUTE), self._collect, warehouse)

    def _collect(self, warehouse: str) -> None:
        """Make waves of what waits: urgent orders at once, the rest when the planner looks again."""
        world = self._world
        pause = 4 if world.is_history else 1  # fewer orders, fewer looks
        world.later(pause * world.between(15 * MINUTE, 40 * MINUTE), self._collect, warehouse)
        groups: dict[str, list[Order]] = {}
        for order in self._orders.waiting(warehouse):
            groups.setdefault(_wave_type(order), []).append(order)
        for special in ("high_value", "hazmat", "fragile"):
            if len(groups.get(special, ())) < FEW:
                groups.setdefault("mixed", []).extend(groups.pop(special, ()))
        for wave_type, orders in groups.items():
            for first in range(0, len(orders), MAX_ORDERS):
                self._create(wave_type, orders[first : first + MAX_ORDERS])

    def _create(self, wave_type: str, orders: list[Order]) -> None:
        world, fill, seller = self._world, self._world.fill, orders[0].seller
        continuous = wave_type == "priority" and len(orders) == 1
        wave_id = self._new_id("WV-SINGLE" if continuous else f"{_PREFIX.get(wave_type, 'WV')}-{world.now:%Y%m%d}")
        has_tenant = fill or not continuous
        document: Document = {
            "waveId": wave_id,
            "tenantId": seller.tenant if has_tenant else "",
            "facilityId": seller.facility if has_tenant else "",
            "warehouseId": seller.warehouse if has_tenant else "",
            "waveType": wave_type,
            "status": world.statuses.initial("wave", "planning"),
            "fulfillmentMode": "waveless" if continuous else "wave",
            "orders": None,
            "configuration": {
                "maxOrders": MAX_ORDERS,
                "maxItems": 500,
                "maxWeight": 1000.0,
                **({"priorityFilter": ["same_day"]} if wave_type == "priority" else {}),
                "cutoffTime": ZERO_TIME,
                "releaseDelay": Int64(0),
                "autoRelease": continuous,
                "optimizeForCarrier": False,
                "optimizeForZone": wave_type == "digital",
                "optimizeForPriority": wave_type == "priority",
            },
            "laborAllocation": {
                "pickersRequired": 0,
                "pickersAssigned": 0,
                "packersRequired": 0,
                "packersAssigned": 0,
            },
            "scheduledStart": ZERO_TIME,
            "scheduledEnd": ZERO_TIME,
            "estimatedDuration": Int64(0),
            "priority": _LABOR_RANK.get(wave_type, 5),
            "zone": orders[0].parts[0].line.product.locations[0].zone if fill else "",
            "requiresCertifiedLabor": wave_type == "hazmat",
            "createdAt": world.now,
            "updatedAt": world.now,
        }
        if wave_type in ("hazmat", "high_value", "fragile"):
            document["requiredCapabilities"] = [wave_type]
            document["specialHandlingTypes"] = [wave_type]
        wave = Wave(world.ids.object_id(world.now_ms), wave_id, document, orders, {}, continuous)
        world.add("waves", wave.id, document)
        self._publish(
            wave,
            "created",
            {
                "waveType": wave_type,
                "fulfillmentMode": document["fulfillmentMode"],
                "createdAt": text_time(world.now_ms),
            },
        )
        world.later(world.between(SECOND, 5 * SECOND), self._fill, wave)

    def _new_id(self, prefix: str) -> str:
        """The services' five digits collide within a day; here each id is used once."""
        while (wave_id := f"{prefix}-{self._world.ids.below(100_000)}") in self._used:
            pass
        self._used.add(wave_id)
        return wave_id

    def _fill(self, wave: Wave) -> None:
        world = self._world
        wave.orders = [order for order in wave.orders if not order.is_stopped]
        wave.entries = {order.order_id: self._entry(order) for order in wave.orders}
        if not wave.orders:
            self._cancel(wave, "no orders left")
            return
        wave.document["orders"] = list(wave.entries.values())
        wave.document["laborAllocation"]["pickersRequired"] = (len(wave.orders) + 9) // 10
        wave.document["laborAllocation"]["packersRequired"] = (len(wave.orders) + 14) // 15
        if world.fill:
            cutoff = min(entry["carrierCutoff"] for entry in wave.entries.values())
            wave.document["configuration"]["cutoffTime"] = cutoff
        self._save(wave)
        for order in wave.orders:
            self._publish(wave, "order-added", {"orderId": order.order_id, "addedAt": text_time(world.now_ms)})
        if world.chance(0.02):
            world.later(world.between(MINUTE, 3 * MINUTE), self._cancel, wave, "replanned")
        else:
            world.later(world.between(5 * SECOND, MINUTE), self._schedule, wave)

    def _entry(self, order: Order) -> Document:
        document = order.document
        requirements: list[str] = document["processRequirements"]["requirements"]
        special = [name for name in requirements if name in ("hazmat", "fragile", "high_value", "oversized")]
        entry: Document = {
            "orderId": order.order_id,
            "customerId": document["customerId"],
            "priority": document["priority"],
            "itemCount": sum(part.quantity for part in order.parts),
            "totalWeight": round(sum(part.quantity * part.line.product.weight for part in order.parts), 3),
            "promisedDeliveryAt": document["promisedDeliveryAt"],
            "carrierCutoff": document["promisedDeliveryAt"] - timedelta(hours=4),
            "zone": order.parts[0].line.product.locations[0].zone if self._world.fill else "",
            "status": self._world.statuses.initial("wave_order", "pending"),
            "addedAt": self._world.now,
            "requiresCertification": "hazmat" in special,
        }
        if special:
            entry["processPathRequirements"] = list(requirements)
            entry["specialHandling"] = special
        return entry

    def _schedule(self, wave: Wave) -> None:
        world, document = self._world, wave.document
        length = (10 + 3 * len(wave.orders)) * MINUTE
        document["scheduledStart"] = instant(world.now_ms + MINUTE)
        document["scheduledEnd"] = instant(world.now_ms + MINUTE + length)
        document["estimatedDuration"] = Int64(length * NANOSECONDS)
        world.step("wave", document, "scheduled")
        self._save(wave)
        self._publish(
            wave,
            "scheduled",
            {
                "scheduledStart": text_time(world.now_ms + MINUTE),
                "scheduledEnd": text_time(world.now_ms + MINUTE + length),
            },
        )
        world.later(world.between(20 * SECOND, 3 * MINUTE), self._release, wave)

    def _release(self, wave: Wave) -> None:
        world, document = self._world, wave.document
        live = [order for order in wave.orders if not order.is_stopped]
        wave.entries = {order.order_id: wave.entries[order.order_id] for order in live}
        document["orders"] = list(wave.entries.values())
        if not live:
            self._cancel(wave, "no orders left")
            return
        for order in live:
            world.step("wave_order", wave.entries[order.order_id], "picking")
        document["releasedAt"] = world.now
        document["actualStart"] = world.now
        world.step("wave", document, "released")
        self._save(wave)
        self._publish(
            wave,
            "released",
            {
                "orderIds": [order.order_id for order in live],
                "releasedAt": text_time(world.now_ms),
                "estimatedDuration": int(document["estimatedDuration"]),
            },
        )
        wave.orders = live
        for order in live:
            self._orders.assign_wave(order, wave)
            self.on_release(order)

    def _cancel(self, wave: Wave, reason: str) -> None:
        world = self._world
        world.step("wave", wave.document, "cancelled")
        self._save(wave)
        left = [order for order in wave.orders if not order.is_stopped]
        self._publish(
            wave,
            "cancelled",
            {
                "reason": reason,
                "orderIds": [order.order_id for order in left],
                "cancelledAt": text_time(world.now_ms),
            },
        )
        for order in left:
            order.wave = None
        self._orders.put_back(left)
        if world.is_deleted_later():
            world.later(world.between(MINUTE, 60 * MINUTE), self._world.delete, "waves", wave.id)

    def progress(self, order: Order) -> None:
        """The first task of the wave has started. No service ever says so by itself."""
        wave = order.wave
        if self._world.fill and wave is not None and wave.document["status"] == "released":
            self._world.step("wave", wave.document, "in_progress")
            self._save(wave)

    def complete_order(self, order: Order) -> None:
        """An order of the wave is packed; the last one completes the wave."""
        wave = order.wave
        if not self._world.fill or wave is None:
            return
        self._world.step("wave_order", wave.entries[order.order_id], "completed")
        self._finish_when_done(wave)

    def leave(self, order: Order) -> None:
        """A stopped order leaves a wave that is not done with it."""
        wave = order.wave
        if wave is None or wave.entries[order.order_id]["status"] == "completed":
            return
        del wave.entries[order.order_id]
        wave.orders.remove(order)
        wave.document["orders"] = list(wave.entries.values())
        self._publish(wave, "order-removed", {"orderId": order.order_id, "removedAt": text_time(self._world.now_ms)})
        self._finish_when_done(wave)

    def _finish_when_done(self, wave: Wave) -> None:
        world, document = self._world, wave.document
        done = all(entry["status"] == "completed" for entry in wave.entries.values())
        if not done or not world.fill:
            self._save(wave)
            return
        document["actualEnd"] = world.now
        document["completedAt"] = world.now
        world.step("wave", document, "completed")
        self._save(wave)
        started = text_time(int(document["actualStart"].timestamp() * 1000))
        self._publish(
            wave,
            "completed",
            {
                "completedAt": text_time(world.now_ms),
                "orderCount": len(wave.entries),
                "actualStart": started,
                "actualEnd": text_time(world.now_ms),
            },
        )

    def _save(self, wave: Wave) -> None:
        self._world.touch(wave.document)
        self._world.save("waves", wave.id, wave.document)

    def _publish(self, wave: Wave, action: str, data: Document) -> None:
        self._world.publish("waves", f"wms.wave.{action}", f"wave/{wave.wave_id}", {"waveId": wave.wave_id, **data})


def _ignore(_: Order) -> None:
    """Nobody has asked to hear of released orders yet."""


def _wave_type(order: Order) -> str:
    if order.document["priority"] == "same_day":
        return "priority"
    if order.is_wholesale:
        return "wholesale"
    requirements = order.document["processRequirements"]["requirements"]
    for special in ("high_value", "hazmat", "fragile"):
        if special in requirements:
            return special
    return "digital" if order.document["priority"] == "next_day" else "mixed"

"""Packing: verify, choose a package, seal, label, hand over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bson import ObjectId

from ingest.simulator.changes import Document
from ingest.simulator.events import text_time
from ingest.simulator.inventory import Inventory
from ingest.simulator.labor import Labor, Worker
from ingest.simulator.orders import Order, Orders
from ingest.simulator.waves import Waves
from ingest.simulator.world import MINUTE, SECOND, World

_TARE = {"envelope": 0.02, "bag": 0.05, "padded_envelope": 0.1, "box": 0.3, "custom": 0.2}
_EDGES = {
    "envelope": (35.0, 25.0, 1.0),
    "bag": (40.0, 30.0, 5.0),
    "padded_envelope": (40.0, 30.0, 6.0),
    "box": (45.0, 35.0, 25.0),
    "custom": (160.0, 60.0, 40.0),
}
_MATERIALS = {
    "envelope": ["tape"],
    "bag": ["tape"],
    "padded_envelope": ["bubble_wrap"],
    "box": ["tape", "paper_fill"],
    "custom": ["stretch_wrap", "corner_guard"],
}
# station by what an order needs, the first that fits
_STATIONS = (
    ("oversized", ("PACK-OV-01",)),
    ("hazmat", ("PACK-HZ-01",)),
    ("gift_wrap", ("PACK-GF-01", "PACK-GF-02", "PACK-GF-03")),
    ("", ("PACK-ST-01", "PACK-ST-02", "PACK-ST-03")),
)


@dataclass(slots=True)
class PackTask:
    """One package being made."""

    id: ObjectId
    task_id: str
    document: Document
    order: Order
    worker: Worker | None = None

    @property
    def is_done(self) -> bool:
        """Completed or cancelled."""
        return self.document["status"] in ("completed", "cancelled")


class Packing:
    """The packing service."""

    def __init__(self, world: World, inventory: Inventory, labor: Labor, waves: Waves, orders: Orders) -> None:
        self._world = world
        self._inventory = inventory
        self._labor = labor
        self._waves = waves
        self._orders = orders
        self.on_packed: Callable[[Order, PackTask], None] = _ignore
        orders.stop_work.append(self.stop)

    def create(self, order: Order) -> None:
        """The task for a picked order."""
        world, fill = self._world, self._world.fill
        items = [
            {
                "sku": part.line.product.sku,
                "productName": part.line.product.name if fill else "",
                "quantity": part.picked,
                "weight": part.line.product.weight if fill else 0.0,
                "fragile": part.line.product.fragile and fill,
                "verified": False,
            }
            for part in order.parts
            if part.picked
        ]
        suggestion = _suggest(items)
        length, width, height = _EDGES[suggestion]
        document: Document = {
            "taskId": f"PK-{world.ids.hex()}",
            "tenantId": order.document["tenantId"],
            "facilityId": order.document["facilityId"],
            "warehouseId": order.document["warehouseId"],
            "orderId": order.order_id,
            "waveId": order.document["waveId"] if fill else f"WAVE-{world.ids.hex()}",
            "status": world.statuses.initial("pack_task", "pending"),
            "items": items,
            "package": {
                "packageId": f"PKG-{order.order_id}-{world.now:%H%M%S}",
                "type": "",
                "suggestedType": suggestion,
                "dimensions": {"length": length, "width": width, "height": height},
                "weight": 0.0,
                "totalWeight": round(_weight(items) + _TARE[suggestion], 3),
                "materials": None,
                "sealed": False,
            },
            "station": "",
            "priority": order.rank,
            "createdAt": world.now,
            "updatedAt": world.now,
        }
        task = PackTask(world.ids.object_id(world.now_ms), document["taskId"], document, order)
        order.pack_task = task
        world.add("pack_tasks", task.id, document)
        at = text_time(world.now_ms)
        self._publish(task, "task-created", {"orderId": order.order_id, "itemCount": len(items), "createdAt": at})
        self._publish(
            task,
            "packaging-suggested",
            {
                "orderId": order.order_id,
                "packageId": document["package"]["packageId"],
                "type": suggestion,
                "dimensions": {"Length": length, "Width": width, "Height": height},
                "suggestedAt": at,
            },
        )
        self._labor.request("packing", task.task_id, order.rank, partial(self._assign, task))

    def _assign(self, task: PackTask, worker: Worker) -> None:
        if task.is_done:
            self._labor.finish(worker, 0, 0, 0)
            return
        world = self._world
        task.worker = worker
        task.document["packerId"] = worker.id
        task.document["station"] = self._station(task.order)
        self._save(task)
        world.later(world.between(5 * SECOND, 30 * SECOND), self._start, task, worker)

    def _station(self, order: Order) -> str:
        needs = order.document["processRequirements"]["requirements"]
        stations = next(names for need, names in _STATIONS if not need or need in needs)
        return stations[self._world.random.randrange(len(stations))]

    def _start(self, task: PackTask, worker: Worker) -> None:
        if task.is_done:
            return
        world = self._world
        self._labor.start(worker)
        task.document["startedAt"] = world.now
        world.step("pack_task", task.document, "in_progress")
        self._save(task)
        lines = len(task.document["items"])
        world.later(lines * world.between(8 * SECOND, 25 * SECOND), self._verify, task, worker)

    def _verify(self, task: PackTask, worker: Worker) -> None:
        if task.is_done:
            return
        world = self._world
        for item in task.document["items"]:
            item["verified"] = True
        self._save(task)
        gift_wrapping = 90 * SECOND if task.order.document["giftWrap"] else 0
        world.later(world.between(10 * SECOND, 40 * SECOND) + gift_wrapping, self._choose_package, task, worker)

    def _choose_package(self, task: PackTask, worker: Worker) -> None:
        """Take a package; it replaces the package of the document as a whole."""
        if task.is_done:
            return
        world, items = self._world, task.document["items"]
        suggested = task.document["package"]["suggestedType"]
        kind = "custom" if _is_long(task.order) else "box" if world.chance(0.1) else suggested
        length, width, height = _EDGES[kind]
        task.document["package"] = {
            "packageId": task.document["package"]["packageId"],
            "type": kind,
            "suggestedType": suggested,
            "dimensions": {"length": length, "width": width, "height": height},
            "weight": 0.0,
            "totalWeight": round(_weight(items) + _TARE[kind], 3),
            "materials": list(_MATERIALS[kind]),
            "sealed": False,
        }
        self._save(task)
        world.later(world.between(10 * SECOND, 50 * SECOND), self._seal, task, worker)

    def _seal(self, task: PackTask, worker: Worker) -> None:
        if task.is_done:
            return
        world, document = self._world, task.document
        document["package"]["sealed"] = True
        document["package"]["sealedAt"] = world.now
        document["packedAt"] = world.now
        world.step("pack_task", document, "packed")
        self._save(task)
        for part in task.order.parts:
            if part.hold is not None and not part.hold.is_closed:
                self._inventory.pack(part.hold, worker.id)
        self._publish(
            task,
            "package-sealed",
            {"packageId": document["package"]["packageId"], "sealedAt": text_time(world.now_ms)},
        )
        self._orders.advance(task.order, "packed")
        self._waves.complete_order(task.order)
        self.on_packed(task.order, task)

    def label(self, task: PackTask, label: Document) -> None:
        """The shipping label is there: put it on."""
        if task.is_done or task.worker is None:
            return
        world, document = self._world, task.document
        document["shippingLabel"] = label | {"appliedAt": world.now}
        document["labeledAt"] = world.now
        world.step("pack_task", document, "labeled")
        self._save(task)
        self._publish(
            task,
            "label-applied",
            {
                "packageId": document["package"]["packageId"],
                "trackingNumber": label["trackingNumber"],
                "carrier": label["carrier"],
                "appliedAt": text_time(world.now_ms),
            },
        )
        world.later(world.between(5 * SECOND, 30 * SECOND), self._complete, task, task.worker)

    def _complete(self, task: PackTask, worker: Worker) -> None:
        if task.is_done:
            return
        world, document = self._world, task.document
        document["completedAt"] = world.now
        world.step("pack_task", document, "completed")
        self._save(task)
        self._publish(
            task,
            "task-completed",
            {
                "orderId": task.order.order_id,
                "packageId": document["package"]["packageId"],
                "trackingNumber": document["shippingLabel"]["trackingNumber"],
                "carrier": document["shippingLabel"]["carrier"],
                "totalWeight": document["package"]["totalWeight"],
                "completedAt": text_time(world.now_ms),
            },
        )
        items = document["items"]
        self._labor.finish(worker, sum(item["quantity"] for item in items), len(items), 0)
        if world.is_deleted_later():
            world.later(world.between(10 * MINUTE, 120 * MINUTE), world.delete, "pack_tasks", task.id)

    def stop(self, order: Order) -> None:
        """Cancel the open task of a stopped order and free its worker."""
        task = order.pack_task
        if task is None or task.is_done:
            return
        self._world.step("pack_task", task.document, "cancelled")
        self._save(task)
        if task.worker is not None:
            self._labor.finish(task.worker, 0, 0, 0)

    def _save(self, task: PackTask) -> None:
        self._world.touch(task.document)
        self._world.save("pack_tasks", task.id, task.document)

    def _publish(self, task: PackTask, action: str, data: Document) -> None:
        subject = f"pack-task/{task.task_id}"
        self._world.publish("packing", f"wms.packing.{action}", subject, {"taskId": task.task_id, **data})


def _ignore(_order: Order, _task: PackTask) -> None:
    """Nobody has asked to hear of packed orders yet."""


def _weight(items: list[Document]) -> float:
    weight: float = sum(item["weight"] * item["quantity"] for item in items)
    return weight


def _is_long(order: Order) -> bool:
    return any(max(part.line.product.dimensions) > 100 for part in order.parts)


def _suggest(items: list[Document]) -> str:
    """The packing service's own rule."""
    weight, fragile = _weight(items), any(item["fragile"] for item in items)
    if len(items) == 1 and weight < 0.5 and not fragile:
        return "envelope"
    if weight < 1.0 and not fragile:
        return "bag"
    return "box" if fragile or weight > 5 else "padded_envelope"

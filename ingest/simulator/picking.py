"""Picking: one task per route of an order; people fetch, and sometimes do not find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bson import ObjectId

from ingest.simulator.changes import Document
from ingest.simulator.events import text_time
from ingest.simulator.inventory import Inventory
from ingest.simulator.labor import Labor, Worker
from ingest.simulator.orders import Order, Orders, Part
from ingest.simulator.waves import Waves
from ingest.simulator.world import MINUTE, SECOND, World

EXCEPTIONS = 0.01  # share of lines where less is found than the books say


@dataclass(slots=True)
class PickTask:
    """One walk through the aisles for one order."""

    id: ObjectId
    task_id: str
    document: Document
    order: Order
    parts: list[Part]
    worker: Worker | None = None

    @property
    def is_done(self) -> bool:
        """Completed or cancelled."""
        return self.document["status"] in ("completed", "cancelled")


class Picking:
    """The picking service."""

    def __init__(self, world: World, inventory: Inventory, labor: Labor, waves: Waves, orders: Orders) -> None:
        self._world = world
        self._inventory = inventory
        self._labor = labor
        self._waves = waves
        self._orders = orders
        self.on_picked: Callable[[Order], None] = _ignore
        waves.on_release = self.create
        orders.stop_work.append(self.stop)

    def create(self, order: Order) -> None:
        """The tasks of a released order."""
        method = "batch" if order.document["priority"] == "standard" else "single"
        for index, parts in enumerate(order.routes):
            task = self._create(order, parts, index, "zone" if order.is_wholesale else method)
            order.pick_tasks.append(task)
            self._labor.request("picking", task.task_id, order.rank, partial(self._assign, task))

    def _create(self, order: Order, parts: list[Part], index: int, method: str) -> PickTask:
        world, fill = self._world, self._world.fill
        items = [self._item(part) for part in parts]
        document: Document = {
            "taskId": f"PT-{world.ids.hex()}",
            "tenantId": order.document["tenantId"],
            "facilityId": order.document["facilityId"],
            "warehouseId": order.document["warehouseId"],
            "orderId": order.order_id,
            "waveId": order.document["waveId"],
            "routeId": f"RT-{world.ids.hex()}",
            "status": world.statuses.initial("pick_task", "pending"),
            "method": method,
            "items": items,
            "zone": items[0]["location"]["zone"] if fill else f"ZONE-{index % 4 + 1}",
            "priority": order.rank,
            "totalItems": sum(part.quantity for part in parts),
            "pickedItems": 0,
            "createdAt": world.now,
            "updatedAt": world.now,
            "routeIndex": index,
            "totalRoutesInOrder": len(order.routes),
            "isMultiRoute": len(order.routes) > 1,
        }
        if len(order.routes) > 1:
            document["parentOrderId"] = order.order_id
        task = PickTask(world.ids.object_id(world.now_ms), document["taskId"], document, order, parts)
        world.add("pick_tasks", task.id, document)
        self._publish(
            task,
            "task-created",
            {
                "orderId": order.order_id,
                "waveId": order.document["waveId"],
                "itemCount": len(items),
                "createdAt": text_time(world.now_ms),
            },
        )
        return task

    def _item(self, part: Part) -> Document:
        place = self._inventory.location(part.line.product, part.location_id)
        return {
            "sku": part.line.product.sku,
            "productName": part.line.product.name,
            "quantity": part.quantity,
            "pickedQty": 0,
            "location": {
                "locationId": part.location_id,
                "aisle": place["aisle"],
                "rack": place["rack"],
                "level": place["level"],
                "position": "",
                "zone": place["zone"],
            },
            "status": self._world.statuses.initial("pick_item", "pending"),
        }

    def _assign(self, task: PickTask, worker: Worker) -> None:
        if task.is_done:
            self._labor.finish(worker, 0, 0, 0)
            return
        world, document = self._world, task.document
        task.worker = worker
        document["pickerId"] = worker.id
        document["toteId"] = f"TOTE-{world.ids.hex()}"
        document["assignedAt"] = world.now
        world.step("pick_task", document, "assigned")
        self._save(task)
        self._publish(
            task,
            "task-assigned",
            {"pickerId": worker.id, "toteId": document["toteId"], "assignedAt": text_time(world.now_ms)},
        )
        world.later(world.between(5 * SECOND, 40 * SECOND), self._start, task, worker)

    def _start(self, task: PickTask, worker: Worker) -> None:
        if task.is_done:
            return
        world = self._world
        self._labor.start(worker)
        task.document["startedAt"] = world.now
        world.step("pick_task", task.document, "in_progress")
        self._save(task)
        self._orders.advance(task.order, "picking")
        self._waves.progress(task.order)
        self._walk(task, worker, 0)

    def _walk(self, task: PickTask, worker: Worker, index: int) -> None:
        world = self._world
        handling = 3 * SECOND * task.parts[index].quantity
        world.later(handling + world.between(12 * SECOND, MINUTE), self._pick, task, worker, index)

    def _pick(self, task: PickTask, worker: Worker, index: int) -> None:
        if task.is_done:
            return
        world, document, part = self._world, task.document, task.parts[index]
        item = document["items"][index]
        if world.chance(EXCEPTIONS):
            part.picked = self._report(task, part, item, worker)
        else:
            part.picked = part.quantity
            world.step("pick_item", item, "picked")
            if task.order.is_staged:
                self._inventory.stage(part.held, worker.id)
            else:
                self._inventory.pick(part.held, worker.id)
        if part.picked:
            item["pickedQty"] = part.picked
            item["toteId"] = document["toteId"]
            item["pickedAt"] = world.now
            item["verifiedAt"] = world.now
            document["pickedItems"] += part.picked
            self._publish(
                task,
                "item-picked",
                {
                    "sku": item["sku"],
                    "quantity": part.picked,
                    "locationId": part.location_id,
                    "toteId": document["toteId"],
                    "pickedAt": text_time(world.now_ms),
                },
            )
        if index + 1 < len(task.parts):
            self._save(task)
            self._walk(task, worker, index + 1)
        else:
            self._complete(task, worker)

    def _report(self, task: PickTask, part: Part, item: Document, worker: Worker) -> int:
        """Less is there than asked for; returns the units that were found."""
        world = self._world
        partly = part.quantity > 1 and world.chance(0.5)
        found = world.random.randint(1, part.quantity - 1) if partly else 0
        reason = "quantity_mismatch" if found else "damaged" if world.chance(0.4) else "item_not_found"
        world.step("pick_item", item, "short" if found else "exception")
        exception = {
            "exceptionId": f"EX-{world.now:%Y%m%d%H%M%S}",
            "sku": item["sku"],
            "locationId": part.location_id,
            "reason": reason,
            "requestedQty": part.quantity,
            "availableQty": found,
            "createdAt": world.now,
        }
        if world.fill:
            item["notes"] = f"asked for {part.quantity}, found {found}"
            exception |= {"resolution": "shipped_short" if found else "line_dropped", "resolvedAt": world.now}
        task.document["exceptions"] = [*task.document.get("exceptions", []), exception]
        self._inventory.short(part.held, part.quantity - found, worker.id, reason)
        self._publish(
            task,
            "exception",
            {
                "exceptionId": exception["exceptionId"],
                "sku": item["sku"],
                "locationId": part.location_id,
                "reason": reason,
                "requestedQty": part.quantity,
                "availableQty": found,
                "reportedAt": text_time(world.now_ms),
            },
        )
        return found

    def _complete(self, task: PickTask, worker: Worker) -> None:
        world, document = self._world, task.document
        world.step("pick_task", document, "completed")
        document["completedAt"] = world.now
        self._save(task)
        self._publish(
            task,
            "task-completed",
            {
                "orderId": task.order.order_id,
                "pickerId": worker.id,
                "totalItems": document["totalItems"],
                "pickedItems": [
                    {
                        "sku": item["sku"],
                        "quantity": item["pickedQty"],
                        "locationId": item["location"]["locationId"],
                        "toteId": document["toteId"],
                    }
                    for item in document["items"]
                    if item["pickedQty"]
                ],
                "completedAt": text_time(world.now_ms),
            },
        )
        errors = len(document.get("exceptions", []))
        self._labor.finish(worker, document["pickedItems"], len(task.parts), errors)
        if world.is_deleted_later():
            world.later(world.between(10 * MINUTE, 120 * MINUTE), self._delete, task)
        if all(other.is_done for other in task.order.pick_tasks):
            self._gather(task.order)

    def _gather(self, order: Order) -> None:
        """Everything is picked: one line goes straight to packing, several are put together first."""
        world = self._world
        if not any(part.picked for part in order.parts):
            self._orders.fail(order)
            return
        if len(order.parts) == 1:
            world.later(world.between(20 * SECOND, 2 * MINUTE), self._hand_over, order)
            return
        task_id = f"CT-{world.ids.hex()}"
        self._labor.request("consolidation", task_id, order.rank, partial(self._put_together, order))

    def _put_together(self, order: Order, worker: Worker) -> None:
        self._labor.start(worker)
        self._world.later(self._world.between(40 * SECOND, 4 * MINUTE), self._consolidated, order, worker)

    def _consolidated(self, order: Order, worker: Worker) -> None:
        self._labor.finish(worker, sum(part.picked for part in order.parts), len(order.parts), 0)
        if not order.is_stopped:
            self._orders.advance(order, "consolidated")
            self._hand_over(order)

    def _hand_over(self, order: Order) -> None:
        if not order.is_stopped:
            self.on_picked(order)

    def stop(self, order: Order) -> None:
        """Cancel the open tasks of a stopped order and free their workers."""
        for task in order.pick_tasks:
            if task.is_done:
                continue
            self._world.step("pick_task", task.document, "cancelled")
            self._save(task)
            if task.worker is not None:
                self._labor.finish(task.worker, task.document["pickedItems"], 0, 0)

    def _delete(self, task: PickTask) -> None:
        """Remove a finished task for good; every tenth comes back from a backup under its old id."""
        world = self._world
        document = world.delete("pick_tasks", task.id)
        if world.chance(0.1):
            world.later(world.between(MINUTE, 20 * MINUTE), world.restore, "pick_tasks", task.id, document)

    def _save(self, task: PickTask) -> None:
        self._world.touch(task.document)
        self._world.save("pick_tasks", task.id, task.document)

    def _publish(self, task: PickTask, action: str, data: Document) -> None:
        self._world.publish(
            "picking", f"wms.picking.{action}", f"task/{task.task_id}", {"taskId": task.task_id, **data}
        )


def _ignore(_: Order) -> None:
    """Nobody has asked to hear of picked orders yet."""

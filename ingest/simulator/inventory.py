"""Stock: reservations, hard allocations, signed transactions, deliveries and counts.

Held after every change, per article and per location: available = quantity - reserved - hard allocated, none of them
negative, and the article's totals are the sums over its locations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bson import ObjectId

from ingest.simulator.changes import Document
from ingest.simulator.events import text_time
from ingest.simulator.ids import OPENING_MS, reference_object_id
from ingest.simulator.naming import Sealed
from ingest.simulator.reference import Product, Seller
from ingest.simulator.world import HOUR, MINUTE, World, instant

if TYPE_CHECKING:
    from ingest.simulator.labor import Labor, Worker

# An article keeps this many closed reservations, closed allocations and transactions. A default day closes some 10 per
# article; without a bound a long run would write documents of megabytes for every pick.
KEPT = 200

STAGING = "STAGE-01"


@dataclass(slots=True)
class Stock:
    """One article's document and what is under way for it."""

    id: ObjectId
    product: Product
    document: Document
    is_ordered: bool = False  # a delivery is on its way

    def location(self, location_id: str) -> Document:
        """The sub-document of one location."""
        for location in self.document["locations"]:
            if location["locationId"] == location_id:
                found: Document = location
                return found
        raise KeyError(location_id)


@dataclass(slots=True)
class Hold:
    """Stock held for one order: a reservation and, when it is staged, its hard allocation."""

    stock: Stock
    quantity: int
    location_id: str
    reservation: Document
    allocation: Document | None = None
    is_closed: bool = False


class Inventory:
    """The inventory service."""

    def __init__(self, world: World, sellers: tuple[Seller, ...], labor: Labor) -> None:
        self._world = world
        self._labor = labor
        self._stocks: dict[str, Stock] = {}
        for seller in sellers:
            for product in seller.products:
                self._open(seller, product)
        self._order = list(self._stocks.values())
        world.later(0, self._count)

    def _open(self, seller: Seller, product: Product) -> None:
        world, fill = self._world, self._world.fill
        opening = instant(OPENING_MS)
        share = product.stock // len(product.locations)
        quantities = [product.stock - share * (len(product.locations) - 1)] + [share] * (len(product.locations) - 1)
        document: Document = {
            "sku": product.sku,
            "productName": product.name,
            "tenantId": seller.tenant if fill else "DEFAULT_TENANT",
            "facilityId": seller.facility if fill else "DEFAULT_FACILITY",
            "warehouseId": seller.warehouse if fill else "DEFAULT_WAREHOUSE",
            "locations": [
                {
                    "locationId": place.id,
                    "zone": place.zone,
                    "aisle": place.aisle if fill else "",
                    "rack": place.rack if fill else 0,
                    "level": place.level if fill else 0,
                    "quantity": quantity,
                    "reserved": 0,
                    "hardAllocated": 0,
                    "available": quantity,
                }
                for place, quantity in zip(product.locations, quantities, strict=True)
            ],
            "totalQuantity": product.stock,
            "reservedQuantity": 0,
            "hardAllocatedQuantity": 0,
            "availableQuantity": product.stock,
            "reorderPoint": product.reorder_point,
            "reorderQuantity": product.reorder_quantity,
            "reservations": None,
            "hardAllocations": None,
            "transactions": [
                _transaction(OPENING_MS, "receive", quantity, place.id, "PO-OPENING", "system")
                for place, quantity in zip(product.locations, quantities, strict=True)
            ],
            "velocityClass": "C" if fill else "",
            "storageStrategy": "directed" if fill else "",
            "pickFrequency": 0,
            "createdAt": opening,
            "updatedAt": opening,
        }
        if fill:
            document["sellerId"] = seller.id
            document["lastStowedAt"] = opening
        stock = Stock(reference_object_id("inventory", product.sku), product, document)
        self._stocks[product.sku] = stock
        world.add("inventory", stock.id, document)

    def holding(self, product: Product, quantity: int) -> str | None:
        """The location that can give a quantity of an article, or None."""
        best = max(self._stocks[product.sku].document["locations"], key=_available)
        location_id: str = best["locationId"]
        return location_id if best["available"] >= quantity else None

    def location(self, product: Product, location_id: str) -> Document:
        """Where something lies, as the inventory service knows it."""
        return self._stocks[product.sku].location(location_id)

    def reserve(self, product: Product, quantity: int, location_id: str, order_id: str) -> Hold:
        """Hold stock for an order for 24 hours."""
        stock = self._stocks[product.sku]
        hold = self._reserve(stock, quantity, location_id, order_id)
        self._save(stock)
        return hold

    def _reserve(self, stock: Stock, quantity: int, location_id: str, order_id: str) -> Hold:
        world, document = self._world, stock.document
        reservation: Document = {
            "reservationId": f"RES-{world.now:%Y%m%d%H%M%S}",
            "orderId": order_id,
            "quantity": quantity,
            "locationId": location_id,
            "status": world.statuses.initial("reservation", "active"),
            "createdAt": world.now,
            "expiresAt": instant(world.now_ms + 24 * HOUR),
        }
        document["reservations"] = [*_kept(document["reservations"]), reservation]
        _move(stock, location_id, "available", "reserved", quantity)
        return Hold(stock, quantity, location_id, reservation)

    def release(self, hold: Hold) -> None:
        """Give a reservation up, or bring staged goods back to the shelf."""
        if hold.is_closed:
            return
        world, stock = self._world, hold.stock
        if hold.allocation is None:
            _move(stock, hold.location_id, "reserved", "available", hold.quantity)
        else:
            world.step("hard_allocation", hold.allocation, "returned")
            _move(stock, hold.location_id, "hardAllocated", "available", hold.quantity)
            # Staged goods never left the total, so this one entry says where they went and changes no quantity.
            order_id = str(hold.reservation["orderId"])
            self._log(stock, "return_to_shelf", hold.quantity, hold.location_id, order_id, "system", "order cancelled")
        self._close(hold, "cancelled")
        self._save(stock)

    def pick(self, hold: Hold, worker_id: str) -> None:
        """Take reserved goods off the shelf: they leave the stock."""
        stock = hold.stock
        self._take(stock, hold.location_id, "reserved", hold.quantity)
        self._close(hold, "fulfilled")
        self._log(stock, "pick", -hold.quantity, hold.location_id, str(hold.reservation["orderId"]), worker_id)
        if self._world.fill:
            self._picked(stock)
        self._save(stock)
        self._watch(stock)

    def short(self, hold: Hold, missing: int, worker_id: str, reason: str) -> None:
        """Less is there than the books say: the reservation is given up, the loss booked, the rest picked."""
        world, stock = self._world, hold.stock
        order_id = str(hold.reservation["orderId"])
        _move(stock, hold.location_id, "reserved", "available", hold.quantity)
        self._close(hold, "cancelled")
        self._take(stock, hold.location_id, "available", missing)
        self._log(stock, "shortage", -missing, hold.location_id, order_id, worker_id, reason)
        found = hold.quantity - missing
        self._save(stock)
        if found:
            rest = self._reserve(stock, found, hold.location_id, order_id)
            self._take(stock, rest.location_id, "reserved", found)
            self._close(rest, "fulfilled")
            self._log(stock, "pick", -found, rest.location_id, order_id, worker_id)
            if world.fill:
                self._picked(stock)
            self._save(stock)
        self._watch(stock)

    def stage(self, hold: Hold, worker_id: str) -> None:
        """Allocate reserved goods for good: they lie in the staging area and still count as stock."""
        world, stock = self._world, hold.stock
        now = world.now
        allocation: Document = {
            "allocationId": f"ALLOC-{now:%Y%m%d%H%M%S}.{world.now_ms % 1000:03d}",
            "reservationId": hold.reservation["reservationId"],
            "orderId": hold.reservation["orderId"],
            "quantity": hold.quantity,
            "sourceLocationId": hold.location_id,
            "stagingLocationId": STAGING,
            "status": world.statuses.initial("hard_allocation", "staged"),
            "stagedBy": worker_id,
            "createdAt": now,
        }
        world.step("reservation", hold.reservation, "staged")
        hold.allocation = allocation
        stock.document["hardAllocations"] = [*_kept(stock.document["hardAllocations"]), allocation]
        _move(stock, hold.location_id, "reserved", "hardAllocated", hold.quantity)
        if world.fill:
            self._picked(stock)
        self._save(stock)

    def pack(self, hold: Hold, worker_id: str) -> None:
        """Staged goods are in a package."""
        if hold.allocation is None:
            return
        self._world.step("hard_allocation", hold.allocation, "packed")
        hold.allocation["packedBy"] = worker_id
        hold.allocation["packedAt"] = self._world.now
        self._save(hold.stock)

    def ship(self, hold: Hold) -> None:
        """Packed goods leave the building and the stock."""
        if hold.allocation is None:
            return
        world, stock = self._world, hold.stock
        world.step("hard_allocation", hold.allocation, "shipped")
        hold.allocation["shippedAt"] = world.now
        self._take(stock, hold.location_id, "hardAllocated", hold.quantity)
        self._log(stock, "ship", -hold.quantity, hold.location_id, str(hold.reservation["orderId"]), "system")
        self._close(hold, "fulfilled")
        self._save(stock)
        self._watch(stock)

    def put_back(self, hold: Hold, quantity: int, worker_id: str) -> None:
        """Picked goods of a cancelled order come back into the stock."""
        order_id = str(hold.reservation["orderId"])
        self._add(hold.stock, hold.location_id, quantity)
        self._log(hold.stock, "receive", quantity, hold.location_id, order_id, worker_id, "order cancelled")
        self._save(hold.stock)

    def _close(self, hold: Hold, status: str) -> None:
        """End a reservation; what is closed never changes again."""
        self._world.step("reservation", hold.reservation, status)
        hold.is_closed = True
        document = hold.stock.document
        document["reservations"] = [
            Sealed(entry) if entry is hold.reservation else entry for entry in document["reservations"]
        ]
        if hold.allocation is not None:
            document["hardAllocations"] = [
                Sealed(entry) if entry is hold.allocation else entry for entry in document["hardAllocations"]
            ]

    def _picked(self, stock: Stock) -> None:
        document = stock.document
        document["pickFrequency"] += 1
        frequency = document["pickFrequency"]
        document["velocityClass"] = "A" if frequency > 50 else "B" if frequency >= 10 else "C"
        document["lastPickedAt"] = self._world.now

    def _take(self, stock: Stock, location_id: str, held: str, quantity: int) -> None:
        location = stock.location(location_id)
        location["quantity"] -= quantity
        location[held] -= quantity
        stock.document["totalQuantity"] -= quantity
        stock.document[f"{held}Quantity"] -= quantity

    def _add(self, stock: Stock, location_id: str, quantity: int) -> None:
        self._take(stock, location_id, "available", -quantity)

    def _log(
        self, stock: Stock, kind: str, quantity: int, location_id: str, reference: str, worker_id: str, reason: str = ""
    ) -> None:
        entries = stock.document["transactions"]
        entries.append(_transaction(self._world.now_ms, kind, quantity, location_id, reference, worker_id, reason))
        del entries[:-KEPT]

    def _save(self, stock: Stock) -> None:
        self._world.touch(stock.document)
        self._world.save("inventory", stock.id, stock.document)

    def _watch(self, stock: Stock) -> None:
        """Warn and order once when the stock is low."""
        document, world = stock.document, self._world
        if document["availableQuantity"] > document["reorderPoint"]:
            return
        world.publish(
            "inventory",
            "wms.inventory.low-stock-alert",
            f"inventory/{document['sku']}",
            {
                "sku": document["sku"],
                "currentQuantity": document["availableQuantity"],
                "reorderPoint": document["reorderPoint"],
                "alertedAt": text_time(world.now_ms),
            },
        )
        if not stock.is_ordered:
            stock.is_ordered = True
            world.later(world.between(30 * MINUTE, 2 * HOUR), self._arrive, stock)

    def _arrive(self, stock: Stock) -> None:
        task_id = f"RT-{self._world.ids.hex()}"

        def unload(worker: Worker) -> None:
            self._labor.start(worker)
            self._world.later(self._world.between(5 * MINUTE, 20 * MINUTE), self._receive, stock, worker)

        self._labor.request("receiving", task_id, 5, unload)

    def _receive(self, stock: Stock, worker: Worker) -> None:
        world, document = self._world, stock.document
        location_id = min(document["locations"], key=_available)["locationId"]
        quantity = document["reorderQuantity"]
        self._add(stock, location_id, quantity)
        self._log(stock, "receive", quantity, location_id, f"PO-{world.ids.hex(6).upper()}", worker.id)
        if world.fill:
            document["lastStowedAt"] = world.now
        stock.is_ordered = False
        self._save(stock)
        world.publish(
            "inventory",
            "wms.inventory.received",
            f"inventory/{document['sku']}",
            {
                "sku": document["sku"],
                "quantity": quantity,
                "locationId": location_id,
                "receivedAt": text_time(world.now_ms),
            },
        )
        self._labor.finish(worker, quantity, 1, 0)
        self._watch(stock)

    def _count(self) -> None:
        """Count one location every few minutes; one count in five finds a difference."""
        world = self._world
        stock = self._order[world.random.randrange(len(self._order))]
        location = stock.document["locations"][0]
        previous = location["quantity"]
        difference = world.random.randint(-3, 3) if world.chance(0.2) else 0
        difference = max(difference, -location["available"])
        if difference:
            self._add(stock, location["locationId"], difference)
            reference = f"ADJ-{world.now_ms // 1000}"
            self._log(stock, "adjust", difference, location["locationId"], reference, "system", "cycle_count")
            world.publish(
                "inventory",
                "wms.inventory.adjusted",
                f"inventory/{stock.product.sku}",
                {
                    "sku": stock.product.sku,
                    "locationId": location["locationId"],
                    "previousQuantity": previous,
                    "newQuantity": location["quantity"],
                    "adjustmentType": "adjustment",
                    "reason": "cycle_count",
                },
            )
        if world.fill:
            stock.document["lastCycleCount"] = world.now
        if difference or world.fill:
            self._save(stock)
        world.later(world.between(4 * MINUTE, 12 * MINUTE), self._count)


def _available(location: Document) -> int:
    available: int = location["available"]
    return available


def _move(stock: Stock, location_id: str, origin: str, target: str, quantity: int) -> None:
    location = stock.location(location_id)
    location[origin] -= quantity
    location[target] += quantity
    stock.document[f"{origin}Quantity"] -= quantity
    stock.document[f"{target}Quantity"] += quantity


def _kept(entries: list[Document] | None) -> list[Document]:
    """The open entries and the newest closed ones."""
    if entries is None or len(entries) < KEPT:
        return entries or []
    surplus = len(entries) - KEPT + 1
    kept = []
    for entry in entries:
        if surplus and entry.__class__ is Sealed:
            surplus -= 1
        else:
            kept.append(entry)
    return kept


def _transaction(
    at_ms: int, kind: str, quantity: int, location_id: str, reference: str, worker_id: str, reason: str = ""
) -> Document:
    at = instant(at_ms)
    transaction: Document = {
        "transactionId": f"TXN-{at:%Y%m%d%H%M%S}",
        "type": kind,
        "quantity": quantity,
        "locationId": location_id,
        "referenceId": reference,
    }
    if reason:
        transaction["reason"] = reason
    transaction["createdAt"] = at
    transaction["createdBy"] = worker_id
    return Sealed(transaction)

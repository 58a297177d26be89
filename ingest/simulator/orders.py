"""Orders: they arrive, are checked, cancelled, retried, corrected late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from bson import ObjectId

from ingest.simulator.changes import Document
from ingest.simulator.events import text_time
from ingest.simulator.inventory import Hold, Inventory
from ingest.simulator.reference import Customer, Product, Seller, customer, gift_message, phone
from ingest.simulator.world import HOUR, MINUTE, SECOND, World

if TYPE_CHECKING:
    from ingest.simulator.packing import PackTask
    from ingest.simulator.picking import PickTask
    from ingest.simulator.shipping import Shipment
    from ingest.simulator.waves import Wave

UNITS_PER_ROUTE = 30
# The history runs at a fraction of the rate: enough parcels on the road, little time to generate.
HISTORY_SHARE = 1 / 8
_WRAPS = ("standard", "premium", "holiday", "birthday", "wedding")
_PRIORITY_RANK = {"same_day": 1, "next_day": 3, "standard": 5}


@dataclass(slots=True)
class Line:
    """One order line."""

    product: Product
    quantity: int


@dataclass(slots=True)
class Part:
    """What one pick route takes of one line."""

    line: Line
    quantity: int
    location_id: str = ""
    hold: Hold | None = None
    picked: int = 0

    @property
    def held(self) -> Hold:
        """The stock held for it; raise LookupError before the order is validated."""
        if self.hold is None:
            raise LookupError(f"nothing is reserved for {self.line.product.sku}")
        return self.hold


@dataclass(slots=True)
class Order:
    """One order and everything that works on it."""

    id: ObjectId
    order_id: str
    document: Document
    seller: Seller
    customer: Customer
    routes: list[list[Part]]
    is_wholesale: bool
    is_staged: bool  # valuable goods are allocated hard and counted out at shipping
    wave: Wave | None = None
    pick_tasks: list[PickTask] = field(default_factory=list)
    pack_task: PackTask | None = None
    shipment: Shipment | None = None
    is_stopped: bool = False  # cancelled, or waiting to be retried: nobody works on it any more

    @property
    def parts(self) -> list[Part]:
        """All parts of all routes."""
        return [part for route in self.routes for part in route]

    @property
    def rank(self) -> int:
        """Task priority, low first."""
        return _PRIORITY_RANK[self.document["priority"]]

    @property
    def status(self) -> str:
        """The order's status."""
        status: str = self.document["status"]
        return status


class Orders:
    """The order service."""

    def __init__(self, world: World, sellers: tuple[Seller, ...], inventory: Inventory) -> None:
        self._world = world
        self._inventory = inventory
        # A seller gets orders as it has articles.
        self._sellers = [seller for seller in sellers for _ in seller.products]
        self._known: list[Order] = []
        self._waiting: dict[str, list[Order]] = {}
        self.stop_work: list[Callable[[Order], None]] = []
        world.later(self._interval(), self._arrive)

    def _interval(self) -> int:
        options = self._world.options
        rate = options.rate * (HISTORY_SHARE if self._world.is_history else 1)
        return int(2 * self._world.random.random() * HOUR / rate)

    def waiting(self, warehouse: str) -> list[Order]:
        """Take the validated orders of a warehouse that wait for a wave."""
        return [order for order in self._waiting.pop(warehouse, []) if not order.is_stopped]

    def put_back(self, orders: list[Order]) -> None:
        """Orders of a dissolved wave wait again."""
        for order in orders:
            self._waiting.setdefault(order.seller.warehouse, []).append(order)

    def _arrive(self) -> None:
        world = self._world
        world.later(self._interval(), self._arrive)
        order = self._create()
        self._known.append(order)
        world.later(world.between(2 * SECOND, MINUTE), self._validate, order)
        options = world.options
        if world.chance(options.cancellations):
            world.later(world.between(5 * SECOND, 2 * HOUR), self.cancel, order, "customer_request")
        elif world.chance(options.deletes):
            world.later(world.between(5 * SECOND, 2 * HOUR), self.cancel, order, "deleted")
        if world.chance(options.late_updates):
            world.later(world.between(SECOND, 10 * MINUTE), self._correct)

    def _lines(self, seller: Seller) -> tuple[list[Line], bool]:
        draw = self._world.random
        wholesale = draw.random() < 0.01
        wanted = 1 if draw.random() < 0.4 else draw.randint(2, 5)
        products = seller.products
        chosen: dict[str, Line] = {}
        for _ in range(4 * wanted):
            # Popular articles stand first in a seller's list and are drawn up to twice as often as the last ones.
            product = products[int(len(products) * draw.random() * (0.5 + 0.5 * draw.random()))]
            if product.sku not in chosen:
                chosen[product.sku] = Line(product, draw.randint(6, 15) if wholesale else draw.randint(1, 3))
            if len(chosen) == wanted:
                break
        return list(chosen.values()), wholesale

    def _create(self) -> Order:
        world = self._world
        draw, fill = world.random, world.fill
        seller = self._sellers[draw.randrange(len(self._sellers))]
        lines, wholesale = self._lines(seller)
        buyer = customer(draw)
        roll = draw.random()
        priority = "standard" if roll < 0.7 else "next_day" if roll < 0.95 else "same_day"
        days = {"standard": draw.randint(3, 7), "next_day": 1, "same_day": 0}[priority]
        promise = (world.now + timedelta(days=days)).replace(hour=23, minute=59, second=59, microsecond=0)
        gift = draw.random() < 0.2
        document: Document = {
            "orderId": f"ORD-{world.ids.hex()}",
            "tenantId": seller.tenant if fill else "DEFAULT_TENANT",
            "facilityId": seller.facility if fill else "DEFAULT_FACILITY",
            "warehouseId": seller.warehouse if fill else "DEFAULT_WAREHOUSE",
        }
        if fill:
            document["sellerId"] = seller.id
            document["channelId"] = ("shopify", "amazon", "woocommerce", "ebay", "web")[draw.randrange(5)]
            if document["channelId"] != "web":
                document["externalOrderId"] = f"{document['channelId'].upper()}-{draw.randrange(10**9):09d}"
        document |= {
            "customerId": f"CUST-{world.ids.hex().upper()}",
            "items": [_item(line, fill) for line in lines],
            "shippingAddress": {
                "street": buyer.street,
                "city": buyer.city,
                "state": buyer.state,
                "zipCode": buyer.zip_code,
                "country": "US",
                **({"phone": buyer.phone} if fill else {}),
                "recipientName": buyer.name if fill else "",
            },
            "priority": priority,
            "status": world.statuses.initial("order", "received"),
            "promisedDeliveryAt": promise,
            "createdAt": world.now,
            "updatedAt": world.now,
            "giftWrap": gift and fill,
            "processRequirements": self._requirements(lines, gift and fill),
        }
        routes = _routes(lines)
        staged = any(line.product.high_value for line in lines)
        order = Order(
            world.ids.object_id(world.now_ms), document["orderId"], document, seller, buyer, routes, wholesale, staged
        )
        world.add("orders", order.id, document)
        self._publish(
            order,
            "received",
            {
                "customerId": document["customerId"],
                "items": [dict(item) for item in document["items"]],
                "priority": priority,
                "promisedDeliveryAt": text_time(int(promise.timestamp()) * 1000),
            },
        )
        return order

    def _requirements(self, lines: list[Line], gift: bool) -> Document:
        draw, fill = self._world.random, self._world.fill
        single = len(lines) == 1 and lines[0].quantity == 1
        requirements = ["single_item" if single else "multi_item"]
        document: Document = {"requirements": requirements}
        if gift:
            requirements.append("gift_wrap")
            document["giftWrapDetails"] = {
                "wrapType": _WRAPS[draw.randrange(len(_WRAPS))],
                "giftMessage": gift_message(draw),
                "hidePrice": draw.random() < 0.7,
            }
        if any(line.product.weight > 30 or (fill and max(line.product.dimensions) > 100) for line in lines):
            requirements.append("oversized")
        if fill:
            if any(line.product.fragile for line in lines):
                requirements.append("fragile")
            if any(line.product.hazmat for line in lines):
                requirements.append("hazmat")
                document["hazmatDetails"] = {
                    "class": "9",
                    "unNumber": "UN3481",
                    "packingGroup": "II",
                    "properShippingName": "Lithium ion batteries contained in equipment",
                    "limitedQuantity": sum(line.quantity for line in lines) <= 2,
                }
            if sum(line.product.price * line.quantity for line in lines) >= 500:
                requirements.append("high_value")
        return document

    def _validate(self, order: Order) -> None:
        """Check an order and reserve its stock; what cannot be served goes to the reprocessing job."""
        if order.is_stopped:
            return
        world = self._world
        served = not world.chance(0.005)
        for part in order.parts if served else ():
            location_id = self._inventory.holding(part.line.product, part.quantity)
            if location_id is None:
                served = False
                break
            part.location_id = location_id
            part.hold = self._inventory.reserve(part.line.product, part.quantity, location_id, order.order_id)
        if not served:
            self.fail(order)
            return
        self._step(order, "validated")
        self._publish(
            order,
            "validated",
            {
                "customerId": order.document["customerId"],
                "totalItems": sum(part.quantity for part in order.parts),
            },
        )
        self._waiting.setdefault(order.seller.warehouse, []).append(order)

    def assign_wave(self, order: Order, wave: Wave) -> None:
        """The order is part of a released wave."""
        order.wave = wave
        order.document["waveId"] = wave.wave_id
        self._step(order, "wave_assigned")
        self._publish(order, "wave-assigned", {"waveId": wave.wave_id})

    def advance(self, order: Order, status: str) -> None:
        """Move an order on when it is not there yet."""
        if order.status != status:
            self._step(order, status)

    def ship(self, order: Order, tracking_number: str) -> None:
        """The carrier has it. Through the services' own routes no order gets here."""
        if not self._world.fill:
            return
        order.document["trackingNumber"] = tracking_number
        self._step(order, "shipped")
        self._publish(order, "shipped", {"customerId": order.document["customerId"], "trackingNumber": tracking_number})

    def deliver(self, order: Order) -> None:
        """The carrier has delivered it."""
        self._step(order, "delivered")

    def fail(self, order: Order) -> None:
        """Hand an order to the reprocessing job, which later gives up, or the customer does."""
        world = self._world
        self._stop(order)
        world.step("order", order.document, "pending_retry")
        world.touch(order.document)
        # Cleared in the service: the stored wave id stays.
        world.save("orders", order.id, order.document, omit=("waveId",))
        if world.chance(0.3):
            world.later(world.between(MINUTE, 20 * MINUTE), self._repair, order)
        world.later(world.between(20 * MINUTE, 90 * MINUTE), self._give_up, order)

    def _repair(self, order: Order) -> None:
        """Operations replace the stored document to get rid of the stale wave id."""
        if order.status == "pending_retry" and "waveId" in order.document:
            del order.document["waveId"]
            self._world.touch(order.document)
            self._world.replace("orders", order.id, order.document)

    def _give_up(self, order: Order) -> None:
        if order.status != "pending_retry":
            return
        if self._world.chance(0.5):
            self._step(order, "dead_letter")
        else:
            self.cancel(order, "stock_unavailable")

    def cancel(self, order: Order, reason: str) -> None:
        """Cancel an order that has not left the building yet; deleting one is the same to the service."""
        if order.status in ("shipped", "delivered", "cancelled", "dead_letter"):
            return
        self._stop(order)
        self._step(order, "cancelled")
        self._publish(order, "cancelled", {"customerId": order.document["customerId"], "reason": reason})

    def _stop(self, order: Order) -> None:
        if order.is_stopped:
            return
        order.is_stopped = True
        for stop in self.stop_work:
            stop(order)
        for part in order.parts:
            if part.hold is None:
                continue
            if not part.hold.is_closed:
                self._inventory.release(part.hold)
            elif part.picked:
                self._inventory.put_back(part.hold, part.picked, "system")

    def _correct(self) -> None:
        """Somebody edits an old order: one of the older half."""
        world = self._world
        order = self._known[world.random.randrange((len(self._known) + 1) // 2)]
        address = order.document["shippingAddress"]
        address["phone"] = phone(world.random)
        world.touch(order.document)
        world.save("orders", order.id, order.document)

    def _step(self, order: Order, status: str) -> None:
        self._world.step("order", order.document, status)
        self._world.touch(order.document)
        self._world.save("orders", order.id, order.document)

    def _publish(self, order: Order, action: str, data: Document) -> None:
        world = self._world
        event_type = f"wms.order.{action}"
        head = {
            "id": world.ids.uuid4(),
            "type": event_type,
            "aggregateId": order.order_id,
            "timestamp": text_time(world.now_ms),
            "orderId": order.order_id,
        }
        world.publish("orders", event_type, f"order/{order.order_id}", head | data)


def _item(line: Line, fill: bool) -> Document:
    product = line.product
    length, width, height = product.dimensions if fill else (0.0, 0.0, 0.0)
    return {
        "sku": product.sku,
        "name": product.name if fill else "",
        "quantity": line.quantity,
        "weight": product.weight,
        "dimensions": {"length": length, "width": width, "height": height},
        "unitPrice": product.price if fill else 0.0,
        "pickedQty": 0,
        "isFragile": product.fragile and fill,
        "isHazmat": product.hazmat and fill,
        "requiresColdChain": False,
    }


def _routes(lines: list[Line]) -> list[list[Part]]:
    """Cut the lines into routes of at most 30 units, as the multi-route rule does."""
    routes: list[list[Part]] = [[]]
    room = UNITS_PER_ROUTE
    for line in lines:
        left = line.quantity
        while left:
            if not room:
                routes.append([])
                room = UNITS_PER_ROUTE
            taken = min(left, room)
            routes[-1].append(Part(line, taken))
            left -= taken
            room -= taken
    return routes

"""Shipping: label, manifest, trailer, delivery on time or late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bson import ObjectId

from ingest.simulator.changes import Document
from ingest.simulator.events import text_time
from ingest.simulator.inventory import Inventory
from ingest.simulator.orders import Order, Orders
from ingest.simulator.packing import Packing, PackTask
from ingest.simulator.reference import Carrier
from ingest.simulator.world import HOUR, MINUTE, SECOND, World

LATE = {"UPS": 0.03, "FEDEX": 0.04, "USPS": 0.09, "DHL": 0.06}  # share of parcels delivered after the estimate
_SHARES = (("UPS", 0.55), ("FEDEX", 0.75), ("USPS", 0.9), ("DHL", 1.0))  # cumulated
_SERVICES = {"same_day": "same_day", "next_day": "next_day_air", "standard": "ground"}


@dataclass(slots=True)
class Shipment:
    """One parcel."""

    id: ObjectId
    shipment_id: str
    document: Document
    order: Order

    @property
    def status(self) -> str:
        """The shipment's status."""
        status: str = self.document["status"]
        return status


class Shipping:
    """The shipping service."""

    def __init__(
        self, world: World, carriers: tuple[Carrier, ...], inventory: Inventory, orders: Orders, packing: Packing
    ) -> None:
        self._world = world
        self._carriers = {carrier.code: carrier for carrier in carriers}
        self._inventory = inventory
        self._orders = orders
        self._packing = packing
        self._labeled: dict[tuple[str, str], list[Shipment]] = {}
        packing.on_packed = self.create
        orders.stop_work.append(self.stop)
        for carrier in carriers:
            world.later(world.between(10 * MINUTE, 30 * MINUTE), self._manifest, carrier)

    def create(self, order: Order, task: PackTask) -> None:
        """The shipment of a packed order."""
        world, fill, package = self._world, self._world.fill, task.document["package"]
        roll = world.random.random()
        carrier = self._carriers[next(code for code, share in _SHARES if roll < share)]
        service = _SERVICES[order.document["priority"]] if fill else "ground"
        address = order.document["shippingAddress"]
        document: Document = {
            "shipmentId": f"SHP-{world.ids.hex()}",
            "tenantId": order.document["tenantId"],
            "facilityId": order.document["facilityId"],
            "warehouseId": order.document["warehouseId"],
            "orderId": order.order_id,
            "packageId": package["packageId"],
            "waveId": task.document["waveId"],
            "status": world.statuses.initial("shipment", "pending"),
            "carrier": {
                "code": carrier.code,
                "name": carrier.name,
                "accountId": f"ACC-{carrier.code}",
                "serviceType": service,
            },
            "package": {
                "packageId": package["packageId"],
                "weight": package["totalWeight"],
                "dimensions": dict(package["dimensions"]),
                "packageType": package["type"],
            },
            "recipient": {
                "name": address["recipientName"],
                "street1": address["street"],
                "city": address["city"],
                "state": address["state"],
                "postalCode": address["zipCode"],
                "country": address["country"],
                **({"phone": address["phone"]} if "phone" in address else {}),
            },
            "shipper": {
                "name": order.seller.name if fill else "Warehouse",
                "street1": "1 Depot Road",
                "city": "Columbus",
                "state": "OH",
                "postalCode": "43004",
                "country": "US",
            },
            "serviceType": service,
            "createdAt": world.now,
            "updatedAt": world.now,
        }
        shipment = Shipment(world.ids.object_id(world.now_ms), document["shipmentId"], document, order)
        order.shipment = shipment
        world.add("shipments", shipment.id, document)
        self._publish(
            shipment,
            "shipment-created",
            {"orderId": order.order_id, "carrier": carrier.code, "createdAt": text_time(world.now_ms)},
        )
        world.later(world.between(2 * SECOND, 20 * SECOND), self._label, shipment, task)

    def _tracking_number(self, carrier: str) -> str:
        digits = self._world.ids.uuid4()
        prefix, length = {"UPS": ("1Z", 16), "FEDEX": ("", 12), "USPS": ("9400", 18)}.get(carrier, ("TRK", 12))
        return prefix + digits[:length]

    def _label(self, shipment: Shipment, task: PackTask) -> None:
        if shipment.order.is_stopped:
            return
        world, document = self._world, shipment.document
        carrier = document["carrier"]["code"]
        tracking = self._tracking_number(carrier)
        url = f"https://labels.example.com/{tracking}.pdf"
        document["label"] = {
            "trackingNumber": tracking,
            "labelFormat": "PDF",
            "labelData": f"JVBERi0xLjQK{world.ids.hex(32)}",
            "labelUrl": url,
            "generatedAt": world.now,
        }
        document["labeledAt"] = world.now
        world.step("shipment", document, "labeled")
        self._save(shipment)
        self._publish(
            shipment,
            "label-generated",
            {"trackingNumber": tracking, "carrier": carrier, "generatedAt": text_time(world.now_ms)},
        )
        self._packing.label(
            task,
            {
                "trackingNumber": tracking,
                "carrier": carrier,
                "serviceType": document["serviceType"],
                "labelUrl": url,
                "generatedAt": world.now,
            },
        )
        self._labeled.setdefault((carrier, document["warehouseId"]), []).append(shipment)

    def _manifest(self, carrier: Carrier) -> None:
        """The carrier's next trailer: everything labelled for it goes on one manifest per warehouse."""
        world = self._world
        world.later(world.between(25 * MINUTE, 50 * MINUTE), self._manifest, carrier)
        for code, warehouse in [key for key in self._labeled if key[0] == carrier.code]:
            shipments = [one for one in self._labeled.pop((code, warehouse)) if not one.order.is_stopped]
            if shipments:
                self._load(carrier, shipments)

    def _load(self, carrier: Carrier, shipments: list[Shipment]) -> None:
        world = self._world
        manifest_id = f"MAN-{world.now:%Y%m%d}-{world.ids.hex(4)}"
        for shipment in shipments:
            shipment.document["manifest"] = {
                "manifestId": manifest_id,
                "carrierCode": carrier.code,
                "shipmentCount": len(shipments),
                "generatedAt": world.now,
            }
            shipment.document["manifestedAt"] = world.now
            world.step("shipment", shipment.document, "manifested")
            self._save(shipment)
            self._publish(
                shipment,
                "manifested",
                {
                    "manifestId": manifest_id,
                    "trackingNumber": shipment.document["label"]["trackingNumber"],
                    "manifestedAt": text_time(world.now_ms),
                },
            )
        world.publish(
            "shipping",
            "wms.shipping.manifest-closed",
            f"manifest/{manifest_id}",
            {
                "manifestId": manifest_id,
                "carrierId": carrier.code,
                "packageCount": len(shipments),
                "totalWeight": round(sum(one.document["package"]["weight"] for one in shipments), 3),
                "closedAt": text_time(world.now_ms),
            },
        )
        world.later(world.between(5 * MINUTE, 15 * MINUTE), self._depart, shipments)

    def _depart(self, shipments: list[Shipment]) -> None:
        for shipment in shipments:
            if not shipment.order.is_stopped:
                self._ship(shipment)

    def _ship(self, shipment: Shipment) -> None:
        world, document, order = self._world, shipment.document, shipment.order
        document["shippedAt"] = world.now
        estimate = self._estimate(order)
        if world.fill:
            document["estimatedDelivery"] = estimate
        world.step("shipment", document, "shipped")
        self._save(shipment)
        tracking = document["label"]["trackingNumber"]
        self._publish(
            shipment,
            "confirmed",
            {
                "orderId": order.order_id,
                "trackingNumber": tracking,
                "carrier": document["carrier"]["code"],
                **({"estimatedDelivery": text_time(int(estimate.timestamp()) * 1000)} if world.fill else {}),
                "shippedAt": text_time(world.now_ms),
            },
        )
        for part in order.parts:
            if part.hold is not None and not part.hold.is_closed:
                self._inventory.ship(part.hold)
        self._orders.ship(order, tracking)
        if world.fill:
            left = int((estimate - world.now).total_seconds() * 1000)
            late = world.chance(LATE[document["carrier"]["code"]])
            travel = left + world.between(HOUR, 30 * HOUR) if late else int(left * (0.4 + 0.55 * world.random.random()))
            world.later(max(travel, 20 * MINUTE), self._deliver, shipment)

    def _estimate(self, order: Order) -> datetime:
        """By service: four hours, tomorrow evening, or two to five days."""
        world = self._world
        priority = order.document["priority"]
        if priority == "same_day":
            return (world.now + timedelta(hours=4)).replace(microsecond=0)
        days = 1 if priority == "next_day" else world.random.randint(2, 5)
        return (world.now + timedelta(days=days)).replace(hour=20, minute=0, second=0, microsecond=0)

    def _deliver(self, shipment: Shipment) -> None:
        world = self._world
        shipment.document["actualDelivery"] = world.now
        world.step("shipment", shipment.document, "delivered")
        self._save(shipment)
        self._orders.deliver(shipment.order)
        if world.is_deleted_later():
            world.later(world.between(10 * MINUTE, 120 * MINUTE), world.delete, "shipments", shipment.id)

    def stop(self, order: Order) -> None:
        """Cancel the shipment of a stopped order."""
        shipment = order.shipment
        if shipment is not None and shipment.status in ("pending", "labeled", "manifested"):
            self._world.step("shipment", shipment.document, "cancelled")
            self._save(shipment)

    def _save(self, shipment: Shipment) -> None:
        self._world.touch(shipment.document)
        self._world.save("shipments", shipment.id, shipment.document)

    def _publish(self, shipment: Shipment, action: str, data: Document) -> None:
        subject = f"shipment/{shipment.shipment_id}"
        self._world.publish("shipping", f"wms.shipping.{action}", subject, {"shipmentId": shipment.shipment_id, **data})

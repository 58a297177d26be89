"""Documents of the seven collections as the services save them, with plenty of chance in every field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.stack.convergence.records import milliseconds

Document = dict[str, Any]
TENANCY = {"tenant_id": "T", "facility_id": "F", "warehouse_id": "W"}


class World:
    """The names that one log's documents use. All carry the log's number: no other log's rows meet them."""

    def __init__(self, number: int) -> None:
        self.orders = [f"ORD-{number:04x}{order:04x}" for order in range(8)]
        self.workers = [f"WRK-{number:03}-{worker}" for worker in range(3)]
        self.skus = [f"SKU-{number:03}-{article}" for article in range(3)]
        self.carriers = [f"{carrier}-{number:03}" for carrier in ("UPS", "DHL")]
        self.priorities = [f"{priority}-{number:03}" for priority in ("same_day", "standard")]
        self.wave_types = [f"{kind}-{number:03}" for kind in ("digital", "mixed")]


@dataclass(frozen=True)
class Save:
    """One save of one document: when it was created, when it is saved, what stood there before."""

    world: World
    choose: Random
    number: int
    created: datetime
    at: datetime
    previous: Document | None

    def date(self, minutes: int = 0, since: datetime | None = None) -> Document:
        """A date as the connector writes it."""
        return {"$date": milliseconds((since or self.created) + timedelta(minutes=minutes))}

    def later(self, likely: float, minutes: int) -> Document | None:
        """A date up to so many minutes after the creation, now and then before it; None when it is not set."""
        is_set = self.choose.random() < likely
        return self.date(self.choose.randrange(-minutes // 20, minutes)) if is_set else None


def present(document: Document) -> Document:
    """Without the keys that omitempty leaves out."""
    return {name: value for name, value in document.items() if value is not None}


def stamps(save: Save) -> Document:
    """When the document was created and saved; a service's clock is a little off MongoDB's."""
    skew = save.choose.choice((0, 0, 137, -450))
    # Some move to the next day: gold must take them out of the old one.
    moved = save.choose.choice((0, 0, 0, 0, 0, 0, 0, 24 * 60))
    return {"created_at": save.date(moved), "updated_at": {"$date": milliseconds(save.at) + skew}, **TENANCY}


def order(save: Save) -> Document:
    """An order of no to three lines."""
    choose = save.choose
    lines = [
        {
            "sku": choose.choice(save.world.skus),
            "quantity": choose.choice((1, 2, {"$numberLong": "3"})),
            "weight": 0.5,
            "unit_price": choose.choice((9.99, {"$numberDecimal": "19.5000"}, 0.1)),
        }
        for _ in range(choose.randrange(4))
    ]
    return present(
        {
            "order_id": save.world.orders[save.number],
            "customer_id": f"CUST-{save.number}",
            "status": choose.choice(
                ("received", "picking", "packed", "shipped", "delivered", "cancelled", "dead_letter")
            ),
            "priority": choose.choice(save.world.priorities),
            "items": lines,
            "shipping_address": {"street": "Way 1", "city": "Ulm", "recipient_name": "Ada", "phone": "1"},
            "wave_id": choose.choice((None, "WV-1")),
            "gift_wrap": choose.random() < 0.5,
            "process_requirements": {"requirements": choose.choice((None, ["multi_item"]))},
            "promised_delivery_at": save.date(choose.randrange(5000)),
            **stamps(save),
        }
    )


def shipment(save: Save) -> Document:
    """A shipment of one of the log's orders."""
    choose = save.choose
    tracking = {"tracking_number": f"1Z{save.number}", "label_url": "http://label"}
    return present(
        {
            "shipment_id": f"SHP-{save.number:08x}",
            "order_id": choose.choice(save.world.orders),
            "package_id": "PKG-1",
            "wave_id": "WV-1",
            "status": choose.choice(("pending", "manifested", "shipped", "delivered", "cancelled")),
            "carrier": {"code": choose.choice(save.world.carriers), "name": "Carrier", "service_type": "ground"},
            "service_type": choose.choice(("ground", "express")),
            "label": choose.choice((None, tracking)),
            "manifest": choose.choice((None, {"manifest_id": "MAN-1"})),
            "package": {"weight": 1.25, "package_type": "box"},
            "recipient": {"name": "Ada"},
            "shipped_at": save.later(0.8, 3000),
            "estimated_delivery": save.later(0.6, 6000),
            "actual_delivery": save.later(0.5, 9000),
            **stamps(save),
        }
    )


def wave(save: Save) -> Document:
    """A wave of no to three orders."""
    choose = save.choose
    orders = [
        {"order_id": name, "item_count": choose.randrange(5), "total_weight": 1.5, "added_at": save.date(3)}
        for name in choose.sample(save.world.orders, choose.randrange(4))
    ]
    return present(
        {
            "wave_id": f"WV-{save.number}",
            "wave_type": choose.choice(save.world.wave_types),
            "status": choose.choice(("planning", "released", "in_progress", "completed", "cancelled")),
            "fulfillment_mode": "wave",
            "orders": choose.choice((orders, orders, None)),
            "configuration": {"max_orders": 50, "release_delay": {"$numberLong": "60000000000"}},
            "scheduled_start": save.date(10),
            "estimated_duration": {"$numberLong": "3600000000000"},
            "priority": 5,
            "required_capabilities": choose.choice((None, ["hazmat"], ["cold_chain", "fragile"])),
            "requires_certified_labor": choose.random() < 0.5,
            "released_at": save.later(0.8, 60),
            "completed_at": save.later(0.6, 600),
            **stamps(save),
        }
    )


def pick_task(save: Save) -> Document:
    """A pick task of no to three lines, perhaps with exceptions."""
    choose = save.choose
    lines = [
        {
            "sku": choose.choice(save.world.skus),
            "product_name": "Thing",
            "quantity": 3,
            "picked_qty": choose.randrange(4),
            "location": {
                "location_id": f"LOC-{choose.randrange(2)}",
                "aisle": "A",
                "rack": 1,
                "level": 2,
                "zone": "Z1",
            },
            "status": choose.choice(("picked", "picked", "picked", "short", "exception")),
            "picked_at": save.date(4),
        }
        for _ in range(choose.randrange(4))
    ]
    exceptions = [
        {"exception_id": "E", "sku": choose.choice(save.world.skus), "reason": "damaged", "requested_qty": 1}
        | ({"location_id": f"LOC-{choose.randrange(2)}"} if choose.random() < 0.7 else {})
        for _ in range(choose.choice((0, 0, 1, 2)))
    ]
    return present(
        {
            "task_id": f"PT-{save.number:08x}",
            "order_id": choose.choice(save.world.orders),
            "wave_id": "WV-1",
            "picker_id": choose.choice((*save.world.workers, *save.world.workers, "PK-ffffffff", "", None)),
            "status": choose.choice(("assigned", "in_progress", "completed", "completed", "completed")),
            "method": choose.choice(("single", "batch")),
            "items": lines,
            "zone": choose.choice(("Z1", "Z2", "Z2", None)),
            "priority": 5,
            "exceptions": exceptions or None,
            "assigned_at": save.date(1),
            "started_at": save.later(0.85, 100),
            "completed_at": save.later(0.9, 500),
            "route_index": 1,
            "is_multi_route": False,
            **stamps(save),
        }
    )


def pack_task(save: Save) -> Document:
    """A pack task of no to two lines."""
    choose = save.choose
    package = {"package_id": "PKG-1", "type": "box", "total_weight": 1.3, "sealed": True, "sealed_at": save.date(9)}
    return present(
        {
            "task_id": f"PK-{save.number:08x}",
            "order_id": choose.choice(save.world.orders),
            "packer_id": choose.choice((*save.world.workers, *save.world.workers, "", None)),
            "status": choose.choice(("in_progress", "packed", "completed", "completed", "completed")),
            "items": [
                {"sku": sku, "product_name": "Thing", "quantity": choose.randrange(1, 4), "fragile": False}
                for sku in choose.sample(save.world.skus, choose.randrange(3))
            ],
            "package": package,
            "shipping_label": choose.choice(
                (None, {"tracking_number": "1Z", "carrier": "UPS", "service_type": "ground"})
            ),
            "station": "ST-1",
            "priority": 5,
            "started_at": save.later(0.85, 100),
            "completed_at": save.later(0.9, 500),
            **stamps(save),
        }
    )


def worker(save: Save) -> Document:
    """A worker, perhaps in a shift; the metrics are zero as the service leaves them, or set."""
    choose = save.choose
    shift = {
        "shift_id": "SHIFT-1",
        "shift_type": choose.choice(("morning", "night")),
        "zone": choose.choice(("Z1", "Z3")),
        "start_time": save.date(480 * choose.randrange(-2, 5)),
    }
    return present(
        {
            "worker_id": save.world.workers[save.number],
            "employee_id": f"EMP-{save.number}",
            "name": choose.choice(("Ada", "Bob", "Cem")),
            "status": choose.choice(("available", "on_task", "on_break", "offline")),
            "current_zone": "Z1",
            "skills": choose.choice(
                (None, [{"type": "picking", "level": 3, "certified": True, "certified_at": save.date()}])
            ),
            "current_shift": choose.choice((None, shift, shift | {"end_time": save.later(1, 900)})),
            "current_task": choose.choice((None, {"task_id": "PT-1", "task_type": "picking"})),
            "performance_metrics": {
                "average_task_time": choose.choice((0.0, 0.0, 12.5)),
                "average_items_per_hour": choose.choice((0.0, 0.0, 80.0)),
                "accuracy_rate": choose.choice((0.0, 0.0, 98.5)),
            },
            **stamps(save),
        }
    )


def inventory(save: Save) -> Document:
    """An article's stock, whose list of movements keeps the last four."""
    choose = save.choose
    before = save.previous or {}
    known = before.get("transactions")
    entries = list(known) if isinstance(known, list) else []
    entries += [movement(save) for _ in range(choose.randrange(3))]
    total = choose.randrange(40)
    return present(
        {
            "sku": save.world.skus[save.number],
            "product_name": choose.choice(("Lamp", "Cup")),
            "total_quantity": total,
            "reserved_quantity": 2,
            "hard_allocated_quantity": 1,
            "available_quantity": total - 3,
            "locations": [
                {"location_id": "LOC-1", "zone": "Z1", "aisle": "A", "rack": 1, "level": 1, "quantity": total}
            ],
            "reorder_point": choose.choice((5, 20)),
            "velocity_class": "",
            "reservations": None,
            "transactions": entries[-4:] or None,
            **stamps(save),
        }
    )


def movement(save: Save) -> Document:
    """One entry of the movements, at or shortly before the save. Two of one second can share their id."""
    choose = save.choose
    kind = choose.choice(("receive", "pick", "pick", "ship", "adjust", "shortage", "return_to_shelf", "transfer"))
    sign = -1 if kind in ("pick", "ship", "shortage") else choose.choice((1, 1, -1)) if kind == "adjust" else 1
    return present(
        {
            "transaction_id": f"TXN-{save.at:%Y%m%d%H%M%S}",
            "type": kind,
            "quantity": sign * choose.randrange(1, 9),
            "location_id": "LOC-1",
            "reference_id": choose.choice(save.world.orders),
            "reason": choose.choice((None, "count")),
            "created_at": save.date(-choose.randrange(3), save.at),
            "created_by": choose.choice(save.world.workers),
        }
    )


# Collection: how many documents a log has of it, and how one is made.
COLLECTIONS: dict[str, tuple[int, Callable[[Save], Document]]] = {
    "orders": (8, order),
    "shipments": (6, shipment),
    "waves": (3, wave),
    "pick_tasks": (6, pick_task),
    "pack_tasks": (4, pack_task),
    "workers": (3, worker),
    "inventory": (3, inventory),
}

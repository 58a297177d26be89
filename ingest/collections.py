"""The one list of what is captured: adding a collection is adding one entry here.

Standard library only: the Flink environment imports it, too.
"""

from __future__ import annotations

from dataclasses import dataclass

CDC_PREFIX = "cdc.wms."
EVENTS_TABLE = "domain_events_raw"
QUARANTINE_TABLE = "quarantine"
ERASED_TABLE = "erased_records"
REPLAYS_TABLE = "quarantine_replays"


@dataclass(frozen=True)
class Collection:
    """One captured MongoDB collection.

    name: the collection, the same in both naming styles.
    service_database: its database when every service has its own (camelCase naming).
    business_key: the id that people use, in snake_case.
    """

    name: str
    service_database: str
    business_key: str

    @property
    def topic(self) -> str:
        """The Kafka topic of its change records."""
        return CDC_PREFIX + self.name

    @property
    def bronze_table(self) -> str:
        """The table of schema ``bronze`` that keeps its history."""
        return f"{self.name}_raw"


COLLECTIONS = (
    Collection("orders", "orders_db", "order_id"),
    Collection("inventory", "inventory_db", "sku"),
    Collection("waves", "waves_db", "wave_id"),
    Collection("pick_tasks", "picking_db", "task_id"),
    Collection("pack_tasks", "packing_db", "task_id"),
    Collection("shipments", "shipping_db", "shipment_id"),
    Collection("workers", "labor_db", "worker_id"),
)

# The WMS's own CloudEvents. Partition counts are the services' own; the topics exist before us in the field,
# and the embedded stack creates them.
EVENT_TOPICS = {
    "wms.orders.events": 6,
    "wms.inventory.events": 6,
    "wms.waves.events": 6,
    "wms.picking.events": 12,
    "wms.packing.events": 6,
    "wms.shipping.events": 6,
    "wms.labor.events": 6,
}

"""The columns of silver and the document paths that they come from: the contract, as the oracle reads it.

A type is a letter (s string, i whole number, d double, b boolean, t time, j kept as JSON text), a list of one type or a
dictionary of them; At says the path of a column that is not called like its field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Type = str | list[Any] | dict[str, Any]


@dataclass(frozen=True)
class At:
    """A column at another path."""

    path: str
    type: Type


def each(kind: str, names: str) -> dict[str, Type | At]:
    """Many columns of a simple type."""
    return dict.fromkeys(names.split(), kind)


LOCATION = {"location_id": "s", "aisle": "s", "rack": "i", "level": "i", "position": "s", "zone": "s"}
TENANCY = each("s", "tenant_id facility_id warehouse_id")
SAVED = each("t", "created_at updated_at")

COLUMNS: dict[str, dict[str, Type | At]] = {
    "orders": {
        **each(
            "s", "order_id customer_id status priority wave_id tracking_number external_order_id seller_id channel_id"
        ),
        **TENANCY,
        **SAVED,
        "items": [{"sku": "s", "quantity": "i", "weight": "d", "unit_price": "d"}],
        "shipping_address": each("s", "street city state zip_code country"),
        "recipient_name": At("shipping_address.recipient_name", "s"),
        "recipient_phone": At("shipping_address.phone", "s"),
        "gift_wrap": "b",
        "process_requirements": "j",
        "promised_delivery_at": "t",
    },
    "inventory": {
        **each("s", "sku product_name velocity_class storage_strategy seller_id"),
        **each("i", "total_quantity reserved_quantity available_quantity hard_allocated_quantity"),
        **each("i", "reorder_point reorder_quantity pick_frequency"),
        **each("j", "reservations hard_allocations transactions"),
        **each("t", "last_cycle_count last_stowed_at last_picked_at"),
        **TENANCY,
        **SAVED,
        "locations": [{**each("s", "location_id zone aisle"), **each("i", "rack level quantity")}],
    },
    "waves": {
        **each("s", "wave_id wave_type status fulfillment_mode zone"),
        **each("j", "configuration labor_allocation"),
        **each("t", "scheduled_start scheduled_end actual_start actual_end released_at completed_at"),
        **each("i", "estimated_duration priority"),
        **TENANCY,
        **SAVED,
        **{
            name: ["s"]
            for name in (
                "required_capabilities",
                "special_handling_types",
                "station_requirements",
                "target_station_ids",
            )
        },
        "orders": [
            {
                **each("s", "order_id customer_id priority"),
                **each("i", "item_count"),
                **each("d", "total_weight"),
                **each("s", "zone status"),
                **each("t", "added_at"),
            }
        ],
        "requires_certified_labor": "b",
    },
    "pick_tasks": {
        **each("s", "task_id order_id wave_id route_id picker_id status tote_id zone parent_order_id source_tote_id"),
        **each("i", "priority total_items picked_items route_index total_routes_in_order"),
        **each("t", "assigned_at started_at completed_at"),
        **TENANCY,
        **SAVED,
        "pick_method": At("method", "s"),
        "items": [
            {
                **each("s", "sku product_name"),
                **each("i", "quantity picked_qty"),
                "location": LOCATION,
                **each("s", "status tote_id"),
                **each("t", "picked_at verified_at"),
                **each("s", "notes"),
            }
        ],
        "exceptions": [
            {
                **each("s", "exception_id sku location_id reason"),
                **each("i", "requested_qty available_qty"),
                **each("s", "resolution"),
                **each("t", "resolved_at created_at"),
            }
        ],
        "is_multi_route": "b",
    },
    "pack_tasks": {
        **each("s", "task_id order_id consolidation_id wave_id packer_id status station"),
        **each("t", "started_at packed_at labeled_at completed_at"),
        **each("j", "package shipping_label"),
        **TENANCY,
        **SAVED,
        "items": [
            {
                **each("s", "sku product_name"),
                **each("i", "quantity"),
                **each("d", "weight"),
                **each("b", "fragile verified"),
            }
        ],
        "package_id": At("package.package_id", "s"),
        "package_type": At("package.type", "s"),
        "suggested_package_type": At("package.suggested_type", "s"),
        "package_total_weight": At("package.total_weight", "d"),
        "is_sealed": At("package.sealed", "b"),
        "sealed_at": At("package.sealed_at", "t"),
        "tracking_number": At("shipping_label.tracking_number", "s"),
        "carrier_code": At("shipping_label.carrier", "s"),
        "service_type": At("shipping_label.service_type", "s"),
        "priority": "i",
    },
    "shipments": {
        **each("s", "shipment_id order_id package_id wave_id status service_type"),
        **each("j", "recipient shipper"),
        **each("t", "labeled_at manifested_at shipped_at estimated_delivery actual_delivery"),
        **TENANCY,
        **SAVED,
        "carrier_code": At("carrier.code", "s"),
        "carrier_name": At("carrier.name", "s"),
        "tracking_number": At("label.tracking_number", "s"),
        "label_url": At("label.label_url", "s"),
        "manifest_id": At("manifest.manifest_id", "s"),
        "package_weight": At("package.weight", "d"),
        "package_type": At("package.package_type", "s"),
    },
    "workers": {
        **each("s", "worker_id employee_id name status current_zone"),
        **each("j", "current_shift current_task performance_metrics"),
        **TENANCY,
        **SAVED,
        "skills": [{**each("s", "type"), **each("i", "level"), **each("b", "certified"), **each("t", "certified_at")}],
        "shift_id": At("current_shift.shift_id", "s"),
        "shift_type": At("current_shift.shift_type", "s"),
        "shift_zone": At("current_shift.zone", "s"),
        "shift_started_at": At("current_shift.start_time", "t"),
        "shift_ended_at": At("current_shift.end_time", "t"),
        "current_task_id": At("current_task.task_id", "s"),
        "average_task_time": At("performance_metrics.average_task_time", "d"),
        "average_items_per_hour": At("performance_metrics.average_items_per_hour", "d"),
        "accuracy_percent": At("performance_metrics.accuracy_rate", "d"),
    },
}

SHIFT_COLUMNS: dict[str, Type | At] = {
    "worker_id": "s",
    "shift_id": At("current_shift.shift_id", "s"),
    "shift_type": At("current_shift.shift_type", "s"),
    "zone": At("current_shift.zone", "s"),
    "ended_at": At("current_shift.end_time", "t"),
}
DAY_COLUMNS: dict[str, Type | At] = {
    name: COLUMNS["inventory"][name]
    for name in (
        *(
            "sku",
            "product_name",
            "total_quantity",
            "reserved_quantity",
            "hard_allocated_quantity",
            "available_quantity",
        ),
        *("reorder_point", "updated_at"),
    )
}
ENTRY_COLUMNS = {
    **each("s", "transaction_id type location_id reference_id reason created_by"),
    **each("i", "quantity"),
    **each("t", "created_at"),
}

TABLES = {
    "orders": "orders_current",
    "inventory": "inventory_current",
    "waves": "waves_current",
    "pick_tasks": "pick_tasks_current",
    "pack_tasks": "pack_tasks_current",
    "shipments": "shipments_current",
    "workers": "worker_documents",
}
WITH_HISTORY = {"orders", "waves", "pick_tasks", "pack_tasks", "shipments"}

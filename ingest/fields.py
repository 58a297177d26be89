"""The top-level fields of the captured documents, with the types in which Trino reads them from MongoDB.

Trino guesses types from one document: a null there drops the column, a whole number makes 2.75 a 2. So the duty
``schemas`` tells it. Names are the services' own (camelCase). An integer is a bigint: Go writes int64 when it must.
Sub-documents are ``json``, so that a field which a service adds inside of one is there at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

TEXT, TEXTS, INTEGER, FLAG, NESTED = "varchar", "array(varchar)", "bigint", "boolean", "json"
MOMENT = "timestamp(3) with time zone"

FIELDS: Mapping[str, Mapping[str, str]] = {
    "orders": {
        TEXT: (
            "orderId tenantId facilityId warehouseId sellerId channelId externalOrderId customerId priority "
            "status waveId trackingNumber"
        ),
        FLAG: "giftWrap",
        MOMENT: "promisedDeliveryAt createdAt updatedAt",
        NESTED: "items shippingAddress processRequirements",
    },
    "inventory": {
        TEXT: "sku productName tenantId facilityId warehouseId sellerId velocityClass storageStrategy",
        INTEGER: (
            "totalQuantity reservedQuantity hardAllocatedQuantity availableQuantity reorderPoint reorderQuantity "
            "pickFrequency"
        ),
        MOMENT: "lastCycleCount lastStowedAt lastPickedAt createdAt updatedAt",
        NESTED: "locations reservations hardAllocations transactions",
    },
    "waves": {
        TEXT: "waveId tenantId facilityId warehouseId waveType status fulfillmentMode zone",
        TEXTS: "requiredCapabilities specialHandlingTypes stationRequirements targetStationIds",
        INTEGER: "estimatedDuration priority",
        FLAG: "requiresCertifiedLabor",
        MOMENT: "scheduledStart scheduledEnd actualStart actualEnd createdAt updatedAt releasedAt completedAt",
        NESTED: "orders configuration laborAllocation",
    },
    "pick_tasks": {
        TEXT: (
            "taskId tenantId facilityId warehouseId orderId waveId routeId pickerId status method toteId zone "
            "parentOrderId sourceToteId"
        ),
        INTEGER: "priority totalItems pickedItems routeIndex totalRoutesInOrder",
        FLAG: "isMultiRoute",
        MOMENT: "createdAt updatedAt assignedAt startedAt completedAt",
        NESTED: "items exceptions",
    },
    "pack_tasks": {
        TEXT: "taskId tenantId facilityId warehouseId orderId consolidationId waveId packerId status station",
        INTEGER: "priority",
        MOMENT: "createdAt updatedAt startedAt packedAt labeledAt completedAt",
        NESTED: "items package shippingLabel",
    },
    "shipments": {
        TEXT: "shipmentId tenantId facilityId warehouseId orderId packageId waveId status serviceType",
        MOMENT: "estimatedDelivery actualDelivery createdAt updatedAt labeledAt manifestedAt shippedAt",
        NESTED: "carrier label manifest package recipient shipper",
    },
    "workers": {
        TEXT: "workerId tenantId facilityId warehouseId employeeId name status currentZone",
        MOMENT: "createdAt updatedAt",
        NESTED: "skills currentShift currentTask performanceMetrics",
    },
}


def columns(collection: str, spell: Callable[[str], str]) -> list[dict[str, str]]:
    """The columns of one collection as Trino's ``_schema`` documents list them; ``spell`` gives a name its style."""
    return [{"name": spell(name), "type": kind} for kind, names in FIELDS[collection].items() for name in names.split()]

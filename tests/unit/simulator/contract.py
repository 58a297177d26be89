"""The seven core documents as the services declare them, and a checker for one document.

One line per field: path, ``?`` when the field is absent while empty (omitempty), BSON type, ``~`` when null is
allowed, then the values of a closed set; ``(empty)`` in a set allows the empty string.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import Any

from bson.int64 import Int64

# ruff: noqa: E501 - one field, one line
FIELDS = {
    "orders": """
        orderId str
        tenantId str
        facilityId str
        warehouseId str
        sellerId? str
        channelId? str
        externalOrderId? str
        customerId str
        items array~
        items[].sku str
        items[].name str
        items[].quantity int
        items[].weight double
        items[].dimensions object
        items[].dimensions.length double
        items[].dimensions.width double
        items[].dimensions.height double
        items[].unitPrice double
        items[].pickedQty int
        items[].locationId? str
        items[].isFragile bool
        items[].isHazmat bool
        items[].requiresColdChain bool
        shippingAddress object
        shippingAddress.street str
        shippingAddress.city str
        shippingAddress.state str
        shippingAddress.zipCode str
        shippingAddress.country str
        shippingAddress.phone? str
        shippingAddress.recipientName str
        priority str same_day|next_day|standard
        status str received|validated|wave_assigned|picking|consolidated|packed|shipped|delivered|cancelled|pending_retry|dead_letter
        promisedDeliveryAt date
        waveId? str
        trackingNumber? str
        createdAt date
        updatedAt date
        giftWrap bool
        processRequirements object
        processRequirements.requirements strings~ single_item|multi_item|gift_wrap|hazmat|oversized|fragile|cold_chain|high_value
        processRequirements.giftWrapDetails? object
        processRequirements.giftWrapDetails.wrapType str standard|premium|holiday|birthday|wedding
        processRequirements.giftWrapDetails.giftMessage str
        processRequirements.giftWrapDetails.hidePrice bool
        processRequirements.hazmatDetails? object
        processRequirements.hazmatDetails.class str
        processRequirements.hazmatDetails.unNumber str
        processRequirements.hazmatDetails.packingGroup str I|II|III
        processRequirements.hazmatDetails.properShippingName str
        processRequirements.hazmatDetails.limitedQuantity bool
        processRequirements.coldChainDetails? object
        processRequirements.coldChainDetails.minTempCelsius double
        processRequirements.coldChainDetails.maxTempCelsius double
        processRequirements.coldChainDetails.requiresDryIce bool
        processRequirements.coldChainDetails.requiresGelPack bool
    """,
    "inventory": """
        sku str
        productName str
        tenantId str
        facilityId str
        warehouseId str
        sellerId? str
        locations array~
        locations[].locationId str
        locations[].zone str
        locations[].aisle str
        locations[].rack int
        locations[].level int
        locations[].quantity int
        locations[].reserved int
        locations[].hardAllocated int
        locations[].available int
        totalQuantity int
        reservedQuantity int
        hardAllocatedQuantity int
        availableQuantity int
        reorderPoint int
        reorderQuantity int
        reservations array~
        reservations[].reservationId str
        reservations[].orderId str
        reservations[].quantity int
        reservations[].locationId str
        reservations[].status str active|staged|fulfilled|cancelled
        reservations[].unitIds? strings
        reservations[].createdAt date
        reservations[].expiresAt date
        hardAllocations array~
        hardAllocations[].allocationId str
        hardAllocations[].reservationId str
        hardAllocations[].orderId str
        hardAllocations[].quantity int
        hardAllocations[].sourceLocationId str
        hardAllocations[].stagingLocationId str
        hardAllocations[].status str staged|packed|shipped|returned
        hardAllocations[].unitIds? strings
        hardAllocations[].stagedBy str
        hardAllocations[].packedBy? str
        hardAllocations[].createdAt date
        hardAllocations[].packedAt? date
        hardAllocations[].shippedAt? date
        transactions? array
        transactions[].transactionId str
        transactions[].type str receive|pick|adjust|ship|return_to_shelf|shortage
        transactions[].quantity int
        transactions[].locationId str
        transactions[].referenceId str
        transactions[].reason? str
        transactions[].createdAt date
        transactions[].createdBy str
        lastCycleCount? date
        velocityClass str A|B|C|(empty)
        storageStrategy str chaotic|directed|velocity|(empty)
        pickFrequency int
        lastStowedAt? date
        lastPickedAt? date
        createdAt date
        updatedAt date
    """,
    "waves": """
        waveId str
        tenantId str
        facilityId str
        warehouseId str
        waveType str digital|wholesale|priority|mixed|hazmat|cold_chain|high_value|fragile|specialized|standard
        status str planning|scheduled|released|in_progress|completed|cancelled
        fulfillmentMode str wave|waveless|hybrid
        orders array~
        orders[].orderId str
        orders[].customerId str
        orders[].priority str same_day|next_day|standard
        orders[].itemCount int
        orders[].totalWeight double
        orders[].promisedDeliveryAt date
        orders[].carrierCutoff date
        orders[].zone str
        orders[].status str pending|picking|completed
        orders[].addedAt date
        orders[].processPathId? str
        orders[].processPathRequirements? strings
        orders[].specialHandling? strings
        orders[].targetStationId? str
        orders[].requiresCertification bool
        configuration object
        configuration.maxOrders int
        configuration.maxItems int
        configuration.maxWeight double
        configuration.carrierFilter? strings
        configuration.priorityFilter? strings
        configuration.zoneFilter? strings
        configuration.cutoffTime date
        configuration.releaseDelay long
        configuration.autoRelease bool
        configuration.optimizeForCarrier bool
        configuration.optimizeForZone bool
        configuration.optimizeForPriority bool
        laborAllocation object
        laborAllocation.pickersRequired int
        laborAllocation.pickersAssigned int
        laborAllocation.packersRequired int
        laborAllocation.packersAssigned int
        laborAllocation.assignedWorkerIds? strings
        scheduledStart date
        scheduledEnd date
        actualStart? date
        actualEnd? date
        estimatedDuration long
        priority int
        zone str
        requiredCapabilities? strings
        specialHandlingTypes? strings
        stationRequirements? strings
        targetStationIds? strings
        requiresCertifiedLabor bool
        createdAt date
        updatedAt date
        releasedAt? date
        completedAt? date
    """,
    "pick_tasks": """
        taskId str
        tenantId str
        facilityId str
        warehouseId str
        orderId str
        waveId str
        routeId str
        pickerId? str
        status str pending|assigned|in_progress|completed|cancelled|exception
        method str single|batch|zone|wave
        items array~
        items[].sku str
        items[].productName str
        items[].quantity int
        items[].pickedQty int
        items[].location object
        items[].location.locationId str
        items[].location.aisle str
        items[].location.rack int
        items[].location.level int
        items[].location.position str
        items[].location.zone str
        items[].status str pending|picked|short|exception
        items[].toteId? str
        items[].pickedAt? date
        items[].verifiedAt? date
        items[].notes? str
        toteId? str
        zone str
        priority int
        totalItems int
        pickedItems int
        exceptions? array
        exceptions[].exceptionId str
        exceptions[].sku str
        exceptions[].locationId str
        exceptions[].reason str item_not_found|damaged|quantity_mismatch
        exceptions[].requestedQty int
        exceptions[].availableQty int
        exceptions[].resolution? str
        exceptions[].resolvedAt? date
        exceptions[].createdAt date
        createdAt date
        updatedAt date
        assignedAt? date
        startedAt? date
        completedAt? date
        parentOrderId? str
        routeIndex int
        totalRoutesInOrder int
        isMultiRoute bool
        sourceToteId? str
    """,
    "pack_tasks": """
        taskId str
        tenantId str
        facilityId str
        warehouseId str
        orderId str
        consolidationId? str
        waveId str
        packerId? str
        status str pending|in_progress|packed|labeled|completed|cancelled
        items array~
        items[].sku str
        items[].productName str
        items[].quantity int
        items[].weight double
        items[].fragile bool
        items[].verified bool
        package object
        package.packageId str
        package.type str (empty)|box|envelope|bag|padded_envelope|custom
        package.suggestedType str box|envelope|bag|padded_envelope|custom
        package.dimensions object
        package.dimensions.length double
        package.dimensions.width double
        package.dimensions.height double
        package.weight double
        package.totalWeight double
        package.materials strings~
        package.sealed bool
        package.sealedAt? date
        shippingLabel? object
        shippingLabel.trackingNumber str
        shippingLabel.carrier str
        shippingLabel.serviceType str
        shippingLabel.labelUrl? str
        shippingLabel.labelData? str
        shippingLabel.generatedAt date
        shippingLabel.appliedAt? date
        station str
        priority int
        createdAt date
        updatedAt date
        startedAt? date
        packedAt? date
        labeledAt? date
        completedAt? date
    """,
    "shipments": """
        shipmentId str
        tenantId str
        facilityId str
        warehouseId str
        orderId str
        packageId str
        waveId str
        status str pending|labeled|manifested|shipped|delivered|cancelled
        carrier object
        carrier.code str UPS|FEDEX|USPS|DHL
        carrier.name str
        carrier.accountId str
        carrier.serviceType str
        label? object
        label.trackingNumber str
        label.labelFormat str PDF|ZPL|PNG
        label.labelData str
        label.labelUrl? str
        label.generatedAt date
        manifest? object
        manifest.manifestId str
        manifest.carrierCode str
        manifest.shipmentCount int
        manifest.generatedAt date
        package object
        package.packageId str
        package.weight double
        package.dimensions object
        package.dimensions.length double
        package.dimensions.width double
        package.dimensions.height double
        package.packageType str
        recipient object
        recipient.name str
        recipient.company? str
        recipient.street1 str
        recipient.street2? str
        recipient.city str
        recipient.state str
        recipient.postalCode str
        recipient.country str
        recipient.phone? str
        recipient.email? str
        shipper object
        shipper.name str
        shipper.company? str
        shipper.street1 str
        shipper.street2? str
        shipper.city str
        shipper.state str
        shipper.postalCode str
        shipper.country str
        shipper.phone? str
        shipper.email? str
        serviceType str
        estimatedDelivery? date
        actualDelivery? date
        createdAt date
        updatedAt date
        labeledAt? date
        manifestedAt? date
        shippedAt? date
    """,
    "workers": """
        workerId str
        tenantId str
        facilityId str
        warehouseId str
        employeeId str
        name str
        status str available|on_task|on_break|offline
        currentZone str
        skills array~
        skills[].type str picking|packing|receiving|consolidation|replenishment|walling
        skills[].level int
        skills[].certified bool
        skills[].certifiedAt? date
        currentShift? object
        currentShift.shiftId str
        currentShift.shiftType str morning|afternoon|night
        currentShift.zone str
        currentShift.startTime date
        currentShift.endTime? date
        currentShift.breaksTaken array~
        currentShift.breaksTaken[].startTime date
        currentShift.breaksTaken[].endTime? date
        currentShift.breaksTaken[].type str break|lunch
        currentShift.tasksCompleted int
        currentShift.itemsProcessed int
        currentTask? object
        currentTask.taskId str
        currentTask.taskType str picking|packing|receiving|consolidation|replenishment|walling
        currentTask.priority int
        currentTask.assignedAt date
        currentTask.startedAt? date
        currentTask.completedAt? date
        performanceMetrics object
        performanceMetrics.totalTasksCompleted int
        performanceMetrics.totalItemsProcessed int
        performanceMetrics.averageTaskTime double
        performanceMetrics.averageItemsPerHour double
        performanceMetrics.accuracyRate double
        performanceMetrics.lastUpdated date
        createdAt date
        updatedAt date
    """,
}

PATTERNS = {
    "orders": {
        "orderId": r"ORD-[0-9a-f]{8}",
        "customerId": r"CUST-[0-9A-F]{8}",
        "waveId": r"WV(-(DIG|WHL|PRI|MIX))?-\d{8}-\d{1,5}|WV-SINGLE-\d{1,5}",
        "items[].sku": r"SKU-[A-Z]+-\d{3}",
    },
    "inventory": {
        "sku": r"SKU-[A-Z]+-\d{3}",
        "locations[].locationId": r"LOC-[A-H]-\d{3}",
        "reservations[].reservationId": r"RES-\d{14}",
        "hardAllocations[].allocationId": r"ALLOC-\d{14}\.\d{3}",
        "transactions[].transactionId": r"TXN-\d{14}",
    },
    "waves": {"waveId": r"WV(-(DIG|WHL|PRI|MIX))?-\d{8}-\d{1,5}|WV-SINGLE-\d{1,5}"},
    "pick_tasks": {
        "taskId": r"PT-[0-9a-f]{8}",
        "toteId": r"TOTE-[0-9a-f]{8}",
        "pickerId": r"WRK-\d{3}|PK-[0-9a-f]{8}",
        "exceptions[].exceptionId": r"EX-\d{14}",
    },
    "pack_tasks": {"taskId": r"PK-[0-9a-f]{8}", "package.packageId": r"PKG-ORD-[0-9a-f]{8}-\d{6}"},
    "shipments": {
        "shipmentId": r"SHP-[0-9a-f]{8}",
        "label.trackingNumber": r"1Z[0-9a-f-]{16}|[0-9a-f-]{12}|9400[0-9a-f-]{18}|TRK[0-9a-f-]{12}",
        "manifest.manifestId": r"MAN-\d{8}-[0-9a-f]{4}",
    },
    "workers": {
        "workerId": r"WRK-\d{3}",
        "employeeId": r"EMP-\d{3}",
        "currentShift.shiftId": r"SHIFT-\d{4}-\d\d-\d\d",
    },
}

_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "long": (Int64,),
    "double": (float,),
    "date": (datetime,),
    "bool": (bool,),
    "object": (dict,),
    "array": (list,),
    "strings": (list,),
}


class Field:
    """One declared field and, below an object or an array, its own fields."""

    def __init__(self, path: str, declared: str, values: str, pattern: str | None) -> None:
        self.path = path
        self.type = declared.rstrip("~")
        self.is_nullable = declared.endswith("~")
        self.values = frozenset("" if value == "(empty)" else value for value in values.split("|")) if values else None
        self.pattern = re.compile(pattern) if pattern else None
        self.is_required = True
        self.fields: dict[str, Field] = {}


@cache
def declared(collection: str) -> dict[str, Field]:
    """The top fields of a collection."""
    fields: dict[str, Field] = {}
    for line in FIELDS[collection].split("\n"):
        if not line.strip():
            continue
        path, declared_type, *values = line.split()
        bare = path.replace("?", "")
        field = Field(bare, declared_type, values[0] if values else "", PATTERNS[collection].get(bare))
        field.is_required = not path.endswith("?")
        owner = fields
        *parents, name = bare.split(".")
        for parent in parents:
            owner = owner[parent.removesuffix("[]")].fields
        owner[name.removesuffix("[]")] = field
    return fields


def violations(collection: str, document: dict[str, Any]) -> list[str]:
    """What a stored document breaks; empty when it keeps the contract."""
    return _check(declared(collection), document, collection)


def _check(fields: dict[str, Field], document: dict[str, Any], where: str) -> list[str]:
    found = [f"{where}.{name}: not declared" for name in document.keys() - fields.keys()]
    for name, field in fields.items():
        if name not in document:
            found += [f"{where}.{name}: required, absent"] if field.is_required else []
            continue
        found += _check_value(field, document[name], f"{where}.{name}")
    return found


def _check_value(field: Field, value: Any, where: str) -> list[str]:
    if value is None:
        return [] if field.is_nullable else [f"{where}: null"]
    if not isinstance(value, _TYPES[field.type]) or (isinstance(value, bool) and field.type != "bool"):
        return [f"{where}: {value!r} is no {field.type}"]
    if not field.is_required and not value and value != 0:
        return [f"{where}: empty, and the services leave it out then"]
    found: list[str] = []
    items: list[Any] = value if isinstance(value, list) else [value]
    if field.fields:
        for item in items:
            found += _check(field.fields, item, where)
        return found
    for item in items:
        if field.values is not None and item not in field.values:
            found.append(f"{where}: {item!r} is none of {sorted(field.values)}")
        if field.pattern and not field.pattern.fullmatch(item):
            found.append(f"{where}: {item!r} is not like {field.pattern.pattern}")
    return found

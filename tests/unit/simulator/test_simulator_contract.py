"""Documents against the services' declarations: types, presence, closed sets, id formats, references."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from bson import ObjectId

from ingest.simulator import Change, DocumentWrite, Operation
from tests.unit.simulator.contract import violations
from tests.unit.simulator.store import Store

# A collection that is captured need not be simulated.
SIMULATED = {"orders", "inventory", "waves", "pick_tasks", "pack_tasks", "shipments", "workers"}


def writes(changes: list[Change]) -> list[DocumentWrite]:
    return [change for change in changes if isinstance(change, DocumentWrite)]


@pytest.mark.parametrize("world", ["busy", "bare"])
def test_written_document_breaks_the_contract(world: str, request: pytest.FixtureRequest) -> None:
    found = []
    for write in writes(request.getfixturevalue(world)):
        if write.operation is not Operation.DELETE:
            found += violations(write.collection, write.document)
    assert found[:5] == []


@pytest.mark.parametrize("world", ["busy", "bare"])
def test_stored_document_breaks_the_contract(world: str, request: pytest.FixtureRequest) -> None:
    store = Store()
    for write in writes(request.getfixturevalue(world)):
        store.apply(write)
    assert set(store.documents) == SIMULATED
    found = [
        entry
        for collection, documents in store.documents.items()
        for document in documents.values()
        for entry in violations(collection, document)
    ]
    assert found[:5] == []


def test_set_of_a_new_document_lacks_required_fields(busy: list[Change]) -> None:
    """An upsert that wrote only what changed would leave half a document after a lost insert."""
    for write in writes(busy):
        if write.operation is Operation.SET:
            assert "createdAt" in write.document and "updatedAt" in write.document, write


def test_business_key_stands_in_two_documents(busy: list[Change]) -> None:
    keys = {"orders": "orderId", "inventory": "sku", "waves": "waveId", "pick_tasks": "taskId"}
    keys |= {"pack_tasks": "taskId", "shipments": "shipmentId", "workers": "workerId"}
    seen: dict[tuple[str, str], ObjectId] = {}
    for write in writes(busy):
        if write.operation is not Operation.DELETE:
            key = (write.collection, write.document[keys[write.collection]])
            assert seen.setdefault(key, write.id) == write.id


def test_object_id_carries_another_second_than_the_creation(busy: list[Change]) -> None:
    for write in writes(busy):
        if write.operation is not Operation.DELETE:
            assert write.id.generation_time == write.document["createdAt"].replace(microsecond=0)


def references(collection: str, document: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(collection, field, value) that a document points to."""
    if collection == "orders":
        yield from (("inventory", "sku", item["sku"]) for item in document["items"])
        if "waveId" in document:
            yield "waves", "waveId", document["waveId"]
    if collection == "inventory":
        yield from (("orders", "orderId", entry["orderId"]) for entry in document["reservations"] or [])
        yield from (("orders", "orderId", entry["orderId"]) for entry in document["hardAllocations"] or [])
    if collection == "waves":
        yield from (("orders", "orderId", entry["orderId"]) for entry in document["orders"] or [])
    if collection in ("pick_tasks", "pack_tasks"):
        yield "orders", "orderId", document["orderId"]
        yield "waves", "waveId", document["waveId"]
        yield from (("inventory", "sku", item["sku"]) for item in document["items"])
        worker = document.get("pickerId", document.get("packerId"))
        if worker and not worker.startswith("PK-"):
            yield "workers", "workerId", worker
    if collection == "shipments":
        yield "orders", "orderId", document["orderId"]
        yield "waves", "waveId", document["waveId"]
        yield "pack_tasks", "packageId", document["packageId"]
    task = document.get("currentTask") if collection == "workers" else None
    if task and task["taskType"] in ("picking", "packing"):
        yield {"picking": "pick_tasks", "packing": "pack_tasks"}[task["taskType"]], "taskId", task["taskId"]


def test_reference_to_a_document_that_never_was(busy: list[Change]) -> None:
    start = busy[0].at
    known: set[tuple[str, str, str]] = set()
    pending: list[tuple[str, str, str]] = []
    for write in writes(busy):
        if write.operation is Operation.DELETE:
            continue
        for name in ("orderId", "sku", "waveId", "taskId", "workerId"):
            if name in write.document:
                known.add((write.collection, name, write.document[name]))
        if write.collection == "pack_tasks":
            known.add(("pack_tasks", "packageId", write.document["package"]["packageId"]))
        pending += references(write.collection, write.document)
        if write.at > start:  # the inserts of the start stand there at once
            assert [reference for reference in pending if reference not in known][:3] == []
            pending = []


def test_pick_and_pack_tasks_share_an_id(busy: list[Change]) -> None:
    """Task ids of pick and pack tasks must not overlap: the worker's current task is told apart by type."""
    ids = {"pick_tasks": set(), "pack_tasks": set()}  # type: dict[str, set[str]]
    for write in writes(busy):
        if write.collection in ids and write.document:
            ids[write.collection].add(write.document["taskId"])
    assert ids["pick_tasks"] and ids["pack_tasks"]
    assert not ids["pick_tasks"] & ids["pack_tasks"]


def test_service_gap_is_filled(bare: list[Change]) -> None:
    """--only-what-services-write: none of what the services never fill may appear."""
    for write in writes(bare):
        document = write.document
        if write.collection == "orders" and document:
            assert document["status"] not in ("shipped", "delivered")
            assert "sellerId" not in document and "trackingNumber" not in document
            assert all(item["unitPrice"] == 0.0 and item["name"] == "" for item in document["items"])
        if write.collection == "shipments" and document:
            assert document["status"] != "delivered" and "actualDelivery" not in document
            assert "estimatedDelivery" not in document
        if write.collection == "waves" and document:
            assert document["status"] not in ("in_progress", "completed")
        if write.collection == "workers" and document:
            metrics = document["performanceMetrics"]
            assert metrics["averageTaskTime"] == metrics["averageItemsPerHour"] == metrics["accuracyRate"] == 0.0
        if write.collection == "inventory" and document:
            assert document["velocityClass"] == "" and "lastPickedAt" not in document


def test_default_world_leaves_a_gap(busy: list[Change]) -> None:
    orders = [write.document for write in writes(busy) if write.collection == "orders" and write.document]
    assert all(item["unitPrice"] > 0 and item["name"] for order in orders for item in order["items"])
    assert {"shipped", "delivered"} <= {order["status"] for order in orders}
    shipments = [write.document for write in writes(busy) if write.collection == "shipments" and write.document]
    delivered = [one for one in shipments if one["status"] == "delivered"]
    assert any(one["actualDelivery"] > one["estimatedDelivery"] for one in delivered), "no parcel is late"
    assert any(one["actualDelivery"] <= one["estimatedDelivery"] for one in delivered), "no parcel is on time"

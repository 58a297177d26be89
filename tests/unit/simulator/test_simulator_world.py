"""The world is consistent at every moment: statuses, stock, time, people."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from ingest.simulator import Change, DocumentWrite, Operation, changes
from ingest.simulator.statuses import SEEDS, UnknownStatusError, load
from tests.unit.simulator.conftest import BUSY
from tests.unit.simulator.store import Store

ENTITIES = {
    "orders": "order",
    "waves": "wave",
    "pick_tasks": "pick_task",
    "pack_tasks": "pack_task",
    "shipments": "shipment",
    "workers": "worker",
}
PARTS: dict[str, list[tuple[str, tuple[str, ...], str]]] = {
    "waves": [("orders", ("orderId",), "wave_order")],
    "pick_tasks": [("items", ("sku", "quantity"), "pick_item")],
    "inventory": [
        ("reservations", ("reservationId", "orderId", "createdAt", "quantity"), "reservation"),
        ("hardAllocations", ("allocationId", "orderId", "createdAt", "quantity"), "hard_allocation"),
    ],
}


def seed_rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def steps_of(busy: list[Change]) -> Counter[tuple[str, str, str]]:
    """Every step between two statuses of one document."""
    taken: Counter[tuple[str, str, str]] = Counter()
    current: dict[Any, str] = {}
    for write in busy:
        if isinstance(write, DocumentWrite) and write.collection in ENTITIES and write.document:
            status = write.document["status"]
            before = current.get(write.id)
            current[write.id] = status
            if before is not None and before != status:
                taken[ENTITIES[write.collection], before, status] += 1
    return taken


def test_status_steps_off_the_state_machine(busy: list[Change]) -> None:
    allowed = {(row["entity"], row["from_status"], row["to_status"]) for row in seed_rows("status_transitions.csv")}
    taken = steps_of(busy)
    assert set(taken) - allowed == set()
    for entity in ENTITIES.values():
        assert any(step[0] == entity for step in taken), f"no {entity} ever moved: the check would prove nothing"


def test_detour_is_never_taken(busy: list[Change]) -> None:
    taken = steps_of(busy)
    for step in (
        ("order", "received", "cancelled"),
        ("order", "packed", "shipped"),
        ("order", "shipped", "delivered"),
        ("order", "pending_retry", "dead_letter"),
        ("order", "pending_retry", "cancelled"),
        ("wave", "planning", "cancelled"),
        ("pick_task", "in_progress", "cancelled"),
        ("pack_task", "pending", "cancelled"),
        ("shipment", "labeled", "cancelled"),
        ("worker", "available", "on_break"),
        ("worker", "available", "offline"),
    ):
        assert taken[step], step


def test_part_of_a_document_steps_off_the_state_machine(busy: list[Change]) -> None:
    allowed = {(row["entity"], row["from_status"], row["to_status"]) for row in seed_rows("status_transitions.csv")}
    current: dict[Any, str] = {}
    moved = set()
    for write in busy:
        if not isinstance(write, DocumentWrite) or not write.document:
            continue
        for name, keys, entity in PARTS.get(write.collection, []):
            for entry in write.document[name] or []:
                key = (write.id, entity, *(entry[part] for part in keys))
                before, status = current.get(key), entry["status"]
                current[key] = status
                if before is not None and before != status:
                    moved.add((entity, before, status))
    assert moved - allowed == set()
    assert {entity for entity, _, _ in moved} == {"wave_order", "pick_item", "reservation", "hard_allocation"}


def test_unlisted_status_is_accepted() -> None:
    statuses = load()
    with pytest.raises(UnknownStatusError, match=r"status_transitions\.csv"):
        statuses.step("order", "shipped", "lost")
    with pytest.raises(UnknownStatusError, match=r"status_values\.csv"):
        statuses.initial("order", "shipped")


def test_quantities_of_an_article_do_not_add_up(busy: list[Change]) -> None:
    seen = Counter[str]()
    for write in busy:
        if not isinstance(write, DocumentWrite) or write.collection != "inventory":
            continue
        item = write.document
        places = item["locations"]
        for place in places:
            assert place["available"] == place["quantity"] - place["reserved"] - place["hardAllocated"], item["sku"]
            assert min(place["available"], place["reserved"], place["hardAllocated"], place["quantity"]) >= 0, item[
                "sku"
            ]
        for total, part in (
            ("totalQuantity", "quantity"),
            ("reservedQuantity", "reserved"),
            ("hardAllocatedQuantity", "hardAllocated"),
            ("availableQuantity", "available"),
        ):
            assert item[total] == sum(place[part] for place in places), (item["sku"], total)
        held = sum(entry["quantity"] for entry in item["reservations"] or [] if entry["status"] == "active")
        assert item["reservedQuantity"] == held, item["sku"]
        staged = [entry for entry in item["hardAllocations"] or [] if entry["status"] in ("staged", "packed")]
        assert item["hardAllocatedQuantity"] == sum(entry["quantity"] for entry in staged), item["sku"]
        # Nothing was cut off yet, so the signed transactions explain the whole stock.
        moves = [entry for entry in item["transactions"] if entry["type"] != "return_to_shelf"]
        assert item["totalQuantity"] == sum(entry["quantity"] for entry in moves), item["sku"]
        seen.update(entry["type"] for entry in item["transactions"])
    assert set(seen) == {"receive", "pick", "adjust", "ship", "return_to_shelf", "shortage"}


def test_time_goes_backwards(busy: list[Change]) -> None:
    clock = 0
    for change in busy:
        assert change.at >= clock
        clock = change.at
        if isinstance(change, DocumentWrite) and change.document:
            assert change.document["updatedAt"].timestamp() * 1000 <= change.at
            assert change.document["createdAt"] <= change.document["updatedAt"]


def test_stages_of_a_task_or_shipment_are_out_of_order(busy: list[Change]) -> None:
    stages = {
        "pick_tasks": ("createdAt", "assignedAt", "startedAt", "completedAt"),
        "pack_tasks": ("createdAt", "startedAt", "packedAt", "labeledAt", "completedAt"),
        "shipments": ("createdAt", "labeledAt", "manifestedAt", "shippedAt", "actualDelivery"),
        "waves": ("createdAt", "releasedAt", "completedAt"),
    }
    for write in busy:
        if isinstance(write, DocumentWrite) and write.collection in stages and write.document:
            times = [write.document[name] for name in stages[write.collection] if name in write.document]
            assert times == sorted(times), write


def test_worker_does_two_things_at_once(busy: list[Change]) -> None:
    tasks: dict[str, str] = {}
    for write in busy:
        if not isinstance(write, DocumentWrite) or write.collection != "pick_tasks" or not write.document:
            continue
        document = write.document
        worker = document.get("pickerId", "")
        if document["status"] in ("assigned", "in_progress"):
            assert tasks.setdefault(worker, document["taskId"]) == document["taskId"]
        elif tasks.get(worker) == document["taskId"]:
            del tasks[worker]


def test_stale_field_vanishes_from_the_store(busy: list[Change]) -> None:
    """A finished worker's ``$set`` leaves out currentTask, so MongoDB keeps the old one, without a completion."""
    store = Store()
    stale = 0
    for write in busy:
        if not isinstance(write, DocumentWrite):
            continue
        stored = store.apply(write)
        if write.collection == "workers" and stored and "currentTask" in stored.keys() - write.document.keys():
            stale += 1
            assert stored["status"] == "available" and "completedAt" not in stored["currentTask"]
    assert stale > 100


def test_operation_never_happens() -> None:
    world = changes(replace(BUSY, history_days=1, deletes=0.6))
    kinds = {(write.collection, write.operation) for write in world if isinstance(write, DocumentWrite)}
    for collection in ("waves", "pick_tasks", "pack_tasks", "shipments"):
        assert (collection, Operation.DELETE) in kinds, collection
    assert ("workers", Operation.REPLACE) in kinds
    assert ("orders", Operation.DELETE) not in kinds, "orders are deleted softly"


def test_delete_hits_a_document_that_is_gone(busy: list[Change]) -> None:
    store = Store()
    for write in busy:
        if isinstance(write, DocumentWrite):
            store.apply(write)  # a KeyError otherwise
            if write.operation is Operation.INSERT and write.at > busy[0].at:
                assert write.collection == "pick_tasks"  # restored from a backup

"""The column types that Trino is told for MongoDB: every collection, both naming styles, no type it does not know."""

from __future__ import annotations

import pytest

from ingest.collections import COLLECTIONS, Collection
from ingest.fields import FIELDS
from ingest.simulator.naming import snake_case
from wms_mesh.engines.schemas import type_documents
from wms_mesh.stack import Naming

# Those that Trino's MongoDB catalog reads from BSON.
READABLE = {
    "ObjectId",
    "varchar",
    "array(varchar)",
    "bigint",
    "double",
    "boolean",
    "timestamp(3) with time zone",
    "json",
}


@pytest.mark.parametrize("naming", list(Naming))
def test_collection_is_left_to_guessing(naming: Naming) -> None:
    told = {document["table"] for documents in type_documents(naming).values() for document in documents}
    assert told == {collection.name for collection in COLLECTIONS}


def test_database_or_spelling_of_the_other_naming_style() -> None:
    ours, theirs = type_documents(Naming.SNAKE_CASE), type_documents(Naming.CAMEL_CASE)
    assert set(ours) == {"wms"}
    assert set(theirs) == {collection.service_database for collection in COLLECTIONS}
    orders = next(document for document in ours["wms"] if document["table"] == "orders")
    assert {"order_id", "status", "priority", "promised_delivery_at"} <= {field["name"] for field in orders["fields"]}
    assert {"orderId", "promisedDeliveryAt"} <= {field["name"] for field in theirs["orders_db"][0]["fields"]}


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda collection: collection.name)
def test_business_key_is_missing_or_a_field_stands_twice(collection: object) -> None:
    name, key = collection.name, collection.business_key  # type: ignore[attr-defined]
    fields = [field for names in FIELDS[name].values() for field in names.split()]
    assert len(fields) == len(set(fields))
    assert key in map(snake_case, fields)


def test_type_that_trino_cannot_read() -> None:
    for documents in type_documents(Naming.SNAKE_CASE).values():
        for document in documents:
            assert {field["type"] for field in document["fields"]} <= READABLE, document["table"]


def test_new_collection_without_listed_fields_stops_the_stack() -> None:
    grown = (*COLLECTIONS, Collection("routes", "routing_db", "route_id"))
    assert type_documents(Naming.SNAKE_CASE, grown) == type_documents(Naming.SNAKE_CASE)

"""Who is to be erased: the ids under which the tables know a person, and the documents that are theirs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from wms_mesh import sql
from wms_mesh.erase.text import is_identifier, quoted
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack


class Kind(StrEnum):
    """What a person is to the warehouse."""

    CUSTOMER = "customer"
    WORKER = "worker"


@dataclass(frozen=True)
class Person:
    """documents: their own, by collection, as bronze's document_id. own_ids: business ids of those documents."""

    kind: Kind
    id: str
    documents: dict[str, frozenset[str]]
    own_ids: frozenset[str]


def require_identifier(kind: Kind, text: str) -> None:
    """Raise MeshError for a text that is no id."""
    if not is_identifier(text):
        raise MeshError(f"'{text}' is no {kind} id: give it as the documents spell it, for example CUST-1A2B3C4D.")


def find(stack: Stack, kind: Kind, person_id: str) -> Person:
    """Look for a person in bronze and silver; raise MeshError when no table knows them."""
    person = _customer(stack, person_id) if kind is Kind.CUSTOMER else _worker(stack, person_id)
    if not any(person.documents.values()):
        raise MeshError(f"No document of {kind} {person_id} is in bronze or silver: there is nothing to erase.")
    return person


def _customer(stack: Stack, customer: str) -> Person:
    """A customer owns the orders that carry the id, and the shipments of those orders (they carry the address)."""
    orders, order_ids = _owned(
        stack, "orders", "orders_current", "order_id", f"customer_id = {quoted(customer)}", [customer]
    )
    if not orders:
        return Person(Kind.CUSTOMER, customer, {}, frozenset())
    listed = ", ".join(map(quoted, sorted(order_ids)))
    shipments, shipment_ids = _owned(
        stack, "shipments", "shipments_current", "shipment_id", f"order_id in ({listed})", sorted(order_ids)
    )
    return Person(Kind.CUSTOMER, customer, {"orders": orders, "shipments": shipments}, order_ids | shipment_ids)


def _worker(stack: Stack, worker: str) -> Person:
    documents, _ = _owned(stack, "workers", "worker_documents", "worker_id", f"worker_id = {quoted(worker)}", [worker])
    return Person(Kind.WORKER, worker, {"workers": documents}, frozenset())


def _owned(
    stack: Stack, collection: str, table: str, key: str, condition: str, texts: list[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Documents of a collection by what silver says today, and by any version that bronze still has; and their keys."""
    mentioned = " or ".join(f"strpos(envelope, {quoted(text)}) > 0" for text in texts)
    rows = sql.query(
        stack,
        f"select document_id from silver.{table} where {condition}"
        f" union select document_id from bronze.{collection}_raw where {mentioned}",
    )
    documents = frozenset(row[0] for row in rows)
    if not documents:
        return documents, frozenset()
    listed = ", ".join(map(quoted, sorted(documents)))
    keys = sql.query(stack, f"select {key} from silver.{table} where document_id in ({listed}) and {key} is not null")
    return documents, frozenset(row[0] for row in keys)

"""What Trino must find before it answers: the lakehouse's schemas, and the column types of the MongoDB collections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from ingest.collections import COLLECTIONS, Collection
from ingest.connector.config import database
from ingest.fields import FIELDS, columns
from ingest.simulator.naming import snake_case
from wms_mesh import sql
from wms_mesh.engines.base import Duty, NotReady
from wms_mesh.engines.metastore import all_databases
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.errors import MeshError
from wms_mesh.stack import LOOPBACK, Naming, Stack

# Schema and where its tables go. Semantic holds views, and tables only when one is materialised.
LOCATIONS = {
    "bronze": "s3://wms-bronze/",
    "silver": "s3://wms-silver/",
    "gold": "s3://wms-gold/",
    "semantic": "s3://wms-gold/semantic",
}

# Where Trino's MongoDB catalog keeps column types, in each database (mongodb.schema-collection).
TYPES = "_schema"
_UNAUTHORIZED = 13


class Schemas(Duty):
    """Every schema of LOCATIONS exists, and ``_schema`` says what ingest/fields.py says."""

    name = "schemas"
    needs = ("trino", "metastore", "mongodb")

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack)
        self._types = "from ingest/fields.py"

    def ensure(self) -> None:
        self._write_types()
        for schema in self._missing():
            try:
                sql.query(
                    self.stack, f"create schema if not exists iceberg.{schema} with (location = '{LOCATIONS[schema]}')"
                )
            except MeshError as error:
                raise NotReady(str(error)) from error

    def check(self) -> None:
        missing = self._missing()
        if missing:
            raise NotReady(f"no schema {', '.join(missing)}")

    def detail(self) -> dict[str, object]:
        return {"schemas": ", ".join(LOCATIONS), "mongodb_types": self._types}

    def _missing(self) -> list[str]:
        # Asked of the metastore: every few seconds a query of Trino would cost more than all other checks together.
        try:
            present = all_databases(LOOPBACK, self.stack.port("metastore"))
        except (OSError, EOFError, ValueError) as error:
            raise NotReady(f"the metastore does not answer ({error})") from error
        return [schema for schema in LOCATIONS if schema not in present]

    def _write_types(self) -> None:
        try:
            with _client(self.stack) as client:
                for name, documents in type_documents(self.stack.naming).items():
                    for document in documents:
                        client[name][TYPES].replace_one({"table": document["table"]}, document, upsert=True)
        except OperationFailure as error:
            if error.code != _UNAUTHORIZED:
                raise NotReady(f"the column types cannot be written to MongoDB ({error})") from error
            # Somebody's own MongoDB that we may only read: the stream needs nothing of this.
            self._types = f"guessed by Trino: the user of MESH_MONGODB_URI may not write {TYPES}"
        except PyMongoError as error:
            raise NotReady(f"the column types cannot be written to MongoDB ({error})") from error


def type_documents(
    naming: Naming, collections: tuple[Collection, ...] = COLLECTIONS
) -> dict[str, list[dict[str, Any]]]:
    """The ``_schema`` documents of each database, as Trino's MongoDB catalog reads them."""
    spell = snake_case if naming is Naming.SNAKE_CASE else str
    documents: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for collection in collections:
        if collection.name not in FIELDS:
            continue  # a collection that is only carried to bronze so far: Trino guesses its columns
        fields = [{"name": "_id", "type": "ObjectId"}, *columns(collection.name, spell)]
        documents[database(collection, naming)].append(
            {"table": collection.name, "fields": [{**field, "hidden": False} for field in fields]}
        )
    return documents


@contextmanager
def _client(stack: Stack) -> Iterator[MongoClient[dict[str, Any]]]:
    client: MongoClient[dict[str, Any]] = MongoClient(connection_string(stack), serverSelectionTimeoutMS=5_000)
    try:
        yield client
    finally:
        client.close()

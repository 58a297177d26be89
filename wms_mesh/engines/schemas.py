"""The lakehouse's schemas in the metastore."""

from __future__ import annotations

from wms_mesh import sql
from wms_mesh.engines.base import Duty, NotReady
from wms_mesh.errors import MeshError

# Schema and where its tables go. Semantic holds views, and tables only when one is materialised.
LOCATIONS = {
    "bronze": "s3://wms-bronze/",
    "silver": "s3://wms-silver/",
    "gold": "s3://wms-gold/",
    "semantic": "s3://wms-gold/semantic",
}


class Schemas(Duty):
    """Every schema of LOCATIONS exists in the catalog ``iceberg``."""

    name = "schemas"
    needs = ("trino",)

    def ensure(self) -> None:
        for schema, location in LOCATIONS.items():
            self._query(f"create schema if not exists iceberg.{schema} with (location = '{location}')")

    def check(self) -> None:
        present = {row[0] for row in self._query("show schemas from iceberg")}
        missing = [schema for schema in LOCATIONS if schema not in present]
        if missing:
            raise NotReady(f"no schema {', '.join(missing)}")

    def _query(self, statement: str) -> list[list[object]]:
        try:
            return sql.query(self.stack, statement)
        except MeshError as error:
            raise NotReady(str(error)) from error

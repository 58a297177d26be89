"""Duty: the bronze tables exist: those of the job, and the quarantine's replays."""

from __future__ import annotations

from ingest.bronze.tables import REPLAYS, SCHEMA, ddl, tables
from wms_mesh import sql
from wms_mesh.engines.base import Duty, NotReady
from wms_mesh.errors import MeshError

TABLES = (*tables(), REPLAYS)


class BronzeTables(Duty):
    """Creates what is missing; it never alters or drops a table that is there."""

    name = "bronze-tables"
    needs = ("trino", "schemas")

    def ensure(self) -> None:
        present = self._present()
        for table in TABLES:
            if table.name not in present:
                sql.query(self.stack, ddl(table))

    def check(self) -> None:
        missing = sorted({table.name for table in TABLES} - self._present())
        if missing:
            raise NotReady(f"missing in schema {SCHEMA}: {', '.join(missing)}")

    def detail(self) -> dict[str, object]:
        return {"tables": len(TABLES)}

    def _present(self) -> set[str]:
        try:
            return {row[0] for row in sql.query(self.stack, f"show tables from iceberg.{SCHEMA}")}
        except MeshError as error:
            raise NotReady(str(error)) from error

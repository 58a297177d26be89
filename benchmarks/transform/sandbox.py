"""Schemas of the benchmark's own in the running stack: made, set back between runs, dropped at the end."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ingest.bronze import tables as bronze
from wms_mesh import sql
from wms_mesh.engines.schemas import LOCATIONS
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

PREFIX = "bench_"
ORDERS_RAW = f"iceberg.{PREFIX}bronze.orders_raw"
ORDERS_CURRENT = f"iceberg.{PREFIX}silver.orders_current"
ORDERS_MERGE = f"iceberg.{PREFIX}silver.orders_merge"
WATERMARKS = f"{ORDERS_CURRENT}__watermarks"


class Sandbox:
    """Tables beside the real ones, in schemas that begin with PREFIX."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def query(self, statement: str) -> list[list[Any]]:
        """All rows of a statement."""
        return sql.query(self.stack, statement)

    def number(self, statement: str) -> int:
        """The one whole number that a statement returns."""
        return int(self.query(statement)[0][0])

    @contextlib.contextmanager
    def open(self) -> Iterator[None]:
        """The schemas with empty bronze tables; dropped behind the block, whatever ends it.

        Raises MeshError while another benchmark uses the same stack.
        """
        with (self.stack.run() / "bench.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise MeshError("Another benchmark runs on this stack: wait for its end, or stop it.") from None
            self._drop()
            try:
                self._create()
                yield
            finally:
                self._drop()

    def snapshot(self, table: str) -> int:
        """The table's current Iceberg snapshot."""
        return self.number(f"""select snapshot_id from {_metadata(table, "refs")} where name = 'main'""")

    def exists(self, table: str) -> bool:
        """Whether there is such a table."""
        schema, _, name = table.rpartition(".")
        return bool(self.query(f"show tables from {schema} like '{name}'"))

    def snapshots(self, table: str) -> set[int]:
        """Every Iceberg snapshot of the table that is known."""
        return {int(row[0]) for row in self.query(f"select snapshot_id from {_metadata(table, 'snapshots')}")}

    def added(self, table: str, before: set[int]) -> tuple[int, int]:
        """Rows and bytes that Iceberg says were added by the table's snapshots since; an update adds its row again.

        Trino's statistics leave out what a MERGE writes.
        """
        summaries = self.query(
            f"""
            select
                snapshot_id,
                cast(element_at(summary, 'added-records') as bigint),
                cast(element_at(summary, 'added-files-size') as bigint)
            from {_metadata(table, "snapshots")}
            """
        )
        new = [(rows or 0, size or 0) for snapshot, rows, size in summaries if snapshot not in before]
        return sum(rows for rows, _ in new), sum(size for _, size in new)

    @contextlib.contextmanager
    def unchanged(self, *tables: str) -> Iterator[None]:
        """Set the tables back to where they were before the block, so that every repetition does the same work."""
        before = {table: self.snapshot(table) for table in tables}
        yield
        for table, snapshot in before.items():
            if self.snapshot(table) != snapshot:
                self.query(f"alter table {table} execute rollback_to_snapshot(snapshot_id => {snapshot})")

    def _create(self) -> None:
        for schema, location in LOCATIONS.items():
            bucket = urlsplit(location).netloc
            self.query(f"create schema iceberg.{PREFIX}{schema} with (location = 's3://{bucket}/{PREFIX}{schema}')")
        for table in bronze.tables():
            self.query(bronze.ddl(table).replace(f"iceberg.{bronze.SCHEMA}.", f"iceberg.{PREFIX}{bronze.SCHEMA}."))

    def _drop(self) -> None:
        for schema in LOCATIONS:
            self.query(f"drop schema if exists iceberg.{PREFIX}{schema} cascade")


def _metadata(table: str, name: str) -> str:
    """A metadata table of Iceberg: iceberg.silver.orders_current, refs."""
    schema, _, table_name = table.rpartition(".")
    return f'{schema}."{table_name}${name}"'

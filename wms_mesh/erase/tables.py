"""The tables of the warehouse with their columns, and statements that are sent again when two commits met."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from wms_mesh import sql
from wms_mesh.erase.text import found
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

LAYERS = ("bronze", "silver", "gold", "test_failures")
# The bronze job commits every few seconds, and a commit takes half of one: a second try nearly always gets through.
TRIES = 5


@dataclass(frozen=True)
class Column:
    """One column; kind is its Trino type in lower case, is_pii what its description says."""

    name: str
    kind: str
    is_nullable: bool
    is_pii: bool

    def mentions(self, texts: Sequence[str]) -> str | None:
        """A condition for rows in which one of the texts stands in this column; None when it holds no text."""
        return found(f'"{self.name}"', self.kind, list(texts))


@dataclass(frozen=True)
class Table:
    """One Iceberg table, ``schema.name``."""

    name: str
    columns: tuple[Column, ...]

    @property
    def layer(self) -> str:
        """Its schema."""
        return self.name.partition(".")[0]

    def has(self, *names: str) -> bool:
        """Whether it has all of these columns."""
        return {column.name for column in self.columns} >= set(names)

    def mentions(self, texts: Sequence[str]) -> str:
        """A condition for the rows in which one of the texts stands; 'false' when no column holds text."""
        conditions = [column.mentions(texts) for column in self.columns]
        return " or ".join(condition for condition in conditions if condition) or "false"


def tables(stack: Stack) -> list[Table]:
    """Every base table of the warehouse, the auxiliary ones included."""
    by_name: dict[str, list[Column]] = {}
    layers = ", ".join(f"'{layer}'" for layer in LAYERS)
    for schema, table, column, kind, nullable, comment in sql.query(
        stack,
        "select table_schem, columns.table_name, column_name, lower(type_name), columns.is_nullable, remarks"
        " from system.jdbc.columns as columns"
        " inner join iceberg.information_schema.tables as tables"
        " on columns.table_schem = tables.table_schema and columns.table_name = tables.table_name"
        f" where columns.table_cat = 'iceberg' and table_schem in ({layers}) and table_type = 'BASE TABLE'"
        " order by table_schem, columns.table_name, columns.ordinal_position",
    ):
        by_name.setdefault(f"{schema}.{table}", []).append(
            Column(column, kind, nullable == "YES", "PII" in (comment or ""))
        )
    return [Table(name, tuple(columns)) for name, columns in by_name.items()]


def count(stack: Stack, table: Table, condition: str) -> int:
    """Rows that a condition holds for."""
    [[rows]] = sql.query(stack, f"select count(*) from iceberg.{table.name} where {condition}")
    return int(rows)


def write(stack: Stack, statement: str, **session: str) -> None:
    """One statement that commits; sent again when another writer's commit came in between."""
    for attempt in range(1, TRIES + 1):
        try:
            sql.query(stack, statement, **session)
        except MeshError as error:
            if attempt == TRIES or "commit" not in str(error).lower():
                raise
            time.sleep(attempt)  # nothing announces that the other writer is done
        else:
            return

"""Tables of gold that only grow: rows are added by each run of a measurement, and none is ever changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from ingest.bronze.tables import Column
from wms_mesh import sql
from wms_mesh.stack import Stack

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA = "gold"
Row = TypeVar("Row", bound="DataclassInstance")


@dataclass(frozen=True)
class History(Generic[Row]):
    """One table. columns: as the fields of ``row``. at: the column with a run's time, UTC, and partitions by month."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    at: str
    row: type[Row]

    def place(self, prefix: str = "") -> str:
        """Its full name. prefix: before the schema, a sandbox's."""
        return f"iceberg.{prefix}{SCHEMA}.{self.name}"

    def ddl(self, prefix: str = "") -> str:
        """The statement that creates the table when it is missing."""
        columns = ",\n".join(f"    {one.name} {one.type} comment {text(one.comment)}" for one in self.columns)
        return f"""create table if not exists {self.place(prefix)} (
{columns}
)
comment {text(self.comment)}
with (partitioning = array['month({self.at})'], max_commit_retry = 20)"""

    def add(self, stack: Stack, rows: Sequence[Row], prefix: str = "") -> None:
        """Append in one commit. Raises MeshError when Trino refuses."""
        sql.query(stack, self.ddl(prefix))
        values = ", ".join(f"({', '.join(map(literal, astuple(row)))})" for row in rows)
        sql.query(stack, f"insert into {self.place(prefix)} ({self._names()}) values {values}")

    def newest(self, stack: Stack, key: str, count: int = 1, prefix: str = "") -> list[Row]:
        """The newest rows for each value of a column, oldest first. Raises MeshError when Trino does not answer."""
        sql.query(stack, self.ddl(prefix))
        rows = sql.query(
            stack,
            f"""
            select {self._names()}
            from (
                select *, row_number() over (partition by {key} order by {self.at} desc) as place
                from {self.place(prefix)}
            )
            where place <= {count}
            order by {self.at}, {key}
            """,
        )
        return [self.row(*(_utc(value) for value in row)) for row in rows]

    def _names(self) -> str:
        return ", ".join(field.name for field in fields(self.row))


def _utc(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def literal(value: object) -> str:
    """A value in Trino's words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return f"timestamp '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f} UTC'"
    return text(value) if isinstance(value, str) else f"{value!r}" if isinstance(value, int) else f"{value:e}"


def text(value: str) -> str:
    """A string in Trino's words."""
    return "'" + value.replace("'", "''") + "'"

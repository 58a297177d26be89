"""What the report may read: the tables of gold and semantic that are there, and the day that it speaks of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from wms_mesh import sql
from wms_mesh.history import literal
from wms_mesh.slo import table
from wms_mesh.slo.verdict import Measurement
from wms_mesh.stack import Stack

Ask = Callable[[str], list[list[Any]]]
Slo = Callable[[int], dict[str, list[Measurement]]]

HOURS = 24  # of the plots by hour
DAYS = 7  # of what is added up over days
FLOW = ("semantic.orders", "semantic.picking", "semantic.packing", "semantic.shipping")

_TABLES = """
select table_schema || '.' || table_name
from iceberg.information_schema.tables
where table_schema in ('gold', 'semantic') and strpos(table_name, '__') = 0
"""
# A moment that was never set is the year 1 in the services, and one that was mistyped can be in the future.
_RANGE = " union all ".join(
    f"select min(created_at) as first_at, max(updated_at) as last_at from {name}"
    " where created_at >= timestamp '2000-01-01 00:00:00 UTC' and updated_at <= current_timestamp"
    for name in FLOW
)


@dataclass(frozen=True)
class Source:
    """ask: a statement's rows. tables: ``schema.table`` of what is there. made_at: Trino's clock, UTC.

    slo: the newest measurements of each product, oldest first. first_at, last_at: the oldest and the newest change in
    the data, UTC, None when there is none.
    """

    ask: Ask
    slo: Slo
    tables: frozenset[str]
    made_at: datetime
    first_at: datetime | None
    last_at: datetime | None

    @property
    def end(self) -> datetime:
        """The end of the last day: of the hour of the newest change, exclusive."""
        newest = self.last_at or self.made_at
        return newest.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)

    def missing(self, needs: Sequence[str]) -> list[str]:
        """Which of these tables are not there."""
        return [name for name in needs if name not in self.tables]

    def within(self, column: str, hours: float) -> str:
        """A condition: the moment in this column is among the last so many hours."""
        return f"{column} >= {literal(self.end - timedelta(hours=hours))} and {column} < {literal(self.end)}"


def read(ask: Ask, slo: Slo) -> Source:
    """Look at what is there. Raises MeshError when Trino does not answer."""
    tables = frozenset(name for [name] in ask(_TABLES))
    [[made_at]] = ask("select current_timestamp")
    first_at = last_at = None
    if not set(FLOW) - tables:
        [[first_at, last_at]] = ask(f"select min(first_at), max(last_at) from ({_RANGE})")
    return Source(
        ask,
        slo,
        tables,
        made_at.astimezone(UTC),
        first_at and first_at.astimezone(UTC),
        last_at and last_at.astimezone(UTC),
    )


def of(stack: Stack) -> Source:
    """The tables of a running stack. Raises MeshError when Trino does not answer."""
    return read(partial(sql.query, stack), partial(table.last, stack))

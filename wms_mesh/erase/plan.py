"""What an erasure will do to each table, counted before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.bronze.tables import SCHEMA
from ingest.collections import COLLECTIONS, ERASED_TABLE, EVENTS_TABLE, QUARANTINE_TABLE
from wms_mesh.erase.person import Person
from wms_mesh.erase.tables import Column, Table, count
from wms_mesh.erase.text import quoted
from wms_mesh.stack import Stack

# What a blanked row keeps: which document it was, that it is gone, and the engine's own bookkeeping.
_KEPT = {
    "document_id", "is_deleted", "op", "source_ts", "source_ord", "image_hash", "kafka_partition", "kafka_offset",
    "processing_time",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One table.

    own, mentions: conditions for the rows that are the person's, and for others that name them, with how many they are.
    """

    table: Table
    own: str
    own_rows: int
    mentions: str
    mention_rows: int

    @property
    def rows(self) -> int:
        """Rows that will change or go."""
        return self.own_rows + self.mention_rows


def steps(stack: Stack, person: Person, tables: Sequence[Table], until: datetime) -> list[Step]:
    """The tables in which there is something to do.

    until: of bronze only what was read before it, so that the running job's commits are no conflict.
    """
    found = []
    for table in tables:
        own, mentions = own_rows(person, table), f"({table.mentions([person.id])})"
        if table.layer == SCHEMA and table.has("ingested_at"):
            before = f"ingested_at < timestamp '{until:%Y-%m-%d %H:%M:%S.%f} UTC'"
            own, mentions = f"{before} and ({own})", f"{before} and {mentions}"
        others = f"({mentions}) and not coalesce({own}, false)"
        step = Step(table, own, count(stack, table, own), others, count(stack, table, others))
        if step.rows:
            found.append(step)
    return found


def own_rows(person: Person, table: Table) -> str:
    """A condition for the rows of a table that are about the person and nobody else."""
    ids = sorted({person.id, *person.own_ids})
    documents = sorted(document for group in person.documents.values() for document in group)
    schema, _, name = table.name.partition(".")
    if schema == "test_failures":
        return table.mentions(ids)  # dbt writes these tables anew whenever a test runs
    if schema == SCHEMA and name == QUARANTINE_TABLE:
        return table.mentions([*ids, *(document.split('"')[3] for document in documents if document.count('"') >= 4)])
    if schema == SCHEMA and name == EVENTS_TABLE:
        return f"split_part(subject, '/', 2) in ({', '.join(map(quoted, ids))})"
    for collection in COLLECTIONS:
        if schema == SCHEMA and name == collection.bronze_table:
            return _one_of("document_id", sorted(person.documents.get(collection.name, ())))
    if schema == "silver" and table.has("document_id", "is_deleted"):
        says_something = " or ".join(f'"{column.name}" is not null' for column in table.columns if is_blanked(column))
        return f"{_one_of('document_id', documents)} and ({says_something})"
    if schema == "silver" and table.has("document_id"):
        return _one_of("document_id", documents)
    if schema == "silver" and table.has("event_id", "entity_id"):
        return _one_of("entity_id", ids)
    return "false"


def is_blanked(column: Column) -> bool:
    """Whether a silver row about the person loses this column."""
    return column.is_nullable and column.name not in _KEPT


def is_erasable(table: Table) -> bool:
    """The list of erased records says nothing of a person, and stays."""
    return table.name != f"{SCHEMA}.{ERASED_TABLE}"


def _one_of(column: str, values: Sequence[str]) -> str:
    return f"{column} in ({', '.join(map(quoted, values))})" if values else "false"

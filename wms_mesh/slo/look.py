"""One collection against its silver table, inside of Trino: how many documents agree, and which ones do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.collections import Collection
from ingest.connector.config import database
from ingest.fields import FIELDS, NESTED
from ingest.simulator.naming import snake_case
from wms_mesh import reconcile, sql
from wms_mesh.reconcile import SILVER
from wms_mesh.slo.misfits import all_others, misfits
from wms_mesh.stack import Naming, Stack

SAMPLE_SIZE = 100_000  # documents whose fields are compared; up to so many all of them are


@dataclass(frozen=True)
class Look:
    """What one query found.

    agreeing: documents that are on both sides and equal in every compared field. unsampled: on both sides, and not
    compared. candidates: keys that are on one side only, or differ, or that Trino cannot show (misfits.py); most are on
    their way.
    """

    agreeing: int
    unsampled: int
    candidates: frozenset[str]
    is_sample: bool = False


def look(stack: Stack, collection: Collection) -> Look:
    """Compare them as they are now."""
    table, _ = SILVER[collection.name]
    [[size]] = sql.query(stack, f"select count(*) from silver.{table}")
    [[agreeing, unsampled, candidates]] = sql.query(
        stack, statement(stack.naming, collection, every=sampled_every(size))
    )
    misfit = reconcile.documents(stack, collection, where=misfits(collection.name, spelling(stack.naming)))
    return Look(agreeing, unsampled, frozenset(candidates or ()) | misfit.keys(), is_sample=sampled_every(size) > 1)


def sampled_every(size: int) -> int:
    """One document in so many is compared."""
    return -(-size // SAMPLE_SIZE) or 1


def statement(naming: Naming, collection: Collection, every: int = 1) -> str:
    """The query.

    Each side becomes a key and a fingerprint of its compared values; the union makes their types the same. A checksum
    of one row is Trino's hash of it: 8 bytes in the grouping instead of the documents (a join of 100,000 would hold
    them all in memory).
    """
    table, columns = SILVER[collection.name]
    json_columns = [snake_case(name) for name in FIELDS[collection.name][NESTED].split()]
    spell = spelling(naming)
    in_mongodb = ", ".join(column.sql(spell, json_columns) for column in columns)
    filter_ = all_others(misfits(collection.name, spell)).replace("'", "''")
    in_silver = ", ".join(column.name for column in columns)
    sampled = f"mod(from_big_endian_64(xxhash64(to_utf8(document_id))), {every}) = 0"
    return f"""
with side as (
    select
        is_document, document_id, {sampled} as is_sampled,
        if({sampled}, row({", ".join(column.name for column in columns)})) as shown
    from (
        select true as is_document, '{{"$oid": "' || cast(_id as varchar) || '"}}' as document_id, {in_mongodb}
        from table(mongodb.system.query(
            database => '{database(collection, naming)}', collection => '{collection.name}', filter => '{filter_}'
        ))
        union all
        select false, document_id, {in_silver} from iceberg.silver.{table} where not is_deleted
    ) as both_sides (is_document, document_id, {in_silver})
),
compared as (
    select
        document_id,
        bool_or(is_sampled) as is_sampled,
        count(*) = 2 as is_on_both_sides,
        checksum(shown) filter (where is_document) is not distinct from
        checksum(shown) filter (where not is_document) as is_same
    from side
    group by document_id
)
select
    count_if(is_on_both_sides and is_sampled and is_same),
    count_if(is_on_both_sides and not is_sampled),
    array_agg(document_id) filter (where not (is_on_both_sides and is_same))
from compared
"""


def spelling(naming: Naming) -> Callable[[str], str]:
    """How the source writes a field that the project calls by its snake_case name."""
    return str if naming is Naming.SNAKE_CASE else camel_case


def camel_case(name: str) -> str:
    """``promised_delivery_at`` becomes ``promisedDeliveryAt``."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)

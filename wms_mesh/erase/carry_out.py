"""The writes of an erasure. Each can be repeated: a run that was killed is finished by running it again."""

from __future__ import annotations

import re
from datetime import timedelta

from ingest.bronze.tables import SCHEMA
from ingest.collections import ERASED_TABLE
from wms_mesh import sql
from wms_mesh.erase.plan import Step
from wms_mesh.erase.tables import Table, write
from wms_mesh.erase.text import quoted, replaced
from wms_mesh.stack import Stack

# What a blanked row keeps: which document it was, that it is gone, and the engine's own bookkeeping.
_KEPT = {"document_id", "is_deleted", "op", "source_ts", "source_ord", "image_hash", "kafka_partition", "kafka_offset"}
# Every snapshot but the present one: it is there until the end of the day otherwise.
_NOW = {"iceberg.expire_snapshots_min_retention": "0s"}


def erase(stack: Stack, step: Step, person_id: str, pseudonym: str) -> None:
    """Delete or blank what is the person's, and put the pseudonym where others mention them."""
    table = step.table
    if step.own_rows:
        if table.layer == SCHEMA:
            _remember(stack, step)
            write(stack, f"delete from iceberg.{table.name} where {step.own}")
        elif table.layer == "silver" and table.has("document_id", "is_deleted"):
            _blank(stack, step, person_id, pseudonym)
        elif table.layer == "silver":
            write(stack, f"delete from iceberg.{table.name} where {step.own}")
        else:
            write(stack, f"drop table iceberg.{table.name}")
            return
    if step.mention_rows:
        _rename(stack, step, person_id, pseudonym)


def _remember(stack: Stack, step: Step) -> None:
    """Where each record stood, for the ledger; before it goes, and once."""
    schema, _, name = step.table.name.partition(".")
    write(
        stack,
        f"""
        insert into iceberg.{schema}.{ERASED_TABLE}
        select
            kafka_topic, kafka_partition, kafka_offset, kafka_timestamp, ingested_at, {quoted(name)}, current_timestamp
        from iceberg.{step.table.name}
        where ({step.own}) and (kafka_topic, kafka_partition, kafka_offset) not in (
            select kafka_topic, kafka_partition, kafka_offset from iceberg.{schema}.{ERASED_TABLE}
        )
        """,
    )


def _blank(stack: Stack, step: Step, person_id: str, pseudonym: str) -> None:
    """The document counts as deleted, and followers compute its days again."""
    values = {}
    for column in step.table.columns:
        if column.is_nullable and column.name not in _KEPT:
            values[column.name] = "null"
        elif value := replaced(f'"{column.name}"', column.kind, person_id, pseudonym):
            values[column.name] = value
    values |= {"is_deleted": "true", "op": "'d'", "processing_time": "current_timestamp"}
    _update(stack, step.table, values, step.own)


def _rename(stack: Stack, step: Step, person_id: str, pseudonym: str) -> None:
    """The id becomes the pseudonym; what else a gold row says of the person in a column marked PII goes."""
    values = {}
    for column in step.table.columns:
        value = replaced(f'"{column.name}"', column.kind, person_id, pseudonym)
        if value is None:
            continue
        is_personal = step.table.layer == "gold" and column.is_pii and column.is_nullable
        values[column.name] = f"if({column.mentions([person_id])}, {value})" if is_personal else value
    if step.table.has("processing_time"):
        values["processing_time"] = "current_timestamp"
    _update(stack, step.table, values, step.mentions)


def _update(stack: Stack, table: Table, values: dict[str, str], condition: str) -> None:
    assignments = ", ".join(f'"{name}" = {value}' for name, value in values.items())
    write(stack, f"update iceberg.{table.name} set {assignments} where {condition}")


def rewrite(stack: Stack, table: Table) -> None:
    """Write the days anew in which deleted rows hide in files; small files become few, as in any maintenance."""
    [[ddl]] = sql.query(stack, f"show create table iceberg.{table.name}")
    transform = re.search(r"partitioning = ARRAY\['(?:day\()?(\w+)(\)?)'", ddl)
    schema, _, name = table.name.partition(".")
    files = f'iceberg.{schema}."{name}$files"'
    optimize = f"alter table iceberg.{table.name} execute optimize(file_size_threshold => '100TB')"
    if transform is None:
        [[hiding]] = sql.query(stack, f"select count(*) from {files} where content <> 0")
        if hiding:
            write(stack, optimize)
        return
    column, is_timestamp = transform.group(1), bool(transform.group(2))
    field = f"{column}_day" if is_timestamp else column
    for [day] in sql.query(stack, f"select distinct partition.{field} from {files} where content <> 0 order by 1"):
        in_day = f"{column} = date '{day}'"
        if is_timestamp:
            start, end = (f"timestamp '{at} 00:00:00 UTC'" for at in (day, day + timedelta(days=1)))
            in_day = f"{column} >= {start} and {column} < {end}"
        write(stack, f"{optimize} where {in_day}")


def expire(stack: Stack, table: Table) -> None:
    """Forget every snapshot but the present one, and remove the files that only they needed."""
    write(
        stack,
        f"alter table iceberg.{table.name} execute expire_snapshots(retention_threshold => '0s')",
        **_NOW,
    )

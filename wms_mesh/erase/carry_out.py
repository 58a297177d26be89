"""The writes of an erasure. Each can be repeated: a run that was killed is finished by running it again."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ingest.bronze.tables import SCHEMA
from ingest.collections import ERASED_TABLE
from wms_mesh import sql
from wms_mesh.erase.plan import Step, is_blanked
from wms_mesh.erase.tables import Table, write
from wms_mesh.erase.text import quoted, replaced
from wms_mesh.stack import Stack


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
        if is_blanked(column):
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


def expire(stack: Stack, table: Table, began: datetime) -> None:
    """Forget every snapshot but the present one, and remove the files from before ``began`` that it does not read.

    The expiry alone leaves what the present snapshot took away: Iceberg removes a file when the snapshot that deleted
    it expires, not when the last one that reads it does. No writer may have an uncommitted file from before ``began``.
    """
    write(
        stack,
        f"alter table iceberg.{table.name} execute expire_snapshots(retention_threshold => '0s')",
        **{"iceberg.expire_snapshots_min_retention": "0s"},
    )
    age = (datetime.now(UTC) - began).total_seconds()
    write(
        stack,
        f"alter table iceberg.{table.name} execute remove_orphan_files(retention_threshold => '{age:.3f}s')",
        **{"iceberg.remove_orphan_files_min_retention": "0s"},
    )

"""The bronze tables, rendered from the list of collections. Standard library only: the Flink environment imports it."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.collections import (
    COLLECTIONS,
    ERASED_TABLE,
    EVENTS_TABLE,
    QUARANTINE_TABLE,
    REPLAYS_TABLE,
    Collection,
)

SCHEMA = "bronze"
_TIMESTAMP = "timestamp(6) with time zone"


@dataclass(frozen=True)
class Column:
    """One column. ``payload``: large and never filtered by, so Iceberg keeps no bounds of it in its manifests."""

    name: str
    type: str
    comment: str
    payload: bool = False


@dataclass(frozen=True)
class Table:
    """One bronze table, without its schema. ``written_at``: the column whose day is the partition."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    written_at: str = "ingested_at"


RECORD_COLUMNS = (
    Column("kafka_topic", "varchar", "Topic of the record."),
    Column("kafka_partition", "integer", "Partition of the record."),
    Column(
        "kafka_offset",
        "bigint",
        "Offset of the record: with topic and partition it names the record, once in all of bronze.",
    ),
    Column(
        "kafka_timestamp",
        _TIMESTAMP,
        "The record's own timestamp, UTC; NULL in the quarantine when it is outside of 1970 to 2200.",
    ),
    Column("ingested_at", _TIMESTAMP, "When the bronze job read the record, UTC."),
)

CHANGE_COLUMNS = (
    Column("op", "varchar", "r snapshot, c insert, u update or replace, d delete, t tombstone."),
    Column("document_id", "varchar", "JSON text of the document's _id, from the record's key."),
    Column("source_ts", _TIMESTAMP, "When MongoDB made the change (a snapshot: read it), UTC; NULL for a tombstone."),
    Column("source_ord", "bigint", "Order of changes that share source_ts; -1 in a snapshot, NULL for a tombstone."),
    Column("snapshot", "varchar", "source.snapshot as Debezium wrote it; NULL for a tombstone."),
    Column("envelope", "varchar", "The whole record value as text; NULL for a tombstone.", payload=True),
)

EVENT_COLUMNS = (
    Column("event_id", "varchar", "CloudEvents id: the same again means a redelivery."),
    Column("event_type", "varchar", "CloudEvents type."),
    Column("event_source", "varchar", "CloudEvents source."),
    Column("subject", "varchar", "CloudEvents subject."),
    Column("event_time", _TIMESTAMP, "CloudEvents time, UTC; NULL when absent, unreadable or outside of 1970 to 2200."),
    Column("message_key", "varchar", "The record's key as text."),
    Column("envelope", "varchar", "The whole record value as text.", payload=True),
)

QUARANTINE_COLUMNS = (
    Column("reason", "varchar", "Short stable code of what is wrong, see ingest/bronze/java/wms/bronze."),
    Column("detail", "varchar", "What exactly was found, clipped."),
    Column("message_key", "varbinary", "The record's key, byte for byte.", payload=True),
    Column("message_value", "varbinary", "The record's value, byte for byte.", payload=True),
    Column("message_headers", "map(varchar, varbinary)", "The record's headers."),
)

ERASED_COLUMNS = (
    Column("erased_from", "varchar", "Table of this schema that held the record."),
    Column("erased_at", _TIMESTAMP, "When the record was erased, UTC."),
)

# Not written by the job but by `./mesh quarantine replay`, so it is none of ``tables``.
REPLAYS = Table(
    REPLAYS_TABLE,
    "What was sent again from the quarantine, written by ./mesh quarantine replay: a row before a record is sent, and "
    "one when it is known what became of it.",
    (
        Column("kafka_topic", "varchar", "Topic of the quarantined record."),
        Column("kafka_partition", "integer", "Partition of the quarantined record."),
        Column("kafka_offset", "bigint", "Offset of the quarantined record."),
        Column("replay_id", "varchar", "The attempt; what was sent carries it in its header mesh-replay-id."),
        Column("state", "varchar", "intended, and afterwards sent, or not_sent when a cut-off attempt sent nothing."),
        Column("search_from", "bigint", "End of the partition before sending: what was sent stands there or behind."),
        Column("new_offset", "bigint", "Offset of what was sent, in the same topic and partition; NULL unless sent."),
        Column("mapping_hash", "varchar", "SHA-256 of the mapping file; NULL when the record was sent as it was."),
        Column("recorded_at", _TIMESTAMP, "When this row was written, UTC."),
    ),
    written_at="recorded_at",
)

# A file closes at each checkpoint, so its size follows from the load; the row group bounds what each writer buffers.
_PROPERTIES = {
    "write.distribution-mode": "none",
    "write.target-file-size-bytes": str(128 * 1024 * 1024),
    "write.parquet.row-group-size-bytes": str(16 * 1024 * 1024),
    # A commit every few seconds would leave 17,000 metadata files a day and table.
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    "commit.retry.max-wait-ms": "10000",
    # Commits compare and swap, as Trino's do: a lock of a killed writer would block the table for minutes.
    "engine.hive.lock-enabled": "false",
    # A table at rest gets an empty snapshot every so many checkpoints: by default ten, a minute's worth.
    "flink.max-continuous-empty-commits": "720",
}

# Maintenance commits to the same tables: about two minutes of retries rather than a failed job.
_COMMIT_RETRIES = 20


def change_table(collection: Collection) -> Table:
    """The history of one collection: one row for each change record."""
    return Table(
        collection.bronze_table,
        f"Every change record of topic {collection.topic}.",
        RECORD_COLUMNS + CHANGE_COLUMNS,
    )


def tables(collections: tuple[Collection, ...] = COLLECTIONS) -> tuple[Table, ...]:
    """Every table of records: one for each collection, the events, the quarantine, and what was erased of them."""
    return (
        *map(change_table, collections),
        Table(EVENTS_TABLE, "Every CloudEvent of the topics wms.*.events.", RECORD_COLUMNS + EVENT_COLUMNS),
        Table(
            QUARANTINE_TABLE,
            "Every record that is not what its topic promises, with its bytes and the reason. "
            "bronze and quarantine together are every offset of every topic.",
            RECORD_COLUMNS + QUARANTINE_COLUMNS,
        ),
        Table(
            ERASED_TABLE,
            "Every record that was erased on a person's request: where it stood, and nothing of what it said.",
            RECORD_COLUMNS + ERASED_COLUMNS,
        ),
    )


def ddl(table: Table) -> str:
    """The Trino statement that creates one table when it is missing."""
    columns = ",\n".join(
        f"    {column.name} {column.type} comment {_quoted(column.comment)}" for column in table.columns
    )
    # A key of a map has no metrics column of its own name, and Iceberg refuses properties for columns it does not have.
    no_metrics = {f"write.metadata.metrics.column.{column.name}": "none" for column in table.columns if column.payload}
    properties = {**_PROPERTIES, **no_metrics}
    keys = ", ".join(map(_quoted, properties))
    values = ", ".join(map(_quoted, properties.values()))
    return f"""create table if not exists iceberg.{SCHEMA}.{table.name} (
{columns}
)
comment {_quoted(table.comment)}
with (
    format = 'PARQUET',
    max_commit_retry = {_COMMIT_RETRIES},
    partitioning = array['day({table.written_at})'],
    extra_properties = map(array[{keys}], array[{values}])
)"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

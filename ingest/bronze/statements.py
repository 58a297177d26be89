"""The Flink SQL of the bronze job, rendered from the list of collections. Standard library only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.bronze.tables import SCHEMA
from ingest.collections import COLLECTIONS, EVENTS_TABLE, QUARANTINE_TABLE, Collection

EVENT_TOPICS_PATTERN = r"wms\.[a-z_-]+\.events"
CATALOG = "lakehouse"

# The reader holds up to three fetches at once; a single larger record still comes through whole.
_FETCH_BYTES = 8 * 1024 * 1024

_RECORD = "kafka_topic, kafka_partition, kafka_offset, r.kafka_timestamp, current_timestamp"
_CHANGE = f"{_RECORD}, r.op, r.document_id, r.source_ts, r.source_ord, r.snapshot, r.envelope"
_EVENT = f"{_RECORD}, r.event_id, r.event_type, r.event_source, r.subject, r.event_time, r.key_text, r.envelope"
_QUARANTINE = f"{_RECORD}, r.reason, r.detail, message_key, message_value, message_headers"


@dataclass(frozen=True)
class Insert:
    """One branch of the job: the parsed records that ``where`` lets through go to ``table``."""

    table: str
    columns: str
    where: str

    def sql(self) -> str:
        """The statement."""
        return f"insert into {CATALOG}.{SCHEMA}.{self.table} select {self.columns} from parsed where {self.where}"


def topic_pattern(collections: tuple[Collection, ...] = COLLECTIONS) -> str:
    """The regular expression (Java and Python) of every topic that the job reads."""
    return "|".join([*(re.escape(collection.topic) for collection in collections), EVENT_TOPICS_PATTERN])


def source(
    bootstrap: str,
    group: str,
    kafka: Mapping[str, str] | None = None,
    collections: tuple[Collection, ...] = COLLECTIONS,
) -> str:
    """The one Kafka table: bytes in, so that no record can fail in the connector.

    bootstrap: host:port. group: consumer group; its offsets are where a job without a checkpoint starts.
    kafka: further properties of the client, by Kafka's own names.
    """
    further = "".join(f"    'properties.{name}' = {_quoted(value)},\n" for name, value in (kafka or {}).items())
    return f"""create temporary table records (
    kafka_topic string not null metadata from 'topic' virtual,
    kafka_partition int not null metadata from 'partition' virtual,
    kafka_offset bigint not null metadata from 'offset' virtual,
    record_timestamp timestamp_ltz(3) not null metadata from 'timestamp' virtual,
    message_headers map<string, bytes> not null metadata from 'headers' virtual,
    message_key bytes,
    message_value bytes
) with (
    'connector' = 'kafka',
    'properties.bootstrap.servers' = '{bootstrap}',
    'properties.group.id' = '{group}',
    'properties.auto.offset.reset' = 'earliest',
    'properties.metadata.recovery.strategy' = 'none',
{further}    'properties.fetch.max.bytes' = '{_FETCH_BYTES}',
    'properties.max.partition.fetch.bytes' = '{_FETCH_BYTES}',
    'topic-pattern' = '{topic_pattern(collections)}',
    'scan.startup.mode' = 'group-offsets',
    'scan.topic-partition-discovery.interval' = '10 s',
    'key.format' = 'raw',
    'key.fields' = 'message_key',
    'value.format' = 'raw',
    'value.fields-include' = 'EXCEPT_KEY'
)"""


def parsed(collections: tuple[Collection, ...] = COLLECTIONS) -> str:
    """The view that reads each record once."""
    change_topics = ", ".join(f"'{collection.topic}'" for collection in collections)
    return f"""create temporary view parsed as
select
    kafka_topic, kafka_partition, kafka_offset, message_headers, message_key, message_value,
    read_record(
        case
            when kafka_topic in ({change_topics}) then 'change'
            when kafka_topic like 'wms.%.events' then 'event'
        end,
        record_timestamp, message_key, message_value
    ) as r
from records"""


def inserts(collections: tuple[Collection, ...] = COLLECTIONS) -> tuple[Insert, ...]:
    """The branches. Their conditions exclude each other and cover every record: each offset ends in one table, once."""
    return (
        *(
            Insert(collection.bronze_table, _CHANGE, f"kafka_topic = '{collection.topic}' and r.reason is null")
            for collection in collections
        ),
        Insert(EVENTS_TABLE, _EVENT, "r.event_id is not null and r.reason is null"),
        Insert(QUARANTINE_TABLE, _QUARANTINE, "r.reason is not null"),
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

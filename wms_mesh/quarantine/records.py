"""What is in the quarantine: where a record stands, what is known of it, what it carries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from wms_mesh.errors import MeshError

# What one query reads and one commit marks: Trino refuses a statement of a million letters, a mark takes 300 of them.
BATCH_RECORDS = 500
BATCH_BYTES = 16 * 1024 * 1024

_PLACE = re.compile(r"(?P<topic>[\w.-]+)/(?P<partition>\d+)/(?P<offset>\d+)", re.ASCII)


@dataclass(frozen=True, order=True)
class Place:
    """Where a record stands in Kafka: its name."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Place:
        """The inverse of ``str``. Raises MeshError when it is no topic/partition/offset."""
        found = _PLACE.fullmatch(text)
        if found is None:
            raise MeshError(
                f"'{text}' names no record: write topic/partition/offset, as `./mesh quarantine list --records` does."
            )
        return cls(found["topic"], int(found["partition"]), int(found["offset"]))


@dataclass(frozen=True)
class Record:
    """One quarantined record without its bytes. size: bytes of key and value. new_offset: where it was sent again."""

    place: Place
    reason: str
    detail: str
    ingested_at: datetime
    size: int
    new_offset: int | None = None
    replayed_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it was not sent again yet."""
        return self.new_offset is None


@dataclass(frozen=True)
class Message:
    """What a record carries, as it can be sent."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def batches(records: Sequence[Record]) -> Iterator[list[Record]]:
    """In the order of the offsets: parts of one partition that fit into memory and into a statement."""
    ordered = sorted(records, key=lambda record: record.place)
    for _, same in groupby(ordered, key=lambda record: (record.place.topic, record.place.partition)):
        batch: list[Record] = []
        size = 0
        for record in same:
            if batch and (len(batch) == BATCH_RECORDS or size + record.size > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append(record)
            size += record.size
        yield batch

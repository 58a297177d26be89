"""``./mesh ledger``: gold.ingest_ledger, a page for each topic partition, beside what Kafka holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from kafka import TopicPartition
from rich.table import Table

from wms_mesh import ledger, sql
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

# The tables of one checkpoint commit one after another, after a restart within minutes (as the data test has it).
GRACE = timedelta(minutes=5)

_PAGES = """
select
    kafka_topic, kafka_partition, min(first_offset), max(last_offset), sum(bronze_rows), sum(quarantined_rows),
    sum(erased_rows), sum(gaps), sum(duplicates), min(gaps_since), current_timestamp
from gold.ingest_ledger
group by kafka_topic, kafka_partition
"""


@dataclass(frozen=True)
class Page:
    """One topic partition.

    first_offset, last_offset: in the ledger, None when it knows none. kafka_first, kafka_end: what Kafka holds now, end
    exclusive; both 0 for a topic that is gone. gaps_since: when its gaps were first seen. read_at: Trino's clock.
    """

    topic: str
    partition: int
    first_offset: int | None
    last_offset: int | None
    bronze_rows: int
    quarantined_rows: int
    erased_rows: int
    gaps: int
    duplicates: int
    gaps_since: datetime | None
    read_at: datetime | None
    kafka_first: int = 0
    kafka_end: int = 0

    @property
    def waiting(self) -> int:
        """Records in Kafka behind the ledger's last: on their way, or lost when this stays."""
        known_to = self.kafka_first if self.last_offset is None else self.last_offset + 1
        return max(0, self.kafka_end - known_to)

    @property
    def unread(self) -> int:
        """Records that Kafka holds from before the ledger's first: the job never read them."""
        return 0 if self.first_offset is None else max(0, self.first_offset - self.kafka_first)

    def as_json(self) -> dict[str, Any]:
        """All fields, and what follows from them."""
        return {**asdict(self), "waiting": self.waiting, "unread": self.unread}

    def wrong(self) -> list[str]:
        """What must not be, in sentences. A gap younger than GRACE is a commit on its way."""
        found = []
        if self.gaps and self.gaps_since and self.read_at and self.read_at - self.gaps_since > GRACE:
            found.append(f"{self.gaps:,} offsets stand nowhere, since {self.gaps_since:%Y-%m-%d %H:%M:%S} UTC")
        if self.duplicates:
            found.append(f"{self.duplicates:,} rows stand twice")
        if self.unread:
            found.append(f"{self.unread:,} records before the ledger's first offset were never read")
        return [f"{self.topic}, partition {self.partition}: {sentence}." for sentence in found]


def read(stack: Stack, topics: Sequence[str] = ()) -> list[Page]:
    """A page for each partition that Kafka or the ledger knows, of all topics or of some, in order.

    Raises MeshError for a topic that neither knows.
    """
    pages = {(page.topic, page.partition): page for page in (Page(*row) for row in sql.query(stack, _PAGES))}
    # The ends after the ledger: what arrives meanwhile is waiting, and never less than nothing.
    held = ledger.offsets(stack)
    for key in sorted({*pages, *((at.topic, at.partition) for at in held)}):
        first, end = held.get(TopicPartition(*key), (0, 0))
        page = pages.get(key) or Page(*key, None, None, 0, 0, 0, 0, 0, None, None)
        pages[key] = Page(**{**asdict(page), "kafka_first": first, "kafka_end": end})
    known = {topic for topic, _ in pages}
    for topic in topics:
        if topic not in known:
            raise MeshError(f"There is no topic '{topic}': choose from {', '.join(sorted(known))}.")
    return [page for key, page in sorted(pages.items()) if not topics or page.topic in topics]


def table(pages: Sequence[Page]) -> Table:
    """A line for each topic; for each partition when only one topic is shown."""
    by_partition = len({page.topic for page in pages}) == 1
    groups: dict[str, list[Page]] = {}
    for page in pages:
        groups.setdefault(f"{page.topic} {page.partition}" if by_partition else page.topic, []).append(page)
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("topic", "in Kafka", "bronze", "quarantine", "erased", "waiting", "missing", "twice"):
        shown.add_column(heading, justify="left" if heading == "topic" else "right", overflow="fold")
    for name, group in groups.items():
        figures = (
            sum(page.kafka_end - page.kafka_first for page in group),
            sum(page.bronze_rows for page in group),
            sum(page.quarantined_rows for page in group),
            sum(page.erased_rows for page in group),
            sum(page.waiting for page in group),
            sum(page.gaps + page.unread for page in group),
            sum(page.duplicates for page in group),
        )
        shown.add_row(name, *(f"{figure:,}" for figure in figures))
    return shown

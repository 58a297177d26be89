"""The alarm: more open records in a topic's quarantine, of the last 24 hours, than the topic tolerates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ingest.topics import tolerated
from wms_mesh.quarantine.reading import Group


@dataclass(frozen=True)
class Level:
    """How one topic stands. open: records of the last 24 hours that were not sent again."""

    topic: str
    open: int
    threshold: int

    @property
    def is_exceeded(self) -> bool:
        """Whether somebody has to look."""
        return self.open > self.threshold


def levels(groups: Iterable[Group]) -> list[Level]:
    """The level of each topic that has a group."""
    counted: Counter[str] = Counter()
    for group in groups:
        counted[group.topic] += group.open_lately
    return [Level(topic, count, tolerated(topic)) for topic, count in sorted(counted.items())]

"""Groups of logs that arrive together, and the batches in which they do."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from random import Random

from tests.stack.convergence.log import Log, Partition
from tests.stack.convergence.records import Event, Record, moment

Batch = list[Record | Event]
_OBJECT_ID = re.compile(r'\{"\$oid": "([0-9a-f]{8})')
SHAPES = ("in_pieces", "at_once")


class Group:
    """Logs that share partitions, batches and runs of dbt. ``seed`` and the number of logs make it again."""

    def __init__(self, seed: int, logs: int, shape: str) -> None:
        self.seed = seed
        self.shape = shape
        self.logs = [Log(number, f"{seed}-{number}") for number in range(logs)]
        self.choose = Random(seed)
        self.partitions = self._interleaved()

    def batches(self) -> list[Batch]:
        """The records in the portions in which bronze commits them; each partition's in its order."""
        return self._in_pieces() if self.shape == "in_pieces" else self._at_once()

    def clock(self, turns: int) -> list[datetime]:
        """The time of each run: half an hour after an order was created, so that the last hour has something."""
        keys = {
            record.key
            for (table, _), records in self.partitions.items()
            if table == "orders"
            for record in records
            if isinstance(record, Record)
        }
        born = sorted(int(found[1], 16) for found in map(_OBJECT_ID.match, keys) if found)
        return [moment(1000 * born[len(born) * (turn + 1) // (turns + 1)] + 1_800_000) for turn in range(turns)]

    def _interleaved(self) -> dict[Partition, Batch]:
        """The logs' records as one stream for each partition, at their offsets there."""
        waiting: dict[Partition, list[Batch]] = defaultdict(list)
        for log in self.logs:
            for at, records in log.partitions.items():
                waiting[at].append(list(reversed(records)))
        partitions: dict[Partition, Batch] = {}
        for at, streams in sorted(waiting.items()):
            # Events count their offsets by topic.
            offsets: dict[str, int] = defaultdict(int)
            partitions[at] = []
            while streams:
                stream = self.choose.choices(streams, [len(records) for records in streams])[0]
                record = stream.pop()
                partitions[at].append(replace(record, offset=offsets[record.topic]))
                offsets[record.topic] += 1
                if not stream:
                    streams.remove(stream)
        return partitions

    def _in_pieces(self) -> list[Batch]:
        """A part without one of the tables, a single record, a few, and the rest.

        The small ones touch few days.
        """
        silent = self.choose.choice(sorted({table for table, _ in self.partitions}))
        ends = {at: self.choose.randrange(len(records) // 5, len(records)) for at, records in self.partitions.items()}
        first = {at: 0 if at[0] == silent else end for at, end in ends.items()}
        lone = self.choose.choice([at for at, end in first.items() if end < len(self.partitions[at])])
        second = first | {lone: first[lone] + 1}
        third = {
            at: min(second[at] + self.choose.randrange(4), len(records)) for at, records in self.partitions.items()
        }
        return self._cut([first, second, third])

    def _at_once(self) -> list[Batch]:
        """Everything, and then the end of every partition once more, as after a restart of the connector."""
        everything = self._cut([])
        again: Batch = []
        for records in self.partitions.values():
            tail = [record for record in records if isinstance(record, Record)][-15:]
            again += [replace(copy, offset=len(records) + index) for index, copy in enumerate(tail)]
        return [*everything, again]

    def _cut(self, inner: list[dict[Partition, int]]) -> list[Batch]:
        ends = [
            dict.fromkeys(self.partitions, 0),
            *inner,
            {at: len(records) for at, records in self.partitions.items()},
        ]
        return [
            [record for at, records in self.partitions.items() for record in records[low[at] : high[at]]]
            for low, high in pairwise(ends)
        ]

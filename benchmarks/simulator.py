"""How many documents a second the simulator generates on one core: python -m benchmarks.simulator

Generating includes the conversion of the names and the BSON encoding; writing them anywhere is not part of it.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import bson

from ingest.simulator import DocumentWrite, Options, changes

START = datetime(2026, 3, 2, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Result:
    """One benchmark: documents and events of a default day, and documents per second of each run."""

    documents: int
    events: int
    megabytes: float
    per_second: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the runs, documents per second."""
        return statistics.median(self.per_second)


def run(runs: int = 5) -> Result:
    """Generate a default day several times."""
    rates = []
    documents = events = size = 0
    for _ in range(runs):
        documents = events = size = 0
        began = time.process_time()
        for change in changes(Options(start=START)):
            if isinstance(change, DocumentWrite):
                documents += 1
                size += len(bson.encode(change.document))
            else:
                events += 1
        rates.append(documents / (time.process_time() - began))
    return Result(documents, events, size / 1e6, tuple(rates))


def main() -> None:
    """Print the result."""
    result = run()
    runs = ", ".join(f"{rate:,.0f}" for rate in result.per_second)
    print(
        f"{result.median:,.0f} documents/s on one core (median of {runs}); a default day: "
        f"{result.documents:,} documents, {result.megabytes:.0f} MB of BSON, {result.events:,} events."
    )


if __name__ == "__main__":
    main()

"""What a load needs, reckoned from what was measured: ``python -m wms_mesh.infra.sizing CHANGES_PER_SECOND ...``.

The measured numbers stand here once; docs/sizing.md explains them and shows the table for four loads.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from wms_mesh.errors import MeshError

# -- measured (docs/sizing.md says where and how)
RECORD_BYTES = 2400  # in Kafka: an update of a document of 1.2 kB carries it twice
BRONZE_BYTES = 150  # Parquet with ZSTD: 635 MB for 4.5 million records
FLINK_SECONDS = 33e-6  # CPU for a record, cold; 18 to 24 warm
TRINO_SECONDS = 2 * 0.75e-3  # CPU for a change of silver: 0.4 (recent) to 0.75 ms (spread) on two cores
TRINO_FIXED_SECONDS = 2 * 4.0  # CPU of a run, however little changed
TABLES = 20  # that follow changes, in silver and gold

# -- chosen
KAFKA_DAYS, BRONZE_DAYS, COPIES = 7, 90, 3
MONTH = 30.0  # days
HEADROOM = 2.0  # a queue at more than half of its server's speed grows with each peak
PEAK = 3.0  # a warehouse's busiest hour against its mean: what is kept is reckoned by the mean
BROKER_BYTES = 30e6  # a second into one broker, copies included: a third of what a common network disk writes
TASK_RATE = 5_000.0  # changes of one replica set: one stream, one task. Not measured above 2,000; see the page
WORKER_CORES = 4
RUN_SECONDS = 60.0  # the shortest promise: inventory, under a minute


@dataclass(frozen=True)
class Need:
    """Of one load. rate: changes a second at the peak."""

    rate: float
    brokers: int
    broker_disk_tb: float
    tasks: int
    slots: int
    worker_cores: int
    bronze_tb: float
    cores: int
    memory_gb: int


def need(rate: float) -> Need:
    """What ``rate`` changes a second at the peak need. Raises MeshError for none."""
    if not rate > 0:
        raise MeshError("Say changes per second, more than 0: their highest rate, not their mean.")
    mean = rate / PEAK
    kept = mean * RECORD_BYTES * 86_400 * KAFKA_DAYS * COPIES
    brokers = max(COPIES, math.ceil(rate * RECORD_BYTES * COPIES / BROKER_BYTES))
    slots = max(1, math.ceil(rate * FLINK_SECONDS * HEADROOM))
    busy = rate * TRINO_SECONDS + TABLES * TRINO_FIXED_SECONDS / (5 * RUN_SECONDS)
    workers = WORKER_CORES * max(1, math.ceil(busy * HEADROOM / WORKER_CORES))
    tasks = math.ceil(rate / TASK_RATE)
    return Need(
        rate=rate,
        brokers=brokers,
        broker_disk_tb=kept * 1.3 / brokers / 1e12,
        tasks=tasks,
        slots=slots,
        worker_cores=workers,
        bronze_tb=mean * BRONZE_BYTES * 86_400 * BRONZE_DAYS / 1e12,
        # Brokers of 2 cores and 8 GB, tasks and slots of 1 and 2, workers of 4 GB a core; then what never grows: the
        # coordinator, JobManagers, refresher, metastore, Postgres, catalog, Prometheus.
        cores=brokers * 2 + tasks + slots + workers + 14,
        memory_gb=brokers * 8 + tasks * 2 + slots * 2 + workers * 4 + 40,
    )


def table(rates: Sequence[float]) -> str:
    """The needs of some loads, as Markdown."""
    heads = (
        "changes a second, at the peak",
        "brokers",
        "disk of each",
        "Connect tasks",
        "Flink slots",
        "Trino workers' cores",
        "bronze, 90 days",
        "cores in all",
        "memory in all",
    )
    rows = [
        (
            f"{one.rate:,.0f}",
            str(one.brokers),
            f"{one.broker_disk_tb:.1f} TB",
            str(one.tasks),
            str(one.slots),
            str(one.worker_cores),
            f"{one.bronze_tb:.2f} TB",
            str(one.cores),
            f"{one.memory_gb:,} GB",
        )
        for one in map(need, rates)
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(heads), *lines[1:]])


if __name__ == "__main__":
    try:
        print(table([float(text) for text in sys.argv[1:]] or [200, 2_000, 20_000, 200_000]))
    except (MeshError, ValueError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)

"""The bronze job's commits, which an expiry must leave one of."""

from __future__ import annotations

import time

from wms_mesh import sql
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

# A restarted job asks the table's snapshots which of its checkpoints they hold. With none of its commits left it
# commits the last checkpoint again, and its records stand twice. After so long no checkpoint knows that commit.
QUIET_SECONDS = 120.0
LIMIT = 300.0


def await_next(stack: Stack, table: str) -> None:
    """Wait until the job's last commit to a table is newer than all others, or so old that no checkpoint knows it.

    table: bronze.orders_raw. Raises MeshError when neither comes.
    """
    schema, _, name = table.partition(".")
    deadline = time.monotonic() + LIMIT
    while True:
        [[is_newest, age]] = sql.query(
            stack,
            "select max_by(is_jobs, committed_at),"
            " to_unixtime(current_timestamp) - to_unixtime(max(committed_at) filter (where is_jobs))"
            " from (select committed_at, element_at(summary, 'flink.job-id') is not null as is_jobs"
            f' from iceberg.{schema}."{name}$snapshots")',
        )
        if is_newest or age is None or age > QUIET_SECONDS:
            return
        if time.monotonic() > deadline:
            raise MeshError(f"The bronze job did not commit to {table}: `./mesh status` shows it; then run this again.")
        time.sleep(1.0)

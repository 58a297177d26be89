"""What the bronze job has committed, and what a restart of it would commit again."""

from __future__ import annotations

import time

from wms_mesh import sql
from wms_mesh.engines.bronze_job import BronzeJob
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

LIMIT = 300.0  # seconds; a restart from a checkpoint takes some tens


def await_all(stack: Stack) -> None:
    """Wait until every data file that the job closed before this call is committed.

    A file belongs to a checkpoint and is committed when that one completes: before the next but one does.
    Raises MeshError when the job completes no checkpoints.
    """
    moment = time.time()
    for _ in range(2):
        moment = _await_checkpoint(stack, moment)


def await_expirable(stack: Stack, table: str) -> None:
    """Wait until a restarted job would not miss the snapshots that the present one hides.

    A restarted job asks the table's snapshots which of its checkpoints they hold. With none of its commits left it
    commits the files of its last checkpoint again, and their records stand twice. So either the present snapshot is
    the job's, or a checkpoint has completed that began after its last commit: that one has no file of it.

    table: bronze.orders_raw. Raises MeshError when neither comes.
    """
    schema, _, name = table.partition(".")
    [[is_newest, committed]] = sql.query(
        stack,
        "select max_by(is_jobs, committed_at), to_unixtime(max(committed_at) filter (where is_jobs))"
        " from (select committed_at, element_at(summary, 'flink.job-id') is not null as is_jobs"
        f' from iceberg.{schema}."{name}$snapshots")',
    )
    if not is_newest and committed is not None:
        _await_checkpoint(stack, float(committed))


def _await_checkpoint(stack: Stack, after: float) -> float:
    """Wait for a checkpoint that was triggered after a moment; both are seconds since the epoch."""
    job = BronzeJob(stack)
    deadline = time.monotonic() + LIMIT
    while True:
        triggered = job.newest_checkpoint()
        if triggered is not None and triggered > after:
            return triggered
        if time.monotonic() > deadline:
            raise MeshError("The bronze job completes no checkpoints: `./mesh status` shows why; then run this again.")
        time.sleep(0.5)

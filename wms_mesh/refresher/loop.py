"""The loop: follow the project, do the next job, note how it went, until it is told to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from wms_mesh.errors import MeshError
from wms_mesh.refresher.products import Product
from wms_mesh.refresher.schedule import Job, Kind, Outcome, Schedule

log = logging.getLogger("refresher")

LOOK_EVERY = 1.0  # seconds between looks at the project's files when nothing is due
LONGEST_RUN = 3600.0  # seconds without a turn of the loop after which it counts as hung; a rebuild takes many minutes


class Runner(Protocol):
    """What the loop needs of a dbt project (project.py; a test's own in tests)."""

    products: list[Product]
    are_seeds_new: bool

    def parse_if_changed(self) -> bool: ...

    def run(self, job: Job) -> Outcome: ...


class Loop:
    """One job at a time, until KeyboardInterrupt: a stop may come anywhere, since all that counts is in the warehouse.

    turn: the warehouse's writing lock, named with what it is taken for.
    """

    def __init__(
        self,
        runner: Runner,
        schedule: Schedule,
        turn: Callable[[str], AbstractContextManager[object]],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.runner = runner
        self.schedule = schedule
        self.turn = turn
        self.clock = clock
        self.sleep = sleep
        self.project_error = ""
        self.present = ""  # the job that runs now
        self.last_turn = clock()

    @property
    def is_alive(self) -> bool:
        """Whether the loop still turns."""
        return self.clock() - self.last_turn < LONGEST_RUN

    def step(self) -> None:
        """One turn: at most one job, or a short wait."""
        self.last_turn = self.clock()
        self.follow_project()
        job = self.schedule.next(self.clock())
        if job is None:
            self.sleep(min(LOOK_EVERY, self.schedule.seconds_to_next(self.clock())))
        else:
            self.do(job)

    def follow_project(self) -> None:
        """Take up what changed in the project's files. A broken project leaves the one before in use."""
        try:
            if self.runner.parse_if_changed():
                self.project_error = ""
                self.schedule.follow(self.runner.products, self.runner.are_seeds_new, self.clock())
                log.info("project parsed: %s", ", ".join(product.name for product in self.runner.products))
        except MeshError as error:
            if not self.schedule.jobs:
                raise
            self.project_error = str(error)
            log.error("%s (the project as it was before stays in use)", error)

    def do(self, job: Job) -> None:
        """Run a job in the warehouse's turn."""
        self.present = f"{job.kind} of {job.product}"
        try:
            with self.turn(f"the refresher: {self.present}"):
                started, started_at = self.clock(), time.time()
                outcome = self.runner.run(job)
            job.finish(outcome, started, self.clock(), started_at)
        finally:
            self.present = ""
        for product, rows in outcome.rows.items():
            known = self.schedule.jobs.get((Kind.REFRESH, product))
            if known is not None:
                known.rows += rows
        self._report(job, outcome)

    def _report(self, job: Job, outcome: Outcome) -> None:
        if not outcome.is_success:
            log.error(
                "%s of %s failed, again in %.0f s: %s",
                job.kind,
                job.product,
                job.backoff(self.clock()),
                outcome.message,
            )
        elif outcome.failed_tests:
            log.warning("%d tests of %s failed: %s", outcome.failed_tests, job.product, outcome.message)
        elif sum(outcome.rows.values()) or job.kind is not Kind.REFRESH:
            rows = sum(outcome.rows.values())
            log.info("%s of %s: %d rows in %.1f s", job.kind, job.product, rows, job.duration)

"""What is next: due jobs by urgency, failed ones later and later, tests in between."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf

from wms_mesh.refresher.products import Product

FIRST_BACKOFF, LAST_BACKOFF = 5.0, 300.0  # seconds after a failure; doubled at each one in a row
LONGEST_WAIT = 4.0  # times a test job's own pace that others may hold it up


class Kind(StrEnum):
    """What a job does."""

    SEEDS = "seeds"  # the small tables of seeds/: at the start and when they changed
    REFRESH = "refresh"
    TESTS = "tests"


@dataclass(frozen=True)
class Outcome:
    """What came of a job. rows: written, by product. failed_tests: of a test job."""

    is_success: bool
    message: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    failed_tests: int = 0


@dataclass
class Job:
    """Something that is done again and again, and how it went. Times are seconds of one clock.

    every: from the start of one run to the next. promise: how old its last success may be.
    """

    kind: Kind
    product: str
    every: float
    promise: float
    due: float
    last_success: float | None = None  # start of the last good run: its data is at least as new
    last_success_at: float | None = None  # the same as Unix seconds, for others to read
    duration: float = 0.0  # of the last run
    runs: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    failed_tests: int = 0
    rows: int = 0  # written since the start of this process
    message: str = ""

    def age(self, now: float) -> float:
        """Seconds since the last success; infinite before the first."""
        return inf if self.last_success is None else now - self.last_success

    def urgency(self, now: float) -> tuple[float, float]:
        """How much of the promise is used up; among equals the shorter promise is more urgent."""
        return (self.age(now) / self.promise if self.promise else inf, -self.promise)

    def backoff(self, now: float) -> float:
        """Seconds that a failed job still waits."""
        return max(0.0, self.due - now) if self.failures_in_a_row else 0.0

    def finish(self, outcome: Outcome, started: float, ended: float, started_at: float) -> None:
        """Record a run and when the next one is due. started_at: Unix seconds."""
        self.runs += 1
        self.duration = ended - started
        self.message = outcome.message
        self.failed_tests = outcome.failed_tests
        if outcome.is_success:
            self.last_success, self.last_success_at = started, started_at
            self.failures_in_a_row = 0
            self.due = started + self.every
        else:
            self.failures += 1
            self.failures_in_a_row += 1
            self.due = ended + min(LAST_BACKOFF, FIRST_BACKOFF * 2 ** (self.failures_in_a_row - 1))


class Schedule:
    """All jobs of the present project."""

    def __init__(self, tests_every: float) -> None:
        self.tests_every = tests_every
        self.jobs: dict[tuple[Kind, str], Job] = {}
        self._last: Kind | None = None

    def follow(self, products: Iterable[Product], are_seeds_new: bool, now: float) -> None:
        """Take up the products of a project that was read anew: all are due, known ones keep their history."""
        fresh = [Job(Kind.SEEDS, "seeds", every=inf, promise=0.0, due=now if are_seeds_new else inf)]
        for product in products:
            fresh.append(Job(Kind.REFRESH, product.name, product.cadence, product.freshness, due=now))
            fresh.append(Job(Kind.TESTS, product.name, self.tests_every, self.tests_every, due=now + self.tests_every))
        jobs = {}
        for job in fresh:
            known = self.jobs.get((job.kind, job.product), job)
            known.every, known.promise, known.due = job.every, job.promise, min(known.due, job.due)
            jobs[job.kind, job.product] = known
        self.jobs = jobs

    def of(self, kind: Kind) -> list[Job]:
        """The jobs of one kind."""
        return [job for job in self.jobs.values() if job.kind is kind]

    def next(self, now: float) -> Job | None:
        """The job to do now.

        Tests go when nothing else is due. When that never happens (their wait has doubled), one product's tests go
        between two refreshes, if every product keeps its promise for as long as they took last; from LONGEST_WAIT on
        they go anyway.
        """
        due = [job for job in self.jobs.values() if job.due <= now]
        refreshes = [job for job in due if job.kind is not Kind.TESTS]
        tests = [job for job in due if job.kind is Kind.TESTS]
        if refreshes:
            is_their_turn = self._last is not Kind.TESTS
            tests = [job for job in tests if is_their_turn and self._may_interrupt(job, now)]
        chosen = max(tests or refreshes, key=lambda job: job.urgency(now), default=None)
        self._last = chosen.kind if chosen else None
        return chosen

    def _may_interrupt(self, tests: Job, now: float) -> bool:
        wait = now - tests.due
        is_affordable = all(job.age(now) + tests.duration < job.promise for job in self.of(Kind.REFRESH))
        return wait > LONGEST_WAIT * tests.every or (wait > tests.every and is_affordable)

    def seconds_to_next(self, now: float) -> float:
        """Until something is due."""
        return max(0.0, min((job.due for job in self.jobs.values()), default=inf) - now)

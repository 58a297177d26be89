"""A clock that moves when a job runs, and a dbt that does what a test says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

from wms_mesh.errors import MeshError
from wms_mesh.refresher.loop import Loop
from wms_mesh.refresher.products import Product
from wms_mesh.refresher.schedule import Job, Kind, Outcome, Schedule

INVENTORY = Product("inventory", freshness=60, cadence=15)
ORDERS = Product("orders", freshness=300, cadence=60)
WAVES = Product("waves", freshness=300, cadence=60)
FULFILLMENT = Product("fulfillment", freshness=900, cadence=300)
TESTS_EVERY = 900.0


class Clock:
    """Seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now += seconds


class Dbt:
    """What the loop takes for the project. takes: seconds of a job; fails: jobs that fail, by kind and product."""

    def __init__(self, clock: Clock, products: list[Product]) -> None:
        self.clock = clock
        self.products = products
        self.are_seeds_new = True
        self.is_changed = True
        self.is_broken = False
        self.takes = {Kind.SEEDS: 2.0, Kind.REFRESH: 2.0, Kind.TESTS: 10.0}
        self.fails: set[tuple[Kind, str]] = set()
        self.rows: dict[str, int] = {}
        self.ran: list[tuple[float, Kind, str]] = []
        self.parses = 0
        self.while_running: Callable[[Job], None] = lambda job: None

    def parse_if_changed(self) -> bool:
        changed, self.is_changed = self.is_changed, False
        if changed and self.is_broken:
            raise MeshError("The dbt project cannot be parsed: a comma")
        self.parses += changed
        return changed

    def run(self, job: Job) -> Outcome:
        self.ran.append((self.clock.now, job.kind, job.product))
        self.while_running(job)
        self.clock.now += self.takes[job.kind]
        if (job.kind, job.product) in self.fails:
            return Outcome(False, f"{job.product} is broken")
        return Outcome(True, rows=dict(self.rows))

    def times(self, kind: Kind, product: str) -> list[float]:
        """When a job started."""
        return [at for at, ran, name in self.ran if (ran, name) == (kind, product)]


class World:
    """A loop over a fake dbt."""

    def __init__(self, *products: Product) -> None:
        self.clock = Clock()
        self.dbt = Dbt(self.clock, list(products))
        self.turns: list[str] = []
        self.loop = Loop(self.dbt, Schedule(TESTS_EVERY), self.turn, self.clock, self.clock.sleep)

    def turn(self, who: str) -> AbstractContextManager[None]:
        self.turns.append(who)
        return contextlib.nullcontext()

    def run_for(self, seconds: float) -> None:
        """Turn the loop until the clock has moved by ``seconds``."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.loop.step()

    def job(self, product: str, kind: Kind = Kind.REFRESH) -> Job:
        """A job by name."""
        return self.loop.schedule.jobs[kind, product]

"""Ten times the normal rate for two minutes: how far the chain falls behind, and how fast it catches up.

Works in the running stack, with documents of simulated worlds; they stay.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import requests
from kafka import KafkaConsumer
from rich.console import Console
from rich.table import Table

from ingest.simulator.changes import Change
from ingest.simulator.options import Options
from ingest.simulator.run import open_sinks, run
from wms_mesh import ledger, lifecycle
from wms_mesh.engines import select
from wms_mesh.engines.base import Engine
from wms_mesh.engines.bronze_job import GROUP
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

NORMAL = 200.0  # changes a second: documents and events
SAMPLE_SECONDS = 2.0
CATCH_UP_LIMIT = 900.0


@dataclass(frozen=True)
class Sample:
    """One look. seconds: since the start. written: changes taken by MongoDB and Kafka. in_kafka, in_bronze: records."""

    seconds: float
    written: int
    in_kafka: int
    in_bronze: int

    @property
    def behind(self) -> int:
        """Records in Kafka that bronze does not have yet."""
        return self.in_kafka - self.in_bronze


@dataclass
class Counter:
    """A sink that only counts."""

    written: int = 0

    def write(self, change: Change) -> None:
        """One more."""
        self.written += 1

    def flush(self) -> None:
        """Nothing is held."""

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Result:
    """The phases by name with the index of their first sample, all samples, and the highest memory of each engine."""

    samples: list[Sample] = field(default_factory=list)
    phases: dict[str, int] = field(default_factory=dict)
    peak_mb: dict[str, float] = field(default_factory=dict)
    restarts: int = 0
    fresh_after: float = 0.0

    def rate(self, phase: str, following: str, what: str) -> float:
        """Per second, from the start of one phase to that of the next; what: an attribute of Sample."""
        first, last = (self.samples[self.phases[name]] for name in (phase, following))
        return float(getattr(last, what) - getattr(first, what)) / max(last.seconds - first.seconds, 0.001)


class Overload:
    """Watches the stack in a thread's rhythm while the phases follow each other."""

    def __init__(self, stack: Stack, factor: float, minutes: float) -> None:
        self._stack = stack
        self._factor = factor
        self._minutes = minutes
        self._counter = Counter()
        self._began = time.monotonic()
        self._restarts = self._all_restarts()
        self._console = Console(stderr=True)
        self.result = Result()

    def run(self) -> Result:
        """Normal, overload, normal again until everything has caught up. Raises MeshError when it does not."""
        for name, rate, minutes in (
            ("normal", NORMAL, 1.0),
            ("overload", NORMAL * self._factor, self._minutes),
            ("catching up", NORMAL, 0.0),
        ):
            self.result.phases[name] = len(self.result.samples)
            self._sample()
            self._console.print(f"{name}: {rate:,.0f} changes a second", highlight=False)
            if minutes:
                self._write(rate, minutes)
        self._catch_up()
        self.result.restarts = self._all_restarts() - self._restarts
        return self.result

    def _write(self, rate: float, minutes: float) -> None:
        """Write at a rate for so long, looking meanwhile; as many worlds as that takes."""
        end = time.monotonic() + 60 * minutes
        failures: list[BaseException] = []

        def load() -> None:
            try:
                while time.monotonic() < end:
                    now = datetime.now(UTC).replace(microsecond=0)
                    # A world of about a minute's changes at this rate, so that the phase ends on time.
                    orders = Options(
                        start=now - timedelta(hours=1),
                        duration=timedelta(hours=1),
                        rate=rate,
                        history_days=0,
                        naming=self._stack.naming,
                        seed=int(time.monotonic()),
                    )
                    run(orders, [*open_sinks(self._stack, orders.naming), self._counter], changes_per_second=rate)
            except MeshError as error:
                failures.append(error)

        thread = threading.Thread(target=load)
        thread.start()
        while thread.is_alive():
            self._sample()
            thread.join(timeout=SAMPLE_SECONDS)
        if failures:
            raise failures[0]

    def _catch_up(self) -> None:
        began = time.monotonic()
        ready = False
        while not ready:
            self._sample()
            if time.monotonic() - began > CATCH_UP_LIMIT:
                raise MeshError(f"The chain did not catch up within {CATCH_UP_LIMIT:.0f} s: look at `./mesh status`.")
            last = self.result.samples[-1]
            if last.behind == 0 and "caught up" not in self.result.phases:
                self.result.phases["caught up"] = len(self.result.samples) - 1
                self._console.print(f"bronze has everything after {time.monotonic() - began:.0f} s")
            ready = "caught up" in self.result.phases and self._is_fresh()
            time.sleep(SAMPLE_SECONDS)
        self.result.fresh_after = time.monotonic() - began

    def _sample(self) -> None:
        in_kafka = in_bronze = 0
        held = ledger.offsets(self._stack)
        consumer = KafkaConsumer(
            bootstrap_servers=self._stack.address("kafka"), group_id=GROUP, enable_auto_commit=False
        )
        try:
            for partition, (first, end) in held.items():
                in_kafka += end - first
                in_bronze += (consumer.committed(partition) or first) - first
        finally:
            consumer.close(autocommit=False)
        now = lifecycle.status(self._stack)
        for name, megabytes in now.rss_mb.items():
            self.result.peak_mb[name] = max(megabytes, self.result.peak_mb.get(name, 0.0))
        self.result.samples.append(Sample(time.monotonic() - self._began, self._counter.written, in_kafka, in_bronze))

    def _is_fresh(self) -> bool:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(self._stack.url("refresher") + "/healthz", timeout=10)
        return answer.status_code == int(requests.codes.ok)

    def _all_restarts(self) -> int:
        return sum(unit.restarts for unit in lifecycle.status(self._stack).units)


def main(stack: Stack, factor: float, minutes: float) -> int:
    """Run it and print the report; 0 when nothing failed and every engine kept its limit."""
    result = Overload(stack, factor, minutes).run()
    console = Console()
    console.print(_rates(result))
    limits = {unit.name: unit.memory_mb for unit in select(stack) if isinstance(unit, Engine)}
    console.print(_memory(result, limits))
    over = sorted(name for name, peak in result.peak_mb.items() if peak > limits[name])
    for sentence in _verdict(result, over):
        console.print(sentence, highlight=False)
    return 1 if over or result.restarts else 0


def _rates(result: Result) -> Table:
    table = Table(box=None, header_style="bold", title="Changes and records a second", title_justify="left")
    for heading in ("phase", "seconds", "written", "into Kafka", "into bronze", "most behind"):
        table.add_column(heading, justify="left" if heading == "phase" else "right")
    names = list(result.phases)
    for name, following in itertools.pairwise(names):
        part = result.samples[result.phases[name] : result.phases[following] + 1]
        rates = (result.rate(name, following, what) for what in ("written", "in_kafka", "in_bronze"))
        table.add_row(
            name,
            f"{part[-1].seconds - part[0].seconds:.0f}",
            *(f"{rate:,.0f}" for rate in rates),
            f"{max(sample.behind for sample in part):,}",
        )
    return table


def _memory(result: Result, limits: dict[str, int]) -> Table:
    table = Table(box=None, header_style="bold", title="\nMemory, resident MiB", title_justify="left")
    for heading in ("engine", "peak", "limit"):
        table.add_column(heading, justify="left" if heading == "engine" else "right")
    for name, peak in result.peak_mb.items():
        table.add_row(name, f"{peak:,.0f}", f"{limits[name]:,}")
    return table


def _verdict(result: Result, over: Sequence[str]) -> list[str]:
    return [
        f"\nEvery product is fresh again {result.fresh_after:.0f} s after the overload; restarts: {result.restarts}.",
        f"Over its memory limit: {', '.join(over)}." if over else "Every engine kept its memory limit.",
    ]

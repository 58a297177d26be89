"""The checkpoints again and again, beside the refresher: as a process of its own at the lowest priority.

The library computes for seconds in Python; in a thread of the refresher that would be time in which no product is
refreshed. The process reads tables, one query at a time, and adds to one that nobody else writes: it takes no turn.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wms_mesh.errors import MeshError
from wms_mesh.quality import table
from wms_mesh.stack import REPO, Stack

log = logging.getLogger("refresher")

LOOK_EVERY = 300.0  # seconds after which the table is read again: somebody may have run `./mesh quality`
LONGEST = 1800.0  # seconds that a run may take; a first one over a simulated day takes one minute
COMMAND = ("nice", "-n", "19", sys.executable, "-m", "wms_mesh.cli", "quality", "--json")


@contextmanager
def stopped(regular: Regular | None) -> Iterator[None]:
    """End a run that is under way when the body ends."""
    try:
        yield
    finally:
        if regular is not None:
            regular.stop()


class Regular(Collector):
    """Runs `./mesh quality` every so many seconds; what came of it is read from other threads.

    A run that fails is logged and counted, and the next one comes all the same: the refresher must not notice.
    """

    def __init__(self, stack: Stack, every: float, command: tuple[str, ...] = COMMAND) -> None:
        self.stack = stack
        self.every = every
        self.command = command
        self.health: Mapping[str, list[str]] = {}
        self.failures = 0
        self.error = ""  # of the last attempt
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="quality", daemon=True).start()

    def stop(self) -> None:
        """End a run that is under way: its results are kept whole or not at all."""
        if self._process is not None:
            self._process.terminate()

    def facts(self) -> dict[str, object]:
        """For /healthz."""
        unhealthy = {product: failed for product, failed in self.health.items() if failed}
        return {"products": len(self.health), "unhealthy": unhealthy, "error": self.error}

    def attempt(self, work: Callable[[], None]) -> None:
        """Do something, whatever comes of it."""
        try:
            work()
            self.error = ""
        except Exception as error:  # any: a thread that dies would stop checking without a word
            self.failures += 1
            self.error = str(error) or type(error).__name__
            log.exception("the data quality could not be checked, again in %.0f s", self.every)

    def once(self) -> None:
        """Run all checkpoints. Raises MeshError with the command's words when they could not be run."""
        with subprocess.Popen(
            self.command,
            cwd=REPO,
            env={**os.environ, "PYTHONPATH": str(REPO)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as self._process:
            try:
                said, complaint = self._process.communicate(timeout=LONGEST)
            except subprocess.TimeoutExpired:
                self._process.kill()
                raise MeshError(f"The checkpoints ran for {LONGEST:.0f} s and were ended.") from None
        try:
            results = json.loads(said)
        except ValueError:
            raise MeshError(f"`./mesh quality` gave no results: {complaint.strip()[-600:]}") from None
        for one in results:
            if not one["is_success"]:
                log.warning("%s (%s) fails: %s", one["expectation_id"], one["severity"], one["failed_keys"])
        self.look()

    def look(self) -> None:
        """Read the health of the products, and make the table when it is missing."""
        self.health = table.health(self.stack)

    def _run(self) -> None:
        due = time.monotonic() + self.every
        while True:
            self.attempt(self.look)
            time.sleep(min(LOOK_EVERY, max(0.0, due - time.monotonic())))
            if time.monotonic() >= due:
                self.attempt(self.once)
                due = time.monotonic() + self.every

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the products are known only after the first look."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The health of the products as metrics; one that was never checked has no sample."""
        healthy = GaugeMetricFamily(
            "wms_mesh_data_product_healthy", "1 when no critical expectation fails.", labels=("data_product",)
        )
        failed = GaugeMetricFamily(
            "wms_mesh_failed_expectations", "Critical ones that failed last.", labels=("data_product",)
        )
        for product, expectations in self.health.items():
            healthy.add_metric([product], float(not expectations))
            failed.add_metric([product], len(expectations))
        yield healthy
        yield failed
        yield CounterMetricFamily("wms_mesh_quality_failures", "Runs that could not be made.", value=self.failures)

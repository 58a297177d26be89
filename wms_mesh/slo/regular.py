"""The promises measured again and again, in a thread beside the refresher's loop: it reads, and adds its own rows."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from dbt.contracts.graph.manifest import Manifest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wms_mesh.slo import table
from wms_mesh.slo.measure import measure_and_keep
from wms_mesh.slo.promises import promises
from wms_mesh.slo.verdict import Measurement
from wms_mesh.stack import Stack

log = logging.getLogger("refresher")


class Regular(Collector):
    """Measures every so many seconds; what came of it is read from other threads.

    A measurement that fails is logged and counted, and the next one comes all the same: the refresher must not notice.
    """

    def __init__(self, stack: Stack, manifest: Callable[[], Manifest], every: float) -> None:
        self.stack = stack
        self.manifest = manifest
        self.every = every
        self.measured: list[Measurement] = []
        self.failures = 0
        self.error = ""  # of the last attempt

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="slo", daemon=True).start()

    def facts(self) -> dict[str, object]:
        """For /healthz."""
        broken = {one.product: one.breaches for one in self.measured if not one.is_met}
        newest = max((one.measured_at for one in self.measured), default=None)
        return {"measured_at": newest and newest.isoformat(), "broken": broken, "error": self.error}

    def attempt(self, work: Callable[[], None]) -> None:
        """Do something, whatever comes of it."""
        try:
            work()
            self.error = ""
        except Exception as error:  # any: a thread that dies would stop measuring without a word
            self.failures += 1
            self.error = str(error) or type(error).__name__
            log.exception("the promises could not be measured, again in %.0f s", self.every)

    def once(self) -> None:
        """Measure all products."""
        self.measured = measure_and_keep(self.stack, promises(self.manifest())).rows
        for one in self.measured:
            if not one.is_met:
                log.warning("%s breaks its promise of %s", one.product, ", ".join(one.breaches))

    def _remember(self) -> None:
        """Make the table when it is missing, and go on with what was measured before this process."""
        self.measured = [rows[-1] for rows in table.last(self.stack, 1).values()]

    def _run(self) -> None:
        self.attempt(self._remember)
        while True:
            time.sleep(self.every)
            self.attempt(self.once)

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the products are known only after the first measurement."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The last measurement as metrics; a promise that was not made, or not judged, has no sample."""
        met = GaugeMetricFamily("mesh_slo_met", "1 when the promise is kept.", labels=("product", "promise"))
        for one in self.measured:
            kept = {"freshness": one.is_fresh, "completeness": one.is_complete, "accuracy": one.is_accurate}
            for promise, is_kept in kept.items():
                if is_kept is not None:
                    met.add_metric([one.product, promise], float(is_kept))
        yield met
        yield self._gauge("freshness_seconds", "Age of the oldest change not shown.", lambda one: one.freshness_seconds)
        yield self._gauge("freshness_target_seconds", "Promised.", lambda one: one.freshness_target_seconds)
        yield self._gauge("delay_p50_seconds", "From MongoDB to visible.", lambda one: one.delay_p50_seconds)
        yield self._gauge("delay_p99_seconds", "From MongoDB to visible.", lambda one: one.delay_p99_seconds)
        yield self._gauge("completeness_rate", "Share on both sides.", lambda one: one.completeness_rate)
        yield self._gauge("accuracy_rate", "Share that agrees.", lambda one: one.accuracy_rate)
        yield self._gauge("measured_timestamp_seconds", "Unix seconds.", lambda one: one.measured_at.timestamp())
        yield CounterMetricFamily("mesh_slo_failures", "Measurements that could not be made.", value=self.failures)

    def _gauge(self, name: str, text: str, read: Callable[[Measurement], float | None]) -> Metric:
        family = GaugeMetricFamily(f"mesh_slo_{name}", text, labels=("product",))
        for one in self.measured:
            value = read(one)
            if value is not None:
                family.add_metric([one.product], value)
        return family

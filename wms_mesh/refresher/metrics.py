"""The state of the jobs as Prometheus metrics, read when they are asked for."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wms_mesh.refresher.loop import Loop
from wms_mesh.refresher.schedule import Kind

LABELS = ("product",)


class JobMetrics(Collector):
    """One sample for each product. A product without a success yet has an infinite age and no timestamp."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the products are known only after the project is parsed."""
        return []

    def collect(self) -> Iterable[Metric]:
        """All metrics, as of now."""
        now = self.loop.clock()
        jobs, tests = self.loop.schedule.of(Kind.REFRESH), self.loop.schedule.of(Kind.TESTS)

        def gauge(name: str, text: str, values: Iterable[tuple[str, float]]) -> Metric:
            family = GaugeMetricFamily(f"wms_refresh_{name}", text, labels=LABELS)
            for product, value in values:
                family.add_metric([product], value)
            return family

        def counter(name: str, text: str, values: Iterable[tuple[str, float]]) -> Metric:
            family = CounterMetricFamily(f"wms_refresh_{name}", text, labels=LABELS)
            for product, value in values:
                family.add_metric([product], value)
            return family

        yield gauge(
            "last_success_timestamp_seconds",
            "Start of the last successful refresh, Unix seconds.",
            ((job.product, job.last_success_at) for job in jobs if job.last_success_at is not None),
        )
        yield gauge("age_seconds", "Since the last success.", ((job.product, job.age(now)) for job in jobs))
        yield gauge("promised_age_seconds", "The product's freshness.", ((job.product, job.promise) for job in jobs))
        yield gauge("duration_seconds", "Of the last refresh.", ((job.product, job.duration) for job in jobs))
        yield gauge(
            "backoff_seconds", "Left of the wait after a failure.", ((job.product, job.backoff(now)) for job in jobs)
        )
        yield gauge(
            "backlog_seconds",
            "Since the refresh was due; 0 when it is not.",
            ((job.product, max(0.0, now - job.due)) for job in jobs),
        )
        yield counter(
            "rows_written", "Rows written to the product's tables.", ((job.product, job.rows) for job in jobs)
        )
        yield counter("runs", "Refreshes, good and bad.", ((job.product, job.runs) for job in jobs))
        yield counter("failures", "Refreshes that failed.", ((job.product, job.failures) for job in jobs))
        yield gauge("failed_tests", "Of the last run of the tests.", ((job.product, job.failed_tests) for job in tests))
        yield gauge(
            "tests_age_seconds",
            "Since the tests last ran.",
            ((job.product, job.age(now)) for job in tests if job.age(now) < inf),
        )
        # Refreshes go by the group's name, measured promises by the product's: an alert finds its owner by either.
        owners = GaugeMetricFamily("wms_data_product_owner", "1 for who owns it.", labels=("product", "owner"))
        for product in self.loop.runner.products:
            for name in filter(None, (product.name, product.data_product)):
                owners.add_metric([name, product.owner], 1)
        yield owners
        yield GaugeMetricFamily(
            "wms_refresh_project_is_broken",
            "1 when the project's files cannot be parsed and the one before is in use.",
            value=float(bool(self.loop.project_error)),
        )

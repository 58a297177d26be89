"""The quarantine's levels as metrics, counted again and again in a thread beside the refresher's loop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.collections import COLLECTIONS, EVENT_TOPICS
from ingest.topics import tolerated
from wms_mesh.quarantine import alarm, reading
from wms_mesh.quarantine.alarm import Level
from wms_mesh.stack import Stack

log = logging.getLogger("refresher")

EVERY = 120.0  # seconds; a count reads two days of a small table
KNOWN = (*(one.topic for one in COLLECTIONS), *EVENT_TOPICS)


class QuarantineGauge(Collector):
    """Open records of the last 24 hours for each topic: what `./mesh quarantine list` raises its alarm by.

    A count that fails is logged and counted, and the next one comes all the same: the refresher must not notice.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.levels: list[Level] | None = None
        self.counted_at = 0.0  # Unix seconds
        self.failures = 0

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="quarantine", daemon=True).start()

    def attempt(self) -> None:
        """Count once, whatever comes of it."""
        now = datetime.now(UTC)
        try:
            found = alarm.levels(reading.groups(self.stack, now - reading.ALARM_PERIOD, now))
        except Exception:  # any: a thread that dies would stop counting without a word
            self.failures += 1
            log.exception("the quarantine could not be counted, again in %.0f s", EVERY)
            return
        counted = {level.topic: level for level in found}
        # A topic without a record has a level, too: an alert compares numbers, not their absence.
        self.levels = [counted.get(topic) or Level(topic, 0, tolerated(topic)) for topic in {*KNOWN, *counted}]
        self.counted_at = now.timestamp()

    def _run(self) -> None:
        while True:
            self.attempt()
            time.sleep(EVERY)

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the first count may be minutes away."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The last count; no sample before the first."""
        open_ = GaugeMetricFamily(
            "wms_quarantine_open_records", "Of the last 24 hours, not sent again.", labels=["topic"]
        )
        limit = GaugeMetricFamily("wms_quarantine_tolerated_records", "More raise the alarm.", labels=["topic"])
        for level in sorted(self.levels or (), key=lambda one: one.topic):
            open_.add_metric([level.topic], level.open)
            limit.add_metric([level.topic], level.threshold)
        yield open_
        yield limit
        if self.levels is not None:
            yield GaugeMetricFamily("wms_quarantine_counted_timestamp_seconds", "Unix seconds.", value=self.counted_at)
        yield CounterMetricFamily("wms_quarantine_failures", "Counts that could not be made.", value=self.failures)

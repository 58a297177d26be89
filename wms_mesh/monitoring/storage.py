"""How full the disk under the embedded stack is: what MinIO and the kubelet tell of a cluster's."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wms_mesh.stack import Stack


class StorageGauge(Collector):
    """Bytes of the file system that holds the stack's folder, read when they are asked for."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def collect(self) -> Iterable[Metric]:
        """Capacity, and what is left of it for the stack."""
        usage = shutil.disk_usage(self.stack.home)
        yield GaugeMetricFamily("wms_storage_capacity_bytes", "Of the stack's file system.", value=usage.total)
        yield GaugeMetricFamily("wms_storage_free_bytes", "Of the stack's file system.", value=usage.free)

"""Which metrics an expression reads: one that is overlooked is never checked against the engines."""

from __future__ import annotations

import pytest

from wms_mesh.monitoring.promql import metrics


@pytest.mark.parametrize(
    ("expression", "read"),
    [
        ("up", {"up"}),
        ("wms:storage_used:ratio > 0.8", {"wms:storage_used:ratio"}),
        ("mesh_slo_delay_p99_seconds > 1e3", {"mesh_slo_delay_p99_seconds"}),
        ('rate(a_total{code=~"5..", b!="c_total"}[5m])', {"a_total"}),
        ("sum by (topic) (rate(a_total[5m])) / ignoring (topic) group_left () b", {"a_total", "b"}),
        ("absent(a) or max without (x) (b) offset 5m", {"a", "b"}),
        ("a and on (product) b == bool 0 unless c * Inf", {"a", "b", "c"}),
        ("histogram_quantile(0.99, sum by (le) (a_bucket))", {"a_bucket"}),
        ('label_replace(a, "x", "$1", "y", "(.*)_total")', {"a"}),
        ("vector(1)", set()),
    ],
)
def test_metric_is_overlooked_or_a_word_taken_for_one(expression: str, read: set[str]) -> None:
    assert metrics(expression) == read

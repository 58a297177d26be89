"""The measurement beside the refresher: it goes on, and says how it went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from tests.unit.slo.test_slo_verdict import NONE, measured
from wms_mesh.errors import MeshError
from wms_mesh.refresher.process import minutes_between_measurements
from wms_mesh.slo.delay import Delays
from wms_mesh.slo.judge import Judgement
from wms_mesh.slo.regular import Regular
from wms_mesh.stack import Stack


@pytest.fixture
def regular(tmp_path: Path) -> Regular:
    def manifest() -> Any:
        raise MeshError("not parsed yet")

    return Regular(Stack.from_env({"MESH_HOME": str(tmp_path)}), manifest, every=900)


def samples(regular: Regular) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    registry.register(regular)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def test_failure_ends_the_measuring_or_is_not_seen(regular: Regular) -> None:
    regular.attempt(regular.once)
    assert regular.facts()["error"] == "not parsed yet"
    assert samples(regular)["mesh_slo_failures_total",] == 1
    regular.attempt(lambda: None)
    assert regular.facts()["error"] == ""
    assert samples(regular)["mesh_slo_failures_total",] == 1


def test_metrics_call_a_broken_promise_kept(regular: Regular) -> None:
    regular.measured = [measured(Judgement(agreeing=1, missing=1), delays=Delays())]
    found = samples(regular)
    assert found["mesh_slo_met", "orders-dp", "freshness"] == 1
    assert found["mesh_slo_met", "orders-dp", "completeness"] == 0
    assert ("mesh_slo_delay_p99_seconds", "orders-dp") not in found, "nothing became visible"
    assert regular.facts()["broken"] == {"orders-dp": ["completeness"]}


def test_metrics_judge_what_was_not_promised(regular: Regular) -> None:
    regular.measured = [measured(promise=NONE)]
    found = samples(regular)
    assert [key for key in found if key[0] == "mesh_slo_met"] == [("mesh_slo_met", "orders-dp", "freshness")]
    assert found["mesh_slo_delay_p99_seconds", "orders-dp"] == 12.0


@pytest.mark.parametrize("text", ["-1", "often", "nan", "inf"])
def test_unusable_pause_is_taken(text: str) -> None:
    with pytest.raises(MeshError, match="MESH_SLO_MINUTES"):
        minutes_between_measurements({"MESH_SLO_MINUTES": text})
    assert minutes_between_measurements({"MESH_SLO_MINUTES": "0"}) == 0
    assert minutes_between_measurements({}) == 15

"""The checks beside the refresher: they go on, say how they went, and end with it."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from wms_mesh.errors import MeshError
from wms_mesh.quality import regular, table
from wms_mesh.quality.regular import Regular, stopped
from wms_mesh.refresher.process import minutes_between_checkpoints
from wms_mesh.stack import Stack


def python(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack.from_env({"MESH_HOME": str(tmp_path)})


def samples(checks: Regular) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    registry.register(checks)
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


def test_unhealthy_product_is_called_healthy(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    health = {"orders-dp": ["orders_dp.status_is_known"], "waves-dp": []}
    monkeypatch.setattr(table, "health", lambda _: health)
    # Exit code 1 is how the command says that something is unhealthy; the results count.
    checks = Regular(stack, 3600, python("print('[]'); raise SystemExit(1)"))
    checks.attempt(checks.once)
    found = samples(checks)
    assert found["wms_mesh_data_product_healthy", "orders-dp"] == 0
    assert found["wms_mesh_data_product_healthy", "waves-dp"] == 1
    assert found["wms_mesh_failed_expectations", "orders-dp"] == 1
    assert checks.facts() == {"products": 2, "unhealthy": {"orders-dp": health["orders-dp"]}, "error": ""}


def test_run_that_cannot_be_made_ends_the_checking_or_is_not_seen(stack: Stack) -> None:
    checks = Regular(stack, 3600, python("raise SystemExit('Trino does not answer')"))
    checks.attempt(checks.once)
    assert "Trino does not answer" in str(checks.facts()["error"])
    assert samples(checks)["wms_mesh_quality_failures_total",] == 1
    checks.attempt(lambda: None)
    assert checks.facts()["error"] == ""


def test_run_that_hangs_holds_up_all_later_ones(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regular, "LONGEST", 0.2)
    with pytest.raises(MeshError, match="were ended"):
        Regular(stack, 3600, python("import time; time.sleep(60)")).once()


def test_run_outlives_the_refresher(stack: Stack) -> None:
    checks = Regular(stack, 3600, python("import time; time.sleep(60)"))
    with stopped(checks):
        running = threading.Thread(target=checks.attempt, args=(checks.once,))
        running.start()
        while checks._process is None:
            time.sleep(0.01)
    running.join(10)
    assert not running.is_alive()
    with stopped(None):
        pass


@pytest.mark.parametrize("text", ["-1", "often", "nan", "inf"])
def test_unusable_pause_is_taken(text: str) -> None:
    with pytest.raises(MeshError, match="MESH_QUALITY_MINUTES"):
        minutes_between_checkpoints({"MESH_QUALITY_MINUTES": text})
    assert minutes_between_checkpoints({"MESH_QUALITY_MINUTES": "0"}) == 0
    assert minutes_between_checkpoints({}) == 60

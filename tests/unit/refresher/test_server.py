"""What Prometheus and a probe see."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.refresher.world import INVENTORY, ORDERS, World
from wms_mesh.errors import MeshError
from wms_mesh.quality.regular import Regular
from wms_mesh.refresher.schedule import Kind
from wms_mesh.refresher.server import serving
from wms_mesh.stack import LOOPBACK, Stack


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def samples(port: int) -> dict[tuple[str, str], float]:
    return {
        (sample.name, sample.labels.get("product", "")): sample.value
        for family in text_string_to_metric_families(get(port, "/metrics")[1])
        for sample in family.samples
    }


def test_metrics_lose_a_failure_or_the_last_success() -> None:
    world = World(INVENTORY, ORDERS)
    world.dbt.rows = {"orders": 3}
    world.run_for(5)
    world.dbt.rows = {}
    world.dbt.fails = {(Kind.REFRESH, "orders")}
    world.run_for(63)
    with serving(world.loop, LOOPBACK, 0) as port:
        found = samples(port)
    orders = world.job("orders")
    assert found["wms_refresh_failures_total", "orders"] == 1
    assert found["wms_refresh_failures_total", "inventory"] == 0
    assert found["wms_refresh_runs_total", "orders"] == orders.runs == 2
    assert found["wms_refresh_age_seconds", "orders"] > 60
    assert found["wms_refresh_last_success_timestamp_seconds", "orders"] == orders.last_success_at
    assert found["wms_refresh_duration_seconds", "inventory"] == 2
    assert found["wms_refresh_backoff_seconds", "orders"] > 0
    # Each of the seeds, inventory's and orders' first runs wrote three rows into orders.
    assert found["wms_refresh_rows_written_total", "orders"] == 9
    assert found["wms_refresh_project_is_broken", ""] == 0


def test_probe_cannot_tell_stale_from_hung() -> None:
    world = World(ORDERS)
    with serving(world.loop, LOOPBACK, 0) as port:
        assert get(port, "/livez")[0] == 200
        status, body = get(port, "/healthz")
        assert status == 503
        assert json.loads(body)["is_alive"]
        world.run_for(10)
        assert get(port, "/healthz")[0] == 200
        world.clock.now += 3600
        assert get(port, "/livez")[0] == get(port, "/healthz")[0] == 503
        assert get(port, "/")[0] == 404


def test_unhealthy_product_is_lost_on_its_way_to_prometheus() -> None:
    world = World(ORDERS)
    checks = Regular(Stack.from_env({}), 3600)
    checks.health = {"orders-dp": ["orders_dp.status_is_known"], "waves-dp": []}
    with serving(world.loop, LOOPBACK, 0, quality=checks) as port:
        assert 'wms_mesh_data_product_healthy{data_product="orders-dp"} 0.0' in get(port, "/metrics")[1]
        assert json.loads(get(port, "/healthz")[1])["quality"]["unhealthy"] == {"orders-dp": checks.health["orders-dp"]}


def test_taken_port_is_a_traceback() -> None:
    world = World(ORDERS)
    with socket.socket() as holder:
        holder.bind((LOOPBACK, 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(MeshError, match=f"{port}"), serving(world.loop, LOOPBACK, port):
            pass

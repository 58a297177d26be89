"""What the monitored stack serves as metrics: every rule and dashboard asks for something that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psutil
import pytest
import requests

from tests.stack.flow import wait_until
from wms_mesh import lifecycle
from wms_mesh.engines import prometheus
from wms_mesh.engines.s3 import store
from wms_mesh.monitoring import dashboards, promql, rules
from wms_mesh.monitoring.targets import USER, Target, targets
from wms_mesh.stack import LOOPBACK, Stack

NAME = re.compile(r"^(?:# TYPE )?([a-zA-Z_:][a-zA-Z0-9_:]*)", re.MULTILINE)
SCRAPE_LIMIT = 60.0


def names(stack: Stack, target: Target) -> set[str]:
    """The metrics that a target serves, also those that have no sample yet."""
    answer = requests.get(
        f"{stack.url(target.listener)}{target.path}", auth=(USER, "") if target.needs_user else None, timeout=30
    )
    answer.raise_for_status()
    return set(NAME.findall(answer.text))


@pytest.fixture(scope="module")
def served(running_stack: Stack) -> dict[str, set[str]]:
    return {target.job: names(running_stack, target) for target in targets(store())}


def asked() -> dict[str, set[str]]:
    """The metrics that each dashboard and all rules need from the engines."""
    recorded = {rule.name for rule in rules.read() if not rule.is_alert}
    return {
        "rules.yml": set(rules.scraped(rules.read())),
        **{
            dashboard.uid: set().union(*map(promql.metrics, dashboard.expressions())) - recorded
            for dashboard in dashboards.DASHBOARDS
        },
    }


def test_rule_or_dashboard_names_a_metric_that_does_not_exist(served: dict[str, set[str]]) -> None:
    there = set().union(*served.values()) | set(rules.not_here())
    missing = {place: sorted(wanted - there) for place, wanted in asked().items() if wanted - there}
    assert not missing


def test_metric_is_excused_that_is_there(served: dict[str, set[str]]) -> None:
    excused = {name for name in rules.not_here() if not (store() == "minio" and name.startswith("minio_"))}
    assert not excused & set().union(*served.values())


def listeners(stack: Stack) -> Iterator[tuple[int, str]]:
    """Port and address of everything that the stack's engines listen on."""
    for unit in lifecycle.status(stack).units:
        if unit.pid is not None:
            for connection in psutil.Process(unit.pid).net_connections("tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    yield connection.laddr.port, connection.laddr.ip


def test_metrics_can_be_read_from_outside(running_stack: Stack) -> None:
    found = dict(listeners(running_stack))
    ports = {running_stack.port(target.listener) for target in targets(store())}
    assert ports <= set(found)
    assert {found[port].removeprefix("::ffff:") for port in ports} == {LOOPBACK}


def test_prometheus_scrapes_nothing_or_refuses_a_question(running_stack: Stack) -> None:
    watching = prometheus.Prometheus(running_stack)
    if watching.name not in {unit.name for unit in lifecycle.status(running_stack).units}:
        pytest.skip("No Prometheus is installed: its part of the monitored stack was not run.")

    def down() -> dict[str, str]:
        found = prometheus.ask(watching, "targets?state=active")["activeTargets"]
        return {one["labels"]["job"]: one["lastError"] for one in found if one["health"] != "up"}

    wait_until(lambda: not down(), f"every target scraped ({down()})", SCRAPE_LIMIT)
    unwell = {
        rule["name"]: rule["lastError"]
        for group in prometheus.ask(watching, "rules")["groups"]
        for rule in group["rules"]
        if rule["health"] == "err"
    }
    assert not unwell
    for dashboard in dashboards.DASHBOARDS:
        for expression in dashboard.expressions():
            answer = requests.get(
                f"{running_stack.url('prometheus')}/api/v1/query", params={"query": expression}, timeout=10
            )
            assert answer.ok, (dashboard.uid, expression, answer.text)

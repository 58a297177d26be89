"""The rules file and the dashboards, without an engine; promtool is Prometheus's own."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from wms_mesh.engines.prometheus import Prometheus
from wms_mesh.monitoring import dashboards, promql, rules, tools
from wms_mesh.monitoring.targets import INFRA
from wms_mesh.stack import REPO, Stack

SEVERITIES = {"critical", "warning"}
ALERTS = [rule for rule in rules.read() if rule.is_alert]
TESTS = sorted((INFRA / "tests").glob("*.yml"))


@pytest.fixture(scope="session")
def promtool() -> Path:
    """CI has it fetched; on a machine without it this part is reported as not run."""
    if os.environ.get("CI"):
        return tools.fetch()
    found = tools.find("promtool")
    if found is None:
        pytest.skip(tools.MISSING)
    return found


def owners() -> set[str]:
    groups = yaml.safe_load((REPO / "models" / "groups.yml").read_text(encoding="utf-8"))["groups"]
    return {group["owner"]["name"] for group in groups}


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_alert_rings_for_nothing_or_stays_silent(promtool: Path) -> None:
    done = subprocess.run([promtool, "test", "rules", *TESTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("secure", ["0", "1"], ids=["plain", "secure"])
def test_prometheus_refuses_its_configuration(promtool: Path, secure: str, tmp_path: Path) -> None:
    stack = Stack.from_env({**os.environ, "MESH_HOME": str(tmp_path), "MESH_MONITORING": "1", "MESH_SECURE": secure})
    Prometheus(stack).prepare()
    written = stack.conf("prometheus") / "prometheus.yml"
    done = subprocess.run([promtool, "check", "config", written], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("scheme: https" in written.read_text(encoding="utf-8")) == (secure == "1")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_alert_was_never_seen_to_ring_or_never_to_be_silent(alert: rules.Rule) -> None:
    cases: list[dict[str, Any]] = [
        case
        for path in TESTS
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for case in test.get("alert_rule_test", ())
        if case["alertname"] == alert.name
    ]
    assert {bool(case["exp_alerts"]) for case in cases} == {True, False}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_alert_reaches_nobody(alert: rules.Rule) -> None:
    assert alert.labels.get("severity") in SEVERITIES
    # Of a product the owner comes with the metric, from the project's groups.
    assert "wms_data_product_owner" in promql.metrics(alert.expression) or alert.labels.get("owner") in owners()
    assert alert.annotations.get("summary")


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_runbook_of_an_alert_is_not_there(alert: rules.Rule) -> None:
    path, _, anchor = alert.annotations["runbook"].partition("#")
    assert (REPO / path).is_file()
    assert not anchor or anchor in anchors(REPO / path)


def test_dashboard_file_is_not_what_the_code_says() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in dashboards.FOLDER.glob("*.json")}
    assert files == {dashboard.uid: dashboard.as_json() for dashboard in dashboards.DASHBOARDS}, (
        "run `python -m wms_mesh.monitoring.dashboards`"
    )


def test_metric_is_excused_that_nobody_names() -> None:
    named = rules.scraped(rules.read()).union(
        *(promql.metrics(one) for dashboard in dashboards.DASHBOARDS for one in dashboard.expressions())
    )
    assert set(rules.not_here()) <= named

"""The refresher of the running stack: changes reach silver by themselves, whatever happens to it."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from typing import Any

import pytest
import requests

from ingest.simulator.cli import simulate
from tests.stack.flow import await_silver, load, unit_of, wait_until
from tests.stack.test_survival import kill
from wms_mesh import lifecycle, sql
from wms_mesh.stack import Stack

LOAD = timedelta(hours=1)
STOP_LIMIT = 60.0  # a statement that is being planned is cancelled when the plan is made
OWN_STATEMENTS = """from system.runtime.queries where query like '/* {"app": "dbt"%'"""


def health(stack: Stack) -> dict[str, Any]:
    """What the refresher says of itself; empty while it does not answer."""
    try:
        facts: dict[str, Any] = requests.get(f"{stack.url('refresher')}/healthz", timeout=5).json()
    except requests.RequestException:
        return {}
    return facts


def merges(stack: Stack) -> bool:
    """Whether the refresher's dbt is in the middle of a merge."""
    running = sql.query(stack, f"select count(*) {OWN_STATEMENTS} and query like '%merge into%' and state = 'RUNNING'")
    return bool(running[0][0])


def test_change_waits_for_somebody_to_call_dbt(running_stack: Stack) -> None:
    simulate(running_stack, duration=timedelta(minutes=20), seed=31, deletes=0.02)
    await_silver(running_stack)
    wait_until(lambda: health(running_stack).get("is_well", False), "every product fresh")


def test_refresher_killed_in_a_merge_leaves_wrong_rows(running_stack: Stack) -> None:
    with load(running_stack, seed=32, duration=LOAD):
        wait_until(lambda: merges(running_stack), "a merge")
        kill(running_stack, "refresher")
    await_silver(running_stack)


def test_stop_in_the_middle_of_a_run_is_late_or_leaves_a_statement_behind(running_stack: Stack) -> None:
    with load(running_stack, seed=33, duration=LOAD):
        wait_until(lambda: "refresh of" in health(running_stack).get("present_job", ""), "a run")
        before = unit_of(running_stack, "refresher").pid
        assert before is not None
        [[last]] = sql.query(running_stack, f"select max(to_unixtime(created)) {OWN_STATEMENTS}")
        os.kill(before, signal.SIGTERM)
        wait_until(lambda: unit_of(running_stack, "refresher").pid != before, "the end of the process", STOP_LIMIT)
        assert "refresher: restarting ended with code 0" in running_stack.log("supervisor").read_text(encoding="utf-8")
        left = (
            f"select query {OWN_STATEMENTS} and to_unixtime(created) <= {last} and state not in ('FINISHED', 'FAILED')"
        )
        # What is not cancelled in time Trino forgets by itself after five minutes without its client.
        wait_until(lambda: not sql.query(running_stack, left), "no statement of the stopped process", 360)
        wait_until(lambda: lifecycle.status(running_stack).ready, "ready again")
    await_silver(running_stack)


@pytest.mark.parametrize("path", ["/livez", "/metrics"])
def test_probe_or_scrape_finds_nobody(running_stack: Stack, path: str) -> None:
    answer = requests.get(running_stack.url("refresher") + path, timeout=5)
    assert answer.status_code == 200
    assert "inventory" in answer.text

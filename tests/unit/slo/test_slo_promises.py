"""The promises as dbt has them: which tables answer for which product."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from dbt.artifacts.resources.types import NodeType

from wms_mesh import testing
from wms_mesh.errors import MeshError
from wms_mesh.slo.promises import promises
from wms_mesh.stack import REPO

META = {"data_product": "orders-dp", "freshness_minutes": 5, "cadence_seconds": 60}


def manifest(meta: dict[str, Any], *models: tuple[str, list[str] | None]) -> Any:
    nodes = {
        name: SimpleNamespace(name=name, resource_type=NodeType.Model, group="orders", config={"follows": follows})
        for name, follows in models
    }
    group = SimpleNamespace(name="orders", config=SimpleNamespace(meta=meta))
    return SimpleNamespace(nodes=nodes, groups={"orders": group})


CURRENT = ("orders_current", None)


def test_table_of_days_hides_the_current_state() -> None:
    [one] = promises(manifest(META, CURRENT, ("orders_daily", ["shipments_current"])))
    assert ([collection.name for collection in one.collections], one.follower) == (["orders"], None)
    [one] = promises(manifest(META, ("orders_daily", ["shipments_current", "orders_current"])))
    assert ([collection.name for collection in one.collections], one.follower) == (
        ["orders", "shipments"],
        "orders_daily",
    )


def test_promise_that_cannot_be_measured_is_passed_over() -> None:
    with pytest.raises(MeshError, match="orders-dp"):
        promises(manifest(META, ("orders_view", None)))
    with pytest.raises(MeshError, match=r"completeness 99\.9"):
        promises(manifest({**META, "completeness": 99.9}, CURRENT))
    with pytest.raises(MeshError, match="no data product 'order-dp': choose from orders-dp"):
        promises(manifest(META, CURRENT), ["order-dp"])


def test_target_is_another_than_the_group_says() -> None:
    [one] = promises(manifest({**META, "completeness": 0.999}, CURRENT))
    assert (one.freshness, one.completeness, one.accuracy) == (300.0, 0.999, None)


PRINT = """
import json, sys
from wms_mesh.refresher import project
from wms_mesh.slo.promises import promises
from wms_mesh.stack import REPO
arguments = ["--target", "embedded", "--target-path", sys.argv[1]]
dbt = project.Project(REPO, arguments, lambda **more: ("--vars", json.dumps(more)))
dbt.parse_if_changed()
print({one.product: ([each.name for each in one.collections], one.follower) for one in promises(dbt.manifest)})
"""


def test_product_of_the_project_is_not_measured(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", PRINT, str(tmp_path)],
        env={**os.environ, **testing.environment()},
        capture_output=True,
        text=True,
        check=True,
    )
    found = yaml.safe_load(result.stdout.splitlines()[-1].replace("(", "[").replace(")", "]").replace("None", "null"))
    assert found == {
        "orders-dp": [["orders"], None],
        "inventory-dp": [["inventory"], None],
        "waves-dp": [["waves"], None],
        "picking-dp": [["pick_tasks"], None],
        "packing-dp": [["pack_tasks"], None],
        "shipping-dp": [["shipments"], None],
        "labor-dp": [["workers"], None],
        "fulfillment-dp": [["orders", "shipments"], "order_fulfillment_daily"],
    }
    assert REPO.joinpath("docs/runbooks/slo-breach.md").is_file(), "./mesh slo points there"

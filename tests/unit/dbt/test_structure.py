"""dbt-bouncer.yml: no check in it is there for show. Each goes red on a copy of a sound node with one thing broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from wms_mesh import testing
from wms_mesh.stack import REPO

Node = dict[str, Any]
CONFIGURATION = yaml.safe_load((REPO / "dbt-bouncer.yml").read_text(encoding="utf-8"))
PREFIX = "wms_data_mesh"
GOLD, SILVER, SEMANTIC, SOURCE, SEED, MACRO = (
    f"model.{PREFIX}.order_fulfillment_daily",
    f"model.{PREFIX}.orders_current",
    f"model.{PREFIX}.orders.v1",
    f"source.{PREFIX}.bronze.orders_raw",
    f"seed.{PREFIX}.carriers",
    f"macro.{PREFIX}.cdc_bigint",
)


def column(name: str, data_type: str, description: str, **more: object) -> Node:
    return {"name": name, "data_type": data_type, "description": description, "tags": [], "meta": {}, **more}


KEY = [{"type": "primary_key"}]
# What is broken in a copy: fields by their dotted path.
MODELS: list[tuple[str, Node]] = [
    (SILVER, {"original_file_path": "models/staging/orders/orders_current.sql"}),
    (SILVER, {"original_file_path": "models/silver/misc/orders_current.sql"}),
    (SILVER, {"name": "orders_now", "schema": "gold", "config.materialized": "table"}),
    (GOLD, {"name": "order_fulfillment", "schema": "silver", "config.materialized": "view"}),
    (SEMANTIC, {"name": "orders_current", "schema": "gold", "config.materialized": "table"}),
    (SEMANTIC, {"latest_version": None}),
    (SEMANTIC, {"access": "protected", "config.access": "protected"}),
    (SILVER, {"columns.orderId": column("orderId", "varchar", "Source: orders.order_id.")}),
    (SILVER, {"columns.created_at.data_type": "varchar"}),
    (SILVER, {"columns.is_deleted.data_type": "varchar"}),
    (SILVER, {"columns.order_id.data_type": "bigint"}),
    (SILVER, {"columns.document_day.data_type": "varchar"}),
    (SILVER, {"columns.hit_rate": column("hit_rate", "bigint", "A fraction. Source: orders.")}),
    (SILVER, {"columns.hit_count": column("hit_count", "double", "Hits. Source: orders.")}),
    (SILVER, {"patch_path": None}),
    (SILVER, {"patch_path": f"{PREFIX}://models/silver/orders/_models.yml"}),
    (SILVER, {"patch_path": f"{PREFIX}://models/silver/orders_current.yml"}),
    (SILVER, {"description": "Orders."}),
    (SILVER, {"columns.order_id.description": ""}),
    (SILVER, {"columns.order_id.data_type": None}),
    (SILVER, {"group": None, "config.group": None}),
    (SILVER, {"columns.weight": column("weight", "double", "How heavy it is. Source: orders.weight.")}),
    (SILVER, {"columns.created_at.description": "When it was created. Source: orders.created_at."}),
    (SILVER, {"columns.customer_id.tags": []}),
    (SILVER, {"columns.order_id.description": "The order's business key."}),
    (SILVER, {"contract.enforced": False, "config.contract.enforced": False}),
    (SILVER, {"columns.order_id.constraints": KEY, "columns.document_id.constraints": KEY}),
    (SILVER, {"depends_on.nodes": [GOLD]}),
    (SILVER, {"depends_on.nodes": [SOURCE, f"{SOURCE}_too"]}),
    (SILVER, {"depends_on.nodes": [SOURCE, f"model.{PREFIX}.shipments_current"]}),
    (SILVER, {"depends_on.nodes": []}),
    (SILVER, {"raw_code": "select * from iceberg.silver.shipments_current"}),
    (SILVER, {"raw_code": "select 1;"}),
    (SILVER, {"raw_code": "\n" * 250}),
    (GOLD, {"depends_on.nodes": [SOURCE]}),
    (GOLD, {"depends_on.nodes": [SEMANTIC]}),
]
SOURCES: list[Node] = [
    {"source_description": ""},
    {"description": ""},
    {"columns.kafka_topic.description": ""},
    {"freshness": None},
    {"loader": ""},
    {"name": "Orders"},
    {"database": "same", "identifier": "same"},
    {"database": "same", "identifier": "same"},
]
SEEDS: list[Node] = [{"name": "Carriers"}, {"description": ""}, {"columns.carrier_name.description": ""}]
MACROS: list[Node] = [{"name": "cdcBigint"}, {"macro_sql": "{% macro not_in_the_file() %}"}]
EXPOSURES: list[Node] = [
    {"description": ""},
    {"owner": {"name": "Nobody"}},
    {"depends_on.nodes": []},
    {"depends_on.nodes": [f"model.{PREFIX}.worker_documents"]},
]
EXPOSURE: Node = {
    "resource_type": "exposure",
    "type": "dashboard",
    "package_name": PREFIX,
    "original_file_path": "models/exposures.yml",
    "path": "exposures.yml",
    "fqn": [PREFIX, "specimen"],
    "description": "A dashboard that shows how the orders of the day are doing.",
    "owner": {"name": "Operations", "email": "operations@wms.example"},
    "depends_on": {"nodes": [SILVER], "macros": []},
    "meta": {},
    "tags": [],
    "config": {"enabled": True, "meta": {}, "tags": []},
}


class Specimens:
    """The project's manifest with broken copies in it."""

    def __init__(self, manifest: Node) -> None:
        self.manifest = manifest
        self._numbers = count()

    def copy(self, collection: str, original: Node, broken: Node, *, tested: bool = True) -> str:
        """Add a copy under a new id, with its tests; returns the id."""
        old, new = original["unique_id"], f"{original['unique_id']}_{next(self._numbers)}"
        node = json.loads(json.dumps(original)) | {"unique_id": new}
        for path, value in broken.items():
            *parents, last = path.split(".")
            place = node
            for parent in parents:
                place = place[parent]
            place[last] = value
        self.manifest[collection][new] = node
        self.manifest["parent_map"][new] = node.get("depends_on", {}).get("nodes", [])
        self.manifest["child_map"][new] = []
        for kind in ("nodes", "unit_tests") if tested else ():
            for key, test in list(self.manifest[kind].items()):
                if test["resource_type"] in ("test", "unit_test") and old in test["depends_on"]["nodes"]:
                    moved = json.loads(json.dumps(test).replace(f'"{old}"', f'"{new}"')) | {"unique_id": f"{key}_{new}"}
                    self.manifest[kind][moved["unique_id"]] = moved
                    self.manifest["child_map"][new].append(moved["unique_id"])
        return new


def bounce(manifest: Node, folder: Path) -> list[Node]:
    """Every check's outcome on a manifest."""
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    own = {"dbt_artifacts_dir": str(folder), "custom_checks_dir": str(REPO / CONFIGURATION["custom_checks_dir"])}
    (folder / "checks.yml").write_text(yaml.safe_dump(CONFIGURATION | own), encoding="utf-8")
    result = subprocess.run(
        [
            *(Path(sys.executable).with_name("dbt-bouncer"), "run", "--config-file", folder / "checks.yml"),
            *("--output-file", folder / "outcome.json"),
        ],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    outcome = folder / "outcome.json"
    assert outcome.exists(), result.stdout + result.stderr
    found: list[Node] = json.loads(outcome.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """What `dbt parse` says of the project."""
    target = tmp_path_factory.mktemp("structure")
    subprocess.run(
        [Path(sys.executable).with_name("dbt"), "parse", "--quiet", "--target-path", target],
        cwd=REPO,
        env={**os.environ, **testing.environment()},
        check=True,
    )
    yield json.loads((target / "manifest.json").read_text(encoding="utf-8"))


def test_check_that_cannot_fail(manifest: Node, tmp_path: Path) -> None:
    specimens = Specimens(manifest)
    sound = [specimens.copy("nodes", manifest["nodes"][kind], {}) for kind in (SILVER, GOLD, SEMANTIC)]
    dashboard = EXPOSURE | {"unique_id": f"exposure.{PREFIX}.sound", "name": "sound"}
    sound.append(specimens.copy("exposures", dashboard, {"depends_on.nodes": [sound[-1]]}))
    for kind, broken in MODELS:
        specimens.copy("nodes", manifest["nodes"][kind], broken)
    specimens.copy("nodes", manifest["nodes"][SILVER], {}, tested=False)
    below = SOURCE
    for _ in range(4):  # a chain of views, one too long
        view = {"config.materialized": "view", "depends_on.nodes": [below]}
        below = specimens.copy("nodes", manifest["nodes"][SILVER], view)
    for collection, original, all_broken in (
        ("sources", manifest["sources"][SOURCE], SOURCES),
        ("nodes", manifest["nodes"][SEED], SEEDS),
        ("macros", manifest["macros"][MACRO], MACROS),
        ("exposures", EXPOSURE | {"unique_id": f"exposure.{PREFIX}.broken", "name": "broken"}, EXPOSURES),
    ):
        for broken in all_broken:
            specimens.copy(collection, original, broken)
    for test in list(manifest["unit_tests"].values())[:1]:
        test["given"][0]["format"] = "csv"
        test["expect"]["format"] = "csv"

    outcomes = bounce(manifest, tmp_path)
    red = {entry["check_run_id"].rsplit(":", 1)[0] for entry in outcomes if entry["outcome"] == "failed"}
    checks = [f"{check['name']}:{number}" for number, check in enumerate(CONFIGURATION["manifest_checks"])]
    assert [check for check in checks if check not in red] == [], "never red"
    wrong = [entry for entry in outcomes if entry["outcome"] == "failed" and entry["unique_id"] in sound]
    assert wrong == [], "red without a reason"


def test_hook_of_pre_commit_runs_something_else_than_ci() -> None:
    configuration = yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [entry["repo"] for entry in configuration["repos"]] == ["local"], "a hook would be fetched"
    hooks = configuration["repos"][0]["hooks"]
    assert [hook["entry"] for hook in hooks] == ["./mesh test lint", "./mesh test unit"]
    assert {hook["id"] for hook in hooks} <= set(testing.SUITES)
    assert {hook["language"] for hook in hooks} == {"system"}

"""The real project, parsed in this process; nothing is run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dbt.artifacts.resources.types import NodeType

from wms_mesh.errors import MeshError
from wms_mesh.refresher.products import Product, products
from wms_mesh.refresher.project import Project, fingerprint
from wms_mesh.refresher.schedule import Job, Kind
from wms_mesh.stack import REPO


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the dbt project that a test may change."""
    copy = tmp_path_factory.mktemp("project")
    for folder in ("models", "macros", "seeds", "profiles"):
        shutil.copytree(REPO / folder, copy / folder)
    (copy / "tests").mkdir()
    for path in (REPO / "tests").glob("*.sql"):
        shutil.copy(path, copy / "tests")
    shutil.copy(REPO / "dbt_project.yml", copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_PROFILES_DIR", str(copy / "profiles"))
        patch.setenv("DBT_PROJECT_DIR", str(copy))
        patch.setenv("DBT_TARGET_PATH", str(copy / "target"))
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        yield copy


@pytest.fixture(scope="module")
def project(root: Path) -> Project:
    parsed = Project(root, (), lambda **more: ("--vars", json.dumps(more)))
    assert parsed.parse_if_changed()
    return parsed


def test_promise_is_not_read_from_the_groups(project: Project) -> None:
    by_name = {product.name: product for product in project.products}
    assert by_name["inventory"] == Product(
        "inventory", 60, 15, ("+group:inventory",), owner="Inventory Team", data_product="inventory-dp"
    )
    assert all(product.cadence * 2 <= product.freshness for product in project.products)


def test_group_without_a_promise_is_never_refreshed_and_nobody_says_so(project: Project) -> None:
    manifest = project._manifest
    assert manifest is not None
    group = next(group for group in manifest.groups.values() if group.name == "orders")
    meta, group.config.meta = group.config.meta, {}
    try:
        with pytest.raises(MeshError, match=r"Group 'orders'.*freshness_minutes"):
            products(manifest)
    finally:
        group.config.meta = meta


def test_views_over_everything_have_everything_refreshed(project: Project) -> None:
    platform = next(product for product in project.products if product.name == "platform")
    assert platform.selection == ("group:platform", "+domain_events", "+ingest_ledger")


def test_model_belongs_to_no_product(project: Project) -> None:
    manifest = project._manifest
    assert manifest is not None
    names = {product.name for product in project.products}
    models = [node for node in manifest.nodes.values() if node.resource_type is NodeType.Model]
    assert models
    assert not [node.name for node in models if node.group not in names]


def test_unchanged_project_is_parsed_again_or_a_changed_one_is_not(project: Project, root: Path) -> None:
    assert not project.parse_if_changed()
    model = root / "models" / "silver" / "orders" / "orders_current.sql"
    model.write_text(model.read_text() + "\n-- changed\n")
    assert project.parse_if_changed()
    assert not project.are_seeds_new
    assert not project.parse_if_changed()
    seed = root / "seeds" / "carriers.csv"
    seed.write_text(seed.read_text() + seed.read_text().splitlines()[-1] + "\n")
    assert project.parse_if_changed()
    assert project.are_seeds_new


def test_half_saved_file_takes_the_project_away_or_is_parsed_at_every_look(project: Project, root: Path) -> None:
    before = project.products
    model = root / "models" / "silver" / "orders" / "orders_current.sql"
    whole = model.read_text()
    model.write_text("{{ config(")
    with pytest.raises(MeshError, match="cannot be parsed"):
        project.parse_if_changed()
    assert not project.parse_if_changed()
    assert project.products == before
    model.write_text(whole)
    assert project.parse_if_changed()


@pytest.mark.parametrize(
    "name",
    ["dbt_project.yml", "profiles/profiles.yml", "models/groups.yml", "macros/cdc/order.sql", "seeds/zones.csv"],
)
def test_file_of_the_project_is_not_watched(root: Path, name: str) -> None:
    before = fingerprint(root)
    path = root / name
    path.write_text(path.read_text() + "\n")
    assert fingerprint(root) != before


def test_views_are_made_on_every_run_or_never(project: Project) -> None:
    job = Job(Kind.REFRESH, "picking", 60, 300, 0)
    first = project._command(job)
    assert "--exclude" not in first
    assert "+group:picking" in first
    project._described.add("picking")
    later = ["--exclude", "config.materialized:view", "--vars", '{"docs_are_persisted": true}']
    assert project._command(job) == [*first[:3], *later]
    project._described.clear()

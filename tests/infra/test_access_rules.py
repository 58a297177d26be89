"""The access rules that a cluster and the embedded stack read are those that the roles and the models make."""

from __future__ import annotations

import json

import pytest
from dbt.contracts.graph.manifest import Manifest

from wms_mesh.access import rules
from wms_mesh.access.roles import RULES
from wms_mesh.refresher.project import Project
from wms_mesh.stack import REPO


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_PROFILES_DIR", str(REPO / "profiles"))
        patch.setenv("DBT_PROJECT_DIR", str(REPO))
        patch.setenv("DBT_TARGET_PATH", str(tmp_path_factory.mktemp("target")))
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        project = Project(REPO, (), lambda **more: ("--vars", json.dumps(more)))
        project.parse_if_changed()
        return project.manifest


def test_rules_are_not_what_the_models_say(manifest: Manifest) -> None:
    assert RULES.read_text(encoding="utf-8") == rules.text(manifest), "run `python -m wms_mesh.access.rules`"


def test_tag_of_personal_data_is_not_read(manifest: Manifest) -> None:
    personal = rules.personal_data(manifest)
    assert "varchar" in personal["silver", "workers_current"]["name"]
    assert personal["silver", "orders_current"]["shipping_address"].startswith("row(")
    assert ("silver", "zones") not in personal

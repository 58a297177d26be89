"""What the infra suite has in common: the rendered manifests, and how a missing tool is reported."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from wms_mesh.infra import tools
from wms_mesh.infra.releases import ENVIRONMENTS, Document, rendered


def not_run(reason: str) -> None:
    """On a user's machine this part is reported as not run; in CI that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"in CI nothing is left out: {reason}")
    pytest.skip(f"not run: {reason}")


@pytest.fixture(params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def manifests(environment: str) -> tuple[Document, ...]:
    return rendered(environment)


@pytest.fixture
def kubeconform() -> Path:
    found = tools.kubeconform()
    if found is None:
        not_run("there is no kubeconform, and no go to build it with: install go, or put kubeconform on the PATH")
    assert found is not None
    return found


@pytest.fixture
def schemas() -> Path:
    found = tools.schemas()
    if found is None:
        not_run("MESH_SCHEMAS names no folder with the schemas of custom resources and the charts' values")
    assert found is not None
    return found

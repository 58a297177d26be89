"""The dbt project's manifest, for who does not have it already."""

from __future__ import annotations

from dbt.contracts.graph.manifest import Manifest

from wms_mesh import transform
from wms_mesh.refresher import project
from wms_mesh.stack import REPO, Stack


def manifest(stack: Stack) -> Manifest:
    """Parse the project, in a few seconds; raises MeshError when it cannot be parsed."""
    own = str(transform.artifacts(stack).with_name("slo"))  # the refresher may parse at the same time
    project.configure({**transform.environment(stack), "DBT_TARGET_PATH": own})
    dbt = project.Project(REPO, ["--target", transform.EMBEDDED], lambda **more: transform.variables(stack, **more))
    dbt.parse_if_changed()
    return dbt.manifest

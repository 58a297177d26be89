"""dbt's targets: `embedded` needs no variable, `prod` names the one that is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wms_mesh.stack import REPO

COMPLETE = {"MESH_TRINO_HOST": "trino.example", "MESH_TRINO_USER": "analyst", "MESH_TRINO_PASSWORD": "secret"}


def parse(target: str, variables: dict[str, str], scratch: Path) -> subprocess.CompletedProcess[str]:
    """`dbt parse` from the repository's root, without any other variable of the mesh."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MESH_", "DBT_"))}
    return subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt")), "parse", "--target", target),
            *("--target-path", str(scratch / "target"), "--log-path", str(scratch / "logs")),
        ],
        cwd=REPO,
        env={**clean, "DBT_PROFILES_DIR": "profiles", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("missing", COMPLETE)
def test_missing_variable_of_production_is_not_named(missing: str, tmp_path: Path) -> None:
    given = {name: value for name, value in COMPLETE.items() if name != missing}
    result = parse("prod", given, tmp_path)
    assert result.returncode != 0
    assert missing in result.stdout


@pytest.mark.parametrize(
    ("target", "variables"),
    [
        ("embedded", {}),
        ("ci", {}),
        ("prod", COMPLETE),
        ("prod", {"MESH_TRINO_HOST": "trino.example", "MESH_TRINO_USER": "analyst", "MESH_TRINO_JWT": "token"}),
    ],
)
def test_complete_target_is_refused(target: str, variables: dict[str, str], tmp_path: Path) -> None:
    result = parse(target, variables, tmp_path)
    assert result.returncode == 0, result.stdout[-2000:]

"""Run dbt against the embedded stack."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from wms_mesh.stack import REPO, Stack


def artifacts(stack: Stack) -> Path:
    """Where dbt leaves its artifacts (manifest, run results) for this stack."""
    return stack.home / "dbt" / "target"


def environment(stack: Stack) -> dict[str, str]:
    """The variables under which dbt finds this stack from the repository's root."""
    return {
        **os.environ,
        "DBT_PROFILES_DIR": str(REPO / "profiles"),
        "DBT_TARGET_PATH": str(artifacts(stack)),
        "DBT_LOG_PATH": str(stack.home / "logs" / "dbt"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "MESH_TRINO_PORT": str(stack.port("trino")),
    }


def dbt(stack: Stack, *arguments: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Run one dbt command; ``quiet`` captures its output instead of showing it."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("dbt")), *arguments, "--vars", json.dumps({"naming_style": stack.naming})],
        cwd=REPO,
        env=environment(stack),
        text=True,
        capture_output=quiet,
        check=False,
    )


def build(stack: Stack, arguments: Sequence[str] = ()) -> int:
    """``dbt build`` of models, seeds and data tests; returns dbt's exit code (0 when all passed).

    Unit tests prove the code, not the data: they belong to the test suite, and take half of a build's time.
    """
    return dbt(stack, "build", "--exclude-resource-type", "unit_test", *arguments).returncode

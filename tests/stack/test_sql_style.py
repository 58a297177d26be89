"""sqlfluff over every model and test, with the macros they render (its dbt templater passes over macro files).

The templater compiles the models, which asks Trino what exists.
"""

from __future__ import annotations

import subprocess
import sys

from wms_mesh import transform
from wms_mesh.stack import REPO, Stack


def test_sql_breaks_the_style(resting_stack: Stack) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "sqlfluff", "lint", "models", "tests", "--disable-progress-bar"],
        cwd=REPO,
        env=transform.environment(resting_stack),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-6000:] + result.stderr[-2000:]
    assert "All Finished" in result.stdout

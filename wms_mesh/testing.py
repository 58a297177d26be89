"""``./mesh test``: the same suites for a person, for pre-commit and for CI."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from wms_mesh.errors import MeshError
from wms_mesh.stack import REPO

PYTHON_CODE = ("wms_mesh", "ingest", "benchmarks", "tests")

# Each suite is a list of commands; the stack suite starts its own stack, away from the user's.
SUITES: dict[str, list[list[str]]] = {
    "lint": [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy", *PYTHON_CODE],
        ["dbt", "parse", "--warn-error", "--no-partial-parse"],
        ["dbt-bouncer", "run", "--show-all-failures"],  # reads the manifest that the line above leaves in target/
        # The same manifest: what is checked in is what the models and suites make, and datacontract-cli accepts it.
        ["python", "-m", "wms_mesh.cli", "contracts", "--check", "--manifest", "target/manifest.json"],
        ["pre-commit", "validate-config"],
    ],
    "unit": [["pytest", "tests/unit"]],
    "infra": [["pytest", "tests/infra", "--durations=5"]],  # the deployment: no cluster, no engine, no network
    # What comes from others; it asks the package index, and says so when that does not answer.
    "supply": [["pytest", "tests/supply"], ["python", "-m", "wms_mesh.supply"]],
    "stack": [
        ["pytest", "tests/stack", "--verbose", "--capture=no", "--durations=20"]
    ],  # minutes long: it shows what it does
    "chaos": [["pytest", "tests/chaos", "--verbose", "--capture=no", "--durations=20"]],
}

# Ten minutes and more on a stack that is struck: on demand.
ON_DEMAND = ("chaos",)


def environment() -> dict[str, str]:
    """What every command of a suite runs under: a user's own dbt settings would lead it elsewhere."""
    return {
        "PYTHONPATH": str(REPO),
        "DBT_PROFILES_DIR": str(REPO / "profiles"),
        "DBT_TARGET_PATH": str(REPO / "target"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # In the 80 columns of a log dbt-bouncer folds its sentences letter by letter.
        "COLUMNS": str(max(160, shutil.get_terminal_size().columns)),
    }


def run(suite: str | None, arguments: Sequence[str]) -> int:
    """Run one suite, or all but those on demand; returns 0 when every command did.

    arguments: added to the pytest commands. Raises MeshError for a suite that does not exist.
    """
    if suite is not None and suite not in SUITES:
        raise MeshError(f"There is no suite '{suite}': choose from {', '.join(SUITES)}.")
    console = Console(stderr=True)
    failed: list[str] = []
    for name in [suite] if suite else [each for each in SUITES if each not in ON_DEMAND]:
        for program, *options in SUITES[name]:
            shown = " ".join([program, *options])
            console.rule(f"{name}: {shown}", align="left")
            started = time.monotonic()
            extra = arguments if program == "pytest" else ()
            code = subprocess.run(
                [str(Path(sys.executable).with_name(program)), *options, *extra],
                cwd=REPO,
                env={**os.environ, **environment()},
                stdin=subprocess.DEVNULL,
                check=False,
            ).returncode
            console.print(f"{shown}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s")
            if code:
                failed.append(shown)
    if failed:
        console.print(f"[red]Failed: {'; '.join(failed)}[/red]", highlight=False)
    return 1 if failed else 0

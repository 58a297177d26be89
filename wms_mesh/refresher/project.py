"""The dbt project in this process: parsed once, and again when one of its files changed; run job by job."""

from __future__ import annotations

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dbt.adapters.factory import FACTORY
from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from wms_mesh.errors import MeshError
from wms_mesh.refresher.products import Product, products
from wms_mesh.refresher.schedule import Job, Kind, Outcome

# What a parse reads, as patterns below the project's root.
FILES = (
    "dbt_project.yml",
    "packages.yml",
    "profiles/*.yml",
    "tests/*.sql",
    *(f"{folder}/**/*" for folder in ("models", "macros", "seeds")),
)
# Results and errors are read here, so dbt prints nothing; and it writes no artifacts, which takes 0.1 s a run.
QUIET = ("--log-level", "none", "--log-level-file", "none", "--no-write-json", "--cache-selected-only")
CANCEL_EVERY = 0.3  # seconds


class Project:
    """The project at ``root``. arguments: dbt's options for every command. variables: its --vars, with some more."""

    def __init__(self, root: Path, arguments: Sequence[str], variables: Callable[..., tuple[str, str]]) -> None:
        self.root = root
        self.arguments = [*QUIET, *arguments]
        self.variables = variables
        self.products: list[Product] = []
        self.are_seeds_new = True
        self._manifest: Manifest | None = None
        self._files: frozenset[tuple[str, int, int]] = frozenset()
        self._described: set[str] = set()  # products whose views were made since the project was parsed

    def parse_if_changed(self) -> bool:
        """Parse when a file changed since the last parse; returns whether it did.

        Raises MeshError when the project cannot be used; what was parsed before stays in use, until files change again.
        """
        files = fingerprint(self.root)
        if files == self._files:
            return False
        self._files = files
        result = self._invoke(["parse", *self.variables()])
        if not isinstance(result.result, Manifest):
            raise MeshError(f"The dbt project cannot be parsed: {reason(result)}")
        self.products = products(result.result)
        self.are_seeds_new = self._manifest is None or seeds(self._manifest) != seeds(result.result)
        self._manifest = result.result
        self._described.clear()
        return True

    @property
    def manifest(self) -> Manifest:
        """The project as it was parsed last. Raises MeshError before that."""
        if self._manifest is None:
            raise MeshError("The dbt project is not parsed yet: `./mesh logs refresher` says how far it is.")
        return self._manifest

    def run(self, job: Job) -> Outcome:
        """Do one job; a failure is an outcome."""
        outcome = read(job, self._invoke(self._command(job), self._manifest))
        if job.kind is Kind.REFRESH and outcome.is_success:
            self._described.add(job.product)
        return outcome

    def _invoke(self, command: list[str], manifest: Manifest | None = None) -> dbtRunnerResult:
        result = dbtRunner(manifest).invoke([*command, *self.arguments])
        if isinstance(result.exception, KeyboardInterrupt):  # dbt keeps it for itself
            raise result.exception
        return result

    def _command(self, job: Job) -> list[str]:
        if job.kind is Kind.SEEDS:
            return ["seed", *self.variables()]
        if job.kind is Kind.TESTS:
            data_tests = ("--select", f"group:{job.product}", "--exclude-resource-type", "unit_test")
            return ["test", *data_tests, *self.variables()]
        product = next(product for product in self.products if product.name == job.product)
        run = ["run", "--select", *product.selection]
        if job.product in self._described:
            # A view holds no data: it is made anew after a parse only (1 s each, for its columns' comments).
            return [*run, "--exclude", "config.materialized:view", *self.variables(docs_are_persisted=True)]
        return [*run, *self.variables()]


def fingerprint(root: Path) -> frozenset[tuple[str, int, int]]:
    """Name, size and time of change of every file that a parse reads (2 ms for 100 files)."""
    found = set()
    for pattern in FILES:
        for path in root.glob(pattern):
            with contextlib.suppress(FileNotFoundError):  # it went away just now
                status = path.stat()
                found.add((str(path), status.st_size, status.st_mtime_ns))
    return frozenset(found)


def seeds(manifest: Manifest) -> frozenset[tuple[str, str]]:
    """Every seed with its content's checksum."""
    return frozenset(
        (node.unique_id, node.checksum.checksum)
        for node in manifest.nodes.values()
        if node.resource_type is NodeType.Seed
    )


def read(job: Job, result: dbtRunnerResult) -> Outcome:
    """What dbt's result says of a job."""
    if not isinstance(result.result, RunExecutionResult):
        return Outcome(False, reason(result))
    bad = [one for one in result.result.results if one.status in ("error", "fail", "runtime error")]
    message = "; ".join(f"{one.node.name}: {first_line(str(one.message))}" for one in bad[:3])
    if job.kind is Kind.TESTS:
        return Outcome(True, message, failed_tests=len(bad))
    rows: Counter[str] = Counter()
    for one in result.result.results:
        # -1 is dbt-trino's word for a statement without a count (a view).
        rows[getattr(one.node, "group", None) or job.product] += max(
            0, int(one.adapter_response.get("rows_affected") or 0)
        )
    return Outcome(not bad, message, dict(rows))


def reason(result: dbtRunnerResult) -> str:
    """Why dbt gave no result."""
    return first_line(str(result.exception)) or "dbt gave no result"


def first_line(text: str) -> str:
    """The part of a message that says what is wrong: dbt puts a heading of its own before it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[:2])[:600]


def cancel_until_exit() -> None:
    """Cancel every statement of dbt, again and again: a cancelled model may be between two of them."""
    while True:
        adapters: list[Any] = list(FACTORY.adapters.values())
        for adapter in adapters:
            with contextlib.suppress(Exception):  # it ended in the meantime: what we want
                adapter.cancel_open_connections()
        time.sleep(CANCEL_EVERY)


def configure(environment: dict[str, str]) -> None:
    """dbt in this process reads its settings from this process's environment."""
    os.environ.update(environment)

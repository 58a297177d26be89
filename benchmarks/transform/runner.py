"""dbt as the benchmark invokes it: in this process with a parsed manifest, as the refresher does, or from the shell."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from benchmarks.transform.recorder import Recorder
from benchmarks.transform.sandbox import PREFIX
from benchmarks.transform.statistics import Cost
from wms_mesh import transform
from wms_mesh.errors import MeshError
from wms_mesh.refresher.products import products
from wms_mesh.refresher.project import QUIET
from wms_mesh.stack import REPO, Naming, Stack


class RunError(MeshError):
    """A failed ``dbt run``, which is a result, too: a plain merge of many rows can need more memory than there is."""


@dataclass(frozen=True)
class Run:
    """One dbt run: how long it took, and what Trino did for it."""

    seconds: float
    cost: Cost


class Project:
    """A dbt project that writes into the sandbox; its manifest is parsed once."""

    def __init__(self, stack: Stack, folder: Path = REPO, variables: Mapping[str, object] | None = None) -> None:
        self._stack = stack
        self._folder = folder
        self._variables = {"schema_prefix": PREFIX, "naming_style": Naming.SNAKE_CASE, **(variables or {})}
        self._environment = {
            **transform.environment(stack),
            "DBT_TARGET_PATH": str(stack.home / "bench" / folder.name),
            "DBT_LOG_PATH": str(stack.home / "logs" / "bench"),
        }
        with _environ(self._environment):
            self._manifest: Manifest = self._call(dbtRunner(), "parse")

    def refresh_of(self, product: str) -> tuple[str, ...]:
        """The options with which the refresher runs a data product that it has run before."""
        (selection,) = (each.selection for each in products(self._manifest) if each.name == product)
        return ("--select", *selection, "--exclude", "config.materialized:view")

    def compiled(self, model: str) -> str:
        """The SQL of a model, as its materialization gets it."""
        with _environ(self._environment):
            result = self._call(dbtRunner(manifest=self._manifest), "compile", "--select", model)
        return str(result.results[0].node.compiled_code)

    def run(self, *options: str) -> Run:
        """``dbt run`` in this process, recorded."""
        recorder = Recorder(self._stack)
        with _environ(self._environment), recorder.recording() as cost:
            began = time.monotonic()
            self._call(dbtRunner(manifest=self._manifest), "run", *options)
            seconds = time.monotonic() - began
        return Run(seconds, cost)

    def run_from_shell(self, *options: str) -> float:
        """Seconds of ``dbt run`` from the shell: interpreter, imports, reading of the manifest and all."""
        began = time.monotonic()
        done = subprocess.run(
            [str(Path(sys.executable).with_name("dbt")), *self._arguments("run", options, self._variables)],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RunError(f"`dbt run {' '.join(options)}` from the shell ended with code {done.returncode}.")
        return time.monotonic() - began

    def _call(self, runner: dbtRunner, command: str, *options: str) -> Any:
        """What the command returns. Raises RunError when it fails."""
        # As in the refresher: a table has its comments from its DDL, nobody asks again.
        variables = {**self._variables, "docs_are_persisted": True}
        outcome = runner.invoke(self._arguments(command, options, variables))
        if isinstance(outcome.exception, KeyboardInterrupt):
            raise outcome.exception
        if not outcome.success:
            messages = [result.message for result in getattr(outcome.result, "results", []) if result.message]
            # dbt ends its words with the compiled file's place on this machine, and the page is published.
            said = re.sub(r"\n\s*compiled code at .*", "", str(outcome.exception or "; ".join(messages)))
            raise RunError(f"`dbt {command}` of the benchmark failed: {said}")
        return outcome.result

    def _arguments(self, command: str, options: Sequence[str], variables: Mapping[str, object]) -> list[str]:
        return [command, "--project-dir", str(self._folder), "--vars", json.dumps(variables), *QUIET, *options]


@contextlib.contextmanager
def _environ(values: Mapping[str, str]) -> Iterator[None]:
    """dbt reads its settings from the environment of this process."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

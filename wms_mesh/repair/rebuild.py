"""Build a model's table anew from its sources, while readers keep the one that they have."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from difflib import get_close_matches

from wms_mesh import sql, transform
from wms_mesh.errors import MeshError
from wms_mesh.stack import Stack

REBUILDABLE = ("current_state", "first_seen", "daily")


@dataclass(frozen=True)
class Outcome:
    """before, after: rows of the table. differing: rows that were written or removed."""

    before: int
    after: int
    differing: int


def table(stack: Stack, model: str) -> str:
    """The table (``schema.name``) of a model that can be rebuilt.

    Raises MeshError for one that does not exist, that is a view, or whose history stands nowhere else.
    """
    listed = transform.dbt(
        stack, "ls", "--resource-type", "model", "--output", "json", "--output-keys", "name schema config", quiet=True
    )
    if listed.returncode != 0:
        raise MeshError(f"dbt cannot read the project: {listed.stdout.strip()[-600:]}")
    lines = [line[line.index("{") :] for line in listed.stdout.splitlines() if re.search(r'\{"name"', line)]
    models = {one["name"]: one for one in map(json.loads, lines)}
    if model not in models:
        near = ", ".join(get_close_matches(model, models)) or ", ".join(sorted(models))
        raise MeshError(f"There is no model '{model}': choose from {near}.")
    config = models[model]["config"]
    if config["materialized"] == "view":
        raise MeshError(f"{model} is a view: it holds no rows and shows its sources as they are.")
    if config["full_refresh"] is False or config["materialized"] not in REBUILDABLE:
        raise MeshError(f"{model} keeps what no source holds any more (a row for each run): rebuilding would lose it.")
    return f"{models[model]['schema']}.{model}"


def run(stack: Stack, model: str, name: str) -> Outcome:
    """Run dbt's full refresh of the model; ``name`` is its table.

    Raises MeshError when dbt fails: the table is as it was.
    """
    before = _count(stack, name)
    done = transform.dbt(stack, "run", "--full-refresh", "--select", model, quiet=True)
    if done.returncode != 0:
        raise MeshError(f"The table is as it was, dbt failed: {_reason(done.stdout)}")
    results = json.loads((transform.artifacts(stack) / "run_results.json").read_text(encoding="utf-8"))["results"]
    (differing,) = [int(one["adapter_response"]["rows_affected"]) for one in results]
    return Outcome(before, _count(stack, name), differing)


def _count(stack: Stack, name: str) -> int:
    schema, _, identifier = name.partition(".")
    found = sql.query(
        stack,
        "select 1 from iceberg.information_schema.tables"
        f" where table_schema = '{schema}' and table_name = '{identifier}'",
    )
    return int(sql.query(stack, f"select count(*) from {name}")[0][0]) if found else 0


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " ".join(lines[-8:])[-600:]

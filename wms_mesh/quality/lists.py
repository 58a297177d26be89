"""Value sets that stand somewhere already: an expectation points at them, and they are read when it is loaded."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from wms_mesh.errors import MeshError
from wms_mesh.stack import REPO

# {"seed": "status_values", "column": "status", "where": {"entity": "order"}}: a column of seeds/status_values.csv.
# {"model": "orders_current", "column": "priority"}: the accepted values in the model's yml.
_SEED, _MODEL = {"seed", "column"}, {"model", "column"}


def is_reference(value: object) -> bool:
    """Whether a value of a suite points at a list."""
    return isinstance(value, Mapping) and set(value) - {"where"} in (_SEED, _MODEL)


def resolve(value: Any) -> Any:
    """The same with every reference in it, however deep, replaced by its list.

    Raises MeshError for a reference to what does not exist, or to an empty list: nothing would be in it.
    """
    if is_reference(value):
        return list(_values(value))
    if isinstance(value, Mapping):
        return {key: resolve(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [resolve(entry) for entry in value]
    return value


def is_personal(model: str, column: str) -> bool:
    """Whether the model's yml tags a column as personal."""
    return "pii" in _columns(model).get(column, {}).get("config", {}).get("tags", [])


def _values(reference: Mapping[str, Any]) -> list[str]:
    column = reference["column"]
    if "seed" in reference:
        where = reference.get("where", {})
        rows = [row for row in _seed(reference["seed"]) if all(row.get(key) == text for key, text in where.items())]
        found = [row[column] for row in rows if row.get(column)]
    else:
        found = _accepted_values(reference["model"], column)
    if not found:
        raise MeshError(f"A suite in quality/expectations points at {dict(reference)}: there is no such list.")
    return found


@cache
def _seed(name: str) -> tuple[dict[str, str], ...]:
    path = REPO / "seeds" / f"{name}.csv"
    if not path.is_file():
        raise MeshError(f"A suite in quality/expectations points at the seed '{name}': there is no seeds/{name}.csv.")
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _accepted_values(model: str, column: str) -> list[str]:
    for test in _columns(model).get(column, {}).get("data_tests", []):
        if isinstance(test, Mapping) and "accepted_values" in test:
            return [str(value) for value in test["accepted_values"]["arguments"]["values"]]
    return []


def _columns(model: str) -> dict[str, Any]:
    described = next((one for one in _models() if one["name"] == model), None)
    return {one["name"]: one for one in described["columns"]} if described else {}


@cache
def _models() -> tuple[dict[str, Any], ...]:
    """Every model that a yml describes. Read without dbt, whose parse takes seconds."""
    found: list[dict[str, Any]] = []
    for path in sorted(Path(REPO / "models").rglob("*.yml")):
        found.extend((yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("models", []))
    return tuple(found)

"""The status sets and state machines, read from the seeds that dbt loads, too."""

from __future__ import annotations

import csv
from functools import cache

from wms_mesh.stack import REPO

SEEDS = REPO / "seeds"


class UnknownStatusError(ValueError):
    """A status, or a step between two of them, that the seeds do not list."""


class Statuses:
    """Allowed statuses and steps per entity."""

    def __init__(self, values: dict[tuple[str, str], bool], steps: frozenset[tuple[str, str, str]]) -> None:
        self._values = values
        self._steps = steps

    def initial(self, entity: str, status: str) -> str:
        """The status, when an entity may begin with it; raise UnknownStatusError otherwise."""
        if not self._values.get((entity, status), False):
            raise UnknownStatusError(f"{entity} cannot begin as '{status}': seeds/status_values.csv does not say so.")
        return status

    def step(self, entity: str, current: str, status: str) -> str:
        """The status, when an entity may step to it from ``current``; raise UnknownStatusError otherwise."""
        if (entity, current, status) not in self._steps:
            raise UnknownStatusError(
                f"{entity} cannot go from '{current}' to '{status}': seeds/status_transitions.csv does not say so."
            )
        return status


@cache
def load() -> Statuses:
    """Read both seeds."""
    with (SEEDS / "status_values.csv").open(encoding="utf-8", newline="") as file:
        values = {(row["entity"], row["status"]): row["is_initial"] == "true" for row in csv.DictReader(file)}
    with (SEEDS / "status_transitions.csv").open(encoding="utf-8", newline="") as file:
        steps = frozenset((row["entity"], row["from_status"], row["to_status"]) for row in csv.DictReader(file))
    unknown = sorted({(entity, end) for entity, *ends in steps for end in ends} - values.keys())
    if unknown:
        raise UnknownStatusError(
            f"seeds/status_transitions.csv names {unknown}, which seeds/status_values.csv does not list."
        )
    return Statuses(values, steps)

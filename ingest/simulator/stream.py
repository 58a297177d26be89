"""Random streams that depend on a name and numbers only: the same on every machine and in every process."""

from __future__ import annotations

import random


def stream(*parts: object) -> random.Random:
    """A stream of its own for each name, so that drawing more in one place moves nothing in another."""
    return random.Random(":".join(str(part) for part in parts))  # noqa: S311 - a simulation, no secret

"""What is asked of Great Expectations, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from wms_mesh.quality.suites import Expectation


@dataclass(frozen=True)
class Part:
    """Expectations that look at the same rows. name: unique in the product. rows: the query. key: names a row."""

    name: str
    rows: str
    key: tuple[str, ...]
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True)
class Found:
    """What became of one expectation. evaluated: rows, None when the library does not say. value: what it saw."""

    is_success: bool
    evaluated: int | None = None
    failed: int = 0
    keys: list[str] = field(default_factory=list)
    value: Any = None
    error: str = ""

"""The parts in which a rebuild is swapped in: macros/cdc/swap.sql without an engine."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import Environment

from wms_mesh.stack import REPO


class Returned(Exception):  # noqa: N818 - no error: dbt's return() leaves a macro this way
    """The value that a macro returned."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


def _return(value: Any) -> None:
    raise Returned(value)


def _groups(rows: dict[str, int], most_days: int, most_rows: int) -> list[list[str]]:
    environment = Environment(extensions=["jinja2.ext.do"], autoescape=False)
    environment.globals = {**environment.globals, "return": _return}
    macros: Any = environment.from_string((REPO / "macros/cdc/swap.sql").read_text(encoding="utf-8")).module
    with pytest.raises(Returned) as returned:
        macros.cdc_day_groups(rows, most_days, most_rows)
    groups: list[list[str]] = returned.value.value
    return groups


def test_small_difference_takes_more_than_one_commit() -> None:
    assert _groups({"2026-03-02": 5, "2026-03-01": 5}, 100, 10) == [["2026-03-01", "2026-03-02"]]


def test_nothing_to_swap_is_a_commit() -> None:
    assert _groups({}, 100, 10) == []


def test_more_days_are_written_at_once_than_trino_opens() -> None:
    assert _groups({"2026-03-01": 1, "2026-03-02": 1, "2026-03-03": 1}, 2, 10) == [
        ["2026-03-01", "2026-03-02"],
        ["2026-03-03"],
    ]


def test_more_rows_are_joined_at_once_than_fit() -> None:
    assert _groups({"2026-03-01": 6, "2026-03-02": 5, "2026-03-03": 5, "2026-03-04": 99}, 100, 10) == [
        ["2026-03-01"],
        ["2026-03-02", "2026-03-03"],
        ["2026-03-04"],
    ]


def test_groups_overlap_in_time() -> None:
    """A group of more than 400 days is a range from its first to its last: nothing of another group may lie in it."""
    groups = _groups({f"2026-03-{day:02}": day for day in range(1, 32)}, 7, 40)
    assert [day for group in groups for day in group] == [f"2026-03-{day:02}" for day in range(1, 32)]

"""The days that a daily model computes again, as literals: macros/gold/touched.sql without an engine."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
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


@pytest.fixture
def macros() -> Any:
    environment = Environment(extensions=["jinja2.ext.do"], autoescape=False)
    environment.globals = {**environment.globals, "return": _return, "modules": SimpleNamespace(datetime=dt)}
    return environment.from_string((REPO / "macros/gold/touched.sql").read_text(encoding="utf-8")).module


def _ranges(macros: Any, days: list[str], back: int = 0) -> list[tuple[str, str]]:
    with pytest.raises(Returned) as returned:
        macros.touched_ranges(days, back)
    return [(part["first"], part["last"]) for part in returned.value.value]


def test_days_in_a_row_are_one_range(macros: Any) -> None:
    assert _ranges(macros, ["2026-03-02", "2026-02-28", "2026-03-01", "2026-03-04"]) == [
        ("2026-02-28", "2026-03-02"),
        ("2026-03-04", "2026-03-04"),
    ]


def test_trailing_month_reaches_29_days_back(macros: Any) -> None:
    assert _ranges(macros, ["2026-03-31"], 29) == [("2026-03-02", "2026-03-31")]
    assert _ranges(macros, ["2026-03-31", "2026-04-30"], 29) == [("2026-03-02", "2026-04-30")]


def test_impossible_years_of_the_source_do_not_stop_a_run(macros: Any) -> None:
    assert _ranges(macros, ["0001-01-01", "9999-12-31"], 29) == [
        ("0001-01-01", "0001-01-01"),
        ("9999-12-02", "9999-12-31"),
    ]


def test_last_microsecond_of_a_day_belongs_to_it(macros: Any) -> None:
    predicate = macros.touched_predicate("shipped_at", "in_days", [{"first": "2026-03-01", "last": "2026-03-02"}])
    assert "between timestamp '2026-03-01 00:00:00 UTC' and timestamp '2026-03-02 23:59:59.999999 UTC'" in predicate
    assert "shipped_at is null" in predicate

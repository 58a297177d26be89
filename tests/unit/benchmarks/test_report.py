"""Verdicts from made-up measurements."""

from __future__ import annotations

import json

from benchmarks.transform import report
from benchmarks.transform.measure import ENGINE, MERGE, Change, Measurement, Refresh, Results, same_change
from benchmarks.transform.runner import Run
from benchmarks.transform.sandbox import ORDERS_CURRENT, ORDERS_MERGE
from benchmarks.transform.statistics import Cost


def measurement(documents: int, count: int, rows: int, *seconds: float, way: str = ENGINE) -> Measurement:
    table = ORDERS_CURRENT if way == ENGINE else ORDERS_MERGE
    runs = tuple(Run(each, Cost(statements=1, read={table: rows})) for each in seconds)
    return Measurement(documents, Change("recent", count), way, table, runs)


def results(*measurements: Measurement, refreshes: tuple[Refresh, ...] = ()) -> Results:
    return Results(2000, 0.0, list(measurements), list(refreshes))


def verdicts(of: Results) -> dict[str, bool]:
    return {target.promise: target.is_met for target in report.targets(of)}


def test_the_plain_merge_decides_whether_the_engine_meets_its_target() -> None:
    found = results(
        measurement(100_000, 1000, 100_000, 1.0, way=MERGE),
        measurement(100_000, 1000, 5_000, 1.0),
    )
    assert list(verdicts(found).values()) == [True]


def test_reading_a_row_too_many_counts_as_met() -> None:
    assert list(verdicts(results(measurement(100_000, 1000, 5_001, 1.0))).values()) == [False]


def test_growth_is_judged_by_a_larger_change() -> None:
    found = results(
        measurement(100_000, 1000, 1, 2.0),
        measurement(5_000_000, 1000, 1, 2.9),
        measurement(5_000_000, 50_000, 1, 60.0),
    )
    growth = next(target for target in report.targets(found) if "same change" in target.promise)
    assert growth.is_met
    assert "1.45 times" in growth.measured


def test_one_slow_run_decides() -> None:
    refresh = Refresh(100_000, (1.0, 1.1, 30.0), (7.0, 7.5, 8.5))
    found = results(measurement(100_000, 1000, 1, 1.0), refreshes=(refresh,))
    assert all(verdicts(found).values())


def test_the_same_change_depends_on_the_order_of_the_sizes() -> None:
    assert same_change([5_000_000, 100_000]) == same_change([100_000, 5_000_000]) == 1000


def test_a_failed_run_passes_for_a_fast_one() -> None:
    failed = Measurement(100_000, Change("recent", 1000), ENGINE, ORDERS_CURRENT, (), "out of memory")
    assert [(target.measured, target.is_met) for target in report.targets(results(failed))] == [
        ("out of memory", False)
    ]
    assert report.rows(results(failed))[0][4] == "failed"
    assert len(report.rows(results(failed))[0]) == len(report.COLUMNS)


def test_a_result_cannot_be_saved() -> None:
    found = results(measurement(100_000, 1000, 4000, 1.0))
    assert json.loads(json.dumps(report.as_json(found)))["measurements"][0]["runs"][0]["cost"]["read"]
    page = report.as_markdown(found)
    assert "| 100,000 | 1,000 | recent | current_state | 1.0 |" in page
    assert "{" not in page

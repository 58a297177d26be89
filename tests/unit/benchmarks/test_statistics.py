"""Trino's account of a statement, cut down to what is read of it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from benchmarks.transform import statistics


def operator(stage: int, node: str, rows: int) -> dict[str, Any]:
    return {"stageId": stage, "planNodeId": node, "physicalInputPositions": rows}


def scan(node: str) -> dict[str, Any]:
    return {"@type": "tableScan", "id": node, "table": {}, "assignments": {"id": 7}}


def stage(number: int, root: dict[str, Any], tables: dict[str, str], *children: dict[str, Any]) -> dict[str, Any]:
    return {
        "stageId": f"20261124_170545_03862_9fsc3.{number}",
        "plan": {"root": root},
        "tables": {node: {"tableName": name} for node, name in tables.items()},
        "subStages": list(children),
    }


def statement(operators: list[dict[str, Any]], outer: dict[str, Any] | None, **stats: Any) -> dict[str, Any]:
    return {
        "finalQueryInfo": True,
        "pruned": False,
        "outputStage": outer,
        "queryStats": {
            "totalCpuTime": "29.00ms",
            "planningCpuTime": "1.00ms",
            "physicalInputPositions": sum(each["physicalInputPositions"] for each in operators),
            "physicalInputDataSize": "2930B",
            "physicalWrittenDataSize": "0B",
            "writtenPositions": 0,
            "operatorSummaries": operators,
            **stats,
        },
    }


def test_rows_of_the_target_are_counted_as_bronze() -> None:
    # The scan of bronze also filters, so its operator has the filter's id; two scans share the stage of the union.
    joined = {
        "@type": "join",
        "id": "6",
        "left": {"@type": "filter", "id": "383", "source": scan("1")},
        "right": {"@type": "exchange", "id": "8", "sources": [{"@type": "project", "id": "9", "source": scan("2")}]},
    }
    inner = stage(2, scan("0"), {"0": "iceberg.silver.orders_current"})
    outer = stage(1, joined, {"1": "iceberg.bronze.orders_raw", "2": "iceberg.bronze.orders_raw"}, inner)
    operators = [operator(1, "383", 4219), operator(1, "9", 81), operator(1, "6", 0), operator(2, "0", 1558)]

    assert statistics.rows_by_table(statement(operators, outer)) == {
        "iceberg.bronze.orders_raw": 4300,
        "iceberg.silver.orders_current": 1558,
    }


def test_a_statement_without_a_plan_stops_the_measurement() -> None:
    assert statistics.rows_by_table(statement([], None)) == {}


def test_a_pruned_account_passes_for_a_whole_one() -> None:
    cost = statistics.Cost()
    cost.add({**statement([], None), "pruned": True})
    cost.add(statement([], None))
    assert (cost.statements, cost.unaccounted) == (2, 1)


def test_two_statements_are_not_added_up() -> None:
    cost = statistics.Cost()
    one = statement([operator(0, "0", 5)], stage(0, scan("0"), {"0": "iceberg.silver.orders_current"}))
    for _ in range(2):
        cost.add(one)
    assert cost.read == {"iceberg.silver.orders_current": 10}
    assert (cost.read_rows, cost.read_bytes) == (10, 5860)
    assert cost.cpu_seconds == pytest.approx(0.06)


def test_the_json_of_a_cost_loses_the_rows_by_table() -> None:
    cost = statistics.Cost(read={"iceberg.silver.orders_current": 10})
    assert json.loads(json.dumps(asdict(cost)))["read"] == {"iceberg.silver.orders_current": 10}


@pytest.mark.parametrize(
    ("text", "expected"), [("0B", 0), ("2930B", 2930), ("1kB", 1024), ("1.50MB", 1572864), ("2.1GB", 2254857830)]
)
def test_a_data_size_is_read_in_the_wrong_unit(text: str, expected: int) -> None:
    assert statistics.size(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("0.00ns", 0), ("159.73us", 159.73e-6), ("29.00ms", 0.029), ("1.03m", 61.8), ("2.00h", 7200)]
)
def test_a_duration_is_read_in_the_wrong_unit(text: str, expected: float) -> None:
    assert statistics.seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "12", "12 B", "-1B", "1.5XB", "1kBs"])
def test_a_text_that_is_no_quantity_counts_as_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        statistics.size(text)

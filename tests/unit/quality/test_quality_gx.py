"""Great Expectations as it is used here, on a database in a file: counts, keys, errors and pages are right."""

from __future__ import annotations

import socket
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wms_mesh.errors import MeshError
from wms_mesh.quality.parts import Found, Part
from wms_mesh.quality.suites import Batch, Expectation, Suite

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Two orders share an id; one is lost, one has no priority, one was updated before it was created.
ROWS = [("A", "done", 1, 5, 6), ("A", "done", 1, 5, 6), ("B", "lost", 1, 5, 6), ("C", "done", None, 5, 4)]
BATCH = Batch("orders", "silver.orders", "select * from {table}", ("order_id",), "at")


def expectation(name: str, kind: str, **kwargs: Any) -> Expectation:
    return Expectation(name, kind, kwargs, "critical", "Because.", BATCH)


UNIQUE = expectation("unique", "expect_column_values_to_be_unique", column="order_id")
KNOWN = expectation("known", "expect_column_values_to_be_in_set", column="status", value_set=["done"])
THERE = expectation("there", "expect_column_values_to_not_be_null", column="priority")
MOSTLY = expectation("mostly", "expect_column_values_to_not_be_null", column="priority", mostly=0.7)
ORDERED = expectation(
    "ordered",
    "expect_column_pair_values_a_to_be_greater_than_b",
    column_A="updated",
    column_B="created",
    or_equal=True,
    ignore_row_if="either_value_is_missing",
)
MANY = expectation("many", "expect_table_row_count_to_be_between", min_value=100)
SOME = expectation("some", "expect_table_row_count_to_be_between", min_value=1)
DONE = expectation(
    "done",
    "expect_column_values_to_not_be_null",
    column="priority",
    row_condition={"type": "comparison", "column": {"name": "status"}, "operator": "==", "parameter": "lost"},
)
UNDONE = expectation(
    "undone",
    "expect_column_values_to_not_be_null",
    column="priority",
    row_condition={"type": "comparison", "column": {"name": "status"}, "operator": "==", "parameter": "done"},
)
GONE = expectation("gone", "expect_column_values_to_not_be_null", column="colour")
PAIR = expectation("pair", "expect_compound_columns_to_be_unique", column_list=["order_id", "status"])


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "orders.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table orders (order_id text, status text, priority int, created int, updated int)")
        connection.executemany("insert into orders values (?, ?, ?, ?, ?)", ROWS)
    return f"sqlite:///{path}"


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    return tmp_path / "docs"


def check(database: str, docs: Path, *expectations: Expectation, rows: str = "orders") -> dict[str, Found]:
    from wms_mesh.quality import gx

    suite = Suite("orders-dp", "orders_dp_quality", "orders_dp_checkpoint", expectations)
    part = Part("orders.all", f"select * from (select * from {rows}) as batch", BATCH.key, expectations)
    return gx.check({"connection_string": database}, suite, [part], "run", NOW, docs, 2)


def test_failing_row_is_not_named_or_a_sound_one_is(database: str, docs: Path) -> None:
    found = check(database, docs, UNIQUE, KNOWN, THERE, MOSTLY, ORDERED, MANY, SOME, DONE, UNDONE, PAIR)
    assert {name for name, one in found.items() if one.is_success} == {"mostly", "some", "done"}
    assert not [one.error for one in found.values() if one.error]
    named = {name: (one.failed, one.keys) for name, one in found.items()}
    assert named["unique"] == named["pair"] == (2, ["A"])
    assert named["known"] == (1, ["B"])
    assert named["there"] == named["ordered"] == (1, ["C"])
    assert named["undone"] == (1, ["C"]), "where the expectation is for some rows only"
    assert named["mostly"] == (1, ["C"]), "it passes, and says what it passed over"
    assert named["many"] == (0, [])
    assert (found["many"].value, found["known"].value) == (4, ["lost"])
    assert found["known"].evaluated == 4


def test_empty_batch_fails_or_passes_a_count(database: str, docs: Path) -> None:
    found = check(database, docs, UNIQUE, KNOWN, THERE, ORDERED, SOME, rows="orders where order_id = 'Z'")
    assert {name for name, one in found.items() if not one.is_success} == {"some"}
    assert not [one.error for one in found.values() if one.error]


def test_expectation_that_cannot_be_checked_passes_or_hides_the_others(database: str, docs: Path) -> None:
    found = check(database, docs, GONE, KNOWN)
    assert not found["gone"].is_success
    assert "colour" in found["gone"].error
    assert found["known"].keys == ["B"]


@pytest.mark.parametrize(
    "wrong",
    [
        expectation("wrong", "expect_column_values_to_be_of_good_will", column="status"),
        expectation("wrong", "expect_column_values_to_be_in_set", column="status", values=["done"]),
    ],
)
def test_refused_expectation_is_left_out_without_a_word(database: str, docs: Path, wrong: Expectation) -> None:
    with pytest.raises(MeshError, match="refuses wrong"):
        check(database, docs, KNOWN, wrong)


def test_library_reports_to_somebody(database: str, docs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("it opens a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert check(database, docs, KNOWN)["known"].keys == ["B"]


def test_page_shows_no_reason_and_no_key(database: str, docs: Path) -> None:
    check(database, docs, KNOWN, SOME)
    pages = {path.relative_to(docs).parts[0]: path.read_text(encoding="utf-8") for path in docs.rglob("*.html")}
    assert set(pages) >= {"index.html", "expectations", "validations"}
    assert "Because." in pages["expectations"]
    assert "lost" in pages["validations"]

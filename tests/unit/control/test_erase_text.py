"""The SQL that finds and replaces a text in a value of any type."""

from __future__ import annotations

import pytest

from wms_mesh.erase.text import fields, found, is_identifier, replaced


def test_nested_field_is_split_at_its_own_comma() -> None:
    kind = "row(sku varchar, price decimal(18, 4), dims row(a bigint, tags array(varchar)))"
    assert fields(kind) == [
        ("sku", "varchar"),
        ("price", "decimal(18, 4)"),
        ("dims", "row(a bigint, tags array(varchar))"),
    ]


@pytest.mark.parametrize(
    "kind", ["bigint", "timestamp(6) with time zone", "map(varchar, bigint)", "array(row(a bigint))"]
)
def test_type_without_text_is_searched_or_changed(kind: str) -> None:
    assert found("x", kind, ["CUST-1"]) is None
    assert replaced("x", kind, "CUST-1", "ERASED") is None


@pytest.mark.parametrize(
    "kind", ["varchar", "varbinary", "array(varchar)", "map(varchar, varbinary)", "row(a bigint, b varchar)"]
)
def test_text_in_a_type_is_passed_over(kind: str) -> None:
    assert "CUST-1" in (found("x", kind, ["CUST-1"]) or "")


def test_arrays_in_arrays_share_a_variable() -> None:
    sql = replaced("x", "array(row(a array(varchar), b bigint))", "CUST-1", "ERASED")
    assert sql == (
        "transform(x, v0 -> if(v0 is not null, cast(row(transform(v0.a, v1 -> replace(v1, 'CUST-1', 'ERASED')), v0.b)"
        " as row(a array(varchar), b bigint))))"
    )


def test_quote_in_an_id_ends_the_string() -> None:
    assert found("x", "varchar", ["O'Neil"]) == "(strpos(x, 'O''Neil') > 0)"


@pytest.mark.parametrize(
    ("text", "is_one"), [("CUST-1A2B", True), ("WRK-12", True), ("1", False), ("a' or 1=1", False), ("", False)]
)
def test_text_that_stands_everywhere_is_taken_for_an_id(text: str, is_one: bool) -> None:
    assert is_identifier(text) is is_one

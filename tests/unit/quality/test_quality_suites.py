"""The suites as they stand in quality/: complete, able to fail, and without a copy of a list."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from wms_mesh.errors import MeshError
from wms_mesh.quality import suites
from wms_mesh.quality.lists import is_reference, resolve
from wms_mesh.quality.suites import Expectation
from wms_mesh.stack import REPO

LOADED = suites.load()
ALL = [one for suite in LOADED for one in suite.expectations]
FILES = sorted((REPO / "quality" / "expectations").glob("*.json"))
NOTHING = "¿"  # in no list and of no form
# Only data can show whether these fail, and rows that break them exist for every table.
ALWAYS_BREAKABLE = {
    "expect_column_values_to_be_unique",
    "expect_compound_columns_to_be_unique",
    "expect_column_values_to_not_be_null",
    "expect_column_pair_values_a_to_be_greater_than_b",
}


def can_fail(one: Expectation) -> bool:
    """Whether there are rows that break it."""
    kwargs = one.kwargs
    if float(kwargs.get("mostly", 1)) <= 0.5:
        return False
    if one.type == "expect_table_row_count_to_be_between":
        return int(kwargs.get("min_value", 0)) >= 1
    if one.type == "expect_column_values_to_match_regex":
        return (
            not re.search(kwargs["regex"], NOTHING) and kwargs["regex"].startswith("^") and kwargs["regex"][-1] == "$"
        )
    if one.type == "expect_column_values_to_be_in_set":
        return bool(kwargs["value_set"]) and NOTHING not in kwargs["value_set"]
    if one.type == "expect_column_values_to_be_between":
        return "min_value" in kwargs or "max_value" in kwargs
    if one.type == "expect_column_pair_values_a_to_be_greater_than_b" and kwargs["column_A"] == kwargs["column_B"]:
        return False
    return one.type in ALWAYS_BREAKABLE


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_expectation_cannot_fail_or_says_nothing(one: Expectation) -> None:
    assert can_fail(one)
    assert len(one.why) > 30, "why it stands, for somebody who is woken by it"
    assert one.batch.table.split(".")[0] in ("silver", "gold", "semantic")


@pytest.mark.parametrize(
    ("kind", "kwargs"),
    [
        ("expect_table_row_count_to_be_between", {"min_value": 0}),
        ("expect_column_values_to_match_regex", {"regex": ".*"}),
        ("expect_column_values_to_match_regex", {"regex": "ORD-[0-9a-f]{8}"}),
        ("expect_column_values_to_be_in_set", {"value_set": []}),
        ("expect_column_values_to_be_between", {}),
        ("expect_column_values_to_be_unique", {"mostly": 0}),
        ("expect_column_to_exist", {}),
    ],
)
def test_idle_expectation_counts_as_one_that_can_fail(kind: str, kwargs: dict[str, Any]) -> None:
    assert not can_fail(Expectation("x", kind, kwargs, "critical", "", ALL[0].batch))


def test_product_has_no_suite_or_a_file_of_another_name() -> None:
    groups = yaml.safe_load((REPO / "models" / "groups.yml").read_text(encoding="utf-8"))["groups"]
    products = {
        group["config"]["meta"]["data_product"] for group in groups if "data_product" in group["config"]["meta"]
    }
    assert {suite.product for suite in LOADED} == products
    for path in FILES:
        name = path.stem.removesuffix("_dp")
        [suite] = suites.load([name])
        assert (suite.product, suite.name) == (f"{name}-dp", f"{name}_dp_quality")
        assert suite.checkpoint == f"{name}_dp_checkpoint"
        assert (REPO / "quality" / "checkpoints" / f"{suite.checkpoint}.json").is_file()
    assert suites.load(["orders-dp"]) == suites.load(["orders"])
    with pytest.raises(MeshError, match=r"no suite for 'order': choose from .*orders"):
        suites.load(["order"])


@pytest.mark.parametrize(
    "wanted",
    [
        "orders_dp.order_id_is_unique",
        "orders_dp.status_is_known",
        "orders_dp.priority_is_known",
        "orders_dp.updated_after_created",
        "inventory_dp.available_quantity_is_not_negative",
        "inventory_dp.sku_is_unique",
        "inventory_dp.location_id_has_its_form",
        "shipping_dp.carrier_is_known",
        "shipping_dp.ups_tracking_number_has_its_form",
        "shipping_dp.delivered_after_shipped",
    ],
)
def test_validation_of_the_requirements_is_missing_or_a_warning(wanted: str) -> None:
    [one] = [one for one in ALL if one.id == wanted]
    assert one.severity == "critical"


def test_two_expectations_share_a_name() -> None:
    ids = [one.id for one in ALL]
    assert sorted(set(ids)) == sorted(ids)
    for suite in LOADED:
        assert all(one.id.startswith(f"{suite.product.replace('-', '_')}.") for one in suite.expectations)


def values(document: Any) -> Iterator[Any]:
    """Everything in a JSON document, but what a reference consists of."""
    yield document
    if isinstance(document, dict) and not is_reference(document):
        for value in document.values():
            yield from values(value)
    elif isinstance(document, list):
        for value in document:
            yield from values(value)


@pytest.mark.parametrize(
    "path", [*FILES, *sorted((REPO / "quality" / "checkpoints").glob("*.json"))], ids=lambda p: p.stem
)
def test_list_is_copied_into_a_suite(path: Any) -> None:
    with (REPO / "seeds" / "status_values.csv").open(encoding="utf-8") as file:
        statuses = {row["status"] for row in csv.DictReader(file)}
    document = json.loads(path.read_text(encoding="utf-8"))
    found = list(values(document))
    assert not [value for value in found if isinstance(value, str) and value in statuses]
    for value in found:
        if isinstance(value, dict) and "value_set" in value:
            assert is_reference(value["value_set"]), value


def test_reference_leads_to_another_list() -> None:
    of = {"seed": "status_values", "column": "status", "where": {"entity": "wave_order"}}
    assert resolve({"deep": [of]}) == {"deep": [["pending", "picking", "completed"]]}
    assert resolve({"seed": "carriers", "column": "carrier_code"}) == ["UPS", "FEDEX", "USPS", "DHL"]
    assert resolve({"model": "orders_current", "column": "priority"}) == ["same_day", "next_day", "standard"]


@pytest.mark.parametrize(
    "reference",
    [
        {"seed": "colours", "column": "status"},
        {"seed": "status_values", "column": "status", "where": {"entity": "parcel"}},
        {"seed": "status_values", "column": "colour"},
        {"model": "orders_current", "column": "order_id"},
        {"model": "orders_gone", "column": "priority"},
    ],
)
def test_reference_to_nothing_is_an_empty_list(reference: dict[str, Any]) -> None:
    with pytest.raises(MeshError, match="quality/expectations"):
        resolve(reference)


def test_value_of_a_person_is_kept() -> None:
    personal = {one.id for one in ALL if one.is_personal}
    assert "shipping_dp.ups_tracking_number_has_its_form" in personal
    assert "orders_dp.status_is_known" not in personal

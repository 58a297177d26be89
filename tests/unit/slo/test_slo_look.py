"""The SQL that finds candidates: said by the same columns as the reading in Python, for both spellings."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from bson import json_util
from bson.codec_options import DatetimeConversion

from ingest.collections import COLLECTIONS, Collection
from ingest.fields import FIELDS
from ingest.simulator.naming import snake_case
from wms_mesh.reconcile import SILVER
from wms_mesh.reconcile.readers import Column, moment, rows, same, text, whole
from wms_mesh.slo.look import SAMPLE_SIZE, camel_case, sampled_every, spelling, statement
from wms_mesh.slo.misfits import SHOWN, all_others, misfits
from wms_mesh.stack import Naming

MILLISECONDS = json_util.JSONOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
ORDERS = next(one for one in COLLECTIONS if one.name == "orders")


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda one: one.name)
def test_compared_column_is_unknown_to_the_catalog(collection: Collection) -> None:
    known = {snake_case(name) for names in FIELDS[collection.name].values() for name in names.split()}
    assert {column.path.split(".")[0] for column in SILVER[collection.name][1]} <= known


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda one: one.name)
def test_field_is_spelled_as_in_the_other_style(collection: Collection) -> None:
    names = [name for names in FIELDS[collection.name].values() for name in names.split()]
    assert [camel_case(snake_case(name)) for name in names] == names
    camel = statement(Naming.CAMEL_CASE, collection)
    paths = re.findall(r'\$((?:\["[^"]+"\])+)', camel) + re.findall(r'"(\w+)"', camel)
    assert not [path for path in paths if re.search(r"[a-z]_[a-z]", path)]
    assert f"database => '{collection.service_database}'" in camel
    assert "database => 'wms'" in statement(Naming.SNAKE_CASE, collection)


def test_both_sides_have_other_columns() -> None:
    sql = statement(Naming.SNAKE_CASE, ORDERS)
    names = ", ".join(column.name for column in SILVER["orders"][1])
    assert f"select false, document_id, {names} from iceberg.silver.orders_current where not is_deleted" in sql
    assert sql.count(names) == 3, "what silver shows, what the union calls it, and the fingerprint"


def test_nested_value_is_read_as_a_column() -> None:
    json = ["package", "items"]
    assert Column("package_id", "package.package_id", text).sql(str, json) == (
        """json_extract_scalar(json_extract("package", '$["package_id"]'), '$')"""
    )
    assert same("status", text).sql(str, json) == '"status"'
    assert same("updated_at", moment).sql(camel_case, json).startswith('if("updatedAt" > timestamp \'1900-01-01')
    items = same("items", rows(same("sku", text), same("picked_at", moment))).sql(spelling(Naming.CAMEL_CASE), json)
    assert items.startswith('transform(try_cast("items" as array(json)), item -> row(')
    assert """json_extract(item, '$["pickedAt"]')""" in items
    assert """'$["$date"]'""" in items


@pytest.mark.parametrize(
    ("value", "in_python"), [("12", 12), (2.0, 2), (2.75, None), ("twelve", None), (float("nan"), None), (True, None)]
)
def test_reader_in_python_lost_its_value(value: object, in_python: int | None) -> None:
    assert whole(value) == in_python
    assert moment(datetime(1, 1, 1, tzinfo=UTC)) is None


def test_document_that_fails_a_query_of_the_catalog_is_not_left_to_it() -> None:
    found = misfits("inventory", str)["$or"]
    typed = {name: test for one in found for name, test in one.items() if "$not" in test}
    assert "_id" in typed, "its key would be NULL"
    assert typed["locations"] == {"$exists": True, "$not": {"$type": ["object", "array", "null"]}}
    assert typed["total_quantity"]["$not"] == {"$type": ["int", "long", "null"]}
    assert "transactions" not in typed, "silver does not compare it"
    limits = [test for one in found for name, test in one.items() if name == "updated_at" and "$not" not in test]
    assert len(limits) == 2, "a date before the year 1, a date after 9999"
    written = json_util.loads(all_others({"$or": found}), json_options=MILLISECONDS)
    assert written == {"$nor": found}
    assert all(kind in SHOWN for kind in FIELDS["inventory"])


@pytest.mark.parametrize(("size", "every"), [(0, 1), (SAMPLE_SIZE, 1), (SAMPLE_SIZE + 1, 2), (10 * SAMPLE_SIZE, 10)])
def test_small_collection_is_sampled_or_a_large_one_is_not(size: int, every: int) -> None:
    assert sampled_every(size) == every
    assert f"xxhash64(to_utf8(document_id))), {every}) = 0" in statement(Naming.SNAKE_CASE, ORDERS, every)

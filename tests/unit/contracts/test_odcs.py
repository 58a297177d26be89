"""What a contract says, out of a small manifest: nothing of the models or of the suite is lost on the way."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import yaml

from wms_mesh.contracts import command
from wms_mesh.contracts.odcs import HEADER, contract
from wms_mesh.errors import MeshError
from wms_mesh.quality import suites

[ORDERS] = suites.load(["orders"])


def column(name: str, data_type: str, *tags: str, constraints: list[dict[str, str]] | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "data_type": data_type,
        "description": f"What {name} is.",
        "constraints": constraints or [],
        "config": {"tags": list(tags)},
    }


def model(schema: str, name: str, materialized: str, *columns: dict[str, Any]) -> dict[str, Any]:
    return {
        "unique_id": f"model.{name}",
        "resource_type": "model",
        "group": "orders",
        "access": "public",
        "database": "iceberg",
        "schema": schema,
        "alias": name,
        "latest_version": 2 if schema == "semantic" else None,
        "description": f"One row for each {name}.\n\nMore of it.",
        "config": {"materialized": materialized},
        "columns": {one["name"]: one for one in columns},
    }


def check(name: str, of: str, column_name: str | None, where: str | None = None, **kwargs: Any) -> dict[str, Any]:
    return {
        "name": f"{name}_{of}_{column_name}",
        "resource_type": "test",
        "group": None,
        "attached_node": f"model.{of}",
        "column_name": column_name,
        "test_metadata": {"name": name, "kwargs": {"column_name": column_name, "model": "{{ ... }}", **kwargs}},
        "config": {"where": where, "severity": "WARN" if name == "is_fraction" else "ERROR"},
    }


MANIFEST: dict[str, Any] = {
    "metadata": {"project_name": "mesh"},
    "groups": {
        "group.orders": {
            "name": "orders",
            "owner": {"name": "Order Team", "email": "orders@wms.example"},
            "config": {
                "meta": {
                    "data_product": "orders-dp",
                    "freshness_minutes": 5,
                    "cadence_seconds": 60,
                    "completeness": 0.999,
                }
            },
        }
    },
    "docs": {
        "doc.mesh.orders_dp": {
            "block_contents": "Orders as they\nare.\n\n- Owner\n\n```sql\nselect 1\n```\n\n"
            "More\n\n```sql\nselect 2\n```\n\nNames are PII."
        }
    },
    "nodes": {
        "silver": model(
            "silver",
            "orders_current",
            "current_state",
            column("document_id", "varchar", constraints=[{"type": "not_null"}]),
            column("order_id", "varchar"),
            column("status", "varchar"),
            column("customer_id", "varchar", "pii"),
            column("items", "array(row(sku varchar, quantity bigint))"),
            column("address", "row(street varchar)"),
            column("total", "decimal(38, 4)"),
            column("rate", "double"),
            column("lines", "bigint"),
            column("created_at", "timestamp(6) with time zone"),
            column("day", "date"),
            column("is_deleted", "boolean"),
            column("positions", "map(varchar, bigint)"),
        ),
        "semantic": model("semantic", "orders", "view", column("order_id", "varchar")),
        "other": {**model("silver", "waves_current", "current_state"), "group": "waves"},
        "t1": check("unique", "orders_current", "document_id"),
        "t2": check("unique", "orders_current", "order_id", "not is_deleted"),
        "t3": check("not_null", "orders_current", "day"),
        "t4": check("in_status_values", "orders_current", "status", entity="order"),
        "t5": check("unique_grain", "orders", None, columns=["order_id"]),
        "t6": check("is_fraction", "orders_current", "rate"),
    },
}


def made() -> Any:
    return yaml.safe_load(contract(MANIFEST, ORDERS))


def tables() -> dict[str, dict[str, Any]]:
    return {table["name"]: table for table in made()["schema"]}


def columns() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in tables()["silver.orders_current"]["properties"]}


def test_owner_terms_or_promises_are_lost() -> None:
    found = made()
    assert (found["id"], found["domain"], found["dataProduct"], found["version"]) == (
        "orders-dp",
        "orders",
        "orders-dp",
        "2.0.0",
    )
    assert found["team"]["name"] == "Order Team"
    assert found["support"][0]["url"] == "mailto:orders@wms.example"
    assert found["description"]["purpose"] == "Orders as they are."
    assert found["description"]["limitations"] == "Names are PII."
    assert [(one["property"], one["value"], one.get("unit")) for one in found["slaProperties"]] == [
        ("latency", 5, "m"),
        ("frequency", 60, "s"),
        ("completeness", 0.999, None),
    ]
    assert contract(MANIFEST, ORDERS).startswith(HEADER)


def test_table_of_another_group_is_promised_or_an_own_one_is_not() -> None:
    assert [(name, one["physicalType"], one["tags"]) for name, one in tables().items()] == [
        ("semantic.orders", "view", ["semantic", "public"]),
        ("silver.orders_current", "table", ["silver", "public"]),
    ]
    assert tables()["semantic.orders"]["description"] == "One row for each orders."


def test_column_changes_its_type_or_its_rules() -> None:
    found = columns()
    assert {name: one["logicalType"] for name, one in found.items()} == {
        "document_id": "string",
        "order_id": "string",
        "status": "string",
        "customer_id": "string",
        "items": "array",
        "address": "object",
        "total": "number",
        "rate": "number",
        "lines": "integer",
        "created_at": "timestamp",
        "day": "date",
        "is_deleted": "boolean",
        "positions": "object",
    }
    assert [name for name, one in found.items() if one["required"]] == ["document_id", "day"]
    assert [name for name, one in found.items() if one.get("unique")] == ["document_id"], (
        "order_id only when not deleted"
    )
    assert [name for name, one in found.items() if one.get("classification")] == ["customer_id"]
    assert found["customer_id"]["tags"] == ["pii"]


def test_rule_of_dbt_or_of_the_suite_is_lost() -> None:
    found = columns()
    dbt, *expected = found["status"]["quality"]
    assert dbt["implementation"] == {"test": "in_status_values", "arguments": {"entity": "order"}}
    assert [one["name"] for one in expected] == ["orders_dp.status_is_there", "orders_dp.status_is_known"]
    assert expected[1]["implementation"]["kwargs"]["value_set"][:2] == ["received", "validated"]
    assert (expected[1]["dimension"], expected[1]["severity"]) == ("conformity", "critical")
    assert found["order_id"]["quality"][0]["implementation"]["where"] == "not is_deleted"
    assert found["rate"]["quality"][0]["severity"] == "warning"
    assert tables()["semantic.orders"]["quality"][0]["implementation"]["arguments"] == {"columns": ["order_id"]}
    said = [
        one["name"]
        for table in tables().values()
        for part in (table, *table["properties"])
        for one in part.get("quality", [])
        if one["engine"] == "greatExpectations"
    ]
    assert sorted(said) == sorted(one.id for one in ORDERS.expectations)


def test_list_is_replaced_by_an_anchor_of_yaml() -> None:
    assert "&id" not in contract(MANIFEST, ORDERS)
    assert contract(MANIFEST, ORDERS) == contract(deepcopy(MANIFEST), ORDERS)


def test_unknown_type_or_product_makes_a_contract_all_the_same() -> None:
    manifest = deepcopy(MANIFEST)
    manifest["nodes"]["silver"]["columns"]["status"]["data_type"] = "hyperloglog"
    with pytest.raises(MeshError, match="'hyperloglog'"):
        contract(manifest, ORDERS)
    with pytest.raises(MeshError, match="'waves-dp'"):
        contract(MANIFEST, suites.load(["waves"])[0])


def test_invalid_contract_is_valid() -> None:
    text = contract(MANIFEST, ORDERS)
    assert command.invalid("orders.odcs.yaml", text) == []
    for right, wrong in (("kind: DataContract\n", ""), ("logicalType: timestamp", "logicalType: moment")):
        assert right in text
        [*found] = command.invalid("orders.odcs.yaml", text.replace(right, wrong))
        assert found, wrong
        assert found[0].startswith("orders.odcs.yaml: ")

"""A data product's contract in the Open Data Contract Standard, out of dbt's manifest and the product's suite.

Nothing is said here that does not stand in models/, models/groups.yml, seeds/ or quality/: who wants another contract
changes those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from wms_mesh.docs import relation
from wms_mesh.errors import MeshError
from wms_mesh.quality.suites import Expectation, Suite
from wms_mesh.stack import DEFAULT_PORT_BASE, LOOPBACK, PORTS

STANDARD = "v3.1.0"
HEADER = "# Made by `./mesh contracts` from models/, seeds/ and quality/: change those, and run it again.\n"
LAYERS = ("semantic", "gold", "silver")  # as a reader should look for a table

Node = Mapping[str, Any]

_LOGICAL = (
    (r"^(varchar|char\b|uuid)", "string"),
    (r"^boolean", "boolean"),
    (r"^(tinyint|smallint|integer|bigint)", "integer"),
    (r"^(real|double|decimal)", "number"),
    (r"^timestamp", "timestamp"),
    (r"^date\b", "date"),
    (r"^array\b", "array"),
    (r"^(row|map)\b", "object"),
)
# What a kind of expectation watches over, in the standard's words.
_DIMENSIONS = (
    (r"unique", "uniqueness"),
    (r"not_be_null|row_count", "completeness"),
    (r"regex|in_set", "conformity"),
    (r"pair", "consistency"),
    (r"between", "accuracy"),
)


def contract(manifest: Node, suite: Suite) -> str:
    """The contract of a suite's product as YAML.

    manifest: dbt's, as JSON. Raises MeshError when no group of models/groups.yml is that product.
    """
    group = _group(manifest, suite.product)
    name, meta = group["name"], group["config"]["meta"]
    models = _models(manifest, name)
    purpose, limitations = _terms(manifest["docs"][f"doc.{_project(manifest)}.{name}_dp"]["block_contents"])
    document = {
        "apiVersion": STANDARD,
        "kind": "DataContract",
        "id": suite.product,
        "name": suite.product,
        "version": f"{max(int(model['latest_version'] or 1) for model in models)}.0.0",
        "status": "active",
        "domain": name,
        "dataProduct": suite.product,
        "description": {
            "purpose": purpose,
            "usage": (
                f"Query with any client of Trino, catalog {models[0]['database']}. Begin with the tables of schema"
                " semantic: a change that breaks their readers comes as a new version beside the present one."
                " Tables tagged protected may change without notice."
            ),
            "limitations": limitations,
        },
        "servers": [
            {
                "server": "embedded",
                "type": "trino",
                "description": "The stack of `./mesh up`; in a cluster, the host that profiles/profiles.yml asks for.",
                "environment": "dev",
                "host": LOOPBACK,
                "port": DEFAULT_PORT_BASE + PORTS.index("trino"),
                "catalog": models[0]["database"],
                "schema": "semantic",
            }
        ],
        "schema": [_table(manifest, model, suite) for model in models],
        "team": {"name": group["owner"]["name"], "description": "Owns the product: who to ask, who decides."},
        "support": [{"channel": "owner", "tool": "email", "url": f"mailto:{group['owner']['email']}"}],
        "slaProperties": _promises(meta),
    }
    return HEADER + yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=False
    )


class _Dumper(yaml.SafeDumper):
    """Writes a list that stands in two places out at both: readers of contracts do not know YAML's anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _project(manifest: Node) -> str:
    return str(manifest["metadata"]["project_name"])


def _group(manifest: Node, product: str) -> Node:
    for group in manifest["groups"].values():
        if group["config"]["meta"].get("data_product") == product:
            found: Node = group
            return found
    raise MeshError(f"No group of models/groups.yml is the data product '{product}': a suite in quality/ says so.")


def _models(manifest: Node, group: str) -> list[Node]:
    found = [node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["group"] == group]
    return sorted(found, key=lambda node: (LAYERS.index(node["schema"]), relation(node)))


def _terms(page: str) -> tuple[str, str]:
    """Purpose and limitations: the first paragraph of the product's page, and what follows its last example."""
    last = page.rsplit("```", 1)[-1]
    return _line(page.strip().split("\n\n")[0]), _line(last)


def _line(text: str) -> str:
    return " ".join(text.split())


def _promises(meta: Node) -> list[dict[str, Any]]:
    promises: list[dict[str, Any]] = [
        {
            "property": "latency",
            "value": meta["freshness_minutes"],
            "unit": "m",
            "description": "From a change at the source to its row, in minutes; gold.data_product_slo measures it.",
        },
        {
            "property": "frequency",
            "value": meta["cadence_seconds"],
            "unit": "s",
            "description": "From one refresh to the next, in seconds.",
        },
    ]
    for name, of in (("completeness", "that have a row"), ("accuracy", "whose row agrees in every field")):
        if name in meta:
            promises.append(
                {"property": name, "value": meta[name], "description": f"Share of the source's documents {of}."}
            )
    return promises


def _table(manifest: Node, model: Node, suite: Suite) -> dict[str, Any]:
    name = relation(model)
    tests = [node for node in manifest["nodes"].values() if node.get("attached_node") == model["unique_id"]]
    tests.sort(key=lambda node: str(node["name"]))
    expectations = [one for one in suite.expectations if one.batch.table == name]
    # What reads more than the table itself speaks of other columns, though they may be called the same.
    plain = [one for one in expectations if "unnest" not in one.batch.query and one.column in model["columns"]]
    quality = [_dbt(node) for node in tests if not node["column_name"]]
    quality += [_expectation(one) for one in expectations if one not in plain]
    return {
        "name": name,
        "physicalName": name,
        "physicalType": "view" if model["config"]["materialized"] == "view" else "table",
        "logicalType": "object",
        "description": _line(model["description"].split("\n\n")[0]),
        "tags": [model["schema"], str(model["access"])],
        "properties": [
            _column(
                column,
                model,
                [node for node in tests if node["column_name"] == column["name"]],
                [one for one in plain if one.column == column["name"]],
            )
            for column in model["columns"].values()
        ],
        **({"quality": quality} if quality else {}),
    }


def _column(column: Node, model: Node, tests: Sequence[Node], expectations: Sequence[Expectation]) -> dict[str, Any]:
    everywhere = {node["test_metadata"]["name"] for node in tests if not node["config"].get("where")}
    is_required = "not_null" in everywhere or any(one["type"] == "not_null" for one in column["constraints"])
    is_personal = "pii" in column["config"]["tags"]
    quality = [*map(_dbt, tests), *map(_expectation, expectations)]
    return {
        "name": column["name"],
        "logicalType": _first(_LOGICAL, column["data_type"]),
        "physicalType": column["data_type"],
        "description": _line(column["description"]),
        "required": is_required,
        **({"unique": True} if "unique" in everywhere else {}),
        **({"classification": "restricted", "tags": ["pii"]} if is_personal else {}),
        **({"quality": quality} if quality else {}),
    }


def _dbt(test: Node) -> dict[str, Any]:
    said = test["test_metadata"]
    arguments = {key: value for key, value in said["kwargs"].items() if key not in ("model", "column_name")}
    where = test["config"].get("where")
    return {
        "type": "custom",
        "engine": "dbt",
        "name": said["name"],
        "severity": "warning" if str(test["config"]["severity"]).lower() == "warn" else "critical",
        "implementation": {
            "test": said["name"],
            **({"arguments": arguments} if arguments else {}),
            **({"where": where} if where else {}),
        },
    }


def _expectation(one: Expectation) -> dict[str, Any]:
    return {
        "type": "custom",
        "engine": "greatExpectations",
        "name": one.id,
        "description": one.why,
        "dimension": _first(_DIMENSIONS, one.type),
        "severity": one.severity,
        "implementation": {
            "type": one.type,
            "kwargs": one.kwargs,
            "rows": one.batch.query.format(table=one.batch.table),
        },
    }


def _first(rules: Sequence[tuple[str, str]], text: str) -> str:
    """The word of the first rule that fits. Raises MeshError when none does: then a rule is missing here."""
    for pattern, word in rules:
        if re.search(pattern, text):
            return word
    raise MeshError(f"wms_mesh/contracts/odcs.py does not know what '{text}' is in a contract: add it there.")

"""Trino's access rules, made of the roles and of the models' own word for personal data (the tag ``pii``).

``python -m wms_mesh.access.rules`` writes them to ``infra/trino/rules.json``; a test says when they are not what the
models say. The first rule that fits counts, and what fits none is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

from ingest.bronze.tables import SCHEMA as BRONZE
from ingest.collections import QUARANTINE_TABLE, REPLAYS_TABLE
from wms_mesh.access.roles import RULES, Role, Service

TAG = "pii"

LAYERS = ("silver", "gold", "semantic")
FAILURES = "test_failures"
UNREADABLE = ("parse_failures", "unknown_fields")  # of silver: values as they came
# Iceberg's "orders_current$files" and its like tell the smallest and largest value of each column, masked or not.
ANY_TABLE = "[^$]+"
WRITE = ("SELECT", "INSERT", "DELETE", "UPDATE", "OWNERSHIP", "GRANT_SELECT")
READ = ("SELECT",)
# Trino's rules do not ask who runs ALTER TABLE ... EXECUTE, rollback_to_snapshot among it (trinodb/trino#22874), but it
# refuses that for a table with a row filter. So whoever may not write has one, which lets every row through.
NO_PROCEDURES = {"filter": "true"}

Personal = Mapping[tuple[str, str], Mapping[str, str]]  # schema and table: column and its SQL type


def personal_data(manifest: Manifest) -> Personal:
    """The columns tagged as personal data, of every table and view that has one."""
    found = {}
    for node in manifest.nodes.values():
        if node.resource_type in (NodeType.Model, NodeType.Seed):
            columns = {
                column.name: str(column.data_type) for column in node.columns.values() if TAG in column.config.tags
            }
            if columns:
                found[node.schema, node.alias] = columns
    return dict(sorted(found.items()))


def compose(personal: Personal) -> dict[str, Any]:
    """The content of the file."""
    masked = _groups(Role.ANALYST, Role.PRODUCT_OWNER, Role.QUALITY)
    owned = _any(*LAYERS, FAILURES)
    return {
        "catalogs": [
            {"group": Service.MAINTAINER, "catalog": _any("iceberg", "mongodb", "kafka", "system"), "allow": "all"},
            {"group": Service.REFRESHER, "catalog": "iceberg", "allow": "all"},
            {"group": Service.REFRESHER, "catalog": "system", "allow": "read-only"},
            {"group": Role.ENGINEER, "catalog": _any("iceberg", "mongodb", "kafka", "system"), "allow": "read-only"},
            {"group": masked, "catalog": _any("iceberg", "system"), "allow": "read-only"},
            {"allow": "none"},
        ],
        "schemas": [
            {"group": Service.MAINTAINER, "owner": True},
            {"group": Service.REFRESHER, "catalog": "iceberg", "schema": owned, "owner": True},
            {"owner": False},
        ],
        "tables": [
            {"group": Service.MAINTAINER, "privileges": WRITE},
            {"group": Service.REFRESHER, "catalog": "iceberg", "schema": owned, "privileges": WRITE},
            # "orders_raw$snapshots" and its like too: the ledger counts by them.
            _reads(Service.REFRESHER, BRONZE, ".*", ("SELECT", "GRANT_SELECT")),
            {"group": _groups(Service.REFRESHER, *Role), "catalog": "system", "privileges": READ},
            {"group": Role.ENGINEER, "privileges": READ, **NO_PROCEDURES},
            _reads(_groups(Role.QUALITY, Role.PRODUCT_OWNER), BRONZE, _any(QUARANTINE_TABLE, REPLAYS_TABLE)),
            _reads(Role.QUALITY, FAILURES, ANY_TABLE),
            _reads(Role.QUALITY, "silver", _any(*UNREADABLE)),
            *(
                _reads(masked, schema, table)
                | {"columns": [{"name": column, "mask": f"cast(null as {type_})"} for column, type_ in columns.items()]}
                for (schema, table), columns in personal.items()
            ),
            _reads(masked, _any(*LAYERS), ANY_TABLE),
            {"privileges": (), **NO_PROCEDURES},
        ],
        # A query's text can hold what its author may read and others may not. One's own are always shown.
        "queries": [
            {"group": _groups(Service.MAINTAINER, Role.ENGINEER), "allow": ("execute", "view", "kill")},
            {"group": _groups(Service.REFRESHER, *Role), "allow": ("execute",)},
            {"allow": ()},
        ],
        # Functions that read a whole catalog go around the rules for tables.
        "functions": [
            {"group": _groups(Service.MAINTAINER, Role.ENGINEER), "schema": "system", "privileges": ("EXECUTE",)},
            # table_changes, for the ledger; it asks the table's own rule too.
            {"group": Service.REFRESHER, "catalog": "iceberg", "schema": "system", "privileges": ("EXECUTE",)},
        ],
        "procedures": [
            {"group": Service.MAINTAINER, "privileges": ("EXECUTE",)},
            {
                "group": Role.ENGINEER,
                "catalog": "system",
                "schema": "runtime",
                "procedure": "kill_query",
                "privileges": ("EXECUTE",),
            },
        ],
        "impersonation": [{"new_user": ".*", "allow": False}],
        "system_information": [
            {"user": Service.MONITORING.user, "allow": ("read",)},
            {"user": ".*", "allow": ()},
        ],
    }


def text(manifest: Manifest) -> str:
    """The file, as it stands in the repository."""
    return json.dumps(compose(personal_data(manifest)), indent=2) + "\n"


def _reads(group: str, schema: str, table: str, privileges: tuple[str, ...] = READ) -> dict[str, Any]:
    """A rule for tables of the lakehouse."""
    return {
        "group": group,
        "catalog": "iceberg",
        "schema": schema,
        "table": table,
        "privileges": privileges,
        **NO_PROCEDURES,
    }


def _any(*names: str) -> str:
    return "|".join(names)


def _groups(*groups: Role | Service) -> str:
    return "|".join(groups)


def write() -> None:
    """Make the file of the project as it stands. Raises MeshError when it cannot be parsed."""
    from wms_mesh.slo.project import manifest
    from wms_mesh.stack import Stack

    RULES.write_text(text(manifest(Stack.from_env())), encoding="utf-8")


if __name__ == "__main__":
    write()

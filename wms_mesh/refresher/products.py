"""The data products and what is promised of them: the groups of models/groups.yml."""

from __future__ import annotations

from dataclasses import dataclass

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import Group

from wms_mesh.errors import MeshError

PROMISE = ("freshness_minutes", "cadence_seconds")


@dataclass(frozen=True)
class Product:
    """A group of models.

    freshness, cadence: seconds that its data may be old, and from one run to the next.
    selection: what dbt runs for it. owner: who is told when it is late.
    data_product: what people call it, e.g. orders-dp; empty for a group that is none.
    """

    name: str
    freshness: float
    cadence: float
    selection: tuple[str, ...] = ()
    owner: str = ""
    data_product: str = ""


def products(manifest: Manifest) -> list[Product]:
    """Every group that owns a model.

    Raises MeshError for one that promises nothing: its tables would never be written again.
    """
    tables: dict[str, list[str]] = {}
    for node in manifest.nodes.values():
        if node.resource_type is NodeType.Model and node.group:
            tables.setdefault(node.group, []).extend([node.name] if node.config.materialized != "view" else [])
    return [
        _product(group, tables[group.name])
        for group in sorted(manifest.groups.values(), key=lambda group: group.name)
        if group.name in tables
    ]


def _product(group: Group, tables: list[str]) -> Product:
    name, meta = group.name, group.config.meta
    try:
        freshness, cadence = (float(str(meta[key])) for key in PROMISE)
    except (KeyError, ValueError) as error:
        raise MeshError(
            f"Group '{name}' in models/groups.yml has no usable {' or '.join(PROMISE)} in its meta: give it numbers."
        ) from error
    if "data_product" in meta:
        selection: tuple[str, ...] = (f"+group:{name}",)
    else:
        # Views that watch over all tables must not have all tables refreshed for them: the owners do that.
        selection = (f"group:{name}", *(f"+{table}" for table in sorted(tables)))
    return Product(
        name, freshness * 60, cadence, selection, group.owner.name or name, str(meta.get("data_product", ""))
    )

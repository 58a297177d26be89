"""The data products and what is promised of them: the groups of models/groups.yml."""

from __future__ import annotations

from dataclasses import dataclass

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

from wms_mesh.errors import MeshError

PROMISE = ("freshness_minutes", "cadence_seconds")


@dataclass(frozen=True)
class Product:
    """A group of models.

    freshness, cadence: seconds that its data may be old, and from one run to the next.
    selection: what dbt runs for it.
    """

    name: str
    freshness: float
    cadence: float
    selection: tuple[str, ...] = ()


def products(manifest: Manifest) -> list[Product]:
    """Every group that owns a model.

    Raises MeshError for one that promises nothing: its tables would never be written again.
    """
    tables: dict[str, list[str]] = {}
    for node in manifest.nodes.values():
        if node.resource_type is NodeType.Model and node.group:
            tables.setdefault(node.group, []).extend([node.name] if node.config.materialized != "view" else [])
    return [
        _product(group.name, group.config.meta, tables[group.name])
        for group in sorted(manifest.groups.values(), key=lambda group: group.name)
        if group.name in tables
    ]


def _product(name: str, meta: dict[str, object], tables: list[str]) -> Product:
    try:
        freshness, cadence = (float(str(meta[key])) for key in PROMISE)
    except (KeyError, ValueError) as error:
        raise MeshError(
            f"Group '{name}' in models/groups.yml has no usable {' or '.join(PROMISE)} in its meta: give it numbers."
        ) from error
    if "data_product" in meta:
        return Product(name, freshness * 60, cadence, (f"+group:{name}",))
    # Views that watch over all tables must not have all tables refreshed for them: the owners do that.
    return Product(name, freshness * 60, cadence, (f"group:{name}", *(f"+{table}" for table in sorted(tables))))

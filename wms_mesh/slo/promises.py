"""What is promised of each data product, and which tables answer for it: from models/groups.yml and the models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dbt.artifacts.resources.types import NodeType
from dbt.contracts.graph.manifest import Manifest

from ingest.collections import COLLECTIONS, Collection
from wms_mesh.errors import MeshError
from wms_mesh.reconcile import SILVER


@dataclass(frozen=True)
class Promise:
    """One data product.

    freshness: seconds. completeness, accuracy: shares of 1, None when nothing is promised.
    collections: whose documents it shows. follower: the gold table that shows them, None when silver itself does.
    """

    product: str
    freshness: float
    completeness: float | None
    accuracy: float | None
    collections: tuple[Collection, ...]
    follower: str | None = None


def promises(manifest: Manifest, wanted: Sequence[str] = ()) -> list[Promise]:
    """Every product, or the wanted ones.

    A product answers for the collections whose current state its group owns. One that owns none (fulfillment) answers
    for those that its table of days follows.
    Raises MeshError for a product that does not exist, and for one that shows no collection: it could not be measured.
    """
    found = [
        _promise(manifest, group.name, group.config.meta)
        for group in manifest.groups.values()
        if "data_product" in group.config.meta
    ]
    unknown = sorted(set(wanted) - {promise.product for promise in found})
    if unknown:
        known = ", ".join(promise.product for promise in found)
        raise MeshError(f"There is no data product '{unknown[0]}': choose from {known}.")
    return [promise for promise in found if not wanted or promise.product in wanted]


def _promise(manifest: Manifest, group: str, meta: dict[str, object]) -> Promise:
    models = {
        node.name: node
        for node in manifest.nodes.values()
        if node.resource_type is NodeType.Model and node.group == group
    }
    owned = tuple(one for one in COLLECTIONS if one.name in SILVER and SILVER[one.name][0] in models)
    follower, followed = None, owned
    if not owned:
        daily = [(name, node.config.get("follows")) for name, node in models.items() if node.config.get("follows")]
        follower, tables = daily[0] if len(daily) == 1 else (None, [])
        followed = tuple(one for one in COLLECTIONS if one.name in SILVER and SILVER[one.name][0] in tables)
    if not followed:
        raise MeshError(
            f"Group '{group}' promises something of {meta['data_product']}, but owns neither a current state of a"
            " collection nor one table of days that follows some: take the data_product out of models/groups.yml."
        )
    return Promise(
        str(meta["data_product"]),
        float(str(meta["freshness_minutes"])) * 60,
        _share(group, meta, "completeness"),
        _share(group, meta, "accuracy"),
        followed,
        follower,
    )


def _share(group: str, meta: dict[str, object], name: str) -> float | None:
    if name not in meta:
        return None
    value = meta[name]
    if not isinstance(value, float | int) or not 0 < value <= 1:
        raise MeshError(
            f"Group '{group}' in models/groups.yml promises {name} {value}: give it a share up to 1 (0.999)."
        )
    return float(value)

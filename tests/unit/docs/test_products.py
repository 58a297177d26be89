"""The pages of the data products against what they repeat: owners and promises of groups.yml, tables of the models."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from wms_mesh.stack import REPO

MODELS = REPO / "models"
OVERVIEW = (MODELS / "overview.md").read_text(encoding="utf-8")
GROUPS = {
    group["name"]: group
    for group in yaml.safe_load((MODELS / "groups.yml").read_text(encoding="utf-8"))["groups"]
    if "data_product" in group.get("config", {}).get("meta", {})
}


def page(product: str) -> str:
    return (MODELS / "semantic" / product / f"{product}.md").read_text(encoding="utf-8")


def models() -> list[tuple[str, dict[str, Any]]]:
    """Layer and entry of every model that a yml describes."""
    return [
        (path.relative_to(MODELS).parts[0], model)
        for path in sorted(MODELS.rglob("*.yml"))
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
    ]


def minutes(count: int) -> str:
    return f"{count} minute{'s' if count > 1 else ''}"


@pytest.mark.parametrize("product", GROUPS)
def test_page_names_another_owner_or_promise(product: str) -> None:
    owner, promise, text = GROUPS[product]["owner"], GROUPS[product]["config"]["meta"], page(product)
    assert text.startswith(f"{{% docs {product}_dp %}}\n")
    assert f"\n- Data product: {promise['data_product']}\n" in text
    assert f"\n- Owner: {owner['name']}, {owner['email']}\n" in text
    assert f"\n- Freshness: {minutes(promise['freshness_minutes'])} " in text
    assert f"refreshed every {promise['cadence_seconds']} s\n" in text
    promised = [f"{promise[name] * 100:g} % {name}" for name in ("completeness", "accuracy") if name in promise]
    assert re.findall(r"^- Quality: (.*)$", text, re.MULTILINE) == [", ".join(promised)] * bool(promised)


@pytest.mark.parametrize("product", GROUPS)
def test_overview_names_another_owner_or_promise(product: str) -> None:
    owner, promise = GROUPS[product]["owner"], GROUPS[product]["config"]["meta"]
    link = re.escape(f"[{promise['data_product']}](#!/model/model.wms_data_mesh.{product}.v") + r"\d+\)"
    row = rf"^\| {link} \|.*\| {owner['name']} \| (.*) \|$"
    assert re.findall(row, OVERVIEW, re.MULTILINE) == [minutes(promise["freshness_minutes"])]


@pytest.mark.parametrize("product", GROUPS)
def test_page_lists_other_tables_than_the_product_has(product: str) -> None:
    listed = re.findall(r"^- \[(\w+)\.(\w+)\]\(#!/model/model\.wms_data_mesh\.([\w.]+)\)", page(product), re.MULTILINE)
    public = {
        (layer, model["name"], model["name"] + (f".v{model['latest_version']}" if "versions" in model else ""))
        for layer, model in models()
        if model["config"]["group"] == product and model["config"]["access"] == "public"
    }
    assert set(listed) == public
    assert listed[0][:2] == ("semantic", product), "the view to start with comes first"

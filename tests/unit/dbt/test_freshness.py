"""The sources' freshness against the promise of the product that reads them: said in models/groups.yml."""

from __future__ import annotations

import re

import pytest
import yaml

from wms_mesh.stack import REPO

MODELS = REPO / "models"
PROMISES = {
    group["name"]: group["config"]["meta"]["freshness_minutes"]
    for group in yaml.safe_load((MODELS / "groups.yml").read_text(encoding="utf-8"))["groups"]
    if "config" in group
}
[BRONZE] = yaml.safe_load((MODELS / "bronze" / "sources.yml").read_text(encoding="utf-8"))["sources"]


def readers() -> set[tuple[str, str]]:
    """Table of bronze and group of the model that reads it, for the groups that promise something."""
    found = set()
    for path in (MODELS / "silver").rglob("*.sql"):
        text = path.read_text(encoding="utf-8")
        for table in re.findall(r"source\('bronze', '(\w+)'\)", text):
            [group] = re.findall(r"group='(\w+)'", text)
            if group in PROMISES:
                found.add((table, group))
    return found


@pytest.mark.parametrize(("table", "group"), sorted(readers()))
def test_source_may_be_older_than_its_product_promises(table: str, group: str) -> None:
    [entry] = [entry for entry in BRONZE["tables"] if entry["name"] == table]
    assert entry["config"]["freshness"]["warn_after"] == {"count": PROMISES[group], "period": "minute"}


def test_no_source_was_looked_at() -> None:
    assert len(readers()) == 8

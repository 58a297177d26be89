"""The docs site of a running stack: what it says is true, its examples run, and reading it needs nothing else."""

from __future__ import annotations

import re
import signal
import subprocess
from collections import defaultdict
from typing import Any

import pytest
import requests

from tests.stack.flow import furnish
from wms_mesh import docs, sql, transform
from wms_mesh.stack import REPO, Stack

PAGES = sorted((REPO / "models").rglob("*.md"))
EXAMPLES = [
    pytest.param(example, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, example in enumerate(re.findall(r"```sql\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), 1)
]


@pytest.fixture(scope="module")
def warehouse(running_stack: Stack) -> Stack:
    """The stack with every table built; what test_chain left behind will do."""
    furnish(running_stack)
    return running_stack


@pytest.fixture(scope="module")
def site(warehouse: Stack) -> docs.Site:
    return docs.build(warehouse)


@pytest.fixture(scope="module")
def manifest(site: docs.Site, warehouse: Stack) -> dict[str, Any]:
    return docs.read(docs.folder(warehouse) / "manifest.json")


def described(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] in ("model", "seed")]
    return nodes + list(manifest["sources"].values())


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_of_a_page_fails(warehouse: Stack, example: str) -> None:
    sql.query(warehouse, example)  # rows or none: a simulated morning has not every rare case


def test_site_lacks_a_table_or_needs_the_internet(site: docs.Site) -> None:
    assert not site.missing
    page = site.page.read_text(encoding="utf-8")
    assert not re.findall(r"<(?:script|link|img)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>", page)
    for source in PAGES:
        first_sentence = source.read_text(encoding="utf-8").split("\n")[1]
        assert first_sentence in page, source


def test_docs_overwrite_what_a_refresh_left(warehouse: Stack) -> None:
    left = {path: path.read_bytes() for path in transform.artifacts(warehouse).glob("*.json")}
    assert left
    docs.build(warehouse)
    assert {path: path.read_bytes() for path in transform.artifacts(warehouse).glob("*.json")} == left


def test_comment_in_trino_differs_from_the_yml(warehouse: Stack, manifest: dict[str, Any]) -> None:
    query = "select schema_name || '.' || table_name, comment from system.metadata.table_comments"
    tables = {row[0]: row[1] for row in sql.query(warehouse, f"{query} where catalog_name = 'iceberg'")}
    columns: dict[str, dict[str, str | None]] = defaultdict(dict)
    query = "select table_schema || '.' || table_name, column_name, comment from information_schema.columns"
    for name, column, comment in sql.query(warehouse, f"{query} order by ordinal_position"):
        columns[name][column] = comment
    for node in described(manifest):
        name = docs.relation(node)
        assert tables[name] == node["description"], name
        assert columns[name] == {column: entry["description"] for column, entry in node["columns"].items()}, name


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_served_page_is_not_the_built_one_or_does_not_end(warehouse: Stack, stop: signal.Signals) -> None:
    with subprocess.Popen([REPO / "mesh", "docs"], cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address == warehouse.url("docs")
            served = requests.get(address, timeout=10)
            assert served.content == (docs.folder(warehouse) / docs.PAGE).read_bytes()
            process.send_signal(stop)
            assert process.wait(10) == 0
        finally:
            process.kill()

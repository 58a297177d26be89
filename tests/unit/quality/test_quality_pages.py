"""The data docs: nothing is fetched from elsewhere, and a failed run leaves the last pages where they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.quality.test_quality_run import ORDERS, result
from wms_mesh.quality import pages
from wms_mesh.stack import Stack

PAGE = """<!DOCTYPE html><html><head><title>t</title>
<link rel="stylesheet" href="https://unpkg.com/bootstrap.min.css"/>
<link rel=stylesheet href=//cdn.example/x.css>
<script src="https://code.jquery.com/jquery-3.7.1.min.js"></script>
<script src="https://stackpath.example/b.js" integrity="sha384-x" crossorigin="anonymous"></script>
<script>kept()</script>
</head><body><img src="https://assets.example/logo.png"><img src="static/own.png"><a href="https://example.org">x</a>
</body></html>"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack.from_env({"MESH_HOME": str(tmp_path)})


def test_page_fetches_from_elsewhere() -> None:
    page = pages.offline(PAGE)
    for gone in ("unpkg", "cdn.example", "jquery", "stackpath", "assets.example"):
        assert gone not in page
    for kept in (
        "<script>kept()</script>",
        'src="static/own.png"',
        '<a href="https://example.org">',
        "border-collapse",
    ):
        assert kept in page


def test_failed_run_takes_the_last_pages_away(stack: Stack) -> None:
    def write(text: str) -> None:
        with pages.written(stack, ORDERS) as folder:
            (folder / "index.html").write_text(f"<head></head>{text}", encoding="utf-8")
            if text == "bad":
                raise ValueError("half done")

    write("first")
    with pytest.raises(ValueError, match="half done"):
        write("bad")
    final = pages.folder(stack) / "orders-dp"
    assert "first" in (final / "index.html").read_text(encoding="utf-8")
    write("second")
    assert "second" in (final / "index.html").read_text(encoding="utf-8")
    assert [path.name for path in pages.folder(stack).iterdir()] == ["orders-dp"]


def test_index_calls_an_unhealthy_product_healthy(stack: Stack) -> None:
    failed = replace(result(), failed_keys='["<b>ORD-1</b>"]')
    pages.index(stack, [replace(result(is_success=True), data_product="inventory-dp"), failed])
    page = (pages.folder(stack) / pages.INDEX).read_text(encoding="utf-8")
    good, bad = page.index("inventory-dp"), page.index("orders-dp")
    assert good < page.index('class="good"') < bad < page.index('class="bad"')
    assert "&lt;b&gt;ORD-1" in page
    assert "<b>ORD-1" not in page

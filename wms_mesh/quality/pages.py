"""The data docs: Great Expectations' pages of each product's last run in the stack's folder, and an index before them.

They come with styles and scripts from elsewhere; here they need no internet.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from jinja2 import Environment

from wms_mesh.quality.suites import Suite
from wms_mesh.quality.table import Result
from wms_mesh.stack import Stack

INDEX = "index.html"
# A tag that fetches something from another host, with what ends it.
_FOREIGN = re.compile(
    r"<script\b[^>]*\bsrc=[\"']?(?:https?:)?//[^>]*>\s*</script>|<(?:link|img)\b[^>]*\b(?:href|src)=[\"']?(?:https?:)?//[^>]*>",
    re.IGNORECASE,
)
_TEMPLATES = Path(__file__).parent / "templates"


def folder(stack: Stack) -> Path:
    """Where the pages stand; index.html is there after the first run."""
    return stack.home / "quality" / "docs"


@contextmanager
def written(stack: Stack, suite: Suite) -> Iterator[Path]:
    """A folder for a product's pages; they take the place of the last run's when the body ends well."""
    final = folder(stack) / suite.product
    fresh = final.with_name(f".{suite.product}")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        for page in fresh.rglob("*.html"):
            page.write_text(offline(page.read_text(encoding="utf-8")), encoding="utf-8")
        shutil.rmtree(final, ignore_errors=True)
        fresh.rename(final)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def offline(page: str) -> str:
    """The page without what it would fetch from elsewhere, and with a style of its own."""
    return _FOREIGN.sub("", page).replace("</head>", f"<style>\n{_style()}</style></head>", 1)


def index(stack: Stack, newest: Sequence[Result]) -> None:
    """Write the page that leads to all others. newest: the last result of each expectation, sorted by product."""
    products = []
    for name, group in groupby(newest, key=lambda one: one.data_product):
        results = list(group)
        products.append(
            {
                "name": name,
                "count": len(results),
                "failed": [one for one in results if not one.is_success],
                "unhealthy": any(one.is_unhealthy for one in results),
                "run_at": max(one.run_at for one in results),
            }
        )
    path = folder(stack) / INDEX
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    template = Environment(autoescape=True, trim_blocks=True).from_string(
        (_TEMPLATES / "index.html.j2").read_text(encoding="utf-8")
    )
    fresh.write_text(template.render(products=products, style=_style()), encoding="utf-8")
    fresh.rename(path)


def _style() -> str:
    return (_TEMPLATES / "offline.css").read_text(encoding="utf-8")

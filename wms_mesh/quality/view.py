"""What a run found, on a terminal: a line for each product, and one for each expectation that failed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby

from rich.table import Table
from rich.text import Text

from wms_mesh.quality.table import Result


def table(results: Sequence[Result]) -> Table:
    """The products, those that are unhealthy first. results: of one run."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("product", "expectations", "rows looked at", "warnings", "critical"):
        shown.add_column(heading, justify="left" if heading == "product" else "right")
    shown.add_column("state")
    by_product = groupby(sorted(results, key=lambda one: one.data_product), key=lambda one: one.data_product)
    rows = [(name, list(group)) for name, group in by_product]
    for name, group in sorted(rows, key=lambda row: not any(one.is_unhealthy for one in row[1])):
        critical = sum(one.is_unhealthy for one in group)
        warnings = sum(not one.is_success for one in group) - critical
        shown.add_row(
            name,
            str(len(group)),
            f"{sum(_rows(group).values()):,}",
            str(warnings or ""),
            str(critical or ""),
            Text("unhealthy", style="bold red") if critical else Text("healthy", style="green"),
        )
    return shown


def failures(results: Sequence[Result]) -> list[str]:
    """A sentence for each expectation that failed, critical ones first: the keys of failing rows, and why it stands.

    Sentences, since a table would fold names and keys that somebody wants to copy.
    """
    failed = sorted((one for one in results if not one.is_success), key=lambda one: (one.severity, one.expectation_id))
    return [_failure(one) for one in failed]


def _failure(one: Result) -> str:
    where = one.table_name if one.column_name is None else f"{one.table_name} {one.column_name}"
    rows = f"{one.failed_rows:,} of {one.evaluated_rows:,} rows: {', '.join(one.keys)}" if one.keys else error(one)
    return f"{one.severity}: {one.expectation_id} ({where}): {rows}\n    {one.message}"


def error(one: Result) -> str:
    """What is known of a failure without rows."""
    observed = json.loads(one.observed)
    return str(observed.get("error") or f"observed {observed.get('value')}")


def sentence(unhealthy: Mapping[str, Sequence[str]]) -> str:
    """The health of all products in a line."""
    bad = {product: failed for product, failed in unhealthy.items() if failed}
    if not unhealthy:
        return "Quality: not checked yet, `./mesh quality` does it."
    if not bad:
        return f"Quality: all {len(unhealthy)} products are healthy."
    named = "; ".join(f"{product} ({', '.join(failed)})" for product, failed in bad.items())
    return f"Quality: {len(bad)} of {len(unhealthy)} products unhealthy: {named}. What to do: docs/runbooks/quality.md."


def _rows(results: Sequence[Result]) -> dict[str, int]:
    """Rows looked at by table: expectations of one table share them."""
    found: dict[str, int] = {}
    for one in results:
        found[one.table_name] = max(found.get(one.table_name, 0), one.evaluated_rows)
    return found

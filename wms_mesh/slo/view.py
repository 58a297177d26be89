"""The measurements as a table on a terminal, with the trend of the last ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from wms_mesh.reconcile import Difference
from wms_mesh.slo.verdict import Measurement

TREND = 12  # measurements that the trend shows
BARS = "▁▂▃▄▅▆▇"
OVER = "█"


def table(history: Mapping[str, Sequence[Measurement]]) -> Table:
    """The newest measurement of each product, the worst first. history: oldest first."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("product", "oldest unseen", "delay p50", "p99", "promised", "complete", "accurate", "excluded"):
        shown.add_column(heading, justify="left" if heading == "product" else "right")
    shown.add_column("kept")
    shown.add_column("trend")
    for rows in sorted(history.values(), key=lambda rows: (rows[-1].is_met, rows[-1].product)):
        one = rows[-1]
        shown.add_row(
            one.product,
            _seconds(one.freshness_seconds),
            _seconds(one.delay_p50_seconds),
            _seconds(one.delay_p99_seconds),
            _seconds(one.freshness_target_seconds),
            _share(one.completeness_rate, one.completeness_target, one.missing + one.extra),
            _share(one.accuracy_rate, one.accuracy_target, one.compared - one.agreeing),
            f"{one.excluded:,}",
            Text("yes", style="green") if one.is_met else Text("no: " + ", ".join(one.breaches), style="bold red"),
            Text(trend(rows), style="green" if one.is_met else "red"),
        )
    return shown


def trend(rows: Sequence[Measurement]) -> str:
    """How much of its freshness a product used up, measurement by measurement; a full block is a broken promise."""
    return "".join(_bar(row) for row in rows[-TREND:])


def sentence(product: str, one: Difference) -> str:
    """One error in words."""
    return (
        f"{product}: {one.collection} {one.key} {one.column}: "
        f"MongoDB has {one.in_mongodb!r}, silver has {one.in_silver!r}"
    )


def _bar(row: Measurement) -> str:
    if not row.is_met:
        return OVER
    used = max(row.freshness_seconds, row.delay_p99_seconds or 0.0) / row.freshness_target_seconds
    return BARS[min(len(BARS) - 1, int(used * len(BARS)))]


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f} s" if value < 100 else f"{value:,.0f} s"


def _share(rate: float | None, target: float | None, wrong: int) -> str:
    """The share, as exact as its target, never rounded up to all; what it should be; and how many are wrong."""
    if rate is None:
        return "unknown"
    shown = f"{int(rate * 10_000) / 100:.2f} %"
    return f"{shown}{f' ({wrong:,} wrong)' if wrong else ''}{f' of {target:.2%}' if target else ''}"

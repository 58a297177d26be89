"""Which articles run out."""

from __future__ import annotations

from wms_mesh.report import plots
from wms_mesh.report.parts import Block, Chapter, Table, cell, count, many, number, share
from wms_mesh.report.source import Source

INVENTORY = "semantic.inventory"
SHOWN = 12


def _low(source: Source) -> Block:
    [[articles, low, empty]] = source.ask(
        "select count(*), count_if(is_low_stock), count_if(is_low_stock and available_quantity <= 0)"
        f" from {INVENTORY} as i"
    )
    if not articles:
        return Block("Below the reorder point", "There is no article in stock.")
    if not low:
        return Block("Below the reorder point", f"None of {many(articles, 'article')}.")
    rows = source.ask(
        f"""
        select coalesce(sku, 'unknown'), coalesce(product_name, ''), available_quantity, reorder_point, days_of_supply
        from {INVENTORY} as i
        where is_low_stock
        order by cast(available_quantity as double) / nullif(reorder_point, 0), available_quantity, sku
        limit {SHOWN}
        """
    )
    text = (
        f"{count(low)} of {many(articles, 'article')} ({share(low, articles)}), {count(empty)} of them with nothing"
        f" free.{f' The worst {SHOWN} are shown.' if low > SHOWN else ''} The bar is what is free, the stroke the"
        " reorder point."
    )
    bars: list[plots.Row] = [
        {
            "name": sku,
            "value": max(0, free),
            "mark": point,
            "label": count(free),
            "tip": f"{sku} {name}: {count(free)} free, reorder point {count(point)}",
        }
        for sku, name, free, point, _ in rows
    ]
    table = Table(
        "Articles below their reorder point",
        ("Article", "Name", "Free", "Reorder at", "Lasts"),
        [
            (sku, name, count(free), count(point), cell(days, lambda days: f"{number(days)} d"))
            for sku, name, free, point, days in rows
        ],
        frozenset({1}),
    )
    plot = plots.plot(
        plots.bars(bars), f"Free stock against the reorder point: {'; '.join(row['tip'] for row in bars)}."
    )
    return Block("Below the reorder point", text, plot, table, is_wide=True)


CHAPTER = Chapter(
    "stock",
    "Stock at risk",
    "Articles whose free stock is at or below the point at which new ones are ordered.",
    (INVENTORY,),
    lambda source: [_low(source)],
)

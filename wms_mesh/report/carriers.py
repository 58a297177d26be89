"""What the carriers took, and whether it came in time."""

from __future__ import annotations

from wms_mesh.report import plots
from wms_mesh.report.parts import Block, Chapter, Table, cell, count, many, number, share
from wms_mesh.report.source import Source

SHIPPING = "gold.shipping_performance_daily"
DAYS = 30  # as semantic.kpi_against_target counts: deliveries take days

PARTS = {"on time": "good", "late": "bad", "not decided": "rest"}


def _on_time(source: Source) -> Block:
    rows = source.ask(
        f"""
        select
            carrier_code, sum(shipments_count), sum(on_time_count), sum(delayed_count), sum(undecided_count),
            sum(delivered_count), sum(avg_transit_days * delivered_count)
            / nullif(sum(delivered_count) filter (where avg_transit_days is not null), 0)
        from {SHIPPING} as s
        where date > (select max(date) from {SHIPPING} as m) - interval '{DAYS}' day
        group by carrier_code
        order by sum(shipments_count) desc, carrier_code
        """
    )
    if not rows:
        return Block("On time", "No carrier took a shipment yet.")
    shipments, on_time, late, delivered = (sum(row[place] for row in rows) for place in (1, 2, 3, 5))
    text = f"{many(shipments, 'shipment')} by {many(len(rows), 'carrier')}."
    if delivered:
        text += f" {share(on_time, on_time + late)} of the {count(on_time + late)} that are decided came on time."
    else:
        text += " None has a delivery on record, so nothing can be said of their time."
    bars: list[plots.Row] = [
        {"name": row[0], "part": part, "value": value, "tip": f"{row[0]}: {count(value)} of {count(row[1])} {part}"}
        for row in rows
        for part, value in zip(PARTS, row[2:5], strict=True)
    ]
    table = Table(
        "Carriers",
        ("Carrier", "Shipments", "On time", "Late", "Rate", "Days"),
        [
            (
                row[0],
                count(row[1]),
                count(row[2]),
                count(row[3]),
                cell(row[2] / (row[2] + row[3]) if row[2] + row[3] else None, share),
                cell(row[6], number),
            )
            for row in rows
        ],
    )
    plot = plots.plot(plots.stacked(bars, PARTS), f"Shipments by carrier: on time, late, not decided. {text}")
    return Block("On time", text, plot, table, is_wide=True)


CHAPTER = Chapter(
    "carriers",
    "Carriers",
    f"Shipments of the last {DAYS} days with data. Not decided is what is on its way and not yet due, or came without a"
    " time.",
    (SHIPPING,),
    lambda source: [_on_time(source)],
)

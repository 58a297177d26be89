"""The plots, drawn by Vega-Altair and turned into SVG by vl-convert: no script on the page, crisp on paper, small.

A row of data carries ``tip``: what a pointer over its mark shows.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree as ET

import altair as alt
from markupsafe import Markup

from wms_mesh.report.colours import LIGHT
from wms_mesh.report.parts import Plot

NARROW, WIDE = 320, 500  # pixels: a phone's width, and half of a desk's, without what stands around
LINE = 26  # pixels that one horizontal bar takes
LETTER = 7  # pixels that a letter of 12 takes at most, on average
FONT = "Helvetica, Arial, Liberation Sans, sans-serif"  # of equal widths, so that what vl-convert measures holds

_SVG = "http://www.w3.org/2000/svg"
ET.register_namespace("", _SVG)
_MARKS = (f"{{{_SVG}}}path", f"{{{_SVG}}}line")
_SPOKEN = ("role", "aria-label", "aria-roledescription", "aria-hidden")

Row = dict[str, Any]
Draw = Callable[[int], alt.TopLevelMixin]

_AXIS = {
    "labelColor": LIGHT["muted"],
    "titleColor": LIGHT["muted"],
    "gridColor": LIGHT["line"],
    "domainColor": LIGHT["rest"],
    "labelFontSize": 12,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "ticks": False,
    "labelPadding": 6,
}
_CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "padding": 2,
    "autosize": {"type": "fit", "contains": "padding"},
    "view": {"stroke": "transparent"},
    "axis": _AXIS,
    "legend": {
        "labelColor": LIGHT["ink"],
        "labelFontSize": 12,
        "orient": "top",
        "title": None,
        "symbolType": "square",
        "offset": 8,
        "columnPadding": 14,
    },
    "text": {"color": LIGHT["ink"], "fontSize": 12},
}


def plot(draw: Draw, text: str) -> Plot:
    """Draw for both widths. text: what the plot shows, in a sentence."""
    return Plot(text, _svg(draw(NARROW), text), _svg(draw(WIDE), text))


def by_hour(rows: Sequence[Row]) -> Draw:
    """Bars, one for each row. A row: hour (``14:00``), value, is_open (the hour is not over), tip."""

    def draw(width: int) -> alt.TopLevelMixin:
        hours = [row["hour"] for row in rows]
        drawn: alt.TopLevelMixin = (
            _chart(rows)
            .mark_bar(color=LIGHT["series"])
            .encode(
                x=alt.X("hour:O", sort=hours, title=None, axis=alt.Axis(values=hours[::4], labelAngle=0)),
                y=alt.Y("value:Q", title=None, axis=alt.Axis(tickCount=3, tickMinStep=1, format=",d", domain=False)),
                fillOpacity=alt.condition("datum.is_open", alt.value(0.55), alt.value(1)),
                description="tip:N",
            )
            .properties(width=width, height=130)
            .configure(**_CONFIG)
        )
        return drawn

    return draw


def bars(rows: Sequence[Row], target: float | None = None) -> Draw:
    """Horizontal bars in the order of the rows, with their values. A row: name, value, label, tip, and mark (or None).

    target: a dashed line across all. mark: a stroke across this bar, such as its own limit.
    """

    def draw(width: int) -> alt.TopLevelMixin:
        marks = [row["mark"] for row in rows if row.get("mark") is not None]
        most = max([1e-9, *(row["value"] for row in rows), *marks, *([target] if target else [])])
        names = min(width // 3, LETTER * max(len(row["name"]) for row in rows))
        labels = LETTER * max(len(row["label"]) for row in rows) + 8
        room = width - names
        scale = alt.Scale(domain=[0, most * room / (room - labels)])
        y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(domain=False, labelLimit=width // 3))

        def x(field: str) -> alt.X:
            return alt.X(field, title=None, axis=None, scale=scale)

        base = _chart(rows).encode(y=y)
        layers = [
            base.mark_bar(color=LIGHT["series"], height={"band": 0.66}).encode(x=x("value:Q"), description="tip:N")
        ]
        if marks:
            tick = base.transform_filter("isNumber(datum.mark)")
            layers.append(tick.mark_tick(color=LIGHT["ink"], thickness=2, size=LINE * 0.8).encode(x=x("mark:Q")))
        if target:
            rule = _chart([{"target": target}]).mark_rule(color=LIGHT["ink"], strokeDash=[4, 3], strokeWidth=1.5)
            layers.append(rule.encode(x=x("target:Q")))
        if marks or target:  # in a column of their own: beside the bar, a stroke would go through them
            last = base.mark_text(align="right").encode(x=alt.value("width"), text="label:N")
        else:
            last = base.mark_text(align="left", dx=6).encode(x=x("value:Q"), text="label:N")
        layers.append(last)
        size = {"width": width, "height": LINE * len(rows)}
        drawn: alt.TopLevelMixin = alt.layer(*layers).properties(**size).configure(**_CONFIG)
        return drawn

    return draw


def stacked(rows: Sequence[Row], colours: dict[str, str]) -> Draw:
    """Horizontal bars of parts, in the order of the rows. A row: name, part, value, tip.

    colours: names of colours by part, in order.
    """

    def draw(width: int) -> alt.TopLevelMixin:
        parts = list(colours)
        names = list(dict.fromkeys(row["name"] for row in rows))
        numbered = [{**row, "place": parts.index(row["part"])} for row in rows if row["value"]]
        drawn: alt.TopLevelMixin = (
            _chart(numbered)
            .mark_bar(height={"band": 0.66}, stroke=LIGHT["surface"], strokeWidth=1)
            .encode(
                y=alt.Y("name:N", sort=names, title=None, axis=alt.Axis(domain=False, labelLimit=width // 3)),
                x=alt.X(
                    "value:Q",
                    title=None,
                    axis=alt.Axis(tickCount=4, tickMinStep=1, format=",d", domain=False, labelFlush=False),
                ),
                color=alt.Color(
                    "part:N",
                    scale=alt.Scale(domain=parts, range=[LIGHT[name] for name in colours.values()]),
                    legend=alt.Legend(columns=3 if width < WIDE else len(parts)),
                ),
                order=alt.Order("place:Q"),
                description="tip:N",
            )
            .properties(width=width, height=LINE * len(names) + 60)
            .configure(**_CONFIG)
        )
        return drawn

    return draw


def trend(rows: Sequence[Row], text: str) -> Markup:
    """A small row of bars, the oldest first, under a line that they should not cross.

    A row: at (a moment as text), used (a share, drawn up to 1.3), is_good, tip.
    """
    shown = [{**row, "used": min(max(row["used"], 0.06), 1.3)} for row in rows]
    moments = [row["at"] for row in shown]
    bars_ = (
        _chart(shown)
        .mark_bar(width={"band": 0.7})
        .encode(
            x=alt.X(
                "at:O", sort=moments, axis=None, scale=alt.Scale(rangeMax=212 if len(rows) > 11 else 20 * len(rows))
            ),
            y=alt.Y("used:Q", axis=None, scale=alt.Scale(domain=[0, 1.3])),
            color=alt.condition("datum.is_good", alt.value(LIGHT["good"]), alt.value(LIGHT["bad"])),
            description="tip:N",
        )
    )
    limit = _chart([{"limit": 1}]).mark_rule(color=LIGHT["rest"], strokeDash=[3, 3]).encode(y="limit:Q")
    return _svg(alt.layer(bars_, limit).properties(width=220, height=34).configure(**_CONFIG), text)


def _chart(rows: Sequence[Row]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=list(rows)))


def _svg(chart: alt.TopLevelMixin, text: str) -> Markup:
    """The chart as an element of the page: one picture with a name, its marks with tips, its colours the page's."""
    drawn = io.StringIO()
    chart.save(drawn, format="svg")
    root = ET.fromstring(drawn.getvalue())  # noqa: S314 - what vl-convert has just written
    for element in root.iter():
        spoken = {name: element.attrib.pop(name, None) for name in _SPOKEN}
        if element.tag in _MARKS and spoken["aria-label"]:
            ET.SubElement(element, f"{{{_SVG}}}title").text = spoken["aria-label"]
    root.set("class", "plot")
    root.set("role", "img")
    root.set("aria-label", text)
    shown = ET.tostring(root, encoding="unicode")
    for name, colour in LIGHT.items():
        shown = re.sub(f'"{colour}"', f'"var(--{name})"', shown, flags=re.IGNORECASE)
    return Markup(shown)  # noqa: S704 - the serializer has escaped every text and attribute

"""What the page says and how it looks, without a warehouse."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from wms_mesh.errors import MeshError
from wms_mesh.report import account, carriers, flow, page, parts, plots, products
from wms_mesh.report.colours import DARK, LIGHT
from wms_mesh.report.source import Source
from wms_mesh.stack import REPO, Stack

NOW = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
ATTACK = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>"


class Markup(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


def source(rows: list[list[Any]]) -> Source:
    return Source(lambda _: rows, lambda _: {}, frozenset(), NOW, NOW, NOW)


def test_text_of_the_warehouse_becomes_markup() -> None:
    def ask(statement: str) -> list[list[Any]]:
        if "run_id" in statement:
            return []
        if products.QUALITY in statement:
            return [[ATTACK, ATTACK, ATTACK, ATTACK, False, 1, 2]]
        return [[ATTACK, 3, 1, 1, 1, 2, 1.5], ["UPS", 1, 1, 0, 0, 1, 2.0]]

    tables = frozenset({*carriers.CHAPTER.needs, products.QUALITY})
    shown = page.render(Source(ask, lambda _: {}, tables, NOW, NOW, NOW))
    assert "4 shipments" in shown
    assert shown.count("&lt;script&gt;") > 5, "in tables, in the plot's labels and tips"
    found = Markup()
    found.feed(shown)
    assert found.names.isdisjoint({"script", "img"})
    assert [name for name in found.attributes if name.startswith("on")] == []


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_colour_cannot_be_told_from_its_ground(colours: dict[str, str]) -> None:
    for name, colour in colours.items():
        if name in ("ground", "surface", "line"):
            continue
        is_text = name in ("ink", "muted", "series", "good", "bad")
        for ground in ("surface", "ground") if is_text else ("surface",):
            assert contrast(colour, colours[ground]) >= (4.5 if is_text else 3), f"{name} on {ground}"


def contrast(one: str, other: str) -> float:
    """As the Web Content Accessibility Guidelines compute it, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts_ = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts_)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_two_colours_cannot_be_told_apart_in_a_plot() -> None:
    assert len(set(LIGHT.values())) == len(LIGHT)
    assert LIGHT.keys() == DARK.keys()


def test_plot_keeps_its_colours_in_the_dark() -> None:
    rows = [{"name": name, "value": 3, "mark": 2, "label": "3", "tip": name} for name in "ab"]
    for draw in (
        plots.bars(rows, 2.5),
        plots.by_hour([{"hour": "10:00", "value": 4, "is_open": True, "tip": "x"}]),
        plots.stacked(
            [{"name": "a", "part": part, "value": 1, "tip": part} for part in "xy"], {"x": "good", "y": "bad"}
        ),
    ):
        drawn = plots.plot(draw, "what it shows")
        for picture in (drawn.narrow, drawn.wide):
            fixed = set(re.findall(r'(?:fill|stroke)="([^"]*)"', picture)) - {"none", "transparent"}
            assert fixed, "it has marks"
            assert [one for one in fixed if not one.startswith("var(--")] == []
            assert 'role="img" aria-label="what it shows"' in picture


def test_table_of_the_report_is_not_in_its_lineage() -> None:
    document = yaml.safe_load((REPO / "models" / "exposures.yml").read_text(encoding="utf-8"))
    [exposure] = [one for one in document["exposures"] if one["name"] == "warehouse_report"]
    named = {match[1] for one in exposure["depends_on"] if (match := re.match(r"ref\('(\w+)'\)", one))}
    assert named == {name.split(".")[1] for chapter in page.CHAPTERS for name in chapter.needs}
    assert products.SLO == "gold.data_product_slo"
    assert "source('measured', 'data_product_slo')" in exposure["depends_on"]


def test_funnel_counts_an_order_twice_or_loses_one() -> None:
    answers: Iterator[list[list[Any]]] = iter(
        [
            [[0, 1], [3, 2], [7, 7]],  # one came no further than received, two to picking, seven to the end
            [["received", 30.0], ["picking", 600.0]],
            [["delivered", 7], ["picking", 2], ["cancelled", 1]],
        ]
    )
    found = Source(lambda _: next(answers), lambda _: {}, frozenset(), NOW, NOW, NOW)
    block = flow._funnel(found)
    assert block.text == "Of 10 orders that were received, 70.0 % came to the end. Aside stand 1 cancelled."
    assert block.table is not None
    assert [row[:3] for row in block.table.rows] == [
        ("Received", "10", "100 %"),
        *((name, "9", "90.0 %") for name in ("Validated", "Wave assigned", "Picking")),
        *((name, "7", "70.0 %") for name in ("Consolidated", "Packed", "Shipped", "Delivered")),
    ]
    assert [row[3] for row in block.table.rows][:4] == ["30 s", "-", "-", "10 min"]


def test_missing_record_is_called_accounted_for() -> None:
    day = date(2026, 3, 1)
    rows = [["cdc.wms.orders", 10, 1, 0, 0, 0, day, day], ["wms.orders.events", 5, 0, 2, 3, 1, day, day]]
    [block] = account.CHAPTER.build(source(rows))
    assert block.text.startswith("18 records of 2 topics, read 2026-03-01 to 2026-03-01: 15 in bronze, 1 in the")
    assert "3 records missing and 1 record twice." in block.text
    [block] = account.CHAPTER.build(source(rows[:1]))
    assert block.text.endswith("None is missing, none stands twice.")


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(1, 1, "100 %"), (99_999, 100_000, "99.9 %"), (1, 100_000, "0.1 %"), (0, 3, "0 %"), (1, 0, "unknown")],
)
def test_share_is_rounded_to_all_or_nothing(part: float, whole: float, text: str) -> None:
    assert parts.share(part, whole) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0 s"), (12.34, "12.3 s"), (119.0, "119 s"), (300.0, "5 min"), (9000.0, "2.5 h")]
)
def test_time_is_said_in_a_unit_that_nobody_would_use(value: float, text: str) -> None:
    assert parts.seconds(value) == text


def test_last_hour_is_cut_off() -> None:
    assert source([]).end == datetime(2026, 3, 1, 13, tzinfo=UTC)


def test_failed_write_leaves_half_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "render", lambda _: "page")
    monkeypatch.setattr("wms_mesh.report.page.source.of", lambda _: None)
    stack = Stack.from_env({"MESH_HOME": str(tmp_path)})
    assert page.write(stack, tmp_path / "one.html").path.read_text(encoding="utf-8") == "page"
    assert [path.name for path in tmp_path.iterdir()] == ["one.html"]
    with pytest.raises(MeshError, match=r"cannot be written.*--output"):
        page.write(stack, tmp_path / "nowhere" / "one.html")

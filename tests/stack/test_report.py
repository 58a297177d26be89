"""The report and the docs site in a real browser: no error, nothing cut off, and the numbers of the tables."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pymongo import MongoClient

from tests.stack.flow import arrive, furnish
from wms_mesh import demo, docs, sql
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.errors import MeshError
from wms_mesh.history import literal
from wms_mesh.report import browser, page, products, source
from wms_mesh.report.browser import DESK, PHONE
from wms_mesh.report.source import Source
from wms_mesh.stack import LOOPBACK, REPO, Stack

Scheme = Literal["dark", "light"]
LARGEST = 1_500_000  # bytes of the page: it is mailed, and opened on phones

# Text that is wider than its box or than the screen.
OVERFLOWING = """() => [...document.querySelectorAll('body *')]
    .filter(one => !one.closest('svg') && !one.matches('.skip'))
    .filter(one => one.getBoundingClientRect().width > 0)
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 1
        && getComputedStyle(one).display !== 'inline')
    .map(one => `${one.tagName} ${one.className}: ${one.textContent.trim().slice(0, 60)}`)"""

# Of every plot that is shown: how many marks have an area, and which of its texts are cut off or written over another.
PLOTS = """() => {
const box = shape => shape.getBoundingClientRect();
return [...document.querySelectorAll('svg.plot')].filter(one => box(one).width > 0).map(one => {
    const frame = box(one);
    const words = [...one.querySelectorAll('text')].filter(word => box(word).width > 0);
    const cut = word => box(word).left < frame.left - 2 || box(word).right > frame.right + 2
        || box(word).top < frame.top - 2 || box(word).bottom > frame.bottom + 2;
    const over = (a, b) => Math.min(box(a).right, box(b).right) - Math.max(box(a).left, box(b).left) > 1
        && Math.min(box(a).bottom, box(b).bottom) - Math.max(box(a).top, box(b).top) > 3;
    return {
        name: one.getAttribute('aria-label').slice(0, 60),
        marks: [...one.querySelectorAll('.mark-rect.role-mark path')]
            .filter(mark => box(mark).width > 0.5 && box(mark).height > 0.5).length,
        cut: words.filter(cut).map(word => word.textContent),
        over: words.flatMap((a, at) => words.slice(at + 1).filter(b => over(a, b)).map(
            b => `${a.textContent} / ${b.textContent}`)),
    };
})}"""


@pytest.fixture(scope="module")
def warehouse(running_stack: Stack) -> Stack:
    """The stack with every table built and an article that runs out, which a simulated day need not have.

    What the tests before have left behind will do.
    """
    furnish(running_stack)
    with MongoClient[dict[str, Any]](connection_string(running_stack)) as client:
        table = client["wms"]["inventory"]
        [one] = table.find({}, {"available_quantity": 1}).sort("_id", 1).limit(1)
        table.update_one({"_id": one["_id"]}, {"$set": {"reorder_point": one["available_quantity"] + 1}})
    arrive(running_stack)
    return running_stack


@pytest.fixture(scope="module")
def report(warehouse: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page, as a user gets it."""
    path = tmp_path_factory.mktemp("report") / "warehouse.html"
    result = subprocess.run(
        [REPO / "mesh", "report", "--output", path], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout.strip()) == (0, str(path)), result.stderr
    return path


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser. Without one a laptop skips these tests and says what to install; CI has to have one."""
    try:
        browser.executable()
    except MeshError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    with browser.launch() as launched:
        yield launched


@pytest.fixture(scope="module")
def site(warehouse: Stack) -> Iterator[str]:
    """The docs site, served; test_docs may have built it."""
    built = docs.folder(warehouse) / docs.PAGE
    with docs.serve(built if built.exists() else docs.build(warehouse).page, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}/"
        server.shutdown()


@contextmanager
def measurable(chromium: Browser, path: Path, size: tuple[int, int], scheme: Scheme = "light") -> Iterator[Page]:
    """The page with everything on it unfolded, open to a test's own scripts."""
    with browser.view(chromium, path.as_uri(), size, scheme, is_strict=False) as shown:
        shown.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        yield shown.page


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_report_has_an_error_in_the_browser(
    chromium: Browser, report: Path, size: tuple[int, int], scheme: Scheme
) -> None:
    with browser.view(chromium, report.as_uri(), size, scheme) as shown:
        assert shown.problems == []
        assert shown.page.title().startswith("Warehouse report, 20")


@pytest.mark.parametrize(
    ("place", "heading"),
    [
        ("#!/overview", "WMS Data Mesh"),
        ("#!/model/model.wms_data_mesh.order_fulfillment_daily", "order_fulfillment_daily"),
    ],
    ids=["overview", "model"],
)
def test_docs_site_has_an_error_in_the_browser(chromium: Browser, site: str, place: str, heading: str) -> None:
    with browser.view(chromium, site + place) as shown:
        shown.page.wait_for_selector(f"h1:has-text('{heading}')")
        assert shown.problems == []


def test_report_needs_a_script_or_the_network(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert len(text.encode()) < LARGEST
    assert not re.findall(r"<(?:script|iframe|object|embed|audio|video|img)\b", text)
    assert not re.findall(r"\b(?:src|href)=(?![\"']?(?:#|data:,))[^>]*|url\(|@import", text)


@pytest.mark.parametrize("size", [PHONE, (768, 1024), DESK], ids=["phone", "tablet", "desk"])
def test_text_is_wider_than_its_place(chromium: Browser, report: Path, size: tuple[int, int]) -> None:
    with measurable(chromium, report, size) as shown:
        assert shown.evaluate(OVERFLOWING) == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_plot_is_empty_or_its_text_cut(chromium: Browser, report: Path, size: tuple[int, int]) -> None:
    with measurable(chromium, report, size) as shown:
        found: list[dict[str, Any]] = shown.evaluate(PLOTS)
    assert len(found) >= 10, "four by the hour, the funnel, waves, two of work, carriers, stock"
    for one in found:
        assert one["marks"] > 0, one["name"]
        assert (one["cut"], one["over"]) == ([], []), one["name"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_report_breaks_a_rule_of_accessibility(chromium: Browser, report: Path, scheme: Scheme) -> None:
    with measurable(chromium, report, PHONE, scheme) as shown:
        found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()


def test_dark_screen_is_printed_dark(chromium: Browser, report: Path) -> None:
    ink = "getComputedStyle(document.body).color"
    with measurable(chromium, report, DESK, "dark") as shown:
        on_screen = shown.evaluate(ink)
        shown.emulate_media(media="print")
        assert shown.evaluate(ink) != on_screen
        assert shown.evaluate(OVERFLOWING) == []


def emptied(found: Source) -> Source:
    """The same tables without a row."""

    def ask(statement: str) -> list[list[Any]]:
        return found.ask(
            re.sub(r"\b(from|join) ((?:gold|semantic)\.\w+)", r"\1 (select * from \2 where false)", statement)
        )

    return source.read(ask, lambda _: {})


def test_empty_tables_break_a_plot(warehouse: Stack, chromium: Browser, tmp_path: Path) -> None:
    nothing = emptied(source.of(warehouse))
    assert nothing.first_at is None
    path = tmp_path / "empty.html"
    path.write_text(page.render(nothing), encoding="utf-8")
    with browser.view(chromium, path.as_uri(), PHONE, is_strict=False) as shown:
        assert shown.problems == []
        assert shown.page.evaluate("document.querySelectorAll('svg').length") == 0
        cards = shown.page.evaluate(
            "[...document.querySelectorAll('main article:not(.product) p')].map(one => one.textContent)"
        )
    assert len(cards) == 14, "a sentence in each card"
    assert all(len(sentence) > 10 for sentence in cards)


def test_number_on_the_report_differs_from_the_tables(warehouse: Stack, report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    found = source.of(warehouse)
    start, end = literal(found.end - timedelta(hours=source.HOURS)), literal(found.end)
    [[orders]] = sql.query(
        warehouse,
        "select count(*) from silver.orders_current"
        f" where not is_deleted and created_at >= {start} and created_at < {end}",
    )
    assert orders > 0
    assert f"Of {orders:,} orders that were received" in text
    [[articles, low]] = sql.query(
        warehouse,
        "select count(*), count_if(available_quantity <= reorder_point) from silver.inventory_current"
        " where not is_deleted",
    )
    assert low > 0
    assert f"{low:,} of {articles:,} articles" in text
    [[shipped]] = sql.query(
        warehouse,
        "select count(*) from silver.shipments_current"
        f" where not is_deleted and shipped_at >= {start} and shipped_at < {end}",
    )
    assert re.search(rf"Shipments handed over</h3>\s*<p>{shipped:,} in all", text)


# Two runs of a suite: what failed in the first is mended in the second, gone with its definition, or still a warning;
# another product stays broken.
RESULTS = """(
    select
        'run-' || cast(run as varchar) as run_id, data_product,
        timestamp '2026-03-01 12:00:00 UTC' + run * interval '1' hour as run_at,
        'suite' as suite, expectation_id, 'expect_column_values_to_be_unique' as expectation_type,
        'semantic.orders' as table_name, 'some_id' as column_name, severity, is_success,
        bigint '100' as evaluated_rows, if(is_success, bigint '0', bigint '3') as failed_rows,
        '["ORD-1"]' as failed_keys, '{}' as observed, 'Because.' as message
    from (values
        (1, 'orders-dp', 'orders_dp.mended', 'critical', false), (1, 'orders-dp', 'orders_dp.open', 'warning', false),
        (1, 'orders-dp', 'orders_dp.retired', 'critical', false),
        (2, 'orders-dp', 'orders_dp.mended', 'critical', true), (2, 'orders-dp', 'orders_dp.open', 'warning', false),
        (1, 'shipping-dp', 'shipping_dp.broken', 'critical', false)
    ) as given (run, data_product, expectation_id, severity, is_success)
)"""


def test_mended_expectation_still_counts_or_a_failed_one_does_not(warehouse: Stack) -> None:
    def ask(statement: str) -> list[list[Any]]:
        return sql.query(warehouse, statement.replace(f"from {products.QUALITY}", f"from {RESULTS}"))

    found = source.of(warehouse)
    with_results = replace(found, ask=ask, slo=lambda _: {}, tables=found.tables | {products.QUALITY})
    chapter = products.chapter(with_results)
    states = {card.name: list(card.reasons) for card in chapter.cards if card.reasons}
    assert states == {"shipping-dp": ["1 critical expectation failed"]}
    [block] = chapter.blocks
    assert block.table is not None
    assert [tuple(row) for row in block.table.rows] == [
        ("orders_dp.open: Because.", "warning", "3 of 100"),
        ("shipping_dp.broken: Because.", "critical", "3 of 100"),
    ]
    [orders] = [card for card in chapter.cards if card.name == "orders-dp"]
    assert ("Expectations met", "1 of 2") in orders.facts
    assert "2 runs since" in orders.trends[-1].picture


def test_demo_does_not_leave_a_report(warehouse: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    path = page.default(warehouse)
    path.unlink(missing_ok=True)
    demo.report(warehouse, [], time.monotonic())
    assert path.stat().st_size > 100_000
    assert str(path) in capsys.readouterr().out

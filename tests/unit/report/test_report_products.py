"""What a card says of a product: healthy only when everything that was looked at is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from wms_mesh.report import page, products
from wms_mesh.report.products import Check, Run, State
from wms_mesh.report.source import Source
from wms_mesh.slo.delay import Delays
from wms_mesh.slo.judge import Judgement
from wms_mesh.slo.promises import Promise
from wms_mesh.slo.verdict import Measurement, verdict
from wms_mesh.stack import REPO

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDERS = next(group for group in products.groups() if group["name"] == "orders")
MET = Check("orders-dp", "orders_dp.order_id_is_there", "why", "critical", True, 0, 100)
FAILED = Check("orders-dp", "orders_dp.order_id_is_unique", "why", "critical", False, 2, 100)
WARNED = Check("orders-dp", "orders_dp.priority_is_known", "why", "warning", False, 1, 100)


def measured(at: datetime = NOW, delay: float = 12.0, agreeing: int = 1000, wrong: int = 0) -> Measurement:
    promise = Promise("orders-dp", 300.0, 0.999, 0.999, ())
    return verdict(promise, at, 0.0, Delays(500, 4.0, delay), 900.0, Judgement(agreeing=agreeing, disagreeing=wrong))


def test_product_without_a_measurement_looks_healthy() -> None:
    card = products.card(ORDERS, [], [MET], [])
    assert card.state is State.UNKNOWN
    assert dict(card.facts)["Fresh within"] == "5 min"


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (measured(delay=301.0), "breaks its promise of freshness"),
        (measured(wrong=2), "breaks its promise of accuracy"),
    ],
)
def test_broken_promise_looks_healthy(one: Measurement, reason: str) -> None:
    card = products.card(ORDERS, [measured(NOW - timedelta(minutes=15)), one], [MET], [])
    assert (card.state, list(card.reasons)) == (State.UNHEALTHY, [reason])
    assert products.card(ORDERS, [one, measured(NOW + timedelta(minutes=15))], [MET], []).state is State.HEALTHY


def test_failed_critical_expectation_looks_healthy() -> None:
    card = products.card(ORDERS, [measured()], [FAILED, WARNED, MET], [])
    assert (card.state, list(card.reasons)) == (State.UNHEALTHY, ["1 critical expectation failed"])
    assert products.card(ORDERS, [measured()], [WARNED, MET], []).state is State.HEALTHY


def test_share_is_rounded_up_to_all() -> None:
    facts = dict(products.card(ORDERS, [measured(agreeing=99_999, wrong=1)], [], []).facts)
    assert facts["Accurate"] == "99.99 % of 99.9 %"


def test_trend_hides_a_broken_promise_or_a_failed_run() -> None:
    rows = [measured(NOW - timedelta(minutes=15), delay=400.0), measured()]
    runs = [Run("orders-dp", NOW - timedelta(hours=1), 1, 2, 1), Run("orders-dp", NOW, 2, 2, 0)]
    slo, quality = products.card(ORDERS, rows, [MET], runs).trends
    assert "2 measurements since 2026-03-01 11:45 UTC: 1 broken; the last one" in slo.picture
    assert slo.picture.count("var(--bad)") == slo.picture.count("var(--good)") == 1
    assert "2 runs since 2026-03-01 11:00 UTC; the last one: 2026-03-01 12:00 UTC: 2 of 2 met." in quality.picture
    assert quality.picture.count("var(--bad)") == quality.picture.count("var(--good)") == 1


def test_product_of_the_groups_is_missing() -> None:
    nothing = Source(lambda _: [], lambda _: {}, frozenset(), NOW, None, None)
    document = yaml.safe_load((REPO / "models" / "groups.yml").read_text(encoding="utf-8"))
    owners = {
        group["config"]["meta"]["data_product"]: group["owner"]["name"]
        for group in document["groups"]
        if group["name"] != "platform"
    }
    chapter = products.chapter(nothing)
    assert {card.name: card.owner for card in chapter.cards} == owners
    assert chapter.text.startswith("8 not measured.")


def test_missing_tables_are_not_named() -> None:
    shown = page.render(Source(lambda _: [], lambda _: {}, frozenset(), NOW, None, None))
    for name in {need for chapter in page.CHAPTERS for need in chapter.needs}:
        assert f"<code>{name}</code>" in shown, name
    assert "gold.quality_results is not there" in shown
    assert "no data yet" in shown
    assert "<svg" not in shown

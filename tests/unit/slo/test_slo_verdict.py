"""Numbers against promises, and how they are shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from ingest.collections import COLLECTIONS
from wms_mesh.slo import view
from wms_mesh.slo.delay import Delays
from wms_mesh.slo.judge import Judgement
from wms_mesh.slo.promises import Promise
from wms_mesh.slo.verdict import Measurement, verdict

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOTH = Promise("orders-dp", 60.0, 0.999, 0.9999, COLLECTIONS[:1])
NONE = replace(BOTH, completeness=None, accuracy=None)
GOOD = Judgement(agreeing=1000)
PROMPT = Delays(500, 4.0, 12.0)


def measured(
    found: Judgement = GOOD, *, promise: Promise = BOTH, freshness: float = 0.0, delays: Delays = PROMPT
) -> Measurement:
    return verdict(promise, NOW, freshness, delays, 900.0, found)


def test_kept_promise_is_broken() -> None:
    one = measured()
    assert (one.is_met, one.breaches, one.documents, one.current_rows) == (True, [], 1000, 1000)
    assert measured(freshness=60.0, delays=Delays(1, 60.0, 60.0)).is_met


@pytest.mark.parametrize(
    ("one", "broken"),
    [
        (measured(freshness=60.1), ["freshness"]),
        (measured(delays=Delays(500, 4.0, 60.1)), ["freshness"]),
        (measured(Judgement(agreeing=998, missing=2)), ["completeness"]),
        (measured(Judgement(agreeing=998, extra=2)), ["completeness"]),
        (measured(Judgement(agreeing=9998, disagreeing=2)), ["accuracy"]),
    ],
)
def test_broken_promise_turns_another_one_red(one: Measurement, broken: list[str]) -> None:
    assert one.breaches == broken
    assert not one.is_met


def test_promise_that_was_not_made_is_broken() -> None:
    one = measured(Judgement(agreeing=1, disagreeing=9, missing=9), promise=NONE)
    assert one.is_met
    assert (one.is_complete, one.is_accurate) == (None, None)
    assert one.accuracy_rate == 0.1


def test_target_that_is_just_reached_is_missed() -> None:
    assert measured(Judgement(agreeing=999, missing=1)).is_complete
    assert measured(Judgement(agreeing=9999, disagreeing=1)).is_accurate


def test_what_changed_after_the_point_counts() -> None:
    one = measured(Judgement(agreeing=10, excluded=5))
    assert (one.documents, one.compared, one.excluded, one.completeness_rate) == (10, 10, 5, 1.0)


def test_difference_on_its_way_is_called_an_error() -> None:
    one = measured(Judgement(agreeing=10, excluded=500, is_judged=False), freshness=75.0)
    assert one.breaches == ["freshness"]
    assert (one.completeness_rate, one.accuracy_rate) == (None, None)
    assert (Judgement(is_judged=False) + GOOD).is_judged is False


def test_sampled_document_without_fields_is_compared() -> None:
    one = measured(Judgement(agreeing=10, unsampled=90, missing=0, is_sample=True))
    assert (one.documents, one.compared, one.is_sample) == (100, 10, True)


def test_trend_hides_a_breach_or_grows_too_long() -> None:
    rows = [measured(), measured(delays=Delays(1, 30.0, 30.0)), measured(freshness=61.0)]
    assert view.trend(rows) == "▂▄█"
    assert len(view.trend(rows * 20)) == view.TREND


def test_share_is_rounded_up_to_all() -> None:
    console = Console(width=200, record=True)
    one = measured(Judgement(agreeing=99_999, disagreeing=1, extra=1))
    console.print(view.table({"orders-dp": [one], "waves-dp": [replace(one, product="waves-dp", is_met=False)]}))
    shown = console.export_text()
    assert "99.99 % (1 wrong) of 99.99%" in shown
    assert "100.00 %" not in shown
    assert shown.index("waves-dp") < shown.index("orders-dp"), "what is broken comes first"

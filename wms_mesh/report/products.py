"""The eight data products: what their owners promise, what was measured, and what their expectations found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import yaml
from markupsafe import Markup

from wms_mesh.report import plots
from wms_mesh.report.parts import UNKNOWN, Block, Table, count, many, moment, seconds, share
from wms_mesh.report.source import Source
from wms_mesh.slo.verdict import Measurement
from wms_mesh.stack import REPO

SLO, QUALITY = "gold.data_product_slo", "gold.quality_results"
TREND = 32  # measurements, or runs, that a trend shows: eight hours at one each 15 minutes
CRITICAL = "critical"

# What each product's newest run found, which checks all of its expectations: a failure stands until a later run.
_NEWEST = f"""
select data_product, expectation_id, message, severity, is_success, failed_rows, evaluated_rows
from (
    select *, rank() over (partition by data_product order by run_at desc) as place
    from {QUALITY}
)
where place = 1
order by data_product, severity, expectation_id
"""
_RUNS = f"""
select data_product, run_at, passed, expectations, critical
from (
    select
        data_product,
        max(run_at) as run_at,
        count_if(is_success) as passed,
        count(*) as expectations,
        count_if(not is_success and severity = '{CRITICAL}') as critical,
        row_number() over (partition by data_product order by max(run_at) desc) as place
    from {QUALITY}
    group by data_product, run_id
)
where place <= {TREND}
order by run_at
"""


class State(StrEnum):
    """Of a product, in the words of the page."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "not measured"


@dataclass(frozen=True)
class Check:
    """What the newest run found of one expectation. why: it stands."""

    product: str
    expectation: str
    why: str
    severity: str
    is_success: bool
    failed_rows: int | None
    evaluated_rows: int | None


@dataclass(frozen=True)
class Run:
    """One run of a product's suite. critical: how many critical expectations failed."""

    product: str
    at: datetime
    passed: int
    expectations: int
    critical: int


@dataclass(frozen=True)
class Trend:
    """A small picture with its sentence."""

    heading: str
    picture: Markup


@dataclass(frozen=True)
class Product:
    """One card. reasons: why it is unhealthy. facts: names and values. trends: of its promises and of its quality."""

    name: str
    heading: str
    owner: str
    state: State
    reasons: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    trends: Sequence[Trend] = field(default_factory=tuple)


@dataclass(frozen=True)
class Products:
    """The chapter. blocks: what stands under the cards."""

    text: str
    cards: Sequence[Product]
    blocks: Sequence[Block]


def chapter(source: Source) -> Products:
    """Every product of models/groups.yml, measured or not."""
    measured = {} if source.missing([SLO]) else source.slo(TREND)
    checks, runs = quality(source)
    cards = [
        card(
            group,
            measured.get(group["config"]["meta"]["data_product"], []),
            [one for one in checks if one.product == group["config"]["meta"]["data_product"]],
            [one for one in runs if one.product == group["config"]["meta"]["data_product"]],
        )
        for group in groups()
    ]
    return Products(_verdict(cards), cards, [_failures(source, checks)])


def groups() -> list[dict[str, Any]]:
    """The groups of models/groups.yml that are data products, in its order."""
    document = yaml.safe_load((REPO / "models" / "groups.yml").read_text(encoding="utf-8"))
    return [group for group in document["groups"] if "data_product" in group["config"]["meta"]]


def quality(source: Source) -> tuple[list[Check], list[Run]]:
    """What the newest runs found, and all runs, oldest first; both empty where nothing ever ran."""
    if source.missing([QUALITY]):
        return [], []
    return [Check(*row) for row in source.ask(_NEWEST)], [Run(*row) for row in source.ask(_RUNS)]


def card(
    group: dict[str, Any], measured: Sequence[Measurement], checks: Sequence[Check], runs: Sequence[Run]
) -> Product:
    """Put together what is known of a product. measured, runs: oldest first; checks: of the newest run."""
    critical = [one for one in checks if not one.is_success and one.severity == CRITICAL]
    reasons = [f"breaks its promise of {promise}" for promise in (measured[-1].breaches if measured else [])]
    if critical:
        reasons.append(f"{many(len(critical), 'critical expectation')} failed")
    state = State.UNHEALTHY if reasons else State.HEALTHY if measured else State.UNKNOWN
    trends = []
    if measured:
        trends.append(Trend("Time used of what is promised", _slo_trend(measured)))
    if runs:
        trends.append(Trend("Expectations met", _quality_trend(runs)))
    return Product(
        name=group["config"]["meta"]["data_product"],
        heading=group["name"].capitalize(),
        owner=group["owner"]["name"],
        state=state,
        reasons=reasons,
        facts=[*_promised(group, measured[-1] if measured else None), _found(checks)],
        trends=trends,
    )


def _promised(group: dict[str, Any], one: Measurement | None) -> list[tuple[str, str]]:
    promised = seconds(float(group["config"]["meta"]["freshness_minutes"]) * 60)
    if one is None:
        return [("Fresh within", promised)]
    delay = (
        f"{seconds(one.delay_p99_seconds)} of {promised}" if one.delayed_changes else f"no change, {promised} promised"
    )
    return [
        ("Oldest change unseen", "none" if one.freshness_seconds == 0 else seconds(one.freshness_seconds)),
        ("Delay (p99)", delay),
        ("Complete", _rate(one.completeness_rate, one.completeness_target)),
        ("Accurate", _rate(one.accuracy_rate, one.accuracy_target)),
        ("Measured", moment(one.measured_at)),
    ]


def _rate(rate: float | None, target: float | None) -> str:
    if rate is None:
        return UNKNOWN
    shown = f"{int(rate * 10_000) / 100:g} %"  # never rounded up to all
    return f"{shown} of {target * 100:g} %" if target else shown


def _found(checks: Sequence[Check]) -> tuple[str, str]:
    met = sum(one.is_success for one in checks)
    return "Expectations met", f"{count(met)} of {count(len(checks))}" if checks else "none checked"


def _slo_trend(measured: Sequence[Measurement]) -> Markup:
    rows: list[plots.Row] = []
    for one in measured:
        used = max(one.freshness_seconds, one.delay_p99_seconds or 0.0) / one.freshness_target_seconds
        verdict = "kept" if one.is_met else f"broken: {', '.join(one.breaches)}"
        tip = f"{moment(one.measured_at)}: {share(used)} of the time used, {verdict}"
        rows.append({"at": one.measured_at.isoformat(), "used": used, "is_good": one.is_met, "tip": tip})
    broken = sum(not one.is_met for one in measured)
    return plots.trend(
        rows,
        f"{many(len(measured), 'measurement')} since {moment(measured[0].measured_at)}: "
        f"{'all kept' if not broken else f'{count(broken)} broken'}; the last one: {rows[-1]['tip']}.",
    )


def _quality_trend(runs: Sequence[Run]) -> Markup:
    rows: list[plots.Row] = [
        {
            "at": one.at.isoformat(),
            "used": one.passed / one.expectations,
            "is_good": one.passed == one.expectations,
            "tip": f"{moment(one.at)}: {one.passed} of {one.expectations} met",
        }
        for one in runs
    ]
    return plots.trend(rows, f"{many(len(runs), 'run')} since {moment(runs[0].at)}; the last one: {rows[-1]['tip']}.")


def _verdict(cards: Sequence[Product]) -> str:
    number = {state: sum(one.state is state for one in cards) for state in State}
    parts = [f"{count(number[state])} {state}" for state in State if number[state]]
    advice = " `./mesh slo` measures now; the refresher does it every few minutes." if number[State.UNKNOWN] else ""
    return f"{', '.join(parts)}.{advice}"


def _failures(source: Source, checks: Sequence[Check]) -> Block:
    if source.missing([QUALITY]):
        return Block(
            "Quality", f"No expectation was ever checked: {QUALITY} is not there. `./mesh quality` checks them."
        )
    if not checks:
        return Block("Quality", f"No expectation was checked yet: {QUALITY} has no rows. `./mesh quality` checks them.")
    failed = [one for one in checks if not one.is_success]
    if not failed:
        return Block("Quality", f"All {count(len(checks))} expectations are met.")
    rows = [
        (f"{one.expectation}: {one.why}", one.severity, f"{count(one.failed_rows)} of {count(one.evaluated_rows)}")
        for one in failed
    ]
    table = Table("Expectations that are not met", ("Expectation", "Severity", "Rows"), rows)
    text = f"{count(len(failed))} of {count(len(checks))} expectations are not met. `./mesh quality` names the rows."
    return Block("Quality", text, table=table, is_wide=True)

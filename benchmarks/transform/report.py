"""The results as tables for a terminal, as Markdown and as JSON, and which targets they meet."""

from __future__ import annotations

import os
import statistics
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.transform.measure import ENGINE, Measurement, Results, same_change
from benchmarks.transform.runner import Run
from benchmarks.transform.sandbox import ORDERS_RAW
from wms_mesh.stack import REPO

HOW = Path(__file__).with_name("how.md")

READ_SHARE = 0.05
GROWTH = 1.5
IN_PROCESS_SECONDS = 3.0
SHELL_SECONDS = 8.0

COLUMNS = (
    "documents",
    "changed",
    "which",
    "way",
    "wall s",
    "Trino CPU s",
    "target rows read",
    "of the target",
    "bronze rows read",
    "MB read",
    "rows written",
    "MB written",
    "statements",
    "runs",
)
TEXT_COLUMNS = (2, 3)


@dataclass(frozen=True)
class Target:
    """One promise: what was measured, and whether it is kept."""

    promise: str
    measured: str
    is_met: bool


def rows(results: Results) -> list[list[str]]:
    """A row for each measurement, medians of its runs, by COLUMNS."""
    return [_row(measurement) for measurement in results.measurements]


def _row(measurement: Measurement) -> list[str]:
    change = measurement.change
    names = [f"{measurement.documents:,}", f"{change.count:,}", change.place, measurement.engine]
    if measurement.failure:
        return [*names, "failed", *("" for _ in COLUMNS[len(names) + 1 :])]
    read = target_rows(measurement)
    return [
        *names,
        f"{seconds(measurement):.1f}",
        f"{_median(measurement, lambda run: run.cost.cpu_seconds):.1f}",
        f"{read:,.0f}",
        f"{read / measurement.documents:.1%}",
        f"{_median(measurement, lambda run: run.cost.read.get(ORDERS_RAW, 0)):,.0f}",
        f"{_median(measurement, lambda run: run.cost.read_bytes) / 1e6:,.1f}",
        f"{_median(measurement, lambda run: run.cost.written_rows):,.0f}",
        f"{_median(measurement, lambda run: run.cost.written_bytes) / 1e6:,.1f}",
        f"{_median(measurement, lambda run: run.cost.statements):.0f}",
        f"{len(measurement.runs)}",
    ]


def _median(measurement: Measurement, value: Callable[[Run], float]) -> float:
    return statistics.median(value(run) for run in measurement.runs)


def seconds(measurement: Measurement) -> float:
    """The median wall time."""
    return _median(measurement, lambda run: run.seconds)


def target_rows(measurement: Measurement) -> float:
    """The median of the rows that all statements of a run read of the table that they change."""
    return _median(measurement, lambda run: run.cost.read.get(measurement.table, 0))


def targets(results: Results) -> list[Target]:
    """Every target whose measurements are there."""
    sizes = sorted({measurement.documents for measurement in results.measurements})
    found = [_read_target(results, documents) for documents in sizes if _recent(results, documents, documents // 100)]
    if len(sizes) > 1 and _recent(results, sizes[-1], same_change(sizes)):
        found.append(_growth_target(results, sizes))
    for refresh in results.refreshes:
        for where, times, limit in (
            ("in a long-lived process", refresh.in_process, IN_PROCESS_SECONDS),
            ("from the shell", refresh.from_shell, SHELL_SECONDS),
        ):
            taken = statistics.median(times)
            promise = f"a refresh of product orders with nothing new, {where}: {limit:g} s or less"
            measured = f"{taken:.1f} s at {refresh.documents:,} documents, median of {len(times)}"
            found.append(Target(promise, measured, taken <= limit))
    return found


def _read_target(results: Results, documents: int) -> Target:
    promise = f"a change of the newest 1 % reads {READ_SHARE:.0%} of the target's rows or less"
    (measurement,) = _recent(results, documents, documents // 100)
    if measurement.failure:
        return Target(promise, measurement.failure, False)
    share = target_rows(measurement) / documents
    return Target(promise, f"{share:.1%} of {documents:,}", share <= READ_SHARE)


def _growth_target(results: Results, sizes: Sequence[int]) -> Target:
    """By the same number of changed documents: 1 % of 5 million is 50 times the change, and its time says how long a
    document takes, not what the table's size adds."""
    count = same_change(sizes)
    promise = f"the time for the same change at {sizes[-1]:,} documents is at most {GROWTH} times that at {sizes[0]:,}"
    pair = [each for documents in (sizes[0], sizes[-1]) for each in _recent(results, documents, count)]
    if any(measurement.failure for measurement in pair):
        return Target(promise, "; ".join(measurement.failure for measurement in pair), False)
    small, large = map(seconds, pair)
    measured = f"{large / small:.2f} times: {large:.1f} s and {small:.1f} s for the newest {count:,} documents"
    return Target(promise, measured, large <= GROWTH * small)


def _recent(results: Results, documents: int, count: int) -> list[Measurement]:
    """The one measurement, or none while that change has not been measured."""
    return [
        measurement
        for measurement in results.measurements
        if measurement.engine == ENGINE
        and measurement.documents == documents
        and (measurement.change.place, measurement.change.count) == ("recent", count)
    ]


def machine(results: Results) -> dict[str, Any]:
    """Where and when it was measured; a load above the number of cores at the start means that others worked, too."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=REPO, capture_output=True, text=True, check=False
    )
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_at_start": round(results.started_load, 1),
        "orders_per_day": results.per_day,
        "unaccounted_statements": sum(
            run.cost.unaccounted for measurement in results.measurements for run in measurement.runs
        ),
    }


def as_json(results: Results) -> dict[str, Any]:
    """Every run with all of its numbers."""
    return {
        "machine": machine(results),
        "targets": [asdict(target) for target in targets(results)],
        "measurements": [asdict(measurement) for measurement in results.measurements],
        "refreshes": [asdict(refresh) for refresh in results.refreshes],
    }


def as_markdown(results: Results) -> str:
    """The page docs/benchmarks/transform.md."""
    facts = machine(results)
    verdicts = [[target.promise, target.measured, "met" if target.is_met else "not met"] for target in targets(results)]
    return "\n".join(
        [
            "# What a transformation costs as its table grows",
            "",
            f"Written by `./mesh bench transform` at commit {facts['commit']}, {facts['measured_at']}: "
            f"{facts['cores']} cores, {facts['memory_gib']} GiB, load {facts['load_at_start']} at the start. "
            "Numbers are medians of the runs; every run is in the JSON beside this page.",
            "",
            *_markdown_table(["target", "measured", "verdict"], verdicts, texts=(0, 1, 2)),
            "",
            *_markdown_table(COLUMNS, rows(results), texts=TEXT_COLUMNS),
            "",
            HOW.read_text(encoding="utf-8").format(per_day=f"{results.per_day:,}"),
        ]
    )


def _markdown_table(names: Sequence[str], body: Sequence[Sequence[str]], texts: Sequence[int]) -> list[str]:
    rule = ["---" if place in texts else "---:" for place in range(len(names))]
    return [f"| {' | '.join(cells)} |" for cells in (names, rule, *body)]

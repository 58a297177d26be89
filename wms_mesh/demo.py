"""``./mesh demo``: the main job from nothing to KPIs, and a report that fails when a number disagrees."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.table import Table

from wms_mesh import doctor, ledger, lifecycle, reconcile, sql, transform, views
from wms_mesh.access.roles import Role
from wms_mesh.errors import MeshError
from wms_mesh.ledger import PartitionAccount
from wms_mesh.reconcile import Difference, Reconciliation
from wms_mesh.stack import Stack

SHOWN_DIFFERENCES = 5
KPI_COLUMNS = "date, priority, total_orders, completed_orders, completion_rate, avg_fulfillment_time_hours"


@dataclass(frozen=True)
class Freshness:
    """Seconds from the change in MongoDB to its row in bronze, over all streamed records."""

    p50: float
    p99: float


def run(stack: Stack, *, hours: float, seed: int) -> int:
    """Run the whole story; returns 0 when every number agrees, 1 otherwise.

    hours: virtual length of the simulated day. seed: of the simulated warehouse.
    Raises MeshError when a step cannot be done.
    """
    started = time.monotonic()
    console = Console(stderr=True)
    doctor.require(stack)

    console.rule("1 of 4  Start the engines", align="left")
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        now = lifecycle.up(stack, (), lambda status: live.update(views.waiting(status)))
    console.print(views.status_table(now))

    console.rule("2 of 4  A working day in the warehouse", align="left")
    _simulate(stack, hours, seed)

    console.rule("3 of 4  From MongoDB to bronze, silver and gold", align="left")
    with console.status("Waiting for the last record") as waiting:
        accounts = ledger.await_quiet(stack, progress=waiting.update)
    console.print(f"{sum(entry.rows for entry in accounts):,} records are in bronze and the quarantine.")
    if transform.build(stack):
        raise MeshError(
            "dbt failed: the lines above name the model or test; `./mesh logs trino` shows the engine's side."
        )

    console.rule("4 of 4  Report", align="left")
    return report(stack, accounts, started)


def _simulate(stack: Stack, hours: float, seed: int) -> None:
    from datetime import timedelta

    from ingest.simulator.cli import simulate

    simulate(stack, duration=timedelta(hours=hours), seed=seed)


def report(stack: Stack, accounts: list[PartitionAccount], started: float) -> int:
    """Print every number and compare those that must agree; 0 when they do."""
    console = Console()
    results = reconcile.compare(stack)
    console.print(_records(accounts))
    console.print(_silver(results))
    for difference in [entry for result in results for entry in result.differences][:SHOWN_DIFFERENCES]:
        console.print(_sentence(difference), style="red", highlight=False)
    freshness = measure_freshness(stack)
    console.print(
        f"Freshness, change in MongoDB to row in bronze: p50 {freshness.p50:.1f} s, p99 {freshness.p99:.1f} s.\n"
    )
    console.print(_kpis(stack))

    from wms_mesh.report import page

    written = page.write(stack, page.default(stack))
    console.print(f"The same and more as a page: {written.path} (`./mesh report` writes it anew)\n", soft_wrap=True)

    wrong = [f"{entry.missing} records missing in bronze" for entry in accounts if entry.missing]
    wrong += [f"{entry.doubled} records twice in bronze ({entry.topic})" for entry in accounts if entry.doubled]
    wrong += [
        f"{len(result.differences)} differences in {result.collection}" for result in results if result.differences
    ]
    if wrong:
        console.print(f"The numbers disagree: {'; '.join(wrong)}.", style="bold red")
        return 1
    console.print(f"Every number agrees. The demo took {time.monotonic() - started:.0f} s.", style="bold green")
    trino = f"{stack.url('trino')}  (user: {', '.join(Role) if stack.secure else 'any'})"
    console.print(
        f'\nTrino    {trino}   ./mesh sql -c "select * from gold.order_fulfillment_daily"\n'
        f"Flink    {stack.url('flink-rest')}\n"
        f"Connect  {stack.url('connect')}/connectors/mongodb-cdc-connector/status\n"
        "Next     ./mesh simulate --help writes more changes, the refresher carries them to gold, ./mesh down stops.",
        highlight=False,
    )
    return 0


def measure_freshness(stack: Stack) -> Freshness:
    """Source-to-bronze delay of the streamed records (snapshot records are as old as their documents)."""
    [[p50, p99]] = sql.query(
        stack,
        """
        select approx_percentile(delay, 0.5), approx_percentile(delay, 0.99)
        from (
            select to_unixtime(ingested_at) - to_unixtime(source_ts) as delay
            from bronze.orders_raw
            where op in ('c', 'u', 'd')
        )
        """,
    )
    return Freshness(p50 or 0.0, p99 or 0.0)


def _records(accounts: list[PartitionAccount]) -> Table:
    table = Table(title="Records", title_justify="left", box=None, header_style="bold")
    for heading in ("topic", "in Kafka", "in bronze", "in quarantine", "missing", "twice"):
        table.add_column(heading, justify="left" if heading == "topic" else "right")
    by_topic: dict[str, list[PartitionAccount]] = defaultdict(list)
    for entry in accounts:
        by_topic[entry.topic].append(entry)
    for topic, entries in by_topic.items():
        figures = (
            sum(entry.end - entry.first for entry in entries),
            sum(entry.rows - entry.quarantined for entry in entries),
            sum(entry.quarantined for entry in entries),
            sum(entry.missing for entry in entries),
            sum(entry.doubled for entry in entries),
        )
        table.add_row(topic, *(f"{figure:,}" for figure in figures))
    return table


def _silver(results: list[Reconciliation]) -> Table:
    table = Table(title="\nSilver against MongoDB, field by field", title_justify="left", box=None, header_style="bold")
    for heading in ("collection", "documents", "current rows", "differing documents"):
        table.add_column(heading, justify="left" if heading == "collection" else "right")
    for result in results:
        differing = len({difference.key for difference in result.differences})
        table.add_row(result.collection, f"{result.documents:,}", f"{result.rows:,}", f"{differing:,}")
    return table


def _kpis(stack: Stack) -> Table:
    table = Table(title="gold.order_fulfillment_daily", title_justify="left", box=None, header_style="bold")
    for heading in KPI_COLUMNS.split(", "):
        table.add_column(heading)
    for values in sql.query(
        stack, f"select {KPI_COLUMNS} from gold.order_fulfillment_daily order by date desc, priority limit 9"
    ):
        table.add_row(*(f"{value:.2f}" if isinstance(value, float) else str(value) for value in values))
    return table


def _sentence(difference: Difference) -> str:
    return (
        f"{difference.collection} {difference.key} {difference.column}: "
        f"MongoDB has {difference.in_mongodb!r}, silver has {difference.in_silver!r}"
    )

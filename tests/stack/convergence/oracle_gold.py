"""Every table that is computed out of silver's, over the oracle's own silver."""

from __future__ import annotations

from datetime import datetime

from tests.stack.convergence.measures import Tables
from tests.stack.convergence.oracle_flow import (
    active_operations_snapshot,
    order_fulfillment_daily,
    shipping_performance_daily,
    wave_performance_daily,
)
from tests.stack.convergence.oracle_inventory import inventory_metrics_daily
from tests.stack.convergence.oracle_labor import (
    labor_productivity_daily,
    pick_tasks_enriched,
    worker_days,
    workers_current,
)


def gold(silver: Tables, as_of: datetime) -> Tables:
    """Every table that is computed out of silver's."""
    tables = silver | {"worker_days": worker_days(silver)}
    return {
        "worker_days": tables["worker_days"],
        "workers_current": workers_current(tables),
        "pick_tasks_enriched": pick_tasks_enriched(tables),
        "order_fulfillment_daily": order_fulfillment_daily(tables),
        "inventory_metrics_daily": inventory_metrics_daily(tables),
        "labor_productivity_daily": labor_productivity_daily(tables),
        "shipping_performance_daily": shipping_performance_daily(tables, as_of),
        "wave_performance_daily": wave_performance_daily(tables),
        "active_operations_snapshot": {(as_of,): active_operations_snapshot(tables, as_of)},
    }

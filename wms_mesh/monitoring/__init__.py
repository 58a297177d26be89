"""Watching the stack: what it serves as metrics (targets.py), rules and dashboards (``infra/monitoring/``), tools.

rules.py and promql.py read rules, dashboards.py writes the dashboards, tools.py finds Prometheus.
"""

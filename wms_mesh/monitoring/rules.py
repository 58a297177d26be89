"""Rules as Prometheus reads them: what they record, what they alert on, what they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from wms_mesh.monitoring.promql import metrics
from wms_mesh.monitoring.targets import INFRA, RULES

NOT_HERE = INFRA / "not-here.yml"


@dataclass(frozen=True)
class Rule:
    """One rule. name: of the alert or the recorded metric."""

    name: str
    is_alert: bool
    expression: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


def read(path: Path = RULES) -> list[Rule]:
    """All rules of the file, in its order."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return [
        Rule(
            name=rule.get("alert") or rule["record"],
            is_alert="alert" in rule,
            expression=rule["expr"],
            labels=rule.get("labels", {}),
            annotations=rule.get("annotations", {}),
        )
        for group in document["groups"]
        for rule in group["rules"]
    ]


def scraped(rules: list[Rule]) -> frozenset[str]:
    """The metrics that somebody else must serve: all that are read but not recorded by a rule."""
    read_by_rules = frozenset[str]().union(*(metrics(rule.expression) for rule in rules))
    return read_by_rules - {rule.name for rule in rules if not rule.is_alert}


def not_here() -> Mapping[str, str]:
    """Metrics that the embedded stack does not have, with the reasons."""
    reasons: dict[str, str] = yaml.safe_load(NOT_HERE.read_text(encoding="utf-8"))
    return reasons

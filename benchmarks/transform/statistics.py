"""What statements cost, from Trino's own account of each: time, CPU, rows and bytes, and who read which table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_SIZE = re.compile(r"([0-9.]+)(B|kB|MB|GB|TB|PB)")
_BYTES = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40, "PB": 1 << 50}
_DURATION = re.compile(r"([0-9.]+)(ns|us|ms|s|m|h|d)")
_SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def size(text: str) -> int:
    """Bytes of Airlift's data size: 2930B, 1.5MB."""
    number, unit = _parts(_SIZE, text)
    return round(number * _BYTES[unit])


def seconds(text: str) -> float:
    """Seconds of Airlift's duration: 29.00ms, 1.03m."""
    number, unit = _parts(_DURATION, text)
    return number * _SECONDS[unit]


def _parts(pattern: re.Pattern[str], text: str) -> tuple[float, str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"'{text}' is not a quantity as Trino writes it.")
    return float(match[1]), match[2]


@dataclass
class Cost:
    """The sum of some statements.

    read: rows by table (catalog.schema.name) that its scans took from storage, rows that a delete file hides included.
    unaccounted: statements whose details Trino had thrown away before they were asked for, or never finished.
    """

    statements: int = 0
    unaccounted: int = 0
    cpu_seconds: float = 0.0
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    read: dict[str, int] = field(default_factory=dict)

    def add(self, info: dict[str, Any]) -> None:
        """Add one statement: the JSON that the coordinator serves at /v1/query/ID once the statement is done."""
        stats = info["queryStats"]
        self.statements += 1
        # Trino keeps the details of the last statements only (query.max-history).
        self.unaccounted += bool(info["pruned"])
        # Planning is no part of the total, and of a model's 50 kB of SQL it costs more than a small change's execution.
        self.cpu_seconds += seconds(stats["totalCpuTime"]) + seconds(stats["planningCpuTime"])
        self.read_rows += stats["physicalInputPositions"]
        self.read_bytes += size(stats["physicalInputDataSize"])
        self.written_rows += stats["writtenPositions"]
        self.written_bytes += size(stats["physicalWrittenDataSize"])
        for table, rows in rows_by_table(info).items():
            self.read[table] = self.read.get(table, 0) + rows


def is_complete(info: dict[str, Any]) -> bool:
    """Whether the statement is done and its account final."""
    return bool(info["finalQueryInfo"])


def rows_by_table(info: dict[str, Any]) -> Counter[str]:
    """Rows that the scans of one statement read from storage, by table."""
    stages = {_number(stage["stageId"]): stage for stage in _stages(info.get("outputStage"))}
    rows: Counter[str] = Counter()
    for operator in info["queryStats"]["operatorSummaries"]:
        if operator["physicalInputPositions"]:
            table = _table(stages[operator["stageId"]], operator["planNodeId"])
            rows[table] += operator["physicalInputPositions"]
    return rows


def _stages(stage: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    if stage is not None:
        yield stage
        for child in stage.get("subStages", ()):
            yield from _stages(child)


def _number(stage_id: str) -> int:
    """The last part of 20261124_170545_03862_9fsc3.2."""
    return int(stage_id.rsplit(".", 1)[1])


def _table(stage: dict[str, Any], node_id: str) -> str:
    """The table behind a scan; an operator that also filters carries the id of the filter above the scan."""
    tables = stage["tables"]
    if node_id not in tables:
        node = next(node for node in _nodes(stage["plan"]["root"]) if node["id"] == node_id)
        node_id = next(below["id"] for below in _nodes(node) if below["id"] in tables)
    return str(tables[node_id]["tableName"])


def _nodes(part: object) -> Iterator[dict[str, Any]]:
    """Every node of a plan, from the top: whatever has a type and an id."""
    if isinstance(part, dict):
        if "@type" in part and "id" in part:
            yield part
        for value in part.values():
            yield from _nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from _nodes(value)

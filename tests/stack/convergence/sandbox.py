"""Schemas of the test's own in the running stack, and dbt over them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest

from ingest.bronze import tables as bronze
from tests.stack.convergence.compare import UNSAID, Row, plain
from tests.stack.convergence.records import Event, Record, milliseconds
from wms_mesh import sql, transform
from wms_mesh.errors import MeshError
from wms_mesh.stack import REPO, Stack

PREFIX = "convergence_"
BUCKETS = {"bronze": "wms-bronze", "silver": "wms-silver", "gold": "wms-gold"}
WINDOW = 250  # records: what ten logs write at once takes the orders three windows
STATEMENT = 300_000  # letters of one insert; Trino refuses a million
MODELS = ("--select", "path:models/silver", "path:models/gold")
CHANGE_COLUMNS = "kafka_timestamp, ingested_at, op, document_id, source_ts, source_ord, snapshot, envelope"
EVENT_COLUMNS = "kafka_timestamp, ingested_at, event_id, event_type, event_source, subject, event_time, envelope"


class Sandbox:
    """Bronze, silver and gold of one group of logs."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        # Its own target: parsed with other variables, the manifest of the others would be of no use to them.
        self._environment = transform.environment(stack) | {"DBT_TARGET_PATH": str(stack.home / "dbt" / "convergence")}
        self._manifest: Manifest | None = None

    def create(self) -> None:
        """Empty bronze tables, and the one seed that a model reads."""
        self.drop()
        for schema, bucket in BUCKETS.items():
            self.query(f"create schema iceberg.{PREFIX}{schema} with (location = 's3://{bucket}/{PREFIX}{schema}')")
        for table in bronze.tables():
            self.query(bronze.ddl(table).replace("iceberg.bronze.", f"iceberg.{PREFIX}bronze."))
        self.invoke("seed", "--select", "status_values")

    def drop(self) -> None:
        """Remove every schema."""
        for schema in BUCKETS:
            self.query(f"drop schema if exists iceberg.{PREFIX}{schema} cascade")

    def query(self, statement: str) -> list[list[Any]]:
        """All rows of a statement."""
        return sql.query(self.stack, statement)

    def insert(self, records: Iterable[Record | Event]) -> None:
        """Commit records to bronze, a table at a time, as the Flink job does."""
        tables: dict[tuple[str, str], list[str]] = {}
        for record in records:
            if isinstance(record, Record):
                tables.setdefault((f"{record.topic}_raw", CHANGE_COLUMNS), []).append(_change_values(record))
            else:
                tables.setdefault(("domain_events_raw", EVENT_COLUMNS), []).append(_event_values(record))
        for (table, columns), rows in tables.items():
            for part in _parts(rows):
                self.query(
                    f"insert into {PREFIX}bronze.{table} (kafka_topic, kafka_partition, kafka_offset, {columns})"
                    f" values {', '.join(part)}"
                )

    def invoke(self, *arguments: str, as_of: datetime | None = None) -> None:
        """One dbt command in this process; the project is parsed once. Raises AssertionError when it fails."""
        project = ["--project-dir", str(REPO), "--vars", _variables(as_of), "--quiet"]
        if self._manifest is None:
            parsed = self._in_process(None, "parse", *project)
            assert parsed.success, parsed.exception
            assert isinstance(parsed.result, Manifest)
            self._manifest = parsed.result
        done = self._in_process(self._manifest, *arguments, *project, "--threads", "4")
        results = getattr(done.result, "results", [])
        assert done.success, [str(one.message) for one in results if one.status == "error"] or done.exception

    def _in_process(self, manifest: Manifest | None, *arguments: str) -> dbtRunnerResult:
        with mock.patch.dict(os.environ, self._environment):
            return dbtRunner(manifest=manifest).invoke(list(arguments))

    def run(self, as_of: datetime, *arguments: str) -> None:
        """All models of silver and gold."""
        self.invoke("run", *MODELS, *arguments, as_of=as_of)

    def run_and_kill(self, as_of: datetime, table: str) -> bool:
        """All models in a process of their own, killed at the next commit to a table; False when it ended first."""
        known = self.snapshots(table)
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("dbt")), "run", *MODELS, "--vars", _variables(as_of), "--quiet"],
            cwd=REPO,
            env=self._environment,
        )
        while process.poll() is None and self.snapshots(table) == known:
            time.sleep(0.05)
        process.kill()
        is_killed = process.wait() == -signal.SIGKILL
        # Trino keeps a statement without a client for five minutes, and each table has one writer.
        while running := self._running():
            for (statement,) in running:
                with contextlib.suppress(MeshError):  # it may just have ended
                    self.query(f"call system.runtime.kill_query('{statement}', 'its client was killed')")
        return is_killed

    def snapshots(self, table: str) -> int:
        """Number of commits to a table; 0 without the table."""
        schema, name = table.split(".")
        if not self.query(f"show tables from {PREFIX}{schema} like '{name}'"):
            return 0
        return int(self.query(f'select count(*) from {PREFIX}{schema}."{name}$snapshots"')[0][0])

    def _running(self) -> list[list[Any]]:
        return self.query(
            "select query_id from system.runtime.queries where state not in ('FINISHED', 'FAILED')"
            f" and source like 'dbt-trino%' and query like '%{PREFIX}%'"
        )

    def forget_watermarks(self) -> None:
        """As if every run had died between its merge and its watermark."""
        for (name,) in self.query(f"show tables from {PREFIX}silver like '%\\_\\_watermarks' escape '\\'"):
            self.query(f"delete from {PREFIX}silver.{name}")

    def rows(self, table: str) -> list[Row]:
        """All rows of a table, by column."""
        with sql.connect(self.stack) as connection:
            cursor = connection.cursor()
            rows = cursor.execute(f"select * from {PREFIX}{table}").fetchall()
            names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in rows]


def fingerprint(rows: list[Row], is_open: Iterable[str]) -> list[str]:
    """Rows as sorted texts, for a comparison with a rebuild: of the tied documents without their coordinates."""
    tied = set(is_open)
    without = {"kafka_partition", "kafka_offset", "image_source"}
    hidden = UNSAID - {"image_hash", "entry_hash"}
    return sorted(
        repr(
            [
                (name, plain(name, value))
                for name, value in row.items()
                if name not in hidden and not (name in without and row.get("document_id") in tied)
            ]
        )
        for row in rows
    )


def _variables(as_of: datetime | None) -> str:
    frozen = {"as_of": f"{as_of:%Y-%m-%d %H:%M:%S}"} if as_of else {}
    return json.dumps({"schema_prefix": PREFIX, "cdc_window_records": WINDOW, **frozen})


def _parts(rows: list[str]) -> Iterable[list[str]]:
    part: list[str] = []
    for row in rows:
        if part and sum(map(len, part)) + len(row) > STATEMENT:
            yield part
            part = []
        part.append(row)
    yield part


def _text(value: str | None) -> str:
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def _time(at: int) -> str:
    return f"from_unixtime({at // 1000}) + interval '0.001' second * {at % 1000}"


def _change_values(record: Record) -> str:
    at, order = ("null", "null") if record.op == "t" else (_time(record.at), record.order)
    return (
        f"('cdc.wms.{record.topic}', {record.partition}, {record.offset}, current_timestamp, current_timestamp,"
        f" '{record.op}', {_text(record.key)}, {at}, {order}, 'false', {_text(record.envelope)})"
    )


def _event_values(event: Event) -> str:
    attributes = json.loads(event.attributes)
    at = "null" if event.at is None else f"timestamp '{event.at:%Y-%m-%d %H:%M:%S.%f} UTC'"
    return (
        f"('{event.topic}', {event.partition}, {event.offset}, {_time(milliseconds(event.sent))}, current_timestamp,"
        f" '{event.id}', '{attributes['type']}', '{attributes['source']}', {_text(attributes['subject'])}, {at},"
        f" {_text(event.attributes)})"
    )

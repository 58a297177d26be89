"""The Java function, compiled as the job has it, against every case: one JVM for all of them."""

from __future__ import annotations

import base64
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bronze_cases import CASES, CHANGES, EVENTS, KEY, Case, envelope, text
from wms_mesh.engines import flink
from wms_mesh.engines.bronze_jar import jar
from wms_mesh.engines.jars import compile_java
from wms_mesh.java import java
from wms_mesh.stack import Stack

FIELDS = (
    "reason", "detail", "kafka_timestamp", "op", "document_id", "source_ts", "source_ord", "snapshot", "envelope",
    "event_id", "event_type", "event_source", "subject", "event_time", "key_text",
)  # fmt: skip


@dataclass(frozen=True)
class Verdicts:
    """Compiles the function and its harness once; ``read`` runs one JVM."""

    classpath: str

    def read(self, cases: tuple[Case, ...]) -> list[dict[str, str | None]]:
        """What the function says of each case."""
        request = struct.pack(">i", len(cases))
        for case in cases:
            request += struct.pack(">H", len(case.kind)) + case.kind.encode() + struct.pack(">q", case.timestamp_ms)
            for part in (case.key, case.value):
                request += struct.pack(">i", -1) if part is None else struct.pack(">i", len(part)) + part
        command = [str(java(17)), "-XX:TieredStopAtLevel=1", "-cp", self.classpath, "Verdicts"]
        done = subprocess.run(command, input=request, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return [
            dict(zip(FIELDS, map(_decoded, line.split()), strict=True)) for line in done.stdout.decode().splitlines()
        ]

    def one(self, kind: str, value: object, key: bytes | None = KEY) -> dict[str, str | None]:
        """What the function says of one JSON document."""
        return self.read((Case("one", kind, text(value) if value is not None else None, None, key),))[0]


def _decoded(field: str) -> str | None:
    return None if field == "-" else base64.b64decode(field).decode()


@pytest.fixture(scope="session")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    stack = Stack.from_env()
    lib = flink.pyflink_home() / "lib"
    against = [jar(stack, flink.pyflink_home()), *lib.glob("flink-dist-*.jar"), *lib.glob("flink-table-*.jar")]
    classes = tmp_path_factory.mktemp("classes")
    compile_java([Path(__file__).with_name("Verdicts.java")], against, classes)
    return Verdicts(":".join(map(str, [classes, *against])))


@pytest.fixture(scope="session")
def verdict_of(verdicts: Verdicts) -> dict[str, dict[str, str | None]]:
    return dict(zip((case.name for case in CASES), verdicts.read(CASES), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_record_gets_the_wrong_verdict(case: Case, verdict_of: dict[str, dict[str, str | None]]) -> None:
    verdict = verdict_of[case.name]
    assert (verdict["reason"], verdict["detail"]) == (case.reason, verdict["detail"] if case.reason else None)
    if case.reason is None and case.value is not None:
        assert verdict["envelope"] == "verbatim"


def test_quarantined_record_carries_an_absurd_timestamp(verdict_of: dict[str, dict[str, str | None]]) -> None:
    assert verdict_of["Kafka timestamp in year 292 million"]["kafka_timestamp"] is None


def test_detail_grows_with_the_record(verdicts: Verdicts) -> None:
    detail = verdicts.one("change", envelope(op="x" * 100_000))["detail"]
    assert detail is not None
    assert len(detail) < 400


def test_record_of_a_topic_without_a_table_vanishes(verdicts: Verdicts) -> None:
    assert verdicts.one("neither", envelope())["reason"] == "unknown_topic"


def test_sorting_fields_are_read_from_elsewhere(verdict_of: dict[str, dict[str, str | None]]) -> None:
    insert = verdict_of["insert"]
    assert insert["op"] == "c"
    assert insert["document_id"] == '{"$oid": "65a000000000000000000009"}'
    assert insert["source_ts"] == "2026-11-23T14:21:05.329"
    assert insert["source_ord"] == "1"
    assert insert["snapshot"] == "false"


def test_tombstone_pretends_to_be_a_change(verdict_of: dict[str, dict[str, str | None]]) -> None:
    tombstone = verdict_of["tombstone"]
    assert tombstone["op"] == "t"
    assert tombstone["document_id"] == '{"$oid": "65a000000000000000000009"}'
    assert {tombstone[name] for name in ("source_ts", "source_ord", "snapshot", "envelope")} == {None}


def test_event_time_is_wrong_or_costs_the_event(verdict_of: dict[str, dict[str, str | None]]) -> None:
    assert verdict_of["event"]["event_time"] == "2026-01-05T08:00:00.123456789"
    assert verdict_of["event with an offset"]["event_time"] == "2026-01-05T08:00"
    for name in ("without time and subject", "with an unreadable time", "with a number for a time", "in year 9999"):
        case = f"event {name}"
        assert verdict_of[case]["event_time"] is None
        assert verdict_of[case]["reason"] is None


def test_case_list_forgets_a_reason() -> None:
    reasons = {case.reason for case in CHANGES} & {case.reason for case in EVENTS} - {None}
    assert {"not_json", "not_utf8", "empty_value", "wrong_type", "not_an_envelope", "too_deep"} <= reasons
    assert len({case.name for case in CASES}) == len(CASES)

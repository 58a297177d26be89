"""When changes became visible: from watermarks to steps, for silver and for what follows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ingest.collections import COLLECTIONS
from wms_mesh.slo.delay import History, Run, Step, _delays_sql, followed
from wms_mesh.slo.timing import read_at

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
TOPIC = "cdc.wms.orders"
TABLE = '"iceberg"."silver"."orders_current"'


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def run(seconds: float, *ends: int) -> Run:
    return Run(at(seconds), {(TOPIC, partition): end for partition, end in enumerate(ends)})


SILVER = History(START, [run(0, 10, 20), run(60, 15, 20), run(120, 15, 30, 5)])
FIRST, SECOND, NEW = Step(0, 10, 15, at(60)), Step(1, 20, 30, at(120)), Step(2, 0, 5, at(120))


def test_step_begins_before_the_run_before_it_ended() -> None:
    assert SILVER.steps(TOPIC) == [FIRST, SECOND, NEW]
    assert SILVER.steps("cdc.wms.waves") == []


def test_change_of_the_next_run_counts_as_read() -> None:
    assert read_at(SILVER, TOPIC, SILVER.steps(TOPIC), at(59)) == {0: 10, 1: 20}
    assert read_at(SILVER, TOPIC, SILVER.steps(TOPIC), at(60)) == {0: 15, 1: 20}
    assert read_at(SILVER, TOPIC, SILVER.steps(TOPIC), at(500)) == {0: 15, 1: 30, 2: 5}


def follower(*runs: tuple[float, int]) -> list[Run]:
    return [Run(at(seconds), {(TABLE, 0): 1, (TABLE, 1): snapshot}) for seconds, snapshot in runs]


COMMITS = {1: at(-1), 2: at(58), 3: at(118)}  # each before the watermark that speaks of it


def test_follower_shows_what_its_snapshot_lacks() -> None:
    runs = follower((30, 1), (90, 2), (150, 3))
    assert followed(SILVER, TOPIC, COMMITS, runs, TABLE) == [
        Step(0, 10, 15, at(90)),
        Step(1, 20, 30, at(150)),
        Step(2, 0, 5, at(150)),
    ]


def test_follower_shows_what_it_has_not_read() -> None:
    assert followed(SILVER, TOPIC, COMMITS, follower((30, 1), (90, 2)), TABLE) == [Step(0, 10, 15, at(90))]
    assert followed(SILVER, TOPIC, COMMITS, follower((30, 99)), TABLE) == [], (
        "a snapshot that has expired proves nothing"
    )


def test_follower_that_read_a_later_snapshot_waits_for_its_own() -> None:
    assert [step.visible_at for step in followed(SILVER, TOPIC, COMMITS, follower((150, 3)), TABLE)] == [at(150)] * 3


def test_delay_counts_a_snapshot_or_reads_all_of_bronze() -> None:
    sql = _delays_sql(COLLECTIONS[0], [FIRST, Step(0, 15, 40, at(180)), SECOND], at(0))
    assert "change.op in ('c', 'u', 'd')" in sql
    assert "change.source_ts >= timestamp '2026-03-01 12:00:00.000000 UTC'" in sql
    assert "(change.kafka_partition = 0 and change.kafka_offset >= 10 and change.kafka_offset < 40)" in sql
    assert "(change.kafka_partition = 1 and change.kafka_offset >= 20 and change.kafka_offset < 30)" in sql

"""Bad records, and a new definition of the job under load: every offset ends in one table, once."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from kafka import KafkaProducer

from ingest.collections import CDC_PREFIX
from ingest.topics import LARGEST_RECORD
from tests.bronze_cases import CASES, NOW_MS, Case
from wms_mesh import ledger, lifecycle, sql
from wms_mesh.engines.bronze_job import BronzeJob
from wms_mesh.stack import Stack
from wms_mesh.supervisor import state_file

TOPICS = {"change": f"{CDC_PREFIX}orders", "event": "wms.orders.events"}
LIMIT = 120.0  # seconds for records to arrive; a checkpoint takes five


@pytest.fixture
def producer(running_stack: Stack) -> Iterator[KafkaProducer]:
    made = KafkaProducer(bootstrap_servers=running_stack.address("kafka"), max_request_size=LARGEST_RECORD)
    yield made
    made.close()


def sendable(case: Case) -> bool:
    """What this suite can put on a topic: a good change would become a document that MongoDB does not have, the broker
    refuses timestamps of the future, and the client a record with neither key nor value."""
    is_good_change = case.kind == "change" and case.reason is None
    return not is_good_change and case.timestamp_ms == NOW_MS and not (case.key is None and case.value is None)


def restarts(stack: Stack) -> object:
    return BronzeJob(stack).detail()["restarts"]


def await_ledger(stack: Stack) -> list[ledger.PartitionAccount]:
    """The account once nothing is missing."""
    deadline = time.monotonic() + LIMIT
    while True:
        accounts = ledger.account(stack)
        if not any(entry.missing for entry in accounts):
            return accounts
        assert time.monotonic() < deadline, [entry for entry in accounts if entry.missing]
        time.sleep(1.0)


def test_bad_record_stops_the_job_or_disappears(running_stack: Stack, producer: KafkaProducer) -> None:
    before = restarts(running_stack)
    sent: dict[tuple[str, int, int], Case] = {}
    for case in filter(sendable, CASES):
        record = producer.send(TOPICS[case.kind], key=case.key, value=case.value, headers=list(case.headers)).get(60)
        sent[record.topic, record.partition, record.offset] = case
    assert len(sent) > 60

    accounts = await_ledger(running_stack)
    assert not [entry for entry in accounts if entry.doubled]
    rows = sql.query(
        running_stack,
        "select kafka_topic, kafka_partition, kafka_offset, reason, message_key, message_value from bronze.quarantine",
    )
    found = {(topic, partition, offset): tuple(rest) for topic, partition, offset, *rest in rows}
    for at, case in sent.items():
        expected = (case.reason, case.key, case.value) if case.reason else None
        assert found.get(at) == expected, case.name
    assert restarts(running_stack) == before


def redefine(stack: Stack, checkpoint_seconds: int) -> None:
    """Have a supervisor with another definition of the job take the stack over."""
    os.kill(json.loads(state_file(stack).read_text(encoding="utf-8"))["supervisor_pid"], signal.SIGKILL)
    while lifecycle.status(stack).supervised:
        time.sleep(0.1)
    os.environ["MESH_CHECKPOINT_SECONDS"] = str(checkpoint_seconds)
    lifecycle.up(stack, (), lambda _: None)


def test_new_definition_of_the_job_loses_or_doubles_a_record(running_stack: Stack, producer: KafkaProducer) -> None:
    """There and back: the second time, state of the definition's first life lies about and must not be used."""
    stop = threading.Event()
    event = next(case for case in CASES if case.name == "event")

    def produce() -> None:
        while not stop.wait(0.01):
            producer.send(TOPICS["event"], key=event.key, value=event.value)

    load = threading.Thread(target=produce)
    load.start()
    own = running_stack.checkpoint_seconds
    try:
        jobs = [BronzeJob(running_stack).detail()["job"]]
        for seconds in (own + 1, own):
            redefine(running_stack, seconds)
            jobs.append(BronzeJob(running_stack).detail()["job"])
    finally:
        os.environ["MESH_CHECKPOINT_SECONDS"] = str(own)
        stop.set()
        load.join()
    producer.flush()
    assert len(set(jobs)) == 3
    assert not [entry for entry in await_ledger(running_stack) if entry.doubled]

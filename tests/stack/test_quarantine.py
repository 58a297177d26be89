"""Records go from the quarantine back to their topic: each once, in order, whatever dies on the way."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from kafka import KafkaProducer, TopicPartition

from ingest.collections import CDC_PREFIX
from ingest.topics import tolerated
from tests.bronze_cases import envelope, event, text
from tests.stack.test_bronze import await_ledger
from wms_mesh import cli, sql
from wms_mesh.engines.kafka import admin
from wms_mesh.quarantine import marks, mending, reading, sending
from wms_mesh.quarantine.marks import Attempt
from wms_mesh.quarantine.reading import Choice
from wms_mesh.quarantine.records import Place, Record
from wms_mesh.stack import REPO, Stack

CHANGES, EVENTS = f"{CDC_PREFIX}workers", "wms.labor.events"
PARTITION = 1
LONG_AGO = timedelta(hours=1)  # what an intent of that age has not sent by now never arrives

# A replay that dies where no code can react: right behind the broker's acknowledgement, before the mark.
KILLED_BEFORE_THE_MARK = """
import os, signal
from wms_mesh.quarantine import marks
marks.settle = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from wms_mesh import cli
cli.main()
"""


@dataclass(frozen=True)
class Outcome:
    returncode: int
    stdout: str
    stderr: str


def mesh(*arguments: str) -> Outcome:
    """./mesh quarantine, where nobody answers a question. In this process: a start of Python costs two seconds."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.object(sys, "argv", ["mesh", "quarantine", *arguments]),
        mock.patch.object(sys, "stdin", io.StringIO()),
        mock.patch.dict(os.environ, COLUMNS="500"),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Outcome(code, out.getvalue(), err.getvalue())


def killed_before_the_mark(*arguments: str) -> Outcome:
    """The same in a process that dies."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED_BEFORE_THE_MARK, "quarantine", *arguments],
        cwd=REPO,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def sent(replay: Outcome) -> dict[str, int]:
    """What a replay says that it sent: the origin's place, and the new offset."""
    pairs = (line.split(" -> ") for line in replay.stdout.splitlines())
    return {place: int(offset) for place, offset in pairs}


def level(topic: str) -> dict[str, Any]:
    """How a topic stands, as machines read it; no record at all is a level of 0."""
    listed = mesh("list", "--topic", topic, "--json")
    levels: list[dict[str, Any]] = json.loads(listed.stdout)["topics"]
    assert listed.returncode == any(one["is_exceeded"] for one in levels), listed.stderr
    return levels[0] if levels else {"open": 0, "threshold": tolerated(topic), "is_exceeded": False}


def end(stack: Stack, topic: str) -> int:
    """The end of the partition: what a replay sent twice would move it on."""
    return sending.bounds(stack, [Place(topic, PARTITION, 0)])[topic, PARTITION][1]


@pytest.fixture
def put(running_stack: Stack) -> Iterator[Any]:
    """Put values on a topic and wait until they are quarantined; returns their places."""
    producer = KafkaProducer(bootstrap_servers=running_stack.address("kafka"))

    def put(topic: str, *values: bytes, key: bytes = b"k") -> list[str]:
        futures = [
            producer.send(topic, key=key, value=value, headers=[("trace", b"\xff")], partition=PARTITION)
            for value in values
        ]
        places = [str(Place(topic, PARTITION, future.get(60).offset)) for future in futures]
        await_ledger(running_stack)
        assert [str(record.place) for record in records(running_stack, places)] == places
        return places

    yield put
    producer.close()


@pytest.fixture
def mend(tmp_path: Path) -> str:
    """What is wrong with ``slip``, undone."""
    path = tmp_path / "mend.toml"
    path.write_text('[[step]]\nset = "specversion"\nvalue = "1.0"\n', encoding="utf-8")
    return str(path)


def slip() -> bytes:
    """An event of a version that the job does not know."""
    return text(event(specversion="0.3", id=str(uuid.uuid4())))


def records(stack: Stack, places: Sequence[str]) -> list[Record]:
    return reading.records(stack, Choice(datetime.now(UTC), places=tuple(map(Place.parse, places))))


def quarantined(stack: Stack, place: str) -> list[list[Any]]:
    topic, partition, offset = place.split("/")
    return sql.query(
        stack,
        "select reason, message_key, message_value, message_headers from bronze.quarantine"
        f" where kafka_topic = '{topic}' and kafka_partition = {partition} and kafka_offset = {offset}",
    )


def test_mended_change_does_not_arrive_or_its_original_goes(running_stack: Stack, put: Any, tmp_path: Path) -> None:
    document = uuid.uuid4().hex[:24]
    key = text({"id": json.dumps({"$oid": document})})
    bad = text(envelope({"ord": "7"}, after=json.dumps({"_id": {"$oid": document}, "ratio": 1.5})))
    [place, hopeless] = put(CHANGES, bad, b"hello", key=key)
    path = tmp_path / "mend.toml"
    path.write_text('[[step]]\ncast = "source.ord"\nto = "integer"\n', encoding="utf-8")
    options = ("--record", place, "--record", hopeless, "--mend", str(path))
    before, open_before = end(running_stack, CHANGES), level(CHANGES)["open"]

    dry = mesh("replay", *options, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert '"ord":7' in dry.stdout and "the value is not JSON" in dry.stdout
    refused = mesh("replay", *options)  # nobody answers
    assert refused.returncode != 0
    assert end(running_stack, CHANGES) == before

    replay = mesh("replay", *options, "--yes")
    assert replay.returncode == 1, "a record stayed behind, and the exit code does not say so"
    [(origin, offset)] = sent(replay).items()
    assert (origin, offset, end(running_stack, CHANGES)) == (place, before, before + 1)
    await_ledger(running_stack)
    arrived = sql.query(
        running_stack,
        "select source_ord, document_id, json_extract_scalar(json_parse(envelope), '$.after') from bronze.workers_raw"
        f" where kafka_partition = {PARTITION} and kafka_offset = {offset}",
    )
    assert arrived == [[7, json.dumps({"$oid": document}), json.loads(bad)["after"]]]
    assert quarantined(running_stack, place) == [["wrong_type", key, bad, {"trace": b"\xff"}]]
    assert level(CHANGES)["open"] == open_before - 1

    shown = mesh("show", *place.split("/"))
    assert f"as offset {offset}" in shown.stdout and '"ord": "7"' in shown.stdout and "hex ff" in shown.stdout
    again = mesh("replay", "--record", place, "--mend", str(path), "--yes")
    assert again.returncode == 1
    assert f"sent again already, as offset {offset}" in again.stderr
    assert end(running_stack, CHANGES) == before + 1


def test_record_that_is_refused_again_is_settled_or_has_no_origin(running_stack: Stack, put: Any) -> None:
    [place] = put(EVENTS, b"{oops")
    open_before = level(EVENTS)["open"]
    replay = mesh("replay", "--record", place, "--yes")
    assert replay.returncode == 0, replay.stderr
    await_ledger(running_stack)
    [[reason, key, value, headers]] = quarantined(running_stack, f"{EVENTS}/{PARTITION}/{sent(replay)[place]}")
    assert (reason, key, value) == ("not_json", b"k", b"{oops")
    assert (headers["trace"], headers[sending.ORIGIN_HEADER]) == (b"\xff", place.encode())
    assert level(EVENTS)["open"] == open_before


def test_threshold_is_passed_unseen_or_replay_disorders(running_stack: Stack, put: Any, tmp_path: Path) -> None:
    now = level(CHANGES)
    assert not now["is_exceeded"], "the tests before leave no room to see the threshold passed"
    key = text({"id": "1"})
    slips = [text(envelope({"ord": str(at)})) for at in range(now["threshold"] - now["open"] + 1)]
    places = put(CHANGES, *slips, key=key)
    assert level(CHANGES)["is_exceeded"]
    path = tmp_path / "mend.toml"
    path.write_text('[[step]]\ncast = "source.ord"\nto = "integer"\n', encoding="utf-8")
    before = end(running_stack, CHANGES)
    replay = mesh("replay", "--topic", CHANGES, "--reason", "wrong_type", "--since", "1h", "--mend", str(path), "--yes")
    assert replay.returncode == 0, replay.stderr
    assert list(sent(replay).items()) == [(place, before + at) for at, place in enumerate(places)]
    await_ledger(running_stack)
    arrived = sql.query(
        running_stack,
        "select source_ord from bronze.workers_raw"
        f" where kafka_partition = {PARTITION} and kafka_offset >= {before} order by kafka_offset",
    )
    assert arrived == [[at] for at in range(len(slips))]
    assert not level(CHANGES)["is_exceeded"]
    again = mesh("replay", "--topic", CHANGES, "--reason", "wrong_type", "--since", "1h", "--mend", str(path), "--yes")
    assert "No open record is like that" in again.stderr
    assert end(running_stack, CHANGES) == before + len(places)


def test_replay_killed_before_its_mark_sends_twice(running_stack: Stack, put: Any, mend: str) -> None:
    places = put(EVENTS, slip(), slip(), slip())
    options = ["--mend", mend, "--yes", *(part for place in places for part in ("--record", place))]
    before = end(running_stack, EVENTS)
    killed = killed_before_the_mark("replay", *options)
    assert killed.returncode == -9, killed.stderr
    assert (killed.stdout, end(running_stack, EVENTS)) == ("", before + 3)
    assert all(record.is_open for record in records(running_stack, places))
    again = mesh("replay", *options)
    assert "3 had been sent and are marked, 0 had not" in again.stderr
    assert f"{places[0]} was sent again already, as offset {before}" in again.stderr
    assert end(running_stack, EVENTS) == before + 3
    assert not marks.unsettled(running_stack)


def attempts(stack: Stack, places: Sequence[str]) -> list[Attempt]:
    return [
        Attempt(Place.parse(place), str(uuid.uuid4()), end(stack, EVENTS), None, datetime.now(UTC) - LONG_AGO)
        for place in places
    ]


def send(stack: Stack, attempt: Attempt, mend: str) -> int:
    """As a replay does it."""
    [message] = reading.messages(stack, records(stack, [str(attempt.place)]))
    with sending.sender(stack) as sender:
        [offset] = sender.send([(attempt, mending.read(Path(mend)).mend(message))])
    return offset


def test_replay_killed_while_sending_forgets_or_doubles(running_stack: Stack, put: Any, mend: str) -> None:
    """Of two intents one was sent: the other is sent now, once."""
    places = put(EVENTS, slip(), slip())
    both = attempts(running_stack, places)
    marks.intend(running_stack, both)
    offset = send(running_stack, both[0], mend)
    replay = mesh("replay", "--topic", EVENTS, "--reason", "not_an_envelope", "--mend", mend, "--yes")
    assert "1 had been sent and are marked, 1 had not" in replay.stderr
    assert sent(replay)[places[1]] == end(running_stack, EVENTS) - 1
    assert places[0] not in sent(replay)
    [first, second] = records(running_stack, places)
    assert (first.new_offset, second.new_offset) == (offset, sent(replay)[places[1]])


def test_replay_doubles_what_kafka_has_dropped(running_stack: Stack, put: Any, mend: str) -> None:
    """Sent, not marked, and then the topic's retention took it: nobody can tell any more, so it is not sent."""
    [lost, fine] = put(EVENTS, slip(), slip())
    [attempt] = attempts(running_stack, [lost])
    marks.intend(running_stack, [attempt])
    send(running_stack, attempt, mend)
    await_ledger(running_stack)
    with admin(running_stack) as client:
        client.delete_records({TopicPartition(EVENTS, PARTITION): end(running_stack, EVENTS)})
    replay = mesh("replay", "--record", lost, "--record", fine, "--mend", mend, "--yes")
    assert f"{lost} is left out" in replay.stderr
    assert list(sent(replay)) == [fine]
    marks.settle(running_stack, [(attempt, None)])  # the suite's stack lives on

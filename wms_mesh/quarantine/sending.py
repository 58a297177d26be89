"""Kafka's side of a replay: sending, and finding what a replay that was cut off has sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from ingest.topics import LARGEST_RECORD
from wms_mesh.errors import MeshError
from wms_mesh.quarantine.marks import Attempt
from wms_mesh.quarantine.records import Message, Place
from wms_mesh.stack import Stack

ORIGIN_HEADER = "mesh-replay-of"  # topic/partition/offset in the quarantine
REPLAY_HEADER = "mesh-replay-id"
_ACKNOWLEDGED_SECONDS = 120  # the client's own limit for a delivery, all retries included
_POLL_MS = 1_000


class Sender:
    """Sends to the partition where the original stands, in order and with all acknowledgements."""

    def __init__(self, stack: Stack) -> None:
        # Idempotent: the client's own retries neither double nor reorder.
        self._producer = KafkaProducer(
            bootstrap_servers=stack.address("kafka"),
            acks="all",
            enable_idempotence=True,
            max_request_size=LARGEST_RECORD,
            allow_auto_create_topics=False,
        )

    def send(self, pairs: Sequence[tuple[Attempt, Message]]) -> list[int]:
        """The offsets of what was sent, in order. Raises KafkaError when some may not have arrived."""
        futures = [
            self._producer.send(
                message.topic,
                key=message.key,
                value=message.value,
                headers=headers(attempt, message),
                partition=attempt.place.partition,
            )
            for attempt, message in pairs
        ]
        return [future.get(_ACKNOWLEDGED_SECONDS).offset for future in futures]

    def close(self) -> None:
        """Let go; nothing is under way after ``send`` returned, and after it failed nothing more may go out."""
        self._producer.close(timeout=0)


def headers(attempt: Attempt, message: Message) -> list[tuple[str, bytes]]:
    """The original's headers, and where it comes from: of a replay of a replay, the nearest ancestor."""
    kept = [(name, value) for name, value in message.headers if name not in (ORIGIN_HEADER, REPLAY_HEADER)]
    return [*kept, (ORIGIN_HEADER, str(attempt.place).encode()), (REPLAY_HEADER, attempt.replay_id.encode())]


@contextmanager
def sender(stack: Stack) -> Iterator[Sender]:
    """A Sender. Raises MeshError, which says what to do, when Kafka fails."""
    try:
        made = Sender(stack)
        try:
            yield made
        finally:
            made.close()
    except KafkaError as error:
        raise MeshError(
            f"Kafka did not take the records ({error}): see `./mesh status`, then replay again. What had arrived is "
            "found and not sent a second time."
        ) from error


def bounds(stack: Stack, places: Iterable[Place]) -> dict[tuple[str, int], tuple[int, int]]:
    """First offset and end offset (exclusive) of the places' partitions, by topic and number, as far as they exist."""
    wanted = {(place.topic, place.partition) for place in places}
    with _consumer(stack) as consumer:
        here = [TopicPartition(*at) for at in wanted if at[1] in (consumer.partitions_for_topic(at[0]) or ())]
        first, end = consumer.beginning_offsets(here), consumer.end_offsets(here)
        return {(at.topic, at.partition): (first[at], end[at]) for at in here}


def find(stack: Stack, attempts: Iterable[Attempt]) -> dict[Attempt, int]:
    """Offsets of those attempts whose record stands in Kafka, by its headers."""
    sought: dict[tuple[str, int], dict[tuple[bytes, bytes], Attempt]] = defaultdict(dict)
    for attempt in attempts:
        place = attempt.place
        sought[place.topic, place.partition][attempt.replay_id.encode(), str(place).encode()] = attempt
    limits = bounds(stack, [attempt.place for wanted in sought.values() for attempt in wanted.values()])
    found: dict[Attempt, int] = {}
    with _consumer(stack) as consumer:
        for topic_partition, (first, end) in limits.items():
            at, wanted = TopicPartition(*topic_partition), sought[topic_partition]
            consumer.assign([at])
            consumer.seek(at, max(first, min(attempt.search_from for attempt in wanted.values())))
            while wanted and consumer.position(at) < end:
                for record in consumer.poll(timeout_ms=_POLL_MS).get(at, []):
                    named = dict(record.headers)
                    mark = (named.get(REPLAY_HEADER, b""), named.get(ORIGIN_HEADER, b""))
                    if mark in wanted:
                        found[wanted.pop(mark)] = record.offset
    return found


@contextmanager
def _consumer(stack: Stack) -> Iterator[KafkaConsumer]:
    try:
        consumer = KafkaConsumer(
            bootstrap_servers=stack.address("kafka"),
            enable_auto_commit=False,
            check_crcs=False,  # in Python: 10 s for a record of 10 MB
        )
        try:
            yield consumer
        finally:
            consumer.close()
    except KafkaError as error:
        raise MeshError(f"Kafka does not answer on {stack.address('kafka')} ({error}): see `./mesh status`.") from error

"""Kafka: one KRaft node, broker and controller in one process."""

from __future__ import annotations

import base64
import contextlib
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from ingest.topics import LARGEST_RECORD
from wms_mesh import artifacts
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.java import java
from wms_mesh.monitoring.targets import jmx_agent
from wms_mesh.stack import LOOPBACK, Stack

PROBE_TOPIC = "__mesh-probe"
NODE_ID = 1


class Kafka(Engine):
    """Ready when a record that was produced can be consumed."""

    name = "kafka"
    memory_mb = 700
    ports = ("kafka", "kafka-controller", "kafka-metrics")
    stop_seconds = 30.0

    def prepare(self) -> None:
        """Render the configuration; format the log folder as `kafka-storage format` does, without a JVM for it."""
        conf = self.stack.conf(self.name)
        logs = self._logs()
        self.render(
            "kafka/server.properties",
            conf / "server.properties",
            logs=logs,
            node_id=NODE_ID,
            largest_record=LARGEST_RECORD,
        )
        self.render("kafka/log4j2.properties", conf / "log4j2.properties")
        meta = logs / "meta.properties"
        if not meta.exists():
            logs.mkdir(parents=True, exist_ok=True)
            fresh = meta.with_suffix(".new")
            fresh.write_text(
                f"version=1\ncluster.id={_kafka_uuid()}\ndirectory.id={_kafka_uuid()}\nnode.id={NODE_ID}\n",
                encoding="utf-8",
            )
            fresh.rename(meta)

    def command(self) -> Command:
        conf = self.stack.conf(self.name)
        return Command(
            argv=[
                str(java(17)),
                # Measured: 200 to 255 MB resident with this heap; a 48 MB record passes.
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:+ExitOnOutOfMemoryError",
                *jmx_agent(self.stack, self.name),
                f"-Dlog4j2.configurationFile={conf / 'log4j2.properties'}",
                "-cp",
                artifacts.classpath("kafka"),
                "kafka.Kafka",
                str(conf / "server.properties"),
            ],
            cwd=self.stack.data(self.name),
        )

    def check(self) -> None:
        address = self.stack.address(self.name)
        mark = uuid.uuid4().bytes
        with admin(self.stack) as client:
            if PROBE_TOPIC not in client.list_topics():
                with contextlib.suppress(TopicAlreadyExistsError):  # another check was faster
                    client.create_topics([NewTopic(PROBE_TOPIC, 1, 1, topic_configs={"retention.ms": "3600000"})])
        try:
            producer = KafkaProducer(bootstrap_servers=address, acks="all", max_block_ms=5_000)
            try:
                sent = producer.send(PROBE_TOPIC, mark, partition=0).get(timeout=5)
            finally:
                producer.close(timeout=2)
        except KafkaError as error:
            raise NotReady(f"no produce: {error}") from error
        if read_one(self.stack, TopicPartition(PROBE_TOPIC, 0), sent.offset) != mark:
            raise NotReady("a produced record does not come back")

    def _logs(self) -> Path:
        return self.stack.data(self.name) / "logs"


@contextlib.contextmanager
def admin(stack: Stack) -> Iterator[KafkaAdminClient]:
    """A client for topics and offsets. Raises NotReady when the broker does not answer."""
    # The client itself would try for 30 s, and log each attempt.
    try:
        socket.create_connection((LOOPBACK, stack.port("kafka")), timeout=2).close()
    except OSError as error:
        raise NotReady(f"no broker listens on {stack.address('kafka')}") from error
    try:
        client = KafkaAdminClient(
            bootstrap_servers=stack.address("kafka"), request_timeout_ms=10_000, bootstrap_timeout_ms=5_000
        )
        try:
            yield client
        finally:
            client.close()
    except KafkaError as error:
        raise NotReady(f"the broker does not answer: {error}") from error


def read_one(stack: Stack, partition: TopicPartition, offset: int) -> bytes | None:
    """The value at one place; None for a tombstone and where nothing comes within 3 s."""
    consumer = KafkaConsumer(
        bootstrap_servers=stack.address("kafka"),
        enable_auto_commit=False,
        bootstrap_timeout_ms=5_000,
        check_crcs=False,  # in Python: 10 s for a record of 10 MB
    )
    try:
        consumer.assign([partition])
        consumer.seek(partition, offset)
        records = consumer.poll(timeout_ms=3_000, max_records=1).get(partition, [])
    except KafkaError as error:
        raise NotReady(f"no consume: {error}") from error
    finally:
        consumer.close()
    value: bytes | None = records[0].value if records else None
    return value


def _kafka_uuid() -> str:
    """22 characters of URL-safe base64; Kafka's command line refuses a leading dash."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return text

"""Kafka: one KRaft node, broker and controller in one process."""

from __future__ import annotations

import base64
import socket
import uuid
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from ingest.topics import LARGEST_RECORD
from wms_mesh import artifacts
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.java import java
from wms_mesh.stack import LOOPBACK

PROBE_TOPIC = "__mesh-probe"
NODE_ID = 1


class Kafka(Engine):
    """Ready when a record that was produced can be consumed."""

    name = "kafka"
    ports = ("kafka", "kafka-controller")
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
        # The client logs and waits for seconds where nothing listens yet.
        try:
            socket.create_connection((LOOPBACK, self.stack.port(self.name)), timeout=2).close()
        except OSError as error:
            raise NotReady(f"nothing listens on {address} yet") from error
        mark = uuid.uuid4().bytes
        try:
            producer = KafkaProducer(bootstrap_servers=address, acks="all", max_block_ms=5_000)
            try:
                _create_probe_topic(address)
                sent = producer.send(PROBE_TOPIC, mark, partition=0).get(timeout=5)
            finally:
                producer.close(timeout=2)
            consumer = KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
            try:
                partition = TopicPartition(PROBE_TOPIC, 0)
                consumer.assign([partition])
                consumer.seek(partition, sent.offset)
                records = consumer.poll(timeout_ms=3_000, max_records=1).get(partition, [])
            finally:
                consumer.close()
        except KafkaError as error:
            raise NotReady(f"no produce and consume: {error}") from error
        if [record.value for record in records] != [mark]:
            raise NotReady("a produced record does not come back")

    def _logs(self) -> Path:
        return self.stack.data(self.name) / "logs"


def _create_probe_topic(address: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=address, request_timeout_ms=5_000)
    try:
        if PROBE_TOPIC not in admin.list_topics():
            admin.create_topics([NewTopic(PROBE_TOPIC, 1, 1, topic_configs={"retention.ms": "3600000"})])
    except TopicAlreadyExistsError:
        pass  # another check was faster
    finally:
        admin.close()


def _kafka_uuid() -> str:
    """22 characters of URL-safe base64; Kafka's command line refuses a leading dash."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        continue
    return text

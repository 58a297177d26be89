"""Kafka Connect: one distributed worker with Debezium's MongoDB connector."""

from __future__ import annotations

from pathlib import Path

import requests

from ingest import topics
from ingest.connector.rest import Connect as Rest
from wms_mesh import artifacts
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.java import java
from wms_mesh.monitoring.targets import jmx_agent
from wms_mesh.stack import LOOPBACK, Stack

PLUGIN = "io.debezium.connector.mongodb.MongoDbConnector"
_URI_FILE = "mongodb-uri"


def mongodb_reference(stack: Stack) -> str:
    """What stands in the connector's configuration for the connection string."""
    return f"${{directory:{_secrets(stack)}:{_URI_FILE}}}"


class Connect(Engine):
    """Ready when its REST interface answers from the group's state and offers the MongoDB connector."""

    name = "connect"
    memory_mb = 1150
    needs = ("kafka", "topics")
    ports = ("connect", "connect-metrics")

    def prepare(self) -> None:
        conf = self.stack.conf(self.name)
        secrets = _secrets(self.stack)
        secrets.mkdir(mode=0o700, exist_ok=True)
        uri = secrets / _URI_FILE
        uri.touch(mode=0o600)
        uri.write_text(connection_string(self.stack), encoding="utf-8")
        self.render(
            "connect/worker.properties",
            conf / "worker.properties",
            host=LOOPBACK,
            plugins=artifacts.unpacked("debezium"),
            secrets=secrets,
            topics=topics,
        )
        self.render("connect/log4j2.properties", conf / "log4j2.properties")

    def command(self) -> Command:
        conf = self.stack.conf(self.name)
        return Command(
            argv=[
                str(java(17)),
                # A change of a 16 MB document is in memory as BSON, as text and as bytes, before and after.
                "-Xmx768m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                # A worker out of memory half works: the supervisor starts a whole one.
                "-XX:+ExitOnOutOfMemoryError",
                *jmx_agent(self.stack, self.name),
                f"-Dlog4j2.configurationFile={conf / 'log4j2.properties'}",
                "-cp",
                artifacts.classpath("connect"),
                "org.apache.kafka.connect.cli.ConnectDistributed",
                str(conf / "worker.properties"),
            ],
            cwd=self.stack.data(self.name),
        )

    def check(self) -> None:
        rest = Rest(self.stack.url(self.name))
        try:
            plugins = rest.plugins()
            rest.status()
        except requests.RequestException as error:
            raise NotReady(f"its REST interface does not answer ({type(error).__name__})") from error
        if PLUGIN not in plugins:
            raise NotReady(f"it does not offer {PLUGIN}")


def _secrets(stack: Stack) -> Path:
    return stack.conf("connect") / "secrets"

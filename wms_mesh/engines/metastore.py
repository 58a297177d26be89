"""Hive Metastore: the Iceberg catalog that Trino and Flink share."""

from __future__ import annotations

import socket
import struct

import pg8000.native

from wms_mesh import artifacts
from wms_mesh.engines import postgres
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.java import java
from wms_mesh.stack import LOOPBACK

# The schema that the server of 4.0.1 asks for.
_SCHEMA_SCRIPT = "scripts/metastore/upgrade/postgres/hive-schema-4.0.0.postgres.sql"

# Thrift's binary protocol: version 1, a call; a reply; a list of strings.
_CALL, _REPLY, _LIST, _STRING = 0x80010001, 0x80010002, 15, 11


class Metastore(Engine):
    """Thrift on loopback; its tables in Postgres; it makes table folders itself, over S3A."""

    name = "metastore"
    memory_mb = 450
    needs = ("postgres", "buckets")
    ports = ("metastore",)

    def prepare(self) -> None:
        conf = self.stack.conf(self.name)
        self.render("metastore/metastore-site.xml", conf / "metastore-site.xml")
        self.render("metastore/core-site.xml", conf / "core-site.xml")
        self.render("metastore/log4j2.properties", conf / "log4j2.properties")
        try:
            self._make_schema()
        except (pg8000.exceptions.InterfaceError, pg8000.exceptions.DatabaseError, OSError) as error:
            raise NotReady(f"its schema cannot be made in Postgres ({error})") from error

    def _make_schema(self) -> None:
        """What ``schematool -initSchema`` does, without a JVM (7 s): run Hive's own script, here in one transaction."""
        with postgres.connect(self.stack, "postgres") as server:
            if not server.run("select 1 from pg_database where datname = :name", name=postgres.DATABASE):
                server.run(f"create database {postgres.DATABASE}")
        with postgres.connect(self.stack) as database:
            if not database.run("select to_regclass('\"VERSION\"')")[0][0]:
                script = (artifacts.unpacked("metastore") / _SCHEMA_SCRIPT).read_text(encoding="utf-8")
                database.run(f"begin;\n{script}\ncommit;")

    def command(self) -> Command:
        conf = self.stack.conf(self.name)
        jars = [*sorted((artifacts.unpacked("metastore") / "lib").glob("*.jar")), *artifacts.jars("metastore-hadoop")]
        return Command(
            argv=[
                str(java(17)),
                "-Xms48m",
                "-Xmx192m",
                "-XX:+UseSerialGC",
                "-XX:MinHeapFreeRatio=10",
                "-XX:MaxHeapFreeRatio=30",
                "-XX:TieredStopAtLevel=1",
                "-XX:+ExitOnOutOfMemoryError",
                f"-Dlog4j.configurationFile={conf / 'log4j2.properties'}",
                "-Dlog4j2.disable.jmx=true",
                "-cp",
                ":".join(map(str, [conf, *jars])),
                "org.apache.hadoop.hive.metastore.HiveMetaStore",
                "-p",
                self.stack.listener("metastore").split(":")[1],
            ],
            cwd=self.stack.data(self.name),
        )

    def check(self) -> None:
        """Ask for the databases, which the metastore reads from Postgres."""
        try:
            databases = all_databases(LOOPBACK, self.stack.port("metastore"))
        except (OSError, EOFError, ValueError, struct.error) as error:
            raise NotReady(f"get_all_databases fails ({error})") from error
        if "default" not in databases:
            raise NotReady("the database 'default' is not there yet")

    def detail(self) -> dict[str, object]:
        return {"uri": f"thrift://{self.stack.address('metastore')}"}


def all_databases(host: str, port: int) -> list[str]:
    """The names of the metastore's databases, by one Thrift call without a Thrift library.

    Raises OSError or EOFError when the connection fails, ValueError when the answer is no list of names.
    """
    method = b"get_all_databases"
    call = struct.pack(f"!Ii{len(method)}siB", _CALL, len(method), method, 0, 0)
    with socket.create_connection((host, port), timeout=8) as connection, connection.makefile("rb") as answer:
        connection.sendall(call)

        def read(layout: str) -> tuple[int, ...]:
            content = answer.read(struct.calcsize(layout))
            if len(content) < struct.calcsize(layout):
                raise EOFError("the connection was closed")
            return struct.unpack(layout, content)

        def text() -> str:
            return answer.read(read("!i")[0]).decode()

        (kind,), _, _ = read("!I"), text(), read("!i")
        (field,) = read("!B")
        if kind != _REPLY or field != _LIST:
            raise ValueError("it answers with an exception")
        _, element, count = read("!hBi")
        if element != _STRING:
            raise ValueError("it answers with something else than names")
        return [text() for _ in range(count)]

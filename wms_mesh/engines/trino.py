"""Trino: one node that plans and works, with the catalogs iceberg, mongodb and kafka."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import requests
import trino.dbapi
import trino.exceptions

from ingest.collections import COLLECTIONS, EVENT_TOPICS
from wms_mesh import artifacts
from wms_mesh.access import client
from wms_mesh.access.roles import RULES, USERS
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.engines.mongodb import connection_string
from wms_mesh.java import java
from wms_mesh.stack import LOOPBACK, Stack

CATALOGS = ("iceberg", "mongodb", "kafka")
ETC = (
    "access-control.properties",
    "password-authenticator.properties",
    "passwords",
    "group-provider.properties",
    "groups",
)


class Trino(Engine):
    """Plain HTTP on loopback, no authentication: whoever can reach it is a user of this machine. On a secure stack TLS,
    passwords, and the access rules of infra/trino.

    It needs nothing to start, since catalogs connect when they are asked. Its start is the longest: it begins at once.
    """

    name = "trino"
    memory_mb = 2400
    ports = ("trino",)

    def prepare(self) -> None:
        conf = self.stack.conf(self.name)
        self.stack.data(self.name)
        (conf / "catalog").mkdir(exist_ok=True)
        for name in ("config.properties", "log.properties"):
            self.render(f"trino/{name}", conf / name, **self._values())
        for catalog in CATALOGS:
            self.render(
                f"trino/catalog/{catalog}.properties", conf / "catalog" / f"{catalog}.properties", **self._values()
            )
        # Of these Trino knows one place only, below the folder in which it runs.
        etc = self.stack.data(self.name) / "etc"
        shutil.rmtree(etc, ignore_errors=True)
        if self.stack.secure:
            etc.mkdir()
            values = {"etc": etc, "rules": RULES, "users": USERS, "passwords": client.hashed(self.stack)}
            for name in ETC:
                self.render(f"trino/etc/{name}", etc / name, **values)

    def _values(self) -> dict[str, object]:
        return {
            **(
                {"certificate": client.certificate(self.stack), "key_store": client.key_store(self.stack)}
                if self.stack.secure
                else {}
            ),
            "home": artifacts.unpacked("trino"),
            "conf": self.stack.conf(self.name),
            "mongodb_uri": connection_string(self.stack),
            "kafka_tables": ",".join([*EVENT_TOPICS, *(collection.topic for collection in COLLECTIONS)]),
        }

    def command(self) -> Command:
        conf, data = self.stack.conf(self.name), self.stack.data(self.name)
        jars = sorted((artifacts.unpacked("trino") / "lib").glob("*.jar"))
        return Command(
            argv=[
                str(java(25)),
                # The second compiler does not pay for itself here: a start takes 24 s of CPU with it and 13 without, a
                # load (300,000 documents decoded twice, ten merges) 68 s and 38. An archive of classes (CDS) would save
                # 4 s more, and costs 23 s at the first stop and 126 MB.
                "-XX:TieredStopAtLevel=1",
                "-Xms256m",
                "-Xmx1536m",
                "-XX:+UseSerialGC",
                "-XX:MinHeapFreeRatio=10",
                "-XX:MaxHeapFreeRatio=30",
                "-XX:+ExitOnOutOfMemoryError",
                "-XX:-OmitStackTraceInFastThrow",
                "-XX:ReservedCodeCacheSize=256M",
                # The rest is what Trino's own launcher passes.
                "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-Djdk.attach.allowAttachSelf=true",
                # Else it attaches an agent to itself to measure objects: 1 s of CPU, and a jar left in /tmp by a kill.
                "-Djol.skipDynamicAttach=true",
                "-Djdk.nio.maxCachedBufferSize=2000000",
                "-Dfile.encoding=UTF-8",
                "-Dnode.environment=mesh",
                "-Dnode.id=mesh",
                f"-Dnode.data-dir={data}",
                f"-Dnode.bind-ip={LOOPBACK}",
                f"-Dnode.internal-address={LOOPBACK}",
                f"-Dlog.levels-file={conf / 'log.properties'}",
                f"-Dconfig={conf / 'config.properties'}",
                "-cp",
                ":".join(map(str, jars)),
                "io.trino.server.TrinoServer",
            ],
            cwd=data,
        )

    def check(self) -> None:
        """Count the nodes that can work, then read through the catalog that everything needs, and so the metastore."""
        try:
            # Its own word first: a query to a server that starts is an error in its log.
            info = requests.get(
                f"{self.stack.url('trino')}/v1/info", timeout=5, verify=client.verify(self.stack)
            ).json()
            if info["starting"]:
                raise NotReady("it loads its plugins and catalogs")
            with _connect(self.stack) as connection:
                cursor = connection.cursor()
                (nodes,) = cursor.execute("select count(*) from system.runtime.nodes where state = 'active'").fetchone()
                cursor.execute("show schemas from iceberg").fetchall()
        except (requests.RequestException, trino.exceptions.Error) as error:
            raise NotReady(f"a query fails ({_reason(error)})") from error
        if not nodes:
            raise NotReady("it has no active node yet")

    def detail(self) -> dict[str, object]:
        return {"ui": self.stack.url("trino"), "catalogs": ", ".join(CATALOGS)}


def _connect(stack: Stack) -> trino.dbapi.Connection:
    connect: Callable[..., trino.dbapi.Connection] = trino.dbapi.connect
    return connect(**client.arguments(stack), request_timeout=9, max_attempts=1)


def _reason(error: Exception) -> str:
    return error.message if isinstance(error, trino.exceptions.TrinoQueryError) else type(error).__name__

"""The object store: a MinIO that is on the PATH, else s3proxy over a folder."""

from __future__ import annotations

import shutil
import uuid

import requests

from wms_mesh import artifacts, object_store
from wms_mesh.engines.base import Command, Engine, NotReady
from wms_mesh.java import java
from wms_mesh.stack import LOOPBACK

_PROBE_BUCKET = "mesh-readiness"


class S3(Engine):
    """S3 on loopback, path style, with the stack's own keys."""

    name = "s3"
    memory_mb = 450
    ports = ("s3", "s3-metrics")

    def prepare(self) -> None:
        self.stack.data(self.name)
        if _minio() is None:
            conf = self.stack.conf(self.name)
            self.render("s3/s3proxy.properties", conf / "s3proxy.properties", host=LOOPBACK)
            self.render("s3/logback.xml", conf / "logback.xml")

    def command(self) -> Command:
        minio = _minio()
        data = self.stack.data(self.name)
        if minio is not None:
            return Command(
                argv=[minio, "server", "--quiet", "--address", self.stack.listener("s3"), str(data)],
                cwd=data,
                env={
                    "MINIO_ROOT_USER": self.stack.secret("s3-access-key"),
                    "MINIO_ROOT_PASSWORD": self.stack.secret("s3-secret-key"),
                    "MINIO_BROWSER": "off",  # the console would listen on a port that is not the stack's
                    "MINIO_UPDATE": "off",
                    # On loopback, and only of a monitored stack; otherwise a token is asked for.
                    "MINIO_PROMETHEUS_AUTH_TYPE": "public" if self.stack.monitoring else "jwt",
                },
            )
        conf = self.stack.conf(self.name)
        return Command(
            argv=[
                str(java(17)),
                # Each request with a signed body is held in memory: writers send parts of up to 16 MB.
                "-Xms32m",
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:MinHeapFreeRatio=10",
                "-XX:MaxHeapFreeRatio=30",
                "-XX:TieredStopAtLevel=1",
                "-XX:+ExitOnOutOfMemoryError",
                f"-Dlogback.configurationFile={conf / 'logback.xml'}",
                "-cp",
                str(artifacts.file("s3proxy")),
                "org.gaul.s3proxy.Main",
                "--properties",
                str(conf / "s3proxy.properties"),
            ],
            cwd=data,
        )

    def check(self) -> None:
        """Put, get and delete an object of its own name in a bucket of its own."""
        path = f"{_PROBE_BUCKET}/{uuid.uuid4().hex}"
        body = path.encode()
        try:
            try:
                object_store.request(self.stack, "PUT", path, body)
            except requests.HTTPError as error:
                if error.response.status_code != requests.codes.not_found:
                    raise
                object_store.request(self.stack, "PUT", _PROBE_BUCKET)
                object_store.request(self.stack, "PUT", path, body)
            returned = object_store.request(self.stack, "GET", path).content
            object_store.request(self.stack, "DELETE", path)
        except requests.RequestException as error:
            raise NotReady(f"a put, get and delete of an object fail ({_reason(error)})") from error
        if returned != body:
            raise NotReady("it does not return what was stored")

    def detail(self) -> dict[str, object]:
        return {"endpoint": self.stack.url("s3"), "store": store()}


def store() -> str:
    """Which object store this machine starts: minio or s3proxy."""
    return "minio" if _minio() else "s3proxy"


def _minio() -> str | None:
    return shutil.which("minio")


def _reason(error: requests.RequestException) -> str:
    return f"HTTP {error.response.status_code}" if error.response is not None else type(error).__name__

"""An engine counts as ready when its work comes back right, not when its port is open."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
import requests

from wms_mesh import object_store
from wms_mesh.engines.base import NotReady
from wms_mesh.engines.buckets import Buckets
from wms_mesh.engines.metastore import all_databases
from wms_mesh.engines.s3 import S3
from wms_mesh.stack import LOOPBACK, Stack

Answer = Callable[[bytes], Iterator[int]]


def text(value: str) -> bytes:
    return struct.pack("!i", len(value.encode())) + value.encode()


def reply(kind: int, body: bytes) -> bytes:
    return struct.pack("!I", 0x80010000 | kind) + text("get_all_databases") + struct.pack("!i", 0) + body


def names(*values: str) -> bytes:
    return struct.pack("!BhBi", 15, 0, 11, len(values)) + b"".join(map(text, values)) + b"\0"


@pytest.fixture
def metastore() -> Iterator[Callable[[bytes], int]]:
    """Start a metastore that answers any call with these bytes and hangs up; returns its port."""
    with socket.create_server((LOOPBACK, 0)) as server:

        def start(answer: bytes) -> int:
            def serve() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(1024)
                    connection.sendall(answer)

            threading.Thread(target=serve, daemon=True).start()
            return int(server.getsockname()[1])

        yield start


def test_databases_are_misread(metastore: Callable[[bytes], int]) -> None:
    port = metastore(reply(2, names("default", "bronze", "köln")))
    assert all_databases(LOOPBACK, port) == ["default", "bronze", "köln"]


@pytest.mark.parametrize(
    ("answer", "error", "reason"),
    [
        (b"", EOFError, "closed"),
        (reply(2, names("default"))[:40], EOFError, "closed"),
        (reply(3, struct.pack("!Bh", 11, 1) + text("no such method")), ValueError, "an exception"),
        (reply(2, struct.pack("!BhBi", 15, 0, 8, 1)), ValueError, "else than names"),
    ],
    ids=["hangs up", "hangs up half way", "an exception", "a list of numbers"],
)
def test_metastore_that_fails_counts_as_ready(
    metastore: Callable[[bytes], int], answer: bytes, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        all_databases(LOOPBACK, metastore(answer))


class Store:
    """An object store in memory; ``lost``: it forgets what it was given."""

    def __init__(self, lost: bool = False) -> None:
        self.lost = lost
        self.buckets: set[str] = set()
        self.objects: dict[str, bytes] = {}

    def request(self, _stack: Stack, method: str, path: str, body: bytes = b"") -> requests.Response:
        response = requests.Response()
        bucket, _, key = path.partition("/")
        response.status_code = 200
        if method == "PUT" and not key:
            self.buckets.add(bucket)
        elif bucket not in self.buckets:
            response.status_code = 404
        elif method == "PUT":
            self.objects[path] = b"" if self.lost else body
        elif method == "GET":
            response._content = self.objects[path]
        elif method == "DELETE":
            del self.objects[path]
        response.raise_for_status()
        return response


def test_store_that_loses_bytes_counts_as_ready(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "request", Store(lost=True).request)
    with pytest.raises(NotReady, match="does not return"):
        S3(stack).check()


def test_readiness_leaves_objects_behind(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    monkeypatch.setattr(object_store, "request", store.request)
    S3(stack).check()
    S3(stack).check()
    assert not store.objects


def test_missing_bucket_goes_unnoticed(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store()
    monkeypatch.setattr(object_store, "request", store.request)
    duty = Buckets(stack)
    duty.ensure()
    duty.check()
    store.buckets.remove("wms-gold")
    with pytest.raises(NotReady, match="wms-gold"):
        duty.check()

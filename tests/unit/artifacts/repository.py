"""A Maven repository on loopback that can misbehave."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rich.console import Console

from wms_mesh.artifacts.coordinates import Coordinate, Locked
from wms_mesh.artifacts.store import Store


@dataclass
class Repository:
    """What it has, what it was asked for, and how it fails."""

    files: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # (path, Range header)
    cut_after: list[int] = field(default_factory=list)  # bytes after which the next answers break off
    ranges: bool = True
    open: threading.Event = field(default_factory=threading.Event)  # answers wait for it
    address: str = ""

    def __post_init__(self) -> None:
        self.open.set()

    def add(self, name: str, content: bytes) -> Locked:
        """Publish a jar, and say how it is pinned."""
        coordinate = Coordinate("org.example", name, "1.0")
        self.files[f"/{coordinate.path}"] = content
        return Locked(coordinate, hashlib.sha256(content).hexdigest(), len(content))

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        """One GET."""
        wanted = handler.headers.get("Range")
        self.requests.append((handler.path, wanted))
        self.open.wait(10)
        content = self.files.get(handler.path)
        if content is None:
            handler.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        body = content[start:]
        handler.wfile.write(body[: self.cut_after.pop(0)] if self.cut_after else body)


@contextmanager
def serving() -> Iterator[Repository]:
    """A repository that answers until the block ends."""
    repository = Repository()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            repository.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    repository.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield repository
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def store(
    folder: Path, repository: Repository, *, local: tuple[Path, ...] = (), said: io.StringIO | None = None
) -> Store:
    """A cache that knows this repository only."""
    console = Console(file=said or io.StringIO(), width=400)
    return Store(folder, local=local, repositories=[repository.address], console=console)

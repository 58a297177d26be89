"""What others ask over HTTP: /livez (does the loop turn), /healthz (is every product fresh), /metrics."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from wms_mesh.errors import MeshError
from wms_mesh.quality.regular import Regular as Quality
from wms_mesh.refresher import health
from wms_mesh.refresher.loop import Loop
from wms_mesh.refresher.metrics import JobMetrics
from wms_mesh.slo.regular import Regular


@contextlib.contextmanager
def serving(
    loop: Loop,
    host: str,
    port: int,
    slo: Regular | None = None,
    quality: Quality | None = None,
    more: Iterable[Collector] = (),
) -> Iterator[int]:
    """Answer in a thread while the body runs; yields the port. Raises MeshError when it is taken.

    slo, quality: the measurements and the checks to tell of, too. more: of what else there are metrics.
    """
    registry = CollectorRegistry()
    registry.register(JobMetrics(loop))
    for collector in (*more, *(one for one in (slo, quality) if one is not None)):
        registry.register(collector)
    handler = type("Handler", (_Handler,), {"loop": loop, "slo": slo, "quality": quality, "registry": registry})
    try:
        server = ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise MeshError(
            f"The refresher cannot listen on {host}:{port} ({error.strerror}): free the port, or set MESH_PORT_BASE or"
            " MESH_REFRESHER_HOST."
        ) from error
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    loop: Loop
    slo: Regular | None
    quality: Quality | None
    registry: CollectorRegistry

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self.registry))
        elif self.path in ("/healthz", "/livez"):
            is_well, facts = health.report(self.loop)
            if self.slo is not None:
                facts["slo"] = self.slo.facts()
            if self.quality is not None:
                facts["quality"] = self.quality.facts()
            is_good = is_well if self.path == "/healthz" else self.loop.is_alive
            status = HTTPStatus.OK if is_good else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, "application/json", json.dumps(facts, indent=1).encode())
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There are /livez, /healthz and /metrics.\n")

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """A line for every scrape says nothing."""

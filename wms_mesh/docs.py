"""``./mesh docs``: dbt's documentation site of this stack as one page that needs no internet, built and served."""

from __future__ import annotations

import errno
import json
import mimetypes
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from wms_mesh import sql, transform
from wms_mesh.errors import MeshError
from wms_mesh.stack import LOOPBACK, Stack

PAGE = "static_index.html"  # `dbt docs generate --static`: scripts, fonts, manifest and catalog in one file
QUALITY = "/quality/"  # where the pages of the quality checks are served
COUNTED = ("model", "source", "seed", "exposure")


@dataclass(frozen=True)
class Site:
    """A built site.

    page: the one file of it. counts: what it describes, by kind. missing: tables that it describes and Trino does not
    have, so their columns come from the yml alone.
    """

    page: Path
    counts: dict[str, int]
    missing: list[str]


def folder(stack: Stack) -> Path:
    """Where the site and its artifacts stand: never in the folder of `refresh`, whose run results others read."""
    return stack.home / "dbt" / "docs"


def build(stack: Stack) -> Site:
    """Generate the site from the project and the tables of the running stack.

    Raises MeshError when Trino does not answer, or with dbt's words when dbt fails.
    """
    sql.query(stack, "select 1")
    target = folder(stack)
    result = transform.dbt(stack, "docs", "generate", "--static", "--target-path", str(target), quiet=True)
    if result.returncode:
        raise MeshError(f"dbt could not build the docs:\n{result.stdout.strip()}")
    page = target / PAGE
    page.write_text(mended(page.read_text(encoding="utf-8")), encoding="utf-8")
    manifest, catalog = read(target / "manifest.json"), read(target / "catalog.json")
    described = {**manifest["nodes"], **manifest["sources"], **manifest["exposures"]}
    counts = Counter(node["resource_type"] for node in described.values())
    tables = [key for key, node in described.items() if node["resource_type"] in ("model", "source", "seed")]
    known = {**catalog["nodes"], **catalog["sources"]}
    missing = [relation(described[key]) for key in tables if key not in known]
    return Site(page, {kind: counts[kind] for kind in COUNTED}, sorted(missing))


# dbt's page asks for addresses that nobody has: a template's text before it is filled in, and an icon's place in dbt's
# own sources.
_MENDED = {
    '<use xlink:href="{{': '<use ng-attr-href="{{',
    "${require('./assets/favicons/favicon.ico')}": "data:,",
}


def mended(page: str) -> str:
    """dbt's page without what a browser cannot load."""
    for broken, whole in _MENDED.items():
        page = page.replace(broken, whole)
    return page


def read(path: Path) -> dict[str, Any]:
    """One of dbt's artifacts."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def relation(node: Mapping[str, Any]) -> str:
    """``schema.table`` of a model, seed or source in the manifest."""
    return f"{node['schema']}.{node.get('alias') or node['identifier']}"


@contextmanager
def serve(page: Path, port: int, quality: Path | None = None) -> Iterator[ThreadingHTTPServer]:
    """A server of one page on loopback; see ``run``. Raises MeshError when the port is taken.

    quality: a folder whose files are served as they are at the moment, below QUALITY.
    """
    content = page.read_bytes()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            file = _file(quality, path)
            if path in ("/", "/index.html"):
                self._answer(content, "text/html; charset=utf-8")
            elif file is not None:
                self._answer(file.read_bytes(), _kind(file))
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _answer(self, body: bytes, kind: str) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent: a line for each request would bury the address."""

    try:
        server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise MeshError(
            f"Port {port} is taken, perhaps by another `./mesh docs`: stop that one, or choose a port with --port."
        ) from error
    with server:
        yield server


def _file(folder: Path | None, path: str) -> Path | None:
    """The file that an address below QUALITY means; None when there is none, or when it leads out of the folder."""
    if folder is None or not path.startswith(QUALITY):
        return None
    root = folder.resolve()
    file = (root / (path.removeprefix(QUALITY) or "index.html")).resolve()
    return file if file.is_file() and file.is_relative_to(root) else None


def _kind(file: Path) -> str:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def run(server: ThreadingHTTPServer) -> None:
    """Answer until Ctrl-C, or until a supervisor ends the process."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts its background jobs with Ctrl-C switched off
        signal.signal(number, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
